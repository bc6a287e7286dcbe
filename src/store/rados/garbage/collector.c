/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/sleeper.h"
#include "base/thread.h"
#include "store/rados/cluster/edit.h"
#include "store/rados/garbage/garbage_internal.h"

struct collector {
	struct rados *r;
	struct sleeper sleeper;
	pthread_t thread;
};

/* ---- One collection -------------------------------------------------------------------------- */

typedef int collect_bucket(
	struct rados *r, const struct listed_bucket *bucket, const struct gateway_list *gateways);

static bool parse_bucket(const struct row *row, struct listed_bucket *ret)
{
	struct bucket_row bucket;
	*ret = (struct listed_bucket){.row = row->key};
	if (row_key_parse_number(row->key, RADOS_DELETED_ROW, &ret->id))
		return true;
	if (!bucket_row_parse(row->value, &bucket))
		return false;
	ret->id = bucket.bucket.id;
	ret->versioning = bucket.bucket.versioning;
	return true;
}

/* Whoever makes a bucket may have died. If not, it finds another row, and begins anew. */
static int give_up(struct rados *r, const struct row *row)
{
	struct edit edit = edit_begin(r->index);
	edit_compare(&edit, row->key, row->value);
	edit_set(&edit, row->key, S(RADOS_DELETED));
	int result = edit_run(&edit, RADOS_BUCKETS);
	return result == -ECANCELED ? 0 : result;
}

/* Of all buckets whose rows are of that kind. */
static int each_bucket(
	struct rados *r, char kind, const struct gateway_list *gateways, collect_bucket *collect)
{
	const char prefix[] = {kind, '\0'};
	struct row_key after = {.len = 0};
	bool more = true;
	int result = 0;
	int failed = 0; /* one bucket does not keep others from it */
	while (result == 0 && more && !garbage_stops(r)) {
		struct fetch *fetch = fetch_new();
		if (!fetch)
			return -ENOMEM;
		size_t number = fetch_range(fetch, after.bytes, prefix, FETCH_ROWS_MAX);
		result = fetch_run(fetch, r->index, RADOS_BUCKETS);
		const struct rows *rows = result == 0 ? fetch_rows(fetch, number) : NULL;
		for (size_t i = 0; rows && i < rows->count && result == 0; i++) {
			struct listed_bucket bucket;
			if (!row_key_take(rows->rows[i].key, &after) ||
				!parse_bucket(&rows->rows[i], &bucket)) {
				result = -EBADMSG;
				break;
			}
			bool is_made = kind == RADOS_DELETED_ROW &&
				       slice_eq(rows->rows[i].value, S(RADOS_MAKING));
			int collected = is_made ? give_up(r, &rows->rows[i])
						: collect(r, &bucket, gateways);
			failed = failed ? failed : collected;
		}
		more = rows && rows->more && rows->count;
		fetch_free(fetch);
	}
	return result ? result : failed;
}

int garbage_collect(struct rados *r)
{
	struct gateway_list gateways;
	/* Before the garbage: a gateway that comes later reads none of it. */
	int result = gateways_read(r, &gateways);
	for (size_t i = 0; result == 0 && i < gateways.count; i++)
		if (gateways.list[i].row.is_dead)
			result = remains_collect(r, &gateways.list[i]);
	if (result == 0)
		result = each_bucket(r, RADOS_BUCKET_ROW, &gateways, tablet_collect);
	if (result == 0)
		result = each_bucket(r, RADOS_DELETED_ROW, &gateways, tablet_collect_deleted);
	gateway_list_free(&gateways);
	return result;
}

/* ---- The thread ------------------------------------------------------------------------------ */

/* One of them is enough; that there is only one is not relied on. */
static bool is_our_turn(struct rados *r)
{
	struct gateway_list gateways;
	uint64_t first = 0;
	if (gateways_read(r, &gateways) == 0)
		for (size_t i = gateways.count; i-- > 0;)
			if (!gateways.list[i].row.is_dead)
				first = gateways.list[i].instance;
	gateway_list_free(&gateways);
	return first == r->instance;
}

static void *run(void *arg)
{
	struct collector *collector = arg;
	struct rados *r = collector->r;
	while (sleeper_sleep(&collector->sleeper, r->timers.collect_ms)) {
		room_look(r);
		if (garbage_stops(r) || !is_our_turn(r))
			continue;
		int result = garbage_collect(r);
		if (result < 0 && result != -ESHUTDOWN)
			log_error("ceph: garbage stays until the next collection: %s",
				strerror(-result));
	}
	return NULL;
}

enum err collector_start(struct rados *r)
{
	struct collector *collector = calloc(1, sizeof(*collector));
	if (!collector)
		return ERR_UNAVAILABLE;
	collector->r = r;
	sleeper_init(&collector->sleeper);
	if (!thread_start(&collector->thread, "rados-collect", THREAD_ANY, run, collector)) {
		sleeper_destroy(&collector->sleeper);
		free(collector);
		return ERR_UNAVAILABLE;
	}
	r->collector = collector;
	return ERR_OK;
}

void collector_stop(struct rados *r)
{
	struct collector *collector = TAKE(r->collector);
	if (!collector)
		return;
	sleeper_stop(&collector->sleeper);
	(void)pthread_join(collector->thread, NULL);
	sleeper_destroy(&collector->sleeper);
	free(collector);
}
