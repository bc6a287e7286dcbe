/* SPDX-License-Identifier: Apache-2.0 */
/* Puts: from the calls of store.h to the committer. */
#ifndef STORE_LOCAL_PUT_H
#define STORE_LOCAL_PUT_H

#include "store/store.h"

enum err put_begin(
	struct store *store, const struct store_put_spec *spec, struct store_put **ret) MUST_USE;
enum store_now put_write(struct store_put *put, struct slice bytes, struct store_wait *wait);
void put_commit(struct store_put *put, struct store_put_commit *commit);
void put_abort(struct store_put *put);

#endif
