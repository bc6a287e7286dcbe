/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/transfer.h"

#include "ops/ops_internal.h"
#include "ops/put_memory.h"

/* The request is held from the beginning to one of the two that follow. */
static void end(struct transfer *transfer, enum err e)
{
	struct request *r = transfer->r;
	transfer->done(transfer, e);
	request_release(r);
}

static void committed(struct task *task)
{
	struct store_wait *wait = CONTAINER_OF(task, struct store_wait, task);
	struct store_put_commit *commit = CONTAINER_OF(wait, struct store_put_commit, wait);
	end(CONTAINER_OF(commit, struct transfer, commit), wait->err);
}

/* All was read, or it came to nothing. */
static void was_read(struct pieces *pieces, enum err e)
{
	struct transfer *transfer = CONTAINER_OF(pieces, struct transfer, pieces);
	struct request *r = transfer->r;
	if (transfer->err != ERR_OK)
		e = transfer->err;
	if (e != ERR_OK) {
		end(transfer, e);
	} else if (request_is_gone(r)) {
		request_release(r);
	} else {
		transfer->commit.wait = (struct store_wait){.task.run = committed, .home = r->home};
		store_put_commit(r->ops->options.store, TAKE(transfer->put), &transfer->commit);
	}
}

static enum pieces_then piece(struct pieces *pieces, struct slice bytes)
{
	struct transfer *transfer = CONTAINER_OF(pieces, struct transfer, pieces);
	struct request *r = transfer->r;
	transfer->writable.err = ERR_OK;
	if (store_put_write(r->ops->options.store, transfer->put, bytes, &transfer->writable) ==
		STORE_WAIT)
		return PIECES_WAIT;
	transfer->err = transfer->writable.err;
	return transfer->err == ERR_OK && !request_is_gone(r) ? PIECES_NEXT : PIECES_STOP;
}

static void writable(struct task *task)
{
	struct store_wait *wait = CONTAINER_OF(task, struct store_wait, task);
	struct transfer *transfer = CONTAINER_OF(wait, struct transfer, writable);
	transfer->err = wait->err;
	if (transfer->err == ERR_OK && !request_is_gone(transfer->r))
		pieces_next(&transfer->pieces);
	else
		was_read(&transfer->pieces, transfer->err);
}

void transfer_start(struct transfer *transfer, struct request *r, struct store_get *get,
	uint64_t first, uint64_t size, const struct store_put_spec *spec,
	void (*done)(struct transfer *transfer, enum err e))
{
	transfer->r = r;
	transfer->done = done;
	transfer->writable = (struct store_wait){.task.run = writable, .home = r->home};
	pieces_init(&transfer->pieces, r, get, first, size, piece, was_read);
	pieces_whole_runs(&transfer->pieces);
	request_hold(r);
	struct store_put_spec counted = *spec;
	enum err e = ERR_UNAVAILABLE;
	if (put_memory_take(r, &counted, size))
		e = store_put_begin(r->ops->options.store, &counted, &transfer->put);
	if (e != ERR_OK) {
		budget_close(&counted.memory);
		end(transfer, e);
	} else {
		pieces_next(&transfer->pieces);
	}
}

void transfer_release(struct transfer *transfer)
{
	if (!transfer->r)
		return;
	store_put_abort(transfer->r->ops->options.store, transfer->put);
	pieces_release(&transfer->pieces);
}
