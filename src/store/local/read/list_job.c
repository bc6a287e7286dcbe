/* SPDX-License-Identifier: Apache-2.0 */
/* What lists of all kinds have in common: their memory, the reader that runs them, the answer. */
#include "store/local/read/list_internal.h"

static void run(struct task *job)
{
	struct list_job *list = CONTAINER_OF(job, struct list_job, job);
	struct store_wait *wait = list->wait;
	enum err e = list->fill(list);
	if (e == ERR_OK && strbuf_broken(&list->text))
		e = ERR_UNAVAILABLE;
	if (e == ERR_OK) {
		*list->held = list;
	} else {
		*list->count = 0;
		list_job_release(list);
	}
	store_answer(wait, e);
}

struct list_job *list_job_new(struct store *store, const struct list_job_spec *spec)
{
	struct budget_account memory = {.pool = spec->pool};
	struct list_job *list = NULL;
	*spec->count = 0;
	*spec->held = NULL;
	if (budget_take(&memory, spec->size) && !(list = malloc(spec->size)))
		budget_close(&memory);
	if (!list) {
		store_answer(spec->wait, ERR_UNAVAILABLE);
		return NULL;
	}
	list->job.run = run;
	list->local = local_of(store);
	list->wait = spec->wait;
	list->count = spec->count;
	list->held = spec->held;
	list->fill = spec->fill;
	list->memory = memory;
	strbuf_init_counted(&list->text, spec->text_bytes_max, &list->memory);
	return list;
}

void list_job_send(struct list_job *list)
{
	thread_queue_add(list->local->readers, &list->job);
}

void list_job_release(struct list_job *list)
{
	if (!list)
		return;
	strbuf_release(&list->text);
	budget_close(&list->memory);
	free(list);
}
