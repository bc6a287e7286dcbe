/* SPDX-License-Identifier: Apache-2.0 */
#include "callback/history.h"

#include "base/log.h"
#include "callback/history_internal.h"

/* ---- On its thread --------------------------------------------------------------------------- */

/* Says once what is wrong, until it is right again. */
static void report_fault(struct callback_history *history)
{
	if (!history->failing)
		log_error("callback history: %s; callbacks are sent but not kept",
			history->ops->fault(history));
	history->failing = true;
}

static void on_record(struct task *task)
{
	struct callback_record *record = CONTAINER_OF(task, struct callback_record, insert_);
	struct callback_history *history = record->log_;
	if (history->batch == BATCH_NONE)
		history->batch = history->ops->begin(history) ? BATCH_OPEN : BATCH_FAILED;
	if (history->batch == BATCH_OPEN && !history->ops->write(history, record))
		history->batch = BATCH_FAILED;
	if (history->batch == BATCH_FAILED)
		report_fault(history);
	callback_record_free(record);
	atomic_fetch_sub_explicit(&history->waiting, 1, memory_order_relaxed);
}

static void on_batch(struct task *list, void *state)
{
	struct callback_history *history = state;
	thread_queue_run(list);
	bool written = history->batch == BATCH_OPEN && history->ops->commit(history);
	if (written)
		history->failing = false;
	else if (history->batch == BATCH_OPEN)
		report_fault(history);
	if (!written)
		history->ops->end(history);
	history->batch = BATCH_NONE;
}

static void on_query(struct task *task)
{
	struct callback_history_query *query =
		CONTAINER_OF(task, struct callback_history_query, start_);
	query->err = query->log_->ops->read(query->log_, query);
	executor_post(query->home, &query->done);
}

/* ---- From any thread --------------------------------------------------------------------------
 */

int64_t callback_history_add(struct callback_history *history, struct callback_record *record)
{
	int64_t id = history->ops->next_id(history);
	if (atomic_fetch_add_explicit(&history->waiting, 1, memory_order_relaxed) >=
		LIMIT_CALLBACK_HISTORY_QUEUE) {
		atomic_fetch_sub_explicit(&history->waiting, 1, memory_order_relaxed);
		callback_record_free(record);
		return id;
	}
	record->id = id;
	record->log_ = history;
	record->insert_.run = on_record;
	thread_queue_add(history->queue, &record->insert_);
	return id;
}

void callback_history_ask(struct callback_history *history, struct callback_history_query *query)
{
	query->log_ = history;
	query->start_.run = on_query;
	thread_queue_add(history->queue, &query->start_);
}

void callback_history_query_release(struct callback_history_query *query)
{
	while (query->records) {
		struct callback_record *record = query->records;
		query->records = record->next;
		callback_record_free(record);
	}
}

enum err history_start(struct callback_history *history)
{
	const struct thread_queue_options options = {
		.name = "callback-log", .duty = THREAD_DISK, .batch = on_batch, .state = history};
	return thread_queue_new(&options, &history->queue);
}

void callback_history_close(struct callback_history *history)
{
	if (!history)
		return;
	thread_queue_free(history->queue);
	history->ops->close(history);
}
