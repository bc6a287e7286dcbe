/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/copy_internal.h"

bool pair_is_same(const struct version_rows *from, const struct version_rows *to)
{
	if (from->count != to->count)
		return false;
	for (size_t i = 0; i < from->count; i++)
		if (from->rows[i].version != to->rows[i].version ||
			version_rows_differ(&from->rows[i], &to->rows[i]))
			return false;
	return true;
}

/* The one with that number, or NULL. */
static const struct version_row *find(const struct version_rows *in, uint64_t version)
{
	size_t low = 0;
	size_t high = in->count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (in->rows[middle].version > version)
			low = middle + 1;
		else
			high = middle;
	}
	return low < in->count && in->rows[low].version == version ? &in->rows[low] : NULL;
}

static void tell_others(struct copy *c, const struct place *place, struct slice key,
	const struct version_rows *from, const struct version_rows *to)
{
	for (size_t i = 0; i < to->count; i++)
		if (!find(from, to->rows[i].version))
			copy_tell(c, place, key, &to->rows[i],
				"the target has it, and the source has not");
}

static void count_copied(struct copy *c, const struct version_row *row, bool was_there)
{
	(void)pthread_mutex_lock(&c->lock);
	c->result->there += was_there;
	c->result->versions += !was_there;
	c->result->bytes += was_there ? 0 : row->size;
	(void)pthread_mutex_unlock(&c->lock);
	copy_count(c, 1, was_there ? row->size : 0);
}

/* False: it is over. */
static bool copy_one(struct copy *c, const struct place *place, struct slice key,
	const struct version_row *row, const struct version_row *there)
{
	const char *why = NULL;
	enum err e = ERR_OK;
	if (copy_stops(c))
		return false;
	if (there)
		why = version_rows_differ(row, there);
	else
		e = version_copy(c, place, key, row, &why);
	if (e != ERR_OK) {
		/* What it was asked to leave off is no failure. */
		if (!copy_stops(c))
			copy_fail(c, place, key, e);
		return false;
	}
	if (why) {
		copy_tell(c, place, key, row, why);
		copy_count(c, 1, there ? row->size : 0);
	} else {
		count_copied(c, row, there != NULL);
	}
	return true;
}

void pair_copy(struct copy *c, const struct place *place, struct slice key,
	const struct version_rows *from, const struct version_rows *to)
{
	tell_others(c, place, key, from, to);
	for (size_t i = from->count; i > 0; i--) {
		const struct version_row *row = &from->rows[i - 1];
		if (!copy_one(c, place, key, row, find(to, row->version)))
			return;
	}
}

uint64_t pair_compare(struct copy *c, const struct place *place, struct slice key,
	const struct version_rows *from, const struct version_rows *to)
{
	uint64_t same = 0;
	for (size_t i = 0; i < from->count; i++) {
		const struct version_row *row = &from->rows[i];
		const struct version_row *there = find(to, row->version);
		const char *why = there ? version_rows_differ(row, there) : "the target has it not";
		if (why)
			copy_tell(c, place, key, row, why);
		else
			same++;
	}
	tell_others(c, place, key, from, to);
	return same;
}
