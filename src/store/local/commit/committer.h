/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The committer: one thread that makes every change. It takes all waiting changes as a batch,
 * checks their conditions, appends a record for each to the log directly from the callers' memory,
 * syncs once, writes the index once, and answers all of them. The next batch collects meanwhile.
 *
 * After a failed sync the end of the log on the disk is unknown: all changes are refused with
 * ERR_UNAVAILABLE, while reading still works, until a new segment could be made, which says where
 * the one before ends. When the index could not be written, changes are refused until it can be,
 * if need be after it was opened again (reopen.h).
 */
#ifndef STORE_LOCAL_COMMIT_COMMITTER_H
#define STORE_LOCAL_COMMIT_COMMITTER_H

#include "store/local/index/index.h"
#include "store/local/wal/record.h"
#include "store/local/wal/segment.h"
#include "store/store.h"

struct local;
struct committer;

enum mutation_kind {
	MUTATION_OBJECT,
	MUTATION_OBJECT_DELETE,
	MUTATION_METADATA, /* what is known of an object */
	/* What the collector carries along, to the end of the log: */
	MUTATION_MOVE,
	MUTATION_RESTATE,
	MUTATION_MOVE_BUCKET,
	MUTATION_ENDED,
	MUTATION_ADD_SUMS, /* of the scrub: a large file has sums of its blocks now */
	/* Of callers again: */
	MUTATION_APPEND,
	MUTATION_PART,
	MUTATION_MULTIPART,
	MUTATION_MULTIPART_ABORT,
	MUTATION_COMPLETE,
	MUTATION_BUCKET_CREATE,
	MUTATION_BUCKET,
	MUTATION_BUCKET_DELETE,
	/* Of the collector: what it has removed, and what is not needed any more. */
	MUTATION_FORGET_FILE,
	MUTATION_FORGET_SEGMENT,
	MUTATION_FORGET_ENDED,
	MUTATION_FORGET_PART,
	MUTATION_FORGET_PART_LIST,
	MUTATION_SEAL, /* ends the active segment, if it has that number and any record */
};

/* What the committer knows of a kind. */
struct mutation_traits {
	bool about_bucket; /* alone in its group commit */
	bool index_alone;  /* about the index alone: leaves no record */
	bool frees_space;  /* may use what is reserved for the time when the disk is full */
	/* Its record is made, see below, with as much behind the key at most. */
	bool made;
	size_t meta_max;
	size_t data_max;
};
extern const struct mutation_traits mutation_traits[];

/*
 * One change, embedded in the caller's structure. Everything it points to must stay in place until
 * `done` is called.
 */
struct mutation {
	struct task task;      /* the committer's, while it waits */
	struct mutation *next; /* the committer's: the next one of its group commit */
	enum mutation_kind kind;
	/*
	 * The record: a header (record_head()), key and meta data, and the data. The caller brings
	 * it. Only the records of completions, of changes of objects and buckets, and of deletes in
	 * buckets with versions are made by decide.h.
	 */
	unsigned char *head;
	size_t head_len;
	size_t key_len;
	uint64_t bucket_id;
	struct slice data;
	bool forbid_overwrite;         /* of MUTATION_OBJECT, MUTATION_APPEND and MUTATION_PART */
	enum store_caller caller;      /* of the same kinds */
	const struct store_kept *kept; /* of MUTATION_OBJECT and MUTATION_APPEND; or NULL */
	bool keeps; /* of MUTATION_OBJECT_DELETE: as if versions were kept still */
	/* MUTATION_MOVE, _RESTATE, _MOVE_BUCKET and _ADD_SUMS: where it was read. */
	const struct location *moves_from;
	/* Of the same kinds: it is made by gc/upgrade_log.h, and `moves_from` is not compared. */
	bool is_upgrade;
	struct store_multipart_complete *complete;
	struct store_delete *del;
	struct store_metadata_update *object_change;
	/* The buckets: */
	struct slice name;
	const struct store_bucket_create *bucket_create;
	int64_t created_ms; /* with `bucket_create` */
	const struct store_bucket_update *bucket_change;
	/* MUTATION_FORGET_*: */
	uint64_t number; /* of the file, the segment, the set */
	uint64_t size;   /* of the file */
	uint64_t
		part; /* its number in the set; MUTATION_FORGET_ENDED: what ended (ended_label()) */
	/* Results. */
	enum err err;
	bool existed;
	bool in_doubt;               /* it failed, but a start may find it in the log */
	struct store_object *object; /* the caller's, or NULL: receives the resulting object */
	/* On the committer's thread, when the outcome is known; may free the change. */
	void (*done)(struct mutation *mutation);
	/* The committer's: */
	bool nothing; /* there is nothing to do */
	const struct store_bucket *bucket;
	unsigned char *made; /* a record that was made, freed after `done` */
};

static inline bool mutation_about_bucket(const struct mutation *mutation)
{
	return mutation_traits[mutation->kind].about_bucket;
}

/* The key, and the meta data, in the record. */
static inline struct slice mutation_key(const struct mutation *mutation)
{
	return mutation->head ? slice_of(mutation->head + RECORD_HEADER_BYTES, mutation->key_len)
			      : S("");
}

static inline unsigned char *mutation_meta(const struct mutation *mutation)
{
	return mutation->head + RECORD_HEADER_BYTES + mutation->key_len;
}

static inline struct slice mutation_meta_slice(const struct mutation *mutation)
{
	size_t before = RECORD_HEADER_BYTES + mutation->key_len;
	return slice_of(mutation->head + before, mutation->head_len - before);
}

/* The log must be open and the buckets loaded. */
enum err committer_new(struct local *local, struct committer **ret) MUST_USE;
/* After finishing what was added. NULL is allowed. */
void committer_free(struct committer *committer);

/* Any thread; never waits for a disk. */
void committer_add(struct committer *committer, struct mutation *mutation);
/* Whether changes are refused because the log or the index could not be written. Any thread. */
bool committer_broken(const struct committer *committer);
/* Why, for the operator; NULL if they are not. */
const char *committer_refusal(const struct committer *committer);

/* Any thread. Without disk_bytes. */
void committer_stats(struct committer *committer, struct store_stats *ret);
/* What the index has. Any thread. */
void committer_state(struct committer *committer, struct index_state *ret);

#endif
