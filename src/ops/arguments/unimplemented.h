/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What OSS lets a request ask for by a header or a query parameter, and this store has not got.
 * Such a request is refused: who asks for a limit, a lock or a key is not to believe that it is
 * there. (Sub-resources that are not there are route.h's.)
 */
#ifndef OPS_ARGUMENTS_UNIMPLEMENTED_H
#define OPS_ARGUMENTS_UNIMPLEMENTED_H

#include "ops/request.h"

/*
 * Whether a header, a field of a form or a parameter may be there: ERR_OK, ERR_NOT_IMPLEMENTED, or
 * ERR_INVALID_ENCRYPTION if it would not be allowed by OSS either.
 */
enum err unimplemented_check(struct slice name, struct slice value) MUST_USE;

/* The same of the whole request. False: it was answered. */
bool unimplemented_absent(struct request *r) MUST_USE;

#endif
