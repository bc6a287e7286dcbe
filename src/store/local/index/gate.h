/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who uses something that may be taken away for a while. A use costs two atomic additions; while
 * the gate is closed, who comes waits, and with nothing behind it, is turned away.
 *
 * Any thread, but one at a time closes and opens.
 */
#ifndef STORE_LOCAL_INDEX_GATE_H
#define STORE_LOCAL_INDEX_GATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

struct gate {
	_Atomic uint64_t uses; /* and a bit: it is closed */
	pthread_mutex_t lock;  /* protects `is_empty`; a leaf */
	pthread_cond_t changed;
	bool is_empty;
};

/* Open. */
void gate_init(struct gate *gate);
void gate_destroy(struct gate *gate);

/* Waits while it is closed. False: there is nothing. */
bool gate_enter(struct gate *gate) MUST_USE;
/* False unless it is open; never waits. */
bool gate_try(struct gate *gate) MUST_USE;
/* A further use, for who has one. */
void gate_enter_again(struct gate *gate);
void gate_leave(struct gate *gate);

/* Closes it, and waits for all to leave. False, and it is open again, if they take longer. */
bool gate_close(struct gate *gate, unsigned ms) MUST_USE;
/* Of a closed one: there is nothing until it opens, so nobody waits any more. */
void gate_set_empty(struct gate *gate);
void gate_open(struct gate *gate);

#endif
