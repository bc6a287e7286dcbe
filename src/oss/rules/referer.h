/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The referer rules of a bucket, OSS's protection against pages of others that show its objects.
 * A struct referer is made from the XML once and never changes; any number of threads may use it.
 *
 * A Referer header is what a client likes to send: these rules keep browsers off, nobody else.
 */
#ifndef OSS_RULES_REFERER_H
#define OSS_RULES_REFERER_H

#include "base/err.h"
#include "base/slice.h"
#include "base/strbuf.h"

struct referer;

/*
 * Reads and checks a RefererConfiguration. ERR_MALFORMED_XML, ERR_INVALID_ARGUMENT,
 * ERR_INLINE_DATA_TOO_LARGE; `reason` then says what is wrong, for the client. ERR_UNAVAILABLE
 * without memory. The caller bounds the size of `xml`.
 */
enum err referer_parse(struct slice xml, struct referer **ret, struct strbuf *reason) MUST_USE;
/* NULL is allowed. */
void referer_free(struct referer *rules);

/* Appends the document, prolog included, that referer_parse() reads back to the same rules. */
void referer_format(const struct referer *rules, struct strbuf *out);
/* The document of a bucket for which nothing was set. */
void referer_format_default(struct strbuf *out);

enum referer_verdict {
	REFERER_ALLOWED,
	REFERER_EMPTY, /* there is none, and there has to be one */
	REFERER_BLACKLISTED,
	REFERER_NOT_LISTED, /* there is a list of allowed ones, and it is not on it */
};

/*
 * `referer` is the header's value, empty if there is none. It has to begin with what a pattern
 * says (oss/rules/globs.h).
 */
enum referer_verdict referer_check(const struct referer *rules, struct slice referer);

#endif
