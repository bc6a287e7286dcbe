/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every allocation fails once. A case does one thing, and says what came of it. It is run once with
 * memory; that is the right answer, and how many allocations it takes is counted. Then it is run
 * again for each of them: that one fails, and in a second round all behind it fail too. The case
 * must either give the right answer all the same, or say that there was no memory; anything else is
 * a wrong answer. Whatever it ends with, nothing may stay allocated.
 *
 * The linker's --wrap puts these allocations in the place of malloc() and its kin in our code; json
 * and XML are told to use them. OpenSSL has its own memory, which does not fail here.
 *
 * OOM_LONG=1 in the environment: every pair of allocations fails, too.
 */
#ifndef TESTS_UNIT_OOM_OOM_H
#define TESTS_UNIT_OOM_OOM_H

#include "base/err.h"
#include "base/slice.h"

/* What came of it, as a text. Is written without memory. */
struct oom_answer {
	char text[16384];
	size_t len;
	bool no_memory;
};

/* Adds to the answer. */
void oom_say(struct oom_answer *answer, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Adds the name of the error; ERR_UNAVAILABLE is that there was no memory. True if ERR_OK. */
bool oom_err(struct oom_answer *answer, enum err e);

struct oom_case {
	const char *name;
	void (*run)(struct oom_answer *answer);
};

/* Prints TAP; the exit status for main(). */
int oom_run(const struct oom_case *cases, size_t count);

#endif
