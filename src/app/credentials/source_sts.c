/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials of STS: AssumeRole, signed by an access key, and AssumeRoleWithOIDC, by a token. */
#include <stdio.h>

#include "app/credentials/source.h"
#include "base/encode.h"
#include "crypto/random.h"
#include "crypto/secret.h"
#include "oss/sign/rpc_sign.h"
#include "oss/text/iso8601.h"

#define PARAMS_MAX 16
#define NONCE_LENGTH 32
#define BODY_BYTES_MAX (4 * (LIMIT_OIDC_TOKEN_BYTES + LIMIT_SECURITY_TOKEN_BYTES + KIB(8)))

struct sts_request {
	struct rpc_param params[PARAMS_MAX];
	size_t count;
	char duration[24];
	char nonce[NONCE_LENGTH];
	struct strbuf time;
};

static void add(struct sts_request *r, struct slice name, struct slice value)
{
	if (value.len > 0)
		r->params[r->count++] = (struct rpc_param){name, value};
}

static void begin(struct sts_request *r, const struct source_call *call, struct slice action)
{
	const struct provider_options *o = call->options;
	int64_t now_ms = clock_wall_ms(call->clock);
	*r = (struct sts_request){.time = STRBUF_INIT(64)};
	/* Without a fraction of the second, as the documentation has it. */
	iso8601_add(&r->time, now_ms);
	strbuf_truncate(&r->time, r->time.len - strlen(".000Z"));
	strbuf_addc(&r->time, 'Z');
	random_alnum(r->nonce, sizeof(r->nonce));
	(void)snprintf(r->duration, sizeof(r->duration), "%lld", (long long)o->duration_seconds);
	add(r, S("Action"), action);
	add(r, S("Version"), S("2015-04-01"));
	add(r, S("Format"), S("JSON"));
	add(r, S("Timestamp"), strbuf_slice(&r->time));
	add(r, S("SignatureNonce"), slice_of(r->nonce, sizeof(r->nonce)));
	add(r, S("RoleArn"), o->role_arn);
	add(r, S("RoleSessionName"), o->session_name);
	add(r, S("DurationSeconds"), slice_str(r->duration));
	add(r, S("Policy"), o->policy);
}

static void write_body(const struct sts_request *r, struct strbuf *out)
{
	for (size_t i = 0; i < r->count; i++) {
		strbuf_adds(out, i > 0 ? "&" : "");
		percent_encode(out, r->params[i].name);
		strbuf_addc(out, '=');
		percent_encode(out, r->params[i].value);
	}
}

static bool ask(struct source_call *call, const struct sts_request *r)
{
	static const char *const headers[] = {"Content-Type: application/x-www-form-urlencoded",
		"User-Agent: postern/" POSTERN_VERSION};
	SCOPED_STRBUF(body, BODY_BYTES_MAX);
	write_body(r, &body);
	if (strbuf_broken(&body) || strbuf_broken(&r->time))
		return source_fail(call, "there is no memory");
	struct outgoing_request request = {
		.url = call->options->sts_url.ptr,
		.method = OUTGOING_POST,
		.body = strbuf_slice(&body),
		.headers = headers,
		.header_count = ARRAY_LEN(headers),
		.flags = call->options->any_certificate ? OUTGOING_ANY_CERTIFICATE : 0,
	};
	bool ok = source_ask(call, "STS", &request) &&
		  source_parse(call, "STS", strbuf_slice(&request.answer)) &&
		  (call->values.token.len > 0 ||
			  source_fail(call, "the answer of STS has no security token"));
	secret_wipe(body.ptr, body.len);
	source_release(&request);
	return ok;
}

bool source_sts(struct source_call *call)
{
	struct sts_request r;
	SCOPED_STRBUF(text, 2 * BODY_BYTES_MAX);
	SCOPED_STRBUF(signature, 64);
	begin(&r, call, S("AssumeRole"));
	add(&r, S("AccessKeyId"), call->pair->id);
	add(&r, S("SecurityToken"), call->pair->token);
	add(&r, S("SignatureMethod"), S("HMAC-SHA1"));
	add(&r, S("SignatureVersion"), S("1.0"));
	rpc_string_to_sign(S("POST"), r.params, r.count, &text);
	rpc_sign(strbuf_slice(&text), call->pair->secret, &signature);
	add(&r, S("Signature"), strbuf_slice(&signature));
	bool ok = strbuf_broken(&text) ? source_fail(call, "there is no memory") : ask(call, &r);
	strbuf_release(&r.time);
	return ok;
}

/* The token is read each time: who runs the machine changes it within the hour. */
bool source_oidc(struct source_call *call)
{
	struct sts_request r;
	SCOPED_STRBUF(token, LIMIT_OIDC_TOKEN_BYTES);
	if (!source_read(call, call->options->oidc_token_file.ptr, &token))
		return false;
	begin(&r, call, S("AssumeRoleWithOIDC"));
	add(&r, S("OIDCProviderArn"), call->options->oidc_provider_arn);
	add(&r, S("OIDCToken"), strbuf_slice(&token));
	bool ok = ask(call, &r);
	secret_wipe(token.ptr, token.len);
	strbuf_release(&r.time);
	return ok;
}
