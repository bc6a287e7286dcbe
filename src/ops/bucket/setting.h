/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the operations on a bucket's settings (enum store_setting) have in common: a document is
 * put, read and deleted. For put and delete, op->state_size is sizeof(struct setting_change),
 * op->begin is setting_begin, op->release is setting_release, and op->finish calls one of the
 * functions below.
 */
#ifndef OPS_BUCKET_SETTING_H
#define OPS_BUCKET_SETTING_H

#include "ops/request.h"
#include "store/store.h"

struct setting_change {
	struct request *r;
	struct store_bucket_update change;
	struct strbuf document; /* the setting as it is stored */
	int status;
};

void setting_begin(struct request *r);
void setting_release(struct request *r);

/*
 * Stores r->body as the setting: `normalise` checks it and appends what is to be stored to `out`,
 * or says in `reason` what is wrong. Answers 200.
 */
void setting_put(struct request *r, enum store_setting setting,
	enum err (*normalise)(struct request *r, struct strbuf *out, struct strbuf *reason));
/* Makes state->document the setting, which is empty unless the caller filled it: 204. */
void setting_delete(struct request *r, enum store_setting setting);

/*
 * From op->begin: answers the stored document, or `absent` if it is not set. With `absent` ERR_OK
 * it leaves that to the caller: false, and nothing has been answered.
 */
bool setting_get(struct request *r, enum store_setting setting, enum err absent);

#endif
