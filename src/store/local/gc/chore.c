/* SPDX-License-Identifier: Apache-2.0 */
/* What the collector asks the committer for. */
#include "store/local/gc/gc_internal.h"

static void chore_done(struct mutation *mutation)
{
	struct chore *chore = CONTAINER_OF(mutation, struct chore, mutation);
	struct gc *gc = chore->gc;
	enum err e = mutation->err;
	free(chore);
	/* The object was changed or deleted meanwhile. */
	bool raced = e == ERR_PRECONDITION_FAILED || e == ERR_NO_SUCH_BUCKET;
	if (raced)
		e = ERR_OK;
	(void)pthread_mutex_lock(&gc->lock);
	gc->raced = gc->raced || raced;
	if (gc->err == ERR_OK)
		gc->err = e;
	gc->pending--;
	(void)pthread_cond_signal(&gc->done);
	(void)pthread_mutex_unlock(&gc->lock);
}

struct chore *chore_new(struct gc *gc, enum mutation_kind kind, size_t head_len)
{
	struct chore *chore = calloc(1, sizeof(*chore) + head_len);
	if (!chore)
		return NULL;
	chore->gc = gc;
	chore->mutation.kind = kind;
	chore->mutation.done = chore_done;
	chore->mutation.head = chore->head;
	chore->mutation.head_len = head_len;
	return chore;
}

void chore_send(struct gc *gc, struct chore *chore)
{
	(void)pthread_mutex_lock(&gc->lock);
	gc->pending++;
	(void)pthread_mutex_unlock(&gc->lock);
	committer_add(gc->local->committer, &chore->mutation);
}

enum err chore_finish(struct gc *gc)
{
	(void)pthread_mutex_lock(&gc->lock);
	while (gc->pending)
		(void)pthread_cond_wait(&gc->done, &gc->lock);
	enum err e = gc->err;
	gc->err = ERR_OK;
	(void)pthread_mutex_unlock(&gc->lock);
	return e;
}

enum err chore_send_number(struct gc *gc, enum mutation_kind kind, uint64_t number, uint64_t size)
{
	struct chore *chore = chore_new(gc, kind, 0);
	if (!chore)
		return ERR_UNAVAILABLE;
	chore->mutation.number = number;
	chore->mutation.size = size;
	chore_send(gc, chore);
	return ERR_OK;
}
