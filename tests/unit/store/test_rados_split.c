/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tablets that are split, on Ceph, at two gateways: lists are exact meanwhile and afterwards, and
 * no change is lost, whoever has seen what of it.
 */
#include "store/rados/garbage/garbage.h"
#include "tap.h"
#include "unit/store/tablets.h"
#include "unit/store/versions.h"

static struct ceph ceph;

enum {
	KEYS = 400
};

static struct rados_options options_of(const char *space)
{
	struct rados_options options = ceph_small(space);
	options.frozen_ms = 300;
	return options;
}

/* ---- Tablets --------------------------------------------------------------------------------- */

static uint64_t splits_of(struct store *s)
{
	return atomic_load(&rados_of(s)->splits);
}

/* How many threads have changed tablets. When all is calm. */
static unsigned threads_of(struct store *s)
{
	unsigned count = 0;
	for (unsigned i = 0; i < RADOS_TABLET_THREADS; i++)
		count += rados_of(s)->tablets[i] != NULL;
	return count;
}

/* All splits have ended, and made one tablet each. */
static bool tablets_are_as_split(struct two *two)
{
	for (unsigned i = 0; i < PATIENCE; i++) {
		if (count_now(two) == splits_of(two->one) + splits_of(two->other) + 1)
			return true;
		(void)usleep(10000);
	}
	return false;
}

static bool put_all(struct two *two)
{
	bool ok = true;
	for (unsigned i = 0; ok && i < KEYS; i++) {
		char text[NAME_BYTES];
		struct slice key = key_of(text, i);
		ok = put_object(i % 2 ? two->one : two->other, two->id, key, key, NULL) == ERR_OK;
	}
	return ok;
}

static void many_keys(void)
{
	static char keys[KEYS][NAME_BYTES];
	static char rolled[KEYS][NAME_BYTES];
	size_t rolled_count = 0;
	struct two two = two_open(&ceph, options_of("many"));
	OK(put_all(&two), "both gateways put many keys");
	OK(tablets_are_as_split(&two) && splits_of(two.one) > 0 && splits_of(two.other) > 0 &&
			count_tablets(&two) > KEYS / 20,
		"and split tablets, each of which begins where another ends");
	OK(threads_of(two.one) > 1 && threads_of(two.other) > 1,
		"several threads see to the tablets of one bucket");
	struct store_bucket_stats counts;
	struct store_bucket_stats counts_other;
	bucket_stats(two.one, two.id, &counts);
	bucket_stats(two.other, two.id, &counts_other);
	OK(counts.objects == KEYS && counts_other.objects == KEYS, "both know how many there are");
	struct store_stats known;
	struct store_stats known_other;
	store_stats(two.one, &known);
	store_stats(two.other, &known_other);
	OK(known.objects <= KEYS && known_other.objects <= KEYS && known.objects > KEYS / 2 &&
			known_other.objects > KEYS / 2,
		"and of what they saw themselves nothing is counted twice");
	for (unsigned i = 0; i < KEYS; i++)
		(void)key_of(keys[i], i);
	qsort(keys, KEYS, sizeof(keys[0]), compare_keys);
	for (unsigned i = 0; i < KEYS; i++) {
		bool is_in = strncmp(keys[i], "folder/", 7) == 0;
		if (!is_in || i == 0)
			(void)snprintf(rolled[rolled_count++], NAME_BYTES, "%s",
				is_in ? "folder/" : keys[i]);
	}
	OK(lists(two.one, two.id, S(""), keys, KEYS) && lists(two.other, two.id, S(""), keys, KEYS),
		"lists are exact at both");
	OK(lists(two.one, two.id, S("/"), rolled, rolled_count) &&
			lists(two.other, two.id, S("/"), rolled, rolled_count),
		"also with folders");
	struct store *third = ceph_open(&ceph, options_of("many"));
	bool ok = third != NULL;
	for (unsigned i = 0; ok && i < KEYS; i++)
		ok = object_is(third, two.id, slice_str(keys[i]), slice_str(keys[i]));
	struct store_bucket_stats stats = {.objects = 0};
	if (third)
		bucket_stats(third, two.id, &stats);
	OK(ok && stats.objects == KEYS, "a gateway that begins now finds all, and counts them");
	OK(bucket_delete(two.one, S("b")) == ERR_BUCKET_NOT_EMPTY, "the bucket is not empty");
	for (unsigned i = 0; ok && i < KEYS; i++)
		ok = delete_object(i % 3 ? two.one : two.other, two.id, slice_str(keys[i]), NULL) ==
		     ERR_OK;
	OK(ok && lists(third, two.id, S(""), NULL, 0) &&
			bucket_delete(two.other, S("b")) == ERR_OK &&
			put_object(third, two.id, S("k"), S("x"), NULL) == ERR_NO_SUCH_BUCKET,
		"all is deleted, and the bucket with its tablets");
	store_close(third);
	two_close(&two);
}

static void one_list_of_many_tablets(void)
{
	enum {
		ALL = 320
	};
	struct rados_options options = options_of("small");
	options.split = 4;
	struct two two = two_open(&ceph, options);
	bool ok = true;
	for (unsigned i = 0; ok && i < ALL; i++) {
		char text[NAME_BYTES];
		int len = snprintf(text, sizeof(text), "k%05u", i);
		struct slice key = slice_of(text, (size_t)len);
		ok = put_object(two.one, two.id, key, key, NULL) == ERR_OK;
	}
	OK(ok && count_tablets(&two) > 100, "very many tablets");
	struct store_list list = {.bucket_id = two.id, .max_entries = 1000};
	ok = ok && list_objects(two.other, &list) == ERR_OK;
	OK(ok && list.count == ALL && !list.truncated, "one list has all that is in them");
	store_list_release(two.other, &list);
	list = (struct store_list){.bucket_id = two.id, .max_entries = 1000, .versions = true};
	ok = ok && list_objects(two.other, &list) == ERR_OK;
	OK(ok && list.count == ALL && !list.truncated, "and so has one of versions");
	store_list_release(two.other, &list);
	two_close(&two);
}

static void versions_and_uploads(void)
{
	struct two two = two_open(&ceph, options_of("versions"));
	bool ok = set_versioning(two.one, S("b"), STORE_VERSIONED) == ERR_OK;
	for (unsigned i = 0; ok && i < 120; i++) {
		char text[NAME_BYTES];
		struct slice key = key_of(text, i % 40);
		ok = put_object(i % 2 ? two.one : two.other, two.id, key, key, NULL) == ERR_OK;
	}
	struct store_list list = {.bucket_id = two.id, .max_entries = 1000, .versions = true};
	ok = ok && list_objects(two.other, &list) == ERR_OK;
	bool order = ok && list.count == 120;
	for (uint32_t i = 1; order && i < list.count; i++) {
		const struct store_entry *a = &list.entries[i - 1];
		const struct store_entry *b = &list.entries[i];
		int compared = slice_cmp(a->key, b->key);
		order = compared < 0 || (compared == 0 && a->object.version > b->object.version);
		order = order && b->is_latest == (compared != 0);
	}
	if (ok)
		store_list_release(two.other, &list);
	OK(order && count_tablets(&two) > 2, "all versions are listed, across tablets");
	OK(set_versioning(two.other, S("b"), STORE_VERSIONING_SUSPENDED) == ERR_OK, "suspended");
	struct store_object object;
	struct put_how how = {.object = &object};
	for (unsigned i = 0; ok && i < 40; i++) {
		char text[NAME_BYTES];
		ok = put_object(two.one, two.id, key_of(text, i), S("null"), &how) == ERR_OK &&
		     object.is_null;
	}
	OK(ok, "in all of them");
	for (unsigned i = 0; ok && i < 60; i++) {
		char text[NAME_BYTES];
		uint64_t upload;
		ok = upload_begin(i % 2 ? two.one : two.other, two.id, key_of(text, i), S(""),
			     &upload) == ERR_OK &&
		     put_part(i % 2 ? two.other : two.one, two.id, key_of(text, i), upload, 1,
			     S("part"), NULL) == ERR_OK;
	}
	struct store_list_multiparts uploads = {.bucket_id = two.id, .max_uploads = 1000};
	ok = ok && list_uploads(two.one, &uploads) == ERR_OK;
	bool complete = ok && uploads.count == 60;
	for (uint32_t i = 0; complete && i < uploads.count; i++) {
		struct store_multipart_complete one = {.bucket_id = two.id,
			.key = uploads.uploads[i].key,
			.upload = uploads.uploads[i].upload};
		complete = upload_complete(i % 2 ? two.one : two.other, &one) == ERR_OK &&
			   object_is(two.other, two.id, one.key, S("part"));
	}
	if (ok)
		store_list_multiparts_release(two.one, &uploads);
	OK(complete, "uploads are listed and completed, across tablets");
	two_close(&two);
}

/* ---- In order ----------------------------------------------------------------------------------
 */

/* Keys in their order. */
static bool put_numbered(struct store *s, uint64_t id, unsigned first, unsigned count)
{
	bool ok = true;
	for (unsigned i = first; ok && i < first + count; i++) {
		char text[NAME_BYTES];
		int len = snprintf(text, sizeof(text), "k%05u", i);
		struct slice key = slice_of(text, (size_t)len);
		ok = put_object(s, id, key, S("x"), NULL) == ERR_OK;
	}
	return ok;
}

static void keys_that_come_in_order(void)
{
	struct two two = two_open(&ceph, options_of("order"));
	unsigned count = 0;
	unsigned full = 0;
	uint64_t tablet = 0;
	bool ok = put_numbered(two.one, two.id, 0, 200) && tablets_are_as_split(&two);
	do {
		struct seen seen;
		if (tablet_see(rados_of(two.one), two.id, tablet, &seen) != ERR_OK)
			abort();
		count++;
		full += seen.counts.objects >= 18;
		tablet = seen.head.right;
		seen_release(&seen);
	} while (tablet);
	OK(ok && count > 8 && full + 1 >= count, "keys that come in order fill tablets");
	two_close(&two);
}

/* ---- Counts ---------------------------------------------------------------------------------- */

/* What it knows itself; the only bucket is that of the tablets. */
static bool has_counted(struct store *s, uint64_t objects)
{
	struct store_stats stats;
	store_stats(s, &stats);
	return stats.objects == objects && stats.bytes == objects;
}

static void tablets_that_are_found_are_counted(void)
{
	struct two two = two_open(&ceph, options_of("found"));
	/* Not in order: it is to be split in the middle. */
	bool ok = put_numbered(two.one, two.id, 10, 9) && put_numbered(two.one, two.id, 0, 10);
	struct store *left = ceph_open_or_end(&ceph, options_of("found"));
	struct store *right = ceph_open_or_end(&ceph, options_of("found"));
	OK(ok && has_counted(left, 19) && has_counted(right, 19), "others have counted a tablet");
	ok = put_numbered(two.one, two.id, 19, 1);
	for (unsigned i = 0; i < PATIENCE && splits_of(two.one) == 0; i++)
		(void)usleep(10000);
	OK(ok && splits_of(two.one) == 1 && count_tablets(&two) == 2, "it is split");
	OK(put_object(left, two.id, S("a"), S("x"), NULL) == ERR_OK && has_counted(left, 21),
		"who changes its left half finds the other one, and counts that");
	OK(put_object(right, two.id, S("z"), S("x"), NULL) == ERR_OK && has_counted(right, 22),
		"who changes the right half counts the left one again");
	store_close(left);
	store_close(right);
	two_close(&two);
}

/* ---- At the same time ------------------------------------------------------------------------ */

static void splits_under_load(void)
{
	struct two two = two_open(&ceph, options_of("load"));
	struct worker workers[WRITERS + LISTERS];
	atomic_bool ends = false;
	char text[NAME_BYTES];
	bool ok = true;
	unsigned wrong = 0;
	unsigned there = STEADY + WRITERS;
	for (unsigned i = 0; ok && i < STEADY; i++)
		ok = put_object(two.one, two.id, steady_key(text, i), S("x"), NULL) == ERR_OK;
	for (unsigned i = 0; i < WRITERS + LISTERS; i++) {
		workers[i] = (struct worker){.two = &two, .number = i, .ends = &ends};
		if (pthread_create(&workers[i].thread, NULL, i < WRITERS ? write_on : list_on,
			    &workers[i]) != 0)
			abort();
	}
	for (unsigned i = 0; i < WRITERS + LISTERS; i++) {
		if (i == WRITERS)
			atomic_store(&ends, true);
		(void)pthread_join(workers[i].thread, NULL);
		wrong += workers[i].wrong;
		there += i < WRITERS ? workers[i].done : 0;
	}
	OK(ok && wrong == 0, "writers append and put, listers see all that stays, while tablets "
			     "are split");
	OK(count_tablets(&two) > there / 40, "which they are");
	struct store *third = ceph_open(&ceph, options_of("load"));
	struct store_bucket_stats stats = {.objects = 0};
	if (third)
		bucket_stats(third, two.id, &stats);
	OK(stats.objects == there, "all that was acknowledged is there, and counted once");
	store_close(third);
	two_close(&two);
}

/* ---- Who dies, and wakes --------------------------------------------------------------------- */

/* As far as somebody comes who dies before the last step. */
static bool begin_split(struct two *two, uint64_t number)
{
	struct rados *r = rados_of(two->one);
	struct seen seen;
	struct seen again;
	char name[RADOS_NAME_BYTES];
	bool ok = tablet_see(r, two->id, 0, &seen) == ERR_OK;
	struct head head = seen.head;
	head.state = HEAD_SPLITTING;
	head.copying = number;
	ok = ok && head_set(r, seen.name, seen.epoch, &head) == 0;
	seen_release(&seen);
	/* The new one; what is in it does not matter. */
	struct edit edit = edit_begin(r->index);
	edit_create(&edit);
	edit_set(&edit, S(ROW_EPOCH), S("1234567812345678"));
	ok = ok && edit_run(&edit, rados_tablet_name(name, two->id, number)) == 0;
	ok = ok && tablet_see(r, two->id, 0, &again) == ERR_OK &&
	     again.head.state == HEAD_SPLITTING;
	seen_release(&again);
	return ok;
}

/* Of whoever undoes it and dies before the new one has gone. */
static void one_that_is_not_undone_wholly(void)
{
	struct two two = two_open(&ceph, options_of("half"));
	struct rados *r = rados_of(two.one);
	uint64_t number = rados_number(r);
	struct row_key row = row_key_number(ROW_MERGED, number);
	struct seen seen;
	struct seen rest;
	bool ok = begin_split(&two, number) && tablet_see(r, two.id, 0, &seen) == ERR_OK;
	struct head head = seen.head;
	head.state = HEAD_ACTIVE;
	head.copying = 0;
	struct edit edit = edit_begin(r->index);
	ok = head_stage(&edit, seen.epoch, &head) == ERR_OK && ok;
	edit_set(&edit, row_key_slice(&row), S("1"));
	ok = edit_run(&edit, seen.name) == 0 && ok;
	seen_release(&seen);
	OK(ok && garbage_collect(r) == 0 &&
			tablet_see(r, two.id, number, &rest) == ERR_NO_SUCH_BUCKET,
		"what was split off in vain goes with the garbage");
	seen_release(&rest);
	two_close(&two);
}

static void one_that_does_not_go_on(void)
{
	struct two two = two_open(&ceph, options_of("dead"));
	struct seen seen;
	uint64_t number = rados_number(rados_of(two.one));
	bool ok = put_object(two.one, two.id, S("k"), S("1"), NULL) == ERR_OK &&
		  begin_split(&two, number);
	struct seen old;
	ok = ok && tablet_see(rados_of(two.one), two.id, 0, &old) == ERR_OK;
	OK(ok && object_is(two.other, two.id, S("k"), S("1")), "a tablet can be read while it is "
							       "split");
	OK(put_object(two.other, two.id, S("k"), S("2"), NULL) == ERR_OK &&
			object_is(two.one, two.id, S("k"), S("2")),
		"if whoever splits it does not go on it is undone");
	OK(tablet_see(rados_of(two.one), two.id, number, &seen) == ERR_NO_SUCH_BUCKET,
		"and the new one goes");
	seen_release(&seen);
	struct head head = old.head;
	head.state = HEAD_ACTIVE;
	head.copying = 0;
	head.high = S("a");
	head.right = number;
	OK(head_set(rados_of(two.one), old.name, old.epoch, &head) == -ECANCELED &&
			object_is(two.one, two.id, S("k"), S("2")),
		"who wakes too late changes nothing");
	seen_release(&old);
	ok = put_object(two.one, two.id, S("k"), S("3"), NULL) == ERR_OK &&
	     begin_split(&two, rados_number(rados_of(two.one)));
	OK(ok && set_versioning(two.other, S("b"), STORE_VERSIONED) == ERR_OK &&
			count_tablets(&two) == 1,
		"versioning does not wait for it for ever");
	two_close(&two);
}

int main(void)
{
	if (!ceph_start(&ceph))
		return tap_done();
	many_keys();
	one_list_of_many_tablets();
	versions_and_uploads();
	keys_that_come_in_order();
	tablets_that_are_found_are_counted();
	splits_under_load();
	one_that_does_not_go_on();
	one_that_is_not_undone_wholly();
	ceph_stop(&ceph);
	return tap_done();
}
