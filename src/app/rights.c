/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the key may do, which is asked at start with requests that change nothing: about an object,
 * and an upload in parts, that do not exist. 404 means that the key may; 403 that it may not. What
 * needs an action that the key may not do is off.
 *
 * It is asked again when uploads go to another folder, or other credentials come, and the answers
 * to two questions may come in any order: only those to the newest count.
 */
#include <stdlib.h>

#include "app/app_internal.h"
#include "base/log.h"
#include "crypto/random.h"

#define NAME_LENGTH 32

struct probing {
	struct app *app;
	struct app_probe *probe; /* NULL: nobody waits */
	uint64_t number;
	struct strbuf key;
	struct strbuf query;
	struct app_confirmation confirmation;
	struct store_request request;
	bool aborts; /* the request is about aborting */
};

static void note_reading(const struct probing *probing, bool forbidden)
{
	struct app *app = probing->app;
	bool confirms = !forbidden || app->settings.confirm != APP_CONFIRM_AUTO;
	pthread_mutex_lock(&app->rights_lock);
	if (probing->number == app->rights_asked) {
		atomic_store(&app->confirms, confirms);
		atomic_store(&app->forbidden, forbidden);
		if (!confirms)
			log_error("[app] confirm: uploads are NOT confirmed, and not found if "
				  "their callback is lost: the store answers 403 to a HEAD of an "
				  "object, so the key may not read (oss:GetObject). What callbacks "
				  "say is recorded as it is");
	}
	pthread_mutex_unlock(&app->rights_lock);
}

/* The action that the key may not do, or NULL. */
static void note_parts(const struct probing *probing, const char *action)
{
	struct app *app = probing->app;
	pthread_mutex_lock(&app->rights_lock);
	if (probing->number == app->rights_asked) {
		atomic_store(&app->parts_forbidden, action);
		if (action)
			log_error("[app] multipart_path: there are NO uploads in parts: the store "
				  "answers 403, so the key may not do %s, without which they are "
				  "not bounded",
				action);
	}
	pthread_mutex_unlock(&app->rights_lock);
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
	const char *action = probing->aborts ? "oss:AbortMultipartUpload" : "oss:ListParts";
	store_request_release(r);
	if (status == 403 || (status != 0 && probing->aborts))
		note_parts(probing, status == 403 ? action : NULL);
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
	if (forbidden || status == 404)
		note_reading(probing, forbidden);
	else
		log_error("[app] confirm: the store could not be asked: %s (status %d)",
			c->fault ? c->fault : "an object of a made-up name exists", status);
	app_confirmation_release(c);
	if (status == 0)
		finish(probing);
	else
		go_on_with_parts(probing);
}

static uint64_t next_number(struct app *app)
{
	pthread_mutex_lock(&app->rights_lock);
	uint64_t number = ++app->rights_asked;
	pthread_mutex_unlock(&app->rights_lock);
	return number;
}

static enum err begin(struct app *app, struct app_probe *probe)
{
	char name[NAME_LENGTH];
	struct probing *probing = calloc(1, sizeof(*probing));
	if (!probing)
		return ERR_UNAVAILABLE;
	probing->number = next_number(app); /* before the rules that it is about */
	SCOPED_RULES struct rules *rules = rules_history_now(&app->rules);
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
