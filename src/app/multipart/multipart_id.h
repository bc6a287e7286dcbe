/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The name of an upload in parts as it is given out:
 *
 *	<grant id>.<expires>.<max size>.<profile>.<upload>[.<variables>].<mac>
 *
 * expires: Unix seconds. profile: its name, or empty. upload: the store's name, base64url.
 * variables: those of the grant, base64url, if there are any. mac: the
 * first 128 bits, in hexadecimal, of HMAC-SHA256 over all before the last dot, the object's key and
 * who asked for it. So nothing has to be kept of an upload, and every copy of the server knows its
 * own. The text consists of A-Z a-z 0-9 . - _. Pure functions: any thread.
 */
#ifndef APP_MULTIPART_MULTIPART_ID_H
#define APP_MULTIPART_MULTIPART_ID_H

#include <stdint.h>

#include "base/err.h"
#include "oss/callback/ticket.h"

#define MULTIPART_ID_MAX KIB(3)
#define MULTIPART_UPLOAD_MAX 512 /* bytes of the store's name */

struct multipart_id {
	char grant_id[TICKET_ID_LENGTH];
	int64_t expires; /* Unix seconds */
	int64_t max_size;
	char profile[LIMIT_PROFILE_NAME_BYTES + 1]; /* NUL-terminated; empty: the default one */
	char upload[MULTIPART_UPLOAD_MAX + 1];      /* NUL-terminated */
	char variables[LIMIT_VARIABLES_BYTES];      /* a JSON object; */
	size_t variables_len;                       /* 0: there are none */
};

/* False if the upload's name is too long, or `out` is broken. */
bool multipart_id_add(const struct ticket_key *key, const struct multipart_id *id,
	struct slice object, struct slice subject, struct strbuf *out) MUST_USE;

/* ERR_INVALID_ARGUMENT if it is none of ours, or of another object or subject; ERR_UNAVAILABLE. */
enum err multipart_id_parse(const struct ticket_key *key, struct slice text, struct slice object,
	struct slice subject, struct multipart_id *ret) MUST_USE;

#endif
