/* SPDX-License-Identifier: Apache-2.0 */
/* A tablet as it is, and its head as it becomes. */
#include <errno.h>

#include "store/rados/tablet/heads.h"

void seen_release(struct seen *seen)
{
	fetch_free(TAKE(seen->fetch));
}

enum err tablet_see(struct rados *r, uint64_t bucket, uint64_t tablet, struct seen *ret)
{
	static const struct slice heads[] = {SLICE_LIT(ROW_EPOCH), SLICE_LIT(ROW_HEAD)};
	static const char kinds[] = {ROW_OBJECT, ROW_VERSION, ROW_UPLOAD};
	size_t numbers[ARRAY_LEN(kinds)];
	*ret = (struct seen){.is_empty = true};
	rados_tablet_name(ret->name, bucket, tablet);
	ret->fetch = fetch_new();
	if (!ret->fetch)
		return ERR_UNAVAILABLE;
	size_t head_number = fetch_keys(ret->fetch, heads, ARRAY_LEN(heads));
	size_t own_number = owns_fetch(r, ret->fetch);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		const char prefix[] = {kinds[i], '\0'};
		numbers[i] = fetch_range(ret->fetch, "", prefix, 1);
	}
	int result = fetch_run(ret->fetch, r->index, ret->name);
	if (result == -ENOENT)
		return ERR_NO_SUCH_BUCKET;
	if (result < 0)
		return cluster_err(result, "reading", ret->name);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (fetch_rows(ret->fetch, numbers[i])->count)
			ret->is_empty = false;
	ret->owns = fetch_rows(ret->fetch, own_number);
	enum err e = batch_take_head(
		bucket, fetch_rows(ret->fetch, head_number), &ret->epoch, &ret->head);
	return e == ERR_OK ? owns_add_up(r, bucket, ret->name, ret->owns, OWNS_ALL, &ret->counts)
			   : e;
}

enum err head_stage(struct edit *edit, struct slice epoch, const struct head *head)
{
	struct epoch next;
	SCOPED_STRBUF(epoch_value, EPOCH_BYTES_MAX);
	SCOPED_STRBUF(head_value, HEAD_BYTES_MAX);
	if (!epoch_parse(epoch, &next))
		return ERR_INTERNAL;
	next.epoch++;
	epoch_format(&next, &epoch_value);
	head_format(head, &head_value);
	if (strbuf_broken(&epoch_value) || strbuf_broken(&head_value))
		return ERR_UNAVAILABLE;
	edit_compare(edit, S(ROW_EPOCH), epoch);
	edit_set(edit, S(ROW_EPOCH), strbuf_slice(&epoch_value));
	edit_set(edit, S(ROW_HEAD), strbuf_slice(&head_value));
	return ERR_OK;
}

int head_set(struct rados *r, const char *name, struct slice epoch, const struct head *head)
{
	struct edit edit = edit_begin(r->index);
	if (head_stage(&edit, epoch, head) != ERR_OK) {
		edit_drop(&edit);
		return -ENOMEM;
	}
	return edit_run(&edit, name);
}
