/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a gateway was writing when it died. Its row says which numbers its data may have; the first
 * chunk of data says whose it was to be; and the rows of that key, once no change of the dead one
 * can come any more, whether it has become that. If not it becomes garbage.
 */
#include <errno.h>
#include <inttypes.h>

#include "base/log.h"
#include "store/rados/cluster/edit.h"
#include "store/rados/garbage/garbage_internal.h"

enum {
	ATTEMPTS_MAX = 1000,
	MISSING_MAX = 8, /* so many chunks that are not there: no more are behind them */
	VALUE_BYTES_MAX = 64,
	GUARDS_MAX = 3,
};

/* Data, and the rows that could refer to it. */
struct search {
	struct rados *r;
	uint64_t instance; /* the dead one */
	struct extent data;
	struct pool *pool; /* that its first chunk is in */
	struct data_owner owner;
	uint64_t tablet;
	char name[RADOS_NAME_BYTES]; /* the tablet's */
	struct standstill still;

	/* Current object, what is hidden, upload: while these stay, so do all others of the key. */
	struct row_key guard_keys[GUARDS_MAX];
	struct slice guard_names[GUARDS_MAX];
	size_t guard_count;
	struct row_key part_key;
	struct row_key after_version; /* read up to these */
	struct row_key after_extents;
	struct fetch *first; /* which the guards' values are in */
	struct fetch *page;
	bool is_found;
	bool more;
};

/* ---- The data -------------------------------------------------------------------------------- */

static int has_chunk(struct pool *pool, uint64_t data, uint64_t chunk)
{
	char name[RADOS_NAME_BYTES];
	char byte;
	struct pool_run run = {.bytes = &byte, .len = 1};
	return pool_read(pool, rados_chunk_name(name, data, chunk), &run, 1);
}

/* A size with which the data is in that pool, and has all the chunks that there are. */
static int find_size(struct search *s)
{
	unsigned missing = 0;
	uint64_t chunks = 1;
	for (uint64_t i = 1; missing < MISSING_MAX; i++) {
		int result = has_chunk(s->pool, s->data.data, i);
		if (result < 0 && result != -ENOENT)
			return result;
		missing = result < 0 ? missing + 1 : 0;
		if (result >= 0)
			chunks = i + 1;
	}
	bool is_small = chunks == 1 && s->pool == s->r->small;
	s->data.size = is_small ? 1 : chunks * s->r->sizes.chunk_bytes;
	return 0;
}

/* Looks whose it was to be; -ENOENT: there is none. The owner's key is in `of`. */
static int find_data(struct search *s, char *of, size_t size)
{
	struct rados *r = s->r;
	struct pool *pools[] = {r->small, r->data};
	char name[RADOS_NAME_BYTES];
	int result = -ENOENT;
	size_t i = 0;
	for (; i < ARRAY_LEN(pools) && result == -ENOENT; i++)
		result = pool_owner(pools[i], rados_chunk_name(name, s->data.data, 0), of, size);
	s->pool = pools[i - 1];
	if (result == -ENODATA || result == -ERANGE ||
		(result >= 0 && !data_owner_parse(slice_of(of, (size_t)result), &s->owner))) {
		log_error("ceph: %s: nobody knows whose it was to be; it stays", name);
		return -ENOENT;
	}
	return result < 0 ? result : 0;
}

/* ---- The rows -------------------------------------------------------------------------------- */

static void name_rows(struct search *s)
{
	struct slice key = s->owner.key;
	s->guard_keys[0] = row_key_of(ROW_OBJECT, key);
	s->guard_keys[1] = row_key_of(ROW_HIDDEN, key);
	s->guard_count = 2;
	if (s->owner.upload) {
		s->guard_keys[s->guard_count++] = row_key_upload(key, s->owner.upload);
		s->part_key = row_key_part(key, s->owner.upload, s->owner.part);
	}
	for (size_t i = 0; i < s->guard_count; i++)
		s->guard_names[i] = row_key_slice(&s->guard_keys[i]);
}

static void search_release(struct search *s)
{
	if (s->page != s->first)
		fetch_free(s->page);
	fetch_free(TAKE(s->first));
	s->page = NULL;
}

static bool is_of(const struct search *s, struct slice value, bool *ret_damaged)
{
	struct entry entry;
	if (value.len == 0)
		return false;
	*ret_damaged = *ret_damaged || !entry_read(value, &entry);
	return !*ret_damaged && entry.data == s->data.data;
}

static bool is_in(const struct search *s, struct slice value, bool *ret_damaged)
{
	struct extents extents;
	*ret_damaged = *ret_damaged || !extents_parse(value, &extents);
	for (size_t i = 0; !*ret_damaged && i < extents.count; i++)
		if (extents_at(&extents, i).data == s->data.data)
			return true;
	return false;
}

enum {
	NUMBER_GUARDS,
	NUMBER_HEADS,
	NUMBER_PART,
	NUMBER_VERSIONS,
	NUMBER_EXTENTS,
};

/* A page of older versions and of extents, with the guards of the same moment. */
static int fetch_page(struct search *s)
{
	static const struct slice heads[] = {SLICE_LIT(ROW_EPOCH), SLICE_LIT(ROW_HEAD)};
	struct row_key versions = row_key_all_of(ROW_VERSION, s->owner.key);
	struct row_key extents = row_key_all_of(ROW_EXTENTS, s->owner.key);
	struct slice part = s->owner.upload ? row_key_slice(&s->part_key) : s->guard_names[0];
	struct fetch *fetch = fetch_new();
	if (!fetch)
		return -ENOMEM;
	if (s->page != s->first)
		fetch_free(s->page);
	s->page = fetch;
	if (!s->first)
		s->first = fetch;
	(void)fetch_keys(fetch, s->guard_names, s->guard_count);
	(void)fetch_keys(fetch, heads, ARRAY_LEN(heads));
	(void)fetch_keys(fetch, &part, 1);
	(void)fetch_range(fetch, s->after_version.bytes, versions.bytes, FETCH_ROWS_MAX);
	(void)fetch_range(fetch, s->after_extents.bytes, extents.bytes, FETCH_ROWS_MAX);
	return fetch_run(fetch, s->r->index, s->name);
}

static struct slice guard(const struct fetch *fetch, struct slice name)
{
	return fetched_value(fetch_rows(fetch, NUMBER_GUARDS), name);
}

/* Goes on behind the last row. False if it is none of ours. */
static bool go_behind(const struct rows *rows, struct row_key *after)
{
	return rows->count == 0 || row_key_take(rows->rows[rows->count - 1].key, after);
}

/* Another tablet has the key now, or soon. */
static int wait_moved(struct search *s)
{
	return tablet_wait_moved(s->r, s->owner.bucket, s->tablet, &s->still) == ERR_OK ? -ECANCELED
											: -EIO;
}

static int take_page(struct search *s)
{
	const struct rows *versions = fetch_rows(s->page, NUMBER_VERSIONS);
	const struct rows *extents = fetch_rows(s->page, NUMBER_EXTENTS);
	struct slice part = S("");
	if (s->owner.upload)
		part = fetched_value(fetch_rows(s->page, NUMBER_PART), row_key_slice(&s->part_key));
	struct part_entry entry;
	struct head head;
	bool damaged = false;
	if (!head_parse(fetched_value(fetch_rows(s->page, NUMBER_HEADS), S(ROW_HEAD)), &head))
		return -EBADMSG;
	if (head.state == HEAD_MOVED)
		return wait_moved(s);
	if (head_is_behind(&head, s->owner.key)) {
		directory_add(s->r->directory, s->owner.bucket, head.right, head.high);
		return -ECANCELED;
	}
	for (size_t i = 0; i < s->guard_count; i++)
		if (!slice_eq(
			    guard(s->page, s->guard_names[i]), guard(s->first, s->guard_names[i])))
			return -ECANCELED;
	bool found = is_of(s, guard(s->page, s->guard_names[0]), &damaged);
	for (size_t i = 0; i < versions->count; i++)
		found = is_of(s, versions->rows[i].value, &damaged) || found;
	for (size_t i = 0; i < extents->count; i++)
		found = is_in(s, extents->rows[i].value, &damaged) || found;
	if (part.len && !part_parse(part, &entry))
		damaged = true;
	else if (part.len)
		found = found || entry.data == s->data.data;
	if (damaged || !go_behind(versions, &s->after_version) ||
		!go_behind(extents, &s->after_extents)) {
		log_error("ceph: %s: a row is damaged, or of a later version", s->name);
		return -EBADMSG;
	}
	s->is_found = found;
	s->more = versions->more || extents->more;
	return 0;
}

/* ---- Garbage --------------------------------------------------------------------------------- */

/* Names the data, if no row of the key has changed since. */
static int make_garbage(struct search *s)
{
	const struct rows *heads = fetch_rows(s->page, NUMBER_HEADS);
	struct slice before = fetched_value(heads, S(ROW_EPOCH));
	struct row_key key = row_key_garbage(GARBAGE_NEW, rados_number(s->r));
	struct epoch epoch;
	struct head head;
	SCOPED_STRBUF(value, VALUE_BYTES_MAX);
	SCOPED_STRBUF(after, VALUE_BYTES_MAX);
	if (!epoch_parse(before, &epoch) || !head_parse(fetched_value(heads, S(ROW_HEAD)), &head))
		return -EBADMSG;
	extents_add(&value, s->data);
	/*
	 * A tablet of a bucket that was deleted goes when it has no garbage: see there. And whoever
	 * moves what a tablet has must not miss this.
	 */
	epoch.epoch += head.state == HEAD_DEAD || head.state == HEAD_MOVING;
	epoch_format(&epoch, &after);
	struct edit edit = edit_begin(s->r->index);
	edit_compare(&edit, S(ROW_EPOCH), before);
	edit_set(&edit, S(ROW_EPOCH), strbuf_slice(&after));
	for (size_t i = 0; i < s->guard_count; i++)
		edit_compare(&edit, s->guard_names[i], guard(s->first, s->guard_names[i]));
	edit_set(&edit, row_key_slice(&key), strbuf_slice(&value));
	return edit_run(&edit, s->name);
}

/* One attempt; -ECANCELED: a row has changed meanwhile. */
static int try(struct search *s)
{
	s->tablet = directory_find(s->r->directory, s->owner.bucket, s->owner.key);
	rados_tablet_name(s->name, s->owner.bucket, s->tablet);
	s->after_version.len = s->after_extents.len = 0;
	s->after_version.bytes[0] = s->after_extents.bytes[0] = '\0';
	s->is_found = false;
	s->more = true;
	int result = tablet_fence(s->r, s->name, s->instance);
	while (result == 0 && s->more && !s->is_found) {
		result = fetch_page(s);
		if (result == 0)
			result = take_page(s);
	}
	if (result == 0 && !s->is_found)
		result = find_size(s);
	if (result == 0 && !s->is_found)
		result = make_garbage(s);
	search_release(s);
	return result == -ENOENT && s->tablet ? wait_moved(s) : result;
}

/* Without the first tablet there is no bucket: nothing can refer to it, and nobody reads it. */
static int remove_now(struct search *s)
{
	struct chunk_removals removals;
	int result = find_size(s);
	if (result < 0)
		return result;
	chunk_removals_begin(&removals, s->r);
	chunk_removals_add(&removals, &s->data);
	return chunk_removals_end(&removals);
}

static int look_through(struct rados *r, uint64_t instance, uint64_t data)
{
	struct search s = {.r = r, .instance = instance, .data = {.data = data}};
	char of[DATA_OWNER_BYTES_MAX];
	int result = find_data(&s, of, sizeof(of));
	if (result < 0)
		return result == -ENOENT ? 0 : result;
	name_rows(&s);
	for (unsigned i = 0; result == 0 && i < ATTEMPTS_MAX; i++) {
		if (garbage_stops(r))
			return -ESHUTDOWN;
		result = try(&s);
		if (result != -ECANCELED)
			break;
		result = i + 1 < ATTEMPTS_MAX ? 0 : -ECANCELED;
	}
	return result == -ENOENT ? remove_now(&s) : result;
}

int remains_collect(struct rados *r, const struct gateway *dead)
{
	const struct gateway_row *row = &dead->row;
	int result = 0;
	for (uint64_t data = row->low; result == 0 && data < row->end; data++)
		result = garbage_stops(r) ? -ESHUTDOWN : look_through(r, dead->instance, data);
	for (size_t i = 0; result == 0 && i < row->open_count; i++)
		result = look_through(r, dead->instance, row->open[i]);
	/* Last, its row: until then another one can begin anew. */
	if (result == 0)
		result = gateway_change(r, dead, NULL);
	if (result == 0)
		log_info("ceph: gateway %" PRIu64 " has gone; what it was writing is looked "
			 "through",
			dead->instance);
	return result == -ECANCELED ? 0 : result;
}
