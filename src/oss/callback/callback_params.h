/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an uploader asks for with `callback`: where to send a message about the upload, and which
 * (spec: callback sections 1 and 3). A struct callback_params is valid, owns all that it points
 * to, and never changes: any thread may read it.
 */
#ifndef OSS_CALLBACK_CALLBACK_PARAMS_H
#define OSS_CALLBACK_CALLBACK_PARAMS_H

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/slice.h"
#include "base/strbuf.h"
#include "oss/callback/callback_template.h"

struct callback_url {
	bool tls;
	uint16_t port;          /* 80 or 443 if the URL has none */
	struct slice host;      /* lower-case name, IPv4 address, or IPv6 address in brackets */
	struct slice authority; /* host and port as written; what the Host header says */
	struct slice target;    /* path and query: what is requested and signed; begins with `/` */
	struct slice text;      /* the whole URL, always with a scheme, NUL behind it */
};

struct callback_params {
	size_t url_count; /* 1..LIMIT_CALLBACK_URLS */
	struct callback_url urls[LIMIT_CALLBACK_URLS];
	struct slice host; /* callbackHost: the Host header instead of the URL's; or empty */
	bool sni;          /* callbackSNI */
	enum callback_body_type body_type;
	struct callback_template body;
	struct arena arena_;
};

/*
 * Reads the parameter as it was sent: base64 of a JSON object. An empty `text`, and an empty
 * callbackUrl, mean no callback: ERR_OK with *ret NULL.
 *
 * Errors, all 400 InvalidArgument: ERR_CALLBACK_NOT_BASE64, ERR_CALLBACK_NOT_OBJECT (no JSON, or a
 * member twice), ERR_CALLBACK_BAD_URL, ERR_CALLBACK_TOO_MANY_URLS, ERR_CALLBACK_NO_BODY,
 * ERR_CALLBACK_BAD_TEMPLATE, ERR_CALLBACK_BAD_MEMBER; `reason` may get a sentence that says more
 * than the table's. ERR_UNAVAILABLE without memory. The caller knows the ArgumentName
 * (`callback`, `x-oss-callback`) and, as ArgumentValue, `text`; it also bounds the length of
 * `text` where LIMIT_CALLBACK_HEADER_BYTES applies.
 */
enum err callback_params_parse(
	struct slice text, struct callback_params **ret, struct strbuf *reason) MUST_USE;
/* NULL is allowed. */
void callback_params_free(struct callback_params *params);

/*
 * Reads one URL (spec: callback section 1) into `arena`. ERR_CALLBACK_BAD_URL, ERR_UNAVAILABLE.
 * Without a scheme it is http; and then a lone word is refused, for it is more likely a slip.
 */
enum err callback_url_parse(struct slice text, struct arena *arena, struct callback_url *ret,
	struct strbuf *reason) MUST_USE;

#endif
