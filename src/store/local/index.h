/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The index: sorted keys in RocksDB, without a log of its own. Every write carries the position of
 * our log (struct index_state), so that after a crash the index is as it was at some earlier
 * position, and recover.h replays the rest. docs/on-disk.md lists the keys.
 *
 * Reading: any thread. Changes: one thread at a time.
 */
#ifndef STORE_LOCAL_INDEX_H
#define STORE_LOCAL_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "store/local/record.h"
#include "store/local/segment.h"

struct index;

/* What is true at a position of the log. */
struct index_state {
	uint64_t segment; /* all records before `offset` of this segment are in the index */
	uint64_t offset;
	uint64_t sequence;   /* of the next record */
	uint64_t objects;    /* how many there are */
	uint64_t bytes;      /* and of what size */
	uint64_t file_bytes; /* of the files of large objects, those in the trash included */
	uint64_t file_mark;  /* files with smaller numbers are in the index or not on the disk */
};

/* An object as the index knows it. */
struct entry {
	struct location where; /* of its record; zeros for OBJECT_FILE */
	struct object_meta meta;
};

/* Opens or makes the index in the folder `path`; logs why if it cannot. */
enum err index_open(const char *path, struct index **ret) MUST_USE;
/* NULL is allowed. What was not flushed is lost, and will be replayed. */
void index_close(struct index *index);
/* Makes all writes so far durable; waits. */
enum err index_flush(struct index *index) MUST_USE;
uint64_t index_disk_bytes(struct index *index);
/* How much a flush would write, at most. */
uint64_t index_unflushed_bytes(struct index *index);

/* False if the index is empty. */
enum err index_read_state(struct index *index, struct index_state *ret, bool *ret_found) MUST_USE;

enum index_found {
	INDEX_FOUND,
	INDEX_ABSENT,
	INDEX_COLD, /* not in memory */
	INDEX_FAILED,
};

/* A borrowed value; released by index_value_release() after INDEX_FOUND. */
struct index_value {
	void *pin;
	struct slice bytes;
};

/* With `cached_only` the disk is not touched, and INDEX_COLD is possible. */
enum index_found index_object(struct index *index, uint64_t bucket_id, struct slice key,
	bool cached_only, struct index_value *ret) MUST_USE;
void index_value_release(struct index_value *value);
/* False if the value is damaged. ret->meta.object.headers points into `bytes`. */
bool entry_parse(struct slice bytes, struct entry *ret) MUST_USE;

/* Whether there is anything known of the file of a large object. */
enum index_found index_file(struct index *index, uint64_t file) MUST_USE;

/* Calls `row` for each; it returns false to stop. */
enum err index_each_bucket(struct index *index,
	bool (*row)(struct slice name, struct slice meta, void *ctx), void *ctx) MUST_USE;
enum err index_each_segment(struct index *index, bool (*row)(uint64_t id, uint64_t live, void *ctx),
	void *ctx) MUST_USE;
enum err index_each_trash(struct index *index, bool (*row)(uint64_t file, uint64_t size, void *ctx),
	void *ctx) MUST_USE;

/* ---- Walking the objects of a bucket --------------------------------------------------------- */

struct index_cursor;

/* NULL without memory. The cursor sees one moment. */
struct index_cursor *index_cursor_new(struct index *index, uint64_t bucket_id) MUST_USE;
void index_cursor_free(struct index_cursor *cursor);
/* To the first key that is at least `key`. */
void index_cursor_seek(struct index_cursor *cursor, struct slice key);
/* To the first key that is greater than `key` and does not begin with it. */
void index_cursor_seek_past(struct index_cursor *cursor, struct slice key);
void index_cursor_next(struct index_cursor *cursor);
/* False behind the last, or after a fault. Both are valid until the cursor moves. */
bool index_cursor_at(
	const struct index_cursor *cursor, struct slice *ret_key, struct slice *ret_value);
enum err index_cursor_err(const struct index_cursor *cursor);

/* ---- Changes --------------------------------------------------------------------------------- */

/* Changes that become visible at once, by index_tx_write(). Reads in it see what it will do. */
struct index_tx;

struct index_tx *index_tx_new(struct index *index) MUST_USE;
void index_tx_free(struct index_tx *tx);
void index_tx_clear(struct index_tx *tx);
enum err index_tx_write(struct index_tx *tx) MUST_USE;

/* The object's value on the heap, for the caller to free; NULL if it is absent. */
enum err index_tx_object(struct index_tx *tx, uint64_t bucket_id, struct slice key,
	char **ret_bytes, size_t *ret_len) MUST_USE;
void index_tx_put_object(struct index_tx *tx, uint64_t bucket_id, struct slice key,
	const struct location *where, struct slice meta);
void index_tx_delete_object(struct index_tx *tx, uint64_t bucket_id, struct slice key);
void index_tx_put_bucket(struct index_tx *tx, struct slice name, struct slice meta);
void index_tx_delete_bucket(struct index_tx *tx, struct slice name);
void index_tx_put_file(struct index_tx *tx, uint64_t file, uint64_t size);
/* The file is not an object's any more and must be removed. */
void index_tx_trash_file(struct index_tx *tx, uint64_t file, uint64_t size);
/* It has been removed. */
void index_tx_forget_file(struct index_tx *tx, uint64_t file);
void index_tx_put_segment(struct index_tx *tx, uint64_t id, uint64_t live);
void index_tx_forget_segment(struct index_tx *tx, uint64_t id);
void index_tx_put_state(struct index_tx *tx, const struct index_state *state);

#endif
