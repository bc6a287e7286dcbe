/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this room share. */
#ifndef STORE_RADOS_FSCK_SURVEY_H
#define STORE_RADOS_FSCK_SURVEY_H

#include "store/rados/cluster/edit.h"
#include "store/rados/cluster/fetch.h"
#include "store/rados/fsck/fsck.h"
#include "store/rados/fsck/references.h"
#include "store/rados/fsck/told.h"
#include "store/rados/gateways/gateways.h"
#include "store/rados/rows/entry.h"
#include "store/rados/rows/key.h"
#include "store/rados/rows/tablet_rows.h"
#include "store/rados/state/state.h"
#include "store/rules/rules.h"

/* The beginning of the names of objects where that is which was moved aside. */
#define SURVEY_ASIDE "damaged."

struct known_bucket {
	char *name; /* ""; of one that was deleted */
	uint64_t id;
	bool is_deleted; /* only its garbage is left */
};

struct known_buckets {
	struct known_bucket *list;
	size_t count;
};

struct survey {
	struct rados *r;
	const struct rados_fsck_options *options;
	struct rados_fsck_result *result;
	enum err err; /* sticky: it cannot go on */
	struct references *refs;
	struct told *told;
	struct known_buckets buckets;
	bool is_one_pool; /* for small data and other */
	char *chunk;      /* room for a chunk, its sums, and one byte more */
	uint64_t done;    /* bytes */
	uint64_t total;
};

/* Breaks off, unless that has happened already. */
void survey_fail(struct survey *f, enum err e);
/* The same for a result of Ceph. */
void survey_fail_ceph(struct survey *f, int result, const char *object);
/*
 * Whether what was read is still protected, of whoever repairs: the gateways have not taken it for
 * dead. Otherwise breaks off, and logs why.
 */
bool survey_lives(struct survey *f);
/* So many bytes more. False: it is broken off. */
bool survey_progress(struct survey *f, uint64_t bytes);

/* ---- Telling --------------------------------------------------------------------------------- */

enum survey_fate {
	FATE_STAYS,
	FATE_LOST,
	FATE_CORRECTED,
	FATE_HARMLESS,
};

/* What a finding is about. */
struct subject {
	const struct known_bucket *bucket; /* or NULL */
	struct slice key;
	const struct store_object *version; /* or NULL */
	uint64_t part;
	struct slice row; /* that it is about, or empty */
	bool moves; /* the row has that key, and is the same in whichever tablet has the key */
	const char *fault; /* what of it, if the text says more, which may change; or NULL */
};

enum {
	SURVEY_OBJECT_BYTES = RADOS_NAME_BYTES + 8
};

/* `POOL/NAME`, where the pool is `index`, `small` or `data`, whatever it is called. */
const char *survey_object(
	struct survey *f, const struct pool *pool, const char *name, char ret[SURVEY_OBJECT_BYTES]);
/*
 * The subject may be NULL, and the object "". Counts it by what becomes of it. What was told before
 * is told again only if a repair has mended it now.
 */
void survey_tell(struct survey *f, enum survey_fate fate, const struct subject *about,
	const char *object, const char *what);

/* ---- Buckets and tablets --------------------------------------------------------------------- */

/* Reads the table; tells what is wrong with it if `tells`. */
void buckets_read(struct survey *f, bool tells, struct known_buckets *ret);
/* Whether a tablet keeps versions as the bucket's row says; true if that is not known. */
bool buckets_versioning_is(
	struct survey *f, const struct known_bucket *bucket, enum store_versioning versioning);
void known_buckets_free(struct known_buckets *buckets);
const struct known_bucket *known_bucket_find(const struct known_buckets *buckets, uint64_t id);

/* A tablet of a bucket. */
struct place {
	const struct known_bucket *bucket;
	uint64_t tablet;
	char name[RADOS_NAME_BYTES];
};

struct place place_of(const struct known_bucket *bucket, uint64_t tablet);

/* A head that outlives what it was read from. */
struct kept_head {
	enum head_state state;
	enum store_versioning versioning;
	uint64_t right;
	uint64_t copying;
	char low[LIMIT_KEY_BYTES];
	size_t low_len;
	char high[LIMIT_KEY_BYTES];
	size_t high_len;
};

static inline struct slice kept_low(const struct kept_head *head)
{
	return slice_of(head->low, head->low_len);
}

static inline struct slice kept_high(const struct kept_head *head)
{
	return slice_of(head->high, head->high_len);
}

void head_keep(const struct head *head, struct kept_head *ret);
/* 0, -ENOENT, -EBADMSG if it does not parse, or another -errno. */
int head_read(struct survey *f, const struct place *place, struct kept_head *ret) MUST_USE;
/* The tablet that has the key, from *place on to the right. The same results. */
int place_find(struct survey *f, struct slice key, struct place *place) MUST_USE;

/* All bytes that are in the store, as its counts say. */
uint64_t chain_bytes(struct survey *f);
void chain_check(struct survey *f, const struct known_bucket *bucket);
/* Notes what data the garbage of all buckets names; tells nothing. */
void chain_garbage(struct survey *f);
/* Tablets that were listed, and that no bucket led to. */
void chain_orphans(struct survey *f);

enum walked {
	WALK_DONE,
	WALK_GONE,   /* there is no such object */
	WALK_BROKEN, /* its head does not parse: told */
};

/* Checks a tablet; *ret is its head in the end. */
enum walked walk_tablet(struct survey *f, const struct place *place, struct kept_head *ret);
/* What garbage the tablet names; a row that does not parse is told if `tells`. */
void rest_garbage(struct survey *f, const struct place *place, bool tells);
/* Rows of no kind that we know. */
void rest_unknown(struct survey *f, const struct place *place);
/*
 * A row that belongs to no key, or is outside of the tablet's range: tells it, if it is still so,
 * and mends it if it is asked for.
 */
void rest_loose(
	struct survey *f, const struct place *place, const struct row *row, const char *what);
void rest_outside(struct survey *f, const struct place *place, const struct row *row);
/* Whether the tablet has keys like that. */
bool head_has(const struct head *head, struct slice key);

/* Goes on behind rows that have come. False: those were all. */
bool rows_go_on(const struct rows *rows, struct row_key *after);

/* ---- Rows of a key --------------------------------------------------------------------------- */

enum kind {
	KIND_BYTES,
	KIND_EXTENTS,
	KIND_HIDDEN,
	KIND_OBJECT,
	KIND_UPLOAD,
	KIND_VERSION,
	KIND_PART,
	KINDS,
};

extern const char kind_letters[KINDS];

/* All rows of one key, of one moment. */
struct group {
	struct slice key;
	struct rows kinds[KINDS];
};

/* What the faults of a key are cured by. */
enum cure {
	CURE_ROW,     /* the row belongs to nothing */
	CURE_VERSION, /* the version is lost */
	CURE_UPLOAD,  /* the upload is lost */
	CURE_HIDDEN,  /* ROW_HIDDEN is made anew */
	CURE_MARKER,  /* nobody knows what is lost; a marker takes its place */
	CURE_NONE,
};

struct fault {
	const char *what;
	enum cure cure;
	enum kind kind; /* the row that it is about */
	size_t index;
	char object[SURVEY_OBJECT_BYTES]; /* of data; or "" */
};

struct key_check {
	struct survey *f;
	bool is_first; /* references and numbers are noted, and rows counted */
	struct store_bucket_stats *counts;
	const struct place *place;
	struct fault *faults; /* result */
	size_t fault_count;
};

/* key_check_free() is due. */
void key_check(struct key_check *c, const struct group *group);
void key_check_free(struct key_check *c);
/* Adds what an entry, part, list of extents or garbage in a row refers to. False: none of ours. */
bool row_refers(struct survey *f, enum reference_kind kind, const struct place *place,
	struct slice row, char letter, struct slice value);

struct gathered {
	struct fetch **fetches;
	size_t fetch_count;
	struct row *lists[KINDS];
	struct group group;
	struct slice epoch;
	struct head head;
	struct place place; /* the tablet that has it */
};

enum gathering {
	GATHERED,
	GATHER_GONE,   /* the tablet is not there any more, or is not the one that has the key */
	GATHER_MOVING, /* it never stands still for long enough */
	GATHER_FAILED, /* f->err says why */
};

/* Reads all rows of a key, from `place` on. gathered_free() is due in any case. */
enum gathering gather(struct survey *f, const struct place *place, struct slice key,
	struct gathered *ret) MUST_USE;
void gathered_free(struct gathered *g);
bool group_eq(const struct group *one, const struct group *other);

/* Something of that key looked wrong: tells what holds, and mends it if it is asked for. */
void confirm(struct survey *f, const struct place *place, struct slice key);

/* ---- Bytes ----------------------------------------------------------------------------------- */

/* Whether the data is there, and is what was stored. Otherwise says what is wrong, and where. */
bool bytes_are_whole(struct survey *f, const struct extents *extents, uint64_t crc64,
	const char **ret_what, char ret_object[SURVEY_OBJECT_BYTES]);

/* ---- Counts ---------------------------------------------------------------------------------- */

enum {
	COUNTED_KINDS = 4,
	COUNT_BOUNDS_MAX = 64, /* of a kind */
};

/* Rows that a walk has met, some hundreds apart, of each kind that is counted. */
struct bounds {
	char *list[COUNTED_KINDS][COUNT_BOUNDS_MAX];
	size_t counts[COUNTED_KINDS];
	size_t behind[COUNTED_KINDS]; /* rows that came behind the last one */
	bool is_full;                 /* there were more */
};

void bounds_note(struct bounds *bounds, const struct group *group);
void bounds_clear(struct bounds *bounds);

/* The sum of own rows. False if one does not parse. */
bool counts_of(const struct rows *owns, struct store_bucket_stats *ret);
struct store_bucket_stats counts_minus(
	const struct store_bucket_stats *one, const struct store_bucket_stats *other);

enum counted {
	COUNTED,
	COUNT_AGAIN,  /* the tablet was split meanwhile */
	COUNT_MOVING, /* it changes too much */
	COUNT_FAILED,
};

/* Counts a tablet's rows, and its counts, in one operation. */
enum counted counts_at_once(struct survey *f, const struct place *place,
	const struct bounds *bounds, struct slice high, struct store_bucket_stats *ret_rows,
	struct store_bucket_stats *ret_owns);
/* The counts do not fit the rows. */
void counts_differ(struct survey *f, const struct place *place,
	const struct store_bucket_stats *rows, const struct store_bucket_stats *owns);

/* ---- The rest -------------------------------------------------------------------------------- */

void objects_list(struct survey *f);
/* Once all references are known: objects without one, and data with two. */
void objects_check(struct survey *f);
void documents_check(struct survey *f);

/* ---- Mending --------------------------------------------------------------------------------- */

enum mended {
	MENDED,
	MEND_AGAIN, /* somebody else has changed it, or is about to */
	MEND_CANNOT,
};

/* Moves aside what the faults say, if the rows are still as they were gathered. */
enum mended mend_key(struct survey *f, const struct gathered *g, const struct key_check *c);
/* One row, if it has still that value. */
enum mended mend_row(
	struct survey *f, const struct place *place, struct slice row, struct slice value);
/* Adds what is missing to the counts of nobody. */
enum mended mend_counts(
	struct survey *f, const struct place *place, const struct store_bucket_stats *missing);

#endif
