/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fixed history of changes leaves the records in the log, and the rows in the index, that it has
 * left since format 3: a folder that another version has written is read as it was meant, and this
 * one's by that. And a replay of the whole log makes the same index as the changes did.
 */
#include <fcntl.h>
#include <inttypes.h>

#include "crypto/crc64.h"
#include "store/local/disk/bytes.h"
#include "store/local/state/local_internal.h"
#include "tap.h"
#include "unit/store/backend.h"
#include "unit/store/versions.h"

enum {
	KINDS = RECORD_ENDED + 1,
	LARGE = LIMIT_INLINE_BYTES + 12345,
	SEGMENT_READ = 4 << 20,
};

static int64_t now_ms = 1700000000000;

static int64_t tell_time(const struct clock *clock)
{
	(void)clock;
	return now_ms;
}

static const struct clock stopped = {tell_time};

/* ---- The history ----------------------------------------------------------------------------- */

struct history {
	struct store *s;
	uint64_t id; /* of the bucket */
	bool ok;
};

static void next(struct history *h, enum err got, enum err want)
{
	if (got != want)
		printf("# at %" PRId64 ": %d\n", now_ms, (int)got);
	h->ok = h->ok && got == want;
	now_ms += 1000;
}

static uint64_t put(struct history *h, const char *key, const char *bytes, enum store_acl acl)
{
	struct store_object object = {.version = 0};
	struct store_put_spec spec = {.bucket_id = h->id,
		.key = slice_str(key),
		.headers = S("A: b\r\n"),
		.tags = S("t=u"),
		.acl = acl};
	next(h, put_as(h->s, &spec, slice_str(bytes), &object), ERR_OK);
	return object.version;
}

static void put_large(struct history *h, const char *key)
{
	char *bytes = malloc(LARGE);
	if (!bytes)
		abort();
	memset(bytes, 'l', LARGE);
	next(h, put_object(h->s, h->id, slice_str(key), slice_of(bytes, LARGE), NULL), ERR_OK);
	free(bytes);
}

static uint64_t del(struct history *h, const char *key, struct store_version version, enum err want)
{
	struct store_delete del = {.bucket_id = h->id, .key = slice_str(key), .version = version};
	next(h, delete_version(h->s, &del), want);
	return del.made_marker ? del.marker : 0;
}

static void change(struct history *h, const char *key, struct store_version version, enum err want)
{
	struct store_metadata_update change = {.bucket_id = h->id,
		.key = slice_str(key),
		.version = version,
		.set_acl = true,
		.acl = STORE_ACL_PUBLIC_READ,
		.set_headers = true,
		.headers = S("C: d\r\n"),
		.set_tags = true,
		.tags = S("v=w&x=y")};
	next(h, object_change(h->s, &change), want);
}

static void add(
	struct history *h, const char *key, uint64_t position, const char *bytes, enum err want)
{
	next(h, append(h->s, h->id, slice_str(key), position, slice_str(bytes), NULL), want);
}

/* Three parts, of which the first is put twice. */
static uint64_t begin_upload(struct history *h, const char *key)
{
	static const char *const bytes[] = {"first", "one", "two", "three"};
	uint64_t upload;
	next(h, upload_begin(h->s, h->id, slice_str(key), S("E: f\r\n"), &upload), ERR_OK);
	for (uint32_t i = 0; i < ARRAY_LEN(bytes); i++)
		next(h,
			put_part(h->s, h->id, slice_str(key), upload, i ? i : 1,
				slice_str(bytes[i]), NULL),
			ERR_OK);
	return upload;
}

static void complete(struct history *h, const char *key, uint64_t upload, bool all)
{
	static struct store_part_named named[2] = {{.number = 1}, {.number = 3}};
	struct store_list_parts list = {
		.bucket_id = h->id, .key = slice_str(key), .upload = upload, .max_parts = 10};
	if (list_parts(h->s, &list) != ERR_OK || list.count != 3)
		abort();
	memcpy(named[0].md5, list.parts[0].md5, sizeof(named[0].md5));
	memcpy(named[1].md5, list.parts[2].md5, sizeof(named[1].md5));
	store_list_parts_release(h->s, &list);
	struct store_multipart_complete complete = {.bucket_id = h->id,
		.key = slice_str(key),
		.upload = upload,
		.parts = all ? NULL : named,
		.part_count = all ? 0 : 2};
	next(h, upload_complete(h->s, &complete), ERR_OK);
}

/* In a bucket as it is: each kind of change. */
static void change_all(struct history *h, bool has_null)
{
	const struct store_version none = {.number = 0};
	(void)put(h, "a", "first", STORE_ACL_DEFAULT);
	uint64_t second = put(h, "a", "second", STORE_ACL_PRIVATE);
	change(h, "a", none, ERR_OK);
	(void)del(h, "a", none, ERR_OK);
	(void)del(h, "a", none, ERR_OK);
	change(h, "a", none, ERR_NO_SUCH_KEY);
	uint64_t third = put(h, "a", "third", STORE_ACL_PUBLIC_READ_WRITE);
	(void)del(h, "a", version_number(third), ERR_OK);
	(void)del(h, "a", version_number(second), ERR_OK);
	(void)del(h, "a", version_number(second), ERR_OK);
	(void)put(h, "a", "fourth", STORE_ACL_DEFAULT);
	(void)put(h, "a", "fifth", STORE_ACL_DEFAULT);
	change(h, "a", null_version(), has_null ? ERR_OK : ERR_NO_SUCH_VERSION);
	(void)del(h, "a", null_version(), ERR_OK);
	add(h, "b", 0, "piece", ERR_OK);
	add(h, "b", 5, "another", ERR_OK);
	add(h, "b", 5, "too early", ERR_POSITION_NOT_EQUAL_TO_LENGTH);
	add(h, "b", 12, "", ERR_OK);
	change(h, "b", none, ERR_OK);
	add(h, "b", 12, "third", ERR_OK);
	add(h, "c", 0, "", ERR_OK);
	put_large(h, "d");
	change(h, "d", none, ERR_OK);
	put_large(h, "d");
	(void)put(h, "e", "", STORE_ACL_DEFAULT);
	uint64_t upload = begin_upload(h, "e");
	complete(h, "e", upload, false);
	upload = begin_upload(h, "f");
	complete(h, "f", upload, true);
	upload = begin_upload(h, "g");
	next(h, upload_abort(h->s, h->id, S("g"), upload), ERR_OK);
	(void)begin_upload(h, "h");
	(void)put(h, "f", "no part of it", STORE_ACL_DEFAULT);
}

static void make_bucket(struct history *h, struct slice name, enum store_versioning versioning)
{
	next(h, bucket_create(h->s, name, STORE_ACL_PRIVATE), ERR_OK);
	h->id = bucket_id(h->s, name);
	if (versioning != STORE_UNVERSIONED)
		next(h, set_versioning(h->s, name, versioning), ERR_OK);
}

static bool make_history(struct store *s)
{
	struct history h = {.s = s, .ok = true};
	make_bucket(&h, S("plain"), STORE_UNVERSIONED);
	change_all(&h, true);
	make_bucket(&h, S("kept"), STORE_VERSIONED);
	change_all(&h, false);
	make_bucket(&h, S("suspended"), STORE_UNVERSIONED);
	(void)put(&h, "a", "null", STORE_ACL_DEFAULT);
	(void)put(&h, "b", "null", STORE_ACL_DEFAULT);
	next(&h, set_versioning(s, S("suspended"), STORE_VERSIONED), ERR_OK);
	(void)put(&h, "a", "kept", STORE_ACL_DEFAULT);
	(void)del(&h, "b", (struct store_version){.number = 0}, ERR_OK);
	next(&h, set_versioning(s, S("suspended"), STORE_VERSIONING_SUSPENDED), ERR_OK);
	change_all(&h, true);
	next(&h, set_versioning(s, S("suspended"), STORE_VERSIONED), ERR_OK);
	(void)put(&h, "f", "over null", STORE_ACL_DEFAULT);
	make_bucket(&h, S("gone"), STORE_UNVERSIONED);
	next(&h, bucket_delete(s, S("gone")), ERR_OK);
	next(&h, bucket_delete(s, S("kept")), ERR_BUCKET_NOT_EMPTY);
	return h.ok;
}

/* ---- What it leaves -------------------------------------------------------------------------- */

/* The records of the only segment: of each kind the checksum of all. */
static void read_records(const char *path, uint64_t crcs[KINDS])
{
	char name[2 * FOLDER_PATH_MAX];
	char *bytes = malloc(SEGMENT_READ);
	(void)snprintf(name, sizeof(name), "%s/segments/0000000000000001.seg", path);
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 || !bytes ? -1 : read(fd, bytes, SEGMENT_READ);
	if (got < SEGMENT_HEADER_BYTES)
		abort();
	(void)close(fd);
	uint64_t salt = le64_get(bytes + 32);
	struct slice rest =
		slice_of(bytes + SEGMENT_HEADER_BYTES, (size_t)got - SEGMENT_HEADER_BYTES);
	struct record record;
	memset(crcs, 0, KINDS * sizeof(crcs[0]));
	while (record_parse(rest, salt, &record) == RECORD_OK) {
		char head[24];
		uint64_t *crc = &crcs[record.kind];
		le64_put(head, record.sequence);
		le64_put(head + 8, record.bucket_id);
		le64_put(head + 16, record.meta.len);
		*crc = crc64_update(*crc, slice_of(head, sizeof(head)));
		*crc = crc64_update(*crc, record.name);
		*crc = crc64_update(*crc, record.meta);
		*crc = crc64_update(*crc, record.data);
		rest = slice_from(rest, record.total);
	}
	free(bytes);
}

/* The keys and values of the rows of a kind; *ret_count is how many there are. */
static uint64_t read_rows(struct store *s, enum key_kind kind, size_t *ret_count)
{
	struct key prefix;
	struct slice rest;
	struct slice value;
	uint64_t crc = 0;
	*ret_count = 0;
	key_kind(&prefix, kind);
	struct index_cursor *cursor = index_cursor_new(local_of(s)->index, NULL, &prefix);
	if (!cursor)
		abort();
	for (index_cursor_seek(cursor, S("")); index_cursor_at(cursor, &rest, &value);
		index_cursor_next(cursor)) {
		char len[8];
		le64_put(len, rest.len);
		crc = crc64_update(crc, slice_of(len, sizeof(len)));
		crc = crc64_update(crc, rest);
		crc = crc64_update(crc, value);
		++*ret_count;
	}
	index_cursor_free(cursor);
	return crc;
}

/* The collector removes what the history has dropped. */
static bool garbage_goes(struct store *s)
{
	for (int64_t end = clock_monotonic_ms() + 60000; clock_monotonic_ms() < end;) {
		size_t lists;
		size_t files;
		(void)read_rows(s, KEY_DEAD_PART_LIST, &lists);
		(void)read_rows(s, KEY_TRASH, &files);
		if (lists + files == 0)
			return true;
		(void)usleep(2000);
	}
	return false;
}

/* The checksums of what has always been written. */
static const uint64_t want_records[KINDS] = {
	[RECORD_BUCKET] = 0x042f7e6ab2b1eb1e,
	[RECORD_BUCKET_DELETE] = 0xc725a8be7e2e9335,
	[RECORD_OBJECT] = 0x0100341b1332330f,
	[RECORD_OBJECT_DELETE] = 0xae0d16d8ff43f29d,
	[RECORD_METADATA] = 0x63c1855714bdfd0e,
	[RECORD_MARKER] = 0x890c1c6e95bf5b9f,
	[RECORD_VERSION_DELETE] = 0x51f7cec42474f981,
	[RECORD_MULTIPART] = 0x1fb4e78e3e09e52c,
	[RECORD_MULTIPART_ABORT] = 0x5b288dc701cf3af5,
	[RECORD_PART] = 0x07a0c7232815d129,
	[RECORD_COMPLETE] = 0x382a7042df6589fa,
	[RECORD_APPEND] = 0x8387ab45728eb7fd,
};

static bool records_are_as_ever(const char *path)
{
	uint64_t crcs[KINDS];
	bool ok = true;
	read_records(path, crcs);
	for (size_t i = 1; i < KINDS; i++) {
		if (crcs[i] == want_records[i])
			continue;
		printf("# records of kind %zu: 0x%016" PRIx64 "\n", i, crcs[i]);
		ok = false;
	}
	return ok;
}

/* Likewise; of the others there are none. */
static const struct {
	enum key_kind kind;
	uint64_t crc64;
} want_rows[] = {
	{KEY_BUCKET, 0xbd5f98d7cd351aac},
	{KEY_BUCKET_RECORD, 0x57cd1c2280d88f38},
	{KEY_COUNTS, 0x5b32461a78e31967},
	{KEY_DEAD_PART_LIST, 0},
	{KEY_FILE, 0x95c35a00810e8b10},
	{KEY_NULL, 0x37f425ef7c9b15cf},
	{KEY_OBJECT, 0x15e808f9c6aab592},
	{KEY_SEGMENT, 0x7ed073feb1aa9085},
	{KEY_TRASH, 0},
	{KEY_MULTIPART, 0x575df758e5fed8af},
	{KEY_VERSION, 0x3419c9d80542fc79},
	{KEY_PART, 0x03af8a89878e5807},
};

static bool rows_are_as_ever(struct store *s)
{
	bool ok = true;
	for (size_t i = 0; i < ARRAY_LEN(want_rows); i++) {
		size_t count;
		uint64_t crc = read_rows(s, want_rows[i].kind, &count);
		if (crc == want_rows[i].crc64)
			continue;
		printf("# %zu rows of kind %c: 0x%016" PRIx64 "\n", count, want_rows[i].kind, crc);
		ok = false;
	}
	return ok;
}

static struct store *open_store(const char *path)
{
	const struct local_options options = {.path = path, .clock = &stopped, .gc_interval_ms = 5};
	struct store *s;
	if (local_store_open(&options, &s) != ERR_OK)
		abort();
	return s;
}

/* The index is made anew from the log. */
static void forget_index(const char *path)
{
	char name[2 * FOLDER_PATH_MAX];
	(void)snprintf(name, sizeof(name), "%s/index", path);
	folder_remove(name);
}

int main(void)
{
	char path[FOLDER_PATH_MAX];
	folder_make(path);
	struct store *s = open_store(path);
	OK(make_history(s), "a history of every kind of change");
	OK(garbage_goes(s), "what it has dropped is removed");
	OK(rows_are_as_ever(s), "it leaves the rows that it always has");
	store_close(s);
	OK(records_are_as_ever(path), "and the records");
	forget_index(path);
	s = open_store(path);
	OK(garbage_goes(s) && rows_are_as_ever(s), "a replay of them all makes the same rows");
	store_close(s);
	folder_remove(path);
	return tap_done();
}
