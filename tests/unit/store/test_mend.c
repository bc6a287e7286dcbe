/* SPDX-License-Identifier: Apache-2.0 */
/* A disk that fails and is well again: changes go on without a start, and nothing is in doubt. */
#undef _FORTIFY_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "base/limits.h"
#include "store/local/local.h"
#include "tap.h"
#include "unit/store/blocking.h"
#include "unit/store/folder.h"

/* ---- Calls that fail when told to: these take the place of the C library's --------------------
 */

/* What a call does to files whose path has `part` in it. */
struct failing {
	const char *part;
	atomic_int e;
	atomic_int after; /* so many that succeed */
};

static struct failing sync_log = {.part = ".seg"};       /* fdatasync() */
static struct failing make_log = {.part = ".seg"};       /* fsync() */
static struct failing take_log = {.part = ".seg"};       /* fallocate() */
static struct failing cut_log = {.part = ".seg"};        /* ftruncate() */
static struct failing write_index = {.part = "/index/"}; /* write() */
static struct failing sync_index = {.part = "/index/"};  /* fdatasync() and fsync() */
static struct failing open_index = {.part = "/index/"};  /* open() */
static struct failing name_index = {.part = "/index/"};  /* rename() */
static struct failing drop_index = {.part = "/index/"};  /* unlink() */

static bool fails_at(struct failing *failing, const char *path)
{
	if (!failing->e || !strstr(path, failing->part))
		return false;
	if (failing->after > 0 && atomic_fetch_sub(&failing->after, 1) > 0)
		return false;
	errno = failing->e;
	return true;
}

static bool fails(struct failing *failing, int fd)
{
	char link[64];
	char path[512];
	if (!failing->e)
		return false;
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, sizeof(path) - 1);
	path[n > 0 ? n : 0] = 0;
	return fails_at(failing, path);
}

int open(const char *path, int flags, ...)
{
	va_list rest;
	va_start(rest, flags);
	int mode = flags & O_CREAT ? va_arg(rest, int) : 0;
	va_end(rest);
	return fails_at(&open_index, path) ? -1
					   : (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int rename(const char *from, const char *to)
{
	return fails_at(&name_index, to) ? -1 : (int)syscall(SYS_rename, from, to);
}

int unlink(const char *path)
{
	return fails_at(&drop_index, path) ? -1 : (int)syscall(SYS_unlink, path);
}

int fdatasync(int fd)
{
	return fails(&sync_log, fd) || fails(&sync_index, fd) ? -1
							      : (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
	return fails(&make_log, fd) || fails(&sync_index, fd) ? -1 : (int)syscall(SYS_fsync, fd);
}

int fallocate(int fd, int mode, off_t from, off_t len)
{
	return fails(&take_log, fd) ? -1 : (int)syscall(SYS_fallocate, fd, mode, from, len);
}

int ftruncate(int fd, off_t len)
{
	return fails(&cut_log, fd) ? -1 : (int)syscall(SYS_ftruncate, fd, len);
}

/* How often the log has told of the index. */
static atomic_int index_lines;

ssize_t write(int fd, const void *from, size_t len)
{
	if (fd == STDERR_FILENO && memmem(from, len, "the index cannot", 16))
		index_lines++;
	return fails(&write_index, fd) ? -1 : syscall(SYS_write, fd, from, len);
}

/* ---- Helpers --------------------------------------------------------------------------------- */

/* An hour, so that a segment in doubt is not collected, or some milliseconds. */
static unsigned gc_interval_ms = 3600000;
static struct slice large_old;
static struct slice large_new;

static struct slice filled(char with, size_t len)
{
	char *bytes = malloc(len);
	if (!bytes)
		exit(1);
	memset(bytes, with, len);
	return slice_of(bytes, len);
}

static struct store *open_store(const char *path)
{
	struct store *s;
	struct local_options options = {.path = path,
		.clock = &clock_system,
		.segment_bytes = MIB(4),
		.gc_bytes_per_second = GIB(1),
		.gc_interval_ms = gc_interval_ms};
	if (local_store_open(&options, &s) != ERR_OK) {
		OK(false, "the store opens");
		exit(1);
	}
	return s;
}

static struct store *begin(char *path, uint64_t *ret_id)
{
	folder_make(path);
	struct store *s = open_store(path);
	if (bucket_create(s, S("bucket"), STORE_ACL_PRIVATE) != ERR_OK)
		exit(1);
	*ret_id = bucket_id(s, S("bucket"));
	return s;
}

static void end(struct store *s, const char *path)
{
	store_close(s);
	folder_remove(path);
}

/* The folder as SIGKILL would leave it now. */
static void copy_folder(const char *from, char *ret_to)
{
	char command[3 * FOLDER_PATH_MAX];
	folder_make(ret_to);
	(void)snprintf(command, sizeof(command), "cp -a %s/. %s/", from, ret_to);
	if (system(command) != 0)
		exit(1);
}

/* Waits until a change succeeds; whether one does. */
static bool mends(struct store *s, uint64_t id)
{
	for (int64_t until = clock_monotonic_ms() + 60000; clock_monotonic_ms() < until;) {
		if (put_object(s, id, S("later"), S("bytes"), NULL) == ERR_OK)
			return true;
		(void)usleep(10000);
	}
	return false;
}

static bool refuses(struct store *s)
{
	struct store_stats stats;
	store_stats(s, &stats);
	return stats.refusing != NULL;
}

/* What a failing disk may have done. */
struct failure {
	const char *name;
	int cut;  /* how taking the record back goes */
	int make; /* how making the next segment goes, at first */
	bool is_large;
};

/* Whether the folder, opened, has the old object and what came later. */
static void is_as_before(const char *path, struct slice bytes, const char *what)
{
	struct store *s = open_store(path);
	uint64_t id = bucket_id(s, S("bucket"));
	OK(object_is(s, id, S("k"), bytes), "%s: the old one is there", what);
	OK(object_is(s, id, S("later"), S("bytes")), "%s: and what was answered later", what);
	OK(put_object(s, id, S("more"), S("bytes"), NULL) == ERR_OK, "%s: it goes on", what);
	struct folder_count large = folder_count(path, "large");
	IS_INT(large.files, bytes.len > LIMIT_INLINE_BYTES, "no file is left of the other");
	store_close(s);
}

/* The sync fails, but the record may reach the disk all the same. */
static void failed_sync(const struct failure *failure)
{
	char path[FOLDER_PATH_MAX];
	char copy[FOLDER_PATH_MAX];
	uint64_t id;
	struct store *s = begin(path, &id);
	struct slice old = failure->is_large ? large_old : S("old");
	struct slice new = failure->is_large ? large_new : S("new");
	OK(put_object(s, id, S("k"), old, NULL) == ERR_OK, "%s: an object", failure->name);
	sync_log.e = EIO;
	cut_log.e = failure->cut;
	make_log.e = failure->make;
	IS_INT(put_object(s, id, S("k"), new, NULL), ERR_INTERNAL, "another fails to sync");
	OK(refuses(s), "changes are refused");
	OK(put_object(s, id, S("other"), S("bytes"), NULL) == ERR_UNAVAILABLE, "so is another");
	OK(object_is(s, id, S("k"), old), "reading goes on");
	copy_folder(path, copy);
	if (failure->make)
		(void)usleep(1500000); /* an attempt, which fails */
	sync_log.e = 0;
	make_log.e = 0;
	OK(mends(s, id), "once the disk is well changes go on");
	cut_log.e = 0;
	OK(!refuses(s), "which is told");
	OK(object_is(s, id, S("k"), old), "the old one is there");
	OK(head_object(s, id, S("other")) == ERR_NO_SUCH_KEY, "and what was refused is not");
	/* Killed before it was mended: one of the two, and whole. */
	struct store *killed = open_store(copy);
	uint64_t copied = bucket_id(killed, S("bucket"));
	OK(object_is(killed, copied, S("k"), old) || object_is(killed, copied, S("k"), new),
		"killed before, there is one of the two");
	end(killed, copy);
	copy_folder(path, copy);
	is_as_before(copy, old, "killed");
	folder_remove(copy);
	store_close(s);
	is_as_before(path, old, "stopped");
	folder_remove(path);
}

/* Again and again, with segments that are full, collected and removed between. */
static void many_failures(void)
{
	char path[FOLDER_PATH_MAX];
	uint64_t id;
	struct store *s = begin(path, &id);
	struct slice small = slice_head(large_old, LIMIT_INLINE_BYTES);
	bool ok = true;
	for (unsigned i = 0; i < 6 && ok; i++) {
		char name = (char)('a' + i);
		for (unsigned n = 0; n < 10 && ok; n++)
			ok = put_object(s, id, S("over"), small, NULL) == ERR_OK;
		ok = ok && put_object(s, id, slice_of(&name, 1), S("kept"), NULL) == ERR_OK;
		sync_log.e = EIO;
		cut_log.e = i % 2 ? EIO : 0;
		/* Unless a change of the collector's met the fault before. */
		enum err e = ok ? put_object(s, id, slice_of(&name, 1), S("lost"), NULL) : ERR_OK;
		ok = e == ERR_INTERNAL || e == ERR_UNAVAILABLE;
		sync_log.e = 0;
		ok = ok && mends(s, id);
		cut_log.e = 0;
		if (i == 2) {
			store_close(s);
			s = open_store(path);
		}
	}
	OK(ok, "six failures");
	for (int round = 0; round < 2; round++) {
		for (char name = 'a'; name < 'a' + 6; name++)
			OK(object_is(s, id, slice_of(&name, 1), S("kept")), "%c is kept", name);
		store_close(s);
		s = open_store(path);
	}
	end(s, path);
}

/* Fills segments that are collected, for which the index is flushed. */
static enum err put_until_refused(struct store *s, uint64_t id, struct slice bytes)
{
	enum err e = ERR_OK;
	for (unsigned i = 0; i < 1000 && e == ERR_OK; i++)
		e = put_object(s, id, S("over"), bytes, NULL);
	return e;
}

/* The index cannot be written to the disk for a while. */
static void failed_index(int fault)
{
	char path[FOLDER_PATH_MAX];
	char copy[FOLDER_PATH_MAX];
	uint64_t id;
	struct store *s = begin(path, &id);
	struct slice small = slice_head(large_old, LIMIT_INLINE_BYTES);
	OK(put_object(s, id, S("k"), S("kept"), NULL) == ERR_OK, "an object");
	write_index.e = fault;
	index_lines = 0;
	enum err e = put_until_refused(s, id, small);
	OK(e == (fault == ENOSPC ? ERR_DISK_FULL : ERR_INTERNAL), "a change meets it: %s",
		strerror(fault));
	OK(refuses(s), "from then on changes are refused");
	bool ok = true;
	for (unsigned i = 0; i < 100 && ok; i++)
		ok = put_object(s, id, S("k"), S("lost"), NULL) == ERR_UNAVAILABLE;
	OK(ok, "each of them");
	OK(object_is(s, id, S("k"), S("kept")), "reading goes on");
	(void)usleep(1500000); /* an attempt, which fails */
	OK(index_lines > 0 && index_lines < 5, "which is told of, not each time: %d",
		(int)index_lines);
	copy_folder(path, copy);
	write_index.e = 0;
	OK(mends(s, id), "once the disk is well changes go on");
	OK(!refuses(s), "which is told");
	OK(object_is(s, id, S("k"), S("kept")) && object_is(s, id, S("over"), small),
		"all is there");
	struct store *killed = open_store(copy);
	OK(object_is(killed, id, S("k"), S("kept")), "killed meanwhile, all is there");
	end(killed, copy);
	store_close(s);
	s = open_store(path);
	OK(object_is(s, id, S("k"), S("kept")) && object_is(s, id, S("over"), small),
		"after a start all is there");
	OK(object_is(s, id, S("later"), S("bytes")), "what came later, too");
	OK(put_object(s, id, S("k"), S("more"), NULL) == ERR_OK, "and changes are taken");
	end(s, path);
}

static struct store_bucket_stats counts_of(struct store *s, uint64_t id)
{
	struct store_bucket_stats counts;
	bucket_stats(s, id, &counts);
	return counts;
}

static bool counts_eq(struct store_bucket_stats a, struct store_bucket_stats b)
{
	return a.objects == b.objects && a.bytes == b.bytes && a.old_versions == b.old_versions &&
	       a.old_bytes == b.old_bytes && a.uploads == b.uploads && a.part_bytes == b.part_bytes;
}

static uint64_t objects_of(struct store *s)
{
	struct store_stats stats;
	store_stats(s, &stats);
	return stats.objects;
}

struct reading {
	struct store *store;
	uint64_t id;
	atomic_bool stop;
	atomic_uint wrong;
};

/* Reads what does not change, and what there never is. An error is none of both. */
static void *read_on(void *ctx)
{
	struct reading *reading = ctx;
	while (!reading->stop) {
		enum err there = head_object(reading->store, reading->id, S("k"));
		enum err absent = head_object(reading->store, reading->id, S("gone"));
		if (there == ERR_NO_SUCH_KEY || absent == ERR_OK)
			reading->wrong++;
		/* Often enough to meet each state, and no processor is taken from the others. */
		(void)usleep(200);
	}
	return NULL;
}

/* A call of the index's, and how many of its kind have succeeded before. */
struct call {
	struct failing *what;
	int nth;
};

/*
 * The call `first` of the index's fails, and all that follow; then, once changes are refused, the
 * call `then`, of those that open it anew. No older state is shown meanwhile.
 */
static void failed_again(struct call first, struct call then, int fault)
{
	char path[FOLDER_PATH_MAX];
	char copy[FOLDER_PATH_MAX];
	uint64_t id;
	struct store *s = begin(path, &id);
	struct slice small = slice_head(large_old, LIMIT_INLINE_BYTES);
	struct reading reading = {.store = s, .id = id};
	pthread_t thread;
	OK(put_object(s, id, S("k"), S("kept"), NULL) == ERR_OK &&
			put_object(s, id, S("gone"), S("bytes"), NULL) == ERR_OK &&
			delete_object(s, id, S("gone"), NULL) == ERR_OK,
		"call %d, then %d: %s", first.nth, then.nth, strerror(fault));
	if (pthread_create(&thread, NULL, read_on, &reading) != 0)
		exit(1);
	first.what->after = first.nth;
	first.what->e = fault;
	enum err e = put_until_refused(s, id, small);
	OK(e == ERR_INTERNAL || e == ERR_DISK_FULL || e == ERR_UNAVAILABLE, "a change meets it");
	first.what->e = 0;
	then.what->after = then.nth;
	then.what->e = fault;
	(void)usleep(1500000); /* an attempt */
	copy_folder(path, copy);
	then.what->e = 0;
	then.what->after = 0;
	OK(mends(s, id), "once the disk is well changes go on");
	reading.stop = true;
	(void)pthread_join(thread, NULL);
	IS_INT(reading.wrong, 0, "nobody has seen what was before");
	OK(object_is(s, id, S("k"), S("kept")) && object_is(s, id, S("over"), small) &&
			head_object(s, id, S("gone")) == ERR_NO_SUCH_KEY,
		"all is there");
	struct store_bucket_stats counts = counts_of(s, id);
	IS_INT(counts.objects, 3, "and is counted");
	IS_INT(objects_of(s), 3, "in all");
	struct store *killed = open_store(copy);
	OK(object_is(killed, id, S("k"), S("kept")) && object_is(killed, id, S("over"), small) &&
			head_object(killed, id, S("gone")) == ERR_NO_SUCH_KEY,
		"killed meanwhile, too");
	end(killed, copy);
	copy_folder(path, copy);
	killed = open_store(copy);
	OK(counts_eq(counts, counts_of(killed, id)) && objects_of(killed) == 3 &&
			object_is(killed, id, S("later"), S("bytes")),
		"killed afterwards, it is the same");
	end(killed, copy);
	store_close(s);
	s = open_store(path);
	OK(counts_eq(counts, counts_of(s, id)) && object_is(s, id, S("later"), S("bytes")),
		"after a stop as well");
	end(s, path);
}

/* The disk has failed, and is full as well: the log goes on all the same, for deletes make room. */
static void failed_and_full(int fault)
{
	char path[FOLDER_PATH_MAX];
	uint64_t id;
	struct store *s = begin(path, &id);
	OK(put_object(s, id, S("k"), S("old"), NULL) == ERR_OK, "an object");
	sync_log.e = EIO;
	cut_log.e = EIO;
	take_log.e = fault;
	IS_INT(put_object(s, id, S("k"), S("new"), NULL), ERR_INTERNAL, "another fails to sync");
	sync_log.e = 0;
	bool goes_on = false;
	for (int64_t until = clock_monotonic_ms() + 60000;
		clock_monotonic_ms() < until && !goes_on;) {
		(void)usleep(10000);
		goes_on = !refuses(s);
	}
	OK(goes_on, "the log goes on without room: %s", strerror(fault));
	IS_INT(put_object(s, id, S("k"), S("new"), NULL), ERR_DISK_FULL, "which is not for all");
	take_log.e = 0;
	cut_log.e = 0;
	OK(mends(s, id), "once there is room changes are taken");
	OK(object_is(s, id, S("k"), S("old")), "the old one is there");
	end(s, path);
}

/* Whether the disk is full, or what a user may have of it. */
static void deletes_when_full(int fault)
{
	char path[FOLDER_PATH_MAX];
	uint64_t id;
	struct store *s = begin(path, &id);
	struct slice small = slice_head(large_old, LIMIT_INLINE_BYTES);
	OK(put_object(s, id, S("k"), S("old"), NULL) == ERR_OK, "an object");
	take_log.e = fault;
	OK(put_until_refused(s, id, small) == ERR_DISK_FULL, "the disk is full: %s",
		strerror(fault));
	IS_INT(delete_object(s, id, S("k"), NULL), ERR_OK, "a delete has room");
	take_log.e = 0;
	end(s, path);
}

int main(void)
{
	static const struct failure failures[] = {
		{.name = "the record is taken back"},
		{.name = "it is not taken back", .cut = EIO},
		{.name = "the next segment fails too", .cut = EIO, .make = EIO},
		{.name = "a large object, taken back", .is_large = true},
		{.name = "a large object, not taken back", .cut = EIO, .is_large = true},
	};
	/* What opening it anew does: some of it fails. */
	const struct call when_opened[] = {{&write_index, 2}, {&open_index, 0}, {&open_index, 2},
		{&open_index, 5}, {&name_index, 0}, {&name_index, 1}, {&drop_index, 0}};
	large_old = filled('o', MIB(2) + 1);
	large_new = filled('n', MIB(3) + 5);
	for (size_t i = 0; i < ARRAY_LEN(failures); i++)
		failed_sync(&failures[i]);
	gc_interval_ms = 5;
	many_failures();
	failed_index(EIO);
	failed_index(ENOSPC);
	for (int i = 0; i < 4; i++) {
		failed_again(
			(struct call){&write_index, i}, (struct call){&write_index, i + 1}, EIO);
		failed_again((struct call){&sync_index, i}, (struct call){&sync_index, i + 1}, EIO);
	}
	for (size_t i = 0; i < ARRAY_LEN(when_opened); i++)
		failed_again((struct call){&write_index, 1}, when_opened[i], ENOSPC);
	gc_interval_ms = 3600000;
	failed_and_full(ENOSPC);
	failed_and_full(EDQUOT);
	deletes_when_full(ENOSPC);
	deletes_when_full(EDQUOT);
	free((void *)(uintptr_t)large_old.ptr);
	free((void *)(uintptr_t)large_new.ptr);
	return tap_done();
}
