/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by object.c and upload.c: each kind of mutation, decided; see rules_decide(). */
#ifndef STORE_RULES_RULES_INTERNAL_H
#define STORE_RULES_RULES_INTERNAL_H

#include "store/rules/rules.h"

/* All that a decision looks at, and its result. */
struct rules {
	const struct rules_view *view;
	const struct rules_mutation *mutation;
	int64_t now_ms;
	uint64_t version;
	struct rules_effects *effects;
};

/* Whether the rows have been looked up; if not they are needed. */
bool rules_know(struct rules *rules, unsigned rows) MUST_USE;
/* Refuses what the conditions of the mutation do not let happen to `old`, or NULL. */
enum err rules_check(const struct rules *rules, const struct store_object *old) MUST_USE;

/* Refuses what cannot be kept. ERR_OK also if something has to be looked up first. */
enum err rules_keep(struct rules *rules) MUST_USE;
/*
 * A new version comes: what is there makes way, as the bucket's versioning says. False: something
 * has to be looked up.
 */
bool rules_make_way(struct rules *rules) MUST_USE;
/* The object that comes, current; the rest has made way. */
void rules_make_current(struct rules *rules, const struct store_object *object);

enum err rules_put(struct rules *rules) MUST_USE;
enum err rules_delete(struct rules *rules) MUST_USE;
enum err rules_change(struct rules *rules) MUST_USE;
enum err rules_append(struct rules *rules) MUST_USE;
enum err rules_upload_begin(struct rules *rules) MUST_USE;
enum err rules_upload_part(struct rules *rules) MUST_USE;
enum err rules_upload_abort(struct rules *rules) MUST_USE;
enum err rules_upload_complete(struct rules *rules) MUST_USE;

#endif
