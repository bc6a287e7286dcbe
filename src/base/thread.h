/* SPDX-License-Identifier: Apache-2.0 */
/* Starting a thread, and what it is for. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>

#include "base/compiler.h"

/* What a thread does, and so what it need not be able to do (src/sandbox/thread_calls.def). */
enum thread_duty {
	THREAD_ANY,     /* whatever the process does */
	THREAD_DISK,    /* files and memory; no sockets */
	THREAD_CLIENTS, /* serves connections that it accepts; makes none, and writes no files */
	THREAD_SERVERS, /* asks other servers; accepts no connections, and writes no files */
	THREAD_DUTIES,
};

/*
 * Starts a thread named `name` (at most 15 bytes) with all signals blocked: they are the main
 * thread's affair, and SIGPIPE must not end the process for a connection that broke. (SIGSYS is
 * not: it is about a call of the thread itself.) False, logged, if there is none to be had.
 */
bool thread_start(pthread_t *ret, const char *name, enum thread_duty duty, void *(*run)(void *arg),
	void *arg) MUST_USE;

/* Called first by each thread that is started from now on, with its duty. Before there are any. */
void thread_set_begin(void (*begin)(enum thread_duty duty));

#endif
