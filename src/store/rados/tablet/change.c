/* SPDX-License-Identifier: Apache-2.0 */
/* The changes that wait for a thread's tablets, made into batches. */
#include "store/rados/tablet/batch.h"
#include "store/rados/tablet/order.h"

void change_submit(struct change *c)
{
	c->err = ERR_OK;
	c->is_open = false;
	c->look = NULL;
	c->gone = 0;
	(void)atomic_fetch_add(&c->r->transfers, 1);
	change_send_on(c);
}

void change_send_on(struct change *c)
{
	c->tablet = directory_find(c->r->directory, c->bucket_id, c->key);
	unsigned thread = rados_thread_of(c->bucket_id, c->tablet);
	thread_queue_add(c->r->tablet_threads[thread], &c->task);
}

static struct change *change_of(struct task *task)
{
	return CONTAINER_OF(task, struct change, task);
}

static struct tablet *find_tablet(struct rados *r, uint64_t bucket, uint64_t number)
{
	struct tablet **list = &r->tablets[rados_thread_of(bucket, number)];
	for (struct tablet *tablet = *list; tablet; tablet = tablet->next)
		if (tablet->bucket == bucket && tablet->number == number)
			return tablet;
	struct tablet *tablet = calloc(1, sizeof(*tablet));
	if (!tablet)
		return NULL;
	tablet->bucket = bucket;
	tablet->number = number;
	tablet->split = r->sizes.split;
	tablet->next = *list;
	*list = tablet;
	return tablet;
}

/* It is not there any more. */
static void forget_tablet(struct rados *r, struct tablet *gone)
{
	struct tablet **at = &r->tablets[rados_thread_of(gone->bucket, gone->number)];
	while (*at != gone)
		at = &(*at)->next;
	*at = gone->next;
	order_reset(&gone->order);
	free(gone);
}

void tablets_free(struct rados *r)
{
	for (unsigned i = 0; i < RADOS_TABLET_THREADS; i++)
		while (r->tablets[i]) {
			struct tablet *tablet = r->tablets[i];
			r->tablets[i] = tablet->next;
			order_reset(&tablet->order);
			free(tablet);
		}
}

/* Whether the change can be in the batch: of its tablet, with a key of its own. */
static bool fits(const struct batch *batch, const struct change *c)
{
	if (batch->count == LIMIT_RADOS_BATCH || batch->count == batch->r->sizes.batch)
		return false;
	if (batch->count && (batch->changes[0]->bucket_id != c->bucket_id ||
				    batch->changes[0]->tablet != c->tablet))
		return false;
	for (size_t i = 0; i < batch->count; i++)
		if (slice_eq(batch->changes[i]->key, c->key))
			return false;
	return true;
}

/* Takes those off the list that can be in one batch; the others stay in their order. */
static void gather(struct batch *batch, struct task **list)
{
	struct task **at = list;
	while (*at) {
		struct change *c = change_of(*at);
		if (fits(batch, c)) {
			*at = c->task.next;
			batch->changes[batch->count++] = c;
		} else {
			at = &(*at)->next;
		}
	}
}

void change_run_all(struct task *list, void *state)
{
	while (list) {
		struct batch batch = {.r = state, .begin_ms = clock_monotonic_ms()};
		gather(&batch, &list);
		batch.tablet =
			find_tablet(batch.r, batch.changes[0]->bucket_id, batch.changes[0]->tablet);
		batch_run(&batch);
		if (batch.is_gone)
			forget_tablet(batch.r, batch.tablet);
	}
}
