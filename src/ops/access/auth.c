/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/access/auth.h"

#include <inttypes.h>

#include "base/limits.h"
#include "ops/access/cross_origin.h"
#include "ops/access/keys.h"
#include "ops/ops_internal.h"
#include "ops/respond.h"
#include "oss/sign/sign.h"
#include "oss/text/iso8601.h"

void auth_refuse(struct request *r, enum err e, const struct refusal *why)
{
	r->ec = why->ec;
	if (why->argument_name)
		respond_detail_argument(r, why->argument_name, why->argument_value);
	if (why->message.len)
		respond_error_text(r, e, "%.*s", SLICE_FMT(why->message));
	else
		respond_error(r, e);
}

static void detail_time(struct request *r, const char *element, int64_t time_ms)
{
	SCOPED_STRBUF(text, 64);
	iso8601_add(&text, time_ms);
	respond_detail(r, element, strbuf_slice(&text));
}

static void refuse_time(struct request *r, enum err e, int64_t time_ms, int64_t now_ms)
{
	if (e == ERR_TIME_TOO_SKEWED) {
		detail_time(r, "RequestTime", time_ms);
		SCOPED_STRBUF(skew, 32);
		strbuf_add_u64(&skew, LIMIT_CLOCK_SKEW_MS);
		respond_detail(r, "MaxAllowedSkewMilliseconds", strbuf_slice(&skew));
	} else {
		detail_time(r, "Expires", time_ms);
	}
	detail_time(r, "ServerTime", now_ms);
	respond_error(r, e);
}

/* What was signed, byte by byte, as OSS shows it. */
static void detail_signed_text(
	struct request *r, struct slice provided, struct slice signed_text, struct slice canonical)
{
	respond_detail(r, "OSSAccessKeyId", r->key.id);
	respond_detail(r, "SignatureProvided", provided);
	respond_detail(r, "StringToSign", slice_head(signed_text, 1024));
	SCOPED_STRBUF(bytes, 1024);
	for (size_t i = 0; i < signed_text.len && i < 256; i++)
		strbuf_addf(&bytes, "%s%02X", i ? " " : "", (unsigned char)signed_text.ptr[i]);
	respond_detail(r, "StringToSignBytes", strbuf_slice(&bytes));
	if (canonical.len)
		respond_detail(r, "CanonicalRequest", slice_head(canonical, 1024));
}

/* Looks up the claimed key, which with a token is a temporary one. */
static enum err find_key(struct request *r, struct slice id, struct slice token, int64_t now_ms)
{
	struct session session;
	/* A token belongs to a temporary key: with any other there is no such pair. */
	if (token.len && !slice_starts(id, S(SESSION_ID_PREFIX)))
		return ERR_INVALID_ACCESS_KEY;
	if (token.len == 0)
		return keys_find(r->ops->options.keys, id, &r->arena, &r->key);
	enum err e =
		keys_find_session(r->ops->options.keys, id, token, now_ms, &r->arena, &session);
	if (e != ERR_OK)
		return e;
	r->key = (struct access_key){session.id, session.secret};
	r->restricted = session.restricted;
	r->policy = session.policy;
	return ERR_OK;
}

static bool refuse_key(struct request *r, enum err e, struct slice id)
{
	respond_detail(r, "OSSAccessKeyId", id);
	respond_error(r, e);
	return false;
}

static struct sign_request describe(const struct request *r)
{
	const struct request_head *head = r->head;
	return (struct sign_request){
		.method = head->method_text,
		.bucket = r->address.has_bucket ? r->address.bucket.text : S(""),
		.key = r->address.has_key ? r->address.key.text : S(""),
		.path = r->resource,
		.query = *r->query,
		.headers = head->headers,
		.header_count = head->header_count,
	};
}

static bool verify(struct request *r, const struct sign_parsed *parsed,
	const struct sign_request *signed_request)
{
	SCOPED_STRBUF(text, SIGN_TEXT_BYTES);
	SCOPED_STRBUF(canonical, SIGN_TEXT_BYTES);
	enum err e = sign_verify(
		parsed, signed_request, r->key.secret, &r->ops->sign_keys, &text, &canonical);
	if (e == ERR_OK)
		return true;
	if (e == ERR_SIGNATURE_MISMATCH)
		detail_signed_text(
			r, parsed->signature, strbuf_slice(&text), strbuf_slice(&canonical));
	respond_error(r, e);
	return false;
}

/*
 * Whose memory it is. Who has a key has all that it signs; who was given a signed URL or form has
 * that, for others are given theirs with the same key.
 */
static struct slice requester(const struct request *r, bool was_given, struct slice signature)
{
	bool is_own = !was_given || slice_starts(r->key.id, S(SESSION_ID_PREFIX));
	return is_own ? r->key.id : signature;
}

static bool has_memory(struct request *r, bool found)
{
	if (!found)
		respond_error(r, ERR_UNAVAILABLE);
	return found;
}

bool auth_claimed(const struct request *r)
{
	struct sign_request described = describe(r);
	return sign_claimed(&described);
}

bool auth_check(struct request *r)
{
	const struct ops_options *options = &r->ops->options;
	int64_t now_ms = clock_wall_ms(options->clock);
	struct sign_request described = describe(r);
	struct sign_parsed parsed;
	struct refusal why = {0};
	enum err e = sign_parse(&described, &r->arena, &parsed, &why);
	if (e == ERR_OK && parsed.scheme == SIGN_NONE) {
		r->anonymous = true;
		return has_memory(r, request_admit(r));
	}
	if (e == ERR_OK && options->v4_only &&
		(parsed.scheme == SIGN_V1_HEADER || parsed.scheme == SIGN_V1_URL))
		e = ERR_SIGNATURE_V1_REFUSED;
	if (e == ERR_OK)
		e = sign_check_region(&parsed, options->region);
	if (e != ERR_OK) {
		auth_refuse(r, e, &why);
		return false;
	}
	e = sign_check_time(&parsed, now_ms);
	if (e != ERR_OK) {
		refuse_time(r, e, e == ERR_REQUEST_EXPIRED ? parsed.expires_ms : parsed.time_ms,
			now_ms);
		return false;
	}
	e = find_key(r, parsed.access_key_id, parsed.security_token, now_ms);
	if (e != ERR_OK)
		return refuse_key(r, e, parsed.access_key_id);
	bool is_url = parsed.scheme == SIGN_V1_URL || parsed.scheme == SIGN_V4_URL;
	return verify(r, &parsed, &described) &&
	       has_memory(r, request_trust(r, requester(r, is_url, parsed.signature)));
}

bool auth_check_form(struct request *r, const struct form_fields *fields, struct form_auth *ret)
{
	const struct ops_options *options = &r->ops->options;
	int64_t now_ms = clock_wall_ms(options->clock);
	struct refusal why = {0};
	enum err e = form_auth_parse(fields, ret, &why);
	if (e != ERR_OK || ret->scheme != FORM_ANONYMOUS)
		cross_origin_decide(r, true);
	if (e == ERR_OK && ret->scheme == FORM_ANONYMOUS) {
		r->anonymous = true;
		return has_memory(r, request_admit(r));
	}
	if (e == ERR_OK && options->v4_only && ret->scheme == FORM_V1)
		e = ERR_SIGNATURE_V1_REFUSED;
	if (e == ERR_OK)
		e = form_auth_check_region(ret, options->region);
	if (e != ERR_OK) {
		auth_refuse(r, e, &why);
		return false;
	}
	e = form_auth_check_time(ret, now_ms);
	if (e != ERR_OK) {
		refuse_time(r, e, ret->time_ms, now_ms);
		return false;
	}
	e = find_key(r, ret->access_key_id, ret->security_token, now_ms);
	if (e != ERR_OK)
		return refuse_key(r, e, ret->access_key_id);
	e = form_auth_verify(ret, r->key.secret, &r->ops->sign_keys);
	if (e == ERR_OK)
		return has_memory(r, request_trust(r, requester(r, true, ret->signature)));
	if (e == ERR_SIGNATURE_MISMATCH)
		detail_signed_text(r, ret->signature, ret->policy, S(""));
	respond_error(r, e);
	return false;
}
