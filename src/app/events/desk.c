/* SPDX-License-Identifier: Apache-2.0 */
#include "app/events/desk.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/thread_queue.h"
#include "crypto/secret.h"

#define ANSWER_BYTES MIB(4)

struct desk {
	struct thread_queue *queue;
	/* ---- The thread's own. ---- */
	struct event_file *file; /* NULL: it is not open yet */
	struct ledger_place place;
};

/* ---- Rows -------------------------------------------------------------------------------------
 */

static bool copy_text(struct desk_question *q, struct slice *text)
{
	*text = arena_copy(&q->arena_, *text);
	return text->ptr;
}

static bool copy_row(struct desk_question *q, struct event_row *row)
{
	struct slice *const texts[] = {&row->event.name, &row->event.source, &row->event.type,
		&row->event.key, &row->event.data, &row->state, &row->fault};
	if (q->job == DESK_LIST)
		row->event.data = S("");
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (!copy_text(q, texts[i]))
			return false;
	return true;
}

static void add_row(void *ctx, const struct event_row *row)
{
	struct desk_question *q = ctx;
	if (q->count == q->limit) {
		q->more = true;
		return;
	}
	q->rows[q->count] = *row;
	if (copy_row(q, &q->rows[q->count]))
		q->count++;
	else
		q->err = ERR_UNAVAILABLE;
}

/* Of a list one more than was asked for is read, to know whether there are more. */
static void read_rows(struct desk *desk, struct desk_question *q)
{
	const struct event_file_query query = {.state = q->state,
		.id = q->id,
		.after = -1,
		.before = q->before,
		.limit = (int64_t)q->limit + 1,
		.row = add_row,
		.ctx = q};
	q->rows = arena_zalloc(&q->arena_, q->limit * sizeof(*q->rows));
	if (!q->rows || !event_file_read(desk->file, &query))
		q->err = ERR_UNAVAILABLE;
}

/* ---- Again ------------------------------------------------------------------------------------
 */

static void replay(struct desk *desk, struct desk_question *q)
{
	q->replay = event_file_replay(desk->file, q->id, clock_wall_ms(&clock_system));
	if (q->replay == EVENT_FAULT)
		q->err = ERR_UNAVAILABLE;
	else
		read_rows(desk, q);
}

/* What dies again meanwhile is behind it. */
static void replay_dead(struct desk *desk, struct desk_question *q)
{
	int64_t after = 0;
	size_t count;
	do {
		if (!event_file_replay_dead(
			    desk->file, &after, clock_wall_ms(&clock_system), &count))
			q->err = ERR_UNAVAILABLE;
		q->replayed += count;
	} while (count > 0);
}

/* ---- The thread -------------------------------------------------------------------------------
 */

static void work(struct task *task)
{
	struct desk_question *q = CONTAINER_OF(task, struct desk_question, work_);
	struct desk *desk = q->desk_;
	if (!desk->file && !event_file_open(&desk->place, &desk->file))
		q->err = ERR_UNAVAILABLE;
	else if (q->job == DESK_REPLAY_DEAD)
		replay_dead(desk, q);
	else if (q->job == DESK_REPLAY)
		replay(desk, q);
	else
		read_rows(desk, q);
	executor_post(q->home, &q->done);
}

/* False without memory. */
static bool copy(const char *text, const char **ret)
{
	*ret = text ? strdup(text) : NULL;
	return !text || *ret;
}

static bool copy_place(struct desk *desk, const struct ledger_place *place)
{
	return copy(place->path, &desk->place.path) && copy(place->url, &desk->place.url) &&
	       copy(place->password, &desk->place.password);
}

static void drop(const char *text)
{
	if (text)
		secret_wipe((char *)(uintptr_t)text, strlen(text));
	free((void *)(uintptr_t)text);
}

enum err desk_new(const struct ledger_place *place, struct desk **ret)
{
	const struct thread_queue_options options = {
		.name = "events-desk", .duty = place->url ? THREAD_SERVERS : THREAD_DISK};
	struct desk *desk = calloc(1, sizeof(*desk));
	if (!desk)
		return ERR_UNAVAILABLE;
	enum err e = copy_place(desk, place) ? thread_queue_new(&options, &desk->queue)
					     : ERR_UNAVAILABLE;
	if (e)
		desk_free(desk);
	else
		*ret = desk;
	return e;
}

void desk_free(struct desk *desk)
{
	if (!desk)
		return;
	thread_queue_free(desk->queue);
	event_file_close(desk->file);
	drop(desk->place.path);
	drop(desk->place.url);
	drop(desk->place.password);
	free(desk);
}

void desk_ask(struct desk *desk, struct desk_question *question)
{
	question->err = ERR_OK;
	question->desk_ = desk;
	question->limit = question->job == DESK_LIST ? question->limit : 1;
	question->work_.run = work;
	arena_init(&question->arena_, NULL, 0, ANSWER_BYTES);
	thread_queue_add(desk->queue, &question->work_);
}

void desk_question_release(struct desk_question *question)
{
	if (question->desk_)
		arena_reset(&question->arena_);
}
