/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Headers and query parameters of OSS that this store does not support. A request with one is
 * refused, so that a client that asks for a limit, a lock or a key does not believe that it has
 * one. So is a change that depends on a condition, or is of some bytes only: OSS has these for
 * reading. (Unsupported sub-resources are handled in route.h.)
 */
#ifndef OPS_ARGUMENTS_UNIMPLEMENTED_H
#define OPS_ARGUMENTS_UNIMPLEMENTED_H

#include "ops/request.h"

/*
 * Checks a header, a form field or a parameter: ERR_OK, ERR_NOT_IMPLEMENTED, or
 * ERR_INVALID_ENCRYPTION if OSS would not accept it either.
 */
enum err unimplemented_check(struct slice name, struct slice value) MUST_USE;

/* The same of the whole request. False: it was answered. */
bool unimplemented_absent(struct request *r) MUST_USE;

#endif
