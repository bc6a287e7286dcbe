/* SPDX-License-Identifier: Apache-2.0 */
/* After a kill the index is behind the log: a start would replay the rest, and so does this. */
#include <fcntl.h>

#include "store/local/apply/catch_up.h"
#include "store/local/fsck/fsck_internal.h"

/* What is missing, or cannot be applied, is told by the log. */
enum err replay_tail(struct fsck *f)
{
	struct catch_up tail = {.index = f->index,
		.buckets = f->buckets,
		.state = f->state,
		.until = UINT64_MAX,
		.reads_around = true};
	int dir = openat(f->dir, "segments", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum err e = dir < 0 ? ERR_INTERNAL : segments_open_to_read(dir, &tail.segments);
	if (e == ERR_OK)
		e = catch_up(&tail);
	segments_free(tail.segments);
	return e;
}
