/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Data that nothing refers to, on Ceph: all of it goes, and nothing else does, whoever reads, dies
 * or wakes meanwhile.
 */
#include <signal.h>

#include "store/rados/garbage/garbage.h"
#include "store/rados/garbage/garbage_internal.h"
#include "store/rados/tablet/heads.h"
#include "tap.h"
#include "unit/store/ceph.h"
#include "unit/store/versions.h"

static struct ceph ceph;
static char large[1000000];
static char small[3000];

#define LARGE slice_of(large, sizeof(large))
#define SMALL slice_of(small, sizeof(small))

enum {
	NEVER_MS = 3600000,
	PATIENCE_MS = 240000 /* until all objects are what they are to be */
};

/* Small sizes; time passes quickly, but nobody is taken for dead. */
static struct rados_options options_of(const char *space)
{
	return (struct rados_options){.space = space,
		.inline_bytes = 16,
		.small_bytes = 5000,
		.chunk_bytes = 300000,
		.batch = 3,
		.beat_ms = 10,
		.dead_beats = 1000000,
		.epoch_ms = 20,
		.collect_ms = 20,
		.claim = 64};
}

static struct store *open_store(struct rados_options options)
{
	struct store *s = ceph_open(&ceph, options);
	if (!s) {
		OK(false, "the store opens on %s", options.space);
		exit(tap_done());
	}
	return s;
}

static uint64_t make_bucket(struct store *s, struct slice name)
{
	(void)bucket_create(s, name, STORE_ACL_PRIVATE);
	return bucket_id(s, name);
}

/* ---- What is to be there --------------------------------------------------------------------- */

struct expected {
	struct rados *r;
	char **lines;
	size_t count;
	size_t garbage; /* rows of it */
};

static void expect(struct expected *e, const char *pool, const char *name)
{
	char **lines = reallocarray(e->lines, e->count + 1, sizeof(*lines));
	if (!lines || asprintf(&lines[e->count], "%s %s\n", pool, name) < 0)
		abort();
	e->lines = lines;
	e->count++;
}

static void expect_data(struct expected *e, uint64_t data, uint64_t size)
{
	char name[RADOS_NAME_BYTES];
	for (uint64_t i = 0; data && i * e->r->sizes.chunk_bytes < size; i++)
		expect(e, rados_pool_of(e->r, size) == e->r->small ? "small" : "data",
			rados_chunk_name(name, data, i));
}

static void expect_row(struct expected *e, const struct row *row)
{
	struct entry entry;
	struct part_entry part;
	struct extents extents;
	switch (row->key.ptr[0]) {
	case ROW_OBJECT:
	case ROW_VERSION:
		if (!entry_read(row->value, &entry))
			abort();
		expect_data(e, entry.data, entry.object.size);
		break;
	case ROW_PART:
		if (!part_parse(row->value, &part))
			abort();
		expect_data(e, part.data, part.part.size);
		break;
	case ROW_EXTENTS:
		if (!extents_parse(row->value, &extents))
			abort();
		for (size_t i = 0; i < extents.count; i++) {
			struct extent extent = extents_at(&extents, i);
			expect_data(e, extent.data, extent.size);
		}
		break;
	default:
		e->garbage++;
		break;
	}
}

static void expect_rows(struct expected *e, const char *tablet, char kind)
{
	const char prefix[] = {kind, '\0'};
	struct row_key after = {.len = 0};
	bool more = true;
	while (more) {
		struct fetch *fetch = fetch_new();
		size_t number = fetch_range(fetch, after.bytes, prefix, FETCH_ROWS_MAX);
		if (fetch_run(fetch, e->r->index, tablet) != 0)
			abort();
		const struct rows *rows = fetch_rows(fetch, number);
		for (size_t i = 0; i < rows->count; i++) {
			struct slice key = rows->rows[i].key;
			expect_row(e, &rows->rows[i]);
			memcpy(after.bytes, key.ptr, key.len);
			after.bytes[key.len] = '\0';
		}
		more = rows->more && rows->count;
		fetch_free(fetch);
	}
}

static void expect_bucket(const struct store_bucket *bucket, void *ctx)
{
	static const char kinds[] = {ROW_OBJECT, ROW_VERSION, ROW_PART, ROW_EXTENTS, ROW_GARBAGE};
	struct expected *e = ctx;
	char name[RADOS_NAME_BYTES];
	uint64_t tablet = 0;
	do {
		struct seen seen;
		rados_tablet_name(name, bucket->id, tablet);
		expect(e, "index", name);
		for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
			expect_rows(e, name, kinds[i]);
		if (tablet_see(e->r, bucket->id, tablet, &seen) != ERR_OK)
			abort();
		tablet = seen.head.right;
		seen_release(&seen);
	} while (tablet);
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Whether there are exactly the objects that rows refer to, and no garbage. */
static bool is_clean(struct store *s, const char *space)
{
	struct expected e = {.r = rados_of(s)};
	char *text = NULL;
	size_t size = 0;
	char *found = ceph_objects(&ceph, space);
	expect(&e, "index", "buckets");
	expect(&e, "index", "gateways");
	store_bucket_each(s, expect_bucket, &e);
	qsort(e.lines, e.count, sizeof(*e.lines), compare_lines);
	FILE *to = open_memstream(&text, &size);
	for (size_t i = 0; i < e.count; i++) {
		(void)fputs(e.lines[i], to);
		free(e.lines[i]);
	}
	(void)fclose(to);
	free(e.lines);
	bool same = strcmp(text, found) == 0 && e.garbage == 0;
	free(text);
	free(found);
	return same;
}

static bool becomes_clean(struct store *s, const char *space)
{
	for (int64_t end = clock_monotonic_ms() + PATIENCE_MS; clock_monotonic_ms() < end;) {
		if (is_clean(s, space))
			return true;
		(void)usleep(10000);
	}
	return false;
}

/* ---- What goes ------------------------------------------------------------------------------- */

static bool put(struct store *s, uint64_t id, struct slice key, struct slice bytes)
{
	return put_object(s, id, key, bytes, NULL) == ERR_OK;
}

/* Begins a put, and gives it up when all of its bytes have come. */
static bool put_and_abort(struct store *s, uint64_t id, struct slice key, struct slice bytes)
{
	struct store_put_spec spec = {.bucket_id = id, .key = key};
	struct store_put *put;
	if (store_put_begin(s, &spec, &put) != ERR_OK)
		return false;
	bool ok = put_pieces(s, put, bytes, 0) == ERR_OK;
	store_put_abort(s, put);
	return ok;
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
	struct store *one = open_store(options_of("goes"));
	struct store *other = open_store(options_of("goes"));
	uint64_t id = make_bucket(one, S("b"));
	uint64_t second = make_bucket(other, S("second"));
	uint64_t last = make_bucket(other, S("last"));
	bool ok = replace_and_delete(one, id) && replace_and_delete(other, second) &&
		  version_goes(one, id);
	OK(ok && becomes_clean(one, "goes"),
		"what was replaced, deleted or aborted goes, and all else stays");
	OK(object_is(other, id, S("over"), LARGE) && object_is(other, id, S("v"), LARGE) &&
			head_object(other, id, S("log")) == ERR_OK,
		"and can be read");
	ok = put(one, last, S("k"), LARGE) && delete_object(one, last, S("k"), NULL) == ERR_OK &&
	     bucket_delete(one, S("last")) == ERR_OK;
	OK(ok && becomes_clean(other, "goes"), "a bucket that is deleted goes with its garbage");
	store_close(one);
	OK(put(other, id, S("over"), SMALL) && becomes_clean(other, "goes"),
		"also when the gateway whose turn it was has said goodbye");
	store_close(other);
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
	struct store *one = open_store(options_of("reader"));
	struct store *other = open_store(options_of("reader"));
	uint64_t id = make_bucket(one, S("b"));
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
	OK(!is_clean(other, "reader"), "its data stays so long");
	free(bytes);
	store_get_release(one, &get);
	OK(becomes_clean(other, "reader"), "and then goes");
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
	struct rados_options options = options_of("two");
	options.collect_ms = NEVER_MS;
	struct store *stores[] = {open_store(options), open_store(options)};
	uint64_t id = make_bucket(stores[0], S("b"));
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
	OK(becomes_clean(stores[0], "two"), "and what is to go does");
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

/* ---- Who stands still ------------------------------------------------------------------------ */

/* Says in its row that a gateway is dead. */
static bool declare_dead(struct rados *by, uint64_t instance)
{
	struct gateway_list list;
	int result = -ESRCH;
	if (gateways_read(by, &list) == 0 && gateway_find(&list, instance)) {
		const struct gateway *found = gateway_find(&list, instance);
		struct gateway_row row = found->row;
		row.is_dead = true;
		result = gateway_change(by, found, &row);
	}
	gateway_list_free(&list);
	return result == 0;
}

static struct store_put *begin_put(struct store *s, uint64_t id, struct slice key)
{
	struct store_put_spec spec = {.bucket_id = id, .key = key};
	struct store_put *put;
	if (store_put_begin(s, &spec, &put) != ERR_OK || put_pieces(s, put, LARGE, 0) != ERR_OK)
		abort();
	return put;
}

/*
 * A gateway has sent the bytes of two objects, and one of them is complete. It stands still, is
 * taken for dead, and goes on.
 */
static void a_zombie_wakes(void)
{
	struct rados_options slow = options_of("zombie");
	/* It does not find out by itself. */
	slow.beat_ms = NEVER_MS;
	struct store *zombie = open_store(slow);
	struct store *other = open_store(options_of("zombie"));
	uint64_t id = make_bucket(other, S("b"));
	struct put_how how = {.piece = 0};
	struct store_put *late = begin_put(zombie, id, S("late"));
	bool ok = put(other, id, S("late"), S("is here")) && put(zombie, id, S("whole"), LARGE) &&
		  !is_clean(other, "zombie");
	ok = ok && declare_dead(rados_of(other), rados_of(zombie)->instance);
	OK(ok && becomes_clean(other, "zombie"), "what a dead gateway was writing goes");
	OK(object_is(other, id, S("whole"), LARGE), "what it had written stays");
	OK(put_finish(zombie, late, &how) == ERR_UNAVAILABLE &&
			object_is(other, id, S("late"), S("is here")),
		"should it wake, it cannot end what it was doing");
	OK(put_object(zombie, id, S("new"), SMALL, NULL) == ERR_UNAVAILABLE &&
			head_object(zombie, id, S("whole")) == ERR_UNAVAILABLE,
		"and serves nobody any more");
	store_close(zombie);
	OK(becomes_clean(other, "zombie"), "it leaves nothing");
	store_close(other);
}

static void one_that_does_not_move_is_dead(void)
{
	struct rados_options slow = options_of("still");
	struct rados_options quick = options_of("still");
	slow.beat_ms = NEVER_MS;
	quick.dead_beats = 20;
	struct store *still = open_store(slow);
	struct store *other = open_store(quick);
	uint64_t id = make_bucket(other, S("b"));
	struct store_put *late = begin_put(still, id, S("late"));
	struct put_how how = {.piece = 0};
	OK(becomes_clean(other, "still"), "one that does not move is taken for dead");
	OK(put_finish(still, late, &how) == ERR_UNAVAILABLE &&
			head_object(other, id, S("late")) == ERR_NO_SUCH_KEY,
		"and can complete nothing");
	store_close(still);
	store_close(other);
}

/* ---- Who is killed --------------------------------------------------------------------------- */

enum {
	ROUNDS = 5,
	CHILDREN = 2,
	KEYS = 12,
	NAME_BYTES = 32,
	ACKNOWLEDGED_MAX = 100000,
	RUN_US_MAX = 500000,
};

static struct rados_options killed_options(void)
{
	struct rados_options options = options_of("killed");
	options.dead_beats = 25;
	/* Some are killed in the middle of that. */
	options.split = 8;
	options.frozen_ms = 500;
	return options;
}

/* Some change of an object that others change, too; whether it succeeds or not. */
static void change_something(struct store *s, uint64_t id, unsigned *seed)
{
	unsigned what = (unsigned)rand_r(seed);
	char text[NAME_BYTES];
	uint64_t upload;
	int len = snprintf(text, sizeof(text), "k%u", what / 8 % KEYS);
	struct slice key = slice_of(text, (size_t)len);
	struct slice bytes = what / 1024 % 2 ? LARGE : SMALL;
	switch (what % 8) {
	case 0:
		(void)delete_object(s, id, key, NULL);
		break;
	case 1:
		(void)put_and_abort(s, id, key, bytes);
		break;
	case 2:
		if (upload_begin(s, id, key, S(""), &upload) == ERR_OK &&
			put_part(s, id, key, upload, 1, bytes, NULL) == ERR_OK &&
			put_part(s, id, key, upload, 2, SMALL, NULL) == ERR_OK) {
			struct store_multipart_complete complete = {
				.bucket_id = id, .key = key, .upload = upload};
			if (what / 2048 % 2)
				(void)upload_complete(s, &complete);
			else
				(void)upload_abort(s, id, key, upload);
		}
		break;
	case 3:
		(void)append(s, id, key, what / 2048 % 2 ? sizeof(small) : 0, SMALL, NULL);
		break;
	default:
		(void)put(s, id, key, bytes);
		break;
	}
}

/* Writes until it is killed; the names of what was acknowledged to stdout. */
static int child(const char *config, unsigned seed)
{
	(void)snprintf(ceph.config, sizeof(ceph.config), "%s", config);
	struct store *s = ceph_open(&ceph, killed_options());
	uint64_t id = s ? bucket_id(s, S("b")) : 0;
	if (!id)
		return 1;
	for (unsigned i = 0;; i++) {
		char name[NAME_BYTES] = {0};
		int len = snprintf(name, sizeof(name), "mine-%d-%u", (int)getpid(), i);
		if (put(s, id, slice_of(name, (size_t)len), i % 2 ? LARGE : SMALL) &&
			write(STDOUT_FILENO, name, sizeof(name)) != (ssize_t)sizeof(name))
			return 1;
		change_something(s, id, &seed);
	}
}

static pid_t start_child(unsigned seed, int *ret_fd)
{
	int ends[2];
	char number[16];
	(void)snprintf(number, sizeof(number), "%u", seed);
	pid_t pid = pipe2(ends, O_CLOEXEC) == 0 ? fork() : -1;
	if (pid == 0) {
		(void)dup2(ends[1], STDOUT_FILENO);
		(void)execl(
			"/proc/self/exe", "test_rados_garbage", ceph.config, number, (char *)NULL);
		_exit(1);
	}
	if (pid < 0)
		abort();
	(void)close(ends[1]);
	*ret_fd = ends[0];
	return pid;
}

static char acknowledged[ACKNOWLEDGED_MAX][NAME_BYTES];
static size_t acknowledged_count;

/* One name; false at the end. */
static bool take_name(int fd)
{
	size_t got = 0;
	char *to = acknowledged[acknowledged_count];
	while (got < NAME_BYTES) {
		ssize_t n = read(fd, to + got, NAME_BYTES - got);
		if (n <= 0)
			return false;
		got += (size_t)n;
	}
	acknowledged_count += acknowledged_count + 1 < ACKNOWLEDGED_MAX;
	return true;
}

/* Children write, and collect, until they are killed. False if one did not get so far. */
static bool kill_children(unsigned *seed)
{
	pid_t pids[CHILDREN];
	int fds[CHILDREN];
	bool ok = true;
	for (unsigned i = 0; i < CHILDREN; i++)
		pids[i] = start_child((unsigned)rand_r(seed), &fds[i]);
	for (unsigned i = 0; i < CHILDREN; i++)
		ok = take_name(fds[i]) && ok;
	for (unsigned i = 0; i < CHILDREN; i++) {
		(void)usleep((useconds_t)rand_r(seed) % RUN_US_MAX);
		(void)kill(pids[i], SIGKILL);
		(void)waitpid(pids[i], NULL, 0);
		while (take_name(fds[i]))
			continue;
		(void)close(fds[i]);
	}
	return ok;
}

static bool all_whole(struct store *s, uint64_t id, size_t *ret_count)
{
	struct store_list list = {.bucket_id = id, .max_entries = LIMIT_LIST_KEYS};
	bool ok = true;
	for (;;) {
		char marker[LIMIT_KEY_BYTES];
		if (list_objects(s, &list) != ERR_OK)
			return false;
		for (uint32_t i = 0; ok && i < list.count; i++) {
			struct store_get get;
			ok = get_begin(s, id, list.entries[i].key, false, &get) == ERR_OK;
			char *bytes = ok ? get_bytes(s, &get, 0) : NULL;
			ok = bytes != NULL;
			free(bytes);
			if (ok)
				store_get_release(s, &get);
		}
		bool more = ok && list.truncated;
		*ret_count += list.count;
		struct slice last = list.count ? list.entries[list.count - 1].key : S("");
		memcpy(marker, last.ptr, last.len);
		store_list_release(s, &list);
		if (!more)
			return ok;
		list.marker = slice_of(marker, last.len);
	}
}

static void gateways_are_killed(void)
{
	unsigned seed = (unsigned)getpid();
	struct store *s = open_store(killed_options());
	bool ok = make_bucket(s, S("b")) != 0;
	store_close(s);
	printf("# seed %u\n", seed);
	for (unsigned i = 0; ok && i < ROUNDS; i++)
		ok = kill_children(&seed);
	OK(ok && acknowledged_count > 0, "gateways that write and collect are killed");
	s = open_store(killed_options());
	uint64_t id = bucket_id(s, S("b"));
	/* Whoever wants to change a tablet that is not split to the end undoes that. */
	for (size_t i = 0; i < acknowledged_count; i++) {
		char name[NAME_BYTES + 2];
		int len = snprintf(name, sizeof(name), "%s-", acknowledged[i]);
		/* On a slow machine it may not serve for a while. */
		while (delete_object(s, id, slice_of(name, (size_t)len), NULL) == ERR_UNAVAILABLE)
			(void)usleep(10000);
	}
	OK(becomes_clean(s, "killed"), "the next one removes all that they have left");
	store_close(s);
	/* One that goes on serving when it has not told of itself for a while. */
	s = open_store(options_of("killed"));
	size_t there = 0;
	for (size_t i = 0; i < acknowledged_count; i++)
		there += head_object(s, id, slice_of(acknowledged[i], strlen(acknowledged[i]))) ==
			 ERR_OK;
	OK(there == acknowledged_count, "all %zu that were acknowledged are there",
		acknowledged_count);
	size_t count = 0;
	OK(all_whole(s, id, &count), "and every object is whole");
	struct store_bucket_stats stats;
	store_bucket_stats(s, id, &stats);
	OK(stats.objects == count, "the counts are right");
	store_close(s);
}

int main(int argc, char **argv)
{
	memset(large, 'l', sizeof(large));
	memset(small, 's', sizeof(small));
	if (argc == 3)
		return child(argv[1], (unsigned)strtoul(argv[2], NULL, 10));
	if (!ceph_start(&ceph))
		return tap_done();
	what_goes();
	a_reader_goes_on();
	two_collect();
	a_zombie_wakes();
	one_that_does_not_move_is_dead();
	gateways_are_killed();
	ceph_stop(&ceph);
	return tap_done();
}
