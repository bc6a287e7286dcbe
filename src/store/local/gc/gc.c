/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/gc/gc.h"

#include <inttypes.h>
#include <pthread.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/thread.h"
#include "store/local/commit/committer.h"
#include "store/local/disk/bytes.h"
#include "store/local/disk/files.h"
#include "store/local/large/large.h"
#include "store/local/state/local_internal.h"
#include "store/local/wal/scan.h"

enum {
	TRASH_AT_ONCE = 256,
	MOVES_AT_ONCE = 256,
	FLUSH_SPARE_BYTES = 4 << 20,
	FLUSH_AFTER_BYTES = 512 << 20, /* of log, so that a replay reads little more */
};

struct gc {
	struct local *local;
	pthread_t thread;
	pthread_mutex_t lock; /* protects all below but `flushed`; a leaf */
	pthread_cond_t done;
	bool joined;
	unsigned pending; /* changes given to the committer and not yet done */
	enum err err;     /* the first that failed */
	bool raced;       /* a move came too late, since this was last cleared */
	/* The thread's own: */
	struct index_state flushed; /* the index is on the disk as of here */
};

/* ---- Changes --------------------------------------------------------------------------------- */

/* A change of the collector's, on the heap. */
struct chore {
	struct mutation mutation;
	struct gc *gc;
	struct location from;
	unsigned char head[];
};

static void chore_done(struct mutation *mutation)
{
	struct chore *chore = CONTAINER_OF(mutation, struct chore, mutation);
	struct gc *gc = chore->gc;
	enum err e = mutation->err;
	free(chore);
	/* The object was changed or deleted meanwhile. */
	bool raced = e == ERR_PRECONDITION_FAILED || e == ERR_NO_SUCH_BUCKET;
	if (raced)
		e = ERR_OK;
	(void)pthread_mutex_lock(&gc->lock);
	gc->raced = gc->raced || raced;
	if (gc->err == ERR_OK)
		gc->err = e;
	gc->pending--;
	(void)pthread_cond_signal(&gc->done);
	(void)pthread_mutex_unlock(&gc->lock);
}

static struct chore *chore_new(struct gc *gc, enum mutation_kind kind, size_t head_len)
{
	struct chore *chore = calloc(1, sizeof(*chore) + head_len);
	if (!chore)
		return NULL;
	chore->gc = gc;
	chore->mutation.kind = kind;
	chore->mutation.done = chore_done;
	chore->mutation.head = chore->head;
	chore->mutation.head_len = head_len;
	return chore;
}

static void send(struct gc *gc, struct chore *chore)
{
	(void)pthread_mutex_lock(&gc->lock);
	gc->pending++;
	(void)pthread_mutex_unlock(&gc->lock);
	committer_add(gc->local->committer, &chore->mutation);
}

/* Waits for all that was sent; the first error. */
static enum err finish(struct gc *gc)
{
	(void)pthread_mutex_lock(&gc->lock);
	while (gc->pending)
		(void)pthread_cond_wait(&gc->done, &gc->lock);
	enum err e = gc->err;
	gc->err = ERR_OK;
	(void)pthread_mutex_unlock(&gc->lock);
	return e;
}

static enum err forget(struct gc *gc, enum mutation_kind kind, uint64_t number, uint64_t size)
{
	struct chore *chore = chore_new(gc, kind, 0);
	if (!chore)
		return ERR_UNAVAILABLE;
	chore->mutation.number = number;
	chore->mutation.size = size;
	send(gc, chore);
	return ERR_OK;
}

static bool stopping(struct gc *gc)
{
	return sleeper_stopped(&gc->local->collector);
}

/* ---- Files of large objects ------------------------------------------------------------------ */

struct trash {
	size_t count;
	uint64_t file[TRASH_AT_ONCE];
	uint64_t size[TRASH_AT_ONCE];
};

static bool note_trash(uint64_t file, uint64_t size, void *ctx)
{
	struct trash *trash = ctx;
	trash->file[trash->count] = file;
	trash->size[trash->count++] = size;
	return trash->count < TRASH_AT_ONCE;
}

/* Removes the files that are in the trash, and forgets them. */
static void empty_trash(struct gc *gc)
{
	struct trash trash;
	enum err e;
	do {
		trash.count = 0;
		e = index_each_number(gc->local->index, KEY_TRASH, note_trash, &trash);
		for (size_t i = 0; i < trash.count && e == ERR_OK; i++) {
			int error = large_files_remove(gc->local->files, trash.file[i]);
			if (error) {
				log_error("store: cannot remove large object %016" PRIx64 ": %s",
					trash.file[i], files_text(error));
				e = files_err(error);
				break;
			}
			e = forget(gc, MUTATION_FORGET_FILE, trash.file[i], trash.size[i]);
		}
		enum err sent = finish(gc);
		e = e == ERR_OK ? sent : e;
	} while (e == ERR_OK && trash.count == TRASH_AT_ONCE && !stopping(gc));
}

/* ---- Sets of parts --------------------------------------------------------------------------- */

struct dead {
	struct part_pins *pins;
	size_t count;
	uint64_t set[TRASH_AT_ONCE];
};

static bool note_dead(uint64_t set, uint64_t value UNUSED, void *ctx)
{
	struct dead *dead = ctx;
	/* Nobody takes hold of a dead set that is not held. */
	if (!part_pins_any(dead->pins, set))
		dead->set[dead->count++] = set;
	return dead->count < TRASH_AT_ONCE;
}

/* Forgets some parts of a set; *ret_more says whether there may be others. */
static enum err forget_parts(struct gc *gc, uint64_t set, bool *ret_more)
{
	struct key prefix;
	struct slice rest;
	struct slice value;
	unsigned sent = 0;
	enum err e = ERR_OK;
	key_number(&prefix, KEY_PART, set);
	struct index_cursor *cursor = index_cursor_new(gc->local->index, NULL, &prefix);
	if (!cursor)
		return ERR_UNAVAILABLE;
	index_cursor_seek(cursor, S(""));
	for (; e == ERR_OK && sent < TRASH_AT_ONCE && index_cursor_at(cursor, &rest, &value);
		index_cursor_next(cursor)) {
		if (rest.len != 8)
			continue; /* damaged: it names no part */
		struct chore *chore = chore_new(gc, MUTATION_FORGET_PART, 0);
		if (chore) {
			chore->mutation.number = set;
			chore->mutation.part = be64_get(rest.ptr);
			send(gc, chore);
			sent++;
		}
		e = chore ? ERR_OK : ERR_UNAVAILABLE;
	}
	if (e == ERR_OK)
		e = index_cursor_err(cursor);
	index_cursor_free(cursor);
	enum err done = finish(gc);
	*ret_more = sent == TRASH_AT_ONCE;
	return e == ERR_OK ? done : e;
}

/* Takes apart what nobody reads; files of parts go to the trash. */
static void empty_sets(struct gc *gc)
{
	struct dead dead = {.pins = gc->local->part_pins};
	enum err e;
	do {
		dead.count = 0;
		e = index_each_number(gc->local->index, KEY_DEAD_SET, note_dead, &dead);
		for (size_t i = 0; i < dead.count && e == ERR_OK && !stopping(gc); i++) {
			bool more = true;
			while (more && e == ERR_OK && !stopping(gc))
				e = forget_parts(gc, dead.set[i], &more);
			if (!more && e == ERR_OK)
				e = forget(gc, MUTATION_FORGET_SET, dead.set[i], 0);
		}
		enum err sent = finish(gc);
		e = e == ERR_OK ? sent : e;
	} while (e == ERR_OK && dead.count == TRASH_AT_ONCE && !stopping(gc));
}

/* ---- The index ------------------------------------------------------------------------------- */

static enum err flush(struct gc *gc)
{
	struct index_state reached;
	/* RocksDB must not be the one that finds the disk full. */
	if (space_left(&gc->local->space) <
		index_unflushed_bytes(gc->local->index) + FLUSH_SPARE_BYTES)
		return ERR_DISK_FULL;
	committer_state(gc->local->committer, &reached);
	enum err e = index_flush(gc->local->index);
	if (e == ERR_OK)
		gc->flushed = reached;
	return e;
}

/* Bytes of log that a replay would have to read. */
static uint64_t unflushed(const struct gc *gc, const struct index_state *now)
{
	uint64_t segments = now->segment - gc->flushed.segment;
	return segments * gc->local->options.segment_bytes + now->offset - gc->flushed.offset;
}

/* ---- Segments -------------------------------------------------------------------------------- */

/* The meta data of what is read from here, as the index has it; false if nothing is. */
static bool look_at(struct gc *gc, const struct key *key, const struct location *where,
	struct index_value *ret, struct slice *ret_meta)
{
	struct entry entry;
	if (index_get(gc->local->index, key, false, ret) != INDEX_FOUND)
		return false;
	if (entry_parse(ret->bytes, &entry) && entry.meta.place == OBJECT_INLINE &&
		location_eq(&entry.where, where)) {
		*ret_meta = entry_meta(ret->bytes);
		return true;
	}
	index_value_release(ret);
	return false;
}

static bool is_live(struct gc *gc, const struct record *record, const struct location *where,
	struct index_value *ret, struct slice *ret_meta)
{
	struct key key;
	struct object_meta meta;
	if (record->kind != RECORD_OBJECT && record->kind != RECORD_MOVE &&
		record->kind != RECORD_PART && record->kind != RECORD_APPEND)
		return false;
	if (!object_meta_parse(record->meta, &meta))
		return false;
	if (meta.is_part) {
		key_part(&key, meta.object.version, meta.number);
		return look_at(gc, &key, where, ret, ret_meta);
	}
	key_object(&key, record->bucket_id, record->name);
	if (look_at(gc, &key, where, ret, ret_meta))
		return true;
	key_version(&key, record->bucket_id, record->name, meta.object.version);
	return look_at(gc, &key, where, ret, ret_meta);
}

/* Sends a copy of the record to the end of the log; what is known of it may have changed. */
static enum err move(
	struct gc *gc, const struct record *record, struct slice meta, const struct location *where)
{
	struct chore *chore =
		chore_new(gc, MUTATION_MOVE, RECORD_HEADER_BYTES + record->name.len + meta.len);
	if (!chore)
		return ERR_UNAVAILABLE;
	chore->from = *where;
	chore->mutation.moves_from = &chore->from;
	chore->mutation.bucket_id = record->bucket_id;
	chore->mutation.key_len = record->name.len;
	chore->mutation.data = record->data;
	record_head(chore->head, RECORD_MOVE, record->bucket_id, record->name.len, meta.len,
		record->data.len);
	unsigned char *to = chore->head + RECORD_HEADER_BYTES;
	memcpy(to, record->name.ptr, record->name.len);
	memcpy(to + record->name.len, meta.ptr, meta.len);
	send(gc, chore);
	return ERR_OK;
}

/* Moves what is live in the segment that is being scanned. */
static enum err move_live(struct gc *gc, struct scan *scan)
{
	struct record record;
	uint64_t read_from = scan->at;
	unsigned sent = 0;
	enum err e = ERR_OK;
	while (e == ERR_OK && scan->segment->live > 0 && !stopping(gc) &&
		scan_record(scan, &record)) {
		struct location where = {scan->segment->id, scan->at, 0, 0};
		struct index_value value;
		struct slice meta;
		if (is_live(gc, &record, &where, &value, &meta)) {
			e = move(gc, &record, meta, &where);
			index_value_release(&value);
			sent++;
		}
		scan_next(scan, &record);
		if (e != ERR_OK || sent == MOVES_AT_ONCE || scan_will_move(scan)) {
			enum err done = finish(gc);
			e = e == ERR_OK ? done : e;
			sent = 0;
			(void)sleeper_sleep(&gc->local->collector,
				(scan->at - read_from) * 1000 /
					gc->local->options.gc_bytes_per_second);
			read_from = scan->at;
		}
	}
	enum err done = finish(gc);
	return e == ERR_OK ? done : e;
}

/*
 * Something is still live. What came to another place of the index while it was looked for may have
 * been missed, but not twice: then the segment is damaged.
 */
static void report_left(struct segment *segment)
{
	uint64_t live = segment->live;
	segment->stuck = segment->left == live;
	segment->left = live;
	if (segment->stuck)
		log_error("store: segment %016" PRIx64 " is damaged: %" PRIu64
			  " bytes of it cannot be moved",
			segment->id, live);
}

/* Takes over the pin. Whether nothing is live in the segment any more. */
static bool rewrite(struct gc *gc, struct segment *segment)
{
	struct scan scan;
	if (!scan_init(&scan)) {
		segment_unpin(segment);
		return false;
	}
	scan_open(&scan, segment, SEGMENT_HEADER_BYTES);
	gc->raced = false;
	enum err e = move_live(gc, &scan);
	if (scan.fault) {
		log_error("store: cannot read segment %016" PRIx64 ": %s", segment->id,
			files_text(scan.fault));
	} else if (e == ERR_OK && !gc->raced && segment->live > 0 && !stopping(gc)) {
		report_left(segment);
	}
	bool empty = segment->live == 0;
	scan_release(&scan);
	return empty;
}

static uint64_t disk_bytes(const struct segment *segment)
{
	struct stat st;
	return fstat(segment->fd, &st) == 0 ? (uint64_t)st.st_size : 0;
}

/* Whether a sealed segment is worth the work, and there is room for it. */
static bool should_compact(struct gc *gc, const struct segment *segment)
{
	uint64_t live = segment->live;
	if (live == 0)
		return true;
	if (segment->stuck || live > disk_bytes(segment) / 2)
		return false;
	/* On a full disk the reserve is for this, but not all of it. */
	return space_left(&gc->local->space) > live + gc->local->options.reserve_bytes / 4;
}

/* Nothing in it is live: the index, once it is on the disk, does not need it. */
static void remove_segment(struct gc *gc, uint64_t id)
{
	if (flush(gc) != ERR_OK || gc->flushed.segment <= id)
		return;
	int e = segment_remove(gc->local->segments, id);
	if (e) {
		log_error("store: cannot remove segment %016" PRIx64 ": %s", id, files_text(e));
		return;
	}
	if (forget(gc, MUTATION_FORGET_SEGMENT, id, 0) == ERR_OK)
		(void)finish(gc);
}

static void collect_segments(struct gc *gc)
{
	struct index_state now;
	uint64_t id = 0;
	committer_state(gc->local->committer, &now);
	while (!stopping(gc)) {
		struct segment *segment = segment_pin_from(gc->local->segments, id);
		if (!segment || segment->id >= now.segment) {
			segment_unpin(segment);
			return;
		}
		id = segment->id + 1;
		if (!should_compact(gc, segment))
			segment_unpin(segment);
		else if (rewrite(gc, segment))
			remove_segment(gc, id - 1);
	}
}

/* ---- The thread ------------------------------------------------------------------------------ */

static void *work(void *arg)
{
	struct gc *gc = arg;
	while (!stopping(gc)) {
		struct index_state now;
		empty_sets(gc);
		empty_trash(gc);
		collect_segments(gc);
		committer_state(gc->local->committer, &now);
		if (!stopping(gc) && unflushed(gc, &now) > FLUSH_AFTER_BYTES)
			(void)flush(gc);
		(void)sleeper_sleep_until_woken(
			&gc->local->collector, gc->local->options.gc_interval_ms);
	}
	return NULL;
}

enum err gc_new(struct local *local, struct gc **ret)
{
	struct gc *gc = calloc(1, sizeof(*gc));
	if (!gc)
		return ERR_UNAVAILABLE;
	(void)pthread_cond_init(&gc->done, NULL);
	(void)pthread_mutex_init(&gc->lock, NULL);
	gc->local = local;
	/* What was replayed is not on the disk yet, but then it is at most replayed again. */
	gc->flushed = *index_batch_state(local->batch);
	*ret = gc;
	if (!thread_start(&gc->thread, "collector", work, gc)) {
		*ret = NULL;
		gc->joined = true;
		gc_free(gc);
		return ERR_UNAVAILABLE;
	}
	return ERR_OK;
}

void gc_stop(struct gc *gc)
{
	if (!gc || gc->joined)
		return;
	sleeper_stop(&gc->local->collector);
	(void)pthread_join(gc->thread, NULL);
	gc->joined = true;
}

void gc_free(struct gc *gc)
{
	if (!gc)
		return;
	gc_stop(gc);
	(void)pthread_cond_destroy(&gc->done);
	(void)pthread_mutex_destroy(&gc->lock);
	free(gc);
}
