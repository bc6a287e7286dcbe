/* SPDX-License-Identifier: Apache-2.0 */
#include "doctor/ask.h"

#include "base/compiler.h"
#include "base/limits.h"

#define ANSWER_BYTES_MAX KIB(64)

static void post(struct executor *executor, struct task *task UNUSED)
{
	struct asker *asker = CONTAINER_OF(executor, struct asker, executor);
	(void)pthread_mutex_lock(&asker->lock);
	asker->done = true;
	(void)pthread_cond_signal(&asker->changed);
	(void)pthread_mutex_unlock(&asker->lock);
}

/* It is not run: being posted says it all. */
static void ignore(struct task *task UNUSED)
{
}

enum err asker_init(struct asker *asker, const char *ca_file)
{
	const struct outgoing_options options = {.ca_file = ca_file};
	*asker = (struct asker){.executor = {post}};
	(void)pthread_mutex_init(&asker->lock, NULL);
	(void)pthread_cond_init(&asker->changed, NULL);
	return outgoing_new(&options, &asker->outgoing);
}

void asker_release(struct asker *asker)
{
	outgoing_free(asker->outgoing);
	(void)pthread_cond_destroy(&asker->changed);
	(void)pthread_mutex_destroy(&asker->lock);
}

void asker_ask(struct asker *asker, struct outgoing_request *request)
{
	request->class = OUTGOING_STORE;
	request->sni = true;
	request->any_address = true;
	request->keep_headers = true;
	request->timeout_ms = LIMIT_DOCTOR_MS;
	request->max_answer_bytes = ANSWER_BYTES_MAX;
	request->home = &asker->executor;
	request->done.run = ignore;
	strbuf_init(&request->answer, 0);
	strbuf_init(&request->answer_headers, 0);
	asker->done = false;
	outgoing_send(asker->outgoing, request);
	(void)pthread_mutex_lock(&asker->lock);
	while (!asker->done)
		(void)pthread_cond_wait(&asker->changed, &asker->lock);
	(void)pthread_mutex_unlock(&asker->lock);
}
