/* SPDX-License-Identifier: Apache-2.0 */
/* What a repair makes of a folder that the disk has damaged: what is lost is listed, no more. */
#include <fcntl.h>
#include <inttypes.h>

#include "base/limits.h"
#include "store/local/large/sums.h"
#include "store/local/local.h"
#include "store/local/repair/repair.h"
#include "tap.h"
#include "unit/store/checked.h"
#include "unit/store/cut_log.h"
#include "unit/store/rows.h"
#include "unit/store/versions.h"

enum {
	SMALL = 5000,
	LARGE = LIMIT_INLINE_BYTES + 200000,
	ITEMS = 10,
	LOST_MAX = 32,
};

/* ---- What is stored -------------------------------------------------------------------------- */

static struct slice bytes_of(unsigned item, size_t len)
{
	static char bytes[ITEMS][LARGE];
	uint32_t x = item * 7919 + 1;
	for (size_t i = 0; i < len; i++) {
		x = x * 1664525 + 1013904223;
		bytes[item][i] = (char)(x >> 24);
	}
	return slice_of(bytes[item], len);
}

static struct store *open_store(const char *path)
{
	const struct local_options options = {.path = path,
		.clock = &clock_system,
		.segment_bytes = MIB(4),
		.gc_interval_ms = 3600000};
	struct store *s;
	if (local_store_open(&options, &s) != ERR_OK) {
		OK(false, "the store opens");
		exit(1);
	}
	return s;
}

/*
 * Two buckets, the first with versions, the second without. Items: 0 and 1 two versions of
 * "small"; 2 and 3 of "large"; 4 "plain" and 5 "plain-large" in the second bucket; 6 a part of
 * an object, 7 of an open upload; 8 "kept", which was deleted and made again.
 */
static void make_all(char *path)
{
	uint64_t open = 0;
	uint64_t done = 0;
	folder_make(path);
	struct store *s = open_store(path);
	bool ok = bucket_create(s, S("bucket"), STORE_ACL_PRIVATE) == ERR_OK &&
		  bucket_create(s, S("plain"), STORE_ACL_PRIVATE) == ERR_OK &&
		  set_versioning(s, S("bucket"), STORE_VERSIONED) == ERR_OK;
	uint64_t id = bucket_id(s, S("bucket"));
	uint64_t plain = bucket_id(s, S("plain"));
	ok = ok && put_object(s, id, S("small"), bytes_of(0, SMALL), NULL) == ERR_OK &&
	     put_object(s, id, S("small"), bytes_of(1, SMALL), NULL) == ERR_OK &&
	     put_object(s, id, S("large"), bytes_of(2, LARGE), NULL) == ERR_OK &&
	     put_object(s, id, S("large"), bytes_of(3, LARGE), NULL) == ERR_OK &&
	     put_object(s, plain, S("gone"), S("deleted"), NULL) == ERR_OK &&
	     delete_object(s, plain, S("gone"), NULL) == ERR_OK &&
	     put_object(s, plain, S("plain"), bytes_of(4, SMALL), NULL) == ERR_OK &&
	     put_object(s, plain, S("plain-large"), bytes_of(5, LARGE), NULL) == ERR_OK &&
	     upload_begin(s, id, S("parts"), S(""), &done) == ERR_OK &&
	     put_part(s, id, S("parts"), done, 1, bytes_of(6, SMALL), NULL) == ERR_OK &&
	     upload_begin(s, id, S("open"), S(""), &open) == ERR_OK &&
	     put_part(s, id, S("open"), open, 1, bytes_of(7, LARGE), NULL) == ERR_OK &&
	     put_object(s, id, S("kept"), bytes_of(9, SMALL), NULL) == ERR_OK &&
	     delete_object(s, id, S("kept"), NULL) == ERR_OK &&
	     put_object(s, id, S("kept"), bytes_of(8, SMALL), NULL) == ERR_OK;
	struct store_multipart_complete complete = {
		.bucket_id = id, .key = S("parts"), .upload = done};
	ok = ok && upload_complete(s, &complete) == ERR_OK;
	OK(ok, "a folder with objects of all kinds");
	store_close(s);
}

static void copy_all(const char *from, char *ret)
{
	char segment[2 * FOLDER_PATH_MAX];
	struct stat st;
	folder_make(ret);
	folder_remove(ret);
	folder_copy(from, ret);
	/* The copy has lost the zeros behind, which may be a record's. */
	cut_log_name(ret, 1, segment);
	if (stat(segment, &st) != 0 || truncate(segment, st.st_size + 4096) != 0)
		abort();
}

/* ---- Damage ---------------------------------------------------------------------------------- */

static char *read_all(const char *path, size_t *ret_len)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0)
		abort();
	char *bytes = malloc((size_t)st.st_size + 1);
	if (!bytes || read(fd, bytes, (size_t)st.st_size) != st.st_size || close(fd) != 0)
		abort();
	*ret_len = (size_t)st.st_size;
	return bytes;
}

/* Where the bytes lie below `name`: the file's path into `ret`, of 2 * FOLDER_PATH_MAX. */
static off_t find_bytes(const char *folder, const char *name, struct slice bytes, char *ret)
{
	char path[FOLDER_PATH_MAX + 32];
	char *const paths[] = {path, NULL};
	off_t found = -1;
	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	if (!walk)
		abort();
	for (const FTSENT *at; found < 0 && (at = fts_read(walk)) != NULL;) {
		size_t len;
		if (at->fts_info != FTS_F)
			continue;
		char *all = read_all(at->fts_path, &len);
		const char *here = memmem(all, len, bytes.ptr, bytes.len);
		if (here)
			found = here - all;
		free(all);
		(void)snprintf(ret, 2 * FOLDER_PATH_MAX, "%s", at->fts_path);
	}
	(void)fts_close(walk);
	return found;
}

static void flip(const char *path, off_t at)
{
	unsigned char byte;
	int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 || at < 0 || pread(fd, &byte, 1, at) != 1)
		abort();
	byte ^= 0x10;
	if (pwrite(fd, &byte, 1, at) != 1 || close(fd) != 0)
		abort();
}

static void damage(const char *folder, unsigned item, size_t len)
{
	char file[2 * FOLDER_PATH_MAX];
	const char *name = len == LARGE ? "large" : "segments";
	off_t at = find_bytes(folder, name, bytes_of(item, len), file);
	flip(file, at + (off_t)len / 2);
}

/* Flips a bit in each table of the index. */
static void flip_table(const char *folder)
{
	char path[FOLDER_PATH_MAX + 32];
	char *const paths[] = {path, NULL};
	unsigned flipped = 0;
	(void)snprintf(path, sizeof(path), "%s/index", folder);
	FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	if (!walk)
		abort();
	for (const FTSENT *at; (at = fts_read(walk)) != NULL;)
		if (at->fts_info == FTS_F && slice_ends(slice_str(at->fts_path), S(".sst"))) {
			flip(at->fts_path, 40);
			flipped++;
		}
	(void)fts_close(walk);
	if (!flipped)
		abort();
}

/* Damages a record of which an index knows all, but not its bytes: in its name. */
static void damage_name(const char *folder, const char *key, unsigned nth)
{
	char file[2 * FOLDER_PATH_MAX];
	size_t len;
	cut_log_name(folder, 1, file);
	char *all = read_all(file, &len);
	const char *at = all;
	for (unsigned i = 0; at && i <= nth; i++)
		at = memmem(at + 1, len - (size_t)(at + 1 - all), key, strlen(key));
	off_t offset = at ? at - all : -1;
	free(all);
	flip(file, offset);
}

/* ---- Repairs --------------------------------------------------------------------------------- */

/* The lines that say what was lost, as `bucket/key version`. */
struct lost {
	char lines[LOST_MAX][64];
	unsigned count;
};

static void note(const struct fsck_finding *finding, void *ctx)
{
	struct lost *lost = ctx;
	if (lost->count == LOST_MAX || !finding->file[0])
		abort();
	(void)snprintf(lost->lines[lost->count++], sizeof(lost->lines[0]), "%.*s/%.*s %s",
		SLICE_FMT(finding->bucket), SLICE_FMT(finding->key), finding->version);
}

static struct repair_result mend(const char *path, struct lost *ret)
{
	struct repair_result result;
	ret->count = 0;
	enum err e =
		repair(&(struct repair_options){.path = path, .lost = note, .ctx = ret}, &result);
	if (e != ERR_OK)
		OK(false, "the repair goes to its end");
	return result;
}

static bool is_listed(const struct lost *lost, const char *begin)
{
	for (unsigned i = 0; i < lost->count; i++)
		if (strncmp(lost->lines[i], begin, strlen(begin)) == 0)
			return true;
	return false;
}

/* Versions of a key of the first bucket, the newest first, markers included. */
static unsigned versions_of(struct store *s, uint64_t id, struct slice key, uint64_t *ret)
{
	struct store_list list = {
		.bucket_id = id, .prefix = key, .max_entries = 100, .versions = true};
	unsigned count = 0;
	if (list_objects(s, &list) != ERR_OK)
		return 0;
	for (uint32_t i = 0; i < list.count; i++)
		ret[count++] = list.entries[i].object.version;
	store_list_release(s, &list);
	return count;
}

/* ---- The tests ------------------------------------------------------------------------------- */

static void nothing_to_do(const char *base)
{
	char path[FOLDER_PATH_MAX];
	struct lost lost;
	copy_all(base, path);
	struct repair_result result = mend(path, &lost);
	OK(lost.count == 0 && result.segments == 0 && !result.made_index,
		"a folder that is whole stays as it is");
	OK(checked_clean(path) && folder_count(path, "damaged").files == 0, "and clean");
	folder_remove(path);
}

static void newest_lost(const char *base, bool is_large, bool with_index)
{
	char path[FOLDER_PATH_MAX];
	struct lost lost;
	uint64_t versions[8];
	unsigned newest = is_large ? 3 : 1;
	size_t len = is_large ? LARGE : SMALL;
	struct slice key = is_large ? S("large") : S("small");
	copy_all(base, path);
	damage(path, newest, len);
	if (!with_index)
		flip_table(path);
	struct repair_result result = mend(path, &lost);
	OK(lost.count == 1, "the newest version is lost, and it alone%s",
		with_index ? "" : "; the index is damaged, too");
	OK(is_listed(&lost, is_large ? "bucket/large 0" : "bucket/small 0"),
		"it is listed with bucket, key and version");
	OK(is_large || result.segments == 1, "the damaged segment is moved aside");
	OK(folder_count(path, "damaged").files >= 1, "what was damaged is kept");
	struct store *s = open_store(path);
	uint64_t id = bucket_id(s, S("bucket"));
	IS_INT(head_object(s, id, key), ERR_NO_SUCH_KEY, "the key is not there any more");
	IS_INT(versions_of(s, id, key, versions), 2, "there are a marker and the older version");
	OK(version_is(s, id, key, version_number(versions[1]), bytes_of(newest - 1, len)),
		"which can be read by its id");
	OK(object_is(s, id, S("kept"), bytes_of(8, SMALL)), "others are as they were");
	store_close(s);
	OK(checked_clean(path), "the folder is clean");
	OK(rows_same_after_rebuild(path), "and the log says the same");
	result = mend(path, &lost);
	OK(lost.count == 0 && result.segments == 0, "a second repair finds nothing");
	folder_remove(path);
}

static void older_lost(const char *base)
{
	char path[FOLDER_PATH_MAX];
	struct lost lost;
	copy_all(base, path);
	damage(path, 0, SMALL);
	damage(path, 2, LARGE);
	(void)mend(path, &lost);
	OK(lost.count == 2 && is_listed(&lost, "bucket/small ") &&
			is_listed(&lost, "bucket/large "),
		"two older versions are lost");
	struct store *s = open_store(path);
	uint64_t id = bucket_id(s, S("bucket"));
	OK(object_is(s, id, S("small"), bytes_of(1, SMALL)) &&
			object_is(s, id, S("large"), bytes_of(3, LARGE)),
		"the newest are not touched");
	store_close(s);
	OK(checked_clean(path) && rows_same_after_rebuild(path), "the folder is clean");
	folder_remove(path);
}

static void without_versions(const char *base)
{
	char path[FOLDER_PATH_MAX];
	struct lost lost;
	copy_all(base, path);
	damage(path, 4, SMALL);
	damage(path, 5, LARGE);
	(void)mend(path, &lost);
	OK(lost.count == 2 && is_listed(&lost, "plain/plain null") &&
			is_listed(&lost, "plain/plain-large null"),
		"objects of a bucket without versions are lost");
	struct store *s = open_store(path);
	uint64_t plain = bucket_id(s, S("plain"));
	OK(head_object(s, plain, S("plain")) == ERR_NO_SUCH_KEY &&
			head_object(s, plain, S("plain-large")) == ERR_NO_SUCH_KEY &&
			head_object(s, plain, S("gone")) == ERR_NO_SUCH_KEY,
		"they are not there, nor is what was deleted");
	store_close(s);
	OK(checked_clean(path) && rows_same_after_rebuild(path), "the folder is clean");
	folder_remove(path);
}

/* What is behind its bytes says nothing about an object, but it is needed to check them. */
static void sums_lost(const char *base)
{
	static const off_t places[] = {0, 20};
	char path[FOLDER_PATH_MAX];
	char file[2 * FOLDER_PATH_MAX];
	struct lost lost;
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		copy_all(base, path);
		if (find_bytes(path, "large", bytes_of(5, LARGE), file) != 0)
			abort();
		flip(file, places[i] + (off_t)sums_offset(LARGE));
		OK(!checked_clean(path), "damaged sums are noticed");
		(void)mend(path, &lost);
		IS_INT(lost.count, 0, "nothing is lost with the sums of an object's blocks");
		struct store *s = open_store(path);
		OK(object_is(s, bucket_id(s, S("plain")), S("plain-large"), bytes_of(5, LARGE)),
			"the object is as it was stored");
		store_close(s);
		OK(checked_clean(path) && rows_same_after_rebuild(path), "the folder is clean");
		folder_remove(path);
	}
}

/* Root may read all, so a link in a circle is in the way. */
static void not_readable(const char *base)
{
	char path[FOLDER_PATH_MAX];
	char file[2 * FOLDER_PATH_MAX];
	char away[2 * FOLDER_PATH_MAX + 8];
	struct lost lost = {.count = 0};
	struct repair_result result;
	copy_all(base, path);
	if (find_bytes(path, "large", bytes_of(5, LARGE), file) != 0)
		abort();
	(void)snprintf(away, sizeof(away), "%s.away", file);
	if (rename(file, away) != 0 || symlink(file, file) != 0)
		abort();
	OK(repair(&(struct repair_options){.path = path, .lost = note, .ctx = &lost}, &result) !=
			ERR_OK,
		"a file that cannot be opened ends the repair");
	IS_INT(lost.count, 0, "for it is not known to be lost");
	if (rename(away, file) != 0)
		abort();
	OK(checked_clean(path), "nothing has changed");
	folder_remove(path);
}

static void parts_lost(const char *base)
{
	char path[FOLDER_PATH_MAX];
	struct lost lost;
	copy_all(base, path);
	damage(path, 6, SMALL);
	damage(path, 7, LARGE);
	(void)mend(path, &lost);
	OK(lost.count == 2 && is_listed(&lost, "bucket/parts 0") &&
			is_listed(&lost, "bucket/open "),
		"an object with a damaged part is lost, and an upload");
	struct store *s = open_store(path);
	uint64_t id = bucket_id(s, S("bucket"));
	IS_INT(head_object(s, id, S("parts")), ERR_NO_SUCH_KEY, "it is not there");
	struct store_list_multiparts uploads = {.bucket_id = id, .max_uploads = 10};
	OK(list_uploads(s, &uploads) == ERR_OK && uploads.count == 0, "nor is the upload");
	store_list_multiparts_release(s, &uploads);
	store_close(s);
	OK(checked_clean(path) && rows_same_after_rebuild(path), "the folder is clean");
	folder_remove(path);
}

/*
 * Records of which the index knows all: a delete marker, a large object, one whose name is hit. As
 * it is one bit, so does the log.
 */
static void damaged_log(const char *base, bool with_index)
{
	static const struct {
		const char *key;
		unsigned nth;
	} rows[] = {{"kept", 1}, {"plain-large", 0}, {"small", 1}, {"gone", 1}, {"plain", 0}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char path[FOLDER_PATH_MAX];
		struct lost lost;
		copy_all(base, path);
		damage_name(path, rows[i].key, rows[i].nth);
		if (!with_index)
			flip_table(path);
		struct repair_result result = mend(path, &lost);
		OK(lost.count == 0 && result.segments == 1 && result.kept == 0,
			"record %u about %s is damaged%s: nothing is lost, its segment goes",
			rows[i].nth, rows[i].key, with_index ? "" : ", and the index");
		unsigned kept = with_index ? 1 : folder_count(path, "damaged/index").files + 1;
		OK(!cut_log_has(path, 1) && folder_count(path, "damaged").files == kept,
			"to the folder damaged");
		struct store *s = open_store(path);
		uint64_t id = bucket_id(s, S("bucket"));
		uint64_t plain = bucket_id(s, S("plain"));
		OK(object_is(s, id, S("small"), bytes_of(1, SMALL)) &&
				object_is(s, id, S("large"), bytes_of(3, LARGE)) &&
				object_is(s, id, S("parts"), bytes_of(6, SMALL)) &&
				object_is(s, id, S("kept"), bytes_of(8, SMALL)) &&
				object_is(s, plain, S("plain-large"), bytes_of(5, LARGE)) &&
				head_object(s, plain, S("gone")) == ERR_NO_SUCH_KEY,
			"all objects are as they were");
		store_close(s);
		OK(checked_clean(path) && rows_same_after_rebuild(path), "the folder is clean");
		folder_remove(path);
	}
}

static void damaged_index(const char *base)
{
	char path[FOLDER_PATH_MAX];
	char name[2 * FOLDER_PATH_MAX];
	struct lost lost;
	copy_all(base, path);
	flip_table(path);
	damage(path, 5, LARGE);
	struct repair_result result = mend(path, &lost);
	OK(result.made_index && result.unknown == 0 && lost.count == 1 &&
			is_listed(&lost, "plain/plain-large"),
		"a damaged index is made anew, and then what is lost is found");
	OK(checked_clean(path), "the folder is clean");
	(void)snprintf(name, sizeof(name), "%s/index", path);
	folder_remove(name);
	result = mend(path, &lost);
	OK(result.made_index && lost.count == 0 && checked_clean(path), "so is a missing one");
	folder_remove(path);
}

/* The version "null" stays when what replaced it is lost. */
static void suspended(void)
{
	char path[FOLDER_PATH_MAX];
	struct lost lost;
	folder_make(path);
	struct store *s = open_store(path);
	bool ok = bucket_create(s, S("bucket"), STORE_ACL_PRIVATE) == ERR_OK;
	uint64_t id = bucket_id(s, S("bucket"));
	ok = ok && put_object(s, id, S("k"), bytes_of(0, SMALL), NULL) == ERR_OK &&
	     set_versioning(s, S("bucket"), STORE_VERSIONED) == ERR_OK &&
	     put_object(s, id, S("k"), bytes_of(1, SMALL), NULL) == ERR_OK &&
	     set_versioning(s, S("bucket"), STORE_VERSIONING_SUSPENDED) == ERR_OK;
	store_close(s);
	OK(ok, "versions are suspended");
	damage(path, 1, SMALL);
	(void)mend(path, &lost);
	IS_INT(lost.count, 1, "the newest version is lost");
	s = open_store(path);
	OK(head_object(s, id, S("k")) == ERR_NO_SUCH_KEY &&
			version_is(s, id, S("k"), null_version(), bytes_of(0, SMALL)),
		"the version null is not shown in its place, and there by its id");
	store_close(s);
	OK(checked_clean(path) && rows_same_after_rebuild(path), "the folder is clean");
	folder_remove(path);
}

enum {
	MANY = 40,
	MANY_BYTES = 300000, /* a dozen in a segment */
};

static void missing_segment(void)
{
	char path[FOLDER_PATH_MAX];
	char name[2 * FOLDER_PATH_MAX];
	struct lost lost;
	struct store_stats stats;
	folder_make(path);
	struct store *s = open_store(path);
	bool ok = bucket_create(s, S("bucket"), STORE_ACL_PRIVATE) == ERR_OK;
	uint64_t id = bucket_id(s, S("bucket"));
	for (unsigned i = 0; i < MANY; i++) {
		char key[] = {(char)('0' + i)};
		ok = put_object(s, id, slice_of(key, 1), bytes_of(0, MANY_BYTES), NULL) == ERR_OK &&
		     ok;
	}
	store_close(s);
	cut_log_name(path, 2, name);
	OK(ok && unlink(name) == 0, "a segment is missing");
	(void)mend(path, &lost);
	OK(lost.count > 8 && lost.count < MANY / 2, "its objects are lost");
	unsigned whole = 0;
	s = open_store(path);
	store_stats(s, &stats);
	for (unsigned i = 0; i < MANY; i++) {
		char key[] = {(char)('0' + i)};
		whole += object_is(s, id, slice_of(key, 1), bytes_of(0, MANY_BYTES));
	}
	store_close(s);
	IS_INT(whole, MANY - lost.count, "the others are whole");
	IS_INT(stats.start_damage, 0, "the next start finds nothing");
	OK(checked_clean(path), "the folder is clean");
	folder_remove(path);
}

/* ---- Broken off ------------------------------------------------------------------------------ */

static bool stop_after(uint64_t done UNUSED, uint64_t total UNUSED, void *ctx)
{
	struct lost *lost = ctx;
	return lost->count == 0;
}

static void broken_off(const char *base)
{
	char path[FOLDER_PATH_MAX];
	struct lost first = {.count = 0};
	struct lost lost;
	struct repair_result result;
	copy_all(base, path);
	damage(path, 1, SMALL);
	damage(path, 3, LARGE);
	damage(path, 5, LARGE);
	enum err e = repair(
		&(struct repair_options){
			.path = path, .lost = note, .progress = stop_after, .ctx = &first},
		&result);
	OK(e != ERR_OK && first.count == 1, "a repair that was broken off has begun");
	(void)mend(path, &lost);
	OK(lost.count == 2, "another does the rest");
	struct store *s = open_store(path);
	uint64_t id = bucket_id(s, S("bucket"));
	OK(head_object(s, id, S("small")) == ERR_NO_SUCH_KEY &&
			head_object(s, id, S("large")) == ERR_NO_SUCH_KEY,
		"all that was lost is gone");
	store_close(s);
	OK(checked_clean(path) && rows_same_after_rebuild(path), "the folder is clean");
	folder_remove(path);
}

/* Of the last segment, so that nothing opens it: in its first sequence, and in its salt. */
static void damaged_header(const char *base, off_t at, bool with_index)
{
	char path[FOLDER_PATH_MAX];
	char file[2 * FOLDER_PATH_MAX];
	struct lost lost;
	struct store *s;
	copy_all(base, path);
	cut_log_name(path, 1, file);
	flip(file, at);
	if (!with_index)
		flip_table(path);
	const struct local_options options = {.path = path, .clock = &clock_system};
	OK(local_store_open(&options, &s) != ERR_OK,
		"the header of the last segment is damaged at byte %d%s", (int)at,
		with_index ? "" : ", and the index");
	struct repair_result result = mend(path, &lost);
	OK(result.made_index == !with_index, "it is repaired");
	IS_INT(lost.count, 0, "nothing is lost");
	s = open_store(path);
	uint64_t id = bucket_id(s, S("bucket"));
	OK(object_is(s, id, S("small"), bytes_of(1, SMALL)) &&
			object_is(s, id, S("large"), bytes_of(3, LARGE)) &&
			object_is(s, id, S("kept"), bytes_of(8, SMALL)),
		"all is there");
	uint64_t plain = bucket_id(s, S("plain"));
	OK(head_object(s, plain, S("gone")) == ERR_NO_SUCH_KEY, "nothing has come back");
	OK(put_object(s, id, S("new"), S("bytes"), NULL) == ERR_OK, "it takes changes");
	store_close(s);
	s = open_store(path);
	OK(object_is(s, id, S("new"), S("bytes")), "which stay");
	store_close(s);
	OK(checked_clean(path) && rows_same_after_rebuild(path), "the folder is clean");
	folder_remove(path);
}

int main(void)
{
	char base[FOLDER_PATH_MAX];
	make_all(base);
	nothing_to_do(base);
	for (int with_index = 0; with_index < 2; with_index++) {
		newest_lost(base, false, with_index);
		newest_lost(base, true, with_index);
	}
	older_lost(base);
	without_versions(base);
	sums_lost(base);
	not_readable(base);
	parts_lost(base);
	damaged_log(base, true);
	damaged_log(base, false);
	damaged_index(base);
	broken_off(base);
	damaged_header(base, 24, true);
	damaged_header(base, 36, true);
	damaged_header(base, 24, false);
	damaged_header(base, 36, false);
	folder_remove(base);
	suspended();
	missing_segment();
	return tap_done();
}
