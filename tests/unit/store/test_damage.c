/* SPDX-License-Identifier: Apache-2.0 */
/* What a start makes of a folder that the disk has damaged. */
#include <fcntl.h>
#include <inttypes.h>

#include "base/limits.h"
#include "store/local/local.h"
#include "store/local/wal/record.h"
#include "tap.h"
#include "unit/store/blocking.h"
#include "unit/store/folder.h"

enum {
	LARGE_BYTES = 3 << 20,
	ONE_BIT = 0x10, /* of a record: what it said is found out */
	TWO_BITS = 0x90,
};

static struct store *try_open(const char *path)
{
	struct local_options options = {.path = path,
		.clock = &clock_system,
		.segment_bytes = MIB(4),
		.gc_interval_ms = 3600000};
	struct store *s;
	return local_store_open(&options, &s) == ERR_OK ? s : NULL;
}

static struct store *open_at(const char *path)
{
	struct store *s = try_open(path);
	if (!s) {
		OK(false, "the store opens");
		exit(1);
	}
	return s;
}

static char *large_bytes(void)
{
	char *bytes = malloc(LARGE_BYTES);
	if (!bytes)
		abort();
	for (size_t i = 0; i < LARGE_BYTES; i++)
		bytes[i] = (char)(i * 2654435761u >> 11);
	return bytes;
}

static void segment_path(const char *folder, unsigned number, char *ret)
{
	(void)snprintf(ret, 2 * FOLDER_PATH_MAX, "%s/segments/%016x.seg", folder, number);
}

static off_t size_of(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 ? st.st_size : -1;
}

/* Where the zeros begin with which the file ends. */
static off_t end_of(const char *path)
{
	FILE *in = fopen(path, "re");
	off_t end = 0;
	if (!in)
		abort();
	for (int c, at = 0; (c = fgetc(in)) != EOF; at++)
		if (c)
			end = at + 1;
	(void)fclose(in);
	return end;
}

static void flip(const char *path, off_t at, unsigned char bits)
{
	unsigned char byte;
	int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 || pread(fd, &byte, 1, at) != 1)
		abort();
	byte ^= bits;
	if (pwrite(fd, &byte, 1, at) != 1 || close(fd) != 0)
		abort();
}

static bool file_is(const char *folder, const char *name, const char *bytes, size_t len)
{
	char path[2 * FOLDER_PATH_MAX];
	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	SCOPED_FREE char *got = malloc(len);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool same = got && fd >= 0 && pread(fd, got, len, 0) == (ssize_t)len &&
		    memcmp(got, bytes, len) == 0;
	if (fd >= 0)
		(void)close(fd);
	return same;
}

/* ---- Nothing is swept ------------------------------------------------------------------------ */

/* The folder of a running store as a SIGKILL would leave it. */
static bool copy_killed(const char *folder, char *ret_image)
{
	char segment[2 * FOLDER_PATH_MAX];
	folder_make(ret_image);
	folder_remove(ret_image);
	folder_copy(folder, ret_image);
	/* The copy has lost the zeros behind, which may be a record's. */
	segment_path(ret_image, 1, segment);
	return truncate(segment, size_of(segment) + 4096) == 0;
}

/* The store with a bucket, and objects as the name says: s a small one, l a large one. */
static void make_killed(const char *objects, char *ret_image)
{
	char path[FOLDER_PATH_MAX];
	SCOPED_FREE char *large = large_bytes();
	folder_make(path);
	struct store *s = open_at(path);
	bool ok = bucket_create(s, S("bucket"), STORE_ACL_PRIVATE) == ERR_OK;
	uint64_t id = bucket_id(s, S("bucket"));
	for (size_t i = 0; objects[i]; i++) {
		char key[] = {(char)('0' + i)};
		struct slice bytes = objects[i] == 'l' ? slice_of(large, LARGE_BYTES) : S("small");
		ok = put_object(s, id, slice_of(key, 1), bytes, NULL) == ERR_OK && ok;
	}
	ok = copy_killed(path, ret_image) && ok;
	OK(ok, "a store with the objects %s", objects);
	store_close(s);
	folder_remove(path);
}

static void damaged_tail(void)
{
	char image[FOLDER_PATH_MAX];
	char segment[2 * FOLDER_PATH_MAX];
	SCOPED_FREE char *large = large_bytes();
	make_killed("sl", image);
	segment_path(image, 1, segment);
	flip(segment, end_of(segment) - 20, TWO_BITS);
	struct store *s = open_at(image);
	uint64_t id = bucket_id(s, S("bucket"));
	OK(object_is(s, id, S("0"), S("small")), "the last record is damaged: others are there");
	IS_INT(head_object(s, id, S("1")), ERR_NO_SUCH_KEY, "its object is not");
	OK(folder_count(image, "large").files == 0 && folder_count(image, "damaged").files == 2,
		"its file and its record are moved aside");
	OK(file_is(image, "damaged/large-0000000000000001", large, LARGE_BYTES),
		"the file is whole there");
	OK(put_object(s, id, S("2"), slice_of(large, LARGE_BYTES), NULL) == ERR_OK,
		"another large object is taken");
	store_close(s);
	s = open_at(image);
	OK(object_is(s, id, S("2"), slice_of(large, LARGE_BYTES)) &&
			folder_count(image, "large").files == 1 &&
			folder_count(image, "damaged").files == 2,
		"which is there after another start, and nothing else has moved");
	store_close(s);
	folder_remove(image);
}

static void damaged_middle(void)
{
	char image[FOLDER_PATH_MAX];
	char segment[2 * FOLDER_PATH_MAX];
	SCOPED_FREE char *large = large_bytes();
	make_killed("l", image);
	segment_path(image, 1, segment);
	off_t at = end_of(segment) - 20;
	folder_remove(image);
	make_killed("lsl", image);
	segment_path(image, 1, segment);
	flip(segment, at, TWO_BITS);
	struct store *s = open_at(image);
	struct store_stats stats;
	uint64_t id = bucket_id(s, S("bucket"));
	store_stats(s, &stats);
	OK(stats.start_damage == 1, "a damaged record before others is counted");
	OK(head_object(s, id, S("0")) == ERR_NO_SUCH_KEY && object_is(s, id, S("1"), S("small")) &&
			object_is(s, id, S("2"), slice_of(large, LARGE_BYTES)),
		"the others are there");
	OK(folder_count(image, "large").files == 1 &&
			file_is(image, "damaged/large-0000000000000001", large, LARGE_BYTES),
		"the file of the damaged one is moved aside");
	store_close(s);
	folder_remove(image);
}

/* ---- One bit --------------------------------------------------------------------------------- */

/* Flips a bit of each `kind` of record in the log but those of objects whose key is `but`. */
static unsigned flip_each(const char *folder, enum record_kind kind, const char *but)
{
	static char bytes[1 << 20];
	char segment[2 * FOLDER_PATH_MAX];
	unsigned count = 0;
	segment_path(folder, 1, segment);
	int fd = open(segment, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : pread(fd, bytes, sizeof(bytes), 0);
	if (got < 0 || close(fd) != 0)
		abort();
	for (ssize_t at = 0; at + RECORD_HEADER_BYTES < got; at += RECORD_ALIGN) {
		const char *record = bytes + at;
		if (memcmp(record, "PsR1", 4) != 0 || record[4] != (char)kind ||
			memcmp(record + RECORD_HEADER_BYTES, but, strlen(but)) == 0)
			continue;
		flip(segment, at + RECORD_HEADER_BYTES, ONE_BIT);
		count++;
	}
	return count;
}

/* What a start reads of the log although a bit of it was flipped. */
static void one_bit(void)
{
	char path[FOLDER_PATH_MAX];
	char image[FOLDER_PATH_MAX];
	struct store_stats stats;
	SCOPED_FREE char *large = large_bytes();
	folder_make(path);
	struct store *s = open_at(path);
	bool ok = bucket_create(s, S("bucket"), STORE_ACL_PRIVATE) == ERR_OK;
	uint64_t id = bucket_id(s, S("bucket"));
	ok = put_object(s, id, S("deleted"), S("bytes"), NULL) == ERR_OK &&
	     put_object(s, id, S("small"), S("older"), NULL) == ERR_OK && ok;
	store_close(s); /* Both are in the index. */
	s = open_at(path);
	ok = delete_object(s, id, S("deleted"), NULL) == ERR_OK &&
	     put_object(s, id, S("small"), S("newer"), NULL) == ERR_OK &&
	     put_object(s, id, S("large"), slice_of(large, LARGE_BYTES), NULL) == ERR_OK && ok;
	ok = copy_killed(path, image) && ok;
	store_close(s);
	folder_remove(path);
	OK(ok && flip_each(image, RECORD_OBJECT_DELETE, "-") == 1 &&
			flip_each(image, RECORD_OBJECT, "deleted") == 3,
		"in the log of a killed store bits were flipped");
	s = open_at(image);
	store_stats(s, &stats);
	IS_INT((long long)stats.start_damage, 3, "each in what the index did not have is told");
	IS_INT(head_object(s, id, S("deleted")), ERR_NO_SUCH_KEY, "what was deleted stays so");
	OK(object_is(s, id, S("large"), slice_of(large, LARGE_BYTES)),
		"a large object is there, though its record is the last");
	OK(!object_is(s, id, S("small"), S("older")) && head_object(s, id, S("small")) == ERR_OK,
		"no older object is shown");
	OK(folder_count(image, "damaged").files == 0, "nothing is moved aside");
	OK(put_object(s, id, S("small"), S("newest"), NULL) == ERR_OK &&
			object_is(s, id, S("small"), S("newest")),
		"changes go on behind them");
	store_close(s);
	folder_remove(image);
}

static void cut_off_upload(void)
{
	char image[FOLDER_PATH_MAX];
	char orphan[2 * FOLDER_PATH_MAX];
	make_killed("sl", image);
	(void)snprintf(orphan, sizeof(orphan), "%s/large/0000000000000/0000000000000009", image);
	int fd = open(orphan, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	OK(fd >= 0 && close(fd) == 0, "a file of an upload that was cut off");
	store_close(open_at(image));
	OK(size_of(orphan) < 0 && folder_count(image, "damaged").files == 0,
		"is removed when nothing is damaged");
	folder_remove(image);
}

/* ---- The length of the log ------------------------------------------------------------------- */

static void cut_short(void)
{
	char path[FOLDER_PATH_MAX];
	char segment[2 * FOLDER_PATH_MAX];
	SCOPED_FREE char *large = large_bytes();
	folder_make(path);
	struct store *s = open_at(path);
	(void)bucket_create(s, S("bucket"), STORE_ACL_PRIVATE);
	uint64_t id = bucket_id(s, S("bucket"));
	struct slice small = slice_of(large, KIB(100));
	OK(put_object(s, id, S("a"), small, NULL) == ERR_OK &&
			put_object(s, id, S("b"), small, NULL) == ERR_OK,
		"two objects, and a clean stop");
	store_close(s);
	segment_path(path, 1, segment);
	off_t cut = end_of(segment) - 50000;
	OK(truncate(segment, cut) == 0, "the segment is cut short");
	for (int round = 0; round < 3; round++) {
		struct store_get get;
		struct store_stats stats;
		s = open_at(path);
		store_stats(s, &stats);
		OK(round || stats.start_damage > 0, "the start tells");
		OK(size_of(segment) == cut, "what is missing is not filled with zeros");
		OK(object_is(s, id, S("a"), small), "what is whole is there");
		enum err e = get_begin(s, id, S("b"), false, &get);
		SCOPED_FREE char *got = e == ERR_OK ? get_bytes(s, &get, 0) : NULL;
		OK(!got, "what is not cannot be read");
		if (e == ERR_OK)
			store_get_release(s, &get);
		if (round == 1)
			OK(put_object(s, id, S("c"), small, NULL) == ERR_OK, "the store goes on");
		OK(round == 0 || object_is(s, id, S("c"), small), "behind it");
		store_close(s);
	}
	OK(truncate(segment, 40) == 0, "not even its header is left");
	s = open_at(path);
	OK(object_is(s, id, S("c"), small), "what follows is there");
	store_close(s);
	folder_remove(path);
}

static void cut_to_nothing(void)
{
	char path[FOLDER_PATH_MAX];
	char segment[2 * FOLDER_PATH_MAX];
	folder_make(path);
	struct store *s = open_at(path);
	(void)bucket_create(s, S("bucket"), STORE_ACL_PRIVATE);
	store_close(s);
	segment_path(path, 1, segment);
	OK(truncate(segment, 40) == 0, "the only segment has lost its header");
	OK(!try_open(path), "the store does not open");
	OK(size_of(segment) == 40, "and does not remove what is left");
	folder_remove(path);
}

int main(void)
{
	damaged_tail();
	damaged_middle();
	one_bit();
	cut_off_upload();
	cut_short();
	cut_to_nothing();
	return tap_done();
}
