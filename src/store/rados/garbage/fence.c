/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "store/rados/cluster/edit.h"
#include "store/rados/garbage/garbage_internal.h"
#include "store/rados/tablet/owns.h"

/*
 * Every change of an instance compares its own row with what it read. So those that are on their
 * way fail when it is closed; and those that read it so are not made.
 */
static int close_own(struct rados *r, const char *tablet, uint64_t instance)
{
	struct row_key key = row_key_number(ROW_OWN, instance);
	struct row_key sum_key = row_key_number(ROW_OWN, OWN_SUM);
	static const struct slice epoch_key = SLICE_LIT(ROW_EPOCH);
	const struct slice asked[] = {row_key_slice(&key), row_key_slice(&sum_key), epoch_key};
	struct epoch epoch;
	struct own own = {.sequence = 0};
	bool is_there;
	SCOPED_STRBUF(after, OWN_BYTES_MAX);
	SCOPED_STRBUF(next, EPOCH_BYTES_MAX);
	struct fetch *fetch = fetch_new();
	if (!fetch)
		return -ENOMEM;
	size_t number = fetch_keys(fetch, asked, ARRAY_LEN(asked));
	int result = fetch_run(fetch, r->index, tablet);
	const struct rows *rows = fetch_rows(fetch, number);
	struct slice before = result == 0 ? fetched_value(rows, asked[0]) : S("");
	struct slice old = result == 0 ? fetched_value(rows, epoch_key) : S("");
	if (result == 0 &&
		(!owns_take(rows, instance, &own, &is_there) || !epoch_parse(old, &epoch)))
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
		edit_compare(&edit, asked[0], before);
		edit_set(&edit, asked[0], strbuf_slice(&after));
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
