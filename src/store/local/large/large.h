/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects in files of their own. A large object is written while it arrives, in buffers of 1 MiB
 * by the threads `store-writer`: one job hashes while another writes, each in order. The
 * file has no name until all of it is on the disk.
 *
 * Files have ascending numbers; the path of one is large/<number / 4096>/<number>.
 */
#ifndef STORE_LOCAL_LARGE_LARGE_H
#define STORE_LOCAL_LARGE_LARGE_H

#include "store/local/index/index.h"
#include "store/store.h"

struct local;
struct large;
struct large_files;
struct sums;

/* ---- The folder ------------------------------------------------------------------------------ */

/* Opens large/ below `dir`. Logs why on failure. */
enum err large_files_open(int dir, struct large_files **ret) MUST_USE;
/* NULL is allowed. */
void large_files_free(struct large_files *files);
/* Files with smaller numbers are committed, or not on the disk. Any thread. */
uint64_t large_files_mark(struct large_files *files);
/* All smaller numbers may have been given. Any thread. */
uint64_t large_files_next(struct large_files *files);
/* Numbers are given from here on. While opening the store. */
void large_files_set_next(struct large_files *files, uint64_t next);
/* Where a file is below the data folder; into `to`. */
void large_files_path(uint64_t file, char *to, size_t size);
/* Opens a file for reading; an errno value. Any thread. */
int large_files_read(struct large_files *files, uint64_t file, int *ret_fd) MUST_USE;
/* Removes a file durably; a missing file is not an error. An errno value. Any thread. */
int large_files_remove(struct large_files *files, uint64_t file) MUST_USE;
/*
 * Writes the sums of its blocks behind the bytes of a file that has none, or damaged ones, durably;
 * what is behind the bytes counts once a record says so. An errno value. One thread at a time for a
 * file.
 */
int large_files_add_sums(
	struct large_files *files, uint64_t file, uint64_t size, const struct sums *sums) MUST_USE;
/*
 * Removes what a crash left: files from `mark` on that the index does not know, and what had no
 * number yet. *ret_next gets a number that is free with all behind it.
 *
 * With `data` at least 0, the data folder, the log was found damaged: what would be removed may be
 * an object whose record is lost, so it is moved aside there (aside.h), and each is told.
 */
enum err large_files_sweep(struct large_files *files, struct index *index, uint64_t mark, int data,
	uint64_t *ret_next) MUST_USE;

/* ---- One object ------------------------------------------------------------------------------ */

/* The result. `file` must be settled by large_settle(). */
struct large_result {
	enum err err;
	uint64_t file;
	uint64_t size;
	uint64_t crc64;
	unsigned char md5[16];
};

/* `buffers`, 1 or more, may wait for the disk. ERR_UNAVAILABLE without memory. */
enum err large_new(struct local *local, unsigned buffers, struct large **ret) MUST_USE;
/* Takes over the memory account; closes it when the upload is freed. */
void large_count(struct large *large, struct budget_account *memory);
/* As put_write() of store.h. */
enum store_now large_write(struct large *large, struct slice bytes, struct store_wait *wait);
/*
 * All bytes were written. When the file is durable under its name, or after an error, calls `done`
 * on a thread of the pool. The file stays until large_settle().
 */
void large_finish(struct large *large, const unsigned char *expect_md5,
	void (*done)(struct large *large, const struct large_result *result, void *ctx), void *ctx);
/*
 * After large_finish(): keeps the file, because an object may use it, or (`keep` false) removes it
 * on the pool. Frees `large`. Any thread, never waits.
 */
void large_settle(struct large *large, bool keep);
/*
 * Instead: an object may use the file after a start, if the log was not written as it should. The
 * file stays until large_remove_doubtful(), and past the end of the process.
 */
void large_doubt(struct large *large);
/* No object uses those files, nor will after a start: removes them on the pool. */
void large_remove_doubtful(struct large_files *files);
/* Instead of large_finish(): drops the upload. Never waits. */
void large_abort(struct large *large);

#endif
