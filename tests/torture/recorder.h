/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of recorder.so share. The library is loaded into the real server (LD_PRELOAD) and
 * stands in front of the calls of libc that change or read files: it writes down what they did, and
 * makes one of them fail, or the process end there, when a test says so. README.md tells how it is
 * used; tests/torture/lib/trace.js reads what it writes.
 *
 * TORTURE_ROOT      the data folder, an absolute path. What lies outside is left alone
 * TORTURE_TRACE     the file that the calls are written to. None: they are not written down
 * TORTURE_CONTROL   the file of struct control. None: nothing fails
 */
#ifndef TORTURE_RECORDER_H
#define TORTURE_RECORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

/* Parts of the data folder, as bits. */
enum place {
	PLACE_NONE = 0, /* not of the store: outside, databases, `lock`, RocksDB's own log */
	PLACE_SEGMENTS = 1 << 0,
	PLACE_LARGE = 1 << 1,
	PLACE_INDEX = 1 << 2,
	PLACE_ROOT = 1 << 3,
	PLACE_DAMAGED = 1 << 4,
};

/* What a call does, as bits. */
enum act {
	ACT_WRITE = 1 << 0,
	ACT_SYNC = 1 << 1,
	ACT_NAME = 1 << 2, /* makes, changes or removes a name */
	ACT_SIZE = 1 << 3, /* of a file, or its blocks */
	ACT_READ = 1 << 4,
};

/* Kinds of records. The same numbers are in lib/trace.js. */
enum kind {
	KIND_CREATE = 1, /* dir, file, 1: it was there, 2: and was emptied; its name */
	KIND_UNNAMED,    /* 0, file */
	KIND_WRITE,      /* file, offset; the bytes */
	KIND_ZERO,       /* file, offset, length: a write of zeros */
	KIND_TRUNCATE,   /* file, size */
	KIND_ALLOCATE,   /* file, offset, length, mode */
	KIND_MKDIR,      /* dir, the new one; its name */
	KIND_LINK,       /* dir, file; the name */
	KIND_UNLINK,     /* dir; the name */
	KIND_RENAME,     /* dir, dir, 1: they are exchanged; both names, with a NUL between */
	KIND_SYNC_BEGIN, /* file or dir, place (with TRACE_NAMES), number of the sync, who asked */
	KIND_SYNC_END,   /* file or dir, 0, number of the sync */
	KIND_MARK,       /* written by the test: number, what */
	KIND_ESCAPED,    /* file: it is changed in a way that cannot be written down */
};

enum {
	TRACE_NAMES = 256 /* the sync is of a folder */
};

/* As lib/store.js writes and reads it. */
struct control {
	_Atomic int64_t left;    /* the call that makes this 0 is the one; 0 before: none is */
	_Atomic int64_t behind;  /* 1: all such calls behind it fail too, until this is 0 again */
	_Atomic int64_t failure; /* errno; 0: the process ends before the call; -1: behind it */
	_Atomic int64_t acts;    /* calls that count, of */
	_Atomic int64_t places;  /* files that count */
	_Atomic int64_t seen;    /* how many there were */
	_Atomic int64_t failed;  /* how many failed */
};

/* ---- trace.c --------------------------------------------------------------------------------- */

/* The part of the data folder that a file belongs to, or a path. */
enum place place_of_fd(int fd);
enum place place_of_path(int dir, const char *path);

/* Changes and their records are in one order: a change is made between these. */
void trace_lock(void);
void trace_unlock(void);

/* Appends a record. Under the lock, but for the syncs. */
void trace_add(enum kind kind, const uint64_t numbers[4], const void *bytes, size_t len);

/* What a write of `len` bytes at `offset` has written: these pieces, as far as that. */
void trace_add_write(
	int fd, const struct iovec *iov, size_t count, uint64_t offset, uint64_t written);

/* The inode of an open file, and of the folder in which `path` is a name, which it gives. */
uint64_t inode_of(int fd);
uint64_t inode_of_path(int dir, const char *path);
uint64_t folder_of(int dir, const char *path, char ret_name[256]);

/* ---- faults.c -------------------------------------------------------------------------------- */

/* Whether the call is to fail: then errno says how. Ends the process if that is asked for. */
bool fault_before(enum act act, enum place place);
/* When the call is done. */
void fault_after(void);
/* Whether anything may fail. */
bool fault_armed(void);

#endif
