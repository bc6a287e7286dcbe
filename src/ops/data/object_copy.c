/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/data/object_copy.h"

#include "ops/data/put_memory.h"
#include "ops/ops_internal.h"

/* The request is held from the beginning to one of the two that follow. */
static void end(struct object_copy *copy, enum err e)
{
	struct request *r = copy->r;
	copy->done(copy, e);
	request_release(r);
}

static void on_committed(struct task *task)
{
	struct store_wait *wait = CONTAINER_OF(task, struct store_wait, task);
	struct store_put_commit *commit = CONTAINER_OF(wait, struct store_put_commit, wait);
	end(CONTAINER_OF(commit, struct object_copy, commit), wait->err);
}

/* All was read, or it came to nothing. */
static void on_read(struct object_reader *object_reader, enum err e)
{
	struct object_copy *copy = CONTAINER_OF(object_reader, struct object_copy, object_reader);
	struct request *r = copy->r;
	if (copy->err != ERR_OK)
		e = copy->err;
	if (e != ERR_OK) {
		end(copy, e);
	} else if (request_is_gone(r)) {
		request_release(r);
	} else {
		copy->commit.wait = (struct store_wait){.task.run = on_committed, .home = r->home};
		store_put_commit(r->ops->options.store, TAKE(copy->put), &copy->commit);
	}
}

static enum object_reader_then piece(struct object_reader *object_reader, struct slice bytes)
{
	struct object_copy *copy = CONTAINER_OF(object_reader, struct object_copy, object_reader);
	struct request *r = copy->r;
	copy->writable.err = ERR_OK;
	if (store_put_write(r->ops->options.store, copy->put, bytes, &copy->writable) == STORE_WAIT)
		return OBJECT_READER_WAIT;
	copy->err = copy->writable.err;
	return copy->err == ERR_OK && !request_is_gone(r) ? OBJECT_READER_NEXT : OBJECT_READER_STOP;
}

static void on_writable(struct task *task)
{
	struct store_wait *wait = CONTAINER_OF(task, struct store_wait, task);
	struct object_copy *copy = CONTAINER_OF(wait, struct object_copy, writable);
	copy->err = wait->err;
	if (copy->err == ERR_OK && !request_is_gone(copy->r))
		object_reader_next(&copy->object_reader);
	else
		on_read(&copy->object_reader, copy->err);
}

void object_copy_start(struct object_copy *copy, struct request *r, struct store_get *get,
	uint64_t first, uint64_t size, const struct store_put_spec *spec,
	void (*done)(struct object_copy *copy, enum err e))
{
	copy->r = r;
	copy->done = done;
	copy->writable = (struct store_wait){.task.run = on_writable, .home = r->home};
	object_reader_init(&copy->object_reader, r, get, first, size, piece, on_read);
	object_reader_whole_runs(&copy->object_reader);
	request_hold(r);
	struct store_put_spec counted = *spec;
	enum err e = ERR_UNAVAILABLE;
	if (put_memory_take(r, &counted, size))
		e = store_put_begin(r->ops->options.store, &counted, &copy->put);
	if (e != ERR_OK) {
		budget_close(&counted.memory);
		end(copy, e);
	} else {
		object_reader_next(&copy->object_reader);
	}
}

void object_copy_release(struct object_copy *copy)
{
	if (!copy->r)
		return;
	store_put_abort(copy->r->ops->options.store, copy->put);
	object_reader_release(&copy->object_reader);
}
