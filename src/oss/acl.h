/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of access control lists. The values equal those of enum store_acl, which this folder
 * may not see; ops/ asserts that and converts by a cast.
 */
#ifndef OSS_ACL_H
#define OSS_ACL_H

#include "base/slice.h"

enum acl {
	ACL_DEFAULT, /* `default`: an object's only, as its bucket */
	ACL_PRIVATE,
	ACL_PUBLIC_READ,
	ACL_PUBLIC_READ_WRITE,
};

/* `private`, `public-read`, `public-read-write`; false for anything else, capitals included. */
bool acl_parse_bucket(struct slice word, enum acl *ret) MUST_USE;
/* The same and `default`. */
bool acl_parse_object(struct slice word, enum acl *ret) MUST_USE;
/* The word; never NULL. */
const char *acl_word(enum acl acl);

#endif
