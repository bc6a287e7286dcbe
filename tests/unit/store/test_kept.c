/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a version keeps that is copied from another store: on each back end, after opening again,
 * and, of a folder, when all is read from the log.
 */
#include <dirent.h>

#include "base/limits.h"
#include "crypto/crc64.h"
#include "crypto/digest.h"
#include "store/local/rebuild/rebuild.h"
#include "tap.h"
#include "unit/store/backend.h"
#include "unit/store/checked.h"
#include "unit/store/versions.h"

enum {
	LARGE = LIMIT_INLINE_BYTES + 70001,
	CREATED = 1234567,
	CHANGES = 100, /* so that a folder has given greater numbers than those that are kept */
	TEXT_MAX = 4096,
	CHURN_BYTES = 300000, /* in the log */
	FILLS_MAX = 1000,
};

static char large_bytes[LARGE];

/* ---- Keeping --------------------------------------------------------------------------------- */

struct keep {
	enum store_put_kind kind;
	struct slice key;
	struct slice bytes;
	struct store_kept kept;
	uint64_t crc64_off; /* what the expected CRC-64 is wrong by */
};

static enum err keep(struct store *s, uint64_t id, struct keep how)
{
	struct blocking b;
	struct store_put *put;
	const struct store_put_spec spec = {.kind = how.kind,
		.bucket_id = id,
		.key = how.key,
		.headers = S("A: kept\r\n"),
		.tags = S("t=1"),
		.acl = STORE_ACL_PRIVATE,
		.type = how.kind == STORE_PUT_APPEND ? STORE_NORMAL : how.kept.type};
	uint64_t crc64 = crc64_update(0, how.bytes) ^ how.crc64_off;
	struct store_put_commit commit = {.expect_crc64 = &crc64, .kept = &how.kept};
	memset(how.kept.md5, 0xA0 + (int)how.kept.version, sizeof(how.kept.md5));
	if (store_put_begin(s, &spec, &put) != ERR_OK)
		return ERR_INTERNAL;
	(void)put_pieces(s, put, how.bytes, 0);
	blocking_init(&b, &commit.wait);
	store_put_commit(s, put, &commit);
	enum err e = blocking_wait(&b, &commit.wait);
	bool same = commit.object.version == how.kept.version &&
		    commit.object.modified_ms == how.kept.modified_ms &&
		    commit.object.is_null == how.kept.is_null &&
		    memcmp(commit.object.md5, how.kept.md5, MD5_BYTES) == 0;
	return e == ERR_OK && !same ? ERR_INTERNAL : e;
}

static enum err keep_marker(
	struct store *s, uint64_t id, struct slice key, uint64_t version, bool is_null)
{
	const struct store_kept kept = {
		.version = version, .is_null = is_null, .modified_ms = (int64_t)version * 1000};
	struct store_delete del = {.bucket_id = id, .key = key, .kept = &kept};
	enum err e = delete_version(s, &del);
	bool same = del.made_marker && del.marker == version && del.marker_is_null == is_null;
	return e == ERR_OK && !same ? ERR_INTERNAL : e;
}

static struct store_kept plain(uint64_t version, bool is_null)
{
	return (struct store_kept){
		.version = version, .is_null = is_null, .modified_ms = (int64_t)version * 1000};
}

static struct store_kept typed(uint64_t version, enum store_type type, uint32_t parts)
{
	struct store_kept kept = plain(version, false);
	kept.type = type;
	kept.parts = parts;
	return kept;
}

/* ---- What is there --------------------------------------------------------------------------- */

/* All versions, newest first: number or null, M for a marker, type, parts, size, time, MD5, texts.
 */
static struct slice describe(struct store *s, uint64_t id, char *text)
{
	struct store_list list = {.bucket_id = id, .max_entries = 1000, .versions = true};
	size_t len = 0;
	if (list_objects(s, &list) != ERR_OK)
		return S("not listed");
	for (uint32_t i = 0; i < list.count; i++) {
		const struct store_entry *entry = &list.entries[i];
		const struct store_object *o = &entry->object;
		int n;
		if (o->is_marker)
			n = snprintf(text + len, TEXT_MAX - len, "%.*s %u%s M %u%s\n",
				SLICE_FMT(entry->key), (unsigned)o->version,
				o->is_null ? "null" : "", (unsigned)o->modified_ms,
				entry->is_latest ? " latest" : "");
		else
			n = snprintf(text + len, TEXT_MAX - len,
				"%.*s %u%s %u/%u %u %u %02x acl=%u %.*s %.*s%s\n",
				SLICE_FMT(entry->key), (unsigned)o->version,
				o->is_null ? "null" : "", (unsigned)o->type, (unsigned)o->parts,
				(unsigned)o->size, (unsigned)o->modified_ms, o->md5[15],
				(unsigned)o->acl, SLICE_FMT(slice_head(o->headers, 7)),
				SLICE_FMT(o->tags), entry->is_latest ? " latest" : "");
		len += (size_t)n;
	}
	store_list_release(s, &list);
	return slice_of(text, len);
}

/* ---- The tests ------------------------------------------------------------------------------- */

static const char expected[] = "a 9 1/3 5 9000 a9 acl=1 A: kept t=1 latest\n"
			       "a 7 M 7000\n"
			       "a 5 0/0 594289 5000 a5 acl=1 A: kept t=1\n"
			       "a 3null 0/0 3 3000 a3 acl=1 A: kept t=1\n"
			       "b 6null 0/0 4 6000 a6 acl=1 A: kept t=1 latest\n"
			       "b 2 0/0 3 2000 a2 acl=1 A: kept t=1\n"
			       "c 10null M 10000 latest\n"
			       "e 20 2/0 594289 20000 b4 acl=1 A: kept t=1 latest\n"
			       "e 19 2/0 2 19000 b3 acl=1 A: kept t=1\n"
			       "f 21 2/0 0 21000 b5 acl=1 A: kept t=1 latest\n"
			       "l 22 3/0 0 22000 b6 acl=1 A: kept t=1 latest\n";

static bool make_buckets(struct store *s)
{
	struct store_bucket_update change = {
		.name = S("first"), .set_acl = true, .acl = STORE_ACL_PRIVATE};
	struct blocking b;
	struct store_bucket_create create = {
		.name = S("main"), .acl = STORE_ACL_PRIVATE, .created_ms = CREATED};
	bool ok = bucket_create(s, S("first"), STORE_ACL_PRIVATE) == ERR_OK;
	for (unsigned i = 0; i < CHANGES; i++)
		ok = bucket_change(s, change) == ERR_OK && ok;
	blocking_init(&b, &create.wait);
	store_bucket_create(s, &create);
	return blocking_wait(&b, &create.wait) == ERR_OK && ok &&
	       bucket_create(s, S("plain"), STORE_ACL_PRIVATE) == ERR_OK;
}

static void unversioned(struct store *s)
{
	uint64_t id = bucket_id(s, S("plain"));
	const struct keep one = {
		.key = S("k"), .bytes = S("one"), .kept = plain(5, true), .crc64_off = 0};
	struct keep other = one;
	struct store_object object = {.version = 0};
	const struct put_how how = {.object = &object};
	IS_INT(keep(s, id, one), ERR_OK, "a version is kept where versions never were");
	other.kept.is_null = false;
	other.kept.version = 6;
	IS_INT(keep(s, id, other), ERR_INVALID_ARGUMENT, "but none with a number");
	IS_INT(keep_marker(s, id, S("k"), 6, true), ERR_INVALID_ARGUMENT, "and no marker");
	IS_INT(keep(s, id, one), ERR_PRECONDITION_FAILED, "nor the same again");
	other = one;
	other.key = S("none");
	other.crc64_off = 1;
	IS_INT(keep(s, id, other), ERR_INVALID_DIGEST, "nor what has another CRC-64");
	OK(object_is(s, id, S("k"), S("one")), "its bytes are there");
	OK(put_object(s, id, S("k"), S("two"), &how) == ERR_OK && object.version > 5,
		"what comes later has a greater number");
}

static bool fill(struct store *s, uint64_t id)
{
	const struct slice large = slice_of(large_bytes, LARGE);
	const struct keep rows[] = {
		{STORE_PUT_OBJECT, S("a"), S("one"), plain(3, true), 0},
		{STORE_PUT_OBJECT, S("a"), large, plain(5, false), 0},
		{STORE_PUT_OBJECT, S("b"), S("old"), plain(2, false), 0},
		{STORE_PUT_OBJECT, S("b"), S("null"), plain(4, true), 0},
		{STORE_PUT_OBJECT, S("b"), S("else"), plain(6, true), 0},
		{STORE_PUT_APPEND, S("e"), S("19"), typed(19, STORE_APPENDABLE, 0), 0},
		{STORE_PUT_APPEND, S("e"), large, typed(20, STORE_APPENDABLE, 0), 0},
		{STORE_PUT_APPEND, S("f"), S(""), typed(21, STORE_APPENDABLE, 0), 0},
		{STORE_PUT_OBJECT, S("l"), S(""), typed(22, STORE_SYMLINK, 0), 0},
	};
	const struct keep last = {
		STORE_PUT_OBJECT, S("a"), S("three"), typed(9, STORE_MULTIPART, 3), 0};
	bool ok = true;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		ok = keep(s, id, rows[i]) == ERR_OK && ok;
	return keep_marker(s, id, S("a"), 7, false) == ERR_OK && keep(s, id, last) == ERR_OK &&
	       keep_marker(s, id, S("c"), 10, true) == ERR_OK && ok;
}

static void refusals(struct store *s, uint64_t id)
{
	struct keep how = {.key = S("a"), .bytes = S("x"), .kept = plain(8, false)};
	IS_INT(keep(s, id, how), ERR_PRECONDITION_FAILED, "a version comes before newer ones");
	how.kept.version = 0;
	IS_INT(keep(s, id, how), ERR_INVALID_ARGUMENT, "and has a number");
	IS_INT(keep_marker(s, id, S("a"), 9, false), ERR_PRECONDITION_FAILED,
		"a marker has a number of its own");
	how.key = S("c");
	how.kept.version = 10;
	IS_INT(keep(s, id, how), ERR_PRECONDITION_FAILED, "that of a marker counts");
}

/* Of a folder, which is opened again: what its own numbers, and those of part lists, do not let be.
 */
static struct store *refusals_of_folders(
	const struct backend *backend, struct store *s, uint64_t id)
{
	struct keep how = {.key = S("g"), .bytes = S("x"), .kept = plain(id, false)};
	IS_INT(keep(s, id, how), ERR_INVALID_ARGUMENT, "no number that may be given here");
	how.kind = STORE_PUT_APPEND;
	how.kept = typed(20, STORE_APPENDABLE, 0);
	IS_INT(keep(s, id, how), ERR_INVALID_ARGUMENT, "no two part lists of one number");
	how.bytes = S("");
	IS_INT(keep(s, id, how), ERR_INVALID_ARGUMENT, "nor if one of them has no bytes");
	how.kept.version = 21;
	IS_INT(keep(s, id, how), ERR_INVALID_ARGUMENT, "or both");
	how.bytes = S("x");
	IS_INT(keep(s, id, how), ERR_INVALID_ARGUMENT, "or the other one");
	s = backend_reopen(backend, s);
	id = bucket_id(s, S("main"));
	IS_INT(keep(s, id, how), ERR_INVALID_ARGUMENT, "opened again as well");
	how.kind = STORE_PUT_OBJECT;
	how.key = S("twin");
	how.kept = plain(21, false);
	IS_INT(keep(s, id, how), ERR_OK, "what is not appended to may have the number");
	IS_INT(delete_version(s,
		       &(struct store_delete){
			       .bucket_id = id, .key = how.key, .version = version_number(21)}),
		ERR_OK, "and go");
	return s;
}

static void same_bytes(struct store *s, uint64_t id, const char *when)
{
	const struct slice large = slice_of(large_bytes, LARGE);
	OK(version_is(s, id, S("a"), null_version(), S("one")) &&
			version_is(s, id, S("a"), version_number(5), large) &&
			version_is(s, id, S("a"), version_number(9), S("three")) &&
			version_is(s, id, S("b"), version_number(2), S("old")) &&
			object_is(s, id, S("b"), S("else")),
		"%s: the bytes are there", when);
}

/* Appends at the end, and puts a new version. */
static void go_on(struct store *s, uint64_t id)
{
	struct store_object object = {.version = 0};
	const struct put_how how = {.object = &object};
	OK(append(s, id, S("e"), LARGE, S("more"), &object) == ERR_OK && object.version == 20 &&
			object.size == LARGE + 4,
		"an object is appended to where it ends");
	IS_INT(append(s, id, S("e"), 0, S("more"), NULL), ERR_POSITION_NOT_EQUAL_TO_LENGTH,
		"and nowhere else");
	OK(append(s, id, S("f"), 0, S("first"), NULL) == ERR_OK &&
			append(s, id, S("f"), 5, S("second"), NULL) == ERR_OK &&
			object_is(s, id, S("f"), S("firstsecond")),
		"and so is an empty one");
	OK(set_versioning(s, S("main"), STORE_VERSIONED) == ERR_OK &&
			put_object(s, id, S("a"), S("newest"), &how) == ERR_OK &&
			object.version > 9,
		"what comes later has a greater number");
}

static bool is_appended(struct store *s, uint64_t id)
{
	char *bytes = malloc(LARGE + 4);
	memcpy(bytes, large_bytes, LARGE);
	memcpy(bytes + LARGE, "more", 4);
	bool ok = object_is(s, id, S("e"), slice_of(bytes, LARGE + 4));
	free(bytes);
	return ok;
}

/* Whether the store has what is described. */
static void is_as(struct store *s, struct slice what, const char *when)
{
	char text[TEXT_MAX];
	uint64_t id = bucket_id(s, S("main"));
	struct slice now = describe(s, id, text);
	OK(slice_eq(now, what), "%s: the versions are there", when);
	if (!slice_eq(now, what))
		printf("# %.*s\n", SLICE_FMT(now));
	OK(is_appended(s, id), "%s: and what was appended", when);
	same_bytes(s, id, when);
}

/* As SIGKILL leaves a folder: all is in the log, and little in the index. */
static void replayed(const struct backend *backend, struct slice what)
{
	struct backend copy = {.name = "local", .keeps = true, .gc_interval_ms = 100000};
	char command[3 * FOLDER_PATH_MAX];
	folder_make(copy.path);
	(void)snprintf(command, sizeof(command), "cp -a %s/. %s/", backend->path, copy.path);
	if (system(command) != 0)
		exit(1);
	struct store *s = backend_open(&copy);
	is_as(s, what, "after a kill");
	store_close(s);
	OK(checked_clean(copy.path), "and all fits together");
	folder_remove(copy.path);
}

static void made_anew(const struct backend *backend, struct slice what)
{
	struct rebuild_result result;
	OK(checked_clean(backend->path), "the folder fits together");
	IS_INT(rebuild_index(&(struct rebuild_options){.path = backend->path}, &result), ERR_OK,
		"the index is made anew");
	struct store *s = backend_open(backend);
	is_as(s, what, "then");
	store_close(s);
	OK(checked_clean(backend->path), "and the folder fits together still");
}

/* Fills segments with what goes at once, until the first one has been collected. */
static bool collect(struct store *s, const char *path, unsigned segment)
{
	char name[2 * FOLDER_PATH_MAX];
	uint64_t id = bucket_id(s, S("plain"));
	const struct slice bytes = slice_of(large_bytes, CHURN_BYTES);
	bool ok = true;
	(void)snprintf(name, sizeof(name), "%s/segments/%016x.seg", path, segment);
	for (int64_t end = clock_monotonic_ms() + 60000; access(name, F_OK) == 0;) {
		ok = ok && clock_monotonic_ms() < end &&
		     put_object(s, id, S("churn"), bytes, NULL) == ERR_OK &&
		     delete_object(s, id, S("churn"), NULL) == ERR_OK;
		if (!ok)
			break;
	}
	return ok;
}

/* The records that made them are in segments that were removed; pieces have come since. */
static void collected(const struct backend *backend)
{
	char text[TEXT_MAX];
	struct backend busy = *backend;
	busy.gc_interval_ms = 5;
	struct store *s = backend_open(&busy);
	uint64_t id = bucket_id(s, S("main"));
	OK(collect(s, busy.path, 1), "the first segment is collected");
	OK(append(s, id, S("f"), 11, S("third"), NULL) == ERR_OK && collect(s, busy.path, 2) &&
			append(s, id, S("f"), 16, S("fourth"), NULL) == ERR_OK &&
			object_is(s, id, S("f"), S("firstsecondthirdfourth")),
		"and others, with pieces that come in between");
	struct slice what = describe(s, id, text);
	store_close(s);
	made_anew(&busy, what);
	s = backend_open(backend);
	OK(object_is(s, id, S("f"), S("firstsecondthirdfourth")), "and so are the pieces");
	store_close(s);
}

/* The newest segment of the log. */
static unsigned newest_segment(const char *path)
{
	char name[2 * FOLDER_PATH_MAX];
	unsigned newest = 0;
	(void)snprintf(name, sizeof(name), "%s/segments", path);
	DIR *dir = opendir(name);
	const struct dirent *entry;
	while (dir && (entry = readdir(dir)) != NULL) {
		unsigned id = (unsigned)strtoul(entry->d_name, NULL, 16);
		newest = id > newest ? id : newest;
	}
	if (dir)
		(void)closedir(dir);
	return newest;
}

/* Fills the segment with what stays. */
static bool fill_segment(struct store *s, uint64_t id, const char *path)
{
	char key[32];
	unsigned segment = newest_segment(path);
	bool ok = true;
	for (unsigned i = 0; ok && i < FILLS_MAX && newest_segment(path) == segment; i++) {
		int len = snprintf(key, sizeof(key), "stays/%u", i);
		ok = put_object(s, id, slice_of(key, (size_t)len),
			     slice_of(large_bytes, CHURN_BYTES), NULL) == ERR_OK;
	}
	return ok && newest_segment(path) > segment;
}

/* Collects all segments behind one that stays. */
static bool collect_behind(struct store *s, const char *path, unsigned stays)
{
	bool ok = true;
	for (unsigned i = stays + 1, newest = newest_segment(path); i <= newest; i++)
		ok = collect(s, path, i) && ok;
	return ok;
}

/*
 * Two keys have a version of one number, and both are deleted. What says so is collected twice,
 * while the segment from which they could come back stays.
 */
static void twins(void)
{
	struct rebuild_result result;
	struct backend busy = {.name = "local", .keeps = true, .gc_interval_ms = 5};
	const struct keep a = {.key = S("a"), .bytes = S("one"), .kept = plain(30, false)};
	struct keep b = a;
	b.key = S("b");
	folder_make(busy.path);
	struct store *s = backend_open(&busy);
	OK(make_buckets(s) && set_versioning(s, S("main"), STORE_VERSIONED) == ERR_OK, "buckets");
	uint64_t id = bucket_id(s, S("main"));
	OK(keep(s, id, a) == ERR_OK && keep(s, id, b) == ERR_OK, "two keys have one number");
	unsigned segment = newest_segment(busy.path);
	OK(fill_segment(s, id, busy.path), "their segment stays");
	struct store_delete del_a = {.bucket_id = id, .key = a.key, .version = version_number(30)};
	struct store_delete del_b = {.bucket_id = id, .key = b.key, .version = version_number(30)};
	OK(delete_version(s, &del_a) == ERR_OK && delete_version(s, &del_b) == ERR_OK,
		"both are deleted");
	OK(collect_behind(s, busy.path, segment) && collect_behind(s, busy.path, segment),
		"the log is collected");
	store_close(s);
	OK(checked_clean(busy.path), "the folder fits together");
	IS_INT(rebuild_index(&(struct rebuild_options){.path = busy.path}, &result), ERR_OK,
		"the index is made anew");
	s = backend_open(&busy);
	OK(!object_is(s, id, a.key, a.bytes) && !object_is(s, id, b.key, b.bytes),
		"and none of them comes back");
	store_close(s);
	folder_remove(busy.path);
}

static void test(const struct backend *backend)
{
	char text[TEXT_MAX];
	struct store *s = backend_open(backend);
	bool is_local = backend->keeps && !backend->ceph;
	OK(make_buckets(s), "buckets");
	const struct store_bucket *bucket = store_bucket_get(s, S("main"));
	OK(bucket && bucket->created_ms == CREATED, "a bucket keeps when it was made");
	store_bucket_unref(s, bucket);
	unversioned(s);
	uint64_t id = bucket_id(s, S("main"));
	OK(set_versioning(s, S("main"), STORE_VERSIONED) == ERR_OK &&
			set_versioning(s, S("main"), STORE_VERSIONING_SUSPENDED) == ERR_OK &&
			fill(s, id),
		"versions are kept");
	struct slice what = describe(s, id, text);
	OK(slice_eq(what, slice_str(expected)), "they are as they were elsewhere");
	if (!slice_eq(what, slice_str(expected)))
		printf("# %.*s\n", SLICE_FMT(what));
	refusals(s, id);
	if (is_local)
		s = refusals_of_folders(backend, s, id);
	go_on(s, id);
	what = describe(s, id, text);
	is_as(s, what, "now");
	if (is_local)
		replayed(backend, what);
	s = backend_reopen(backend, s);
	is_as(s, what, "opened again");
	store_close(s);
	if (is_local) {
		made_anew(backend, what);
		collected(backend);
		twins();
	}
}

int main(void)
{
	for (size_t i = 0; i < LARGE; i++)
		large_bytes[i] = (char)(i * 2654435761u >> 24);
	each_backend(100000, test);
	return tap_done();
}
