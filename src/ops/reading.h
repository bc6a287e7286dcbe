/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Removes ambiguity from a request before anything acts on it: repeated names are refused or
 * joined, so that signing, routing, permission and operation see the same values.
 */
#ifndef OPS_READING_H
#define OPS_READING_H

#include "ops/request.h"

/*
 * Whether an operation reads the query parameter of that decoded name, or signature version 1 signs
 * it. Such a parameter may occur once; any other has no meaning and may repeat.
 */
bool param_is_known(struct slice name) MUST_USE;

/*
 * Whether a header (in any case) has a single value: if it is repeated the values must be equal,
 * and one counts. The lines of any other header are joined with commas in the order sent, as they
 * are signed (RFC 9110 section 5.3).
 */
bool header_is_single(struct slice name) MUST_USE;

/* False: the request repeats what may occur once, and was answered with 400. */
bool reading_check(struct request *r) MUST_USE;

#endif
