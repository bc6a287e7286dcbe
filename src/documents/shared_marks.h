/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Marks that all gateways of a store set together, each once: for what must not be answered twice,
 * whichever gateway is asked. Any thread.
 */
#ifndef DOCUMENTS_SHARED_MARKS_H
#define DOCUMENTS_SHARED_MARKS_H

#include <stdint.h>

#include "base/task.h"

enum {
	MARK_BYTES = 16,
	/* For so long after its time, by the clocks of all gateways, a mark is kept. */
	MARK_KEPT_MS = 3600000
};

enum mark_result {
	MARK_NEW,
	MARK_SET_BEFORE,
	MARK_UNKNOWN, /* it cannot be said, which was logged; it may be set now */
};

struct shared_mark {
	/* ---- Set by the caller; stays in place until `done` runs. ---- */
	uint8_t mark[MARK_BYTES];
	int64_t time_ms; /* the mark's own: the same, whoever sets it and when */
	struct executor *home;
	struct task done; /* done.run set by the caller; posted to `home` exactly once */

	enum mark_result result; /* valid when `done` runs */
};

/* A place of marks embeds it. */
struct shared_marks {
	/* Does not wait. */
	void (*set)(struct shared_marks *marks, struct shared_mark *wait);
	/* Once nothing is on its way. */
	void (*close)(struct shared_marks *marks);
};

static inline void shared_marks_set(struct shared_marks *marks, struct shared_mark *wait)
{
	marks->set(marks, wait);
}

/* NULL is allowed. */
static inline void shared_marks_close(struct shared_marks *marks)
{
	if (marks)
		marks->close(marks);
}

#endif
