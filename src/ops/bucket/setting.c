/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/bucket/setting.h"

#include "base/limits.h"
#include "ops/arguments/require.h"
#include "ops/ops_internal.h"
#include "ops/respond.h"

static void on_changed(struct task *task)
{
	struct store_wait *wait = CONTAINER_OF(task, struct store_wait, task);
	struct store_bucket_update *change = CONTAINER_OF(wait, struct store_bucket_update, wait);
	struct setting_change *state = CONTAINER_OF(change, struct setting_change, change);
	struct request *r = state->r;
	if (wait->err != ERR_OK)
		respond_error(r, wait->err);
	else
		respond(r, state->status, NULL, S(""));
	request_release(r);
}

/* Makes state->document, which may be empty, the setting. */
static void change(struct request *r, enum store_setting setting, int status)
{
	struct setting_change *state = r->state;
	state->r = r;
	state->status = status;
	state->change = (struct store_bucket_update){
		.wait = {.task.run = on_changed, .home = r->home},
		.name = r->address.bucket.text,
		.set_setting = true,
		.setting = setting,
		.value = strbuf_slice(&state->document),
	};
	request_hold(r);
	store_bucket_update(r->ops->options.store, &state->change);
}

void setting_begin(struct request *r)
{
	struct setting_change *state = r->state;
	strbuf_init(&state->document, LIMIT_SETTING_BYTES);
	(void)require_bucket(r);
}

void setting_release(struct request *r)
{
	struct setting_change *state = r->state;
	strbuf_release(&state->document);
}

void setting_put(struct request *r, enum store_setting setting,
	enum err (*normalise)(struct request *r, struct strbuf *out, struct strbuf *reason))
{
	struct setting_change *state = r->state;
	SCOPED_STRBUF(reason, 512);
	if (!require_digest(r))
		return;
	enum err e = normalise(r, &state->document, &reason);
	if (e != ERR_OK)
		respond_error_text(r, e, "%s", reason.ptr);
	else if (strbuf_starved(&state->document))
		respond_error(r, ERR_UNAVAILABLE);
	else if (strbuf_broken(&state->document))
		respond_error_text(r, ERR_INVALID_ARGUMENT,
			"The configuration takes more than the %zu bytes that can be kept.",
			LIMIT_SETTING_BYTES);
	else
		change(r, setting, 200);
}

void setting_delete(struct request *r, enum store_setting setting)
{
	change(r, setting, 204);
}

bool setting_get(struct request *r, enum store_setting setting, enum err absent)
{
	if (!require_bucket(r))
		return true;
	struct slice document = r->bucket->settings[setting];
	if (document.len)
		respond(r, 200, "application/xml", document);
	else if (absent != ERR_OK)
		respond_error(r, absent);
	return document.len || absent != ERR_OK;
}
