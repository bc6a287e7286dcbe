/* SPDX-License-Identifier: Apache-2.0 */
#include "app/body.h"

#include "app/app_internal.h"

/* In the exchange's arena. */
struct reading_body {
	struct app *app;
	app_body_read *read;
	void *ctx;
	struct strbuf text;
};

static void send_too_large(struct app *app, struct exchange *x)
{
	app_send_error(app, x, 413, "too_large", "The body of this request is too long.");
}

static void on_body(struct exchange *x, void *state, struct slice piece)
{
	struct reading_body *b = state;
	strbuf_add_slice(&b->text, piece);
	if (!strbuf_broken(&b->text))
		return;
	if (strbuf_starved(&b->text))
		app_send_error(b->app, x, 503, "unavailable", "There is no memory; try again.");
	else
		send_too_large(b->app, x);
}

static void on_end(struct exchange *x, void *state)
{
	struct reading_body *b = state;
	b->read(b->app, x, strbuf_slice(&b->text), b->ctx);
}

static void on_gone(struct exchange *x, void *state)
{
	struct reading_body *b = state;
	(void)x;
	strbuf_release(&b->text);
}

static void on_starved(struct exchange *x, void *state)
{
	struct reading_body *b = state;
	exchange_header(x, "Retry-After", S("1"));
	app_send_error(b->app, x, 503, "unavailable", "There is no memory; try again.");
}

static const struct exchange_handler handler = {
	.body = on_body, .end = on_end, .gone = on_gone, .starved = on_starved};

void app_read_body(struct app *app, struct exchange *x, size_t max, app_body_read *read, void *ctx)
{
	const struct request_head *head = exchange_head(x);
	struct reading_body *b = arena_zalloc(exchange_arena(x), sizeof(*b));
	if (head->body == HTTP_BODY_LENGTH && head->content_length > max) {
		send_too_large(app, x);
		return;
	}
	if (!b) {
		app_send_error(app, x, 503, "unavailable", "There is no memory; try again.");
		return;
	}
	b->app = app;
	b->read = read;
	b->ctx = ctx;
	strbuf_init_counted(&b->text, max, exchange_account(x));
	exchange_attach(x, &handler, b);
}
