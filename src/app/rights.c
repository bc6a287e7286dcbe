/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the key may do, which is asked at start with requests that change nothing: about an object,
 * and an upload in parts, that do not exist. 404 means that the key may; 403 that it may not. What
 * needs an action that the key may not do is off.
 */
#include <stdlib.h>

#include "app/app_internal.h"
#include "base/log.h"
#include "crypto/random.h"

#define NAME_LENGTH 32

struct probing {
	struct app *app;
	struct app_probe *probe; /* NULL: nobody waits */
	struct strbuf key;
	struct strbuf query;
	struct app_confirmation confirmation;
	struct store_request request;
	bool aborts; /* the request is about aborting */
};

static void note_forbidden(struct app *app)
{
	atomic_store(&app->forbidden, true);
	if (app->settings.confirm != APP_CONFIRM_AUTO)
		return;
	atomic_store(&app->confirms, false);
	log_error("[app] confirm: uploads are NOT confirmed, and not found if their callback is "
		  "lost: the store answers 403 to a HEAD of an object, so the key may not read "
		  "(oss:GetObject). What callbacks say is recorded as it is");
}

static void note_no_parts(struct app *app, const char *action)
{
	atomic_store(&app->parts_forbidden, action);
	log_error("[app] multipart_path: there are NO uploads in parts: the store answers 403, so "
		  "the key may not do %s, without which they are not bounded",
		action);
}

static void finish(struct probing *probing)
{
	struct app_probe *probe = probing->probe;
	strbuf_release(&probing->key);
	strbuf_release(&probing->query);
	free(probing);
	if (probe)
		executor_post(probe->home, &probe->done);
}

/* On whatever thread the answer comes: it takes no time. */
static void run_at_once(struct executor *executor UNUSED, struct task *task)
{
	task->run(task);
}

static struct executor at_once = {run_at_once};

/* ---- Uploads in parts -------------------------------------------------------------------------
 */

static void ask_about_parts(struct probing *probing);

static void on_parts(struct task *task)
{
	struct store_request *r = CONTAINER_OF(task, struct store_request, done);
	struct probing *probing = CONTAINER_OF(r, struct probing, request);
	int status = r->status;
	store_request_release(r);
	if (status == 403)
		note_no_parts(probing->app,
			probing->aborts ? "oss:AbortMultipartUpload" : "oss:ListParts");
	if (status == 0 || status == 403 || probing->aborts) {
		finish(probing);
		return;
	}
	probing->aborts = true;
	ask_about_parts(probing);
}

static void ask_about_parts(struct probing *probing)
{
	probing->request = (struct store_request){
		.method = probing->aborts ? S("DELETE") : S("GET"),
		.key = strbuf_slice(&probing->key),
		.query = strbuf_slice(&probing->query),
		.class = OUTGOING_CONFIRM,
		.max_answer_bytes = LIMIT_PARTS_ANSWER_BYTES,
		.timeout_ms = LIMIT_APP_CALLBACK_MS,
		.home = &at_once,
		.done.run = on_parts,
	};
	store_request_send(probing->app, probing->app->parts.confirming, &probing->request);
}

static void go_on_with_parts(struct probing *probing)
{
	const struct settings *s = &probing->app->settings;
	atomic_store(&probing->app->parts_forbidden, NULL);
	if (s->multipart_path.len > 0 && s->grants_max > 0)
		ask_about_parts(probing);
	else
		finish(probing);
}

/* ---- Reading ----------------------------------------------------------------------------------
 */

static void on_read(struct task *task)
{
	struct app_confirmation *c = CONTAINER_OF(task, struct app_confirmation, done);
	struct probing *probing = CONTAINER_OF(c, struct probing, confirmation);
	bool forbidden = c->status == 403;
	int status = c->status;
	if (probing->probe)
		probing->probe->forbidden = forbidden;
	if (forbidden)
		note_forbidden(probing->app);
	else if (status != 404)
		log_error("[app] confirm: the store could not be asked: %s (status %d)",
			c->fault ? c->fault : "an object of a made-up name exists", status);
	app_confirmation_release(c);
	if (status == 0)
		finish(probing);
	else
		go_on_with_parts(probing);
}

static enum err begin(struct app *app, struct app_probe *probe)
{
	char name[NAME_LENGTH];
	SCOPED_RULES struct rules *rules = rules_history_now(&app->rules);
	struct probing *probing = calloc(1, sizeof(*probing));
	if (!probing)
		return ERR_UNAVAILABLE;
	random_hex_upper(name, sizeof(name));
	probing->app = app;
	probing->probe = probe;
	strbuf_init(&probing->key, LIMIT_KEY_BYTES + NAME_LENGTH);
	strbuf_init(&probing->query, KIB(1));
	strbuf_add_slice(&probing->key, key_template_start(&rules->profiles->dir));
	strbuf_add(&probing->key, name, sizeof(name));
	strbuf_addf(&probing->query, "uploadId=%.*s", NAME_LENGTH, name);
	if (app->settings.confirm == APP_CONFIRM_OFF || app->settings.callback_url.len == 0) {
		go_on_with_parts(probing);
		return ERR_OK;
	}
	atomic_store(&app->forbidden, false);
	atomic_store(&app->confirms, true);
	probing->confirmation.key = strbuf_slice(&probing->key);
	probing->confirmation.timeout_ms = LIMIT_APP_CALLBACK_MS;
	probing->confirmation.home = &at_once;
	probing->confirmation.done.run = on_read;
	app_confirm(app, &probing->confirmation);
	return ERR_OK;
}

enum err app_probe_store(struct app *app, struct app_probe *probe)
{
	return begin(app, probe);
}

void app_ask_rights(void *ctx)
{
	if (begin(ctx, NULL) != ERR_OK)
		log_error("[app] there is no memory to ask what the key may do");
}
