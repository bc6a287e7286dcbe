/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys that may sign: access keys, and temporary keys issued from them.
 *
 * The access keys are the document `access_keys.json`, which `postern keys` edits while the store
 * runs; it is followed (documents/documents.h). A lookup works on a snapshot of the list and copies
 * its result, which therefore never changes.
 *
 * A temporary key is not stored anywhere: its security token contains it, encrypted
 * (oss/sign/session.h) with the secret in the document `sts_key`. It ends when it expires, and as
 * soon as its access key is disabled, removed or given another secret.
 */
#ifndef OPS_ACCESS_KEYS_H
#define OPS_ACCESS_KEYS_H

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "base/strbuf.h"
#include "crypto/secret.h"
#include "oss/sign/access_key.h"
#include "oss/sign/session.h"

struct documents; /* documents/documents.h */
struct keys;

#define KEYS_SEALING_DOCUMENT "sts_key" /* the other document is KEY_LIST_DOCUMENT */

/*
 * Reads the keys, and follows the list: one that cannot be used is logged, and the keys stay as
 * they are. What is missing is made (docs/on-disk.md).
 * If there is no list of access keys *ret_made is true, and the new one has one pair: `id` and
 * `secret` if they are given (else NULL), random otherwise; it is false if somebody else made it at
 * the same time. Blocks. Logs why when it fails: ERR_INTERNAL, ERR_DISK_FULL, ERR_UNAVAILABLE.
 */
enum err keys_open(struct documents *documents, const char *id, const char *secret,
	struct keys **ret, bool *ret_made) MUST_USE;
/* Before or after the documents are closed. NULL is allowed. */
void keys_free(struct keys *keys);

/* Copies the first enabled pair: the one `serve` signs with. ERR_INVALID_ACCESS_KEY: there is none.
 */
enum err keys_first(struct keys *keys, struct strbuf *ret_id, struct secret *ret_secret) MUST_USE;

/*
 * The enabled key with that id, copied into `arena`. ERR_INVALID_ACCESS_KEY, ERR_UNAVAILABLE. Any
 * thread.
 */
enum err keys_find(
	struct keys *keys, struct slice id, struct arena *arena, struct access_key *ret) MUST_USE;

/*
 * Issues a temporary key of the access key `parent`, with its token. *session already has
 * expires_ms and the policy; id and secret are added, in `arena`. ERR_UNAVAILABLE. Any thread.
 */
enum err keys_issue(struct keys *keys, const struct access_key *parent, struct arena *arena,
	struct session *session, struct strbuf *ret_token) MUST_USE;

/*
 * Decrypts a token that belongs to the key `id`. ERR_INVALID_SECURITY_TOKEN: it belongs to another
 * key, or this store did not issue it. ERR_SECURITY_TOKEN_EXPIRED. ERR_INVALID_ACCESS_KEY: its
 * access key is not valid any more. ERR_UNAVAILABLE. What *ret holds is in `arena`. Any thread.
 */
enum err keys_find_session(struct keys *keys, struct slice id, struct slice token, int64_t now_ms,
	struct arena *arena, struct session *ret) MUST_USE;

#endif
