/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the application server share. */
#ifndef APP_APP_INTERNAL_H
#define APP_APP_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "app/app.h"
#include "app/grant.h"
#include "app/public_keys.h"
#include "app/settings.h"
#include "oss/credential.h"

/* The answer to GET / or GET /grant of one second. */
struct kept_token {
	pthread_mutex_t lock; /* the other two */
	int64_t second;       /* Unix; -1: none yet */
	struct strbuf json;
};

struct app {
	struct service service;
	struct app_parts parts;
	struct settings settings;
	struct grant_key grant_key;
	struct public_keys *keys;
	struct sign_key_cache *sign_keys;
	/* What never changes in the answers to GET / and GET /grant, ready for JSON. */
	struct strbuf host_json, dir_json, id_json, limits_json;
	struct kept_token classic;
	struct kept_token form;
	struct strbuf page_policy;    /* Content-Security-Policy of the upload page */
	_Atomic int64_t explained_ms; /* when a refused callback was last explained in the log */
};

/* ---- Answering (app.c) ------------------------------------------------------------------------
 */

/* Adds the CORS headers that the settings grant to this request. */
void app_allow_origin(const struct app *app, struct exchange *x);

/* Answers with JSON that nobody may cache. */
void app_send_json(const struct app *app, struct exchange *x, int status, struct slice json);

/* Answers {"error": code, "message": ...}. */
void app_send_error(const struct app *app, struct exchange *x, int status, const char *code,
	const char *message);

/* ---- The parts --------------------------------------------------------------------------------
 */

/* GET / and GET /grant (token.c). */
void app_send_token(struct app *app, struct exchange *x);
void app_send_grant(struct app *app, struct exchange *x);
void kept_token_init(struct kept_token *kept);
void kept_token_release(struct kept_token *kept);

/* GET /upload/ and what belongs to it (pages.c). False: the path is none of its. */
bool app_send_page(const struct app *app, struct exchange *x) MUST_USE;

/* POST of a callback (callback_receive.c); from service.begin. */
void app_receive_callback(struct app *app, struct exchange *x);

#endif
