/* SPDX-License-Identifier: Apache-2.0 */
/* A store whose buckets cannot all be loaded does not open: it would lose what is in them. */
#include <fcntl.h>
#include <inttypes.h>

#include "base/limits.h"
#include "store/local/disk/bytes.h"
#include "store/local/index/index.h"
#include "store/local/local.h"
#include "store/local/wal/record.h"
#include "tap.h"
#include "unit/store/blocking.h"
#include "unit/store/folder.h"

static char folder[FOLDER_PATH_MAX];

static enum err open_store(struct store **ret)
{
	const struct local_options options = {.path = folder, .clock = &clock_system};
	return local_store_open(&options, ret);
}

/* Whether the store opens. */
static bool opens(void)
{
	struct store *s;
	if (open_store(&s) != ERR_OK)
		return false;
	store_close(s);
	return true;
}

static struct index *open_index(void)
{
	char path[2 * FOLDER_PATH_MAX];
	struct index *index;
	(void)snprintf(path, sizeof(path), "%s/index", folder);
	if (index_open(path, &index) != ERR_OK)
		abort();
	return index;
}

/* What the index has of the bucket, on the heap. */
static char *read_bucket(struct slice name, size_t *ret_len)
{
	struct index *index = open_index();
	struct index_value value;
	struct key key;
	key_bucket(&key, name);
	if (index_get(index, &key, false, &value) != INDEX_FOUND)
		abort();
	char *copy = malloc(value.bytes.len);
	if (!copy)
		abort();
	memcpy(copy, value.bytes.ptr, value.bytes.len);
	*ret_len = value.bytes.len;
	index_value_release(&value);
	index_close(index);
	return copy;
}

/* Writes as many buckets with this value as are asked for; the first has the name. */
static void write_buckets(struct slice name, struct slice value, unsigned count)
{
	struct index *index = open_index();
	struct index_tx *tx = index_tx_new(index);
	char text[64];
	struct key key;
	if (!tx)
		abort();
	for (unsigned i = 0; i < count; i++) {
		(void)snprintf(text, sizeof(text), "%.*s%.0u", SLICE_FMT(name), i);
		key_bucket(&key, slice_str(text));
		index_tx_put(tx, &key, value);
	}
	if (index_tx_write(tx) != ERR_OK || index_flush(index) != ERR_OK)
		abort();
	index_tx_free(tx);
	index_close(index);
}

static bool object_is_there(void)
{
	struct store *s;
	if (open_store(&s) != ERR_OK)
		return false;
	bool there = object_is(s, bucket_id(s, S("bucket")), S("key"), S("bytes"));
	store_close(s);
	return there;
}

/* Gives the first record of the log, which makes the bucket, an ACL that there is not. */
static void damage_record(const char *segment)
{
	unsigned char salt[8];
	unsigned char record[512] = {0};
	struct record parsed;
	SCOPED_FD int fd = open(segment, O_RDWR | O_CLOEXEC);
	if (fd < 0 || pread(fd, salt, sizeof(salt), 32) != (ssize_t)sizeof(salt) ||
		pread(fd, record, sizeof(record), SEGMENT_HEADER_BYTES) < RECORD_HEADER_BYTES)
		abort();
	size_t meta = RECORD_HEADER_BYTES + le16_get(record + 6);
	record[meta + 24] = 99;
	record_seal(record, le64_get(salt), le64_get(record + 16), le64_get(record + 16), S(""));
	if (record_parse(slice_of(record, sizeof(record)), le64_get(salt), &parsed) != RECORD_OK ||
		parsed.kind != RECORD_BUCKET ||
		pwrite(fd, record, parsed.total, SEGMENT_HEADER_BYTES) != (ssize_t)parsed.total)
		abort();
}

/* The folder after a crash, with a bucket that only the log knows of. */
static void crashed_with_a_damaged_record(void)
{
	char image[FOLDER_PATH_MAX];
	char segment[2 * FOLDER_PATH_MAX];
	struct store *s;
	folder_make(image);
	folder_remove(image);
	folder_make(folder);
	if (open_store(&s) != ERR_OK)
		abort();
	(void)bucket_create(s, S("bucket"), STORE_ACL_PRIVATE);
	folder_copy(folder, image);
	store_close(s);
	folder_remove(folder);
	(void)snprintf(folder, sizeof(folder), "%s", image);
	(void)snprintf(segment, sizeof(segment), "%s/segments/0000000000000001.seg", image);
	damage_record(segment);
	OK(!opens(), "a bucket that is damaged in the log: the store does not open");
	folder_remove(folder);
}

int main(void)
{
	struct store *s;
	size_t len;
	folder_make(folder);
	if (open_store(&s) != ERR_OK)
		return 1;
	(void)bucket_create(s, S("bucket"), STORE_ACL_PRIVATE);
	OK(put_object(s, bucket_id(s, S("bucket")), S("key"), S("bytes"), NULL) == ERR_OK,
		"a bucket with an object");
	store_close(s);

	SCOPED_FREE char *good = read_bucket(S("bucket"), &len);
	write_buckets(S("bucket"), slice_of(good, len - 1), 1);
	OK(!opens(), "a bucket that is damaged in the index: the store does not open");
	write_buckets(S("bucket"), slice_of(good, len), LIMIT_BUCKETS + 1);
	OK(open_store(&s) == ERR_OK, "with more buckets than there may be it does");
	IS_INT(bucket_create(s, S("another"), STORE_ACL_PRIVATE), ERR_TOO_MANY_BUCKETS,
		"but makes no other");
	store_close(s);
	folder_remove(folder);

	if (mkdir(folder, 0700) != 0 || open_store(&s) != ERR_OK)
		return 1;
	(void)bucket_create(s, S("bucket"), STORE_ACL_PRIVATE);
	(void)put_object(s, bucket_id(s, S("bucket")), S("key"), S("bytes"), NULL);
	store_close(s);
	SCOPED_FREE char *again = read_bucket(S("bucket"), &len);
	write_buckets(S("bucket"), S("damaged"), 1);
	OK(!opens(), "a value that is too short");
	write_buckets(S("bucket"), slice_of(again, len), 1);
	OK(object_is_there(), "nothing is lost: with the value as it was the object is there");
	folder_remove(folder);
	crashed_with_a_damaged_record();
	return tap_done();
}
