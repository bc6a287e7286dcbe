/* SPDX-License-Identifier: Apache-2.0 */
#include "app/outcomes.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
	ROWS = LIMIT_OUTCOME_PROFILES + 1 /* and the one for all that have none */
};

struct row {
	char profile[LIMIT_PROFILE_NAME_BYTES + 1]; /* written once, before `used` counts it */
	atomic_uint_fast64_t counts[OUTCOMES];
};

struct outcomes {
	pthread_mutex_t adding;
	atomic_size_t used;
	struct row rows[ROWS];
	atomic_uint_fast64_t callbacks[CALLBACK_VERDICTS];
	atomic_uint_fast64_t denials[DENIALS];
};

const char *const grant_outcome_names[OUTCOMES] = {
	[OUTCOME_ISSUED] = "issued",
	[OUTCOME_REFUSED] = "refused",
	[OUTCOME_UNAVAILABLE] = "unavailable",
	[OUTCOME_CONFIRMED] = "confirmed",
	[OUTCOME_FOUND] = "found",
	[OUTCOME_REJECTED] = "rejected",
};

const char *const callback_verdict_names[CALLBACK_VERDICTS] = {
	[CALLBACK_RECORDED] = "recorded",
	[CALLBACK_KNOWN] = "known",
	[CALLBACK_PENDING] = "pending",
	[CALLBACK_MALFORMED] = "malformed",
	[CALLBACK_KEY_URL] = "key_url",
	[CALLBACK_GRANT] = "grant",
	[CALLBACK_SIGNATURE] = "signature",
	[CALLBACK_OBJECT] = "object",
	[CALLBACK_REPEATED] = "repeated",
	[CALLBACK_EXHAUSTED] = "exhausted",
	[CALLBACK_UNDECIDED] = "undecided",
};

const char *const denial_names[DENIALS] = {
	[DENIAL_TOKEN] = "token",
	[DENIAL_ORIGIN] = "origin",
	[DENIAL_BACK_END] = "back_end",
	[DENIAL_RATE] = "rate",
	[DENIAL_UNAVAILABLE] = "unavailable",
};

enum err outcomes_new(struct outcomes **ret)
{
	struct outcomes *o = calloc(1, sizeof(*o));
	if (!o)
		return ERR_UNAVAILABLE;
	pthread_mutex_init(&o->adding, NULL);
	*ret = o;
	return ERR_OK;
}

void outcomes_free(struct outcomes *outcomes)
{
	if (!outcomes)
		return;
	pthread_mutex_destroy(&outcomes->adding);
	free(outcomes);
}

static struct row *find(struct outcomes *o, struct slice profile)
{
	size_t used = atomic_load_explicit(&o->used, memory_order_acquire);
	for (size_t i = 0; i < used; i++)
		if (slice_eq(slice_str(o->rows[i].profile), profile))
			return &o->rows[i];
	return NULL;
}

/* The last row is kept for all that have none. */
static struct row *add(struct outcomes *o, struct slice profile)
{
	pthread_mutex_lock(&o->adding);
	size_t used = atomic_load(&o->used);
	if (used >= LIMIT_OUTCOME_PROFILES || profile.len > LIMIT_PROFILE_NAME_BYTES)
		profile = S("other");
	struct row *row = find(o, profile);
	if (!row) {
		row = &o->rows[used];
		memcpy(row->profile, profile.ptr, profile.len);
		atomic_store_explicit(&o->used, used + 1, memory_order_release);
	}
	pthread_mutex_unlock(&o->adding);
	return row;
}

static struct row *row_of(struct outcomes *o, struct slice profile)
{
	struct slice name = profile.len > 0 ? profile : S("default");
	struct row *row = find(o, name);
	return row ? row : add(o, name);
}

void outcomes_know(struct outcomes *outcomes, struct slice profile)
{
	(void)row_of(outcomes, profile);
}

void outcomes_count_grant(
	struct outcomes *outcomes, struct slice profile, enum grant_outcome outcome)
{
	struct row *row = row_of(outcomes, profile);
	atomic_fetch_add_explicit(&row->counts[outcome], 1, memory_order_relaxed);
}

void outcomes_count_callback(struct outcomes *outcomes, enum callback_verdict verdict)
{
	atomic_fetch_add_explicit(&outcomes->callbacks[verdict], 1, memory_order_relaxed);
}

void outcomes_count_denial(struct outcomes *outcomes, enum denial denial)
{
	atomic_fetch_add_explicit(&outcomes->denials[denial], 1, memory_order_relaxed);
}

size_t outcomes_profiles(const struct outcomes *outcomes)
{
	return atomic_load_explicit(&outcomes->used, memory_order_acquire);
}

void outcomes_of(const struct outcomes *outcomes, size_t at, struct outcomes_of_profile *ret)
{
	const struct row *row = &outcomes->rows[at];
	memcpy(ret->profile, row->profile, sizeof(ret->profile));
	for (size_t i = 0; i < OUTCOMES; i++)
		ret->counts[i] = atomic_load_explicit(&row->counts[i], memory_order_relaxed);
}

uint64_t outcomes_callbacks(const struct outcomes *outcomes, enum callback_verdict verdict)
{
	return atomic_load_explicit(&outcomes->callbacks[verdict], memory_order_relaxed);
}

uint64_t outcomes_denials(const struct outcomes *outcomes, enum denial denial)
{
	return atomic_load_explicit(&outcomes->denials[denial], memory_order_relaxed);
}
