/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one reading of a request: before anything acts on it, names that could be taken for two
 * things are refused or joined, so that signing, routing, permission and operation see the same.
 */
#ifndef OPS_READING_H
#define OPS_READING_H

#include "ops/request.h"

/*
 * Whether an operation reads the query parameter of that decoded name, or signature version 1 signs
 * it. Such a one may stand once in a request; any other may repeat, for it means nothing.
 */
bool param_is_known(struct slice name) MUST_USE;

/*
 * Whether a header (any case) has one value: of two lines the values must be equal, and count once.
 * The lines of any other header are joined with commas in the order sent, as they are signed (RFC
 * 9110 section 5.3).
 */
bool header_is_single(struct slice name) MUST_USE;

/* False: the request repeats what may stand once, and has been answered with 400. */
bool reading_check(struct request *r) MUST_USE;

#endif
