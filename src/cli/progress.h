/* SPDX-License-Identifier: Apache-2.0 */
/* The bar of a command that takes its time, on standard error if that is a terminal. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	const char *of; /* of what it was shown last */
	bool shows;
	int percent; /* that are shown; -1: nothing yet */
};

void progress_init(struct progress *progress);
/* `of` is what there is so much of, as "the log", and borrowed; another one gets a line of its own.
 */
void progress_show(struct progress *progress, const char *of, uint64_t done, uint64_t total);
/* Goes to a line of its own, for other text. */
void progress_leave(struct progress *progress);

#endif
