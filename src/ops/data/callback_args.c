/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/data/callback_args.h"

#include <jansson.h>

#include "base/encode.h"
#include "base/limits.h"
#include "ops/data/callback_ticket.h"
#include "ops/ops_internal.h"
#include "ops/respond.h"
#include "oss/text/json_load.h"

bool callback_args_parse(struct request *r, struct ingest *u, const char *name, struct slice text)
{
	SCOPED_STRBUF(reason, 512);
	enum err e = callback_params_parse(text, &u->callback, &reason);
	if (e != ERR_OK)
		return respond_argument(r, e, name, text, reason.ptr);
	if (u->callback && !request_take_memory(r, text.len)) {
		respond_error(r, ERR_UNAVAILABLE);
		return false;
	}
	if (u->callback && !r->ops->options.callbacks)
		return respond_argument(
			r, ERR_NOT_IMPLEMENTED, name, text, "This store sends no callbacks.");
	if (u->callback && !callback_targets_allowed(r->ops->options.callbacks, u->callback))
		return respond_argument(r, ERR_CALLBACK_PRIVATE_ADDRESS, name, text, "");
	return true;
}

static struct slice find_var(void *ctx, struct slice name)
{
	json_t *value = json_object_getn(ctx, name.ptr, name.len);
	if (!json_is_string(value))
		return (struct slice){NULL, 0};
	return slice_of(json_string_value(value), json_string_length(value));
}

/* Names begin with `x:` and are lower case, values are strings. */
static bool vars_valid(json_t *vars)
{
	const char *key;
	json_t *value;
	if (!json_is_object(vars))
		return false;
	json_object_foreach(vars, key, value)
	{
		if (!slice_starts(slice_str(key), S("x:")) || !json_is_string(value))
			return false;
		for (const char *c = key; *c; c++)
			if (*c >= 'A' && *c <= 'Z')
				return false;
	}
	return true;
}

static bool parse_vars(struct request *r, struct ingest *u, struct callback_vars *vars,
	const char *name, struct slice text)
{
	SCOPED_STRBUF(json, LIMIT_CALLBACK_HEADER_BYTES);
	bool no_memory = false;
	if (text.len == 0)
		return true;
	if (base64_decode(&json, text))
		vars->json = json_load_text(
			strbuf_slice(&json), JSON_REJECT_DUPLICATES, NULL, &no_memory);
	if (no_memory || strbuf_starved(&json)) {
		respond_error(r, ERR_UNAVAILABLE);
		return false;
	}
	if (!vars->json || !vars_valid(vars->json))
		return respond_argument(r, ERR_INVALID_ARGUMENT, name, text,
			"The custom variables must be base64 of a JSON object whose names begin "
			"with x: "
			"and whose values are strings.");
	u->custom = find_var;
	u->custom_ctx = vars->json;
	return true;
}

bool callback_args_from_request(struct request *r, struct ingest *u, struct callback_vars *vars)
{
	static const char *const names[2][2] = {
		{"x-oss-callback", "x-oss-callback-var"}, {"callback", "callback-var"}};
	struct slice header = request_header(r, S("x-oss-callback"));
	struct slice header_var = request_header(r, S("x-oss-callback-var"));
	struct slice query = request_param(r, S("callback"));
	struct slice query_var = request_param(r, S("callback-var"));
	bool in_query = query.ptr || query_var.ptr;
	if (in_query && (header.ptr || header_var.ptr))
		return respond_argument(r, ERR_CALLBACK_TWICE, "callback", query, "");
	const char *const *name = names[in_query];
	struct slice text = in_query ? query : header;
	struct slice var = in_query ? query_var : header_var;
	if (text.len > LIMIT_CALLBACK_HEADER_BYTES || var.len > LIMIT_CALLBACK_HEADER_BYTES)
		return respond_argument(r, ERR_INVALID_ARGUMENT,
			name[text.len <= LIMIT_CALLBACK_HEADER_BYTES], S(""),
			"It is longer than 5 KB.");
	if (!text.len)
		return true;
	return callback_args_parse(r, u, name[0], text) && parse_vars(r, u, vars, name[1], var) &&
	       callback_ticket_check(r, u, TICKET_SIGNED_REQUEST);
}

void callback_vars_release(struct callback_vars *vars)
{
	json_decref(vars->json);
}
