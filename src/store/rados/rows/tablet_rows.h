/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The values of the other rows of a tablet, and of the row of a bucket (docs/on-rados.md). Values
 * and pure functions; the parsers take whatever bytes.
 */
#ifndef STORE_RADOS_ROWS_TABLET_ROWS_H
#define STORE_RADOS_ROWS_TABLET_ROWS_H

#include "base/limits.h"
#include "base/strbuf.h"
#include "store/store.h"

/* ROW_EPOCH: compared by every operation, changed whenever ROW_HEAD is. */
struct epoch {
	uint64_t epoch;
	uint64_t tablet;
};

void epoch_format(const struct epoch *epoch, struct strbuf *out);
bool epoch_parse(struct slice value, struct epoch *ret) MUST_USE;

enum head_state {
	HEAD_ACTIVE,
	HEAD_FROZEN,    /* no changes: its bucket is perhaps deleted */
	HEAD_DEAD,      /* its bucket was deleted */
	HEAD_SPLITTING, /* no changes: what is behind a key is copied to another tablet */
	HEAD_MERGING,   /* no changes: it takes over what the tablet behind it has */
	HEAD_MOVING,    /* no changes: the tablet in front of it takes this one over */
	HEAD_MOVED,     /* that has what this one has, or will have it soon: no reads, either */
	HEAD_STATES,
};

/* Whether somebody splits or merges a tablet in that state, which ends soon. */
static inline bool head_state_is_work(enum head_state state)
{
	return state == HEAD_SPLITTING || state == HEAD_MERGING || state == HEAD_MOVING ||
	       state == HEAD_MOVED;
}

/* ROW_HEAD. */
struct head {
	enum head_state state;
	enum store_versioning versioning;
	uint64_t bucket;
	/* Its keys are those from `low` up to, but without, `high`; empty: all that come before or
	 * behind. */
	struct slice low;
	struct slice high;
	uint64_t right;   /* the tablet that has what is behind; 0: there is none */
	uint64_t copying; /* the other one, while it is split or merged; otherwise 0 */
};

enum {
	HEAD_BYTES_MAX = 36 + 2 * LIMIT_KEY_BYTES
};

/* Whether the key is at or behind the end of the tablet's. */
static inline bool head_is_behind(const struct head *head, struct slice key)
{
	return head->high.len > 0 && slice_cmp(key, head->high) >= 0;
}

void head_format(const struct head *head, struct strbuf *out);
/* Its slices point into `value`. */
bool head_parse(struct slice value, struct head *ret) MUST_USE;

/*
 * ROW_OWN: what the changes of one instance come to; numbers wrap around. That of the instance
 * OWN_SUM is nobody's: it has what was split off other tablets, and the changes of those instances
 * that have ended.
 */
#define OWN_SUM 0

struct own {
	/* Its instance is dead: all that it may still send here fails. */
	bool is_closed;
	/*
	 * Of its last operation here. In the sum: all instances below this have ended, but for
	 * those that are named in `living`; none of them can change the tablet any more.
	 */
	uint64_t sequence;
	struct store_bucket_stats counts;
	struct slice living; /* numbers; in the sum alone */
};

enum {
	OWN_LIVING_MAX = 256,
	OWN_NUMBER_BYTES = 8, /* of each */
	OWN_BYTES_MAX = 64 + OWN_LIVING_MAX * OWN_NUMBER_BYTES,
};

/* Whether the sum says that the instance has ended. */
bool own_has_ended(const struct own *sum, uint64_t instance);
/* Whether of two sums, which may be of two tablets, `sum` knows of more that have ended. */
bool own_is_later(const struct own *sum, const struct own *other);

void own_format(const struct own *own, struct strbuf *out);
/* `living` points into `value`. */
bool own_parse(struct slice value, struct own *ret) MUST_USE;

/* ROW_HIDDEN: there only while the key has rows ROW_VERSION; changed whenever they are. */
struct hidden {
	uint64_t revision;
	uint64_t newest; /* the version of the newest of them */
	int64_t newest_ms;
	bool newest_is_marker;
	bool newest_is_null;
	uint64_t null; /* the version that is "null" among them, or 0 */
};

void hidden_format(const struct hidden *hidden, struct strbuf *out);
bool hidden_parse(struct slice value, struct hidden *ret) MUST_USE;

/* The row of a bucket, without name and settings. */
struct bucket_row {
	uint64_t deleting; /* 0, or a number of who looks whether it is empty */
	struct store_bucket bucket;
};

void bucket_row_format(const struct bucket_row *row, struct strbuf *out);
bool bucket_row_parse(struct slice value, struct bucket_row *ret) MUST_USE;

#endif
