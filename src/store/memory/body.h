/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of objects. A body is a row of pieces, which bodies share: a completed upload has those
 * of its parts, and a grown object those that it had. Bodies and pieces are counted, and do not
 * change once somebody else can see them. What they take is counted in BUDGET_STORE.
 */
#ifndef STORE_MEMORY_BODY_H
#define STORE_MEMORY_BODY_H

#include "base/err.h"
#include "store/store.h"

struct body;

/* An empty one. NULL: there is no memory. Of all of these, a reference is the caller's. */
struct body *body_new(void) MUST_USE;
struct body *body_ref(struct body *body);
/* NULL is allowed. */
void body_unref(struct body *body);

/*
 * Adds bytes at the end of a body that nobody else has; `hint` is how many are still to come, if
 * that is known. ERR_DISK_FULL, ERR_UNAVAILABLE: perhaps some are added.
 */
enum err body_add(struct body *body, struct slice bytes, uint64_t hint) MUST_USE;
/* Adds the pieces of another one. */
enum err body_share(struct body *body, const struct body *other) MUST_USE;
/* Gives back what was allocated and is not used. */
void body_trim(struct body *body);

/* Where the bytes from `at` on are, as far as they lie together; none if it is the end. */
struct store_blob body_find(const struct body *body, uint64_t at);

#endif
