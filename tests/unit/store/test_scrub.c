/* SPDX-License-Identifier: Apache-2.0 */
/* The scrub finds what is damaged, tells of it once, and goes on where it was. */
#undef _FORTIFY_SOURCE /* its pread() is an inline function */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>

#include "backup/backup.h"
#include "backup/restore.h"
#include "base/limits.h"
#include "store/local/large/sums.h"
#include "store/local/local.h"
#include "store/local/rebuild/rebuild.h"
#include "store/local/scrub/pace.h"
#include "store/local/scrub/place.h"
#include "store/local/state/local_internal.h"
#include "tap.h"
#include "unit/store/checked.h"
#include "unit/store/cut_log.h"
#include "unit/store/rows.h"
#include "unit/store/versions.h"

enum {
	SMALL = 5000,
	LARGE = LIMIT_INLINE_BYTES + 3 * BLOCK_CHECK_BYTES + 70,
	ITEMS = 9,
};

#define FAST (UINT64_C(1) << 40)

/* In the place of the C library's: of files whose path has this a sector cannot be read. */
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

/* ---- What is stored -------------------------------------------------------------------------- */

/* Bytes that tell one thing from another. */
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

/* Each kind of place that bytes may lie in; `line` is what the log says of it. */
struct item {
	const char *what;
	const char *line;
	size_t len;
	size_t at; /* the byte that is damaged */
};

static const struct item items[ITEMS] = {
	{"a small object", "bucket=bucket key=\"small\" version=", SMALL, 4000},
	{"an older version", "bucket=bucket key=\"both\" version=", SMALL, 10},
	{"a large object", "bucket=bucket key=\"large\" version=", LARGE, BLOCK_CHECK_BYTES + 9},
	{"an older large one", "bucket=bucket key=\"both\" version=", LARGE, LARGE - 1},
	{"a small part of an open upload", "bucket=bucket key=\"open\" version=null", SMALL, 0},
	{"a large part of one", "bucket=bucket key=\"open\" version=null", LARGE, 5},
	{"a part of an object", "bucket=bucket key=\"whole\" version=", SMALL, 77},
	{"a piece that was appended", "bucket=bucket key=\"log\" version=", SMALL, 1},
	{"a large piece", "bucket=bucket key=\"log\" version=", LARGE, 300000},
};

static struct store *open_store(const char *path, uint64_t rate, uint64_t interval_ms)
{
	const struct local_options options = {.path = path,
		.clock = &clock_system,
		.segment_bytes = MIB(4),
		.gc_interval_ms = 3600000,
		.scrub_bytes_per_second = rate,
		.scrub_interval_ms = interval_ms};
	struct store *s;
	if (local_store_open(&options, &s) != ERR_OK) {
		OK(false, "the store opens");
		exit(1);
	}
	return s;
}

static void make_all(char *path)
{
	uint64_t open = 0;
	uint64_t done = 0;
	folder_make(path);
	struct store *s = open_store(path, 0, 0);
	bool ok = bucket_create(s, S("bucket"), STORE_ACL_PRIVATE) == ERR_OK &&
		  set_versioning(s, S("bucket"), STORE_VERSIONED) == ERR_OK;
	uint64_t id = bucket_id(s, S("bucket"));
	ok = ok && put_object(s, id, S("small"), bytes_of(0, SMALL), NULL) == ERR_OK &&
	     put_object(s, id, S("both"), bytes_of(1, SMALL), NULL) == ERR_OK &&
	     put_object(s, id, S("both"), bytes_of(3, LARGE), NULL) == ERR_OK &&
	     put_object(s, id, S("both"), S("now"), NULL) == ERR_OK &&
	     put_object(s, id, S("large"), bytes_of(2, LARGE), NULL) == ERR_OK &&
	     upload_begin(s, id, S("open"), S(""), &open) == ERR_OK &&
	     put_part(s, id, S("open"), open, 1, bytes_of(4, SMALL), NULL) == ERR_OK &&
	     put_part(s, id, S("open"), open, 2, bytes_of(5, LARGE), NULL) == ERR_OK &&
	     upload_begin(s, id, S("whole"), S(""), &done) == ERR_OK &&
	     put_part(s, id, S("whole"), done, 1, bytes_of(6, SMALL), NULL) == ERR_OK &&
	     append(s, id, S("log"), 0, bytes_of(7, SMALL), NULL) == ERR_OK &&
	     append(s, id, S("log"), SMALL, bytes_of(8, LARGE), NULL) == ERR_OK;
	struct store_multipart_complete complete = {
		.bucket_id = id, .key = S("whole"), .upload = done};
	ok = ok && upload_complete(s, &complete) == ERR_OK;
	OK(ok, "a folder with bytes of all kinds");
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

/* Where the bytes lie: the file's path into `ret`, of 2 * FOLDER_PATH_MAX. */
static off_t find_bytes(const char *folder, struct slice bytes, char *ret)
{
	char path[FOLDER_PATH_MAX];
	char *const paths[] = {path, NULL};
	off_t found = -1;
	(void)snprintf(path, sizeof(path), "%s", folder);
	FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	if (!walk)
		abort();
	for (const FTSENT *at; found < 0 && (at = fts_read(walk)) != NULL;) {
		size_t len;
		if (at->fts_info != FTS_F || strstr(at->fts_path, "/index/"))
			continue;
		char *all = read_all(at->fts_path, &len);
		const char *here = memmem(all, len, bytes.ptr, bytes.len);
		if (here)
			found = here - all;
		free(all);
		(void)snprintf(ret, 2 * FOLDER_PATH_MAX, "%s", at->fts_path);
	}
	(void)fts_close(walk);
	if (found < 0)
		abort();
	return found;
}

static void flip(const char *path, off_t at)
{
	unsigned char byte;
	int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 || pread(fd, &byte, 1, at) != 1)
		abort();
	byte ^= 0x10;
	if (pwrite(fd, &byte, 1, at) != 1 || close(fd) != 0)
		abort();
}

/* ---- Passes ---------------------------------------------------------------------------------- */

/* What the log says meanwhile; on the heap. */
struct caught {
	FILE *file;
	int kept;
};

static void catch_begin(struct caught *caught)
{
	caught->file = tmpfile();
	caught->kept = dup(STDERR_FILENO);
	if (!caught->file || caught->kept < 0 || dup2(fileno(caught->file), STDERR_FILENO) < 0)
		abort();
}

static char *catch_end(struct caught *caught)
{
	if (dup2(caught->kept, STDERR_FILENO) < 0 || close(caught->kept) != 0)
		abort();
	off_t len = lseek(fileno(caught->file), 0, SEEK_END);
	char *text = calloc(1, (size_t)len + 1);
	if (!text || pread(fileno(caught->file), text, (size_t)len, 0) != len)
		abort();
	(void)fclose(caught->file);
	return text;
}

static unsigned count_text(const char *text, const char *part)
{
	unsigned count = 0;
	for (const char *at = text; (at = strstr(at, part)) != NULL; at++)
		count++;
	return count;
}

static bool has_ended(struct store *s, int64_t after_ms)
{
	struct store_stats stats;
	for (int64_t end = clock_monotonic_ms() + 60000; clock_monotonic_ms() < end;) {
		store_stats(s, &stats);
		if (stats.scrub.ended_ms > after_ms)
			return true;
		(void)usleep(1000);
	}
	return false;
}

/* One whole pass; what the log said meanwhile, for the caller to free. */
static char *pass(const char *path, struct store_stats *ret)
{
	struct caught caught;
	struct scrub_place before;
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	scrub_place_load(dir, &before);
	(void)close(dir);
	/* The time of the last one must be another. */
	(void)usleep(2000);
	catch_begin(&caught);
	struct store *s = open_store(path, FAST, 1);
	/* The first may be one that the start before has begun, and goes on somewhere. */
	bool ended = has_ended(s, before.ended_ms);
	store_stats(s, ret);
	ended = ended && has_ended(s, ret->scrub.ended_ms);
	/* What is under way now finds the same. */
	store_stats(s, ret);
	store_close(s);
	char *text = catch_end(&caught);
	if (!ended)
		OK(false, "a pass ends");
	return text;
}

/* ---- The tests ------------------------------------------------------------------------------- */

static void pacing(void)
{
	static const uint64_t rates[] = {1, 7, 999, 1000, 4194304, FAST};
	bool ok = true;
	for (size_t i = 0; i < ARRAY_LEN(rates); i++) {
		struct pace pace = {.rate = rates[i]};
		uint64_t read = 0;
		uint64_t rested_ms = 0;
		for (uint64_t step = 1; step < 5000; step++) {
			read += step * 31;
			rested_ms += pace_rest_ms(&pace, step * 31);
			/* As many as the rate permits in that time, and in one millisecond more. */
			ok = ok && read * 1000 < (rested_ms + 1) * rates[i] &&
			     read * 1000 >= rested_ms * rates[i];
		}
	}
	OK(ok, "rests are as long as the rate says, to the millisecond");
}

static void place_file(void)
{
	static struct scrub_place place = {.pass = 3,
		.begun_ms = 5,
		.ended_ms = 4,
		.segment = 9,
		.offset = 64,
		.end_segment = 12,
		.end_offset = 4096,
		.done = 1,
		.total = 1000};
	static struct scrub_place got;
	static unsigned char bytes[SCRUB_PLACE_MAX];
	bool added = true;
	for (uint64_t i = 0; i < LIMIT_SCRUB_PLACES; i++)
		added = scrub_place_add(&place, i % 2, i, i * 3) && added;
	OK(added && !scrub_place_add(&place, false, 1, 1), "as many places as there is room for");
	size_t len = scrub_place_write(&place, bytes);
	OK(len == SCRUB_PLACE_MAX && scrub_place_parse(slice_of((const char *)bytes, len), &got) &&
			got.pass == 3 && got.begun_ms == 5 && got.ended_ms == 4 &&
			got.segment == 9 && got.offset == 64 && got.end_segment == 12 &&
			got.end_offset == 4096 && got.done == 1 && got.total == 1000 &&
			got.count == place.count,
		"are read as they were written");
	OK(scrub_place_knows(&got, true, 7, 21) && !scrub_place_knows(&got, false, 7, 21) &&
			!scrub_place_knows(&got, true, 7, 22),
		"each is known");
	got.pass = 4;
	OK(scrub_place_knows(&got, false, 8, 24), "one is seen again");
	scrub_place_forget(&got);
	OK(got.count == 1 && got.damaged[0].number == 8, "then the others are forgotten");
	unsigned refused = 0;
	for (size_t i = 0; i < len; i++) {
		bytes[i] ^= 4;
		refused += !scrub_place_parse(slice_of((const char *)bytes, len), &got);
		bytes[i] ^= 4;
	}
	OK(refused == len, "with any flipped bit it is refused");
	for (size_t i = 0; i < len; i++)
		refused += !scrub_place_parse(slice_of((const char *)bytes, i), &got);
	OK(refused == 2 * len, "and cut short at any byte");
}

static void all_is_well(const char *base)
{
	char path[FOLDER_PATH_MAX];
	struct store_stats stats;
	copy_all(base, path);
	char *text = pass(path, &stats);
	OK(stats.scrub.damaged == 0 && stats.damaged_reads == 0, "nothing is damaged");
	OK(stats.scrub.files >= 4 && stats.scrub.records >= 13, "files and records were read");
	OK(stats.scrub.bytes > (uint64_t)4 * LARGE, "all of their bytes");
	OK(stats.scrub.sums_added == 0 && !strstr(text, "scrub"), "there is nothing to say");
	free(text);
	OK(checked_clean(path), "and fsck finds nothing");
	folder_remove(path);
}

static void flipped_bits(const char *base)
{
	for (unsigned i = 0; i < ITEMS; i++) {
		char path[FOLDER_PATH_MAX];
		char file[2 * FOLDER_PATH_MAX];
		struct store_stats stats;
		copy_all(base, path);
		off_t at = find_bytes(path, bytes_of(i, items[i].len), file) + (off_t)items[i].at;
		flip(file, at);
		char *text = pass(path, &stats);
		OK(stats.scrub.damaged == 1 && stats.damaged_reads == 1 &&
				count_text(text, "an object is damaged") == 1,
			"%s: a flipped bit is found, and told once", items[i].what);
		OK(strstr(text, items[i].line) && strstr(text, file + strlen(path) + 1),
			"with key, version and file");
		free(text);
		text = pass(path, &stats);
		OK(stats.scrub.damaged == 1 && stats.damaged_reads == 0 &&
				!strstr(text, "an object is damaged"),
			"the next pass does not tell it again");
		free(text);
		flip(file, at);
		free(pass(path, &stats));
		OK(stats.scrub.damaged == 0, "once it is well it is forgotten");
		folder_remove(path);
	}
}

/* Flips a bit of a record's name, or of its header: what no object's bytes are in. */
static void damaged_records(const char *base)
{
	char path[FOLDER_PATH_MAX];
	char file[2 * FOLDER_PATH_MAX];
	struct store_stats stats;
	copy_all(base, path);
	off_t at = find_bytes(path, bytes_of(0, SMALL), file);
	size_t len;
	char *all = read_all(file, &len);
	const char *name = memmem(all, len, "small", 5);
	flip(file, name - all);
	free(all);
	OK(name - all < at, "a record's name is damaged");
	char *text = pass(path, &stats);
	OK(stats.scrub.damaged == 1 && stats.damaged_reads == 0 &&
			count_text(text,
				"the log is damaged: file=segments/0000000000000001.seg") == 1 &&
			!strstr(text, "an object is damaged"),
		"which is told, and the object is not said to be damaged");
	free(text);
	folder_remove(path);
}

static void missing_files(const char *base)
{
	char path[FOLDER_PATH_MAX];
	char file[2 * FOLDER_PATH_MAX];
	struct store_stats stats;
	copy_all(base, path);
	(void)find_bytes(path, bytes_of(2, LARGE), file);
	OK(truncate(file, LARGE / 2) == 0, "a large file is cut short");
	(void)find_bytes(path, bytes_of(5, LARGE), file);
	OK(unlink(file) == 0, "another is gone");
	char *text = pass(path, &stats);
	OK(stats.scrub.damaged == 2 && strstr(text, "key=\"large\"") &&
			strstr(text, "key=\"open\""),
		"both are told");
	free(text);
	folder_remove(path);
}

static void unreadable(const char *base)
{
	char path[FOLDER_PATH_MAX];
	char file[2 * FOLDER_PATH_MAX];
	struct store_stats stats;
	copy_all(base, path);
	bad_at = find_bytes(path, bytes_of(2, LARGE), file) + BLOCK_CHECK_BYTES + 4096;
	bad_path = file + strlen(path);
	char *text = pass(path, &stats);
	OK(stats.scrub.damaged == 1 && count_text(text, "an object is damaged") == 1 &&
			strstr(text, "key=\"large\""),
		"a sector that cannot be read is damage of the file, told once");
	free(text);
	bad_path = NULL;
	free(pass(path, &stats));
	OK(stats.scrub.damaged == 0, "until it can be read again");
	bad_at = find_bytes(path, bytes_of(0, SMALL), file);
	bad_path = file + strlen(path);
	text = pass(path, &stats);
	bad_path = NULL;
	OK(stats.scrub.damaged == 1 && strstr(text, "key=\"small\""),
		"in the log it is damage of the object");
	free(text);
	folder_remove(path);
}

/* ---- Older files ----------------------------------------------------------------------------- */

/* Takes the mark of sums out of all records, and the sums out of the files. */
static unsigned forget_sums(const char *path)
{
	char file[2 * FOLDER_PATH_MAX];
	uint64_t salt;
	size_t len;
	unsigned changed = 0;
	cut_log_name(path, 1, file);
	char *all = read_all(file, &len);
	memcpy(&salt, all + 32, sizeof(salt));
	struct record record;
	for (size_t at = SEGMENT_HEADER_BYTES;
		record_parse(slice_of(all + at, len - at), salt, &record) == RECORD_OK;
		at += record.total) {
		struct object_meta meta;
		if (record.kind == RECORD_BUCKET || !object_meta_parse(record.meta, &meta) ||
			!meta.has_sums)
			continue;
		unsigned char *head = (unsigned char *)all + at;
		meta.has_sums = false;
		char text[4096];
		if (meta.object.headers.len)
			memcpy(text, meta.object.headers.ptr, meta.object.headers.len);
		meta.object.headers.ptr = text;
		object_meta_write(head + RECORD_HEADER_BYTES + record.name.len, &meta);
		record_seal(head, salt, record.sequence, record.batch, record.data);
		char large[2 * FOLDER_PATH_MAX];
		(void)snprintf(
			large, sizeof(large), "%s/large/%013x/%016" PRIx64, path, 0, meta.file);
		if (truncate(large, (off_t)meta.object.size) != 0)
			abort();
		changed++;
	}
	int fd = open(file, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || pwrite(fd, all, len, 0) != (ssize_t)len || close(fd) != 0)
		abort();
	free(all);
	struct rebuild_result result;
	if (rebuild_index(&(struct rebuild_options){.path = path}, &result) != ERR_OK)
		abort();
	return changed;
}

static uint64_t files_without_sums(const char *path)
{
	struct fsck_result result;
	const char *temp = getenv("TMPDIR");
	enum err e = fsck(
		&(struct fsck_options){
			.path = path, .temp = temp ? temp : "/tmp", .found = checked_tell},
		&result);
	return e == ERR_OK && result.findings == 0 ? result.unchecked_ranges : UINT64_MAX;
}

static enum block_check_kind check_of(struct store *s, uint64_t id, struct slice key)
{
	struct store_get get;
	if (get_begin(s, id, key, false, &get) != ERR_OK)
		return BLOCK_CHECK_NONE;
	enum block_check_kind kind = get.blob.check.kind;
	store_get_release(s, &get);
	return kind;
}

static void older_files(const char *base)
{
	char path[FOLDER_PATH_MAX];
	char file[2 * FOLDER_PATH_MAX];
	struct store_stats stats;
	copy_all(base, path);
	OK(forget_sums(path) == 4 && files_without_sums(path) == 4,
		"four files of an older version have no sums");
	off_t at = find_bytes(path, bytes_of(5, LARGE), file);
	flip(file, at + 7);
	free(pass(path, &stats));
	OK(stats.scrub.damaged == 1 && stats.scrub.sums_added == 3,
		"those that are whole get some");
	flip(file, at + 7);
	OK(files_without_sums(path) == 1, "the damaged one does not");
	free(pass(path, &stats));
	OK(stats.scrub.sums_added == 1 && files_without_sums(path) == 0, "until it is whole");
	OK(rows_same_after_rebuild(path), "the log says so too");
	struct store *s = open_store(path, 0, 0);
	uint64_t id = bucket_id(s, S("bucket"));
	OK(check_of(s, id, S("large")) == BLOCK_CHECK_BLOCKS, "now a range can be checked");
	struct store_metadata_update change = {
		.bucket_id = id, .key = S("large"), .set_tags = true, .tags = S("a=b")};
	OK(object_change(s, &change) == ERR_OK &&
			check_of(s, id, S("large")) == BLOCK_CHECK_BLOCKS &&
			object_is(s, id, S("large"), bytes_of(2, LARGE)),
		"also when more was changed");
	store_close(s);
	OK(rows_same_after_rebuild(path) && checked_clean(path), "and the folder is clean");
	folder_remove(path);
}

/* A backup copies what got sums since the one before, and calls nothing of it damaged. */
static void older_files_in_backups(const char *base)
{
	char path[FOLDER_PATH_MAX];
	char copies[FOLDER_PATH_MAX];
	char restored[FOLDER_PATH_MAX];
	struct store_stats stats;
	struct backup_result made;
	struct restore_result back;
	copy_all(base, path);
	folder_make(copies);
	folder_make(restored);
	(void)forget_sums(path);
	const struct backup_options options = {.data = path, .destination = copies};
	OK(backup_make(&options, &made) == ERR_OK && made.damaged == 0, "a backup without sums");
	free(pass(path, &stats));
	OK(stats.scrub.sums_added == 4, "then they are added");
	OK(backup_make(&options, &made) == ERR_OK && made.damaged == 0 &&
			made.copied_bytes > (uint64_t)4 * LARGE,
		"the next backup copies the files again");
	OK(backup_make(&options, &made) == ERR_OK && made.damaged == 0 && made.copied_bytes < LARGE,
		"and the one behind it does not");
	OK(backup_restore(&(struct restore_options){.source = copies, .data = restored}, &back) ==
				ERR_OK &&
			back.damaged == 0 && back.lost == 0 && files_without_sums(restored) == 0,
		"what is restored has them");
	folder_remove(path);
	folder_remove(copies);
	folder_remove(restored);
}

/* ---- Restarts -------------------------------------------------------------------------------- */

enum {
	MANY = 40,
	MANY_BYTES = 300000, /* a dozen in a segment */
};

static void restarts(void)
{
	char path[FOLDER_PATH_MAX];
	struct store_stats stats;
	uint64_t records = 0;
	uint64_t bytes = 0;
	folder_make(path);
	struct store *s = open_store(path, 0, 0);
	bool ok = bucket_create(s, S("bucket"), STORE_ACL_PRIVATE) == ERR_OK;
	uint64_t id = bucket_id(s, S("bucket"));
	for (unsigned i = 0; i < MANY; i++) {
		char key[] = {(char)('0' + i)};
		ok = put_object(s, id, slice_of(key, 1), bytes_of(0, MANY_BYTES), NULL) == ERR_OK &&
		     ok;
	}
	store_close(s);
	unsigned segments = folder_count(path, "segments").files;
	OK(ok && segments >= 3, "a log of %u segments", segments);
	unsigned starts = 0;
	do {
		/* One byte a second: behind the first segment it would rest for weeks. */
		s = open_store(path, 1, 0);
		do {
			(void)usleep(1000);
			store_stats(s, &stats);
		} while (stats.scrub.bytes == 0 && stats.scrub.ended_ms == 0);
		(void)usleep(20000);
		store_stats(s, &stats);
		store_close(s);
		records += stats.scrub.records;
		bytes += stats.scrub.bytes;
		ok = ok && stats.scrub.bytes <= MIB(4);
		starts++;
	} while (stats.scrub.ended_ms == 0 && starts < 100);
	OK(ok, "a start reads no more than what it rests for");
	IS_INT(starts, segments + 1, "each goes on where the one before was");
	IS_INT(records, MANY + 1, "each record is read once");
	OK(bytes > (uint64_t)MANY * MANY_BYTES, "all of the log");
	s = open_store(path, FAST, 0);
	do {
		(void)usleep(20000);
		store_stats(s, &stats);
	} while (stats.scrub.ended_ms == 0 && stats.scrub.bytes == 0);
	OK(stats.scrub.bytes == 0 && stats.scrub.ended_ms > 0, "the next pass is due in a week");
	store_close(s);
	folder_remove(path);
}

/* ---- Others at work -------------------------------------------------------------------------- */

static void deletes_and_collection(void)
{
	char path[FOLDER_PATH_MAX];
	char key[16];
	struct store_stats stats;
	unsigned rounds = UNDER_TSAN || UNDER_ASAN ? 100 : 400;
	folder_make(path);
	const struct local_options options = {.path = path,
		.clock = &clock_system,
		.segment_bytes = MIB(4),
		.gc_interval_ms = 1,
		.gc_bytes_per_second = FAST,
		.scrub_bytes_per_second = FAST,
		.scrub_interval_ms = 1};
	struct store *s;
	struct caught caught;
	catch_begin(&caught);
	bool ok = local_store_open(&options, &s) == ERR_OK &&
		  bucket_create(s, S("bucket"), STORE_ACL_PRIVATE) == ERR_OK;
	uint64_t id = bucket_id(s, S("bucket"));
	for (unsigned i = 0; i < rounds && ok; i++) {
		struct slice name = slice_of(key, (size_t)snprintf(key, sizeof(key), "k%u", i % 7));
		struct slice bytes = i % 5 == 0 ? bytes_of(1, LARGE) : bytes_of(2, 200000);
		ok = put_object(s, id, name, bytes, NULL) == ERR_OK;
		if (i % 3 == 0)
			ok = delete_object(s, id, name, NULL) == ERR_OK && ok;
	}
	store_stats(s, &stats);
	ok = ok && has_ended(s, stats.scrub.ended_ms);
	store_stats(s, &stats);
	store_close(s);
	char *text = catch_end(&caught);
	OK(ok && stats.scrub.damaged == 0 && !strstr(text, "damaged"),
		"what goes meanwhile is not taken for damage");
	if (strstr(text, "damaged"))
		printf("# %s\n", text);
	free(text);
	OK(checked_clean(path), "and the folder is clean");
	folder_remove(path);
}

int main(void)
{
	char base[FOLDER_PATH_MAX];
	pacing();
	place_file();
	make_all(base);
	all_is_well(base);
	flipped_bits(base);
	damaged_records(base);
	missing_files(base);
	unreadable(base);
	older_files(base);
	older_files_in_backups(base);
	folder_remove(base);
	restarts();
	deletes_and_collection();
	return tap_done();
}
