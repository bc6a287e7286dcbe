/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small answers wait for the end of the loop's turn, and go out one behind the other. Each that
 * goes out wakes its client; a client on this machine may then run in the loop's place, for one
 * answer. Those that come together are waited for by clients that are awake already.
 */
#include "net/server_internal.h"

enum {
	BATCH_BYTES = 256 << 10, /* of a loop's answers; what has no room goes at once */
	ANSWER_BYTES = 16 << 10, /* a longer one is worth its client's waking */
};

void batch_init(struct batch *batch)
{
	strbuf_init(&batch->bytes, BATCH_BYTES);
	batch->last = &batch->first;
}

void batch_release(struct batch *batch)
{
	strbuf_release(&batch->bytes);
}

bool batch_add(struct connection *c, struct slice answer)
{
	struct batch *batch = &c->net_thread->batch;
	/* A file that was found damaged is answered for anew while its connection is written to;
	   and who has sent the next request does not wait for this answer. */
	bool late = c->phase == CONNECTION_ANSWER, ahead = c->view.len > 0;
	if (batch->ending || late || ahead || answer.len > ANSWER_BYTES ||
		answer.len > BATCH_BYTES - batch->bytes.len)
		return false;
	size_t at = batch->bytes.len;
	strbuf_add_slice(&batch->bytes, answer);
	if (strbuf_broken(&batch->bytes)) {
		batch_send(c->net_thread);
		return false;
	}
	c->batched = true;
	c->batch_at = at;
	c->batch_len = answer.len;
	c->batch_next = NULL;
	*batch->last = c;
	batch->last = &c->batch_next;
	timers_cancel(&c->timer); /* the client is not waited for */
	return true;
}

void batch_send(struct net_thread *net_thread)
{
	struct batch *batch = &net_thread->batch;
	if (batch->bytes.len == 0)
		return;
	for (struct connection *c = batch->first; c; c = c->batch_next) {
		struct slice answer = slice_of(batch->bytes.ptr + c->batch_at, c->batch_len);
		c->batch_len = 0;
		if (c->phase != CONNECTION_CLOSED && answer.len > 0 &&
			!answer_write(c, answer, false))
			c->batch_failed = true;
	}
	strbuf_clear(&batch->bytes);
}

void batch_end(struct loop *loop)
{
	struct net_thread *net_thread = CONTAINER_OF(loop, struct net_thread, loop);
	struct batch *batch = &net_thread->batch;
	batch_send(net_thread);
	/* What connections answer now goes at once: there would be no end. */
	batch->ending = true;
	while (batch->first) {
		struct connection *c = batch->first;
		batch->first = c->batch_next;
		c->batched = false;
		connection_go_on(c, c->batch_failed);
	}
	batch->last = &batch->first;
	batch->ending = false;
}
