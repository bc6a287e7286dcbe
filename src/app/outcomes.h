/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How what was asked of the application server has ended, counted for metrics: grants by profile,
 * callbacks by verdict, and requests that nobody was let in for. Any thread.
 */
#ifndef APP_OUTCOMES_H
#define APP_OUTCOMES_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/slice.h"

/* What became of a grant: one of the first three when it is asked for, and later of its uploads. */
enum grant_outcome {
	OUTCOME_ISSUED,
	OUTCOME_REFUSED,     /* the profile does not allow what was asked for */
	OUTCOME_UNAVAILABLE, /* 503: nothing could be signed, or written down */
	OUTCOME_CONFIRMED,   /* an upload was recorded */
	OUTCOME_FOUND,       /* the same, but no callback has told of it */
	OUTCOME_REJECTED,    /* an upload was not believed */
	OUTCOMES
};
extern const char *const grant_outcome_names[OUTCOMES];

enum callback_verdict {
	CALLBACK_RECORDED,
	CALLBACK_KNOWN,     /* nothing new, and nothing untrue: recorded before */
	CALLBACK_PENDING,   /* the reconciler will decide */
	CALLBACK_MALFORMED, /* no callback, or not one that was asked for */
	CALLBACK_KEY_URL,   /* the URL of its public key is not trusted */
	CALLBACK_GRANT,     /* no grant, or one that is forged, over, or for other objects */
	CALLBACK_SIGNATURE,
	CALLBACK_OBJECT,    /* the object is another one, or did not pass a check */
	CALLBACK_REPEATED,  /* this very callback was recorded before */
	CALLBACK_EXHAUSTED, /* the grant was used up */
	CALLBACK_UNDECIDED, /* 503: key, store or ledger could not be had */
	CALLBACK_VERDICTS
};
extern const char *const callback_verdict_names[CALLBACK_VERDICTS];

/* Why a request was not let in, before anything was asked of a profile. */
enum denial {
	DENIAL_TOKEN,       /* 401: none, or a bad one */
	DENIAL_ORIGIN,      /* 403: a cookie from a page that is not on the list */
	DENIAL_BACK_END,    /* 401 or 403 of the operator's back end */
	DENIAL_RATE,        /* 429 */
	DENIAL_UNAVAILABLE, /* 503: the back end or the keys of tokens could not be had */
	DENIALS
};
extern const char *const denial_names[DENIALS];

struct outcomes;

struct outcomes_of_profile {
	char profile[LIMIT_PROFILE_NAME_BYTES + 1];
	uint64_t counts[OUTCOMES];
};

enum err outcomes_new(struct outcomes **ret) MUST_USE;
/* NULL is allowed. */
void outcomes_free(struct outcomes *outcomes);

/* There are counts of that profile from now on, if all of them are 0. */
void outcomes_know(struct outcomes *outcomes, struct slice profile);

/*
 * `profile` is a name as configured; empty is the default one. A profile that is not among the
 * first LIMIT_OUTCOME_PROFILES that are counted is counted with all others like it, as `other`.
 * Only names that exist are to be given, for what clients send would fill the table.
 */
void outcomes_count_grant(
	struct outcomes *outcomes, struct slice profile, enum grant_outcome outcome);
void outcomes_count_callback(struct outcomes *outcomes, enum callback_verdict verdict);
void outcomes_count_denial(struct outcomes *outcomes, enum denial denial);

/* ---- Reading. Each number is exact, but they are not of the same moment. ---- */

/* How many profiles were counted. */
size_t outcomes_profiles(const struct outcomes *outcomes);
/* That with number `at`, below outcomes_profiles(). */
void outcomes_of(const struct outcomes *outcomes, size_t at, struct outcomes_of_profile *ret);
uint64_t outcomes_callbacks(const struct outcomes *outcomes, enum callback_verdict verdict);
uint64_t outcomes_denials(const struct outcomes *outcomes, enum denial denial);

#endif
