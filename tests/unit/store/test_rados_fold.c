/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each start of a gateway that changes a tablet on Ceph leaves its counts there in a row. The rows
 * of those that have ended become one: nothing is counted twice or lost, and none of them can
 * change the tablet should it wake.
 */
#include "store/rados/garbage/garbage_internal.h"
#include "store/rados/tablet/heads.h"
#include "tap.h"
#include "unit/store/ceph_clean.h"
#include "unit/store/versions.h"

static struct ceph ceph;

enum {
	NEVER_MS = 3600000,
	STARTS = 12,
	PATIENCE = 6000, /* times 10 ms */
	NAME_BYTES = 32,
};

/* Few rows at a time; nobody folds but who is told to. */
static struct rados_options options_of(const char *space)
{
	struct rados_options options = ceph_quick(space);
	options.own_rows = 4;
	options.fold = 3;
	options.split = 1000000;
	options.collect_ms = NEVER_MS;
	return options;
}

static struct slice key_of(char *text, const char *who, unsigned i)
{
	int len = snprintf(text, NAME_BYTES, "%s-%03u", who, i);
	return slice_of(text, (size_t)len);
}

/* The first tablet's rows, read all at a time. */
static size_t count_rows(struct store *s, uint64_t id)
{
	static const char prefix[] = {ROW_OWN, '\0'};
	char name[RADOS_NAME_BYTES];
	struct fetch *fetch = fetch_new();
	size_t number = fetch_range(fetch, "", prefix, FETCH_ROWS_MAX);
	if (fetch_run(fetch, rados_of(s)->index, rados_tablet_name(name, id, 0)) != 0)
		abort();
	size_t count = fetch_rows(fetch, number)->count;
	fetch_free(fetch);
	return count;
}

/* Folds the first tablet's rows once. */
static bool fold(struct store *s, uint64_t id)
{
	struct gateway_list list;
	bool ok = gateways_read(rados_of(s), &list) == 0 &&
		  tablet_fold(rados_of(s), id, 0, &list) == 0;
	gateway_list_free(&list);
	return ok;
}

static bool counts_are(struct store *s, uint64_t id, uint64_t objects, uint64_t bytes)
{
	struct store_bucket_stats stats;
	bucket_stats(s, id, &stats);
	return stats.objects == objects && stats.bytes == bytes;
}

/* Starts that put one object each, of one byte, and end. */
static bool start_often(struct rados_options options, uint64_t id, const char *who, unsigned count)
{
	bool ok = true;
	for (unsigned i = 0; ok && i < count; i++) {
		char text[NAME_BYTES];
		struct store *s = ceph_open_or_end(&ceph, options);
		ok = put_object(s, id, key_of(text, who, i), S("x"), NULL) == ERR_OK;
		store_close(s);
	}
	return ok;
}

static uint64_t make_bucket(struct store *s)
{
	(void)bucket_create(s, S("b"), STORE_ACL_PRIVATE);
	return bucket_id(s, S("b"));
}

static void many_starts(void)
{
	struct rados_options options = options_of("starts");
	struct store *s = ceph_open_or_end(&ceph, options);
	uint64_t id = make_bucket(s);
	OK(start_often(options, id, "k", STARTS) && count_rows(s, id) == STARTS,
		"gateways start, change a tablet, and end: each leaves a row");
	OK(put_object(s, id, S("mine"), S("xx"), NULL) == ERR_OK &&
			counts_are(s, id, STARTS + 1, STARTS + 2) &&
			put_object(s, id, S("mine"), S("x"), NULL) == ERR_OK &&
			counts_are(s, id, STARTS + 1, STARTS + 1),
		"more rows than are read at a time are counted all, and changed among");
	store_close(s);
	options.collect_ms = 20;
	s = ceph_open_or_end(&ceph, options);
	OK(counts_are(s, id, STARTS + 1, STARTS + 1), "also at a start");
	size_t rows = 0;
	for (unsigned i = 0; i < PATIENCE && (rows = count_rows(s, id)) > options.fold; i++)
		(void)usleep(10000);
	OK(rows <= options.fold, "whoever collects makes one row of them");
	char text[NAME_BYTES];
	OK(delete_object(s, id, key_of(text, "k", 0), NULL) == ERR_OK &&
			counts_are(s, id, STARTS, STARTS),
		"the counts stay right");
	store_close(s);
	s = ceph_open_or_end(&ceph, options);
	OK(counts_are(s, id, STARTS, STARTS), "and are so for who comes later");
	store_close(s);
}

/* ---- At the same time ------------------------------------------------------------------------ */

struct worker {
	pthread_t thread;
	struct store *s;
	uint64_t id;
	unsigned number;
	atomic_bool *ends;
	unsigned folds;
	unsigned wrong;
};

static void *fold_on(void *arg)
{
	struct worker *w = arg;
	while (!atomic_load(w->ends) || w->folds == 0) {
		w->wrong += !fold(w->s, w->id);
		w->folds++;
	}
	return NULL;
}

static void *start_on(void *arg)
{
	struct worker *w = arg;
	char who[NAME_BYTES];
	(void)snprintf(who, sizeof(who), "start-%u", w->number);
	w->wrong += !start_often(options_of("race"), w->id, who, STARTS);
	return NULL;
}

static void *write_on(void *arg)
{
	struct worker *w = arg;
	for (unsigned i = 0; !atomic_load(w->ends) || i == 0; i++) {
		char text[NAME_BYTES];
		struct slice key = key_of(text, "write", i % 3);
		w->wrong += put_object(w->s, w->id, key, S("yy"), NULL) != ERR_OK;
	}
	return NULL;
}

static void two_fold(void)
{
	enum {
		FOLDERS = 4,
		STARTERS = 2,
		WRITERS = 2
	};
	static void *(*const bodies[])(void *) = {
		fold_on, fold_on, fold_on, fold_on, write_on, write_on, start_on, start_on};
	struct rados_options options = options_of("race");
	struct store *stores[] = {
		ceph_open_or_end(&ceph, options), ceph_open_or_end(&ceph, options)};
	uint64_t id = make_bucket(stores[0]);
	struct worker workers[FOLDERS + WRITERS + STARTERS];
	atomic_bool ends = false;
	unsigned wrong = 0;
	for (unsigned i = 0; i < ARRAY_LEN(workers); i++) {
		workers[i] =
			(struct worker){.s = stores[i % 2], .id = id, .number = i, .ends = &ends};
		if (pthread_create(&workers[i].thread, NULL, bodies[i], &workers[i]) != 0)
			abort();
	}
	/* First those that start. */
	for (unsigned i = ARRAY_LEN(workers); i-- > 0;) {
		if (i < FOLDERS + WRITERS)
			atomic_store(&ends, true);
		(void)pthread_join(workers[i].thread, NULL);
		wrong += workers[i].wrong;
	}
	OK(wrong == 0, "four fold at two gateways, while others start, change and end");
	while (count_rows(stores[0], id) > 3 && fold(stores[0], id))
		continue;
	uint64_t objects = STARTERS * STARTS + 3;
	struct store *s = ceph_open_or_end(&ceph, options);
	OK(counts_are(s, id, objects, objects + 3), "nothing is lost, nor counted twice");
	store_close(s);
	store_close(stores[0]);
	store_close(stores[1]);
}

/* Somebody has looked, and stands still while others fold, and more end. */
static void one_folds_late(void)
{
	struct rados_options options = options_of("late");
	struct store *s = ceph_open_or_end(&ceph, options);
	uint64_t id = make_bucket(s);
	struct gateway_list list;
	struct gateway_list later;
	struct seen seen;
	bool ok = start_often(options, id, "a", 2) && gateways_read(rados_of(s), &list) == 0 &&
		  tablet_see(rados_of(s), id, 0, &seen) == ERR_OK;
	ok = ok && fold(s, id) && start_often(options, id, "b", 2) && fold(s, id) &&
	     start_often(options, id, "c", 2) && gateways_read(rados_of(s), &later) == 0;
	OK(ok && fold_seen(rados_of(s), &seen, &list) == -ECANCELED &&
			fold_seen(rados_of(s), &seen, &later) == -ECANCELED,
		"who folds what has been folded since changes nothing");
	seen_release(&seen);
	gateway_list_free(&list);
	gateway_list_free(&later);
	/* One that has ended would be said to live. Of the rows of six the first four are folded.
	 */
	ok = fold(s, id) && start_often(options, id, "d", 6);
	struct store *last = ceph_open_or_end(&ceph, options);
	ok = ok && put_object(last, id, S("last"), S("x"), NULL) == ERR_OK &&
	     gateways_read(rados_of(s), &list) == 0;
	store_close(last);
	ok = ok && fold(s, id);
	size_t rows = count_rows(s, id);
	OK(ok && rows > 2 && tablet_fold(rados_of(s), id, 0, &list) == 0 &&
			count_rows(s, id) == rows,
		"nor does who knows of fewer that have ended than the sum");
	gateway_list_free(&list);
	store_close(s);
	s = ceph_open_or_end(&ceph, options);
	OK(counts_are(s, id, 13, 13), "the counts are right");
	store_close(s);
}

/* ---- Who wakes ------------------------------------------------------------------------------- */

/* Takes a gateway for dead, and removes its row, as if what it was writing were looked through. */
static bool end_gateway(struct rados *by, uint64_t instance)
{
	struct gateway_list list;
	int result = gateways_read(by, &list);
	const struct gateway *found = result == 0 ? gateway_find(&list, instance) : NULL;
	result = found ? gateway_change(by, found, NULL) : -ESRCH;
	gateway_list_free(&list);
	return result == 0;
}

static void a_zombie_wakes(void)
{
	struct rados_options slow = options_of("zombie");
	slow.beat_ms = NEVER_MS; /* it does not find out by itself */
	struct store *lost = ceph_open_or_end(&ceph, slow);
	struct store *zombie = ceph_open_or_end(&ceph, slow);
	struct rados_options options = options_of("zombie");
	options.split = 20;
	struct store *s = ceph_open_or_end(&ceph, options);
	uint64_t id = make_bucket(s);
	bool ok = put_object(zombie, id, S("z"), S("1"), NULL) == ERR_OK &&
		  put_object(lost, id, S("y"), S("1"), NULL) == ERR_OK;
	ok = ok && end_gateway(rados_of(s), rados_of(zombie)->instance) &&
	     end_gateway(rados_of(s), rados_of(lost)->instance) && fold(s, id);
	OK(ok && count_rows(s, id) == 1, "the rows of two that stand still are folded");
	/* One of them has never heard of its first operation. */
	struct tablet tablet = {.bucket = id, .sequence = 1, .is_open = true, .lost = 1};
	OK(tablet_settle(rados_of(lost), &tablet, 0) == SETTLED_OPEN && tablet.is_open &&
			count_rows(s, id) == 1,
		"should one wake, it does not take a lost operation for one that never happened");
	OK(put_object(lost, id, S("y"), S("2"), NULL) == ERR_UNAVAILABLE &&
			object_is(s, id, S("y"), S("1")),
		"and serves nobody any more");
	uint64_t splits = 0;
	for (unsigned i = 0; ok && i < 40; i++) {
		char text[NAME_BYTES];
		ok = put_object(s, id, key_of(text, "k", i), S("k"), NULL) == ERR_OK;
	}
	for (unsigned i = 0; i < PATIENCE && splits == 0; i++) {
		splits = atomic_load(&rados_of(s)->splits);
		(void)usleep(10000);
	}
	OK(ok && splits > 0 && put_object(zombie, id, S("z"), S("2"), NULL) == ERR_UNAVAILABLE &&
			object_is(s, id, S("z"), S("1")),
		"the other cannot change a tablet that was split off, either");
	store_close(zombie);
	store_close(lost);
	store_close(s);
	s = ceph_open_or_end(&ceph, options);
	OK(counts_are(s, id, 42, 42), "the counts are right");
	store_close(s);
}

/* ---- Very many ------------------------------------------------------------------------------- */

/* As many as died in a loop, with nobody to look after them. */
static void many_rows(void)
{
	enum {
		COUNT = 2500,
		FIRST = 2
	};
	struct rados_options options = options_of("many");
	struct store *s = ceph_open_or_end(&ceph, options);
	struct rados *r = rados_of(s);
	const struct gateway_row dead = {.is_dead = true, .low = 1, .end = 1};
	SCOPED_STRBUF(row, GATEWAY_BYTES_MAX);
	SCOPED_STRBUF(next, 8);
	gateway_row_format(&dead, &row);
	for (unsigned i = 0; i < 8; i++)
		strbuf_addc(&next, (char)(i == 6 ? 16 : 0)); /* 4,096 */
	struct edit edit = edit_begin(r->index);
	edit_set(&edit, S("n"), strbuf_slice(&next));
	for (unsigned i = 0; i < COUNT; i++) {
		struct row_key key = row_key_number('i', FIRST + i);
		edit_set(&edit, row_key_slice(&key), strbuf_slice(&row));
	}
	bool ok = edit_run(&edit, "gateways") == 0;
	store_close(s);
	options.collect_ms = 20;
	s = ceph_open_or_end(&ceph, options);
	uint64_t number = rados_of(s)->instance;
	struct gateway_list list = {.count = 0};
	OK(ok && number == 4096, "a gateway starts among very many that have died");
	for (unsigned i = 0; i < PATIENCE && list.count != 1; i++) {
		gateway_list_free(&list);
		if (gateways_read(rados_of(s), &list) != 0)
			break;
		(void)usleep(10000);
	}
	OK(list.count == 1 && list.list[0].instance == number,
		"and looks through what they have left");
	gateway_list_free(&list);
	store_close(s);
}

int main(void)
{
	if (!ceph_start(&ceph))
		return tap_done();
	many_starts();
	two_fold();
	one_folds_late();
	a_zombie_wakes();
	many_rows();
	ceph_stop(&ceph);
	return tap_done();
}
