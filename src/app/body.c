/* SPDX-License-Identifier: Apache-2.0 */
#include "app/body.h"

#include "app/app_internal.h"

enum phase {
	PHASE_ADMISSION, /* the body is paused */
	PHASE_READING,   /* the exchange is kept */
	PHASE_READ,
};

/* In the exchange's arena. */
struct reading_body {
	struct app *app;
	const struct app_body *how;
	void *ctx;
	enum phase phase;
	struct caller caller;
	struct strbuf text;
};

static void send_too_large(struct app *app, struct exchange *x)
{
	app_send_error(app, x, 413, "too_large", "The body of this request is too long.");
}

static void send_no_memory(struct app *app, struct exchange *x)
{
	app_send_no_memory(app, x);
}

/* ---- The body ---------------------------------------------------------------------------------
 */

static void on_body(struct exchange *x, void *state, struct slice piece)
{
	struct reading_body *b = state;
	strbuf_add_slice(&b->text, piece);
	if (strbuf_starved(&b->text))
		send_no_memory(b->app, x);
	else if (strbuf_broken(&b->text))
		send_too_large(b->app, x);
}

static void on_end(struct exchange *x, void *state)
{
	struct reading_body *b = state;
	b->phase = PHASE_READ;
	bool later = b->how->answer(b->app, x, &b->caller, strbuf_slice(&b->text), b->ctx);
	strbuf_release(&b->text);
	if (!later)
		exchange_release(x);
}

static void on_gone(struct exchange *x, void *state)
{
	struct reading_body *b = state;
	strbuf_release(&b->text);
	if (b->phase == PHASE_READING)
		exchange_release(x);
}

static void on_starved(struct exchange *x, void *state)
{
	struct reading_body *b = state;
	send_no_memory(b->app, x);
}

static const struct exchange_handler handler = {
	.body = on_body, .end = on_end, .gone = on_gone, .starved = on_starved};

/* ---- Before -----------------------------------------------------------------------------------
 */

static bool on_admitted(struct app *app, struct exchange *x, const struct caller *caller, void *ctx)
{
	struct reading_body *b = ctx;
	const struct request_head *head = exchange_head(x);
	size_t max = b->how->max;
	if (b->how->begin && !b->how->begin(app, x, caller, b->ctx, &max))
		return false;
	if (head->body == HTTP_BODY_LENGTH && head->content_length > max) {
		send_too_large(app, x);
		return false;
	}
	b->caller = *caller;
	b->phase = PHASE_READING;
	strbuf_init_counted(&b->text, max, exchange_account(x));
	exchange_keep(x);
	exchange_resume(x);
	return true;
}

void app_admit_body(struct app *app, struct exchange *x, const struct app_body *how, void *ctx)
{
	struct reading_body *b = arena_zalloc(exchange_arena(x), sizeof(*b));
	if (!b) {
		send_no_memory(app, x);
		return;
	}
	b->app = app;
	b->how = how;
	b->ctx = ctx;
	exchange_attach(x, &handler, b);
	exchange_pause(x);
	app_admit(app, x, on_admitted, b);
}
