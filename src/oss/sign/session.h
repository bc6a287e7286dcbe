/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A temporary access key of STS, and the security token that carries it. Everything about the key
 * is in the token, which only its maker can read (docs/sts.md has the bytes): nothing is stored.
 *
 * Pure functions: any thread.
 */
#ifndef OSS_SIGN_SESSION_H
#define OSS_SIGN_SESSION_H

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "base/strbuf.h"
#include "crypto/seal.h"

/* What the ids of temporary keys begin with, and of no others. */
#define SESSION_ID_PREFIX "STS."
#define SESSION_MARK_BYTES 16

struct session {
	struct slice id;
	struct slice secret;                     /* never logged */
	struct slice parent;                     /* id of the access key it was made with */
	uint8_t parent_mark[SESSION_MARK_BYTES]; /* identifies that key's secret */
	int64_t expires_ms;
	bool restricted;     /* `policy` says what it may do; otherwise all that the parent may */
	struct slice policy; /* as ram_policy_parse() makes it */
};

/* Appends the token: base64. False without memory, or if an id or secret exceeds 255 bytes. */
bool session_seal(const struct session *session, const uint8_t key[SEAL_KEY_BYTES],
	struct strbuf *out) MUST_USE;

/*
 * Reads a token; what *ret holds is in `arena`. ERR_INVALID_SECURITY_TOKEN if it was not made with
 * this key, or was changed in any way; ERR_UNAVAILABLE. Whether it has expired is the caller's to
 * check.
 */
enum err session_open(struct slice token, const uint8_t key[SEAL_KEY_BYTES], struct arena *arena,
	struct session *ret) MUST_USE;

#endif
