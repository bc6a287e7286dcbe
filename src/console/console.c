/* SPDX-License-Identifier: Apache-2.0 */
#include "console/console.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/strbuf.h"
#include "console/callbacks.h"
#include "console/cors_test.h"
#include "console/events.h"
#include "http/url.h"
#include "ops/ops.h"
#include "oss/text/json_text.h"
#include "web/answer.h"

#define TEXT_BYTES_MAX KIB(16)

struct console {
	struct ops *ops;
	struct desk *desk;
	struct strbuf config; /* JSON */
	struct strbuf policy; /* Content-Security-Policy of all files */
};

/* The origin of an http or https URL: it goes into a header, so nothing else may be in it. */
static bool origin_of(struct slice url, struct slice *ret)
{
	struct url parts;
	if (!url_split(url, &parts) || parts.authority.len == 0 ||
		(parts.rest.len && parts.rest.ptr[0] != '/'))
		return false;
	for (size_t i = 0; i < parts.authority.len; i++) {
		char c = parts.authority.ptr[i];
		bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			    (c >= '0' && c <= '9') || strchr(".-_:[]", c);
		if (!fits || c == '\0')
			return false;
	}
	*ret = parts.origin;
	return true;
}

static void build_config(struct console *console, const struct console_options *options)
{
	struct slice url = options->store_url;
	while (slice_ends(url, S("/")))
		url.len--;
	strbuf_addc(&console->config, '{');
	json_member_string(&console->config, "version", S(POSTERN_VERSION));
	json_member_string(&console->config, "store", url);
	json_member_string(&console->config, "region", options->region);
	json_member(&console->config, "events");
	strbuf_adds(&console->config, options->desk ? "true" : "false");
	strbuf_adds(&console->config, "}\n");
}

/* The console talks to itself and to the store; what it shows of objects it has fetched. */
static void build_policy(struct console *console, struct slice store_origin)
{
	strbuf_addf(&console->policy,
		"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: "
		"data:; "
		"media-src blob:; frame-src blob:; connect-src 'self' %.*s; base-uri 'none'; "
		"form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
		"trusted-types 'none'",
		SLICE_FMT(store_origin));
}

enum err console_new(const struct console_options *options, struct console **ret)
{
	struct slice origin;
	if (!origin_of(options->store_url, &origin))
		return ERR_INVALID_ARGUMENT;
	struct console *console = calloc(1, sizeof(*console));
	if (!console)
		return ERR_UNAVAILABLE;
	console->ops = options->ops;
	console->desk = options->desk;
	strbuf_init(&console->config, TEXT_BYTES_MAX);
	strbuf_init(&console->policy, TEXT_BYTES_MAX);
	build_config(console, options);
	build_policy(console, origin);
	if (strbuf_broken(&console->config) || strbuf_broken(&console->policy)) {
		console_free(console);
		return ERR_UNAVAILABLE;
	}
	*ret = console;
	return ERR_OK;
}

void console_free(struct console *console)
{
	if (!console)
		return;
	strbuf_release(&console->config);
	strbuf_release(&console->policy);
	free(console);
}

/* ---- Requests ---------------------------------------------------------------------------------
 */

static void refuse_method(struct exchange *x, const char *allowed)
{
	exchange_header(x, "Allow", slice_str(allowed));
	exchange_send(x, 405, S(""));
}

static bool is_read(const struct exchange *x)
{
	enum http_method method = exchange_head(x)->method;
	return method == HTTP_GET || method == HTTP_HEAD;
}

static void send_file(const struct console *console, struct exchange *x, const struct asset *asset)
{
	exchange_header(x, "Referrer-Policy", S("no-referrer"));
	exchange_header(x, "Cross-Origin-Opener-Policy", S("same-origin"));
	exchange_header(x, "Cross-Origin-Resource-Policy", S("same-origin"));
	web_send(x, asset, strbuf_slice(&console->policy));
}

static void send_config(const struct console *console, struct exchange *x)
{
	exchange_header(x, "Content-Type", S("application/json"));
	exchange_header(x, "Cache-Control", S("no-store"));
	exchange_header(x, "X-Content-Type-Options", S("nosniff"));
	exchange_send(x, 200, strbuf_slice(&console->config));
}

static bool begin_file(const struct console *console, struct exchange *x)
{
	/* What the upload page has too is in the library's folder. */
	static const struct web_place places[] = {
		{"/console/", "console/"}, {"/client/", "client/"}};
	struct slice path = exchange_head(x)->path;
	bool config = slice_eq(path, S("/console/config.json"));
	const struct asset *asset = NULL;
	if (slice_eq(path, S("/")))
		asset = web_find(S("console/"), S(""));
	else if (!slice_ends(path, S("/")))
		asset = web_find_path(places, ARRAY_LEN(places), path);
	if (!asset && !config)
		return false;
	if (!is_read(x))
		refuse_method(x, "GET, HEAD");
	else if (config)
		send_config(console, x);
	else
		send_file(console, x, asset);
	return true;
}

/* Whether `path` is one number, and what follows it is `tail`. */
static bool is_number_and(struct slice path, struct slice tail)
{
	size_t digits = 0;
	while (digits < path.len && path.ptr[digits] >= '0' && path.ptr[digits] <= '9')
		digits++;
	return digits > 0 && slice_eq(slice_from(path, digits), tail);
}

/* The operation of a path, whatever the method; NULL: there is none. */
static const struct op *find_callbacks_op(struct slice path)
{
	static const struct slice callbacks = SLICE_LIT("/callbacks/");
	if (slice_eq(path, S("/callbacks")))
		return &op_list_callbacks;
	if (!slice_starts(path, callbacks))
		return NULL;
	struct slice rest = slice_from(path, callbacks.len);
	if (is_number_and(rest, S("")))
		return &op_get_callback;
	return is_number_and(rest, S("/send")) ? &op_send_callback : NULL;
}

static const struct op *find_events_op(struct slice path)
{
	static const struct slice events = SLICE_LIT("/events/");
	if (slice_eq(path, S("/events")))
		return &op_list_events;
	if (slice_eq(path, S("/events/replay")))
		return &op_replay_events;
	if (!slice_starts(path, events))
		return NULL;
	struct slice rest = slice_from(path, events.len);
	if (is_number_and(rest, S("")))
		return &op_get_event;
	return is_number_and(rest, S("/replay")) ? &op_replay_event : NULL;
}

static bool begin_op(
	const struct console *console, struct exchange *x, const struct op *op, const void *ctx)
{
	if (!op)
		return false;
	if (exchange_head(x)->method == op->method)
		ops_begin(console->ops, x, op, ctx);
	else
		refuse_method(x, op->method == HTTP_POST ? "POST" : "GET");
	return true;
}

static bool begin_api(const struct console *console, struct exchange *x)
{
	struct slice path = exchange_head(x)->path;
	if (slice_eq(path, S("/cors-test")))
		return begin_op(console, x, &op_cors_test, NULL);
	return begin_op(console, x, find_callbacks_op(path), NULL) ||
	       (console->desk && begin_op(console, x, find_events_op(path), console->desk));
}

bool console_begin(const struct console *console, struct exchange *x)
{
	return begin_file(console, x) || begin_api(console, x);
}
