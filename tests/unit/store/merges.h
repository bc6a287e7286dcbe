/* SPDX-License-Identifier: Apache-2.0 */
/* Two tablets of a bucket, on their way to be one. */
#ifndef TESTS_STORE_MERGES_H
#define TESTS_STORE_MERGES_H

#include "store/rados/cluster/edit.h"
#include "store/rados/rows/key.h"
#include "unit/store/tablets.h"

static inline uint64_t right_of(struct two *two, uint64_t tablet)
{
	struct seen seen;
	if (tablet_see(rados_of(two->one), two->id, tablet, &seen) != ERR_OK)
		abort();
	uint64_t right = seen.head.right;
	seen_release(&seen);
	return right;
}

static inline void set_state(
	struct two *two, uint64_t tablet, enum head_state state, uint64_t other)
{
	struct rados *r = rados_of(two->one);
	struct seen seen;
	if (tablet_see(r, two->id, tablet, &seen) != ERR_OK)
		abort();
	struct head head = seen.head;
	head.state = state;
	head.copying = other;
	if (head_set(r, seen.name, seen.epoch, &head) != 0)
		abort();
	seen_release(&seen);
}

/* A bucket of two tablets: `a` is in the first, `z` in the second. */
static inline struct two two_tablets(const struct ceph *ceph, struct rados_options options)
{
	options.split = 4;
	options.merge = 1;
	struct two two = two_open(ceph, options);
	static const char *const keys[] = {"a", "z", "b", "y"};
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (put_object(two.one, two.id, slice_str(keys[i]), S("1"), NULL) != ERR_OK)
			abort();
	while (count_tablets(&two) < 2)
		(void)usleep(1000);
	return two;
}

/* What is merged from now on stays so. */
static inline void will_not_split(struct two *two)
{
	rados_of(two->one)->sizes.merge = rados_of(two->other)->sizes.merge = 100;
	rados_of(two->one)->sizes.split = rados_of(two->other)->sizes.split = 1000;
}

/* The right one as it was just before it was to be removed. */
static inline void put_back(struct two *two, const struct seen *right, uint64_t number)
{
	struct rados *r = rados_of(two->one);
	struct row_key merged = row_key_number(ROW_MERGED, number);
	struct head head = right->head;
	struct edit edit = edit_begin(r->index);
	char name[RADOS_NAME_BYTES];
	head.state = HEAD_MOVED;
	head.copying = 0;
	edit_create(&edit);
	edit_set(&edit, S(ROW_EPOCH), right->epoch);
	SCOPED_STRBUF(value, HEAD_BYTES_MAX);
	head_format(&head, &value);
	edit_set(&edit, S(ROW_HEAD), strbuf_slice(&value));
	if (edit_run(&edit, right->name) != 0)
		abort();
	edit = edit_begin(r->index);
	edit_set(&edit, row_key_slice(&merged), S("1"));
	if (edit_run(&edit, rados_tablet_name(name, two->id, 0)) != 0)
		abort();
}

#endif
