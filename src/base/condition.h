/* SPDX-License-Identifier: Apache-2.0 */
/* Condition variables that are waited for until some time of clock_monotonic_ms(). */
#ifndef BASE_CONDITION_H
#define BASE_CONDITION_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

void condition_init(pthread_cond_t *ret);

/*
 * With the lock, which is given up meanwhile. As with pthread_cond_wait() it may end for nothing.
 * False once `at_ms` has come.
 */
bool condition_wait_until(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t at_ms);

#endif
