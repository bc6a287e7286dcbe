/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which part lists belong to appendable objects that have no bytes yet: no row says so. For what
 * is kept of another store, where two keys may have one number. For the committer's thread.
 */
#ifndef STORE_LOCAL_COMMIT_EMPTY_LISTS_H
#define STORE_LOCAL_COMMIT_EMPTY_LISTS_H

#include "store/local/state/local_internal.h"

/* Whether an object has the list. The first call reads all of the index. */
enum err empty_lists_find(struct local *local, uint64_t number, bool *ret) MUST_USE;
/* An object is about to have it, after empty_lists_find(). */
enum err empty_lists_add(struct local *local, uint64_t number) MUST_USE;
/* May be NULL. */
void empty_lists_free(struct empty_lists *lists);

#endif
