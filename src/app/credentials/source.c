/* SPDX-License-Identifier: Apache-2.0 */
#include "app/credentials/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <unistd.h>

#include "app/credentials/credential_json.h"
#include "base/log.h"
#include "crypto/secret.h"
#include "net/outgoing_wait.h"

bool source_fail(struct source_call *call, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	strbuf_vaddf(&call->fault, fmt, ap);
	va_end(ap);
	return false;
}

/* ---- Files ------------------------------------------------------------------------------------
 */

static bool read_whole(int fd, struct strbuf *out)
{
	char piece[4096];
	ssize_t n = 1;
	while (n != 0 && !strbuf_broken(out)) {
		n = read(fd, piece, sizeof(piece));
		if (n < 0 && errno != EINTR)
			break;
		strbuf_add(out, piece, n > 0 ? (size_t)n : 0);
	}
	secret_wipe(piece, sizeof(piece));
	return n == 0;
}

bool source_read(struct source_call *call, const char *path, struct strbuf *out)
{
	SCOPED_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || !read_whole(fd, out))
		return source_fail(call, "%s cannot be read: %s", path,
			strbuf_broken(out) ? "it is too long" : strerror(errno));
	while (out->len > 0 && (out->ptr[out->len - 1] == '\n' || out->ptr[out->len - 1] == '\r'))
		strbuf_truncate(out, out->len - 1);
	return out->len > 0 || source_fail(call, "%s is empty", path);
}

/* ---- Other servers ----------------------------------------------------------------------------
 */

bool source_ask(struct source_call *call, const char *whom, struct outgoing_request *r)
{
	SCOPED_STRBUF(said, KIB(1));
	char quoted[512];
	r->class = OUTGOING_KEY;
	r->flags |= OUTGOING_SNI | OUTGOING_ANY_ADDRESS; /* it stands in the configuration */
	r->timeout_ms = LIMIT_CREDENTIALS_MS;
	r->max_answer_bytes = LIMIT_CREDENTIALS_BYTES;
	strbuf_init(&r->answer, 0);
	strbuf_init(&r->answer_headers, 0);
	outgoing_wait(call->outgoing, r);
	if (r->kind != OUTGOING_ANSWERED)
		return source_fail(call, "%s at %s: %s", whom, r->url,
			r->fault ? r->fault : "no reason is known");
	if (r->status == 200)
		return true;
	credential_json_fault(strbuf_slice(&r->answer), &said);
	return source_fail(call, "%s at %s answered %d%s%s", whom, r->url, r->status,
		said.len > 0 ? " " : "",
		said.len > 0 ? log_quoted(strbuf_slice(&said), quoted, sizeof(quoted)) : "");
}

void source_release(struct outgoing_request *r)
{
	secret_wipe(r->answer.ptr, r->answer.len);
	outgoing_request_release(r);
}

/* ---- What came --------------------------------------------------------------------------------
 */

bool source_parse(struct source_call *call, const char *what, struct slice json)
{
	const char *fault = credential_json_parse(json, call->arena, &call->values);
	return !fault || source_fail(call, "what %s has is not what is needed: %s", what, fault);
}

static bool is_plain(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] <= ' ' || text.ptr[i] > '~')
			return false;
	return true;
}

/* They go into headers, fields and URLs. A pair of the configuration was looked at before. */
static bool check(struct source_call *call)
{
	const struct credential_values *v = &call->values;
	bool given = v->secret.ptr == call->pair->secret.ptr;
	if (v->id.len == 0 || v->secret.len == 0)
		return source_fail(call, "there is no id, or no secret");
	if (!given && (!is_plain(v->id) || !is_plain(v->secret) || !is_plain(v->token)))
		return source_fail(call, "id, secret or token have characters that none has");
	if (v->token.len > LIMIT_SECURITY_TOKEN_BYTES)
		return source_fail(call, "the security token is too long");
	if (v->expires <= clock_wall_ms(call->clock) / 1000)
		return source_fail(call, "what came has expired already");
	return true;
}

bool source_fetch(struct source_call *call)
{
	bool ok = false;
	call->values = *call->pair;
	switch (call->options->source) {
	case APP_CREDENTIALS_FIXED:
	case APP_CREDENTIALS_ENVIRONMENT:
		ok = true;
		break;
	case APP_CREDENTIALS_FILE:
		ok = source_file(call);
		break;
	case APP_CREDENTIALS_STS:
		ok = source_sts(call);
		break;
	case APP_CREDENTIALS_ECS:
		ok = source_ecs(call);
		break;
	case APP_CREDENTIALS_OIDC:
		ok = source_oidc(call);
		break;
	}
	return ok && check(call);
}
