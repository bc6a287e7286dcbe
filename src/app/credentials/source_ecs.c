/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials of the role of a machine (ECS), from its metadata service: first a token of the
 * service itself, then, with it, the name of the role and its credentials. Without such a token
 * nothing is asked: whoever can have a server ask a URL could have them otherwise.
 */
#include "app/credentials/source.h"
#include "crypto/secret.h"

#define TOKEN_PATH "/latest/api/token"
#define ROLES_PATH "/latest/meta-data/ram/security-credentials/"
#define TOKEN_SECONDS "X-aliyun-ecs-metadata-token-ttl-seconds: 60"
#define TOKEN_NAME "X-aliyun-ecs-metadata-token: "
#define WHOM "the metadata service"

static bool is_name(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = ascii_lower(text.ptr[i]);
		if (!(c >= 'a' && c <= 'z') && !ascii_digit(c) && !(c && strchr(".-_", c)))
			return false;
	}
	return text.len > 0 && text.len <= 64;
}

/* Appends the answer to one request with one header line. */
static bool ask(struct source_call *call, const char *path, struct slice more, bool put,
	const char *line, struct strbuf *out)
{
	SCOPED_STRBUF(url, KIB(4));
	strbuf_add_slice(&url, call->options->metadata_url);
	strbuf_adds(&url, path);
	strbuf_add_slice(&url, more);
	struct outgoing_request request = {.url = url.ptr,
		.method = put ? OUTGOING_PUT : OUTGOING_GET,
		.headers = &line,
		.header_count = 1};
	bool ok = source_ask(call, WHOM, &request);
	if (ok)
		strbuf_add_slice(out, strbuf_slice(&request.answer));
	source_release(&request);
	return ok;
}

static bool ask_token(struct source_call *call, struct strbuf *line)
{
	strbuf_adds(line, TOKEN_NAME);
	if (!ask(call, TOKEN_PATH, S(""), true, TOKEN_SECONDS, line))
		return false;
	for (size_t i = 0; i < line->len; i++)
		if (line->ptr[i] < ' ' || line->ptr[i] > '~')
			return source_fail(call, WHOM " gave a token that cannot be sent");
	return !strbuf_broken(line) || source_fail(call, "there is no memory");
}

/* A machine has one role. */
static bool find_role(struct source_call *call, const char *line, struct strbuf *out)
{
	if (call->options->ecs_role.len > 0) {
		strbuf_add_slice(out, call->options->ecs_role);
		return true;
	}
	if (!ask(call, ROLES_PATH, S(""), false, line, out))
		return false;
	strbuf_truncate(out, slice_find(strbuf_slice(out), '\n'));
	return is_name(strbuf_slice(out)) ||
	       source_fail(call, WHOM " named no role: has the machine got one?");
}

bool source_ecs(struct source_call *call)
{
	SCOPED_STRBUF(line, LIMIT_CREDENTIALS_BYTES + KIB(1));
	SCOPED_STRBUF(role, KIB(4));
	SCOPED_STRBUF(json, LIMIT_CREDENTIALS_BYTES);
	bool ok = ask_token(call, &line) && find_role(call, line.ptr, &role) &&
		  ask(call, ROLES_PATH, strbuf_slice(&role), false, line.ptr, &json) &&
		  source_parse(call, WHOM, strbuf_slice(&json)) &&
		  (call->values.token.len > 0 ||
			  source_fail(call, "the answer of " WHOM " has no security token"));
	secret_wipe(line.ptr, line.len);
	secret_wipe(json.ptr, json.len);
	return ok;
}
