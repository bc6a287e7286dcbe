/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lifecycle rules of a bucket: what is deleted when, without anybody asking. A struct lifecycle
 * is made from the XML once and never changes; any number of threads may use it. Nothing here
 * reads a clock or a store.
 *
 * OSS has rules that move objects to another storage class as well. This store has one class, so
 * these are refused.
 */
#ifndef OSS_RULES_LIFECYCLE_H
#define OSS_RULES_LIFECYCLE_H

#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "base/strbuf.h"

struct lifecycle;

/*
 * Reads and checks a LifecycleConfiguration. A rule without an ID is given one. Unless
 * `allow_overlap` (x-oss-allow-same-action-overlap: true), two rules that do the same must not be
 * about the same keys. ERR_MALFORMED_XML, ERR_INVALID_ARGUMENT, ERR_INVALID_REQUEST (they
 * overlap), ERR_NOT_IMPLEMENTED; `reason` then says what is wrong, for the client. ERR_UNAVAILABLE
 * without memory. The caller bounds the size of `xml`.
 */
enum err lifecycle_parse(struct slice xml, bool allow_overlap, struct lifecycle **ret,
	struct strbuf *reason) MUST_USE;
/* NULL is allowed. */
void lifecycle_free(struct lifecycle *lifecycle);

/* Appends the document, prolog included, that lifecycle_parse() reads back to the same rules. */
void lifecycle_format(const struct lifecycle *lifecycle, struct strbuf *out);

/* What may come to its end. */
enum lifecycle_subject {
	LIFECYCLE_CURRENT,    /* an object, or the current version of one */
	LIFECYCLE_NONCURRENT, /* an older version, or a delete marker that is not the newest */
	LIFECYCLE_MARKER,     /* a delete marker of which no other version is left */
	LIFECYCLE_UPLOAD,     /* in parts, not completed */
};

struct lifecycle_facts {
	enum lifecycle_subject subject;
	struct slice key;
	uint64_t size;
	struct slice tags; /* as oss/rules/tagging.h keeps them */
	/* When it was modified, or became noncurrent, or the upload began. */
	int64_t since_ms;
};

/*
 * When it ends by the rules that are enabled, at the earliest, and by which; false if it never
 * does. A rule in days ends something at the midnight (UTC) after so many days have passed.
 */
bool lifecycle_find(const struct lifecycle *lifecycle, const struct lifecycle_facts *facts,
	int64_t *ret_ms, struct slice *ret_rule);

/* Bits for subjects, as 1U << LIFECYCLE_UPLOAD. */
#define LIFECYCLE_BIT(subject) (1U << (subject))

/*
 * For walking no more of a bucket than there are rules for: the prefixes of the rules that may end
 * any of these subjects, in byte order, none within another. `*prefix` is the one before, or has
 * ptr NULL; false if there is no other.
 */
bool lifecycle_next_prefix(
	const struct lifecycle *lifecycle, unsigned subjects, struct slice *prefix);

#endif
