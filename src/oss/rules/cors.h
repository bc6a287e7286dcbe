/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The CORS rules of a bucket (spec: CORS). A struct cors is made from the XML once and never
 * changes; any number of threads may use it. It can be kept for as long as the bucket's generation
 * stays the same.
 *
 * CORS is no access control: it adds headers that let a browser read an answer, and decides
 * preflights; requests are carried out whatever it says.
 */
#ifndef OSS_RULES_CORS_H
#define OSS_RULES_CORS_H

#include "base/err.h"
#include "base/slice.h"
#include "base/strbuf.h"

struct cors;

/*
 * Reads and checks a CORSConfiguration. ERR_MALFORMED_XML, ERR_CORS_RULE_LIMIT,
 * ERR_INVALID_ARGUMENT, ERR_CORS_BAD_ORIGIN, ERR_CORS_BAD_EXPOSE_HEADER; `reason` then says what
 * is wrong, for the client. ERR_UNAVAILABLE without memory.
 */
enum err cors_parse(struct slice xml, struct cors **ret, struct strbuf *reason) MUST_USE;
/*
 * The same; *ret_element is the element that is wrong, "MaxAgeSeconds", or NULL if it is not one.
 * What stands in it is appended to `value`, unless that is NULL.
 */
enum err cors_check(struct slice xml, struct cors **ret, struct strbuf *reason,
	const char **ret_element, struct strbuf *value) MUST_USE;
/* NULL is allowed. */
void cors_free(struct cors *cors);

/* Appends the document, prolog included, that cors_parse() reads back to the same rules. */
void cors_format(const struct cors *cors, struct strbuf *out);

/* What a browser asks. */
struct cors_request {
	struct slice origin;  /* the Origin header; empty if there is none */
	struct slice method;  /* the request's, or Access-Control-Request-Method of a preflight */
	struct slice headers; /* Access-Control-Request-Headers of a preflight, or empty */
};

/*
 * Both write header lines, each ended by CRLF, into `out`; values that came from the request have
 * been checked and cannot hold a line end. `cors` may be NULL: the bucket has no configuration.
 *
 * The answer to OPTIONS: ERR_OK (status 200) or ERR_CORS_ORIGIN_MISSING, ERR_CORS_METHOD_MISSING,
 * ERR_CORS_NOT_ENABLED, ERR_CORS_NO_MATCH. An error answer may carry headers too (Vary).
 */
enum err cors_preflight(
	const struct cors *cors, const struct cors_request *request, struct strbuf *out) MUST_USE;
/*
 * The headers of an actual request's answer, error answers included; nothing without an origin
 * or a rule for it, except `Vary: Origin` if the configuration asks for that.
 */
void cors_actual(
	const struct cors *cors, struct slice origin, struct slice method, struct strbuf *out);

/* ---- For explaining ------------------------------------------------------------------------- */

enum cors_verdict {
	CORS_MATCHES,
	CORS_BAD_ORIGIN, /* no AllowedOrigin fits */
	CORS_BAD_METHOD, /* the origin does, the method does not */
	CORS_BAD_HEADER, /* both do, but a requested header does not */
};

size_t cors_rule_count(const struct cors *cors);
/*
 * Whether rule `index`, counted from 0 in document order, fits the request, and if not why not.
 * The first rule that fits is the one that is used. With CORS_BAD_HEADER, *ret_header (may be
 * NULL) is set to the requested name in question.
 */
enum cors_verdict cors_rule_explain(const struct cors *cors, size_t index,
	const struct cors_request *request, struct slice *ret_header);

#endif
