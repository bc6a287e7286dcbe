/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one caller may upload now: the profile that is asked for, narrowed by what the caller may
 * have, and with the keys it is for. Any thread.
 */
#ifndef APP_OFFER_OFFER_H
#define APP_OFFER_OFFER_H

#include "app/auth/caller.h"
#include "app/settings/rules.h"
#include "base/arena.h"

/* What is asked for. Texts are empty if they are not told. */
struct wish {
	struct slice profile; /* the name of one; empty: the default one */
	bool has_file;        /* it is about one file: */
	struct slice file_name;
	struct slice type; /* MIME type */
	int64_t size;      /* -1: not told */
	bool own_dir;      /* a new folder in that of the profile and the caller */
};

/* Slices live as long as the arena and the rules. */
struct offer {
	const struct rules *rules; /* by which it was made */
	const struct profile *profile;
	struct slice dir;  /* what the keys begin with */
	struct slice key;  /* the one key; empty: any below `dir` */
	struct slice type; /* the one type; empty: one of: */
	const struct slice *types;
	size_t type_count; /* 0: any */
	int64_t min_size;
	int64_t max_size;
	const struct profile_metadata *metadata; /* of the profile, and of the caller */
	size_t metadata_count;
	struct slice variables; /* the caller's */
};

/* Why there is none; constant texts. */
struct offer_refusal {
	int status;
	const char *code;
	const char *message;
};

/* False: *why is filled. */
bool offer_make(const struct rules *rules, const struct caller *caller, const struct wish *wish,
	int64_t now, struct arena *arena, struct offer *ret, struct offer_refusal *why) MUST_USE;

#endif
