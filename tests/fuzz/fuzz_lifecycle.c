/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A LifecycleConfiguration, then, behind a NUL, a key, and behind another tags. A valid document
 * survives being written and read again, and judges the same; what ends is within a prefix that
 * is walked.
 */
#include <assert.h>

#include "base/limits.h"
#include "oss/rules/lifecycle.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_judgement(const struct lifecycle *lifecycle, const struct lifecycle *again,
	const struct lifecycle_facts *facts)
{
	int64_t end_ms = 0;
	int64_t end_again_ms = 0;
	struct slice rule = S("");
	struct slice rule_again = S("");
	struct slice prefix = {NULL, 0};
	bool walked = false;
	bool found = lifecycle_find(lifecycle, facts, &end_ms, &rule);
	assert(found == lifecycle_find(again, facts, &end_again_ms, &rule_again));
	assert(end_ms == end_again_ms && slice_eq(rule, rule_again));
	while (lifecycle_next_prefix(lifecycle, LIFECYCLE_BIT(facts->subject), &prefix))
		walked = walked || slice_starts(facts->key, prefix);
	assert(walked || !found);
}

static void check_round_trip(const struct lifecycle *lifecycle, struct slice key, struct slice tags)
{
	SCOPED_STRBUF(out, MIB(4));
	SCOPED_STRBUF(second, MIB(4));
	SCOPED_STRBUF(reason, 1000);
	struct lifecycle *again = NULL;
	struct lifecycle_facts facts = {.key = key, .tags = tags, .size = tags.len};
	lifecycle_format(lifecycle, &out);
	assert(!strbuf_broken(&out));
	if (out.len > LIMIT_LIFECYCLE_BODY_BYTES)
		return;
	assert(lifecycle_parse(strbuf_slice(&out), true, &again, &reason) == ERR_OK);
	lifecycle_format(again, &second);
	assert(slice_eq(strbuf_slice(&out), strbuf_slice(&second)));
	for (int subject = LIFECYCLE_CURRENT; subject <= LIFECYCLE_UPLOAD; subject++) {
		facts.subject = (enum lifecycle_subject)subject;
		facts.since_ms = INT64_C(1700000000000);
		check_judgement(lifecycle, again, &facts);
	}
	lifecycle_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct slice tags = slice_of(bytes, len);
	struct slice xml;
	struct slice key;
	struct lifecycle *lifecycle = NULL;
	SCOPED_STRBUF(reason, 1000);
	(void)slice_cut(&tags, '\0', &xml);
	(void)slice_cut(&tags, '\0', &key);
	if (xml.len > LIMIT_LIFECYCLE_BODY_BYTES)
		return 0;
	if (lifecycle_parse(xml, true, &lifecycle, &reason) != ERR_OK) {
		assert(!lifecycle && reason.len);
		return 0;
	}
	check_round_trip(lifecycle, key, tags);
	lifecycle_free(lifecycle);
	return 0;
}
