/* SPDX-License-Identifier: Apache-2.0 */
/* A disk that fails at the worst moment costs nothing that was told. */
#undef _FORTIFY_SOURCE /* its pread() is an inline function */

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "base/limits.h"
#include "store/local/local.h"
#include "store/local/wal/segment.h"
#include "tap.h"
#include "unit/store/blocking.h"

/* ---- Calls that fail when told to, for segments: these take the place of the C library's ------
 */

static atomic_int sync_errno;
static atomic_int cut_errno;
static atomic_int read_errno;
static atomic_int large_folder_syncs;

static bool path_has(int fd, const char *part)
{
	char link[64];
	char path[512];
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, sizeof(path) - 1);
	path[n > 0 ? n : 0] = 0;
	return strstr(path, part) != NULL;
}

static int fails(int fd, int e)
{
	if (!e || !path_has(fd, ".seg"))
		return 0;
	errno = e;
	return -1;
}

int fdatasync(int fd)
{
	return fails(fd, sync_errno) ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
	if (path_has(fd, "/large") && !path_has(fd, "/large/"))
		large_folder_syncs++;
	return (int)syscall(SYS_fsync, fd);
}

int ftruncate(int fd, off_t len)
{
	return fails(fd, cut_errno) ? -1 : (int)syscall(SYS_ftruncate, fd, len);
}

/* Headers can be read, what follows cannot. */
ssize_t pread(int fd, void *to, size_t len, off_t at)
{
	if ((at > 0 || len != SEGMENT_HEADER_BYTES) && fails(fd, read_errno))
		return -1;
	return syscall(SYS_pread64, fd, to, len, at);
}

/* ---- Helpers --------------------------------------------------------------------------------- */

static char folder[64];
static struct slice large_old;
static struct slice large_new;

static struct slice filled(char with, size_t len)
{
	char *bytes = malloc(len);
	memset(bytes, with, len);
	return slice_of(bytes, len);
}

static void new_folder(void)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/postern-test-XXXXXX");
	if (!mkdtemp(folder))
		exit(1);
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *where)
{
	(void)st;
	(void)flag;
	(void)where;
	return remove(path);
}

static void remove_folder(void)
{
	(void)nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static enum err open_store(struct store **ret)
{
	struct local_options options = {.path = folder,
		.clock = &clock_system,
		.segment_bytes = MIB(4),
		.gc_interval_ms = 5};
	return local_store_open(&options, ret);
}

/* The store again, which must open. */
static struct store *reopened(struct store *s)
{
	store_close(s);
	if (open_store(&s) != ERR_OK) {
		OK(false, "the store opens");
		exit(1);
	}
	return s;
}

/* A new store with a bucket, in a new folder. */
static struct store *begin(uint64_t *ret_id)
{
	new_folder();
	struct store *s = reopened(NULL);
	if (bucket_create(s, S("bucket"), STORE_ACL_PRIVATE) != ERR_OK)
		exit(1);
	*ret_id = bucket_id(s, S("bucket"));
	return s;
}

static void end(struct store *s)
{
	store_close(s);
	remove_folder();
}

/* Goes on in a copy of the folder, as a kill would leave it; *ret_from is the folder before. */
static void copy_folder(char *ret_from)
{
	char command[256];
	(void)snprintf(ret_from, sizeof(folder), "%s", folder);
	new_folder();
	(void)snprintf(command, sizeof(command), "cp -a %s/. %s/", ret_from, folder);
	if (system(command) != 0)
		exit(1);
}

/* ---- The tests ------------------------------------------------------------------------------- */

/* The sync fails, but the record reaches the disk: `cut` is how taking it back goes. */
static void doubtful_commit(int cut)
{
	uint64_t id;
	struct store *s = begin(&id);
	OK(put_object(s, id, S("k"), large_old, NULL) == ERR_OK, "a large object");
	sync_errno = EIO;
	cut_errno = cut;
	IS_INT(put_object(s, id, S("k"), large_new, NULL), ERR_INTERNAL, "another fails to sync");
	sync_errno = 0;
	cut_errno = 0;
	OK(object_is(s, id, S("k"), large_old), "the old one is there");
	s = reopened(s);
	if (cut)
		OK(object_is(s, id, S("k"), large_old) || object_is(s, id, S("k"), large_new),
			"after a new start it is one of the two, and whole");
	else
		OK(object_is(s, id, S("k"), large_old), "after a new start too");
	end(s);
}

static void unreadable_log(void)
{
	uint64_t id;
	char first[sizeof(folder)];
	struct store *s = begin(&id);
	OK(put_object(s, id, S("k"), S("told"), NULL) == ERR_OK, "an object");
	copy_folder(first);
	store_close(s);
	read_errno = EIO;
	OK(open_store(&s) == ERR_INTERNAL, "a log that cannot be read stops the start");
	read_errno = 0;
	sync_errno = EIO;
	OK(open_store(&s) == ERR_INTERNAL, "so does one that cannot be made durable");
	sync_errno = 0;
	s = reopened(NULL);
	OK(object_is(s, id, S("k"), S("told")), "and costs nothing");
	end(s);
	(void)memcpy(folder, first, sizeof(folder));
	remove_folder();
}

static void damaged_header(void)
{
	uint64_t id;
	char path[128];
	char byte;
	struct store *s = begin(&id);
	OK(put_object(s, id, S("k"), S("told"), NULL) == ERR_OK, "an object");
	store_close(s);
	(void)snprintf(path, sizeof(path), "%s/segments/0000000000000001.seg", folder);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 || pread(fd, &byte, 1, 20) != 1)
		exit(1);
	byte ^= 1;
	OK(pwrite(fd, &byte, 1, 20) == 1, "the newest segment's header is damaged");
	OK(open_store(&s) == ERR_INTERNAL, "the store does not open");
	byte ^= 1;
	OK(pwrite(fd, &byte, 1, 20) == 1, "it is repaired");
	(void)close(fd);
	s = reopened(NULL);
	OK(object_is(s, id, S("k"), S("told")), "and nothing is lost");
	end(s);
}

static void close_while_committing(void)
{
	struct blocking b;
	uint64_t id;
	struct store *s = begin(&id);
	struct store_put_spec spec = {.bucket_id = id, .key = S("k")};
	struct store_put *put;
	if (store_put_begin(s, &spec, &put) != ERR_OK)
		exit(1);
	OK(put_pieces(s, put, large_new, 0) == ERR_OK, "a large object is written");
	struct store_put_commit commit = {.forbid_overwrite = false};
	blocking_init(&b, &commit.wait);
	store_put_commit(s, put, &commit);
	s = reopened(s);
	OK(b.done, "closing waits for a commit that was begun");
	IS_INT(commit.wait.err, ERR_OK, "which succeeds");
	OK(object_is(s, id, S("k"), large_new), "and is there afterwards");
	end(s);
}

/* Somebody else made the folder of the first large files, and was killed before syncing. */
static void folder_of_others(void)
{
	uint64_t id;
	char path[128];
	struct store *s = begin(&id);
	(void)snprintf(path, sizeof(path), "%s/large/%013d", folder, 0);
	OK(mkdir(path, 0700) == 0, "a folder of large files that is there already");
	large_folder_syncs = 0;
	OK(put_object(s, id, S("k"), large_old, NULL) == ERR_OK, "a large object");
	OK(large_folder_syncs > 0, "its folder's name has been made durable");
	end(s);
}

static bool move(const char *from, const char *to)
{
	char source[128];
	char target[128];
	(void)snprintf(source, sizeof(source), "%s/%s", folder, from);
	(void)snprintf(target, sizeof(target), "%s/%s", folder, to);
	return rename(source, target) == 0;
}

/* The log alone has all only as long as no segment was collected. */
static void lost_index(void)
{
	static const char first[] = "segments/0000000000000001.seg";
	uint64_t id;
	struct store *s = begin(&id);
	struct slice small = slice_head(large_old, LIMIT_INLINE_BYTES);
	OK(put_object(s, id, S("k"), large_old, NULL) == ERR_OK, "a large object");
	for (char key = 'a'; key < 'k'; key++)
		if (put_object(s, id, slice_of(&key, 1), small, NULL) != ERR_OK)
			exit(1);
	store_close(s);
	OK(move("index", "index.old"), "the index is lost");
	s = reopened(NULL);
	OK(object_is(s, id, S("k"), large_old) && object_is(s, id, S("a"), small),
		"the log has all");
	store_close(s);
	OK(move("index", "index.new") && move(first, "first"), "a part of the log too");
	OK(open_store(&s) == ERR_INTERNAL, "the store does not open");
	OK(move("index", "index.empty") && move("index.old", "index") && move("first", first),
		"both are put back");
	s = reopened(NULL);
	OK(object_is(s, id, S("k"), large_old) && object_is(s, id, S("a"), small),
		"nothing is lost");
	end(s);
}

int main(void)
{
	large_old = filled('o', MIB(2) + 1);
	large_new = filled('n', MIB(3) + 5);
	doubtful_commit(0);
	doubtful_commit(EIO);
	unreadable_log();
	damaged_header();
	close_while_committing();
	folder_of_others();
	lost_index();
	free((void *)(uintptr_t)large_old.ptr);
	free((void *)(uintptr_t)large_new.ptr);
	return tap_done();
}
