/* SPDX-License-Identifier: Apache-2.0 */
#include "oss/acl.h"

static const char *const words[] = {
	[ACL_DEFAULT] = "default",
	[ACL_PRIVATE] = "private",
	[ACL_PUBLIC_READ] = "public-read",
	[ACL_PUBLIC_READ_WRITE] = "public-read-write",
};

static bool parse_from(enum acl first, struct slice word, enum acl *ret)
{
	for (size_t i = first; i < ARRAY_LEN(words); i++) {
		if (slice_eq(word, slice_str(words[i]))) {
			*ret = (enum acl)i;
			return true;
		}
	}
	return false;
}

bool acl_parse_bucket(struct slice word, enum acl *ret)
{
	return parse_from(ACL_PRIVATE, word, ret);
}

bool acl_parse_object(struct slice word, enum acl *ret)
{
	return parse_from(ACL_DEFAULT, word, ret);
}

const char *acl_word(enum acl acl)
{
	return words[acl];
}
