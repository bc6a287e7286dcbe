/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may sign: the access keys of the store, and the temporary ones that are made of them.
 *
 * The access keys are `access_keys.json` in the data folder, which `postern keys` edits while the
 * store runs; keys_refresh() notices. A look-up works on the list as it is at that moment and
 * copies what it finds, so nothing that was found ever changes or goes away.
 *
 * A temporary key is not stored anywhere: its security token is the key, sealed
 * (oss/sign/session.h) with the secret of the file `sts_key`. It ends with its time, and as soon as
 * the access key it was made with is disabled, removed, or has another secret.
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

struct keys;

/*
 * Loads the keys of the folder `data` (docs/on-disk.md). What is missing is made, mode 0600; all
 * of it, and in memory alone, without a folder (NULL). If
 * there is no list of access keys *ret_made is true, and the new one has one pair: `id` and
 * `secret` if they are given (else NULL), random otherwise. Blocks. Logs why when it fails:
 * ERR_INTERNAL, ERR_DISK_FULL.
 */
enum err keys_open(const char *data, const char *id, const char *secret, struct keys **ret,
	bool *ret_made) MUST_USE;
void keys_free(struct keys *keys);

/*
 * Reads the list again if the file has changed, or in any case if `force`. A file that cannot be
 * read is logged, and the keys stay as they are. Blocks; one thread at a time.
 */
void keys_refresh(struct keys *keys, bool force);

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
 * Makes a temporary key of the access key `parent`, and its token. *session has expires_ms and the
 * policy already; it gets ids and secret, in `arena`. ERR_UNAVAILABLE. Any thread.
 */
enum err keys_issue(struct keys *keys, const struct access_key *parent, struct arena *arena,
	struct session *session, struct strbuf *ret_token) MUST_USE;

/*
 * What a token says, if `id` is the key that it belongs to. ERR_INVALID_SECURITY_TOKEN: it is not,
 * or the token is not ours. ERR_SECURITY_TOKEN_EXPIRED. ERR_INVALID_ACCESS_KEY: the access key it
 * was made with is no more. ERR_UNAVAILABLE. What *ret holds is in `arena`. Any thread.
 */
enum err keys_find_session(struct keys *keys, struct slice id, struct slice token, int64_t now_ms,
	struct arena *arena, struct session *ret) MUST_USE;

#endif
