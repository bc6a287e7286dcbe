/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What records of the log mean for the index and for the counts: the same code applies a group
 * commit and a replay. Effects are gathered in a stage, written to the index at once, and only
 * then taken over into the counts in memory.
 *
 * One thread at a time: first whoever recovers the store, then the committer.
 */
#ifndef STORE_LOCAL_STAGE_H
#define STORE_LOCAL_STAGE_H

#include "store/local/index.h"
#include "store/local/segment.h"

struct stage;

struct stage *stage_new(
	struct index *index, struct segments *segments, const struct index_state *state) MUST_USE;
/* NULL is allowed. */
void stage_free(struct stage *stage);

/* What has to be true of the object that is there, for a change to be made. */
struct stage_condition {
	bool absent;                 /* ERR_FILE_ALREADY_EXISTS if there is one */
	const struct location *here; /* ERR_PRECONDITION_FAILED if it is not there, or NULL */
	bool as_public;              /* ERR_ACCESS_DENIED if its ACL does not let everybody write */
};

/* Each returns an error without an effect, or ERR_OK. `meta` is the encoded meta data. */
enum err stage_object(struct stage *stage, uint64_t bucket_id, struct slice key,
	const struct location *where, struct slice meta, struct stage_condition condition) MUST_USE;
enum err stage_object_delete(struct stage *stage, uint64_t bucket_id, struct slice key,
	struct stage_condition condition, bool *ret_existed) MUST_USE;
void stage_bucket(struct stage *stage, struct slice name, struct slice meta);
void stage_bucket_delete(struct stage *stage, struct slice name);
/* The file is gone from the disk; the number of bytes it had. */
void stage_file_forget(struct stage *stage, uint64_t file, uint64_t size);
void stage_segment_forget(struct stage *stage, uint64_t segment);

/*
 * Writes what is staged, with the position reached. On ERR_OK it has been taken over, and
 * *ret_trashed says whether there are new files to remove; otherwise all of it is forgotten.
 */
enum err stage_write(struct stage *stage, uint64_t segment, uint64_t offset, uint64_t sequence,
	uint64_t file_mark, bool *ret_trashed) MUST_USE;
void stage_forget(struct stage *stage);

/* As of the last successful write. */
const struct index_state *stage_state(const struct stage *stage);

#endif
