/* SPDX-License-Identifier: Apache-2.0 */
/* Backups of a data folder that the disk damages, and restores of a backup that it does. */
#undef _FORTIFY_SOURCE /* its pread() is an inline function */

#include <errno.h>
#include <sys/syscall.h>

#include "backup/backup.h"
#include "backup/restore.h"
#include "base/limits.h"
#include "store/local/local.h"
#include "store/local/rebuild/rebuild.h"
#include "tap.h"
#include "unit/store/cut_log.h"
#include "unit/store/versions.h"

enum {
	LARGE = LIMIT_INLINE_BYTES + 70000,
};

/* In the place of the C library's: the new index cannot take its place. */
static bool exchange_fails;

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
	errno = EIO;
	return exchange_fails ? -1 : (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}

/* Likewise: of files whose path has this a sector cannot be read. */
static const char *bad_path;
static off_t bad_at;

ssize_t pread(int fd, void *to, size_t len, off_t at)
{
	char link[64];
	char path[2 * FOLDER_PATH_MAX] = "";
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (!bad_path || at >= bad_at + 512 || at + (off_t)len <= bad_at ||
		readlink(link, path, sizeof(path) - 1) <= 0 || !strstr(path, bad_path))
		return syscall(SYS_pread64, fd, to, len, at);
	errno = EIO;
	return -1;
}

static char folder[FOLDER_PATH_MAX];
static char data[FOLDER_PATH_MAX + 16];
static char copy[FOLDER_PATH_MAX + 16];
static char restored[FOLDER_PATH_MAX + 16];
static struct cut_log cut;
static char bytes[LARGE];

static struct store *open_store(const char *path)
{
	const struct local_options options = {.path = path,
		.clock = &clock_system,
		.segment_bytes = MIB(4),
		.gc_interval_ms = 3600000};
	struct store *s;
	if (local_store_open(&options, &s) != ERR_OK)
		abort();
	return s;
}

static void begin(void)
{
	folder_make(folder);
	(void)snprintf(data, sizeof(data), "%s/data", folder);
	(void)snprintf(copy, sizeof(copy), "%s/copy", folder);
	(void)snprintf(restored, sizeof(restored), "%s/restored", folder);
}

static struct slice large(char with)
{
	memset(bytes, with, sizeof(bytes));
	return slice_of(bytes, sizeof(bytes));
}

static struct backup_result back_up(void)
{
	struct backup_result result;
	const struct backup_options options = {.data = data, .destination = copy};
	IS_INT(backup_make(&options, &result), ERR_OK, "a backup is made");
	return result;
}

static struct restore_result restore(bool takes_damaged)
{
	struct restore_result result;
	const struct restore_options options = {
		.source = copy, .data = restored, .takes_damaged = takes_damaged};
	folder_remove(restored);
	IS_INT(backup_restore(&options, &result), ERR_OK, "it is restored");
	return result;
}

/* ---- The records of make_objects() ----------------------------------------------------------- */

enum {
	BUCKET,
	PUT_FIRST,
	PUT_SMALL,
	PUT_SECOND,
	PUT_LAST,
	RECORDS,
};

/* Two large objects and two small ones, in a closed folder whose records are in `cut`. */
static void make_objects(void)
{
	begin();
	struct store *s = open_store(data);
	bool ok = bucket_create(s, S("b"), STORE_ACL_PRIVATE) == ERR_OK;
	uint64_t id = bucket_id(s, S("b"));
	ok = put_object(s, id, S("first"), large('1'), NULL) == ERR_OK &&
	     put_object(s, id, S("small"), S("some bytes"), NULL) == ERR_OK &&
	     put_object(s, id, S("second"), large('2'), NULL) == ERR_OK &&
	     put_object(s, id, S("last"), S("other bytes"), NULL) == ERR_OK && ok;
	store_close(s);
	cut_log_begin(&cut, data);
	OK(ok && cut.count == RECORDS, "two large objects and two small ones");
}

/* Which of them the restored folder has, as bits in that order. */
static unsigned objects_restored(void)
{
	struct store *s = open_store(restored);
	uint64_t id = bucket_id(s, S("b"));
	unsigned has = (unsigned)object_is(s, id, S("first"), large('1')) |
		       (unsigned)object_is(s, id, S("small"), S("some bytes")) << 1 |
		       (unsigned)object_is(s, id, S("second"), large('2')) << 2 |
		       (unsigned)object_is(s, id, S("last"), S("other bytes")) << 3;
	store_close(s);
	return has;
}

/* ---- The end of a segment whose neighbour was collected -------------------------------------- */

static void ends_unknown(void)
{
	make_objects();
	cut_log_segment(&cut, 1);
	cut_log_add_some(&cut, BUCKET, PUT_SECOND);
	uint64_t at = cut_log_add(&cut, PUT_SECOND);
	cut.sequence = 51;
	cut_log_segment(&cut, 3);
	(void)cut_log_add(&cut, PUT_LAST);
	cut_log_end(&cut);
	IS_INT((long long)back_up().damaged, 0, "a neighbour that was collected is no damage");
	folder_remove(copy);
	cut_log_flip(data, 1, at + RECORD_HEADER_BYTES + 4);
	IS_INT((long long)back_up().damaged, 1, "the record before it is: it is told");
	IS_INT((long long)back_up().damaged, 1, "also by the next: the copy is not final");
	IS_INT((long long)restore(false).lost, 1, "and by a restore");
	IS_INT(objects_restored(), 1 | 2 | 8, "all others are there");
	folder_remove(folder);
}

/* ---- A copy that is better than what is there now -------------------------------------------- */

static uint64_t last_at; /* the last record of the first segment */

/* All but the last are in a segment that another follows. */
static void deal_out(void)
{
	make_objects();
	cut_log_segment(&cut, 1);
	cut_log_add_some(&cut, BUCKET, PUT_SECOND);
	last_at = cut_log_add(&cut, PUT_SECOND);
	cut_log_segment(&cut, 2);
	(void)cut_log_add(&cut, PUT_LAST);
	cut_log_end(&cut);
}

static void is_restored(unsigned objects, uint64_t lost)
{
	struct restore_result result = restore(false);
	IS_INT((long long)result.lost, (long long)lost, "so many places are lost");
	IS_INT(objects_restored(), objects, "and those objects are there");
}

static void header(void)
{
	deal_out();
	(void)back_up();
	cut_log_flip(data, 1, 50);
	IS_INT((long long)back_up().damaged, 1, "the header of a segment is damaged: it is told");
	IS_INT((long long)back_up().damaged, 1, "each time");
	is_restored(15, 0);
	folder_remove(copy);
	IS_INT((long long)back_up().damaged, 1, "without a copy of it");
	is_restored(15, 1);
	folder_remove(folder);
}

static void tail(bool is_last)
{
	deal_out();
	(void)back_up();
	cut_log_flip(data, 1,
		(is_last ? last_at : (uint64_t)SEGMENT_HEADER_BYTES) + RECORD_HEADER_BYTES);
	IS_INT((long long)back_up().damaged, 1, "what is compared with the copy is damaged");
	IS_INT((long long)back_up().damaged, 1, "it is told each time");
	is_restored(15, 0);
	folder_remove(folder);
}

/* The last segment, which grows between the two backups. */
static void growing(void)
{
	make_objects();
	cut_log_segment(&cut, 1);
	(void)cut_log_add(&cut, BUCKET);
	uint64_t at = cut_log_add(&cut, PUT_FIRST);
	(void)cut_log_add(&cut, PUT_SMALL);
	(void)back_up();
	cut_log_add_some(&cut, PUT_SECOND, RECORDS);
	cut_log_end(&cut);
	cut_log_flip(data, 1, at + RECORD_HEADER_BYTES);
	struct backup_result result = back_up();
	OK(result.damaged == 1 && result.copied_files == 3,
		"a record of the last segment is damaged: %d places, %d files are new",
		(int)result.damaged, (int)result.copied_files);
	is_restored(15, 0);
	folder_remove(folder);
}

static void large_name(char *to, unsigned number)
{
	(void)snprintf(to, 2 * FOLDER_PATH_MAX, "%s/large/0000000000000/%016x", data, number);
}

static void large_files(void)
{
	char name[2 * FOLDER_PATH_MAX];
	deal_out();
	(void)back_up();
	large_name(name, 1);
	if (truncate(name, LARGE / 2) != 0)
		abort();
	IS_INT((long long)back_up().damaged, 1, "a large file is cut short");
	is_restored(15, 0);
	large_name(name, 2);
	if (unlink(name) != 0)
		abort();
	struct backup_result result = back_up();
	OK(result.damaged == 1 && result.gone == 1, "another is missing: its copy is kept");
	IS_INT((long long)back_up().gone, 1, "also by the next backup");
	is_restored(15, 0);
	folder_remove(folder);
}

/* It was deleted: what no record needs does not stay in what is restored. */
static void deleted(void)
{
	char name[2 * FOLDER_PATH_MAX];
	begin();
	struct store *s = open_store(data);
	bool ok = bucket_create(s, S("b"), STORE_ACL_PRIVATE) == ERR_OK;
	uint64_t id = bucket_id(s, S("b"));
	ok = put_object(s, id, S("first"), large('1'), NULL) == ERR_OK &&
	     put_object(s, id, S("second"), large('2'), NULL) == ERR_OK && ok;
	(void)back_up();
	ok = delete_object(s, id, S("first"), NULL) == ERR_OK && ok;
	store_close(s);
	large_name(name, 1);
	(void)unlink(name); /* as the collector would */
	IS_INT((long long)back_up().gone, 1, "a large object was deleted");
	OK(restore(false).lost == 0 && objects_restored() == 4, "and it is in what is restored");
	s = open_store(restored);
	bool gone = false;
	for (int64_t end = clock_monotonic_ms() + 60000; !gone && clock_monotonic_ms() < end;) {
		gone = folder_count(restored, "large").files == 1;
		(void)usleep(2000);
	}
	store_close(s);
	OK(gone && folder_count(restored, "damaged").files == 0, "but its file goes");
	folder_remove(folder);
}

/* ---- A damaged backup ------------------------------------------------------------------------ */

static void short_segment(void)
{
	char name[2 * FOLDER_PATH_MAX];
	struct stat st;
	make_objects();
	cut_log_segment(&cut, 1);
	cut_log_add_some(&cut, BUCKET, RECORDS);
	cut_log_end(&cut);
	(void)back_up();
	(void)snprintf(name, sizeof(name), "%s/segments/0000000000000001-1", copy);
	if (stat(name, &st) != 0 || truncate(name, st.st_size - 10) != 0)
		abort();
	struct restore_result result = restore(true);
	IS_INT((long long)result.damaged, 1, "a segment that is too short is told");
	IS_INT(objects_restored(), 7, "and all that it still has is there");
	folder_remove(folder);
}

static void lost_format(bool is_missing)
{
	char name[2 * FOLDER_PATH_MAX];
	deal_out();
	(void)back_up();
	(void)snprintf(name, sizeof(name), "%s/files/format-1", copy);
	if (is_missing ? unlink(name) != 0 : truncate(name, 5) != 0)
		abort();
	OK(restore(true).damaged == 1, "the file `format` is %s",
		is_missing ? "missing" : "damaged");
	IS_INT(objects_restored(), 15, "all objects are there");
	folder_remove(folder);
}

/* All files are there, and the index cannot be made. */
static void without_index(void)
{
	struct restore_result result;
	struct rebuild_result rebuilt;
	deal_out();
	(void)back_up();
	const struct restore_options options = {.source = copy, .data = restored};
	exchange_fails = true;
	OK(backup_restore(&options, &result) != ERR_OK && result.has_files,
		"the index cannot be made, and that is said");
	exchange_fails = false;
	OK(backup_restore(&options, &result) != ERR_OK && !result.has_files,
		"again it cannot be done: all files are there");
	IS_INT(rebuild_index(&(struct rebuild_options){.path = restored}, &rebuilt), ERR_OK,
		"a rebuild makes it");
	IS_INT(objects_restored(), 15, "and all objects are there");
	folder_remove(folder);
}

/* ---- A sector that cannot be read ------------------------------------------------------------ */

static void unread_data(void)
{
	deal_out();
	(void)back_up();
	bad_at = SEGMENT_HEADER_BYTES;
	bad_path = "data/segments/0000000000000001.seg";
	IS_INT((long long)back_up().damaged, 1, "a sector of the log cannot be read: it is told");
	bad_path = NULL;
	is_restored(15, 0);
	folder_remove(copy);
	bad_at = LARGE / 2;
	bad_path = "data/large/0000000000000/0000000000000001";
	IS_INT((long long)back_up().damaged, 1, "one of a large file");
	bad_path = NULL;
	is_restored(14, 1);
	folder_remove(copy);
	bad_at = 0;
	bad_path = "data/segments/0000000000000001.seg";
	IS_INT((long long)back_up().damaged, 1, "one with a header, without a copy of it");
	bad_path = NULL;
	folder_remove(folder);
}

static void unread_backup(void)
{
	struct restore_result result;
	deal_out();
	(void)back_up();
	bad_at = LARGE / 2;
	bad_path = "copy/large/0000000000000/0000000000000001";
	struct restore_options options = {.source = copy, .data = restored, .only_checks = true};
	OK(backup_restore(&options, &result) == ERR_OK && result.damaged == 1,
		"a sector of the backup cannot be read: all else is checked");
	options.only_checks = false;
	OK(backup_restore(&options, &result) != ERR_OK && result.damaged == 1,
		"it is not restored");
	IS_INT((long long)restore(true).damaged, 1, "unless that is wanted");
	bad_path = NULL;
	IS_INT(objects_restored(), 14, "then all else is there");
	folder_remove(folder);
}

/* ---- A folder that was restored, and the one that it is a copy of ---------------------------- */

/* Fills a segment, with an end that is always the same. */
static void go_on(const char *path, char with)
{
	enum {
		EACH = 400000,
		COUNT = 14,
	};
	struct store *s = open_store(path);
	uint64_t id = bucket_id(s, S("b"));
	bool ok = put_object(s, id, S("own"), slice_head(large(with), 3000), NULL) == ERR_OK;
	/* Each stays, so that the collector finds nothing. */
	for (unsigned i = 0; i < COUNT; i++) {
		char name = (char)('a' + i);
		ok = put_object(s, id, slice_of(&name, 1), slice_head(large('-'), EACH), NULL) ==
			     ERR_OK &&
		     ok;
	}
	OK(ok && cut_log_has(path, 2), "one goes on");
	store_close(s);
}

static void two_that_went_on(void)
{
	begin();
	struct store *s = open_store(data);
	OK(bucket_create(s, S("b"), STORE_ACL_PRIVATE) == ERR_OK, "a bucket");
	store_close(s);
	(void)back_up();
	(void)restore(false);
	go_on(data, 'A');
	go_on(restored, 'B');
	(void)back_up();
	/* The other into the same folder. */
	(void)snprintf(data, sizeof(data), "%s/restored", folder);
	(void)back_up();
	(void)snprintf(restored, sizeof(restored), "%s/again", folder);
	(void)restore(false);
	s = open_store(restored);
	OK(object_is(s, bucket_id(s, S("b")), S("own"), slice_head(large('B'), 3000)),
		"its backup has its own log");
	store_close(s);
	folder_remove(folder);
}

int main(void)
{
	two_that_went_on();
	unread_data();
	unread_backup();
	short_segment();
	lost_format(true);
	lost_format(false);
	without_index();
	header();
	tail(false);
	tail(true);
	growing();
	large_files();
	deleted();
	ends_unknown();
	return tap_done();
}
