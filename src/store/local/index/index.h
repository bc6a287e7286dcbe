/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The index: sorted keys in RocksDB, without RocksDB's own log. Every write contains the position
 * in our log (struct index_state), so that after a crash the index is as it was at some earlier
 * position, and recover.h replays the rest. docs/on-disk.md lists the keys.
 *
 * Reading: any thread. Changes: one thread at a time.
 */
#ifndef STORE_LOCAL_INDEX_INDEX_H
#define STORE_LOCAL_INDEX_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "store/local/index/key.h"
#include "store/local/wal/record.h"
#include "store/local/wal/segment.h"

struct index;

/* The state at a position of the log. */
struct index_state {
	uint64_t segment; /* all records before `offset` of this segment are in the index */
	uint64_t offset;
	uint64_t sequence;   /* of the next record */
	uint64_t objects;    /* how many there are */
	uint64_t bytes;      /* and of what size */
	uint64_t file_bytes; /* of the files of large objects, those in the trash included */
	uint64_t file_mark;  /* files with smaller numbers are in the index or not on the disk */
};

/* An object, an older version of one, or a part, as the index knows it. */
struct entry {
	struct location where;  /* of the record that made it, or moved it; zeros: not known */
	struct location stated; /* of a later one that says what is known of it; zeros: none */
	struct object_meta meta;
};

/* Opens or makes the index in the folder `path`; logs why if it cannot. */
enum err index_open(const char *path, struct index **ret) MUST_USE;
/* The same, but calls `told` with what RocksDB says of any fault, and does not log. */
enum err index_open_told(const char *path, void (*told)(const char *message, void *ctx), void *ctx,
	struct index **ret) MUST_USE;
/* NULL is allowed. Writes that were not flushed are lost, and will be replayed. */
void index_close(struct index *index);

/*
 * After a fault RocksDB takes no more changes until the index is opened again, and what was not
 * flushed is lost by that. All three: the thread that makes the changes.
 *
 * Closes it. Who wants to read waits from now on. False, and nothing has changed, if others go on
 * reading for too long.
 */
bool index_shut(struct index *index) MUST_USE;
/*
 * Opens the one that is shut anew, for the caller alone, who brings it to the end of the log and
 * ends with one of the others. After a failure those who wait are told of it, and it stays shut.
 */
enum err index_open_again(struct index *index, struct index **ret) MUST_USE;
/* Goes on with what `from` has, which is freed. */
void index_take(struct index *index, struct index *from);
/* It stays shut: reading fails. */
void index_drop(struct index *index, struct index *from);

/* Makes all writes so far durable; waits. */
enum err index_flush(struct index *index) MUST_USE;
/*
 * Makes a copy in the folder `name` beside the index, which must not be there, as of the position
 * that its state says: files are shared, not copied. Flushes. Any thread.
 */
enum err index_copy(struct index *index, const char *name) MUST_USE;
/* Reads every row, and with them every block of its files that has some. */
enum err index_read_all(struct index *index) MUST_USE;
uint64_t index_disk_bytes(struct index *index);
/* How much a flush would write, at most. */
uint64_t index_unflushed_bytes(struct index *index);

/* False if the index is empty. */
enum err index_read_state(struct index *index, struct index_state *ret, bool *ret_found) MUST_USE;

enum index_found {
	INDEX_FOUND,
	INDEX_ABSENT,
	INDEX_NOT_CACHED, /* not in memory, or it is shut */
	INDEX_FAILED,
};

/* A borrowed value; released by index_value_release() after INDEX_FOUND. */
struct index_value {
	void *pin;
	struct index *index;
	struct slice bytes;
};

/* With `cached_only` the disk is not touched, and INDEX_NOT_CACHED is possible. */
enum index_found index_get(struct index *index, const struct key *key, bool cached_only,
	struct index_value *ret) MUST_USE;
void index_value_release(struct index_value *value);
/* False if the value is damaged. ret->meta.object.headers and tags point into `bytes`. */
bool entry_parse(struct slice bytes, struct entry *ret) MUST_USE;
/* The encoded meta data of an entry that entry_parse() has read. */
struct slice entry_meta(struct slice bytes);

/* Whether the index has an entry for the file of a large object. */
enum index_found index_file(struct index *index, uint64_t file) MUST_USE;

/* Calls `row` for each bucket; it returns false to stop. */
enum err index_each_bucket(struct index *index,
	bool (*row)(struct slice name, struct slice meta, void *ctx), void *ctx) MUST_USE;
/* The greatest number that a row of the kind has; 0: there is none. */
enum err index_last_number(struct index *index, enum key_kind kind, uint64_t *ret) MUST_USE;
/* Calls `row` for all rows of a kind whose key is a number and whose value is one. */
enum err index_each_number(struct index *index, enum key_kind kind,
	bool (*row)(uint64_t number, uint64_t value, void *ctx), void *ctx) MUST_USE;

/* ---- Snapshots ------------------------------------------------------------------------------- */

/* The index as it is now, for reading several things that belong together. */
struct index_snapshot;

struct index_snapshot *index_snapshot_new(struct index *index) MUST_USE;
void index_snapshot_free(struct index_snapshot *snapshot);
/* Never INDEX_NOT_CACHED. */
enum index_found index_snapshot_get(
	struct index_snapshot *snapshot, const struct key *key, struct index_value *ret) MUST_USE;

/* ---- Walking --------------------------------------------------------------------------------- */

/* Iterates over the keys that begin with a prefix; `rest` is what follows it. */
struct index_cursor;
struct index_tx;

/*
 * NULL without memory. The cursor sees a snapshot; with `tx` including its changes, and then it
 * must be freed before the next change.
 */
struct index_cursor *index_cursor_new(
	struct index *index, struct index_tx *tx, const struct key *prefix) MUST_USE;
/* Sees the snapshot, which must outlive it. */
struct index_cursor *index_snapshot_cursor(
	struct index_snapshot *snapshot, const struct key *prefix) MUST_USE;
void index_cursor_free(struct index_cursor *cursor);
/* To the first key whose rest is at least `rest`. */
void index_cursor_seek(struct index_cursor *cursor, struct slice rest);
/* To the first key whose rest is greater than `rest` and does not begin with it. */
void index_cursor_seek_past(struct index_cursor *cursor, struct slice rest);
/* To the last key whose rest is at most `rest`. */
void index_cursor_seek_back(struct index_cursor *cursor, struct slice rest);
void index_cursor_next(struct index_cursor *cursor);
/* False outside of the prefix, or after a fault. Both are valid until the cursor moves. */
bool index_cursor_at(
	const struct index_cursor *cursor, struct slice *ret_rest, struct slice *ret_value);
enum err index_cursor_err(const struct index_cursor *cursor);

/* ---- Changes --------------------------------------------------------------------------------- */

/* Changes that index_tx_write() makes visible all at once. Reads through it see its changes. */
struct index_tx *index_tx_new(struct index *index) MUST_USE;
void index_tx_free(struct index_tx *tx);
void index_tx_clear(struct index_tx *tx);
enum err index_tx_write(struct index_tx *tx) MUST_USE;

/* A value on the heap, for the caller to free; NULL if it is absent. */
enum err index_tx_get(
	struct index_tx *tx, const struct key *key, char **ret_bytes, size_t *ret_len) MUST_USE;
void index_tx_put(struct index_tx *tx, const struct key *key, struct slice value);
void index_tx_put_number(struct index_tx *tx, const struct key *key, uint64_t value);
/* `stated` may be NULL. */
void index_tx_put_entry(struct index_tx *tx, const struct key *key, const struct location *where,
	const struct location *stated, struct slice meta);
void index_tx_put_state(struct index_tx *tx, const struct index_state *state);
void index_tx_delete(struct index_tx *tx, const struct key *key);

#endif
