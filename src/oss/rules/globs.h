/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many patterns, looked for in a text all at once: `*` stands for any bytes or none, `?` for one,
 * the case of ASCII letters does not count. All patterns are states of one automaton, a bit each,
 * so the time is the text's length times a 64th of that of all patterns together, whatever they
 * are. Never changes once made; any number of threads may use it.
 */
#ifndef OSS_RULES_GLOBS_H
#define OSS_RULES_GLOBS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

#define GLOBS_BYTES ((size_t)64 << 10)

struct globs;

/*
 * NULL without memory, or if the patterns have more than GLOBS_BYTES, each counted with one byte
 * more. They are not kept.
 */
struct globs *globs_new(const struct slice *patterns, size_t count) MUST_USE;
/* NULL is allowed. */
void globs_free(struct globs *globs);
/* Whether the text begins with what one of the patterns says. */
bool globs_begin(const struct globs *globs, struct slice text);

#endif
