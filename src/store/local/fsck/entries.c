/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the entries of the index: whether what each refers to (record, file, parts) is there. */
#include "crypto/crc64.h"
#include "store/local/disk/bytes.h"
#include "store/local/fsck/fsck_internal.h"
#include "store/shared/buckets.h"

enum {
	NUMBER_BYTES = 8
};

/* ---- One entry ------------------------------------------------------------------------------- */

static bool check_file(struct fsck *f, const struct object_meta *meta, const struct subject *about)
{
	struct index_value value;
	struct key key;
	key_number(&key, KEY_FILE, meta->file);
	enum index_found found = index_get(f->from, &key, false, &value);
	bool ok = found == INDEX_FOUND && value.bytes.len == NUMBER_BYTES &&
		  le64_get(value.bytes.ptr) == meta->object.size;
	if (found == INDEX_FOUND)
		index_value_release(&value);
	if (!ok)
		fsck_tell(f, about, "index", FSCK_NOWHERE, "the index does not list its file");
	numbers_add(f, &f->files, meta->file);
	return file_check(f, meta, about) && ok;
}

/*
 * The records of an entry. The reading of the log has seen that one is good which gives the same
 * entry from there; of those that a later one only names, it has not.
 */
static bool check_records(
	struct fsck *f, enum pair pair, const struct entry *entry, const struct subject *about)
{
	bool is_seen = pair == PAIR_SAME && entry->stated.segment == 0 &&
		       !log_is_damaged(f, &entry->where);
	bool ok = true;
	if (!is_seen && entry->where.segment && entry->where.length)
		ok = log_check_record(f, &entry->where, about, entry);
	if (entry->stated.segment && (pair != PAIR_SAME || log_is_damaged(f, &entry->stated)))
		ok = log_check_record(f, &entry->stated, about, NULL) && ok;
	if (ok && entry->meta.place == OBJECT_INLINE)
		f->result->bytes += entry->meta.object.size;
	return ok;
}

static bool tell_pair(struct fsck *f, enum pair pair, const struct subject *about)
{
	const char *what = NULL;
	switch (pair) {
	case PAIR_SAME:
	case PAIR_UNKNOWN:
		return true;
	case PAIR_DIFFERENT:
		what = "the log gives another entry than the index has";
		break;
	case PAIR_ONLY_INDEX:
		what = "the log does not give the entry that the index has";
		break;
	case PAIR_ONLY_LOG:
		what = "the log gives an entry that the index lacks";
		break;
	}
	fsck_tell(f, about, "index", FSCK_NOWHERE, what);
	return false;
}

static bool parse(
	struct fsck *f, struct slice value, const struct subject *about, struct entry *ret)
{
	if (entry_parse(value, ret))
		return true;
	fsck_tell(f, about, "index", FSCK_NOWHERE, "the entry is damaged");
	return false;
}

static void hold(struct fsck *f, const struct entry *entry)
{
	sums_hold(f, &entry->where);
	sums_hold(f, &entry->stated);
}

/* ---- Part lists ------------------------------------------------------------------------------ */

struct part_list {
	const struct subject *owner;
	bool appendable;
	bool ok;
	uint64_t parts;
	uint64_t size;
	uint64_t crc;
};

static void check_part(
	struct fsck *f, enum pair pair, struct slice rest, struct slice value, void *ctx)
{
	struct part_list *list = ctx;
	struct entry entry;
	struct subject about = *list->owner;
	uint64_t number = rest.len == NUMBER_BYTES ? be64_get(rest.ptr) : 0;
	about.part = number + (list->appendable ? 1 : 0);
	if (pair == PAIR_ONLY_LOG) {
		list->ok = tell_pair(f, pair, &about);
		return;
	}
	if (!parse(f, value, &about, &entry)) {
		list->ok = false;
		return;
	}
	hold(f, &entry);
	bool ok = check_records(f, pair, &entry, &about);
	if (entry.meta.place == OBJECT_FILE)
		ok = check_file(f, &entry.meta, &about) && ok;
	/* What is damaged takes others with it in the log's index. */
	if (ok && list->ok)
		ok = tell_pair(f, pair, &about);
	if (list->appendable && number != list->size) {
		fsck_tell(f, &about, "index", FSCK_NOWHERE, "a piece before it is missing");
		ok = false;
	}
	list->crc = crc64_combine(list->crc, entry.meta.object.crc64, entry.meta.object.size);
	list->size += entry.meta.object.size;
	list->parts++;
	f->result->parts++;
	list->ok = list->ok && ok;
}

static bool walk_part_list(struct fsck *f, uint64_t number, struct part_list *list)
{
	struct key prefix;
	key_number(&prefix, KEY_PART, number);
	numbers_add(f, &f->part_lists, number);
	pair_walk(f, &prefix, check_part, list);
	return list->ok;
}

static bool check_part_list(
	struct fsck *f, const struct object_meta *meta, const struct subject *about, bool is_good)
{
	const struct store_object *object = &meta->object;
	struct part_list list = {
		.owner = about, .appendable = object->type == STORE_APPENDABLE, .ok = is_good};
	bool ok = walk_part_list(f, meta->file, &list);
	if (f->err != ERR_OK) /* not all was seen */
		return false;
	const char *what = NULL;
	if (object->type == STORE_MULTIPART && object->parts != list.parts)
		what = "it has another number of parts";
	else if (object->size != list.size)
		what = "its parts have another length than it";
	else if (object->crc64 != list.crc)
		what = "its parts have another CRC-64 than it";
	if (what)
		fsck_tell(f, about, "index", FSCK_NOWHERE, what);
	return ok && !what;
}

/* ---- Objects, versions and uploads ----------------------------------------------------------- */

static bool split(enum key_kind kind, struct slice rest, struct subject *ret)
{
	uint64_t number;
	if (rest.len < NUMBER_BYTES)
		return false;
	ret->bucket_id = be64_get(rest.ptr);
	ret->key = slice_from(rest, NUMBER_BYTES);
	if (kind == KEY_OBJECT)
		return true;
	return kind == KEY_VERSION ? key_split_version(ret->key, &ret->key, &number)
				   : key_split_upload(ret->key, &ret->key, &number);
}

static void count(struct fsck *f, enum key_kind kind)
{
	if (kind == KEY_OBJECT)
		f->result->objects++;
	else if (kind == KEY_VERSION)
		f->result->versions++;
	else
		f->result->uploads++;
}

static void check_entry(
	struct fsck *f, enum pair pair, struct slice rest, struct slice value, void *ctx)
{
	const enum key_kind *kind = ctx;
	struct subject about = {.bucket_id = 0};
	struct entry entry;
	enum store_versioning ignored;
	if (!split(*kind, rest, &about)) {
		fsck_tell(f, NULL, "index", FSCK_NOWHERE, "the key of an entry is damaged");
		return;
	}
	if (!parse(f, value, &about, &entry))
		return;
	about.object = &entry.meta.object;
	if (pair == PAIR_ONLY_LOG) {
		(void)tell_pair(f, pair, &about);
		return;
	}
	count(f, *kind);
	hold(f, &entry);
	if (!buckets_find(f->buckets, about.bucket_id, &ignored))
		fsck_tell(f, &about, "index", FSCK_NOWHERE, "its bucket is not there");
	bool ok = check_records(f, pair, &entry, &about);
	struct part_list parts = {.owner = &about, .ok = ok};
	if (entry.meta.place == OBJECT_FILE)
		ok = check_file(f, &entry.meta, &about) && ok;
	else if (entry.meta.place == OBJECT_PART_LIST)
		ok = check_part_list(f, &entry.meta, &about, ok);
	else if (*kind == KEY_MULTIPART)
		ok = walk_part_list(f, entry.meta.object.version, &parts);
	if (ok)
		(void)tell_pair(f, pair, &about);
	(void)fsck_progress(f, 0);
}

/* Parts whose object or upload went are taken out by the collector. */
static void check_garbage(struct fsck *f)
{
	struct key prefix;
	struct key dead;
	struct slice rest;
	struct slice value;
	struct index_value mark;
	struct entry entry;
	key_kind(&prefix, KEY_PART);
	numbers_sort(&f->part_lists);
	struct index_cursor *cursor = index_cursor_new(f->from, NULL, &prefix);
	if (!cursor) {
		fsck_fail(f, ERR_UNAVAILABLE);
		return;
	}
	for (index_cursor_seek(cursor, S("")); index_cursor_at(cursor, &rest, &value);
		index_cursor_next(cursor)) {
		uint64_t list = rest.len >= NUMBER_BYTES ? be64_get(rest.ptr) : 0;
		if (numbers_have(&f->part_lists, list) || !entry_parse(value, &entry))
			continue;
		hold(f, &entry);
		if (entry.meta.place == OBJECT_FILE)
			numbers_add(f, &f->files, entry.meta.file);
		key_number(&dead, KEY_DEAD_PART_LIST, list);
		enum index_found found = index_get(f->from, &dead, false, &mark);
		if (found == INDEX_FOUND)
			index_value_release(&mark);
		else
			fsck_tell(f, NULL, "index", FSCK_NOWHERE,
				"a part belongs to no object and no upload");
	}
	if (index_cursor_err(cursor) != ERR_OK)
		fsck_fail(f, ERR_INTERNAL);
	index_cursor_free(cursor);
}

void entries_check(struct fsck *f)
{
	static const enum key_kind kinds[] = {KEY_OBJECT, KEY_VERSION, KEY_MULTIPART};
	struct key prefix;
	for (size_t i = 0; i < ARRAY_LEN(kinds) && f->err == ERR_OK; i++) {
		enum key_kind kind = kinds[i];
		key_kind(&prefix, kind);
		pair_walk(f, &prefix, check_entry, &kind);
	}
	if (f->err == ERR_OK)
		check_garbage(f);
}
