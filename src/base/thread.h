/* SPDX-License-Identifier: Apache-2.0 */
/* Starting a thread. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>

#include "base/compiler.h"

/*
 * Starts a thread named `name` (at most 15 bytes) with all signals blocked: they are the main
 * thread's affair, and SIGPIPE must not end the process for a connection that broke. False, logged,
 * if there is none to be had.
 */
bool thread_start(pthread_t *ret, const char *name, void *(*run)(void *arg), void *arg) MUST_USE;

#endif
