/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tablets that are merged, on Ceph, at gateways that know nothing of it: lists are exact meanwhile
 * and afterwards, and no change is lost, whoever dies or stands still at whichever step.
 */
#include <inttypes.h>

#include "crypto/crc64.h"
#include "store/rados/cluster/cluster_internal.h"
#include "store/rados/garbage/garbage_internal.h"
#include "tap.h"
#include "unit/store/merges.h"
#include "unit/store/versions.h"

static struct ceph ceph;

enum {
	KEYS = 400,
	KEPT = 10, /* of those */
	TEXT_BYTES = 32768,
};

static struct rados_options options_of(const char *space)
{
	struct rados_options options = ceph_small(space);
	options.frozen_ms = 300;
	options.merge = 12;
	return options;
}

/* How many tablets there are in Ceph, also such as are not reached. */
static unsigned objects_of_tablets(const char *space)
{
	unsigned count = 0;
	char *all = ceph_objects(&ceph, space);
	for (const char *at = all; (at = strstr(at, "index t.")); at++)
		count++;
	free(all);
	return count;
}

/* ---- Few that are left ----------------------------------------------------------------------- */

static void few_that_are_left(void)
{
	static char kept[KEPT][NAME_BYTES];
	struct two two = two_open(&ceph, options_of("few"));
	char text[NAME_BYTES];
	bool ok = true;
	for (unsigned i = 0; ok && i < KEYS; i++)
		ok = put_object(i % 2 ? two.one : two.other, two.id, key_of(text, i), S("x"),
			     NULL) == ERR_OK;
	unsigned tablets = count_tablets(&two);
	OK(ok && tablets > KEYS / 20, "many tablets");
	for (unsigned i = 0; ok && i < KEYS; i++)
		if (i % (KEYS / KEPT))
			ok = delete_object(i % 2 ? two.one : two.other, two.id, key_of(text, i),
				     NULL) == ERR_OK;
		else
			(void)key_of(kept[i / (KEYS / KEPT)], i);
	qsort(kept, KEPT, sizeof(kept[0]), compare_keys);
	/* The second gateway hears nothing of it. */
	OK(ok && garbage_collect(rados_of(two.one)) == 0 && count_tablets(&two) == 1 &&
			objects_of_tablets("few") == 1 &&
			atomic_load(&rados_of(two.one)->merges) >= tablets - 1,
		"when little is left it is in one, and the others are gone");
	struct store *third = ceph_open_or_end(&ceph, options_of("few"));
	struct store *stores[] = {two.other, two.one, third};
	for (size_t i = 0; i < ARRAY_LEN(stores); i++) {
		struct store *s = stores[i];
		struct store_bucket_stats stats;
		bucket_stats(s, two.id, &stats);
		ok = lists(s, two.id, S(""), kept, KEPT) && stats.objects == KEPT &&
		     stats.bytes == KEPT;
		for (unsigned k = 0; ok && k < KEYS; k++)
			ok = object_is(s, two.id, key_of(text, k), S("x")) ==
			     (k % (KEYS / KEPT) == 0);
		OK(ok, "all that is left is found, listed and counted: gateway %zu", i);
	}
	/* Its directory knew of tablets that are no more. */
	for (unsigned i = 1; ok && i < KEYS; i += KEYS / KEPT)
		ok = put_object(two.other, two.id, key_of(text, i), S("y"), NULL) == ERR_OK &&
		     object_is(two.one, two.id, key_of(text, i), S("y"));
	OK(ok, "who knew tablets that are no more puts into the one that is");
	for (unsigned i = 0; ok && i < 2 * KEYS; i++)
		ok = put_object(i % 2 ? two.one : two.other, two.id, key_of(text, i), S("x"),
			     NULL) == ERR_OK;
	OK(ok && count_tablets(&two) > 2 * KEYS / 20, "and when there is much again it is split");
	for (unsigned i = 0; ok && i < 2 * KEYS; i++)
		ok = delete_object(third, two.id, key_of(text, i), NULL) == ERR_OK;
	OK(ok && bucket_delete(third, S("b")) == ERR_OK, "the bucket is deleted");
	store_close(third);
	two_close(&two);
}

/* ---- Whatever there is ----------------------------------------------------------------------- */

/* All that lists say, and the bytes of all versions, as a text. */
static void describe(struct store *s, uint64_t id, char *text, size_t size)
{
	size_t at = 0;
	struct store_list list = {.bucket_id = id, .max_entries = 1000, .versions = true};
	struct store_list_multiparts uploads = {.bucket_id = id, .max_uploads = 1000};
	struct store_bucket_stats stats;
	bucket_stats(s, id, &stats);
	if (list_objects(s, &list) != ERR_OK || list_uploads(s, &uploads) != ERR_OK)
		abort();
	at += (size_t)snprintf(text + at, size - at,
		"%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
		stats.objects, stats.bytes, stats.old_versions, stats.old_bytes, stats.uploads,
		stats.part_bytes);
	for (uint32_t i = 0; i < list.count && at < size; i++) {
		const struct store_entry *e = &list.entries[i];
		struct store_get get;
		uint64_t bytes = 0;
		if (!e->object.is_marker &&
			get_version(s, id, e->key, version_of(&e->object), false, &get) == ERR_OK) {
			char *got = get_bytes(s, &get, 0);
			bytes = got ? crc64_update(0, slice_of(got, get.object.size)) : 1;
			free(got);
			store_get_release(s, &get);
		}
		at += (size_t)snprintf(text + at, size - at,
			"%.*s %" PRIu64 " %d %d %d %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
			SLICE_FMT(e->key), e->object.version, e->is_latest, e->object.is_null,
			e->object.is_marker, e->object.size, e->object.crc64, bytes);
	}
	for (uint32_t i = 0; i < uploads.count && at < size; i++) {
		const struct store_multipart *u = &uploads.uploads[i];
		struct store_list_parts parts = {
			.bucket_id = id, .key = u->key, .upload = u->upload, .max_parts = 1000};
		if (list_parts(s, &parts) != ERR_OK)
			abort();
		at += (size_t)snprintf(text + at, size - at, "%.*s %" PRIu64 " %u parts\n",
			SLICE_FMT(u->key), u->upload, parts.count);
		store_list_parts_release(s, &parts);
	}
	if (at >= size)
		abort();
	store_list_release(s, &list);
	store_list_multiparts_release(s, &uploads);
}

/* Of all kinds. */
static bool fill(struct two *two)
{
	static char large[20000];
	char text[NAME_BYTES];
	bool ok = true;
	uint64_t upload;
	memset(large, 'l', sizeof(large));
	for (unsigned i = 0; ok && i < 40; i++) {
		struct store *s = i % 2 ? two->one : two->other;
		struct slice key = key_of(text, i);
		struct slice bytes = i % 3 ? key : slice_of(large, sizeof(large));
		ok = put_object(s, two->id, key, bytes, NULL) == ERR_OK;
		if (ok && i == 15)
			ok = set_versioning(two->one, S("b"), STORE_VERSIONED) == ERR_OK;
		if (ok && i > 20)
			ok = put_object(s, two->id, key, S("again"), NULL) == ERR_OK;
		if (ok && i % 10 == 0)
			ok = delete_object(s, two->id, key, NULL) == ERR_OK;
		if (ok && i % 4 == 0)
			ok = upload_begin(s, two->id, key, S(""), &upload) == ERR_OK &&
			     put_part(s, two->id, key, upload, 1, bytes, NULL) == ERR_OK &&
			     put_part(s, two->id, key, upload, 3, key, NULL) == ERR_OK;
	}
	for (unsigned i = 0; ok && i < 3; i++)
		ok = append(two->one, two->id, S("k-appended"), i * sizeof(large),
			     slice_of(large, sizeof(large)), NULL) == ERR_OK;
	return ok;
}

static void whatever_there_is(void)
{
	static char before[TEXT_BYTES];
	static char after[TEXT_BYTES];
	struct rados_options options = options_of("all");
	options.split = 4;
	options.merge = 1;
	struct two two = two_open(&ceph, options);
	OK(fill(&two) && count_tablets(&two) > 8, "objects, versions and uploads in many tablets");
	describe(two.other, two.id, before, sizeof(before));
	options.split = options.merge = 1000;
	struct store *third = ceph_open_or_end(&ceph, options);
	/* Those that garbage names are part of what moves. */
	while (tablet_merge(rados_of(third), two.id, 0))
		continue;
	describe(two.other, two.id, after, sizeof(after));
	OK(count_tablets(&two) == 1 && strcmp(before, after) == 0,
		"all of it is the same when they are one");
	describe(third, two.id, after, sizeof(after));
	OK(strcmp(before, after) == 0, "at all gateways");
	struct store_list_multiparts uploads = {.bucket_id = two.id, .max_uploads = 1000};
	bool ok = list_uploads(two.one, &uploads) == ERR_OK && uploads.count == 10;
	for (uint32_t i = 0; ok && i < uploads.count; i++) {
		struct store_multipart_complete one = {.bucket_id = two.id,
			.key = uploads.uploads[i].key,
			.upload = uploads.uploads[i].upload};
		ok = upload_complete(i % 2 ? two.one : two.other, &one) == ERR_OK;
	}
	store_list_multiparts_release(two.one, &uploads);
	OK(ok && append(two.other, two.id, S("k-appended"), 60000, S("."), NULL) == ERR_OK,
		"uploads are completed, objects are appended to");
	store_close(third);
	two_close(&two);
}

/* ---- Who dies at which step ------------------------------------------------------------------ */

/* The last step, with what was known of the left one. */
static int commit_late(struct two *two, const struct seen *left)
{
	struct head head = left->head;
	head.state = HEAD_ACTIVE;
	head.copying = 0;
	head.high = S("");
	head.right = 0;
	return head_set(rados_of(two->one), left->name, left->epoch, &head);
}

struct death {
	const char *name;
	enum head_state left;
	enum head_state right;
};

static void one_that_dies(const struct death *death, const char *space)
{
	static char keys[4][NAME_BYTES] = {"a", "b", "y", "z"};
	struct two two = two_tablets(&ceph, options_of(space));
	uint64_t right = right_of(&two, 0);
	bool ok = object_is(two.other, two.id, S("a"), S("1"));
	if (death->left != HEAD_ACTIVE)
		set_state(&two, 0, death->left, right);
	if (death->right != HEAD_ACTIVE)
		set_state(&two, right, death->right, 0);
	struct seen left;
	ok = ok && tablet_see(rados_of(two.one), two.id, 0, &left) == ERR_OK;
	OK(ok && object_is(two.other, two.id, S("z"), S("1")) &&
			object_is(two.other, two.id, S("a"), S("1")) &&
			lists(two.other, two.id, S(""), keys, 4),
		"%s: all can be read", death->name);
	ok = put_object(two.other, two.id, S("z"), S("2"), NULL) == ERR_OK;
	/* Nobody has changed the left one itself. */
	bool is_late = death->left == HEAD_MERGING && death->right != HEAD_ACTIVE;
	OK(ok && (!is_late || commit_late(&two, &left) == -ECANCELED),
		"%s: who wakes when that was undone, and goes on, changes nothing", death->name);
	seen_release(&left);
	OK(put_object(two.other, two.id, S("a"), S("2"), NULL) == ERR_OK &&
			object_is(two.one, two.id, S("z"), S("2")) &&
			object_is(two.one, two.id, S("a"), S("2")) && count_tablets(&two) == 2,
		"%s: it is undone, and can be changed", death->name);
	set_state(&two, 0, HEAD_MERGING, right);
	set_state(&two, right, HEAD_MOVED, 0);
	OK(set_versioning(two.other, S("b"), STORE_VERSIONED) == ERR_OK && count_tablets(&two) == 2,
		"%s: versioning does not wait for it for ever", death->name);
	two_close(&two);
}

static void who_dies(void)
{
	static const struct death deaths[] = {
		{"after the left one", HEAD_MERGING, HEAD_ACTIVE},
		{"after both", HEAD_MERGING, HEAD_MOVING},
		{"just before the end", HEAD_MERGING, HEAD_MOVED},
		{"while it is undone", HEAD_ACTIVE, HEAD_MOVED},
	};
	for (size_t i = 0; i < ARRAY_LEN(deaths); i++) {
		char space[NAME_BYTES];
		(void)snprintf(space, sizeof(space), "dies%zu", i);
		one_that_dies(&deaths[i], space);
	}
}

static void who_dies_after_the_end(void)
{
	static char keys[4][NAME_BYTES] = {"a", "b", "y", "z"};
	struct two two = two_tablets(&ceph, options_of("end"));
	uint64_t right = right_of(&two, 0);
	struct seen seen;
	struct store *reader = ceph_open_or_end(&ceph, options_of("end"));
	will_not_split(&two);
	bool ok = object_is(two.other, two.id, S("z"), S("1")) &&
		  object_is(reader, two.id, S("z"), S("1")) &&
		  tablet_see(rados_of(two.one), two.id, right, &seen) == ERR_OK &&
		  tablet_merge(rados_of(two.one), two.id, 0);
	OK(ok && objects_of_tablets("end") == 1, "two tablets are merged");
	put_back(&two, &seen, right);
	OK(put_object(two.other, two.id, S("z"), S("2"), NULL) == ERR_OK &&
			object_is(two.one, two.id, S("z"), S("2")) &&
			objects_of_tablets("end") == 1,
		"if whoever merged them left the right one there, who changes something removes "
		"it");
	put_back(&two, &seen, right);
	OK(object_is(reader, two.id, S("z"), S("2")) && objects_of_tablets("end") == 1,
		"and so does who reads; nobody takes what it had for true");
	put_back(&two, &seen, right);
	OK(lists(two.other, two.id, S(""), keys, 4) && garbage_collect(rados_of(two.other)) == 0 &&
			objects_of_tablets("end") == 1,
		"or a collection does");
	store_close(reader);
	seen_release(&seen);
	two_close(&two);
}

/* ---- What is missing ------------------------------------------------------------------------- */

static void a_tablet_that_is_missing(void)
{
	struct two two = two_tablets(&ceph, options_of("missing"));
	struct rados *r = rados_of(two.one);
	char name[RADOS_NAME_BYTES];
	struct edit edit = edit_begin(r->index);
	struct store_get get;
	struct store_list list = {.bucket_id = two.id, .max_entries = 1000};
	edit_remove_object(&edit);
	bool ok = object_is(two.other, two.id, S("z"), S("1")) &&
		  edit_run(&edit, rados_tablet_name(name, two.id, right_of(&two, 0))) == 0;
	OK(ok &&
			get_version(two.other, two.id, S("z"), (struct store_version){.number = 0},
				false, &get) == ERR_UNAVAILABLE &&
			list_objects(two.other, &list) == ERR_UNAVAILABLE &&
			put_object(two.other, two.id, S("z"), S("2"), NULL) == ERR_UNAVAILABLE,
		"without a tablet that others lead to, what it has is an error, and not an "
		"absence");
	OK(object_is(two.other, two.id, S("a"), S("1")) &&
			put_object(two.other, two.id, S("a"), S("2"), NULL) == ERR_OK,
		"what others have is there");
	two_close(&two);
}

/* ---- Who was shut out ------------------------------------------------------------------------ */

static bool is_closed(struct two *two, uint64_t tablet, uint64_t instance)
{
	struct seen seen;
	struct own own = {.sequence = 0};
	bool there;
	bool ok = tablet_see(rados_of(two->one), two->id, tablet, &seen) == ERR_OK &&
		  owns_take(seen.owns, instance, &own, &there) && own.is_closed;
	seen_release(&seen);
	return ok;
}

static void who_was_shut_out(void)
{
	struct two two = two_tablets(&ceph, options_of("closed"));
	struct rados *r = rados_of(two.one);
	char name[RADOS_NAME_BYTES];
	uint64_t right = right_of(&two, 0);
	uint64_t dead = 7777;
	struct store_bucket_stats stats;
	bool ok = tablet_fence(r, rados_tablet_name(name, two.id, right), dead) == 0 &&
		  is_closed(&two, right, dead) && !is_closed(&two, 0, dead);
	will_not_split(&two);
	OK(ok && tablet_merge(r, two.id, 0) && is_closed(&two, 0, dead),
		"who was shut out of the right one is shut out of what it became part of");
	bucket_stats(two.other, two.id, &stats);
	OK(stats.objects == 4, "and that is counted");
	two_close(&two);
	two = two_tablets(&ceph, options_of("ended"));
	r = rados_of(two.one);
	right = right_of(&two, 0);
	/* Of the right one somebody has added up the counts of gateways that have ended. */
	struct gateway_list gateways;
	struct store *brief = ceph_open_or_end(&ceph, options_of("ended"));
	uint64_t ended = rados_of(brief)->instance;
	ok = put_object(brief, two.id, S("zz"), S("1"), NULL) == ERR_OK;
	store_close(brief);
	ok = ok && gateways_read(r, &gateways) == 0 &&
	     tablet_fold(r, two.id, right, &gateways) == 0 && is_closed(&two, right, ended) &&
	     !is_closed(&two, 0, ended);
	gateway_list_free(&gateways);
	will_not_split(&two);
	OK(ok && tablet_merge(r, two.id, 0) && is_closed(&two, 0, ended),
		"so is who has ended, as only the right one knew");
	two_close(&two);
}

/*
 * Somebody who knows only tablets that are no more looks through what a dead gateway was writing:
 * that has become an object, and is to stay.
 */
static void what_the_dead_wrote(void)
{
	enum {
		LARGE = 20000,
		EPOCHS = 5,
	};
	char large[LARGE];
	struct two two = two_tablets(&ceph, options_of("wrote"));
	struct store *dead = ceph_open_or_end(&ceph, options_of("wrote"));
	uint64_t instance = rados_of(dead)->instance;
	struct slice bytes = slice_of(large, sizeof(large));
	memset(large, 'l', sizeof(large));
	bool ok = put_object(dead, two.id, S("z"), bytes, NULL) == ERR_OK &&
		  object_is(two.other, two.id, S("z"), bytes);
	uint64_t number = rados_number(rados_of(dead));
	store_close(dead);
	will_not_split(&two);
	struct gateway row = {.instance = instance, .row = {.low = instance << 40, .end = number}};
	OK(ok && tablet_merge(rados_of(two.one), two.id, 0) &&
			remains_collect(rados_of(two.other), &row) == 0 &&
			is_closed(&two, 0, instance),
		"what a dead gateway wrote into a tablet that is no more is looked through");
	rados_of(two.one)->timers.epoch_ms = rados_of(two.other)->timers.epoch_ms = 1;
	for (unsigned i = 0; ok && i < EPOCHS; i++)
		ok = garbage_collect(rados_of(two.one)) == 0;
	OK(ok && object_is(two.one, two.id, S("z"), bytes), "and what became an object stays");
	two_close(&two);
}

/* ---- At the same time ------------------------------------------------------------------------ */

static int (*operate)(void *op, void *io, const char *object, time_t *mtime, int flags);

/*
 * The gateway that merges is slow at times, so that others undo what it does, and then goes on; or
 * does not know what has become of an operation.
 */
static int operate_badly(void *op, void *io, const char *object, time_t *mtime, int flags)
{
	static _Atomic unsigned number;
	unsigned chance =
		(unsigned)strncmp(object, "t.", 2) ? 0 : atomic_fetch_add(&number, 1) % 32;
	if (chance == 5 || chance == 17)
		(void)usleep(500000);
	if (chance == 11)
		return -ETIMEDOUT;
	int result = operate(op, io, object, mtime, flags);
	return chance == 22 ? -ETIMEDOUT : result;
}

struct merger {
	pthread_t thread;
	struct two *two;
	struct store *store;
	atomic_bool *ends;
};

static void *merge_on(void *arg)
{
	struct merger *m = arg;
	struct rados *r = rados_of(m->store);
	uint64_t tablet = 0;
	while (!atomic_load(m->ends)) {
		struct seen seen;
		bool merged = tablet_merge(r, m->two->id, tablet);
		/* Others do something, too. */
		(void)usleep(2000);
		if (merged)
			continue;
		enum err e = tablet_see(r, m->two->id, tablet, &seen);
		tablet = e == ERR_OK ? seen.head.right : 0;
		seen_release(&seen);
	}
	return NULL;
}

static bool both_merged(struct two *two, struct store *bad)
{
	return atomic_load(&rados_of(bad)->merges) > 0 &&
	       atomic_load(&rados_of(two->other)->merges) > 0;
}

static void merges_under_load(void)
{
	struct rados_options options = options_of("load");
	options.merge = 24; /* more than what is split: so both never end */
	options.collect_ms = 50;
	struct two two = two_open(&ceph, options);
	struct worker workers[WRITERS + LISTERS];
	struct merger mergers[2];
	atomic_bool ends = false;
	char text[NAME_BYTES];
	bool ok = true;
	unsigned wrong = 0;
	unsigned there = STEADY + WRITERS;
	struct store *bad = ceph_open_or_end(&ceph, options);
	operate = rados_of(bad)->cluster->api.write_op_operate;
	rados_of(bad)->cluster->api.write_op_operate = operate_badly;
	for (unsigned i = 0; ok && i < STEADY; i++)
		ok = put_object(two.one, two.id, steady_key(text, i), S("x"), NULL) == ERR_OK;
	for (unsigned i = 0; i < ARRAY_LEN(mergers); i++) {
		mergers[i] =
			(struct merger){.two = &two, .store = i ? bad : two.other, .ends = &ends};
		if (pthread_create(&mergers[i].thread, NULL, merge_on, &mergers[i]) != 0)
			abort();
	}
	for (unsigned i = 0; i < WRITERS + LISTERS; i++) {
		workers[i] = (struct worker){.two = &two, .number = i, .ends = &ends};
		if (pthread_create(&workers[i].thread, NULL, i < WRITERS ? write_on : list_on,
			    &workers[i]) != 0)
			abort();
	}
	for (unsigned i = 0; i < WRITERS + LISTERS; i++) {
		for (unsigned t = 0; i == WRITERS && t < PATIENCE && !both_merged(&two, bad); t++)
			(void)usleep(10000);
		if (i == WRITERS)
			atomic_store(&ends, true);
		(void)pthread_join(workers[i].thread, NULL);
		wrong += workers[i].wrong;
		there += i < WRITERS ? workers[i].done : 0;
	}
	for (unsigned i = 0; i < ARRAY_LEN(mergers); i++)
		(void)pthread_join(mergers[i].thread, NULL);
	OK(ok && wrong == 0,
		"writers append and put, listers see all that stays, while tablets are "
		"merged, badly at times, and split");
	OK(both_merged(&two, bad), "which they are");
	struct store *third = ceph_open_or_end(&ceph, options);
	struct store_bucket_stats stats;
	struct store_list list = {.bucket_id = two.id, .max_entries = 1000};
	bucket_stats(third, two.id, &stats);
	ok = list_objects(third, &list) == ERR_OK && list.count == there;
	OK(ok && stats.objects == there && count_tablets(&two) > 0,
		"all that was acknowledged is there, and counted once");
	store_list_release(third, &list);
	store_close(third);
	store_close(bad);
	two_close(&two);
}

int main(void)
{
	if (!ceph_start(&ceph))
		return tap_done();
	few_that_are_left();
	whatever_there_is();
	who_dies();
	who_dies_after_the_end();
	a_tablet_that_is_missing();
	who_was_shut_out();
	what_the_dead_wrote();
	merges_under_load();
	ceph_stop(&ceph);
	return tap_done();
}
