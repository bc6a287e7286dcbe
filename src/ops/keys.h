/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The access keys of the store. Made at start and not changed afterwards: any thread may look up.
 */
#ifndef OPS_KEYS_H
#define OPS_KEYS_H

#include "base/err.h"
#include "base/slice.h"

struct keys;

struct access_key {
	struct slice id;
	struct slice secret; /* never logged, never answered */
};

/*
 * Loads `access_keys.json` of the folder `data` (docs/on-disk.md). If it is missing it is made,
 * mode 0600, with one pair: `id` and `secret` if they are given (else NULL), random otherwise; then
 * *ret_made is true. Blocks. Logs why when it fails: ERR_INTERNAL, ERR_DISK_FULL.
 */
enum err keys_open(const char *data, const char *id, const char *secret, struct keys **ret,
	bool *ret_made) MUST_USE;
void keys_free(struct keys *keys);

/* The enabled key with that id; false if there is none. The slices live as long as `keys`. */
bool keys_find(const struct keys *keys, struct slice id, struct access_key *ret) MUST_USE;
/* The first pair: the one `serve` signs with. */
struct access_key keys_first(const struct keys *keys);

#endif
