/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/access/sts_call.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>

#include "base/encode.h"
#include "crypto/digest.h"
#include "crypto/random.h"
#include "crypto/secret.h"
#include "oss/text/iso8601.h"
#include "oss/text/xml.h"

enum {
	MESSAGE_BYTES = 1 << 20,
	ANSWER_BYTES = 2 << 20,
};

/* ---- The answer --------------------------------------------------------------------------------
 */

static void add_xml(const char *name, json_t *value, struct strbuf *out)
{
	const char *member;
	json_t *inner;
	if (json_is_string(value)) {
		xml_element(out, name, slice_str(json_string_value(value)));
		return;
	}
	xml_open(out, name);
	json_object_foreach(value, member, inner) add_xml(member, inner, out);
	xml_close(out, name);
}

/* Sends what `root` says, which it takes over. */
static void send(struct sts_call *call, int status, const char *name, json_t *root)
{
	SCOPED_STRBUF(out, ANSWER_BYTES);
	char *text = root && call->json ? json_dumps(root, JSON_COMPACT) : NULL;
	if (text) {
		strbuf_adds(&out, text);
		secret_wipe(text, strlen(text));
	} else if (root && !call->json) {
		strbuf_adds(&out, XML_PROLOG);
		add_xml(name, root, &out);
	}
	free(text);
	json_decref(root);
	bool made = out.len > 0 && !strbuf_broken(&out);
	exchange_header(call->x, "x-acs-request-id", slice_str(call->id));
	exchange_header(call->x, "Content-Type",
		call->json ? S("application/json;charset=utf-8") : S("text/xml;charset=utf-8"));
	exchange_send(call->x, made ? status : 503, made ? strbuf_slice(&out) : S(""));
	secret_wipe(out.ptr, out.len);
}

/* A message may end in the middle of a character that it was cut at; the formats do not allow it.
 */
static void make_valid(struct strbuf *message)
{
	if (utf8_valid(strbuf_slice(message)))
		return;
	for (size_t i = 0; i < message->len; i++)
		if ((unsigned char)message->ptr[i] >= 0x80)
			message->ptr[i] = '?';
}

bool sts_refuse(struct sts_call *call, int status, const char *code, const char *fmt, ...)
{
	SCOPED_STRBUF(message, MESSAGE_BYTES);
	struct slice host = exchange_head(call->x)->host;
	va_list ap;
	va_start(ap, fmt);
	strbuf_vaddf(&message, fmt, ap);
	va_end(ap);
	make_valid(&message);
	exchange_note(call->x, "code=%s", code);
	send(call, status, "Error",
		json_pack("{s:s, s:s%, s:s, s:s}", "RequestId", call->id, "HostId",
			host.ptr ? host.ptr : "", host.len, "Code", code, "Message", message.ptr));
	return false;
}

/* A number that stands for the role, always the same, as RAM's ids of roles are numbers. */
static uint64_t role_number(struct slice arn)
{
	uint8_t digest[SHA256_BYTES];
	uint64_t number = 0;
	sha256_of(arn, digest);
	for (size_t i = 0; i < 7; i++)
		number = number << 8 | digest[i];
	return 300000000000000000 + number;
}

void sts_answer(struct sts_call *call, const struct sts_role *role, const struct session *session,
	struct slice token)
{
	SCOPED_STRBUF(arn, KIB(1));
	SCOPED_STRBUF(id, KIB(1));
	SCOPED_STRBUF(expiration, 64);
	strbuf_addf(&arn, "%.*s/%.*s", SLICE_FMT(role->arn), SLICE_FMT(role->session_name));
	strbuf_addf(&id, "%" PRIu64 ":%.*s", role_number(role->arn), SLICE_FMT(role->session_name));
	iso8601_add(&expiration, session->expires_ms);
	strbuf_truncate(&expiration, expiration.len - strlen(".000Z"));
	strbuf_addc(&expiration, 'Z');
	json_t *root = json_pack("{s:s, s:{s:s%, s:s%}, s:{s:s%, s:s%, s:s%, s:s%}}", "RequestId",
		call->id, "AssumedRoleUser", "Arn", arn.ptr, arn.len, "AssumedRoleId", id.ptr,
		id.len, "Credentials", "AccessKeyId", session->id.ptr, session->id.len,
		"AccessKeySecret", session->secret.ptr, session->secret.len, "SecurityToken",
		token.ptr, token.len, "Expiration", expiration.ptr, expiration.len);
	send(call, 200, "AssumeRoleResponse", root);
}

/* ---- The parameters ----------------------------------------------------------------------------
 */

static void make_id(char ret[37])
{
	random_hex_upper(ret, 36);
	ret[8] = ret[13] = ret[18] = ret[23] = '-';
	ret[14] = '4';
	ret[36] = '\0';
}

static bool add_params(struct sts_call *call, struct slice text)
{
	struct sts_params *params = &call->params;
	switch (sts_params_add(params, call->arena, text)) {
	case STS_PARAMS_OK:
		return true;
	case STS_PARAMS_TOO_MANY:
		return sts_refuse(call, 400, "InvalidParameter", "There are too many parameters.");
	case STS_PARAMS_TWICE:
		return sts_refuse(call, 400, "InvalidParameter",
			"The parameter %.*s is given twice.",
			SLICE_FMT(slice_head(params->each[params->count].name, 64)));
	case STS_PARAMS_UNDECODABLE:
		break;
	}
	return sts_refuse(call, 400, "InvalidParameter", "A parameter cannot be decoded.");
}

static bool find_format(struct sts_call *call)
{
	struct slice format = sts_optional(call, "Format");
	call->json = slice_eq_nocase(format, S("JSON"));
	if (call->json || !format.ptr || slice_eq_nocase(format, S("XML")))
		return true;
	return sts_refuse(call, 400, "InvalidParameter.Format", "Format must be JSON or XML.");
}

static bool check_body(struct sts_call *call, const struct strbuf *body)
{
	struct slice type = request_head_get(exchange_head(call->x), S("Content-Type"));
	struct slice media;
	(void)slice_cut(&type, ';', &media);
	if (strbuf_broken(body))
		return sts_refuse(call, 413, "RequestEntityTooLarge",
			"The body is longer than %zu bytes.", body->max);
	if (body->len == 0 ||
		slice_eq_nocase(slice_trim(media), S("application/x-www-form-urlencoded")))
		return true;
	return sts_refuse(call, 415, "UnsupportedHTTPMediaType",
		"The body must be application/x-www-form-urlencoded.");
}

bool sts_call_init(struct sts_call *call, struct exchange *x, const struct strbuf *body)
{
	call->x = x;
	call->arena = exchange_arena(x);
	call->json = false;
	call->params.count = 0;
	make_id(call->id);
	return check_body(call, body) && add_params(call, exchange_head(x)->query) &&
	       add_params(call, strbuf_slice(body)) && find_format(call);
}

struct slice sts_optional(const struct sts_call *call, const char *name)
{
	return sts_params_find(&call->params, slice_str(name));
}

bool sts_param(struct sts_call *call, const char *name, struct slice *ret)
{
	struct slice value = sts_optional(call, name);
	if (value.len) {
		*ret = value;
		return true;
	}
	SCOPED_STRBUF(code, 128);
	strbuf_addf(&code, "Missing%s", name);
	return sts_refuse(call, 400, code.ptr, "%s is mandatory for this action.", name);
}
