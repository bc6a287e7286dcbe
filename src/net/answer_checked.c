/* SPDX-License-Identifier: Apache-2.0 */
/* Writing files whose bytes are checked before they leave. */
#include <errno.h>
#include <sys/uio.h>
#include <time.h>

#include "crypto/crc64.h"
#include "net/server_internal.h"

enum {
	CHECKED_BYTES = 256 << 10,    /* of a file, read, checked and sent at once */
	CHECKED_TLS_BYTES = 64 << 10, /* by TLS, which checks again what the socket refused */
};

/* What is read at once, and how much of it is to be sent. */
struct window {
	uint64_t begin;
	size_t size;
	size_t skip; /* bytes in front that are not */
	size_t send;
};

/*
 * The window for what comes next. One that is tried again begins where it did, and is no shorter:
 * TLS wants the same bytes.
 */
static struct window next_window(const struct exchange *x)
{
	const struct block_check *check = &x->check;
	struct window w = {.begin = x->file_offset};
	size_t max = x->is_tls ? CHECKED_TLS_BYTES : CHECKED_BYTES;
	if (check->kind == BLOCK_CHECK_LATE) {
		w.size = x->file_left < max ? (size_t)x->file_left : max;
		w.send = w.size;
		return w;
	}
	uint64_t end = x->file_offset + x->file_left;
	w.size = block_check_span(check, x->file_offset, end, max, &w.begin);
	w.skip = (size_t)(x->file_offset - w.begin);
	w.send = w.size - w.skip;
	if (w.send > x->file_left)
		w.send = (size_t)x->file_left;
	return w;
}

/*
 * Reads as much as there is; false if the loop would have to wait. It is asked for one byte first:
 * a long read that may not wait makes the kernel cache the file in small pages, for as long as it
 * is cached, and what small pages are sent from costs twice as much.
 */
static bool read_window(struct connection *c, const struct window *w, char *to, size_t *ret_got)
{
	struct exchange *x = c->x;
	bool wait = c->prefetched;
	size_t got = 0;
	c->prefetched = false;
	if (!wait && !prefetcher_is_cached(x->file, w->begin, w->size))
		return false;
	while (got < w->size) {
		struct iovec iov = {to + got, w->size - got};
		ssize_t n =
			preadv2(x->file, &iov, 1, (off_t)(w->begin + got), wait ? 0 : RWF_NOWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EOPNOTSUPP && !wait) {
			wait = true; /* a file system that cannot tell is taken as it is */
			continue;
		}
		if (n <= 0 && !wait)
			return false;
		if (n <= 0)
			break;
		got += (size_t)n;
	}
	*ret_got = got;
	return true;
}

/* Whether what was read is what was stored; all of it was read if so. */
static bool window_fits(
	const struct exchange *x, const struct window *w, struct slice bytes, uint64_t *ret_bad)
{
	const struct block_check *check = &x->check;
	*ret_bad = w->begin + bytes.len;
	if (bytes.len < w->size)
		return false;
	if (check->kind != BLOCK_CHECK_LATE)
		return block_check_fits(check, w->begin, bytes, ret_bad);
	*ret_bad = check->begin;
	return w->size < x->file_left || crc64_update(x->check_crc, bytes) == check->crc64;
}

/* Sends what was checked. */
static enum answer_result send_window(struct connection *c, struct slice bytes)
{
	struct exchange *x = c->x;
	enum answer_result head = answer_let_go(c);
	if (head != ANSWER_DONE)
		return head;
	struct slice left = bytes;
	enum answer_result r = answer_put(c, &left, bytes.len < x->file_left || x->later);
	struct slice sent = slice_head(bytes, bytes.len - left.len);
	if (x->check.kind == BLOCK_CHECK_LATE)
		x->check_crc = crc64_update(x->check_crc, sent);
	x->file_offset += sent.len;
	x->file_left -= sent.len;
	return r;
}

/* Which file it is, if what is known of its blocks helps: TLS needs the bytes in memory anyhow. */
static bool can_know(struct connection *c, struct checked_file *ret)
{
	struct timespec now;
	if (c->transport.tls || c->x->check.kind != BLOCK_CHECK_BLOCKS)
		return false;
	(void)clock_gettime(CLOCK_REALTIME_COARSE, &now);
	return checked_identify(c->x->file, (int64_t)now.tv_sec * 1000000000 + now.tv_nsec, ret);
}

/* How much of what comes next was checked a moment ago, and is still in memory. */
static uint64_t known_of(const struct connection *c, const struct checked_file *file)
{
	const struct exchange *x = c->x;
	const struct net_thread *t = c->net_thread;
	uint64_t known =
		checked_known(t->checked, file, x->file_offset, answer_window(x), t->loop.now_ms);
	return known && prefetcher_is_cached(x->file, x->file_offset, known) ? known : 0;
}

/*
 * Reads, checks and sends some. What is sent lies in the loop's buffer and is what was checked: the
 * file may change, or be read from the disk again, meanwhile. What the socket does not take is
 * read and checked again.
 */
static enum answer_result check_and_send(struct connection *c, const struct checked_file *file)
{
	struct exchange *x = c->x;
	struct strbuf *out = &c->net_thread->loop.out;
	struct window w = next_window(x);
	size_t got;
	uint64_t bad;
	strbuf_clear(out);
	char *room = strbuf_extend(out, w.size);
	if (!room)
		return ANSWER_FAILED;
	if (!read_window(c, &w, room, &got)) {
		uint64_t size = w.skip + x->file_left;
		answer_prefetch(c, w.begin, size < w.size ? w.size : size);
		return ANSWER_WAIT;
	}
	if (!window_fits(x, &w, slice_of(room, got), &bad))
		return answer_tell_damaged(c, bad);
	if (file)
		checked_note(
			c->net_thread->checked, file, w.begin, w.size, c->net_thread->loop.now_ms);
	return send_window(c, slice_of(room + w.skip, w.send));
}

enum answer_result answer_flush_checked(struct connection *c)
{
	struct exchange *x = c->x;
	struct checked_file file;
	bool can = can_know(c, &file);
	uint64_t known = 0;
	enum answer_result r = ANSWER_DONE;
	while (r == ANSWER_DONE && x->file_left) {
		if (c->prefetching)
			return ANSWER_WAIT;
		if (known == 0 && can)
			known = known_of(c, &file);
		if (known)
			c->prefetched = false; /* it was for these */
		r = known ? answer_send_file(c, &known) : check_and_send(c, can ? &file : NULL);
	}
	return r;
}
