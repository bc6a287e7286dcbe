/* SPDX-License-Identifier: Apache-2.0 */
/* The threads: each has one key at a time. Whoever lists waits while enough keys wait for them. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/condition.h"
#include "copy/copy_internal.h"

enum {
	UNDER_WAY_MAX = 4 * LIMIT_COPY_WORKERS,
	TELL_MS = 200, /* between two looks at how far it is */
	LOOK_EVERY = 64,
};

struct job {
	struct task task;
	struct copy *copy;
	const struct place *place;
	struct version_rows from;
	struct version_rows to;
	size_t key_len;
	char key[];
};

enum err crew_begin(struct copy *c)
{
	const struct thread_queue_options options = {
		.name = "copy", .duty = THREAD_ANY, .threads = LIMIT_COPY_WORKERS};
	(void)pthread_mutex_init(&c->lock, NULL);
	condition_init(&c->freed);
	return thread_queue_new(&options, &c->crew);
}

void crew_end(struct copy *c)
{
	thread_queue_free(c->crew);
	(void)pthread_cond_destroy(&c->freed);
	(void)pthread_mutex_destroy(&c->lock);
}

/* ---- A job ----------------------------------------------------------------------------------- */

static void verify(struct job *job, struct slice key)
{
	struct copy *c = job->copy;
	for (size_t i = 0; i < job->to.count && !copy_stops(c); i++) {
		const struct version_row *row = &job->to.rows[i];
		const char *why = NULL;
		enum err e = ERR_OK;
		if (!row->is_marker)
			e = version_verify(c, job->place, key, row, &why);
		if (e != ERR_OK && !copy_stops(c))
			copy_fail(c, job->place, key, e);
		if (why)
			copy_tell(c, job->place, key, row, why);
		copy_count(c, 1, 0);
	}
}

static void run(struct task *task)
{
	struct job *job = CONTAINER_OF(task, struct job, task);
	struct copy *c = job->copy;
	struct slice key = slice_of(job->key, job->key_len);
	if (c->phase == COPY_COPIES)
		pair_copy(c, job->place, key, &job->from, &job->to);
	else
		verify(job, key);
	free(job->from.rows);
	free(job->to.rows);
	free(job);
	(void)pthread_mutex_lock(&c->lock);
	c->under_way--;
	(void)pthread_cond_signal(&c->freed);
	(void)pthread_mutex_unlock(&c->lock);
}

/* ---- Whoever lists --------------------------------------------------------------------------- */

/* Says how far it is. Under the lock. */
static void tell_progress(struct copy *c)
{
	const struct copy_options *options = c->options;
	const struct copy_progress progress = {.phase = c->phase,
		.versions = c->versions,
		.versions_all = c->versions_all,
		.bytes = c->bytes,
		.bytes_all = c->bytes_all};
	if (options->progress && !options->progress(&progress, options->ctx)) {
		c->result->is_stopped = true;
		atomic_store(&c->stops, true);
	}
}

void crew_tell(struct copy *c)
{
	(void)pthread_mutex_lock(&c->lock);
	tell_progress(c);
	(void)pthread_mutex_unlock(&c->lock);
}

void crew_look(struct copy *c)
{
	if (++c->looks % LOOK_EVERY == 0)
		crew_tell(c);
}

static void wait_until_below(struct copy *c, unsigned most)
{
	(void)pthread_mutex_lock(&c->lock);
	tell_progress(c);
	while (c->under_way >= most) {
		(void)condition_wait_until(&c->freed, &c->lock, clock_monotonic_ms() + TELL_MS);
		tell_progress(c);
	}
	(void)pthread_mutex_unlock(&c->lock);
}

void crew_wait(struct copy *c)
{
	wait_until_below(c, 1);
}

enum err crew_take(struct copy *c, const struct place *place, struct slice key,
	struct version_rows *from, struct version_rows *to)
{
	struct job *job = malloc(sizeof(*job) + key.len);
	if (!job)
		return ERR_UNAVAILABLE;
	*job = (struct job){.task = {.run = run},
		.copy = c,
		.place = place,
		.from = *from,
		.to = *to,
		.key_len = key.len};
	memcpy(job->key, key.ptr, key.len);
	*from = (struct version_rows){.count = 0};
	*to = (struct version_rows){.count = 0};
	wait_until_below(c, UNDER_WAY_MAX);
	(void)pthread_mutex_lock(&c->lock);
	c->under_way++;
	(void)pthread_mutex_unlock(&c->lock);
	thread_queue_add(c->crew, &job->task);
	return ERR_OK;
}
