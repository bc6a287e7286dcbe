/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of this room; scrub.c says what is done when. All run on its thread. */
#ifndef STORE_LOCAL_SCRUB_SCRUB_INTERNAL_H
#define STORE_LOCAL_SCRUB_SCRUB_INTERNAL_H

#include <pthread.h>

#include "base/sleeper.h"
#include "store/local/index/index.h"
#include "store/local/large/sums.h"
#include "store/local/scrub/pace.h"
#include "store/local/scrub/place.h"
#include "store/local/scrub/scrub.h"
#include "store/local/state/local_internal.h"
#include "store/local/wal/scan.h"
#include "store/store.h"

struct scrub {
	struct local *local;
	pthread_t thread;
	bool joined;
	struct sleeper sleeper;
	pthread_mutex_t lock; /* protects `stats`; a leaf */
	struct store_scrub stats;
	/* The thread's own: */
	struct scrub_place place;
	struct pace pace;
	struct scan scan;
	char *block;      /* VERIFY_BLOCK_BYTES */
	uint64_t unsaved; /* bytes that were read since the place was saved */
	uint64_t untold;  /* places that there was no room for, in this pass */
	bool save_failed; /* it was logged */
};

static inline bool scrub_stopping(struct scrub *scrub)
{
	return sleeper_stopped(&scrub->sleeper);
}

/* ---- scrub.c ---- */

/* Bytes were read: rests as the rate says. False if it is to end. */
bool scrub_rest(struct scrub *scrub, uint64_t bytes);
void scrub_count(struct scrub *scrub, uint64_t records, uint64_t files, uint64_t sums);

/* ---- log.c ---- */

/* Reads the records of a segment, whose pin is taken over, from the place on up to `end`; false if
 * it is to end. */
bool log_scrub(struct scrub *scrub, struct segment *segment, uint64_t end);

/* ---- file.c ---- */

/* Reads the large file of the record, if an entry is made by that. */
void file_scrub(struct scrub *scrub, const struct record *record, const struct location *where);

/* ---- add_sums.c ---- */

/* Gives the file sums of its blocks, if the entry below `key` is still the one that is given. */
void sums_add_to_file(struct scrub *scrub, const struct key *key, const struct record *record,
	const struct entry *entry, const struct sums *sums);

/* ---- find.c ---- */

/* Whose bytes they are. */
struct owner {
	uint64_t bucket_id;
	struct slice key;
	struct store_object object; /* its version; zeros: an upload that is not complete */
};

/*
 * The entry that the record at `where` makes, below *ret_key; without headers and tags. False if
 * there is none.
 */
bool find_entry(struct scrub *scrub, const struct record *record, const struct location *where,
	struct key *ret_key, struct entry *ret) MUST_USE;
/* Whether the entry below the key is still made by the record at `where`. */
bool find_again(struct scrub *scrub, const struct key *key, const struct location *where) MUST_USE;
/* The object, or the upload, that has the part list; owner->key is written to `key`, of KEY_MAX. */
void find_owner(struct scrub *scrub, uint64_t list, char *key, struct owner *owner);

/* ---- gap.c ---- */

/* The log says nothing between the two: tells of the objects and parts whose bytes lie there. */
void gap_scrub(struct scrub *scrub, struct segment *segment, uint64_t begin, uint64_t end);

/* ---- tell.c ---- */

/* Of bytes that are not what was stored, once. */
void tell_object(struct scrub *scrub, const struct owner *owner, bool in_log, uint64_t number,
	uint64_t offset);
/* Of a place of the log in which no object's bytes are damaged. */
void tell_log(struct scrub *scrub, uint64_t segment, uint64_t begin, uint64_t end);

#endif
