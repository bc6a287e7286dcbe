/* SPDX-License-Identifier: Apache-2.0 */
#include "console/callbacks.h"

#include <inttypes.h>

#include "base/limits.h"
#include "callback/history.h"
#include "console/json_answer.h"
#include "ops/arguments/params.h"
#include "ops/respond.h"
#include "oss/text/iso8601.h"

#define FOLDER "/callbacks/"

struct callbacks {
	struct request *r;
	struct callback_history_query query;
	/* Of what is sent again; the record it comes from is the query's. */
	struct callback_params *params;
	struct callback_job job;
};

/* ---- Records as JSON --------------------------------------------------------------------------
 */

static json_t *id_text(int64_t id)
{
	return json_sprintf("%" PRId64, id);
}

static json_t *time_text(int64_t time_ms)
{
	SCOPED_STRBUF(text, 64);
	iso8601_add(&text, time_ms);
	return json_text(strbuf_slice(&text));
}

/* The URLs of the record, and what came of those that were tried. */
static void add_urls(const struct callback_record *record, json_t *urls, json_t *tries)
{
	struct slice rest = record->urls;
	struct slice url;
	for (size_t i = 0; rest.len; i++) {
		(void)slice_cut(&rest, ';', &url);
		(void)json_array_append_new(urls, json_text(url));
		if (i >= record->try_count)
			continue;
		const struct callback_try *one = &record->tries[i];
		(void)json_array_append_new(
			tries, json_pack("{s:o, s:i, s:I, s:o}", "url", json_text(url), "status",
				       one->status, "ms", (json_int_t)one->ms, "error",
				       json_text(slice_str(one->error))));
	}
}

static json_t *record_json(const struct callback_record *record)
{
	json_t *urls = json_array();
	json_t *tries = json_array();
	add_urls(record, urls, tries);
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:b, s:o, s:b, s:b}", "id",
		id_text(record->id), "time", time_text(record->time_ms), "bucket",
		json_text(record->bucket), "object", json_text(record->object), "event",
		json_text(record->event), "size", (json_int_t)record->size, "urls", urls, "tries",
		tries, "ok", record->ok, "answer", json_text(record->answer), "answer_truncated",
		record->answer_truncated, "sendable", record->sendable);
}

/* ---- Asking -----------------------------------------------------------------------------------
 */

/* The log is asked for `limit` records below `before`; then `done`, which releases the request. */
static void ask(struct request *r, int64_t before, size_t limit, void (*done)(struct task *task))
{
	struct callbacks *state = r->state;
	struct callback_history *log = ops_options(r->ops)->callback_history;
	if (!log) {
		respond_error_text(r, ERR_UNAVAILABLE, "The log of callbacks cannot be opened.");
		return;
	}
	state->r = r;
	state->query = (struct callback_history_query){
		.before = before, .limit = limit, .home = r->home, .done.run = done};
	request_hold(r);
	callback_history_ask(log, &state->query);
}

static struct callbacks *asked(struct task *task)
{
	struct callback_history_query *query =
		CONTAINER_OF(task, struct callback_history_query, done);
	return CONTAINER_OF(query, struct callbacks, query);
}

static void on_listed(struct task *task)
{
	struct callbacks *state = asked(task);
	struct request *r = state->r;
	json_t *list = json_array();
	int64_t last = 0;
	for (const struct callback_record *record = state->query.records; record;
		record = record->next) {
		(void)json_array_append_new(list, record_json(record));
		last = record->id;
	}
	json_t *root = json_pack("{s:o, s:o}", "callbacks", list, "next",
		state->query.more ? id_text(last) : json_string(""));
	if (state->query.err == ERR_OK) {
		json_answer(r, root);
	} else {
		json_decref(root);
		respond_error(r, state->query.err);
	}
	request_release(r);
}

static bool number_param(
	struct request *r, const char *name, uint64_t max, uint64_t fallback, uint64_t *ret)
{
	struct slice text = request_param(r, slice_str(name));
	*ret = fallback;
	if (!text.len || (slice_to_u64(text, ret) && *ret >= 1 && *ret <= max))
		return true;
	SCOPED_STRBUF(why, 128);
	strbuf_addf(&why, "%s must be an integer from 1 to %" PRIu64 ".", name, max);
	return respond_bad_argument(r, name, text, why.ptr);
}

static void begin_list(struct request *r)
{
	uint64_t after, limit;
	if (number_param(r, "after", INT64_MAX, 0, &after) &&
		number_param(r, "limit", LIMIT_CALLBACK_HISTORY_PAGE, 50, &limit))
		ask(r, (int64_t)after, limit, on_listed);
}

/* ---- One of them ------------------------------------------------------------------------------
 */

/* The record that the path names, or NULL: it has been answered. */
static struct callback_record *found(struct callbacks *state, int64_t id)
{
	struct callback_record *record = state->query.records;
	if (record && record->id == id)
		return record;
	respond_error(
		state->r, state->query.err == ERR_OK ? ERR_NO_SUCH_CALLBACK : state->query.err);
	return NULL;
}

static void on_got(struct task *task)
{
	struct callbacks *state = asked(task);
	struct callback_record *record = found(state, state->query.before - 1);
	if (record)
		json_answer(state->r, record_json(record));
	request_release(state->r);
}

/* Asks for the record with the id in the path. */
static void ask_one(struct request *r, void (*done)(struct task *task))
{
	struct slice rest = slice_from(r->head->path, strlen(FOLDER));
	struct slice text;
	uint64_t id;
	(void)slice_cut(&rest, '/', &text);
	if (slice_to_u64(text, &id) && id >= 1 && id < INT64_MAX)
		ask(r, (int64_t)id + 1, 1, done);
	else
		respond_error(r, ERR_NO_SUCH_CALLBACK);
}

static void begin_get(struct request *r)
{
	ask_one(r, on_got);
}

/* ---- Again ------------------------------------------------------------------------------------
 */

static void on_sent(struct task *task)
{
	struct callback_job *job = CONTAINER_OF(task, struct callback_job, done);
	struct callbacks *state = CONTAINER_OF(job, struct callbacks, job);
	struct request *r = state->r;
	ops_count_callback(r->ops, job->result == ERR_OK);
	callback_history_query_release(&state->query);
	if (job->log_id)
		ask(r, job->log_id + 1, 1, on_got);
	else
		respond_error(r, ERR_UNAVAILABLE);
	request_release(r);
}

static enum err prepare(struct callbacks *state, const struct callback_record *record)
{
	struct callback_sender *sender = ops_options(state->r->ops)->callbacks;
	enum err e = callback_record_params(record, &state->params);
	if (e == ERR_OK && !callback_targets_allowed(sender, state->params))
		return ERR_CALLBACK_PRIVATE_ADDRESS;
	return e;
}

static void send_again(struct callbacks *state, const struct callback_record *record)
{
	struct request *r = state->r;
	state->job = (struct callback_job){
		.params = state->params,
		.body = record->body,
		.request_id = record->request_id,
		.bucket = record->bucket,
		.owner = record->owner,
		.requester = record->requester,
		.object = record->object,
		.event = record->event,
		.size = record->size,
		.home = r->home,
		.done.run = on_sent,
	};
	request_hold(r);
	callback_send(ops_options(r->ops)->callbacks, &state->job);
}

static void on_found_to_send(struct task *task)
{
	struct callbacks *state = asked(task);
	struct request *r = state->r;
	struct callback_record *record = found(state, state->query.before - 1);
	enum err e = record ? prepare(state, record) : ERR_OK;
	if (record && e == ERR_OK)
		send_again(state, record);
	else if (e == ERR_CALLBACK_TOO_LONG)
		respond_error_text(r, e, "The message was too long to be kept.");
	else if (e != ERR_OK)
		respond_error(r, e);
	request_release(r);
}

static void begin_send(struct request *r)
{
	ask_one(r, on_found_to_send);
}

static void release(struct request *r)
{
	struct callbacks *state = r->state;
	if (state->job.params)
		callback_job_release(&state->job);
	callback_params_free(state->params);
	callback_history_query_release(&state->query);
}

const struct op op_list_callbacks = {
	.name = "ListCallbacks",
	.method = HTTP_GET,
	.level = OP_SERVICE,
	.access = OP_ACCESS_OWNER,
	.action = "postern:ListCallbacks",
	.body = OP_BODY_NONE,
	.state_size = sizeof(struct callbacks),
	.begin = begin_list,
	.release = release,
};

const struct op op_get_callback = {
	.name = "GetCallback",
	.method = HTTP_GET,
	.level = OP_SERVICE,
	.access = OP_ACCESS_OWNER,
	.action = "postern:GetCallback",
	.body = OP_BODY_NONE,
	.state_size = sizeof(struct callbacks),
	.begin = begin_get,
	.release = release,
};

const struct op op_send_callback = {
	.name = "SendCallback",
	.method = HTTP_POST,
	.level = OP_SERVICE,
	.access = OP_ACCESS_OWNER,
	.action = "postern:SendCallback",
	.body = OP_BODY_NONE,
	.state_size = sizeof(struct callbacks),
	.begin = begin_send,
	.release = release,
};
