/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calls of libc. Each makes the call between two looks at faults.c, and writes down what it
 * did. A change and its record are made under one lock, so the records are in the order of the
 * changes. Syncs are not: what is written meanwhile need not be on the disk when they end, so both
 * their beginning and their end are written down. The disk itself is not waited for: a record says
 * that it would have been.
 */
#include "recorder.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

/* The real one. */
#define REAL(name)                       \
	static __typeof__(&(name)) real; \
	if (!real)                       \
	*(void **)&real = dlsym(RTLD_NEXT, #name)

#define NUMBERS(...) ((uint64_t[4]){__VA_ARGS__})

/* Makes a change of a file: `call` as one step with the record that `add` writes if it succeeded.
 */
#define CHANGE(act, place, result, call, add)   \
	do {                                    \
		trace_lock();                   \
		if (fault_before(act, place)) { \
			trace_unlock();         \
			return -1;              \
		}                               \
		(result) = (call);              \
		if ((result) >= 0) {            \
			add;                    \
		}                               \
		fault_after();                  \
		trace_unlock();                 \
	} while (0)

/* ---- Files ----------------------------------------------------------------------------------- */

static int made(int dir, const char *path, int flags, int fd, bool was_there)
{
	char name[256];
	uint64_t folder = folder_of(dir, path, name);
	uint64_t how = (was_there ? 1 : 0) | (was_there && (flags & O_TRUNC) ? 2 : 0);
	trace_add(KIND_CREATE, NUMBERS(folder, inode_of(fd), how), name, strlen(name));
	return fd;
}

static int open_any(int dir, const char *path, int flags, mode_t mode)
{
	REAL(openat);
	bool unnamed = (flags & O_TMPFILE) == O_TMPFILE;
	if (!unnamed && !(flags & (O_CREAT | O_TRUNC)))
		return real(dir, path, flags, mode);
	enum place place = place_of_path(dir, path);
	if (place == PLACE_NONE)
		return real(dir, path, flags, mode);
	int fd;
	if (unnamed) {
		CHANGE(ACT_NAME, place, fd, real(dir, path, flags, mode),
			trace_add(KIND_UNNAMED, NUMBERS(0, inode_of(fd)), NULL, 0));
		return fd;
	}
	bool was_there = false;
	CHANGE(ACT_NAME, place, fd,
		(was_there = faccessat(dir, path, F_OK, 0) == 0, real(dir, path, flags, mode)),
		made(dir, path, flags, fd, was_there));
	return fd;
}

#define OPEN_MODE(flags)                         \
	mode_t mode = 0;                         \
	if ((flags) & (O_CREAT | __O_TMPFILE)) { \
		va_list more;                    \
		va_start(more, flags);           \
		mode = va_arg(more, mode_t);     \
		va_end(more);                    \
	}

int open(const char *path, int flags, ...)
{
	OPEN_MODE(flags)
	return open_any(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	OPEN_MODE(flags)
	return open_any(AT_FDCWD, path, flags, mode);
}

int openat(int dir, const char *path, int flags, ...)
{
	OPEN_MODE(flags)
	return open_any(dir, path, flags, mode);
}

int openat64(int dir, const char *path, int flags, ...)
{
	OPEN_MODE(flags)
	return open_any(dir, path, flags, mode);
}

/* ---- Bytes ----------------------------------------------------------------------------------- */

static ssize_t write_at(int fd, const struct iovec *iov, int count, off_t offset, enum place place)
{
	REAL(pwritev);
	ssize_t n;
	CHANGE(ACT_WRITE, place, n, real(fd, iov, count, offset),
		trace_add_write(fd, iov, (size_t)count, (uint64_t)offset, (uint64_t)n));
	return n;
}

static ssize_t write_here(int fd, const struct iovec *iov, int count, enum place place)
{
	REAL(writev);
	ssize_t n;
	CHANGE(ACT_WRITE, place, n, real(fd, iov, count),
		trace_add_write(fd, iov, (size_t)count,
			(uint64_t)(lseek(fd, 0, SEEK_CUR) - (off_t)n), (uint64_t)n));
	return n;
}

static struct iovec piece(const void *bytes, size_t len)
{
	return (struct iovec){.iov_base = (void *)(uintptr_t)bytes, .iov_len = len};
}

ssize_t write(int fd, const void *bytes, size_t len)
{
	REAL(write);
	enum place place = place_of_fd(fd);
	struct iovec iov = piece(bytes, len);
	return place == PLACE_NONE ? real(fd, bytes, len) : write_here(fd, &iov, 1, place);
}

ssize_t writev(int fd, const struct iovec *iov, int count)
{
	REAL(writev);
	enum place place = place_of_fd(fd);
	return place == PLACE_NONE ? real(fd, iov, count) : write_here(fd, iov, count, place);
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t offset)
{
	REAL(pwrite);
	enum place place = place_of_fd(fd);
	struct iovec iov = piece(bytes, len);
	return place == PLACE_NONE ? real(fd, bytes, len, offset)
				   : write_at(fd, &iov, 1, offset, place);
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off_t offset)
{
	return pwrite(fd, bytes, len, offset);
}

ssize_t pwritev(int fd, const struct iovec *iov, int count, off_t offset)
{
	REAL(pwritev);
	enum place place = place_of_fd(fd);
	return place == PLACE_NONE ? real(fd, iov, count, offset)
				   : write_at(fd, iov, count, offset, place);
}

ssize_t pwritev64(int fd, const struct iovec *iov, int count, off_t offset)
{
	return pwritev(fd, iov, count, offset);
}

/* Nothing in the store changes files so; if it ever does, a test says that it is not seen. */
static void escaped(int fd)
{
	if (place_of_fd(fd) != PLACE_NONE)
		trace_add(KIND_ESCAPED, NUMBERS(inode_of(fd)), NULL, 0);
}

ssize_t copy_file_range(int from, off_t *at, int to, off_t *to_at, size_t len, unsigned flags)
{
	REAL(copy_file_range);
	escaped(to);
	return real(from, at, to, to_at, len, flags);
}

ssize_t sendfile(int to, int from, off_t *at, size_t len)
{
	REAL(sendfile);
	escaped(to);
	return real(to, from, at, len);
}

ssize_t splice(int from, off_t *at, int to, off_t *to_at, size_t len, unsigned flags)
{
	REAL(splice);
	escaped(to);
	return real(from, at, to, to_at, len, flags);
}

void *mmap(void *at, size_t len, int protection, int flags, int fd, off_t offset)
{
	REAL(mmap);
	if (fd >= 0 && (flags & MAP_SHARED) && (protection & PROT_WRITE))
		escaped(fd);
	return real(at, len, protection, flags, fd, offset);
}

void *mmap64(void *at, size_t len, int protection, int flags, int fd, off_t offset)
{
	return mmap(at, len, protection, flags, fd, offset);
}

int ftruncate(int fd, off_t size)
{
	REAL(ftruncate);
	enum place place = place_of_fd(fd);
	if (place == PLACE_NONE)
		return real(fd, size);
	int result;
	CHANGE(ACT_SIZE, place, result, real(fd, size),
		trace_add(KIND_TRUNCATE, NUMBERS(inode_of(fd), (uint64_t)size), NULL, 0));
	return result;
}

int ftruncate64(int fd, off_t size)
{
	return ftruncate(fd, size);
}

int fallocate(int fd, int mode, off_t offset, off_t len)
{
	REAL(fallocate);
	enum place place = place_of_fd(fd);
	if (place == PLACE_NONE)
		return real(fd, mode, offset, len);
	int result;
	CHANGE(ACT_SIZE, place, result, real(fd, mode, offset, len),
		trace_add(KIND_ALLOCATE,
			NUMBERS(inode_of(fd), (uint64_t)offset, (uint64_t)len, (uint64_t)mode),
			NULL, 0));
	return result;
}

int fallocate64(int fd, int mode, off_t offset, off_t len)
{
	return fallocate(fd, mode, offset, len);
}

int posix_fallocate(int fd, off_t offset, off_t len)
{
	return fallocate(fd, 0, offset, len) == 0 ? 0 : errno;
}

ssize_t pread(int fd, void *to, size_t len, off_t offset)
{
	REAL(pread);
	if (fault_armed() && fault_before(ACT_READ, place_of_fd(fd)))
		return -1;
	return real(fd, to, len, offset);
}

ssize_t pread64(int fd, void *to, size_t len, off_t offset)
{
	return pread(fd, to, len, offset);
}

/* ---- Names ----------------------------------------------------------------------------------- */

static void named(enum kind kind, int dir, const char *path, uint64_t file)
{
	char name[256];
	uint64_t folder = folder_of(dir, path, name);
	trace_add(kind, NUMBERS(folder, file), name, strlen(name));
}

int mkdirat(int dir, const char *path, mode_t mode)
{
	REAL(mkdirat);
	enum place place = place_of_path(dir, path);
	if (place == PLACE_NONE)
		return real(dir, path, mode);
	int result;
	CHANGE(ACT_NAME, place, result, real(dir, path, mode),
		named(KIND_MKDIR, dir, path, inode_of_path(dir, path)));
	return result;
}

int mkdir(const char *path, mode_t mode)
{
	return mkdirat(AT_FDCWD, path, mode);
}

int linkat(int from_dir, const char *from, int dir, const char *path, int flags)
{
	REAL(linkat);
	enum place place = place_of_path(dir, path);
	if (place == PLACE_NONE)
		return real(from_dir, from, dir, path, flags);
	int result;
	CHANGE(ACT_NAME, place, result, real(from_dir, from, dir, path, flags),
		named(KIND_LINK, dir, path, inode_of_path(dir, path)));
	return result;
}

int link(const char *from, const char *path)
{
	return linkat(AT_FDCWD, from, AT_FDCWD, path, 0);
}

int unlinkat(int dir, const char *path, int flags)
{
	REAL(unlinkat);
	enum place place = place_of_path(dir, path);
	if (place == PLACE_NONE)
		return real(dir, path, flags);
	int result;
	CHANGE(ACT_NAME, place, result, real(dir, path, flags), named(KIND_UNLINK, dir, path, 0));
	return result;
}

int unlink(const char *path)
{
	return unlinkat(AT_FDCWD, path, 0);
}

int rmdir(const char *path)
{
	return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

int remove(const char *path)
{
	struct stat st;
	bool is_folder = lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
	return unlinkat(AT_FDCWD, path, is_folder ? AT_REMOVEDIR : 0);
}

static void renamed(int from_dir, const char *from, int dir, const char *to, bool exchanged)
{
	char names[2 * 256];
	char to_name[256];
	uint64_t from_folder = folder_of(from_dir, from, names);
	uint64_t folder = folder_of(dir, to, to_name);
	size_t len = strlen(names);
	memcpy(names + len + 1, to_name, strlen(to_name));
	trace_add(KIND_RENAME, NUMBERS(from_folder, folder, exchanged), names,
		len + 1 + strlen(to_name));
}

int renameat2(int from_dir, const char *from, int dir, const char *to, unsigned flags)
{
	REAL(renameat2);
	enum place place = place_of_path(dir, to);
	if (place == PLACE_NONE)
		return real(from_dir, from, dir, to, flags);
	int result;
	CHANGE(ACT_NAME, place, result, real(from_dir, from, dir, to, flags),
		renamed(from_dir, from, dir, to, flags & RENAME_EXCHANGE));
	return result;
}

int renameat(int from_dir, const char *from, int dir, const char *to)
{
	return renameat2(from_dir, from, dir, to, 0);
}

int rename(const char *from, const char *to)
{
	return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}

/* ---- Syncs ----------------------------------------------------------------------------------- */

/* Who asks: two places in the executable, the nearer one first; 0 if that is a library's. */
__attribute__((noinline)) static uint64_t asked_by(void)
{
	void *frames[5];
	int count = backtrace(frames, 5);
	static atomic_uintptr_t base;
	if (!base) {
		uintptr_t first = 0;
		FILE *maps = fopen("/proc/self/maps", "re");
		if (maps && fscanf(maps, "%lx", &first) == 1)
			base = first;
		if (maps)
			(void)fclose(maps);
	}
	/* 0 is this function, 1 is sync_any(), 2 the call. */
	uint64_t found[2] = {0, 0};
	for (int i = 0; i < 2 && i + 3 < count; i++) {
		Dl_info info;
		if (dladdr(frames[i + 3], &info) && (uintptr_t)info.dli_fbase == base)
			found[i] = (uintptr_t)frames[i + 3] - base - 1;
	}
	return found[0] << 32 | found[1];
}

__attribute__((noinline)) static int sync_any(int fd, enum place place)
{
	static atomic_uint_least64_t syncs;
	uint64_t number = ++syncs;
	uint64_t file = inode_of(fd);
	trace_lock();
	struct stat st;
	bool of_names = fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
	uint64_t what = (uint64_t)place | (of_names ? TRACE_NAMES : 0);
	trace_add(KIND_SYNC_BEGIN, NUMBERS(file, what, number, asked_by()), NULL, 0);
	trace_unlock();
	if (fault_before(ACT_SYNC, place))
		return -1;
	trace_lock();
	trace_add(KIND_SYNC_END, NUMBERS(file, 0, number), NULL, 0);
	trace_unlock();
	fault_after();
	return 0;
}

__attribute__((noinline)) int fsync(int fd)
{
	REAL(fsync);
	enum place place = place_of_fd(fd);
	int result = place == PLACE_NONE ? real(fd) : sync_any(fd, place);
	return result;
}

__attribute__((noinline)) int fdatasync(int fd)
{
	REAL(fdatasync);
	enum place place = place_of_fd(fd);
	int result = place == PLACE_NONE ? real(fd) : sync_any(fd, place);
	return result;
}

/* Begins to write, and promises nothing. */
int sync_file_range(int fd, off_t offset, off_t len, unsigned flags)
{
	REAL(sync_file_range);
	return place_of_fd(fd) == PLACE_NONE ? real(fd, offset, len, flags) : 0;
}

int syncfs(int fd)
{
	REAL(syncfs);
	escaped(fd);
	return real(fd);
}
