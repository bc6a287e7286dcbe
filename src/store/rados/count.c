/* SPDX-License-Identifier: Apache-2.0 */
/* Each tablet of a bucket knows what it has, whichever gateways changed it. */
#include "store/rados/count.h"

#include <stdlib.h>

#include "store/rados/tablet/tablet.h"

struct counting {
	struct task task;
	struct rados *r;
	struct store_bucket_count *count;
};

static void run(struct task *task)
{
	struct counting *counting = CONTAINER_OF(task, struct counting, task);
	struct store_bucket_count *count = counting->count;
	enum err e = tablet_counts(counting->r, count->bucket_id, &count->stats);
	free(counting);
	store_answer(&count->wait, e);
}

void rados_bucket_count(struct store *store, struct store_bucket_count *count)
{
	count->stats = (struct store_bucket_stats){.objects = 0};
	struct counting *counting = malloc(sizeof(*counting));
	if (!counting) {
		store_answer(&count->wait, ERR_UNAVAILABLE);
		return;
	}
	*counting = (struct counting){.task.run = run, .r = rados_of(store), .count = count};
	thread_queue_add(counting->r->readers, &counting->task);
}
