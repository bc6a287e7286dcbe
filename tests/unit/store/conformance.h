/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tests that every back end of store.h must pass. A back end's own test program gives the way
 * to open it, and runs them.
 */
#ifndef TESTS_STORE_CONFORMANCE_H
#define TESTS_STORE_CONFORMANCE_H

#include "store/store.h"

struct conformance {
	/* Opens the store, at first an empty one. */
	struct store *(*open)(void *ctx);
	void *ctx;
	bool keeps; /* it has what was there when it was closed, else nothing */
	/* Reports a check. */
	void (*ok)(bool ok, const char *name);
};

void conformance_run(const struct conformance *conformance);

#endif
