/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/stage.h"

#include <inttypes.h>

#include "base/log.h"

/* How the live bytes of one segment change. */
struct delta {
	uint64_t segment;
	int64_t bytes;
};

struct stage {
	struct segments *segments;
	struct index_tx *tx;
	struct index_state now;    /* as written */
	struct index_state staged; /* as it will be */
	struct delta *deltas;
	size_t delta_count;
	size_t delta_size;
	bool trashed;
};

struct stage *stage_new(
	struct index *index, struct segments *segments, const struct index_state *state)
{
	struct stage *stage = calloc(1, sizeof(*stage));
	if (!stage)
		return NULL;
	stage->segments = segments;
	stage->now = *state;
	stage->staged = *state;
	stage->tx = index_tx_new(index);
	if (!stage->tx) {
		stage_free(stage);
		return NULL;
	}
	return stage;
}

void stage_free(struct stage *stage)
{
	if (!stage)
		return;
	index_tx_free(stage->tx);
	free(stage->deltas);
	free(stage);
}

/* Makes room for two more deltas: an object that moves touches two segments. */
static bool reserve_deltas(struct stage *stage)
{
	if (stage->delta_count + 2 <= stage->delta_size)
		return true;
	size_t size = stage->delta_size ? stage->delta_size * 2 : 64;
	struct delta *deltas = realloc(stage->deltas, size * sizeof(*deltas));
	if (!deltas)
		return false;
	stage->deltas = deltas;
	stage->delta_size = size;
	return true;
}

static void add_live(struct stage *stage, uint64_t segment, int64_t bytes)
{
	/* Nearly all changes of a batch are about the newest segment. */
	for (size_t i = 0; i < stage->delta_count; i++)
		if (stage->deltas[i].segment == segment) {
			stage->deltas[i].bytes += bytes;
			return;
		}
	stage->deltas[stage->delta_count++] = (struct delta){segment, bytes};
}

/* The object's entry before the change; ret_found says whether there is one. */
static enum err look_up(struct stage *stage, uint64_t bucket_id, struct slice key,
	struct entry *ret, bool *ret_found)
{
	SCOPED_FREE char *bytes = NULL;
	size_t len = 0;
	if (!reserve_deltas(stage))
		return ERR_UNAVAILABLE;
	enum err e = index_tx_object(stage->tx, bucket_id, key, &bytes, &len);
	if (e != ERR_OK)
		return e;
	*ret_found = bytes != NULL;
	if (bytes && !entry_parse(slice_of(bytes, len), ret)) {
		log_error("store: an entry of the index is damaged");
		/* It is written over; what it pointed to can not be known. */
		memset(ret, 0, sizeof(*ret));
		ret->meta.place = OBJECT_INLINE;
	}
	if (*ret_found)
		ret->meta.object.headers = S("");
	return ERR_OK;
}

/* Takes an entry that is replaced or deleted out of the counts. */
static void drop(struct stage *stage, const struct entry *old)
{
	stage->staged.bytes -= old->meta.object.size;
	stage->staged.objects--;
	if (old->meta.place == OBJECT_INLINE) {
		add_live(stage, old->where.segment, -(int64_t)old->where.length);
		return;
	}
	index_tx_trash_file(stage->tx, old->meta.file, old->meta.object.size);
	stage->trashed = true;
}

/* ERR_OK if the object that is there, if any, is as it has to be. */
static enum err check(const struct entry *old, bool found, struct stage_condition condition)
{
	if (found && condition.absent)
		return ERR_FILE_ALREADY_EXISTS;
	if (condition.here && (!found || old->meta.place != OBJECT_INLINE ||
				      !location_eq(&old->where, condition.here)))
		return ERR_PRECONDITION_FAILED;
	enum store_acl acl = found ? old->meta.object.acl : STORE_ACL_DEFAULT;
	if (condition.as_public && acl != STORE_ACL_DEFAULT && acl != STORE_ACL_PUBLIC_READ_WRITE)
		return ERR_ACCESS_DENIED;
	return ERR_OK;
}

enum err stage_object(struct stage *stage, uint64_t bucket_id, struct slice key,
	const struct location *where, struct slice meta_bytes, struct stage_condition condition)
{
	struct entry old;
	bool found = false;
	struct object_meta meta;
	if (!object_meta_parse(meta_bytes, &meta))
		return ERR_INTERNAL;
	enum err e = look_up(stage, bucket_id, key, &old, &found);
	if (e == ERR_OK)
		e = check(&old, found, condition);
	if (e != ERR_OK)
		return e;
	if (found)
		drop(stage, &old);
	stage->staged.objects++;
	stage->staged.bytes += meta.object.size;
	if (meta.place == OBJECT_INLINE) {
		add_live(stage, where->segment, where->length);
	} else {
		index_tx_put_file(stage->tx, meta.file, meta.object.size);
		stage->staged.file_bytes += meta.object.size;
	}
	/* The record of a large object is not needed once the index has it. */
	static const struct location nowhere;
	index_tx_put_object(stage->tx, bucket_id, key,
		meta.place == OBJECT_INLINE ? where : &nowhere, meta_bytes);
	return ERR_OK;
}

enum err stage_object_delete(struct stage *stage, uint64_t bucket_id, struct slice key,
	struct stage_condition condition, bool *ret_existed)
{
	struct entry old;
	bool found = false;
	enum err e = look_up(stage, bucket_id, key, &old, &found);
	if (e == ERR_OK)
		e = check(&old, found, condition);
	if (e != ERR_OK)
		return e;
	if (found) {
		drop(stage, &old);
		index_tx_delete_object(stage->tx, bucket_id, key);
	}
	*ret_existed = found;
	return ERR_OK;
}

void stage_bucket(struct stage *stage, struct slice name, struct slice meta)
{
	index_tx_put_bucket(stage->tx, name, meta);
}

void stage_bucket_delete(struct stage *stage, struct slice name)
{
	index_tx_delete_bucket(stage->tx, name);
}

void stage_file_forget(struct stage *stage, uint64_t file, uint64_t size)
{
	index_tx_forget_file(stage->tx, file);
	stage->staged.file_bytes -= size;
}

void stage_segment_forget(struct stage *stage, uint64_t segment)
{
	index_tx_forget_segment(stage->tx, segment);
}

/* Writes the new live counts into the transaction. */
static void put_live(struct stage *stage)
{
	for (size_t i = 0; i < stage->delta_count; i++) {
		struct segment *segment = segment_pin(stage->segments, stage->deltas[i].segment);
		if (!segment)
			continue;
		uint64_t live = segment->live + (uint64_t)stage->deltas[i].bytes;
		index_tx_put_segment(stage->tx, segment->id, live);
		segment_unpin(segment);
	}
}

static void take_over(struct stage *stage)
{
	for (size_t i = 0; i < stage->delta_count; i++) {
		struct segment *segment = segment_pin(stage->segments, stage->deltas[i].segment);
		if (!segment)
			continue;
		segment->live += (uint64_t)stage->deltas[i].bytes;
		segment_unpin(segment);
	}
	stage->now = stage->staged;
}

enum err stage_write(struct stage *stage, uint64_t segment, uint64_t offset, uint64_t sequence,
	uint64_t file_mark, bool *ret_trashed)
{
	stage->staged.segment = segment;
	stage->staged.offset = offset;
	stage->staged.sequence = sequence;
	stage->staged.file_mark = file_mark;
	put_live(stage);
	index_tx_put_state(stage->tx, &stage->staged);
	enum err e = index_tx_write(stage->tx);
	if (e == ERR_OK)
		take_over(stage);
	*ret_trashed = e == ERR_OK && stage->trashed;
	stage_forget(stage);
	return e;
}

void stage_forget(struct stage *stage)
{
	index_tx_clear(stage->tx);
	stage->staged = stage->now;
	stage->delta_count = 0;
	stage->trashed = false;
}

const struct index_state *stage_state(const struct stage *stage)
{
	return &stage->now;
}
