/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "store/rados/cluster/edit.h"
#include "store/rados/garbage/garbage_internal.h"

enum {
	OWN_BYTES_MAX = 256,
	EPOCH_BYTES_MAX = 16,
};

/*
 * Every change of an instance compares its own row with what it read. So those that are on their
 * way fail when it is closed; and those that read it so are not made.
 */
static int close_own(struct rados *r, const char *tablet, uint64_t instance)
{
	struct row_key key = row_key_number(ROW_OWN, instance);
	const struct slice asked = row_key_slice(&key);
	static const struct slice epoch_key = SLICE_LIT(ROW_EPOCH);
	struct epoch epoch;
	struct own own = {.sequence = 0};
	SCOPED_STRBUF(after, OWN_BYTES_MAX);
	SCOPED_STRBUF(next, EPOCH_BYTES_MAX);
	struct fetch *fetch = fetch_new();
	if (!fetch)
		return -ENOMEM;
	size_t number = fetch_keys(fetch, &asked, 1);
	size_t epoch_number = fetch_keys(fetch, &epoch_key, 1);
	int result = fetch_run(fetch, r->index, tablet);
	struct slice before = result == 0 ? fetched_value(fetch_rows(fetch, number), asked) : S("");
	if (result == 0 && before.len && !own_parse(before, &own))
		result = -EBADMSG;
	struct slice old =
		result == 0 ? fetched_value(fetch_rows(fetch, epoch_number), epoch_key) : S("");
	if (result == 0 && !epoch_parse(old, &epoch))
		result = -EBADMSG;
	if (result == 0 && !own.is_closed) {
		/* The sequence stays: it says which was the last that was made. */
		own.is_closed = true;
		own_format(&own, &after);
		struct edit edit = edit_begin(r->index);
		/* Another epoch: whoever is splitting the tablet has not seen this, and fails. */
		epoch.epoch++;
		epoch_format(&epoch, &next);
		edit_compare(&edit, epoch_key, old);
		edit_set(&edit, epoch_key, strbuf_slice(&next));
		edit_compare(&edit, asked, before);
		edit_set(&edit, asked, strbuf_slice(&after));
		result = strbuf_broken(&after) || strbuf_broken(&next) ? -ENOMEM : 0;
		if (result == 0)
			result = edit_run(&edit, tablet);
		else
			edit_drop(&edit);
	}
	fetch_free(fetch);
	return result;
}

int tablet_fence(struct rados *r, const char *tablet, uint64_t instance)
{
	int result;
	do
		result = close_own(r, tablet, instance);
	while (result == -ECANCELED && !garbage_stops(r));
	return result;
}
