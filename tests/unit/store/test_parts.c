/* SPDX-License-Identifier: Apache-2.0 */
/* Uploads in parts, and appending: what they make, across crashes and collection. */
#include <inttypes.h>

#include "base/encode.h"
#include "crypto/crc64.h"
#include "crypto/digest.h"
#include "tap.h"
#include "unit/store/backend.h"
#include "unit/store/blocking.h"

enum {
	SMALL = 150000,
	LARGE = 1300000, /* more than a record holds */
	READERS = 300,   /* more than the collector looks at at a time */
};

static char *pattern; /* LARGE bytes that do not repeat soon */

static void make_pattern(void)
{
	uint32_t x = 12345;
	pattern = malloc(LARGE);
	if (!pattern)
		abort();
	for (size_t i = 0; i < LARGE; i++) {
		x = x * 1664525 + 1013904223;
		pattern[i] = (char)(x >> 24);
	}
}

/* Bytes that tell part from part. */
static struct slice part_bytes(unsigned part, size_t len)
{
	return slice_of(pattern + part * 7, len - part * 7);
}

static struct store *open_with(const char *path, unsigned gc_interval_ms)
{
	struct backend local = {.keeps = true, .gc_interval_ms = gc_interval_ms};
	(void)snprintf(local.path, sizeof(local.path), "%s", path);
	return backend_open(&local);
}

static uint64_t make_bucket(struct store *s)
{
	if (bucket_create(s, S("bucket"), STORE_ACL_PRIVATE) != ERR_OK)
		abort();
	return bucket_id(s, S("bucket"));
}

/* Parts 1, 3, 4 and 9 of an upload of `key`; 3 is large. */
static uint64_t four_parts(struct store *s, uint64_t id, struct slice key)
{
	static const struct {
		unsigned part;
		size_t len;
	} parts[] = {{9, 1000}, {1, SMALL}, {4, SMALL}, {3, LARGE}};
	uint64_t upload;
	bool ok = upload_begin(s, id, key, S("A: b\r\n"), &upload) == ERR_OK;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		ok = put_part(s, id, key, upload, parts[i].part,
			     part_bytes(parts[i].part, parts[i].len), NULL) == ERR_OK &&
		     ok;
	OK(ok, "four parts of an upload");
	return upload;
}

/* What the parts come to, on the heap. */
static char *joined(const unsigned *parts, const size_t *lens, size_t count, size_t *ret_len)
{
	char *all = malloc((size_t)LARGE * 4);
	*ret_len = 0;
	for (size_t i = 0; i < count; i++) {
		struct slice bytes = part_bytes(parts[i], lens[i]);
		memcpy(all + *ret_len, bytes.ptr, bytes.len);
		*ret_len += bytes.len;
	}
	return all;
}

static struct store_part_named named(unsigned part, size_t len)
{
	struct store_part_named n = {.number = part};
	md5_of(part_bytes(part, len), n.md5);
	return n;
}

/* ---- Uploads --------------------------------------------------------------------------------- */

static void parts_are_listed(struct store *s, uint64_t id, uint64_t upload)
{
	struct store_list_parts list = {
		.bucket_id = id, .key = S("k"), .upload = upload, .max_parts = 3};
	IS_INT(list_parts(s, &list), ERR_OK, "parts are listed");
	unsigned char md5[MD5_BYTES];
	md5_of(part_bytes(3, LARGE), md5);
	OK(list.count == 3 && list.truncated && list.parts[0].number == 1 &&
			list.parts[1].number == 3 && list.parts[2].number == 4,
		"in order of their numbers, as many as asked for");
	OK(list.parts[1].size == part_bytes(3, LARGE).len &&
			memcmp(list.parts[1].md5, md5, MD5_BYTES) == 0 &&
			list.parts[1].crc64 == crc64_update(0, part_bytes(3, LARGE)),
		"with size and digests");
	store_list_parts_release(s, &list);
	list.after = 4;
	IS_INT(list_parts(s, &list), ERR_OK, "and from a number on");
	OK(list.count == 1 && !list.truncated && list.parts[0].number == 9, "the rest");
	store_list_parts_release(s, &list);
	list.upload++;
	IS_INT(list_parts(s, &list), ERR_NO_SUCH_UPLOAD, "of an upload that there is");
	list.upload--;
	list.key = S("other");
	IS_INT(list_parts(s, &list), ERR_NO_SUCH_UPLOAD, "by its own key");
}

static void completion_refuses(struct store *s, uint64_t id, uint64_t upload)
{
	struct store_part_named parts[] = {named(1, SMALL), named(3, LARGE), named(9, 1000)};
	struct store_multipart_complete complete = {.bucket_id = id,
		.key = S("k"),
		.upload = upload,
		.parts = parts,
		.part_count = 3,
		.part_bytes_min = 102400};
	complete.upload++;
	IS_INT(upload_complete(s, &complete), ERR_NO_SUCH_UPLOAD, "another upload");
	complete.upload--;
	parts[1].md5[0] ^= 1;
	IS_INT(upload_complete(s, &complete), ERR_INVALID_PART, "a wrong MD5");
	IS_INT(complete.bad_part, 3, "whose");
	parts[1].md5[0] ^= 1;
	parts[1].number = 2;
	IS_INT(upload_complete(s, &complete), ERR_INVALID_PART, "a part that is not there");
	IS_INT(complete.bad_part, 2, "which");
	parts[1] = named(3, LARGE);
	parts[2].number = 10;
	IS_INT(upload_complete(s, &complete), ERR_INVALID_PART, "nor one behind the last");
	complete.parts = NULL;
	complete.part_bytes_min = SMALL + 1;
	IS_INT(upload_complete(s, &complete), ERR_ENTITY_TOO_SMALL, "a part that is too small");
	IS_INT(complete.bad_part, 1, "which");
	IS_INT(head_object(s, id, S("k")), ERR_NO_SUCH_KEY, "nothing has come of all that");
}

static void completion(struct store *s, uint64_t id, uint64_t upload)
{
	static const unsigned numbers[] = {1, 3, 9};
	static const size_t lens[] = {SMALL, LARGE, 1000};
	struct store_part_named parts[] = {named(1, SMALL), named(3, LARGE), named(9, 1000)};
	struct store_multipart_complete complete = {.bucket_id = id,
		.key = S("k"),
		.upload = upload,
		.parts = parts,
		.part_count = 3,
		.part_bytes_min = 102400};
	size_t len;
	char *all = joined(numbers, lens, 3, &len);
	SCOPED_STRBUF(md5s, 1000);
	unsigned char md5[MD5_BYTES];
	for (size_t i = 0; i < 3; i++)
		hex_encode_upper(&md5s, slice_of((const char *)parts[i].md5, MD5_BYTES));
	md5_of(strbuf_slice(&md5s), md5);
	IS_INT(upload_complete(s, &complete), ERR_OK, "an upload is completed without part 4");
	OK(complete.object.crc64 == crc64_update(0, slice_of(all, len)), "the CRC is of all");
	OK(complete.object.size == len && complete.object.parts == 3 &&
			memcmp(complete.object.md5, md5, MD5_BYTES) == 0,
		"and so are size and MD5");
	OK(object_is(s, id, S("k"), slice_of(all, len)), "the object is its parts");
	IS_INT(upload_complete(s, &complete), ERR_NO_SUCH_UPLOAD, "once");
	IS_INT(put_part(s, id, S("k"), upload, 5, S("late"), NULL), ERR_NO_SUCH_UPLOAD,
		"nor can it get another part");
	free(all);
}

/* Reads from around each border of the object's parts. */
static void reading_from_anywhere(struct store *s, uint64_t id)
{
	static const unsigned numbers[] = {1, 3, 9};
	static const size_t lens[] = {SMALL, LARGE, 1000};
	size_t len;
	char *all = joined(numbers, lens, 3, &len);
	const size_t first = part_bytes(1, SMALL).len;
	const size_t second = first + part_bytes(3, LARGE).len;
	const size_t from[] = {0, first - 1, first, first + 1, 1, second - 1, len - 1, second, 0};
	struct store_get get;
	bool ok = get_begin(s, id, S("k"), false, &get) == ERR_OK;
	OK(ok && slice_eq(get.object.headers, S("A: b\r\n")), "headers are the upload's");
	for (size_t i = 0; i < ARRAY_LEN(from) && ok; i++) {
		char *got = get_bytes(s, &get, from[i]);
		ok = got && memcmp(got, all + from[i], len - from[i]) == 0;
		free(got);
	}
	OK(ok, "and it can be read from any byte on, forth and back");
	store_get_release(s, &get);
	free(all);
}

static void uploads_are_listed(struct store *s, uint64_t id)
{
	static const char *const keys[] = {"a/1", "a/2", "b", "b", "c/x", "d"};
	uint64_t ids[ARRAY_LEN(keys)];
	bool ok = true;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		ok = upload_begin(s, id, slice_str(keys[i]), S(""), &ids[i]) == ERR_OK && ok;
	struct store_list_multiparts list = {
		.bucket_id = id, .delimiter = S("/"), .max_uploads = 1000};
	ok = list_uploads(s, &list) == ERR_OK && ok;
	OK(ok && list.count == 5 && !list.truncated && list.uploads[0].is_prefix &&
			slice_eq(list.uploads[0].key, S("a/")) &&
			list.uploads[1].upload == ids[2] && list.uploads[2].upload == ids[3] &&
			slice_eq(list.uploads[3].key, S("c/")) && list.uploads[4].upload == ids[5],
		"uploads are listed and rolled up");
	store_list_multiparts_release(s, &list);
	list.key_marker = S("b");
	list.upload_marker = ids[2];
	list.max_uploads = 1;
	ok = list_uploads(s, &list) == ERR_OK;
	OK(ok && list.count == 1 && list.truncated && list.uploads[0].upload == ids[3],
		"from an upload on");
	store_list_multiparts_release(s, &list);
	list.upload_marker = 0;
	list.delimiter = S("");
	ok = list_uploads(s, &list) == ERR_OK;
	OK(ok && list.count == 1 && slice_eq(list.uploads[0].key, S("c/x")), "or from a key on");
	store_list_multiparts_release(s, &list);
	list.delimiter = S("/");
	list.key_marker = S("a/");
	list.prefix = S("a/");
	list.max_uploads = 10;
	ok = list_uploads(s, &list) == ERR_OK;
	OK(ok && list.count == 2 && slice_eq(list.uploads[0].key, S("a/1")),
		"below a prefix that is the marker");
	store_list_multiparts_release(s, &list);
	IS_INT(bucket_delete(s, S("bucket")), ERR_BUCKET_NOT_EMPTY, "uploads fill a bucket");
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		ok = upload_abort(s, id, slice_str(keys[i]), ids[i]) == ERR_OK && ok;
	OK(ok, "until they are aborted");
	IS_INT(upload_abort(s, id, S("d"), ids[5]), ERR_NO_SUCH_UPLOAD, "once");
}

static void uploads(const struct backend *backend)
{
	struct store *s = backend_open(backend);
	uint64_t id = make_bucket(s);
	uint64_t upload = four_parts(s, id, S("k"));
	IS_INT(put_part(s, id, S("k"), upload, 9, S("other"), NULL), ERR_OK, "a part is replaced");
	IS_INT(put_part(s, id, S("k"), upload, 9, part_bytes(9, 1000), NULL), ERR_OK, "and again");
	parts_are_listed(s, id, upload);
	completion_refuses(s, id, upload);
	completion(s, id, upload);
	reading_from_anywhere(s, id);
	uploads_are_listed(s, id);
	s = backend_reopen(backend, s);
	reading_from_anywhere(s, id);
	IS_INT(delete_object(s, id, S("k"), NULL), ERR_OK, "it is deleted");
	IS_INT(bucket_delete(s, S("bucket")), ERR_OK, "and nothing is left of the bucket");
	store_close(s);
}

/* ---- Appending ------------------------------------------------------------------------------- */

static void appending(const struct backend *backend)
{
	struct store *s = backend_open(backend);
	uint64_t id = make_bucket(s);
	struct store_object object;
	IS_INT(append(s, id, S("log"), 1, S("x"), &object), ERR_POSITION_NOT_EQUAL_TO_LENGTH,
		"nothing is appended behind the end");
	IS_INT(object.size, 0, "which is told");
	IS_INT(append(s, id, S("log"), 0, S(""), &object), ERR_OK, "an empty object can grow");
	IS_INT(append(s, id, S("log"), 0, S("one,"), &object), ERR_OK, "it grows");
	IS_INT(append(s, id, S("log"), 4, part_bytes(0, LARGE), &object), ERR_OK, "by much");
	IS_INT(append(s, id, S("log"), 4 + LARGE, S(""), &object), ERR_OK, "by nothing");
	IS_INT(append(s, id, S("log"), 4 + LARGE, S(",two"), &object), ERR_OK, "by little");
	OK(object.size == LARGE + 8 && object.type == STORE_APPENDABLE, "the whole is told");
	char *all = malloc(LARGE + 8);
	memcpy(all, "one,", 4);
	memcpy(all + 4, pattern, LARGE);
	memcpy(all + 4 + LARGE, ",two", 4);
	OK(object.crc64 == crc64_update(0, slice_of(all, LARGE + 8)), "with its CRC");
	IS_INT(append(s, id, S("log"), 4, S("x"), &object), ERR_POSITION_NOT_EQUAL_TO_LENGTH,
		"not in the middle");
	IS_INT(object.size, LARGE + 8, "its length is told");
	OK(object_is(s, id, S("log"), slice_of(all, LARGE + 8)), "all of it is there");
	struct store_get get;
	bool ok = get_begin(s, id, S("log"), false, &get) == ERR_OK;
	OK(ok && slice_eq(get.object.headers, S("A: appended\r\n")), "with the first headers");
	IS_INT(append(s, id, S("log"), LARGE + 8, S("unseen"), &object), ERR_OK, "it grows on");
	char *got = get_bytes(s, &get, 3);
	OK(got && memcmp(got, all + 3, LARGE + 5) == 0 && get.object.size == LARGE + 8,
		"a reader sees it as it was");
	free(got);
	store_get_release(s, &get);
	s = backend_reopen(backend, s);
	IS_INT(append(s, id, S("log"), LARGE + 14, S("!"), &object), ERR_OK, "also when reopened");
	IS_INT(put_object(s, id, S("log"), S("plain"), NULL), ERR_OK, "it is put over");
	IS_INT(append(s, id, S("log"), 5, S("x"), &object), ERR_NOT_APPENDABLE, "and then fixed");
	OK(object_is(s, id, S("log"), S("plain")), "as it was put");
	free(all);
	store_close(s);
}

/* ---- Crashes --------------------------------------------------------------------------------- */

/* A copy of the folder at rest is what a crash leaves: the index has nothing, the log all. */
static void replaying(void)
{
	static const unsigned numbers[] = {1, 3, 9};
	static const size_t lens[] = {SMALL, LARGE, 1000};
	char path[FOLDER_PATH_MAX];
	char image[FOLDER_PATH_MAX];
	struct store_part_named parts[] = {named(1, SMALL), named(3, LARGE), named(9, 1000)};
	size_t len;
	char *all = joined(numbers, lens, 3, &len);
	folder_make(path);
	folder_make(image);
	folder_remove(image);
	struct store *s = open_with(path, 3600000);
	uint64_t id = make_bucket(s);
	uint64_t done = four_parts(s, id, S("done"));
	uint64_t open = four_parts(s, id, S("open"));
	uint64_t gone = four_parts(s, id, S("gone"));
	struct store_multipart_complete complete = {
		.bucket_id = id, .key = S("done"), .upload = done, .parts = parts, .part_count = 3};
	bool ok = upload_complete(s, &complete) == ERR_OK &&
		  upload_abort(s, id, S("gone"), gone) == ERR_OK &&
		  append(s, id, S("log"), 0, S("one"), NULL) == ERR_OK &&
		  append(s, id, S("log"), 3, part_bytes(0, LARGE), NULL) == ERR_OK &&
		  append(s, id, S("log"), 3 + LARGE, S("three"), NULL) == ERR_OK &&
		  /* The copy of a segment may lack the zeros behind the last record. */
		  put_object(s, id, S("last"), S("12345678"), NULL) == ERR_OK;
	OK(ok, "an upload is done, one open, one aborted, and something was appended");
	folder_copy(path, image);
	store_close(s);
	for (int round = 0; round < 2; round++) {
		s = open_with(image, round ? 5 : 3600000);
		OK(object_is(s, id, S("done"), slice_of(all, len)), "what was done is there");
		struct store_list_parts list = {
			.bucket_id = id, .key = S("open"), .upload = open, .max_parts = 10};
		IS_INT(list_parts(s, &list), ERR_OK, "what was open is open");
		IS_INT(list.count, 4, "with its parts");
		store_list_parts_release(s, &list);
		IS_INT(put_part(s, id, S("gone"), gone, 1, S("x"), NULL), ERR_NO_SUCH_UPLOAD,
			"what was aborted is not");
		struct store_get get;
		ok = get_begin(s, id, S("log"), true, &get) == ERR_OK;
		IS_INT(ok ? (int)get.object.size : -1, LARGE + 8, "and all was appended");
		store_get_release(s, &get);
		store_close(s);
	}
	free(all);
	folder_remove(path);
	folder_remove(image);
}

/* ---- Collection ------------------------------------------------------------------------------ */

static bool large_files_are(const char *path, uint64_t files)
{
	for (int64_t end = clock_monotonic_ms() + 60000; clock_monotonic_ms() < end;) {
		if (folder_count(path, "large").files == files)
			return true;
		(void)usleep(2000);
	}
	return false;
}

static bool segments_shrink_to(const char *path, uint64_t disk_bytes)
{
	for (int64_t end = clock_monotonic_ms() + 60000; clock_monotonic_ms() < end;) {
		if (folder_count(path, "segments").disk_bytes <= disk_bytes)
			return true;
		(void)usleep(2000);
	}
	return false;
}

/* Parts are taken from under nobody, and given back when nobody needs them. */
static void collecting(void)
{
	char path[FOLDER_PATH_MAX];
	folder_make(path);
	struct store *s = open_with(path, 5);
	uint64_t id = make_bucket(s);
	uint64_t upload;
	static const unsigned numbers[] = {1, 2};
	static const size_t lens[] = {SMALL, LARGE};
	size_t len;
	char *all = joined(numbers, lens, 2, &len);
	struct store_multipart_complete complete = {.bucket_id = id, .key = S("k")};
	bool ok = upload_begin(s, id, S("k"), S(""), &upload) == ERR_OK &&
		  put_part(s, id, S("k"), upload, 1, part_bytes(1, SMALL), NULL) == ERR_OK &&
		  put_part(s, id, S("k"), upload, 2, S("replaced"), NULL) == ERR_OK &&
		  put_part(s, id, S("k"), upload, 2, part_bytes(2, LARGE), NULL) == ERR_OK;
	complete.upload = upload;
	ok = ok && upload_complete(s, &complete) == ERR_OK;
	/* Fill several segments around the small part, and let go of most of it. */
	for (unsigned i = 0; i < 150; i++) {
		char key[8];
		(void)snprintf(key, sizeof(key), "f%u", i);
		ok = put_object(s, id, slice_str(key), part_bytes(i, SMALL), NULL) == ERR_OK &&
		     append(s, id, S("log"), i * (uint64_t)1000, slice_of(pattern + i, 1000),
			     NULL) == ERR_OK &&
		     ok;
	}
	OK(ok, "parts among other objects");
	struct store_get get;
	ok = get_begin(s, id, S("k"), false, &get) == ERR_OK;
	for (unsigned i = 0; i < 150; i++) {
		char key[8];
		(void)snprintf(key, sizeof(key), "f%u", i);
		ok = delete_object(s, id, slice_str(key), NULL) == ERR_OK && ok;
	}
	OK(ok && segments_shrink_to(path, MIB(13)), "space comes back");
	OK(object_is(s, id, S("k"), slice_of(all, len)), "parts were moved and are whole");
	struct store_get wal;
	ok = get_begin(s, id, S("log"), false, &wal) == ERR_OK;
	char *got = ok ? get_bytes(s, &wal, 0) : NULL;
	for (unsigned i = 0; i < 150 && ok; i++)
		ok = got && memcmp(got + i * (size_t)1000, pattern + i, 1000) == 0;
	OK(ok, "and so is what was appended");
	free(got);
	store_get_release(s, &wal);
	IS_INT(delete_object(s, id, S("k"), NULL), ERR_OK, "the object is deleted");
	/* The collector has gone round at least once when this upload's file is gone. */
	ok = upload_begin(s, id, S("x"), S(""), &upload) == ERR_OK &&
	     put_part(s, id, S("x"), upload, 1, part_bytes(0, LARGE), NULL) == ERR_OK &&
	     upload_abort(s, id, S("x"), upload) == ERR_OK;
	OK(ok && large_files_are(path, 1), "an aborted upload gives its space back");
	got = get_bytes(s, &get, 5);
	OK(got && memcmp(got, all + 5, len - 5) == 0, "who reads what was deleted reads on");
	free(got);
	store_get_release(s, &get);
	OK(large_files_are(path, 0), "then its space comes back");
	IS_INT(delete_object(s, id, S("log"), NULL), ERR_OK, "without objects");
	OK(segments_shrink_to(path, MIB(9)), "there is next to nothing");
	struct store_stats stats;
	store_stats(s, &stats);
	OK(stats.objects == 0 && stats.bytes == 0, "and it counts nothing");
	store_close(s);
	free(all);
	folder_remove(path);
}

/* However many deleted objects are read, what nobody reads is given back. */
static void many_readers(void)
{
	char path[FOLDER_PATH_MAX];
	folder_make(path);
	struct store *s = open_with(path, 5);
	uint64_t id = make_bucket(s);
	static struct store_get readers[READERS];
	struct store_multipart_complete complete = {.bucket_id = id, .key = S("k")};
	uint64_t upload;
	bool ok = true;
	for (unsigned i = 0; i < READERS; i++)
		ok = upload_begin(s, id, S("k"), S(""), &complete.upload) == ERR_OK &&
		     put_part(s, id, S("k"), complete.upload, 1, S("part"), NULL) == ERR_OK &&
		     upload_complete(s, &complete) == ERR_OK &&
		     get_begin(s, id, S("k"), false, &readers[i]) == ERR_OK && ok;
	ok = delete_object(s, id, S("k"), NULL) == ERR_OK && ok;
	ok = upload_begin(s, id, S("x"), S(""), &upload) == ERR_OK &&
	     put_part(s, id, S("x"), upload, 1, part_bytes(1, LARGE), NULL) == ERR_OK &&
	     upload_abort(s, id, S("x"), upload) == ERR_OK && ok;
	OK(ok && large_files_are(path, 0), "what others read is in nobody's way");
	for (unsigned i = 0; i < READERS; i++) {
		char *got = get_bytes(s, &readers[i], 0);
		ok = got && memcmp(got, "part", 4) == 0 && ok;
		free(got);
		store_get_release(s, &readers[i]);
	}
	OK(ok, "who reads what was replaced or deleted reads on");
	store_close(s);
	folder_remove(path);
}

int main(void)
{
	make_pattern();
	each_backend(3600000, uploads);
	each_backend(3600000, appending);
	replaying();
	collecting();
	many_readers();
	free(pattern);
	return tap_done();
}
