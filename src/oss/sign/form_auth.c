/* SPDX-License-Identifier: Apache-2.0 */
#include "oss/sign/form_auth.h"

#include "base/encode.h"
#include "base/limits.h"
#include "crypto/hmac.h"
#include "crypto/secret.h"
#include "oss/sign/sign_v4.h"
#include "oss/text/iso8601.h"

/* A field that a scheme needs, and how OSS says that it is missing. */
struct required {
	struct slice name;
	struct slice *value;
	const char *ec;
	struct slice message;
};

#define MISSING(field)                                                    \
	SLICE_LIT("The bucket POST must contain the specified '" field    \
		  "'. If it is specified, please check the order of the " \
		  "fields")

static enum err require(const struct form_fields *fields, const struct required *required,
	size_t count, struct refusal *why)
{
	for (size_t i = 0; i < count; i++) {
		*required[i].value = form_field(fields, required[i].name);
		if (required[i].value->len > 0)
			continue;
		why->ec = required[i].ec;
		why->message = required[i].message;
		why->argument_name = required[i].name.ptr;
		why->argument_value = (struct slice){NULL, 0};
		return ERR_INVALID_ARGUMENT;
	}
	return ERR_OK;
}

static enum err parse_v1(
	const struct form_fields *fields, struct form_auth *auth, struct refusal *why)
{
	const struct required required[] = {
		{S("OSSAccessKeyId"), &auth->access_key_id, "0002-00000706",
			MISSING("OSSAccessKeyId")},
		{S("policy"), &auth->policy, "0002-00000702", MISSING("policy")},
		{S("Signature"), &auth->signature, "0002-00000703", MISSING("Signature")},
	};
	auth->scheme = FORM_V1;
	enum err e = require(fields, required, ARRAY_LEN(required), why);
	while (auth->signature.len &&
		(slice_ends(auth->signature, S("\r")) || slice_ends(auth->signature, S("\n"))))
		auth->signature.len--;
	return e;
}

static enum err bad_argument(
	struct refusal *why, const char *name, struct slice value, struct slice message)
{
	why->argument_name = name;
	why->argument_value = value;
	why->message = message;
	return ERR_INVALID_ARGUMENT;
}

static enum err parse_v4(
	const struct form_fields *fields, struct form_auth *auth, struct refusal *why)
{
	struct slice credential, date;
	const struct required required[] = {
		{S("policy"), &auth->policy, "0002-00000702", MISSING("policy")},
		{S("x-oss-credential"), &credential, NULL, MISSING("x-oss-credential")},
		{S("x-oss-date"), &date, NULL, MISSING("x-oss-date")},
		{S("x-oss-signature"), &auth->signature, NULL, MISSING("x-oss-signature")},
	};
	auth->scheme = FORM_V4;
	enum err e = require(fields, required, ARRAY_LEN(required), why);
	if (e)
		return e;
	if (credential_parse(credential, &auth->credential) != CREDENTIAL_OK) {
		why->ec = "0002-00000708";
		return bad_argument(why, "x-oss-credential", credential,
			S("The field x-oss-credential must be "
			  "<AccessKeyId>/<date>/<region>/oss/aliyun_v4_request."));
	}
	auth->access_key_id = auth->credential.access_key_id;
	if (!iso8601_parse_basic(date, &auth->time_ms))
		return bad_argument(why, "x-oss-date", date,
			S("The field x-oss-date must be of the form YYYYMMDDTHHMMSSZ."));
	if (!slice_eq(auth->credential.day, slice_head(date, 8)))
		return bad_argument(why, "x-oss-date", date,
			S("The day of x-oss-date must be the date of x-oss-credential."));
	return ERR_OK;
}

static bool has_field(const struct form_fields *fields, struct slice name)
{
	struct slice value;
	return fields->find(fields->context, name, &value);
}

enum err form_auth_parse(
	const struct form_fields *fields, struct form_auth *ret, struct refusal *why)
{
	struct form_auth auth = {.scheme = FORM_ANONYMOUS};
	struct slice version = form_field(fields, S("x-oss-signature-version"));
	auth.security_token = form_field(fields, S("x-oss-security-token"));
	enum err e = ERR_OK;
	if (slice_eq(version, S(SIGN_V4_ALGORITHM)))
		e = parse_v4(fields, &auth, why);
	else if (version.len > 0)
		e = bad_argument(why, "x-oss-signature-version", version,
			S("The field x-oss-signature-version must be " SIGN_V4_ALGORITHM "."));
	else if (has_field(fields, S("OSSAccessKeyId")) || has_field(fields, S("policy")) ||
		 has_field(fields, S("Signature")))
		e = parse_v1(fields, &auth, why);
	if (!e)
		*ret = auth;
	return e;
}

enum err form_auth_check_region(const struct form_auth *auth, struct slice region)
{
	if (auth->scheme != FORM_V4 || region.len == 0 || slice_eq(auth->credential.region, region))
		return ERR_OK;
	return ERR_INVALID_REGION;
}

enum err form_auth_check_time(const struct form_auth *auth, int64_t now_ms)
{
	if (auth->scheme != FORM_V4)
		return ERR_OK;
	if (auth->time_ms - now_ms > LIMIT_CLOCK_SKEW_MS)
		return ERR_TIME_TOO_SKEWED;
	if (now_ms - auth->time_ms > INT64_C(1000) * LIMIT_PRESIGN_SECONDS)
		return ERR_REQUEST_EXPIRED;
	return ERR_OK;
}

/* Whether the signature is that of the policy when it reads `policy`. */
static enum err match(const struct form_auth *auth, struct slice policy, struct slice secret,
	struct sign_key_cache *cache)
{
	SCOPED_STRBUF(expected, 128);
	if (auth->scheme == FORM_V4)
		form_sign_v4(policy, &auth->credential, secret, cache, &expected);
	else
		form_sign_v1(policy, secret, &expected);
	if (strbuf_broken(&expected))
		return ERR_UNAVAILABLE;
	return slice_eq_secret(strbuf_slice(&expected), auth->signature) ? ERR_OK
									 : ERR_SIGNATURE_MISMATCH;
}

enum err form_auth_verify(
	const struct form_auth *auth, struct slice secret, struct sign_key_cache *cache)
{
	enum err e = match(auth, auth->policy, secret, cache);
	if (e != ERR_SIGNATURE_MISMATCH || slice_find(auth->policy, '\n') == auth->policy.len)
		return e;
	/* Browsers make CR LF of the line ends that base64 may have; signed were LF, or none. */
	SCOPED_STRBUF(unix_lines, auth->policy.len + 1);
	SCOPED_STRBUF(one_line, auth->policy.len + 1);
	for (size_t i = 0; i < auth->policy.len; i++) {
		char c = auth->policy.ptr[i];
		if (c != '\r')
			strbuf_addc(&unix_lines, c);
		if (c != '\r' && c != '\n')
			strbuf_addc(&one_line, c);
	}
	if (strbuf_broken(&unix_lines) || strbuf_broken(&one_line))
		return ERR_UNAVAILABLE;
	e = match(auth, strbuf_slice(&unix_lines), secret, cache);
	return e == ERR_SIGNATURE_MISMATCH ? match(auth, strbuf_slice(&one_line), secret, cache)
					   : e;
}

void form_sign_v1(struct slice policy, struct slice secret, struct strbuf *out)
{
	uint8_t mac[SHA1_BYTES];
	hmac_sha1_of(secret, policy, mac);
	base64_encode(out, slice_of(mac, sizeof(mac)));
}

void form_sign_keyed(struct slice policy, const struct hmac_sha1 *keyed, struct strbuf *out)
{
	uint8_t mac[SHA1_BYTES];
	hmac_sha1_sign(keyed, policy, mac);
	base64_encode(out, slice_of(mac, sizeof(mac)));
}

void form_sign_v4(struct slice policy, const struct credential *credential, struct slice secret,
	struct sign_key_cache *cache, struct strbuf *out)
{
	struct hmac_sha256 key;
	credential_signing_key(credential, secret, cache, &key);
	sign_v4_signature(&key, policy, out);
	secret_wipe(&key, sizeof(key));
}
