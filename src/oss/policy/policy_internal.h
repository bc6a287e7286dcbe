/* SPDX-License-Identifier: Apache-2.0 */
/* The shape of a parsed policy, for policy*.c only. */
#ifndef OSS_POLICY_POLICY_INTERNAL_H
#define OSS_POLICY_POLICY_INTERNAL_H

#include "base/strbuf.h"
#include "oss/policy/policy.h"

enum condition_kind {
	CONDITION_EQ,
	CONDITION_STARTS_WITH,
	CONDITION_IN,
	CONDITION_NOT_IN,
};

struct condition {
	enum condition_kind kind;
	struct slice name; /* without `$` */
	/* What the field is compared with: one text, or those of a list. */
	struct slice *values;
	size_t value_count;
};

struct policy {
	int64_t expiration_ms;
	struct policy_size size;
	struct condition *conditions; /* in the order of the document, without the sizes */
	size_t condition_count;
};

/*
 * Puts a message made by printf into `why`; it stays empty if it is too long for an error document
 * or there is no memory. Returns `e`.
 */
enum err policy_refuse(struct refusal *why, struct arena *arena, enum err e, const char *ec,
	const char *fmt, ...) PRINTF_LIKE(5, 6);

#endif
