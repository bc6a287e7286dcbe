/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far the scrub is, and the damage that it knows: the file `scrub` of the data folder. It is
 * replaced as a whole and not synced: without it, or if it is damaged, a pass begins anew.
 */
#ifndef STORE_LOCAL_SCRUB_PLACE_H
#define STORE_LOCAL_SCRUB_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/limits.h"
#include "base/slice.h"

/* A place of a file that is not as it was stored. */
struct damaged_place {
	bool in_log;
	uint64_t number; /* of the segment or the large file */
	uint64_t offset;
	uint64_t pass; /* in which it was last seen */
};

struct scrub_place {
	uint64_t pass;    /* the number of this pass, or of the last */
	int64_t begun_ms; /* when it began; 0: there was none */
	int64_t ended_ms; /* when the last whole pass ended; 0: none did */
	uint64_t segment; /* all records before `offset` of this one were read; 0: at rest */
	uint64_t offset;
	uint64_t end_segment; /* where the pass ends */
	uint64_t end_offset;
	uint64_t done;  /* bytes that were read in the pass */
	uint64_t total; /* about as many as there are */
	size_t count;
	struct damaged_place damaged[LIMIT_SCRUB_PLACES];
};

enum {
	SCRUB_PLACE_BYTES = 8 + 10 * 8 + 8, /* without damaged places */
	DAMAGED_PLACE_BYTES = 4 * 8,
	SCRUB_PLACE_MAX = SCRUB_PLACE_BYTES + LIMIT_SCRUB_PLACES * DAMAGED_PLACE_BYTES,
};

/* Into SCRUB_PLACE_MAX at `to`; how long it is. */
size_t scrub_place_write(const struct scrub_place *place, unsigned char *to);
/* False if it is not well-formed. */
bool scrub_place_parse(struct slice bytes, struct scrub_place *ret) MUST_USE;

/* The file of a data folder; all zeros if there is none that can be read. */
void scrub_place_load(int dir, struct scrub_place *ret);
/* An errno value. */
int scrub_place_save(int dir, const struct scrub_place *place) MUST_USE;

/* Whether the place is known; it was seen in this pass. */
bool scrub_place_knows(
	struct scrub_place *place, bool in_log, uint64_t number, uint64_t offset) MUST_USE;
/* Remembers it; false if there are too many. */
bool scrub_place_add(struct scrub_place *place, bool in_log, uint64_t number, uint64_t offset);
/* The pass is over: what it has not seen is not there any more. */
void scrub_place_forget(struct scrub_place *place);

#endif
