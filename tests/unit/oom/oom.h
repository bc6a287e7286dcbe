/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every allocation fails once. A case does one thing, and says what came of it. It is run once with
 * memory; that is the right answer, and how many allocations it takes is counted. Then it is run
 * again for each of them: that one fails, and in a second round all behind it fail too. The case
 * must either give the right answer all the same, or say that there was no memory; anything else is
 * a wrong answer. Whatever it ends with, nothing may stay allocated.
 *
 * The linker's --wrap puts these allocations in the place of malloc() and its kin in our code, and
 * of functions of the C library that allocate; JSON, XML and SQLite are told to use them. OpenSSL
 * has its own memory, which does not fail here, and neither does RocksDB's: it is written in C++,
 * and a C caller cannot be told that `new` failed.
 *
 * Of cases that open a store, oom_run_store(), only some allocations fail, evenly spread.
 *
 * OOM_LONG=1 in the environment: each of these, too; and of others every pair.
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
	bool wrong; /* whatever else is said */
};

/* Adds to the answer. */
void oom_say(struct oom_answer *answer, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Adds the name of the error; ERR_UNAVAILABLE is that there was no memory. True if ERR_OK. */
bool oom_err(struct oom_answer *answer, enum err e);

/*
 * What a case makes ready, and what it looks at in the end, is done with memory: between these two
 * nothing fails, and nothing is counted.
 */
void oom_pause(void);
void oom_resume(void);
/* Whether an allocation has failed since the case began. */
bool oom_failed(void);
/* Adds whether it is ERR_OK. Any other is right if an allocation failed. True if ERR_OK. */
bool oom_done(struct oom_answer *answer, const char *what, enum err e);
/* What must be so, memory or not. */
void oom_check(struct oom_answer *answer, bool condition, const char *what);

struct oom_case {
	const char *name;
	void (*run)(struct oom_answer *answer);
};

/* Tells the libraries whose memory to use. Before any of them is called; oom_run() does it too. */
void oom_begin(void);
/* Prints TAP; the exit status for main(). */
int oom_run(const struct oom_case *cases, size_t count);
int oom_run_store(const struct oom_case *cases, size_t count);

#endif
