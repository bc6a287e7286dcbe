/* SPDX-License-Identifier: Apache-2.0 */
#include "store/rados/documents/pool_marks.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/encode.h"
#include "base/log.h"
#include "store/rados/cluster/edit.h"

enum {
	OBJECTS = 16,
	PERIOD_MS = 1800000,
	PERIODS_KEPT = MARK_KEPT_MS / PERIOD_MS,
	PERIOD_DIGITS = 8,
	KEY_BYTES = PERIOD_DIGITS + 2 * MARK_BYTES,
};

struct pool_marks {
	struct shared_marks base;
	struct pool *pool;
	const struct clock *clock;
	_Atomic int64_t cleaned[OBJECTS]; /* up to which period each has been */
};

/* A mark on its way. */
struct setting {
	struct transfer transfer;
	struct shared_mark *wait;
	char object[sizeof(RADOS_MARKS) + 1];
};

/* Sorted as the periods are. */
static void add_period(char ret[PERIOD_DIGITS + 1], int64_t period)
{
	(void)snprintf(ret, PERIOD_DIGITS + 1, "%08" PRIx32, (uint32_t)period);
}

static void answer(struct shared_mark *wait, int result, const char *object)
{
	wait->result = result == 0            ? MARK_NEW
		       : result == -ECANCELED ? MARK_SET_BEFORE
					      : MARK_UNKNOWN;
	if (wait->result == MARK_UNKNOWN)
		log_error("ceph: setting a mark in %s: %s", object, strerror(-result));
	executor_post(wait->home, &wait->done);
}

/* On a thread of librados. */
static void done(struct transfer *transfer, int result)
{
	struct setting *setting = CONTAINER_OF(transfer, struct setting, transfer);
	answer(setting->wait, result, setting->object);
	free(setting);
}

/* Removes what nobody asks for any more, once in each period. */
static void clean(struct pool_marks *marks, unsigned object, struct edit *edit)
{
	int64_t now = clock_wall_ms(marks->clock) / PERIOD_MS;
	char end[PERIOD_DIGITS + 1];
	if (atomic_exchange(&marks->cleaned[object], now) == now)
		return;
	add_period(end, now - PERIODS_KEPT);
	edit_remove_range(edit, S(""), slice_str(end));
}

static void set(struct shared_marks *base, struct shared_mark *wait)
{
	struct pool_marks *marks = CONTAINER_OF(base, struct pool_marks, base);
	unsigned object = wait->mark[0] % OBJECTS;
	char key[KEY_BYTES];
	struct setting *setting = malloc(sizeof(*setting));
	if (!setting) {
		answer(wait, -ENOMEM, RADOS_MARKS);
		return;
	}
	setting->wait = wait;
	setting->transfer.done = done;
	(void)snprintf(setting->object, sizeof(setting->object), RADOS_MARKS "%x", object);
	char period[PERIOD_DIGITS + 1];
	add_period(period, wait->time_ms / PERIOD_MS);
	memcpy(key, period, PERIOD_DIGITS);
	hex_encode_lower_into(key + PERIOD_DIGITS, slice_of(wait->mark, sizeof(wait->mark)));
	struct edit edit = edit_begin(marks->pool);
	edit_ensure(&edit);
	clean(marks, object, &edit);
	edit_compare(&edit, slice_of(key, sizeof(key)), S(""));
	edit_set(&edit, slice_of(key, sizeof(key)), S("1"));
	int result = edit_send(&edit, setting->object, &setting->transfer);
	if (result < 0)
		done(&setting->transfer, result);
}

static void close_marks(struct shared_marks *base)
{
	free(CONTAINER_OF(base, struct pool_marks, base));
}

enum err marks_in_pool(struct pool *pool, const struct clock *clock, struct shared_marks **ret)
{
	struct pool_marks *marks = calloc(1, sizeof(*marks));
	if (!marks)
		return ERR_UNAVAILABLE;
	marks->base = (struct shared_marks){.set = set, .close = close_marks};
	marks->pool = pool;
	marks->clock = clock;
	*ret = &marks->base;
	return ERR_OK;
}
