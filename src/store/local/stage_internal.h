/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by stage.c (gathering and writing), stage_object.c and stage_part.c (what records mean).
 */
#ifndef STORE_LOCAL_STAGE_INTERNAL_H
#define STORE_LOCAL_STAGE_INTERNAL_H

#include "store/local/stage.h"

/* How the live bytes of one segment change. */
struct stage_delta {
	uint64_t segment;
	int64_t bytes;
};

struct stage {
	struct index *index;
	struct segments *segments;
	struct index_tx *tx;
	struct index_state now;    /* as written */
	struct index_state staged; /* as it will be */
	struct stage_delta *deltas;
	size_t delta_count;
	size_t delta_size;
	bool trashed;
};

/* Makes room for changes of the live bytes of `count` segments; before anything is staged. */
bool stage_reserve(struct stage *stage, size_t count) MUST_USE;
/* The bytes of an entry are needed, or are not any more: for one that is put in, and taken out. */
void stage_hold_bytes(struct stage *stage, const struct entry *entry);
void stage_drop_bytes(struct stage *stage, const struct entry *entry);
/* Puts an entry, without its place in the log if its bytes are not there. */
void stage_put(struct stage *stage, const struct key *key, const struct location *where,
	struct slice meta, enum object_place place);

/* What to do with an object that a record makes; see enum object_mode. */
enum err stage_place(struct stage *stage, const struct stage_record *record,
	const struct object_meta *meta, struct slice meta_bytes,
	struct stage_condition condition) MUST_USE;

enum err stage_upload(struct stage *stage, const struct stage_record *record,
	const struct object_meta *meta) MUST_USE;
enum err stage_upload_abort(struct stage *stage, const struct stage_record *record,
	const struct object_meta *meta) MUST_USE;
enum err stage_part(struct stage *stage, const struct stage_record *record,
	const struct object_meta *meta) MUST_USE;
enum err stage_complete(struct stage *stage, const struct stage_record *record,
	const struct object_meta *meta, struct stage_condition condition) MUST_USE;
enum err stage_append(struct stage *stage, const struct stage_record *record,
	const struct object_meta *meta, struct stage_condition condition) MUST_USE;

#endif
