/* SPDX-License-Identifier: Apache-2.0 */
/* Data that nothing refers to, on Ceph: all of it goes, and nothing else does, whoever reads. */
#include "store/rados/cluster/edit.h"
#include "store/rados/cluster/fetch.h"
#include "store/rados/garbage/garbage.h"
#include "store/rados/rows/key.h"
#include "store/rados/tablet/heads.h"
#include "store/rados/tablet/tablet.h"
#include "tap.h"
#include "unit/store/ceph_clean.h"
#include "unit/store/versions.h"

static struct ceph ceph;
static char large[1000000];
static char small[3000];

#define LARGE slice_of(large, sizeof(large))
#define SMALL slice_of(small, sizeof(small))

enum {
	NEVER_MS = 3600000
};

/* ---- What goes ------------------------------------------------------------------------------- */

static bool put(struct store *s, uint64_t id, struct slice key, struct slice bytes)
{
	return put_object(s, id, key, bytes, NULL) == ERR_OK;
}

static bool replace_and_delete(struct store *s, uint64_t id)
{
	uint64_t upload = 0;
	bool ok = put(s, id, S("over"), LARGE) && put(s, id, S("over"), SMALL) &&
		  put(s, id, S("over"), LARGE) && put(s, id, S("gone"), SMALL) &&
		  delete_object(s, id, S("gone"), NULL) == ERR_OK &&
		  put_and_abort(s, id, S("never"), LARGE);
	for (unsigned i = 0; ok && i < 5; i++)
		ok = append(s, id, S("log"), i * sizeof(small), SMALL, NULL) == ERR_OK;
	ok = ok && append(s, id, S("log"), 1, SMALL, NULL) == ERR_POSITION_NOT_EQUAL_TO_LENGTH;
	ok = ok && upload_begin(s, id, S("parts"), S(""), &upload) == ERR_OK &&
	     put_part(s, id, S("parts"), upload, 1, LARGE, NULL) == ERR_OK &&
	     put_part(s, id, S("parts"), upload, 1, LARGE, NULL) == ERR_OK &&
	     put_part(s, id, S("parts"), upload, 2, SMALL, NULL) == ERR_OK;
	struct store_multipart_complete complete = {
		.bucket_id = id, .key = S("parts"), .upload = upload};
	ok = ok && upload_complete(s, &complete) == ERR_OK &&
	     upload_begin(s, id, S("parts"), S(""), &upload) == ERR_OK &&
	     put_part(s, id, S("parts"), upload, 7, LARGE, NULL) == ERR_OK &&
	     upload_abort(s, id, S("parts"), upload) == ERR_OK;
	return ok && upload_begin(s, id, S("stays"), S(""), &upload) == ERR_OK &&
	       put_part(s, id, S("stays"), upload, 3, SMALL, NULL) == ERR_OK;
}

static bool version_goes(struct store *s, uint64_t id)
{
	struct store_object first;
	struct put_how how = {.object = &first};
	struct store_delete del = {.bucket_id = id, .key = S("v")};
	bool ok = set_versioning(s, S("b"), STORE_VERSIONED) == ERR_OK &&
		  put_object(s, id, S("v"), LARGE, &how) == ERR_OK && put(s, id, S("v"), SMALL) &&
		  put(s, id, S("v"), LARGE);
	del.version = version_number(first.version);
	return ok && delete_version(s, &del) == ERR_OK;
}

static void what_goes(void)
{
	struct store *one = ceph_open_or_end(&ceph, ceph_quick("goes"));
	struct store *other = ceph_open_or_end(&ceph, ceph_quick("goes"));
	uint64_t id = bucket_made(one, S("b"));
	uint64_t second = bucket_made(other, S("second"));
	uint64_t last = bucket_made(other, S("last"));
	bool ok = replace_and_delete(one, id) && replace_and_delete(other, second) &&
		  version_goes(one, id);
	OK(ok && becomes_clean(&ceph, one, "goes"),
		"what was replaced, deleted or aborted goes, and all else stays");
	OK(object_is(other, id, S("over"), LARGE) && object_is(other, id, S("v"), LARGE) &&
			head_object(other, id, S("log")) == ERR_OK,
		"and can be read");
	ok = put(one, last, S("k"), LARGE) && delete_object(one, last, S("k"), NULL) == ERR_OK &&
	     bucket_delete(one, S("last")) == ERR_OK;
	OK(ok && becomes_clean(&ceph, other, "goes"),
		"a bucket that is deleted goes with its garbage");
	store_close(one);
	OK(put(other, id, S("over"), SMALL) && becomes_clean(&ceph, other, "goes"),
		"also when the gateway whose turn it was has said goodbye");
	store_close(other);
}

/* Whether there is a row of a bucket without a row of its own. */
static bool is_announced(struct rados *r, struct slice key)
{
	struct fetch *fetch = fetch_new();
	size_t number = fetch ? fetch_keys(fetch, &key, 1) : 0;
	bool found = fetch && fetch_run(fetch, r->index, RADOS_BUCKETS) == 0 &&
		     fetched_value(fetch_rows(fetch, number), key).len > 0;
	fetch_free(fetch);
	return found;
}

/* Whoever made it has died: with its first tablet, or before. */
static void a_bucket_was_not_made(bool with_tablet)
{
	struct rados_options options = ceph_quick("unmade");
	options.collect_ms = NEVER_MS;
	struct store *s = ceph_open_or_end(&ceph, options);
	struct rados *r = rados_of(s);
	uint64_t id = rados_number(r);
	struct row_key key = row_key_number(RADOS_DELETED_ROW, id);
	struct edit edit = edit_begin(r->index);
	edit_set(&edit, row_key_slice(&key), S(RADOS_MAKING));
	bool ok = edit_run(&edit, RADOS_BUCKETS) == 0 &&
		  (!with_tablet || tablet_create(r, id) == ERR_OK);
	OK(ok && is_announced(r, row_key_slice(&key)), "a bucket is begun");
	for (unsigned i = 0; ok && i < 1000 && is_announced(r, row_key_slice(&key)); i++)
		ok = garbage_collect(r) == 0;
	struct seen seen;
	OK(ok && !is_announced(r, row_key_slice(&key)) &&
			tablet_see(r, id, 0, &seen) == ERR_NO_SUCH_BUCKET,
		"nothing of it stays %s", with_tablet ? "behind its tablet" : "without a tablet");
	seen_release(&seen);
	store_close(s);
}

/* ---- Who reads ------------------------------------------------------------------------------- */

/* Waits until so many epochs have passed. */
static void pass_epochs(struct rados *r, uint64_t count)
{
	struct gateway_list now;
	uint64_t first = 0;
	uint64_t epoch = 0;
	do {
		if (gateways_read(r, &now) != 0)
			abort();
		epoch = now.epoch;
		gateway_list_free(&now);
		first = first ? first : epoch;
		(void)usleep(1000);
	} while (epoch < first + count);
}

static void a_reader_goes_on(void)
{
	struct store *one = ceph_open_or_end(&ceph, ceph_quick("reader"));
	struct store *other = ceph_open_or_end(&ceph, ceph_quick("reader"));
	uint64_t id = bucket_made(one, S("b"));
	struct store_get get;
	bool ok = put(one, id, S("k"), LARGE) && get_begin(one, id, S("k"), false, &get) == ERR_OK;
	ok = ok && put(other, id, S("k"), SMALL) &&
	     delete_object(other, id, S("k"), NULL) == ERR_OK;
	for (unsigned i = 0; ok && i < 10; i++) {
		pass_epochs(rados_of(other), 2);
		ok = garbage_collect(rados_of(other)) == 0 && garbage_collect(rados_of(one)) == 0;
	}
	char *bytes = ok ? get_bytes(one, &get, 0) : NULL;
	OK(bytes && slice_eq(slice_of(bytes, sizeof(large)), LARGE),
		"whoever reads an object goes on when it is replaced and deleted elsewhere");
	OK(!is_clean(&ceph, other, "reader"), "its data stays so long");
	free(bytes);
	store_get_release(one, &get);
	OK(becomes_clean(&ceph, other, "reader"), "and then goes");
	store_close(one);
	store_close(other);
}

/* ---- Two at once ----------------------------------------------------------------------------- */

struct collecting {
	struct store *s;
	atomic_bool *ends;
	unsigned collections;
	unsigned failed;
};

static void *collect_on(void *arg)
{
	struct collecting *c = arg;
	while (!atomic_load(c->ends)) {
		c->failed += garbage_collect(rados_of(c->s)) != 0;
		c->collections++;
	}
	return NULL;
}

static void two_collect(void)
{
	struct rados_options options = ceph_quick("two");
	options.collect_ms = NEVER_MS;
	struct store *stores[] = {
		ceph_open_or_end(&ceph, options), ceph_open_or_end(&ceph, options)};
	uint64_t id = bucket_made(stores[0], S("b"));
	pthread_t threads[4];
	struct collecting all[ARRAY_LEN(threads)];
	atomic_bool ends = false;
	bool ok = true;
	for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
		all[i] = (struct collecting){.s = stores[i % 2], .ends = &ends};
		if (pthread_create(&threads[i], NULL, collect_on, &all[i]) != 0)
			abort();
	}
	for (unsigned i = 0; ok && i < 60; i++) {
		char key[16];
		int len = snprintf(key, sizeof(key), "k%u", i % 7);
		struct slice bytes = i % 3 ? SMALL : LARGE;
		struct slice name = slice_of(key, (size_t)len);
		ok = put(stores[i % 2], id, name, bytes) &&
		     object_is(stores[(i + 1) % 2], id, name, bytes);
	}
	OK(ok, "objects come and go while four collect at two gateways");
	OK(becomes_clean(&ceph, stores[0], "two"), "and what is to go does");
	atomic_store(&ends, true);
	unsigned failed = 0;
	for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
		(void)pthread_join(threads[i], NULL);
		failed += all[i].failed + (all[i].collections == 0);
	}
	OK(failed == 0, "none of them fails");
	store_close(stores[0]);
	store_close(stores[1]);
}

int main(void)
{
	memset(large, 'l', sizeof(large));
	memset(small, 's', sizeof(small));
	if (!ceph_start(&ceph))
		return tap_done();
	what_goes();
	a_bucket_was_not_made(true);
	a_bucket_was_not_made(false);
	a_reader_goes_on();
	two_collect();
	ceph_stop(&ceph);
	return tap_done();
}
