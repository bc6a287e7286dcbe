/* SPDX-License-Identifier: Apache-2.0 */
/* Checking a store on Ceph while gateways run: nothing is found that is only under way. */
#include "store/rados/gateways/gateways.h"
#include "unit/store/checks.h"

/* ---- While gateways run ---------------------------------------------------------------------- */

struct client {
	struct store *s;
	uint64_t id;
	uint64_t versions;
	unsigned number;
	unsigned seed;
	unsigned rounds;
	bool failed;
};

static bool is_no_fault(enum err e)
{
	return e != ERR_UNAVAILABLE && e != ERR_INTERNAL;
}

static bool upload_some(struct client *w, struct slice key, unsigned fate)
{
	uint64_t upload;
	struct store *s = w->s;
	enum err e = upload_begin(s, w->id, key, S(""), &upload);
	if (e == ERR_OK)
		e = put_part(s, w->id, key, upload, 1, SMALL, NULL);
	if (e == ERR_OK)
		e = put_part(s, w->id, key, upload, 1, LARGE, NULL);
	if (e == ERR_OK)
		e = put_part(s, w->id, key, upload, 5, TINY, NULL);
	struct store_multipart_complete complete = {
		.bucket_id = w->id, .key = key, .upload = upload};
	if (e == ERR_OK && fate == 0)
		e = upload_complete(s, &complete);
	else if (e == ERR_OK && fate == 1)
		e = upload_abort(s, w->id, key, upload);
	return is_no_fault(e);
}

static bool do_something(struct client *w, unsigned round)
{
	char text[16];
	char bucket[16];
	unsigned what = (unsigned)rand_r(&w->seed);
	struct slice key =
		slice_of(text, (size_t)snprintf(text, sizeof(text), "k%02u", what / 64 % 70));
	const struct slice bytes[] = {TINY, SMALL, LARGE, S("")};
	uint64_t id = what % 2 ? w->id : w->versions;
	struct store_get get;
	switch (what / 2 % 8) {
	case 0:
		return upload_some(w, key, round % 3);
	case 1:
		return is_no_fault(append(w->s, w->id, key, 0, SMALL, NULL)) &&
		       is_no_fault(append(w->s, w->id, key, sizeof(small), SMALL, NULL));
	case 2:
		return is_no_fault(delete_object(w->s, id, key, NULL));
	case 3:
		if (get_version(w->s, w->versions, key, null_version(), true, &get) == ERR_OK)
			store_get_release(w->s, &get);
		return is_no_fault(delete_version(w->s,
			&(struct store_delete){
				.bucket_id = w->versions, .key = key, .version = null_version()}));
	case 4:
		(void)snprintf(bucket, sizeof(bucket), "short-%u", w->number);
		(void)bucket_create(w->s, slice_str(bucket), STORE_ACL_PRIVATE);
		id = bucket_id(w->s, slice_str(bucket));
		(void)(id && put_object(w->s, id, key, SMALL, NULL));
		(void)(id && delete_object(w->s, id, key, NULL));
		(void)bucket_delete(w->s, slice_str(bucket));
		return true;
	case 5:
		return put_and_abort(w->s, id, key, LARGE);
	default:
		return is_no_fault(
			put_object(w->s, id, key, bytes[what / 16 % ARRAY_LEN(bytes)], NULL));
	}
}

static void *work(void *arg)
{
	struct client *w = arg;
	for (unsigned i = 0; i < w->rounds && !w->failed; i++)
		w->failed = !do_something(w, i);
	return NULL;
}

static void nothing_is_found_that_is_under_way(void)
{
	struct rados_options options = ceph_quick("moves");
	options.merge = 24; /* more than what is split: so both never end */
	struct two two = two_open(&ceph, options);
	uint64_t versions = bucket_made(two.one, S("versions"));
	unsigned checks = 0;
	bool clean = true;
	bool done = true;
	pthread_t threads[4];
	struct client workers[ARRAY_LEN(threads)];
	for (unsigned i = 0; i < 5; i++) { /* that become "null" */
		const char key[] = {'k', '0', (char)('0' + i)};
		(void)put_object(two.one, versions, slice_of(key, sizeof(key)), SMALL, NULL);
	}
	done = set_versioning(two.one, S("versions"), STORE_VERSIONED) == ERR_OK;
	for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
		workers[i] = (struct client){.s = i % 2 ? two.one : two.other,
			.id = two.id,
			.versions = versions,
			.number = (unsigned)i,
			.seed = (unsigned)i + 1,
			.rounds = 150};
		if (pthread_create(&threads[i], NULL, work, &workers[i]) != 0)
			abort();
	}
	for (size_t i = 0; i < ARRAY_LEN(threads);) {
		struct told told = check("moves", false);
		bool ok = told.done && told.result.findings == 0 && told.result.leaked == 0;
		told_free(&told, ok);
		clean = clean && ok;
		checks++;
		while (i < ARRAY_LEN(threads) && pthread_tryjoin_np(threads[i], NULL) == 0)
			done = done && !workers[i++].failed;
	}
	uint64_t merges =
		atomic_load(&rados_of(two.one)->merges) + atomic_load(&rados_of(two.other)->merges);
	printf("# %u checks beside %" PRIu64 " splits and %" PRIu64 " merges\n", checks,
		atomic_load(&rados_of(two.one)->splits) + atomic_load(&rados_of(two.other)->splits),
		merges);
	OK(done && clean, "beside two gateways that are busy nothing is found");
	OK(merges > 0, "and they merge tablets, too");
	OK(is_clean("moves"), "nor when they rest");
	two_close(&two);
	OK(is_clean("moves"), "nor when they have ended");
}

/* ---- What comes between ---------------------------------------------------------------------- */

static struct between {
	struct store *s;
	struct store *splitter;
	uint64_t first; /* a bucket that is looked at before the others */
	struct store_put *put;
	uint64_t at;   /* byte, behind which it comes */
	bool replaces; /* what was put */
	unsigned count;
	bool failed;
} between;

static struct store_put *begin_put(struct store *s, uint64_t id, struct slice key)
{
	struct store_put_spec spec = {.bucket_id = id, .key = key};
	struct store_put *put;
	if (store_put_begin(s, &spec, &put) != ERR_OK ||
		put_pieces(s, put, LARGE, sizeof(large)) != ERR_OK)
		abort();
	return put;
}

/* Waits until the gateway says that nothing of it is under way any more. */
static void wait_for_beat(struct rados *r)
{
	struct gateway_list list;
	bool is_told = false;
	while (!is_told) {
		struct life_view view;
		life_look(&r->life, &view);
		if (gateways_read(r, &list) != 0)
			abort();
		is_told = list.count == 1 && list.list[0].row.low == view.low;
		gateway_list_free(&list);
		(void)usleep(1000);
	}
}

/* When the first bucket has been looked at, what was being written becomes an object there. */
static void commit_behind(uint64_t done)
{
	struct between *b = &between;
	const struct put_how how = {.forbid_overwrite = false};
	if (done <= b->at || !b->put)
		return;
	b->failed = put_finish(b->s, TAKE(b->put), &how) != ERR_OK;
	if (b->replaces)
		b->failed = b->failed || put_object(b->s, b->first, S("k"), TINY, NULL) != ERR_OK;
	wait_for_beat(rados_of(b->s));
}

/* Replaces the object that is being read, whose data is gone then. */
static void replace_under(uint64_t done)
{
	struct between *b = &between;
	if (done == 0 || b->count++ > 3)
		return;
	struct rados *r = rados_of(b->s);
	struct made made = {.space = "between"};
	uint64_t data = data_of(r, b->first, S("k"));
	b->failed = b->failed || put_object(b->s, b->first, S("k"), LARGE, NULL) != ERR_OK;
	for (uint64_t i = 0; i < 3; i++)
		set_chunk(&made, "data", data, i, S(""));
}

/* Splits the tablet in its middle, when the check is behind that. */
static void split_under(uint64_t done)
{
	struct between *b = &between;
	if (done == 0 || b->count++ > 0)
		return;
	b->failed = put_object(b->splitter, b->first, S("m0001s"), TINY, NULL) != ERR_OK;
	while (!b->failed && atomic_load(&rados_of(b->splitter)->splits) == 0)
		(void)usleep(1000);
}

static bool is_clean_meanwhile(void (*what)(uint64_t done))
{
	meanwhile = what;
	bool clean = is_clean("between");
	meanwhile = NULL;
	return clean && !between.failed;
}

/* In a tablet that is split behind it. */
static void what_is_begun_anew_is_told_once(void)
{
	static const char what[] = "bytes of a version that is not there";
	struct rados_options options = ceph_small("once");
	struct between *b = &between;
	struct row_key lone = row_key_version(ROW_BYTES, S("m0000"), 5);
	char name[RADOS_NAME_BYTES];
	options.split = 1000000;
	b->s = ceph_open_or_end(&ceph, options);
	b->first = bucket_made(b->s, S("b"));
	add_many(rados_of(b->s), rados_tablet_name(name, b->first, 0));
	struct edit edit = edit_begin(rados_of(b->s)->index);
	edit_set(&edit, row_key_slice(&lone), TINY);
	if (edit_run(&edit, name) != 0 ||
		put_object(b->s, b->first, S("m1000s"), SMALL, NULL) != ERR_OK)
		abort();
	b->count = 0;
	options.split = 20;
	b->splitter = ceph_open_or_end(&ceph, options);
	meanwhile = split_under;
	struct told told = check("once", false);
	meanwhile = NULL;
	const char *first = strstr(told.text.ptr, what);
	bool ok = told.done && b->count > 1 && told.result.findings == 1 && first &&
		  !strstr(first + 1, what);
	told_free(&told, ok);
	OK(ok, "what is found twice, as a tablet is begun anew, is told and counted once");
	store_close(b->splitter);
	store_close(b->s);
}

static void what_comes_between_is_no_finding(void)
{
	struct rados_options options = ceph_small("between");
	struct between *b = &between;
	char name[RADOS_NAME_BYTES];
	options.beat_ms = 10;
	options.split = 1000000;
	b->s = ceph_open_or_end(&ceph, options);
	b->first = bucket_made(b->s, S("a-first"));
	if (put_object(b->s, bucket_made(b->s, S("b-second")), S("k"), LARGE, NULL) != ERR_OK)
		abort();
	b->put = begin_put(b->s, b->first, S("k"));
	struct told told = check("between", false);
	bool ok = told.done && told.result.findings == 0 && told.result.leaked == 0 &&
		  told.result.under_way > 0;
	told_free(&told, ok);
	OK(ok, "what is being written is under way");
	OK(is_clean_meanwhile(commit_behind), "it may become an object behind the check");
	b->put = begin_put(b->s, b->first, S("k"));
	b->at = sizeof(large); /* the first bucket has been looked at */
	b->replaces = true;
	OK(is_clean_meanwhile(commit_behind), "and be garbage soon after");
	OK(put_object(b->s, b->first, S("k"), LARGE, NULL) == ERR_OK &&
			is_clean_meanwhile(replace_under) && b->count > 3,
		"an object may be replaced while it is read, again and again");
	add_many(rados_of(b->s), rados_tablet_name(name, b->first, 0));
	OK(put_object(b->s, b->first, S("m1000s"), SMALL, NULL) == ERR_OK &&
			delete_object(b->s, b->first, S("k"), NULL) == ERR_OK &&
			is_clean("between"),
		"many rows, one of which has data");
	b->count = 0;
	options.split = 20;
	b->splitter = ceph_open_or_end(&ceph, options);
	OK(is_clean_meanwhile(split_under) && b->count > 0, "a tablet may be split meanwhile");
	store_close(b->splitter);
	store_close(b->s);
	what_is_begun_anew_is_told_once();
}

/* ---- Beside merges --------------------------------------------------------------------------- */

/* Two tablets with data in them, which stay two for now. */
static struct two two_with_data(const char *space)
{
	struct two two = two_tablets(&ceph, ceph_small(space));
	static const char *const keys[] = {"a", "b", "y", "z"};
	will_not_split(&two);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (put_object(two.one, two.id, slice_str(keys[i]), SMALL, NULL) != ERR_OK)
			abort();
	return two;
}

static struct under {
	struct two two;
	const char *space;
	uint64_t right;
	uint64_t at; /* byte, behind which it comes */
	bool leaves; /* the right one there, and others change what it had */
	bool is_done;
	bool failed;
} under;

static struct fetch *all_rows(struct rados *r, const char *name, size_t *ret)
{
	struct fetch *fetch = fetch_new();
	*ret = fetch_range(fetch, "", "", FETCH_ROWS_MAX);
	if (fetch_run(fetch, r->index, name) != 0)
		abort();
	return fetch;
}

/* As if whoever merged had died before the right one was removed; and `z` is deleted. */
static void leave_over(struct under *u, const struct rows *rows)
{
	struct made made = {.space = u->space};
	struct rados *r = rados_of(u->two.one);
	struct edit edit = edit_begin(r->index);
	struct row_key merged = row_key_number(ROW_MERGED, u->right);
	struct head head;
	char name[RADOS_NAME_BYTES];
	SCOPED_STRBUF(value, HEAD_BYTES_MAX);
	uint64_t data = data_of(r, u->two.id, S("z"));
	if (!head_parse(fetched_value(rows, S(ROW_HEAD)), &head) ||
		delete_object(u->two.one, u->two.id, S("z"), NULL) != ERR_OK)
		abort();
	set_chunk(&made, "small", data, 0, S(""));
	head.state = HEAD_MOVED;
	head_format(&head, &value);
	edit_create(&edit);
	for (size_t i = 0; i < rows->count; i++)
		edit_set(&edit, rows->rows[i].key,
			slice_eq(rows->rows[i].key, S(ROW_HEAD)) ? strbuf_slice(&value)
								 : rows->rows[i].value);
	if (edit_run(&edit, rados_tablet_name(name, u->two.id, u->right)) != 0)
		abort();
	edit = edit_begin(r->index);
	edit_set(&edit, row_key_slice(&merged), S("1"));
	if (edit_run(&edit, rados_tablet_name(name, u->two.id, 0)) != 0)
		abort();
}

static void merge_under(uint64_t done)
{
	struct under *u = &under;
	char name[RADOS_NAME_BYTES];
	size_t number;
	if (done <= u->at || u->is_done)
		return;
	struct rados *r = rados_of(u->two.one);
	struct fetch *fetch = all_rows(r, rados_tablet_name(name, u->two.id, u->right), &number);
	u->is_done = true;
	u->failed = !tablet_merge(r, u->two.id, 0);
	if (u->leaves)
		leave_over(u, fetch_rows(fetch, number));
	fetch_free(fetch);
}

static bool is_clean_under(const char *space, uint64_t at, bool leaves)
{
	struct under *u = &under;
	*u = (struct under){
		.two = two_with_data(space), .space = space, .at = at, .leaves = leaves};
	u->right = right_of(&u->two, 0);
	meanwhile = merge_under;
	bool clean = is_clean(space);
	meanwhile = NULL;
	clean = clean && u->is_done && !u->failed && is_clean(space);
	two_close(&u->two);
	return clean;
}

static bool stands(const char *space, uint64_t standing)
{
	struct told told = check(space, false);
	bool ok = told.done && told.result.findings == 0 && told.result.leaked == 0 &&
		  told.result.moving == 0 && told.result.standing == standing &&
		  told.result.tally.objects == 4;
	told_free(&told, ok);
	return ok;
}

static void merges_are_no_finding(void)
{
	OK(is_clean_under("left", 0, false),
		"tablets may be merged while the left one is looked at");
	OK(is_clean_under("right", 2 * sizeof(small), false), "or while the right one is");
	OK(is_clean_under("stays", 2 * sizeof(small), true),
		"or is left there, while others change what it had");
	struct two two = two_with_data("states");
	uint64_t right = right_of(&two, 0);
	set_state(&two, 0, HEAD_MERGING, right);
	OK(stands("states", 1), "a tablet that takes over another one only stands still");
	set_state(&two, right, HEAD_MOVING, 0);
	OK(stands("states", 2), "so do both");
	set_state(&two, right, HEAD_MOVED, 0);
	OK(stands("states", 2), "and just before the end");
	set_state(&two, 0, HEAD_ACTIVE, 0);
	OK(stands("states", 1), "and while that is undone");
	set_state(&two, right, HEAD_ACTIVE, 0);
	struct seen seen;
	if (tablet_see(rados_of(two.one), two.id, right, &seen) != ERR_OK)
		abort();
	OK(tablet_merge(rados_of(two.one), two.id, 0) && stands("states", 0),
		"and then they are one");
	put_back(&two, &seen, right);
	OK(stands("states", 0), "one that is left over is no finding");
	seen_release(&seen);
	two_close(&two);
}

/* ---- Who is taken for dead ------------------------------------------------------------------- */

static struct rados *killer;

/* All gateways that have started after this one are taken for dead. */
static void expel(uint64_t done)
{
	struct gateway_list list;
	(void)done;
	if (gateways_read(killer, &list) != 0)
		abort();
	for (size_t i = 0; i < list.count; i++) {
		struct gateway_row row = list.list[i].row;
		row.is_dead = true;
		int result = list.list[i].instance > killer->instance
				     ? gateway_change(killer, &list.list[i], &row)
				     : 0;
		if (result < 0 && result != -ECANCELED)
			abort();
	}
	gateway_list_free(&list);
}

static void who_is_dead_repairs_nothing(void)
{
	struct made made = make("dead");
	struct store *s = ceph_open_or_end(&ceph, ceph_small("dead"));
	killer = rados_of(s);
	set_chunk(&made, "small", made.other, 0, S(""));
	meanwhile = expel;
	struct told told = check("dead", true);
	meanwhile = NULL;
	bool ok = !told.done && told.result.lost == 0 && told.text.len == 0;
	told_free(&told, ok);
	OK(ok && finds("dead", 1, 0, "a chunk of its data is missing"),
		"a repair that was taken for dead changes nothing, and says nothing");
	store_close(s);
	rados_detach(made.r);
}

int main(void)
{
	if (!checks_start())
		return tap_done();
	what_comes_between_is_no_finding();
	merges_are_no_finding();
	who_is_dead_repairs_nothing();
	nothing_is_found_that_is_under_way();
	ceph_stop(&ceph);
	return tap_done();
}
