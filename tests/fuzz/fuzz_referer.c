/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A RefererConfiguration, then, behind a NUL, a Referer header, and behind another a pattern. A
 * valid document survives being written and read again, and judges the same.
 */
#include <assert.h>

#include "base/limits.h"
#include "oss/rules/globs.h"
#include "oss/rules/referer.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* One pattern alone. */
static bool matches_glob(struct slice pattern, struct slice text)
{
	struct globs *globs = globs_new(&pattern, 1);
	bool matches = globs && globs_begin(globs, text);
	globs_free(globs);
	return matches;
}

/* The pattern tried at every length of what each `*` stands for. */
static bool matches_slowly(struct slice pattern, struct slice text)
{
	if (pattern.len == 0)
		return true;
	if (pattern.ptr[0] == '*') {
		for (size_t i = 0; i <= text.len; i++)
			if (matches_slowly(slice_from(pattern, 1), slice_from(text, i)))
				return true;
		return false;
	}
	return text.len &&
	       (pattern.ptr[0] == '?' || ascii_lower(pattern.ptr[0]) == ascii_lower(text.ptr[0])) &&
	       matches_slowly(slice_from(pattern, 1), slice_from(text, 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct slice pattern = slice_of(bytes, len);
	struct slice xml;
	struct slice url;
	struct referer *rules = NULL;
	struct referer *again = NULL;
	SCOPED_STRBUF(out, LIMIT_SETTING_BYTES);
	SCOPED_STRBUF(second, LIMIT_SETTING_BYTES);
	SCOPED_STRBUF(reason, 1000);
	(void)slice_cut(&pattern, '\0', &xml);
	(void)slice_cut(&pattern, '\0', &url);
	bool matches = matches_glob(pattern, url);
	assert(pattern.len > 10 || url.len > 24 || matches == matches_slowly(pattern, url));
	if (xml.len > LIMIT_SETTING_BYTES)
		return 0;
	if (referer_parse(xml, &rules, &reason) != ERR_OK) {
		assert(!rules && reason.len);
		return 0;
	}
	enum referer_verdict verdict = referer_check(rules, url);
	referer_format(rules, &out);
	if (!strbuf_broken(&out)) {
		assert(referer_parse(strbuf_slice(&out), &again, &reason) == ERR_OK);
		assert(referer_check(again, url) == verdict);
		referer_format(again, &second);
		assert(slice_eq(strbuf_slice(&out), strbuf_slice(&second)));
	}
	referer_free(again);
	referer_free(rules);
	return 0;
}
