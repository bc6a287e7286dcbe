/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a change means: which version becomes current, what becomes a marker, which parts are taken,
 * what a condition refuses, and how counts move. Pure functions: they know no log, no index, no
 * disk and no thread, and allocate nothing. A back end looks up what a change is about, has it
 * decided here, and does what the effects say.
 *
 *	object.c   puts, deletes, delete markers, and changes of what is known of a version
 *	upload.c   uploads, their parts, completing them, and appending
 *	bucket.c   buckets and their settings
 *	decide.c   which of them a mutation is
 *	count.c    what effects do to the counts
 */
#ifndef STORE_RULES_RULES_H
#define STORE_RULES_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

/* ---- Objects and uploads --------------------------------------------------------------------- */

/* What can be looked up. */
enum rules_row {
	RULES_CURRENT = 1 << 0, /* the current object */
	RULES_NULL = 1 << 1,    /* the older version, or marker, "null" */
	RULES_NAMED = 1 << 2,   /* the older version, or marker, with the number that is named */
	RULES_NEWEST = 1 << 3,  /* the newest of the older ones, but for that which is named */
	RULES_UPLOAD = 1 << 4,  /* the upload */
	RULES_PART = 1 << 5,    /* its part with the number of the one that is put */
	RULES_PARTS = 1 << 6,   /* all its parts */
};

/*
 * The rows that the mutation is about, as they will be once all that was decided before is done.
 * `known` says which rows have been looked up; among these, NULL means that there is no such row.
 * The back end sets `versioning` at once, and the rest as it is needed.
 */
struct rules_view {
	enum store_versioning versioning;
	unsigned known; /* enum rules_row */
	const struct store_object *current;
	/* Nothing is known of the current object but that it is there: it is not kept. */
	bool current_is_damaged;
	const struct store_object *null;
	const struct store_object *named;
	const struct store_object *newest;
	const struct store_object *upload; /* what it was begun with */
	const struct store_object *part;
	const struct store_part *parts; /* ascending */
	size_t part_count;
};

enum rules_kind {
	RULES_PUT,
	RULES_APPEND,
	RULES_DELETE,
	RULES_CHANGE, /* of what is known of a version */
	RULES_UPLOAD_BEGIN,
	RULES_UPLOAD_PART,
	RULES_UPLOAD_ABORT,
	RULES_UPLOAD_COMPLETE,
};

/* The mutation that is asked for. Members that its kind does not use are zero. */
struct rules_mutation {
	enum rules_kind kind;
	/* Of PUT, APPEND, UPLOAD_BEGIN and UPLOAD_PART: what is brought; no version, no time. */
	const struct store_object *object;
	uint64_t position;            /* of APPEND */
	struct store_version version; /* that a DELETE or CHANGE is about */
	struct store_only_if only_if; /* of both */
	enum store_caller caller;
	bool forbid_overwrite;
	const struct store_kept *kept;                   /* of PUT, APPEND and DELETE; or NULL */
	const struct store_metadata_update *change;      /* of CHANGE: what it sets */
	const struct store_multipart_complete *complete; /* of UPLOAD_COMPLETE: which parts */
};

/* What becomes of something that is there. */
enum rules_fate {
	RULES_STAYS,
	RULES_GOES,            /* for good, with its bytes; an upload with all its parts */
	RULES_BECOMES_OLDER,   /* the current one */
	RULES_BECOMES_CURRENT, /* an older one */
	RULES_IS_CHANGED,      /* into effects.object; its bytes stay */
	RULES_GROWS,           /* into effects.object; the appended bytes come behind its own */
	RULES_IS_COMPLETE, /* an upload: parts that are not taken go, the others stay as bytes */
};

/* What there will be besides. */
enum rules_made {
	RULES_MADE_NOTHING,
	RULES_MADE_CURRENT, /* the current object */
	RULES_MADE_MARKER,  /* among the older versions */
	RULES_MADE_UPLOAD,
	RULES_MADE_PART,
};

struct rules_effects {
	/* Not 0: look these up (enum rules_row), and decide again. Nothing else counts then. */
	unsigned needs;
	/* In this order: first rows go or move, then the new one is put. */
	enum rules_fate current;
	enum rules_fate null;
	enum rules_fate named;
	enum rules_fate newest;
	enum rules_fate upload;
	enum rules_fate part;
	enum rules_made made;
	/* What is made, or what something is changed into; headers and tags are borrowed. */
	struct store_object object;
	/* To be added to what the bucket holds; the numbers wrap around. */
	struct store_bucket_stats counts;

	/* For the caller of the store, also with a refusal: */
	bool existed;        /* there was something to delete */
	bool deleted_marker; /* and it was a marker */
	struct store_object
		reported; /* the marker in the way; of APPEND the object as it is then */
	uint32_t bad_part;
};

/*
 * Decides the mutation at the time `now_ms`; `version` is greater than all before and becomes the
 * number of what is made. ERR_OK: do what *ret says, unless it needs something first. Else it is
 * refused, and nothing may be done.
 */
enum err rules_decide(const struct rules_view *view, const struct rules_mutation *mutation,
	int64_t now_ms, uint64_t version, struct rules_effects *ret) MUST_USE;

/* How what is there makes way for what comes: as the bucket says, or as what is kept needs. */
enum store_versioning rules_versioning(
	const struct rules_view *view, const struct rules_mutation *mutation);

/* Whether a completion that has been decided takes the part. */
bool rules_takes_part(const struct store_multipart_complete *complete, uint32_t number);

/*
 * Sets effects->counts, which rules_decide() has done, from what becomes of what is in the view.
 * For a back end that has effects from elsewhere: from a record of what was decided before.
 */
void rules_count(const struct rules_view *view, struct rules_effects *effects);
/*
 * The object with the piece behind it. The MD5 becomes some value that no other state of it has.
 */
void rules_grow(struct store_object *object, const struct store_object *piece, int64_t now_ms);

/* Adds what has changed to what is held. */
void rules_add_counts(struct store_bucket_stats *to, const struct store_bucket_stats *change);
bool rules_same_counts(const struct store_bucket_stats *a, const struct store_bucket_stats *b);

/* ---- Buckets --------------------------------------------------------------------------------- */

/*
 * The bucket as it will be, its slices borrowed. `old` is the one of that name, or NULL; `count`
 * how many buckets there are; `version` becomes the id of a new one, and the generation.
 */
enum err rules_bucket_create(const struct store_bucket *old, size_t count,
	const struct store_bucket_create *create, int64_t now_ms, uint64_t version,
	struct store_bucket *ret) MUST_USE;
enum err rules_bucket_change(const struct store_bucket *old,
	const struct store_bucket_update *change, uint64_t version,
	struct store_bucket *ret) MUST_USE;
enum err rules_bucket_delete(const struct store_bucket *old, bool is_empty) MUST_USE;

#endif
