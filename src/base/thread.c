/* SPDX-License-Identifier: Apache-2.0 */
#include "base/thread.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

/* What a new thread is told; it frees it. */
struct beginning {
	const char *name;
	enum thread_duty duty;
	void *(*run)(void *arg);
	void *arg;
};

static void (*on_begin)(enum thread_duty duty);

void thread_set_begin(void (*begin)(enum thread_duty duty))
{
	on_begin = begin;
}

static void *begin(void *arg)
{
	struct beginning b = *(struct beginning *)arg;
	free(arg);
	(void)pthread_setname_np(pthread_self(), b.name);
	if (on_begin)
		on_begin(b.duty);
	return b.run(b.arg);
}

static int start(pthread_t *ret, const struct beginning *beginning)
{
	struct beginning *own = malloc(sizeof(*own));
	if (!own)
		return ENOMEM;
	*own = *beginning;
	sigset_t all, before;
	(void)sigfillset(&all);
	(void)sigdelset(&all, SIGSYS);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	int fault = pthread_create(ret, NULL, begin, own);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (fault)
		free(own);
	return fault;
}

bool thread_start(
	pthread_t *ret, const char *name, enum thread_duty duty, void *(*run)(void *arg), void *arg)
{
	const struct beginning beginning = {.name = name, .duty = duty, .run = run, .arg = arg};
	int fault = start(ret, &beginning);
	if (fault)
		log_error("cannot start the thread %s: %s", name, strerror(fault));
	return fault == 0;
}
