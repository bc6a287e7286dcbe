/* SPDX-License-Identifier: Apache-2.0 */
/* What the collector asks the committer for. */
#include "store/local/gc/gc_internal.h"

#include "store/local/disk/bytes.h"

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

enum err chores_for_numbers(struct gc *gc, const struct key *prefix, enum mutation_kind kind,
	uint64_t number, bool *ret_more)
{
	struct slice rest;
	struct slice value;
	unsigned sent = 0;
	enum err e = ERR_OK;
	struct index_cursor *cursor = index_cursor_new(gc->local->index, NULL, prefix);
	if (!cursor)
		return ERR_UNAVAILABLE;
	index_cursor_seek(cursor, S(""));
	for (; e == ERR_OK && sent < CHORES_AT_ONCE && index_cursor_at(cursor, &rest, &value);
		index_cursor_next(cursor)) {
		if (rest.len != 8)
			continue; /* damaged: it has no number */
		struct chore *chore = chore_new(gc, kind, 0);
		if (chore) {
			chore->mutation.number = number;
			chore->mutation.part = be64_get(rest.ptr);
			chore_send(gc, chore);
			sent++;
		}
		e = chore ? ERR_OK : ERR_UNAVAILABLE;
	}
	if (e == ERR_OK)
		e = index_cursor_err(cursor);
	index_cursor_free(cursor);
	enum err done = chore_finish(gc);
	*ret_more = sent == CHORES_AT_ONCE;
	return e == ERR_OK ? done : e;
}
