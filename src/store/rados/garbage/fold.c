/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The counts of gateways that have ended: their own rows in a tablet are added to the sum, in one
 * operation. From then on the sum says that they have ended, and so they can change nothing there,
 * as if their rows were closed.
 */
#include <errno.h>

#include "store/rados/garbage/garbage_internal.h"
#include "store/rados/rows/field.h"
#include "store/rados/tablet/heads.h"

size_t fold_count(const struct rows *owns, const struct gateway_list *gateways)
{
	size_t count = 0;
	for (size_t i = 0; i < owns->count; i++) {
		uint64_t instance;
		count += row_key_parse_number(owns->rows[i].key, ROW_OWN, &instance) &&
			 instance != OWN_SUM && gateways_has_ended(gateways, instance);
	}
	return count;
}

/* Takes out those that have ended, whose counts go to `sum`. False if one is damaged. */
static bool take_out(struct edit *edit, const struct rows *owns,
	const struct gateway_list *gateways, struct store_bucket_stats *sum)
{
	for (size_t i = 0; i < owns->count; i++) {
		const struct row *row = &owns->rows[i];
		struct own own;
		uint64_t instance;
		if (!row_key_parse_number(row->key, ROW_OWN, &instance) ||
			!own_parse(row->value, &own))
			return false;
		if (instance == OWN_SUM || !gateways_has_ended(gateways, instance))
			continue;
		rules_add_counts(sum, &own.counts);
		edit_compare(edit, row->key, row->value);
		edit_remove(edit, row->key);
	}
	return true;
}

/* The sum, as it becomes; -EBADMSG if it is damaged. */
static int stage_sum(
	struct edit *edit, const struct seen *seen, const struct gateway_list *gateways)
{
	struct row_key key = row_key_number(ROW_OWN, OWN_SUM);
	struct slice before = fetched_value(seen->owns, row_key_slice(&key));
	struct own sum = {.sequence = 0};
	SCOPED_STRBUF(living, OWN_LIVING_MAX * OWN_NUMBER_BYTES);
	SCOPED_STRBUF(after, OWN_BYTES_MAX);
	if ((before.len && !own_parse(before, &sum)) ||
		!take_out(edit, seen->owns, gateways, &sum.counts))
		return -EBADMSG;
	for (size_t i = 0; i < gateways->count; i++)
		field_add(&living, gateways->list[i].instance, OWN_NUMBER_BYTES);
	sum.sequence = gateways->next;
	sum.living = strbuf_slice(&living);
	own_format(&sum, &after);
	/*
	 * Another epoch: what somebody who has ended has still on its way fails, as does whoever
	 * splits the tablet and has not seen this.
	 */
	if (strbuf_broken(&living) || strbuf_broken(&after) ||
		head_stage(edit, seen->epoch, &seen->head) != ERR_OK)
		return -ENOMEM;
	edit_compare(edit, row_key_slice(&key), before);
	edit_set(edit, row_key_slice(&key), strbuf_slice(&after));
	return 0;
}

/* Who looked later knows of more that have ended; to say that they live would be wrong. */
static bool is_later(const struct seen *seen, const struct gateway_list *gateways)
{
	struct row_key key = row_key_number(ROW_OWN, OWN_SUM);
	struct own sum = {.sequence = 0};
	struct slice value = fetched_value(seen->owns, row_key_slice(&key));
	if (value.len && !own_parse(value, &sum))
		return false;
	for (size_t i = 0; i < gateways->count; i++)
		if (own_has_ended(&sum, gateways->list[i].instance))
			return false;
	return gateways->next >= sum.sequence;
}

int fold_seen(struct rados *r, const struct seen *seen, const struct gateway_list *gateways)
{
	/* While it is not active somebody relies on its epoch; later is soon enough. */
	if (seen->head.state != HEAD_ACTIVE || !is_later(seen, gateways) ||
		gateways->count > OWN_LIVING_MAX || !fold_count(seen->owns, gateways))
		return 0;
	struct edit edit = edit_begin(r->index);
	int result = stage_sum(&edit, seen, gateways);
	if (result == 0)
		return edit_run(&edit, seen->name);
	edit_drop(&edit);
	return result;
}

int tablet_fold(
	struct rados *r, uint64_t bucket, uint64_t tablet, const struct gateway_list *gateways)
{
	struct seen seen;
	enum err e = tablet_see(r, bucket, tablet, &seen);
	int result = e == ERR_OK ? fold_seen(r, &seen, gateways) : 0;
	seen_release(&seen);
	if (e != ERR_OK && e != ERR_NO_SUCH_BUCKET)
		return -EIO;
	return result == -ECANCELED || result == -ENOENT ? 0 : result;
}
