/* SPDX-License-Identifier: Apache-2.0 */
#include "console/events.h"

#include <inttypes.h>

#include "app/events/cloud_event.h"
#include "app/events/desk.h"
#include "base/limits.h"
#include "console/json_answer.h"
#include "ops/arguments/params.h"
#include "ops/respond.h"
#include "oss/text/iso8601.h"

#define FOLDER "/events/"

struct events_state {
	struct request *r;
	struct desk_question question;
};

/* ---- Rows as JSON -----------------------------------------------------------------------------
 */

static json_t *id_text(int64_t id)
{
	return json_sprintf("%" PRId64, id);
}

/* Empty: at no time. */
static json_t *time_text(int64_t time_ms)
{
	SCOPED_STRBUF(text, 64);
	if (time_ms > 0)
		iso8601_add(&text, time_ms);
	return json_text(strbuf_slice(&text));
}

static json_t *type_text(struct slice type)
{
	return json_sprintf("postern.%.*s", SLICE_FMT(type));
}

static json_t *row_json(const struct event_row *row)
{
	const struct ledger_event *event = &row->event;
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:o}", "id",
		id_text(event->id), "type", type_text(event->type), "subject",
		json_text(event->key), "time", time_text(event->created_ms), "state",
		json_text(row->state), "tries", (json_int_t)event->tries, "fault",
		json_text(row->fault), "since", time_text(event->since_ms), "due",
		time_text(row->due_ms), "ended", time_text(row->ended_ms));
}

/* With what is sent. */
static json_t *whole_json(const struct event_row *row)
{
	SCOPED_STRBUF(event, cloud_event_bytes(&row->event));
	cloud_event_add(&event, &row->event);
	json_t *root = strbuf_broken(&event) ? NULL : row_json(row);
	if (root && json_object_set_new(root, "event", json_text(strbuf_slice(&event))) == 0)
		return root;
	json_decref(root);
	return NULL;
}

/* ---- Asking -----------------------------------------------------------------------------------
 */

static void ask(struct request *r, const struct desk_question *question)
{
	struct events_state *state = r->state;
	state->r = r;
	state->question = *question;
	state->question.home = r->home;
	request_hold(r);
	/* It is the console's, which is const to those who serve it. */
	desk_ask((struct desk *)(uintptr_t)r->ctx, &state->question);
}

static struct events_state *asked(struct task *task)
{
	struct desk_question *question = CONTAINER_OF(task, struct desk_question, done);
	return CONTAINER_OF(question, struct events_state, question);
}

static json_t *list_json(const struct desk_question *question)
{
	json_t *list = json_array();
	for (size_t i = 0; i < question->count; i++)
		(void)json_array_append_new(list, row_json(&question->rows[i]));
	bool more = question->more && question->count > 0;
	return json_pack("{s:o, s:o}", "events", list, "next",
		more ? id_text(question->rows[question->count - 1].event.id) : json_string(""));
}

static void on_answer(struct task *task)
{
	struct events_state *state = asked(task);
	const struct desk_question *question = &state->question;
	struct request *r = state->r;
	if (question->err)
		respond_error_text(r, question->err, "The ledger cannot be read or written.");
	else if (question->job == DESK_REPLAY_DEAD)
		json_answer(r, json_pack("{s:I}", "replayed", (json_int_t)question->replayed));
	else if (question->job == DESK_LIST)
		json_answer(r, list_json(question));
	else if (question->count == 0)
		respond_error(r, ERR_NO_SUCH_EVENT);
	else
		json_answer(r, whole_json(&question->rows[0]));
	request_release(r);
}

/* ---- The operations ---------------------------------------------------------------------------
 */

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

static bool state_param(struct request *r, const char **ret)
{
	static const char *const states[] = {"waiting", "delivered", "dead", "kept"};
	struct slice text = request_param(r, S("state"));
	*ret = NULL;
	for (size_t i = 0; i < ARRAY_LEN(states); i++)
		if (slice_eq(text, slice_str(states[i])))
			*ret = states[i];
	return !text.len || *ret ||
	       respond_bad_argument(
		       r, "state", text, "state must be waiting, delivered, dead or kept.");
}

static void begin_list(struct request *r)
{
	uint64_t after, limit;
	const char *state;
	if (!number_param(r, "after", INT64_MAX, 0, &after) ||
		!number_param(r, "limit", LIMIT_EVENTS_PAGE, 50, &limit) || !state_param(r, &state))
		return;
	ask(r, &(const struct desk_question){.job = DESK_LIST,
		       .state = state,
		       .before = (int64_t)after,
		       .limit = limit,
		       .done.run = on_answer});
}

/* Asks about the event with the id in the path. */
static void ask_one(struct request *r, enum desk_job job)
{
	struct slice rest = slice_from(r->head->path, strlen(FOLDER));
	struct slice text;
	uint64_t id;
	(void)slice_cut(&rest, '/', &text);
	if (!slice_to_u64(text, &id) || id < 1 || id > INT64_MAX) {
		respond_error(r, ERR_NO_SUCH_EVENT);
		return;
	}
	ask(r, &(const struct desk_question){.job = job, .id = (int64_t)id, .done.run = on_answer});
}

static void begin_get(struct request *r)
{
	ask_one(r, DESK_GET);
}

static void begin_replay(struct request *r)
{
	ask_one(r, DESK_REPLAY);
}

static void begin_replay_all(struct request *r)
{
	ask(r, &(const struct desk_question){.job = DESK_REPLAY_DEAD, .done.run = on_answer});
}

static void release(struct request *r)
{
	struct events_state *state = r->state;
	desk_question_release(&state->question);
}

#define EVENTS_OP                                                             \
	.level = OP_SERVICE, .access = OP_ACCESS_OWNER, .body = OP_BODY_NONE, \
	.state_size = sizeof(struct events_state), .release = release

const struct op op_list_events = {
	.name = "ListEvents",
	.method = HTTP_GET,
	.action = "postern:ListEvents",
	.begin = begin_list,
	EVENTS_OP,
};

const struct op op_get_event = {
	.name = "GetEvent",
	.method = HTTP_GET,
	.action = "postern:GetEvent",
	.begin = begin_get,
	EVENTS_OP,
};

const struct op op_replay_event = {
	.name = "ReplayEvent",
	.method = HTTP_POST,
	.action = "postern:ReplayEvent",
	.begin = begin_replay,
	EVENTS_OP,
};

const struct op op_replay_events = {
	.name = "ReplayEvents",
	.method = HTTP_POST,
	.action = "postern:ReplayEvents",
	.begin = begin_replay_all,
	EVENTS_OP,
};
