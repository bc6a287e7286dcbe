/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/access/sts.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/limits.h"
#include "documents/shared_marks.h"
#include "http/query.h"
#include "ops/access/nonces.h"
#include "ops/access/sts_call.h"
#include "oss/policy/ram_policy.h"
#include "oss/text/iso8601.h"

struct sts {
	struct keys *keys;
	const struct clock *clock;
	struct nonces *nonces;
	struct shared_marks *marks; /* of nonces, at all gateways; NULL: there is one */
	atomic_size_t waiting;
};

/* A request on its way. */
struct pending {
	struct sts *sts;
	struct strbuf body;
	struct sts_call call;
	struct access_key parent; /* who asks */
	int64_t now_ms;
	struct shared_mark mark;
	bool waits; /* for the mark */
};

/* What is signed: each byte of a body may become nine. */
#define TEXT_BYTES ((size_t)9 * (LIMIT_STS_BODY_BYTES + LIMIT_TARGET_BYTES))

/* ---- Who asks ----------------------------------------------------------------------------------
 */

static bool check_names(struct sts_call *call)
{
	static const char *const known[] = {"AccessKeyId", "Action", "DurationSeconds", "Format",
		"Policy", "RegionId", "RoleArn", "RoleSessionName", "SecurityToken", "Signature",
		"SignatureMethod", "SignatureNonce", "SignatureType", "SignatureVersion",
		"Timestamp", "Version"};
	for (size_t i = 0; i < call->params.count; i++) {
		bool found = false;
		for (size_t k = 0; k < ARRAY_LEN(known); k++)
			found = found || slice_eq(call->params.each[i].name, slice_str(known[k]));
		if (!found)
			return sts_refuse(call, 400, "InvalidParameter",
				"The parameter %.*s is not implemented.",
				SLICE_FMT(slice_head(call->params.each[i].name, 64)));
	}
	return true;
}

static bool check_action(struct sts_call *call)
{
	struct slice action, version;
	if (!sts_param(call, "Action", &action) || !sts_param(call, "Version", &version))
		return false;
	if (!slice_eq(version, S("2015-04-01")))
		return sts_refuse(
			call, 400, "InvalidVersion", "Specified parameter Version is not valid.");
	if (!slice_eq(action, S("AssumeRole")))
		return sts_refuse(call, 404, "InvalidAction.NotFound",
			"Specified api is not found, please check your url and method.");
	return check_names(call);
}

static bool check_time(struct sts_call *call, int64_t now_ms, int64_t *ret)
{
	struct slice text;
	if (!sts_param(call, "Timestamp", &text))
		return false;
	if (!iso8601_parse(text, ret))
		return sts_refuse(call, 400, "InvalidTimeStamp.Format",
			"Specified time stamp or date value is not well formatted.");
	if (*ret < now_ms - LIMIT_CLOCK_SKEW_MS || *ret > now_ms + LIMIT_CLOCK_SKEW_MS)
		return sts_refuse(call, 400, "InvalidTimeStamp.Expired",
			"Specified time stamp or date value is expired.");
	return true;
}

static bool check_signature(struct sts_call *call, struct slice secret, struct slice signature)
{
	SCOPED_STRBUF(text, TEXT_BYTES);
	SCOPED_STRBUF(ours, 64);
	rpc_string_to_sign(
		exchange_head(call->x)->method_text, call->params.each, call->params.count, &text);
	rpc_sign(strbuf_slice(&text), secret, &ours);
	if (strbuf_broken(&text) || strbuf_broken(&ours))
		return sts_refuse(call, 503, "ServiceUnavailable", "There is no memory.");
	if (slice_eq_secret(strbuf_slice(&ours), signature))
		return true;
	return sts_refuse(call, 400, "SignatureDoesNotMatch",
		"Specified signature is not matched with our calculation. server string to sign "
		"is:%s",
		text.ptr);
}

/* A temporary key makes no other: what it may do would be more than what its policy allows. */
static bool find_key(
	const struct sts *sts, struct sts_call *call, struct slice id, struct access_key *ret)
{
	struct slice token = sts_optional(call, "SecurityToken");
	if (slice_starts(id, S(SESSION_ID_PREFIX)) && token.len == 0)
		return sts_refuse(call, 400, "MissingSecurityToken",
			"SecurityToken is mandatory for this action.");
	if (token.len)
		return sts_refuse(call, 403, "NoPermission",
			"A temporary key cannot assume a role here. Use an access key.");
	enum err e = keys_find(sts->keys, id, call->arena, ret);
	if (e == ERR_INVALID_ACCESS_KEY)
		return sts_refuse(call, 404, "InvalidAccessKeyId.NotFound",
			"Specified access key is not found.");
	return e == ERR_OK || sts_refuse(call, 503, "ServiceUnavailable", "There is no memory.");
}

static bool check_method(struct sts_call *call)
{
	struct slice method, version;
	if (!sts_param(call, "SignatureMethod", &method) ||
		!sts_param(call, "SignatureVersion", &version))
		return false;
	if (slice_eq(method, S("HMAC-SHA1")) && slice_eq(version, S("1.0")) &&
		sts_optional(call, "SignatureType").len == 0)
		return true;
	return sts_refuse(call, 400, "InvalidParameter.SignatureMethod",
		"Only SignatureMethod HMAC-SHA1 of SignatureVersion 1.0 is implemented.");
}

static bool refuse_used(struct sts_call *call)
{
	return sts_refuse(
		call, 400, "SignatureNonceUsed", "Specified signature nonce was used already.");
}

/* Whether this gateway has not answered it before. What stands for it is what others are asked. */
static bool check_nonce(struct pending *pending, struct slice id, int64_t time_ms)
{
	struct sts_call *call = &pending->call;
	struct slice nonce;
	if (!sts_param(call, "SignatureNonce", &nonce))
		return false;
	nonce_mark(id, nonce, pending->mark.mark);
	pending->mark.time_ms = time_ms;
	switch (nonces_use(pending->sts->nonces, pending->mark.mark, pending->now_ms,
		time_ms + LIMIT_CLOCK_SKEW_MS + 1)) {
	case NONCE_NEW:
		return true;
	case NONCE_USED:
		return refuse_used(call);
	case NONCE_FULL:
		break;
	}
	return sts_refuse(call, 503, "Throttling", "Request was denied due to request throttling.");
}

static bool authenticate(struct pending *pending)
{
	struct sts_call *call = &pending->call;
	struct slice id, signature;
	int64_t time_ms;
	return check_action(call) && sts_param(call, "AccessKeyId", &id) &&
	       sts_param(call, "Signature", &signature) && check_method(call) &&
	       check_time(call, pending->now_ms, &time_ms) &&
	       find_key(pending->sts, call, id, &pending->parent) &&
	       check_signature(call, pending->parent.secret, signature) &&
	       check_nonce(pending, id, time_ms);
}

/* ---- What is asked for -------------------------------------------------------------------------
 */

static bool read_role(struct sts_call *call, struct sts_role *ret)
{
	struct slice arn;
	if (!sts_param(call, "RoleArn", &arn) ||
		!sts_param(call, "RoleSessionName", &ret->session_name))
		return false;
	if (!sts_role_parse(arn, ret))
		return sts_refuse(call, 400, "InvalidParameter.RoleArn",
			"The parameter RoleArn is wrongly formed: it is "
			"acs:ram::ACCOUNT:role/NAME, where ACCOUNT is a number.");
	if (!sts_session_name_fits(ret->session_name))
		return sts_refuse(call, 400, "InvalidParameter.RoleSessionName",
			"The parameter RoleSessionName is wrongly formed: it has 2 to 64 letters, "
			"digits, `.`, `@`, `-` and `_`.");
	return true;
}

static bool read_duration(struct sts_call *call, int64_t *ret_ms)
{
	if (sts_duration_parse(sts_optional(call, "DurationSeconds"), ret_ms))
		return true;
	return sts_refuse(call, 400, "InvalidParameter.DurationSeconds",
		"The Min/Max value of DurationSeconds is 15min/1hr.");
}

static bool read_policy(struct sts_call *call, struct slice account, struct session *session)
{
	struct slice json = sts_optional(call, "Policy");
	SCOPED_STRBUF(compact, RAM_POLICY_COMPACT_BYTES);
	SCOPED_STRBUF(reason, 512);
	session->restricted = json.ptr != NULL;
	if (!session->restricted)
		return true;
	if (json.len > LIMIT_RAM_POLICY_BYTES)
		return sts_refuse(call, 400, "InvalidParameter.PolicySize",
			"The size of Policy must not exceed %d bytes.", LIMIT_RAM_POLICY_BYTES);
	enum err e = ram_policy_parse(json, account, &compact, &reason);
	session->policy = arena_copy(call->arena, strbuf_slice(&compact));
	if (e == ERR_INVALID_POLICY)
		return sts_refuse(call, 400, "InvalidParameter.PolicyGrammar",
			"The parameter Policy has not passed grammar check. %s", reason.ptr);
	if (e != ERR_OK || !session->policy.ptr)
		return sts_refuse(call, 503, "ServiceUnavailable", "There is no memory.");
	return true;
}

/* Of whom it is known who it is. */
static void assume_role(struct pending *pending)
{
	struct sts_call *call = &pending->call;
	int64_t duration_ms = 0;
	struct sts_role role;
	struct session session = {0};
	SCOPED_STRBUF(token, LIMIT_TARGET_BYTES);
	if (!read_role(call, &role) || !read_duration(call, &duration_ms) ||
		!read_policy(call, role.account, &session))
		return;
	/* Clients are told whole seconds. */
	session.expires_ms = (pending->now_ms + duration_ms) / 1000 * 1000;
	if (keys_issue(pending->sts->keys, &pending->parent, call->arena, &session, &token) !=
		ERR_OK) {
		(void)sts_refuse(call, 503, "ServiceUnavailable", "There is no memory.");
		return;
	}
	exchange_note(call->x, "issued=%.*s", SLICE_FMT(session.id));
	sts_answer(call, &role, &session, strbuf_slice(&token));
}

/* ---- The exchange ------------------------------------------------------------------------------
 */

/* All gateways have been asked. */
static void on_marked(struct task *task)
{
	struct shared_mark *wait = CONTAINER_OF(task, struct shared_mark, done);
	struct pending *pending = CONTAINER_OF(wait, struct pending, mark);
	struct sts *sts = pending->sts;
	struct exchange *x = pending->call.x;
	if (wait->result == MARK_NEW)
		assume_role(pending);
	else if (wait->result == MARK_SET_BEFORE)
		(void)refuse_used(&pending->call);
	else
		(void)sts_refuse(&pending->call, 503, "ServiceUnavailable",
			"Whether the signature nonce was used cannot be said now.");
	strbuf_release(&pending->body);
	exchange_release(x);
	atomic_fetch_sub(&sts->waiting, 1);
}

/* The request stays until then, also if its client goes. */
static void ask_others(struct pending *pending)
{
	struct exchange *x = pending->call.x;
	pending->waits = true;
	pending->mark.home = exchange_home(x);
	pending->mark.done.run = on_marked;
	exchange_keep(x);
	atomic_fetch_add(&pending->sts->waiting, 1);
	shared_marks_set(pending->sts->marks, &pending->mark);
}

static void body(struct exchange *x, void *state, struct slice piece)
{
	struct pending *pending = state;
	if (exchange_head(x)->method == HTTP_GET)
		return; /* its parameters are in the query */
	strbuf_add_slice(&pending->body, piece);
	/* What is too long is refused at once, not when all of it has come. */
	bool begun =
		strbuf_broken(&pending->body) && sts_call_init(&pending->call, x, &pending->body);
	assert(!begun);
}

static void end(struct exchange *x, void *state)
{
	struct pending *pending = state;
	pending->now_ms = clock_wall_ms(pending->sts->clock);
	if (!sts_call_init(&pending->call, x, &pending->body) || !authenticate(pending))
		return;
	if (pending->sts->marks)
		ask_others(pending);
	else
		assume_role(pending);
}

static void gone(struct exchange *x UNUSED, void *state)
{
	struct pending *pending = state;
	/* What waits may still look into it. */
	if (!pending->waits)
		strbuf_release(&pending->body);
}

static const struct exchange_handler handler = {.body = body, .end = end, .gone = gone};

bool sts_begin(struct sts *sts, struct exchange *x)
{
	const struct request_head *head = exchange_head(x);
	bool root = slice_eq(head->path, S("/")) && query_find(exchange_query(x), S("Action"));
	if (!root && !slice_eq(head->path, S("/sts")) && !slice_eq(head->path, S("/sts/")))
		return false;
	exchange_header(x, "Cache-Control", S("no-store"));
	if (head->method != HTTP_GET && head->method != HTTP_POST) {
		exchange_header(x, "Allow", S("GET, POST"));
		exchange_send(x, 405, S(""));
		return true;
	}
	struct pending *pending = arena_alloc(exchange_arena(x), sizeof(*pending));
	if (!pending) {
		exchange_send(x, 503, S(""));
		return true;
	}
	pending->sts = sts;
	pending->waits = false;
	strbuf_init(&pending->body, LIMIT_STS_BODY_BYTES);
	exchange_attach(x, &handler, pending);
	if (head->method == HTTP_GET)
		exchange_skip_body(x);
	return true;
}

struct sts *sts_new(struct keys *keys, const struct clock *clock, struct shared_marks *marks)
{
	struct sts *sts = malloc(sizeof(*sts));
	if (!sts)
		return NULL;
	*sts = (struct sts){.keys = keys, .clock = clock, .nonces = nonces_new(), .marks = marks};
	if (sts->nonces)
		return sts;
	free(sts);
	return NULL;
}

bool sts_idle(const struct sts *sts)
{
	return atomic_load(&sts->waiting) == 0;
}

void sts_free(struct sts *sts)
{
	if (!sts)
		return;
	nonces_free(sts->nonces);
	free(sts);
}
