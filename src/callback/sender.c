/* SPDX-License-Identifier: Apache-2.0 */
#include "callback/sender.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/encode.h"
#include "base/limits.h"
#include "base/thread_queue.h"
#include "callback/history.h"
#include "callback/key.h"
#include "crypto/digest.h"
#include "http/date.h"
#include "net/address.h"
#include "oss/callback/callback_message.h"
#include "oss/callback/callback_params.h"
#include "oss/callback/callback_signature.h"

#define HEADERS_MAX 16
#define HEADER_BYTES_MAX KIB(16)
#define KEY_URL_BYTES_MAX KIB(2)

struct callback_sender {
	struct callback_sender_options options;
	struct strbuf key_url; /* in base64 */
	struct thread_queue *queue;
};

/* The headers of a request to one URL: NUL-terminated lines, one behind the other. */
struct callback_attempt {
	struct strbuf text;
	const char *lines[HEADERS_MAX];
	char *host;
};

static void attempt_free(struct callback_attempt *attempt)
{
	if (!attempt)
		return;
	strbuf_release(&attempt->text);
	free(attempt->host);
	free(attempt);
}

/* ---- The request (spec: callback sections 5 and 6) --------------------------------------------
 */

static void add_line(struct strbuf *text, const char *name, struct slice value)
{
	/* libcurl's notation for a header without a value. */
	strbuf_addf(text, value.len > 0 ? "%s: " : "%s;", name);
	strbuf_add_slice(text, value);
	strbuf_addc(text, '\0');
}

static void add_content_md5(struct strbuf *text, struct slice body)
{
	uint8_t md5[MD5_BYTES];
	SCOPED_STRBUF(value, 32);
	md5_of(body, md5);
	base64_encode(&value, slice_of(md5, sizeof(md5)));
	add_line(text, "Content-MD5", strbuf_slice(&value));
}

static enum err add_authorization(
	const struct callback_job *job, const struct callback_url *url, struct strbuf *text)
{
	SCOPED_STRBUF(value, KIB(2));
	enum err e = callback_sign(
		callback_key_rsa(job->sender_->options.key), url->target, job->body, &value);
	if (!e)
		add_line(text, "Authorization", strbuf_slice(&value));
	return e;
}

static enum err add_headers(
	const struct callback_job *job, const struct callback_url *url, struct strbuf *text)
{
	const struct callback_sender *sender = job->sender_;
	char date[DATE_SIZE];
	date_format(clock_wall_ms(sender->options.clock) / 1000, date);
	add_line(text, "User-Agent", S("aliyun-oss-callback"));
	add_line(text, "Date", slice_str(date));
	add_line(text, "Content-Type", slice_str(callback_content_type(job->params->body_type)));
	add_content_md5(text, job->body);
	add_line(text, "x-oss-pub-key-url", strbuf_slice(&sender->key_url));
	add_line(text, "x-oss-request-id", job->request_id);
	add_line(text, "x-oss-bucket", job->bucket);
	add_line(text, "x-oss-owner", job->owner);
	add_line(text, "x-oss-requester", job->requester);
	add_line(text, "x-oss-signature-version", S("1.0"));
	add_line(text, "x-oss-tag", S("CALLBACK"));
	add_line(text, "x-oss-additional-headers", S(""));
	if (job->trace.len > 0)
		add_line(text, "traceparent", job->trace);
	return add_authorization(job, url, text);
}

static size_t list_lines(struct callback_attempt *attempt)
{
	size_t count = 0;
	const char *at = attempt->text.ptr;
	const char *end = at + attempt->text.len;
	for (; at < end && count < HEADERS_MAX; at += strlen(at) + 1)
		attempt->lines[count++] = at;
	return count;
}

static enum err attempt_new(
	const struct callback_job *job, size_t *ret_count, struct callback_attempt **ret)
{
	const struct callback_params *params = job->params;
	struct callback_attempt *attempt = calloc(1, sizeof(*attempt));
	if (!attempt)
		return ERR_UNAVAILABLE;
	strbuf_init(&attempt->text, HEADER_BYTES_MAX);
	enum err e = add_headers(job, &params->urls[job->url_], &attempt->text);
	if (!e && params->host.len > 0) {
		attempt->host = strndup(params->host.ptr, params->host.len);
		e = attempt->host ? ERR_OK : ERR_UNAVAILABLE;
	}
	if (!e && strbuf_broken(&attempt->text))
		e = ERR_UNAVAILABLE;
	if (e) {
		attempt_free(attempt);
		return e;
	}
	*ret_count = list_lines(attempt);
	*ret = attempt;
	return ERR_OK;
}

/* ---- The answer (spec: callback sections 7 and 8) ---------------------------------------------
 */

static void PRINTF_LIKE(3, 4)
	refuse(struct callback_job *job, enum err result, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(job->message, sizeof(job->message), fmt, ap);
	va_end(ap);
	job->result = result;
}

static bool is_json(struct slice text)
{
	/* Integers as reals: one that fits no machine word is JSON all the same. */
	json_t *value = json_loadb(text.ptr, text.len,
		JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL);
	json_decref(value);
	return value != NULL;
}

static bool is_xml(const char *content_type)
{
	struct slice rest = slice_str(content_type), type;
	(void)slice_cut(&rest, ';', &type);
	return slice_eq_nocase(slice_trim(type), S("application/xml"));
}

static void judge_answer(struct callback_job *job)
{
	const struct outgoing_request *request = &job->request_;
	struct slice answer = strbuf_slice(&request->answer);
	if (!request->has_content_length) {
		refuse(job, ERR_CALLBACK_FAILED,
			"Error Status : 400.User server missing content-length");
		return;
	}
	if (!is_xml(request->content_type) && !is_json(answer)) {
		refuse(job, ERR_CALLBACK_NOT_JSON, "Response body is not valid json format.");
		return;
	}
	job->result = ERR_OK;
	job->message[0] = '\0';
	job->answer = answer;
	job->content_type = slice_str(request->content_type);
}

static void judge_timeout(struct callback_job *job)
{
	long timeout_ms = (long)job->request_.timeout_ms;
	long cost_ms = (long)(clock_monotonic_ms() - job->sent_ms_);
	refuse(job, ERR_CALLBACK_TIMEOUT, "Callback reply timeout, cost:%ldms, timeout:%ldms.",
		cost_ms > timeout_ms ? cost_ms : timeout_ms, timeout_ms);
}

static void judge(struct callback_job *job)
{
	const struct outgoing_request *request = &job->request_;
	/* Whatever else is wrong with an answer, its status says more. */
	bool answered = request->kind == OUTGOING_ANSWERED || request->kind == OUTGOING_TOO_LONG ||
			request->kind == OUTGOING_BAD_LENGTH;
	if (answered && request->status != 200) {
		refuse(job, ERR_CALLBACK_FAILED, "Error status : %d.", request->status);
		return;
	}
	switch (request->kind) {
	case OUTGOING_ANSWERED:
		judge_answer(job);
		return;
	case OUTGOING_TIMED_OUT:
		judge_timeout(job);
		return;
	case OUTGOING_TOO_LONG:
		refuse(job, ERR_CALLBACK_FAILED,
			"Error Status : 400.User server return too long content-length value");
		return;
	case OUTGOING_BAD_LENGTH: /* the spelling is OSS's */
		refuse(job, ERR_CALLBACK_FAILED,
			"Error Status : 400.User server return invalid conent-length value");
		return;
	case OUTGOING_UNRESOLVED:
	case OUTGOING_REFUSED:
	case OUTGOING_BAD_REQUEST:
		refuse(job, ERR_CALLBACK_FAILED,
			"Error status : -1. OSS can not connect to your callbackUrl, please check "
			"it.");
		return;
	case OUTGOING_BUSY:
		refuse(job, ERR_CALLBACK_FAILED, "Too many callback requests.");
		return;
	case OUTGOING_UNREACHABLE:
	case OUTGOING_STOPPED:
		refuse(job, ERR_CALLBACK_FAILED, "Error status : 502.");
		return;
	}
}

/* ---- On the sender's thread -------------------------------------------------------------------
 */

static void on_answer(struct task *task);

/* Without a log, or memory for it, the callback goes out all the same. */
static void begin_record(struct callback_job *job)
{
	const struct callback_sender_options *options = &job->sender_->options;
	struct callback_record *record = options->log ? callback_record_new() : NULL;
	job->record_ = record;
	if (!record)
		return;
	record->time_ms = clock_wall_ms(options->clock);
	record->bucket = arena_copy(&record->arena, job->bucket);
	record->object = arena_copy(&record->arena, job->object);
	record->event = arena_copy(&record->arena, job->event);
	record->size = job->size;
	record->request_id = arena_copy(&record->arena, job->request_id);
	record->owner = arena_copy(&record->arena, job->owner);
	record->requester = arena_copy(&record->arena, job->requester);
	callback_record_message(record, job->params, job->body);
}

/* Why a URL failed: a fault of the network says more than what OSS makes of it. */
static const char *error_of(const struct callback_job *job)
{
	const struct outgoing_request *request = &job->request_;
	if (job->result == ERR_OK)
		return "";
	return request->kind != OUTGOING_ANSWERED && request->status == 0 && request->fault
		       ? request->fault
		       : job->message;
}

static void record_try(struct callback_job *job)
{
	const struct outgoing_request *request = &job->request_;
	struct callback_record *record = job->record_;
	if (!record || record->try_count == ARRAY_LEN(record->tries))
		return;
	struct callback_try *one = &record->tries[record->try_count++];
	one->status = request->status;
	one->ms = clock_monotonic_ms() - job->sent_ms_;
	(void)snprintf(one->error, sizeof(one->error), "%s", error_of(job));
	callback_record_answer(record, strbuf_slice(&request->answer));
	record->answer_truncated |= request->kind == OUTGOING_TOO_LONG;
	record->ok = job->result == ERR_OK;
}

static void end_job(struct callback_job *job)
{
	if (job->record_)
		job->log_id = callback_history_add(job->sender_->options.log, TAKE(job->record_));
	executor_post(job->home, &job->done);
}

/* Whether the URL is one of this process. */
static bool is_own(const struct callback_sender_options *options, const struct callback_url *url)
{
	return url->tls && options->own_authority.len > 0 &&
	       slice_eq_nocase(url->authority, options->own_authority);
}

static void start_attempt(struct callback_job *job)
{
	const struct callback_sender_options *options = &job->sender_->options;
	const struct callback_params *params = job->params;
	size_t header_count;
	if (attempt_new(job, &header_count, &job->attempt_) != ERR_OK) {
		refuse(job, ERR_CALLBACK_FAILED, "Error status : 502.");
		end_job(job);
		return;
	}
	job->request_ = (struct outgoing_request){
		.class = OUTGOING_CALLBACK,
		.requester = job->requester,
		.url = params->urls[job->url_].text.ptr,
		.method = OUTGOING_POST,
		.body = job->body,
		.headers = job->attempt_->lines,
		.header_count = header_count,
		.host = job->attempt_->host,
		.timeout_ms = options->timeout_ms,
		.max_answer_bytes = LIMIT_CALLBACK_ANSWER_BYTES,
		.allow = options->allow,
		.flags = (params->sni ? OUTGOING_SNI : 0) |
			 (is_own(options, &params->urls[job->url_]) ? OUTGOING_ANY_CERTIFICATE : 0),
		.home = thread_queue_executor(job->sender_->queue),
		.done.run = on_answer,
	};
	job->sent_ms_ = clock_monotonic_ms();
	outgoing_send(options->outgoing, &job->request_);
}

static void on_answer(struct task *task)
{
	struct outgoing_request *request = CONTAINER_OF(task, struct outgoing_request, done);
	struct callback_job *job = CONTAINER_OF(request, struct callback_job, request_);
	attempt_free(TAKE(job->attempt_));
	judge(job);
	record_try(job);
	if (job->result != ERR_OK) {
		outgoing_request_release(request);
		if (++job->url_ < job->params->url_count) {
			start_attempt(job);
			return;
		}
	}
	end_job(job);
}

static void on_start(struct task *task)
{
	struct callback_job *job = CONTAINER_OF(task, struct callback_job, start_);
	begin_record(job);
	start_attempt(job);
}

/* ---- From any thread --------------------------------------------------------------------------
 */

enum err callback_sender_new(
	const struct callback_sender_options *options, struct callback_sender **ret)
{
	struct callback_sender *sender = calloc(1, sizeof(*sender));
	if (!sender)
		return ERR_UNAVAILABLE;
	sender->options = *options;
	if (sender->options.timeout_ms == 0)
		sender->options.timeout_ms = LIMIT_CALLBACK_MS;
	strbuf_init(&sender->key_url, KEY_URL_BYTES_MAX);
	enum err e = thread_queue_new(
		&(struct thread_queue_options){.name = "callbacks", .duty = THREAD_DISK},
		&sender->queue);
	if (e) {
		callback_sender_free(sender);
		return e;
	}
	*ret = sender;
	return ERR_OK;
}

enum err callback_sender_set_key_url(struct callback_sender *sender, struct slice url)
{
	strbuf_clear(&sender->key_url);
	base64_encode(&sender->key_url, url);
	return strbuf_broken(&sender->key_url) ? ERR_UNAVAILABLE : ERR_OK;
}

bool callback_targets_allowed(
	const struct callback_sender *sender, const struct callback_params *params)
{
	for (size_t i = 0; i < params->url_count; i++)
		if (address_literal_refused(
			    params->urls[i].host, params->urls[i].port, sender->options.allow))
			return false;
	return true;
}

void callback_send(struct callback_sender *sender, struct callback_job *job)
{
	job->sender_ = sender;
	job->start_.run = on_start;
	thread_queue_add(sender->queue, &job->start_);
}

void callback_job_release(struct callback_job *job)
{
	outgoing_request_release(&job->request_);
}

void callback_sender_free(struct callback_sender *sender)
{
	if (!sender)
		return;
	thread_queue_free(sender->queue);
	strbuf_release(&sender->key_url);
	free(sender);
}
