/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each tablet of a bucket knows what it has, whichever gateways changed it. They are asked from
 * left to right: one that is split meanwhile is counted as it was before, or leads on to its other
 * half. If one is merged with what was counted before, all begins anew.
 */
#include "store/rados/count.h"

#include <stdlib.h>

#include "store/rados/tablet/heads.h"
#include "store/rules/rules.h"

struct counting {
	struct task task;
	struct rados *r;
	struct store_bucket_count *count;
	struct store_bucket_stats all; /* of the tablets before this one */
	uint64_t tablet;
	unsigned begun; /* times, as tablets were merged meanwhile */
};

enum {
	BEGUN_MAX = 100
};

static void again(struct counting *counting)
{
	thread_queue_add(counting->r->readers, &counting->task);
}

/* One tablet at a time: other reads come in between. */
static void run(struct task *task)
{
	struct counting *counting = CONTAINER_OF(task, struct counting, task);
	struct store_bucket_count *count = counting->count;
	struct seen seen;
	enum err e = tablet_see(counting->r, count->bucket_id, counting->tablet, &seen);
	if (e == ERR_OK) {
		rules_add_counts(&counting->all, &seen.counts);
		counting->tablet = seen.head.right;
	}
	seen_release(&seen);
	if (e == ERR_OK && counting->tablet) {
		again(counting);
		return;
	}
	if (e == ERR_NO_SUCH_BUCKET && counting->tablet && ++counting->begun < BEGUN_MAX) {
		counting->tablet = 0;
		counting->all = (struct store_bucket_stats){.objects = 0};
		again(counting);
		return;
	}
	if (e == ERR_OK)
		count->stats = counting->all;
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
	again(counting);
}
