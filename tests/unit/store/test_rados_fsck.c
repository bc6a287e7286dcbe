/* SPDX-License-Identifier: Apache-2.0 */
/* Checking a store on Ceph: what is damaged is found, and nothing is that is only under way. */
#include "store/rados/attach.h"
#include "store/rados/cluster/edit.h"
#include "store/rados/cluster/fetch.h"
#include "store/rados/fsck/fsck.h"
#include "store/rados/gateways/gateways.h"
#include "store/rados/rows/entry.h"
#include "store/rados/rows/key.h"
#include "store/rados/rows/tablet_rows.h"
#include "tap.h"
#include "unit/store/merges.h"
#include "unit/store/versions.h"

static struct ceph ceph;
static char large[700000];
static char small[3000];

#define LARGE slice_of(large, sizeof(large))
#define SMALL slice_of(small, sizeof(small))
#define TINY S("tiny")

enum {
	TEXT_BYTES_MAX = 1 << 20
};

/* ---- Checking -------------------------------------------------------------------------------- */

struct told {
	struct strbuf text;
	struct rados_fsck_result result;
	bool done;
};

static void found(const struct rados_finding *finding, void *ctx)
{
	struct told *told = ctx;
	strbuf_addf(&told->text, "# %s%sbucket=%.*s key=%.*s version=%s part=%u object=%s: %s\n",
		finding->is_harmless ? "harmless " : "", finding->is_lost ? "lost " : "",
		SLICE_FMT(finding->bucket), SLICE_FMT(finding->key), finding->version,
		(unsigned)finding->part, finding->object, finding->what);
}

static bool fits(enum rados_kept what, struct slice name, struct slice value, void *ctx)
{
	(void)what;
	(void)ctx;
	return name.len && !slice_eq(value, S("damaged"));
}

/* What happens while a check is at that byte; NULL: nothing. */
static void (*meanwhile)(uint64_t done);

static bool progress(uint64_t done, uint64_t total, void *ctx)
{
	(void)total;
	(void)ctx;
	if (meanwhile)
		meanwhile(done);
	return true;
}

static struct told check(const char *space, bool repairs)
{
	const char *temp = getenv("TMPDIR");
	struct rados_options store = ceph_small(space);
	struct told told;
	store.frozen_ms = 300;
	store.clock = &clock_system;
	store.config = ceph.config;
	store.id = "admin";
	strbuf_init(&told.text, TEXT_BYTES_MAX);
	const struct rados_fsck_options options = {.store = &store,
		.temp = temp ? temp : "/tmp",
		.repairs = repairs,
		.progress = progress,
		.found = found,
		.fits = fits,
		.ctx = &told};
	told.done = rados_fsck(&options, &told.result) == ERR_OK;
	return told;
}

static void told_free(struct told *told, bool as_expected)
{
	if (!as_expected)
		printf("%s# %" PRIu64 " findings, %" PRIu64 " lost, %" PRIu64 " corrected, %" PRIu64
		       " leaked\n",
			told->text.ptr, told->result.findings, told->result.lost,
			told->result.corrected, told->result.leaked);
	strbuf_release(&told->text);
}

static bool is_clean(const char *space)
{
	struct told told = check(space, false);
	bool ok = told.done && told.result.findings == 0 && told.result.leaked == 0;
	told_free(&told, ok);
	return ok;
}

/* Whether so much is found, and only that: lines that have `what` in them. */
static bool finds(const char *space, uint64_t findings, uint64_t leaked, const char *what)
{
	struct told told = check(space, false);
	bool ok = told.done && told.result.findings == findings && told.result.leaked == leaked &&
		  strstr(told.text.ptr, what);
	told_free(&told, ok);
	return ok;
}

/* ---- Damage ---------------------------------------------------------------------------------- */

/* A namespace with a bucket in which there is some of everything. */
struct made {
	const char *space;
	uint64_t id;
	uint64_t data; /* of the object `large`, which has 3 chunks */
	uint64_t other;
	struct store_object first; /* of the key `v`, in the bucket with versions */
	uint64_t versioned;
	struct rados *r; /* for damaging it */
};

static uint64_t data_of(struct rados *r, uint64_t id, struct slice key)
{
	char name[RADOS_NAME_BYTES];
	struct row_key row = row_key_of(ROW_OBJECT, key);
	struct slice slice = row_key_slice(&row);
	struct fetch *fetch = fetch_new();
	struct entry entry = {.data = 0};
	size_t number = fetch_keys(fetch, &slice, 1);
	if (fetch_run(fetch, r->index, rados_tablet_name(name, id, 0)) != 0 ||
		!entry_read(fetched_value(fetch_rows(fetch, number), slice), &entry))
		abort();
	fetch_free(fetch);
	return entry.data;
}

static struct made make(const char *space)
{
	struct rados_options options = ceph_small(space);
	struct made made = {.space = space};
	struct store *s = ceph_open_or_end(&ceph, options);
	uint64_t upload = 0;
	struct put_how how = {.object = &made.first};
	made.id = bucket_made(s, S("b"));
	made.versioned = bucket_made(s, S("versions"));
	bool ok = put_object(s, made.id, S("large"), LARGE, NULL) == ERR_OK &&
		  put_object(s, made.id, S("small"), SMALL, NULL) == ERR_OK &&
		  put_object(s, made.id, S("tiny"), TINY, NULL) == ERR_OK &&
		  append(s, made.id, S("log"), 0, SMALL, NULL) == ERR_OK &&
		  append(s, made.id, S("log"), sizeof(small), SMALL, NULL) == ERR_OK &&
		  upload_begin(s, made.id, S("u"), S(""), &upload) == ERR_OK &&
		  put_part(s, made.id, S("u"), upload, 1, SMALL, NULL) == ERR_OK &&
		  set_versioning(s, S("versions"), STORE_VERSIONED) == ERR_OK &&
		  put_object(s, made.versioned, S("v"), SMALL, &how) == ERR_OK &&
		  put_object(s, made.versioned, S("v"), TINY, NULL) == ERR_OK;
	store_close(s);
	options.clock = &clock_system;
	options.config = ceph.config;
	options.id = "admin";
	if (!ok || rados_attach(&options, &made.r) != ERR_OK)
		abort();
	made.data = data_of(made.r, made.id, S("large"));
	made.other = data_of(made.r, made.id, S("small"));
	return made;
}

static void set_row(struct made *made, uint64_t bucket, struct row_key row, struct slice value)
{
	char name[RADOS_NAME_BYTES];
	struct edit edit = edit_begin(made->r->index);
	if (value.len)
		edit_set(&edit, row_key_slice(&row), value);
	else
		edit_remove(&edit, row_key_slice(&row));
	if (edit_run(&edit, rados_tablet_name(name, bucket, 0)) != 0)
		abort();
}

static char *row_of(struct made *made, uint64_t bucket, char kind, size_t at, struct row_key *ret,
	struct slice *ret_value)
{
	char name[RADOS_NAME_BYTES];
	const char prefix[] = {kind, '\0'};
	struct fetch *fetch = fetch_new();
	size_t number = fetch_range(fetch, "", prefix, 100);
	if (fetch_run(fetch, made->r->index, rados_tablet_name(name, bucket, 0)) != 0 ||
		fetch_rows(fetch, number)->count <= at)
		abort();
	const struct row *row = &fetch_rows(fetch, number)->rows[at];
	char *copy = malloc(row->value.len);
	if (!copy)
		abort();
	memcpy(copy, row->value.ptr, row->value.len);
	memcpy(ret->bytes, row->key.ptr, row->key.len);
	ret->bytes[row->key.len] = '\0';
	ret->len = row->key.len;
	*ret_value = slice_of(copy, row->value.len);
	fetch_free(fetch);
	return copy;
}

/* Writes or removes a chunk through librados. */
static void set_chunk(
	struct made *made, const char *pool, uint64_t data, uint64_t chunk, struct slice bytes)
{
	char name[RADOS_NAME_BYTES];
	void *io;
	ceph_connect(&ceph);
	if (ceph.api.ioctx_create(ceph.handle, pool, &io) < 0)
		abort();
	ceph.api.ioctx_set_namespace(io, made->space);
	void *op = ceph.api.create_write_op();
	if (bytes.len)
		ceph.api.write_op_write_full(op, bytes.ptr, bytes.len);
	else
		ceph.api.write_op_remove(op);
	if (ceph.api.write_op_operate(op, io, rados_chunk_name(name, data, chunk), NULL, 0) < 0)
		abort();
	ceph.api.release_write_op(op);
	ceph.api.ioctx_destroy(io);
}

/* The first row of that kind goes, or becomes what it was with one byte changed. */
static void damage_row(struct made *made, uint64_t bucket, char kind, bool removes)
{
	struct row_key key;
	struct slice value;
	char *bytes = row_of(made, bucket, kind, 0, &key, &value);
	bytes[value.len - 1] ^= 1;
	set_row(made, bucket, key, removes ? S("") : slice_of(bytes, value.len));
	free(bytes);
}

static void data_is_looked_at(void)
{
	struct made made = make("data");
	OK(is_clean("data"), "a store is found to be whole");
	set_chunk(&made, "data", made.data, 1, S(""));
	OK(finds("data", 1, 0, "bucket=b key=large version="), "a chunk that is missing is found");
	set_chunk(&made, "data", made.data, 1, LARGE);
	OK(finds("data", 1, 0, "too long"), "so is one that is too long");
	set_chunk(&made, "small", made.other, 0, SMALL);
	OK(finds("data", 2, 0, "too short"), "one that is too short");
	char whole[sizeof(small) + 8];
	memset(whole, 'x', sizeof(whole));
	set_chunk(&made, "small", made.other, 0, slice_of(whole, sizeof(whole)));
	OK(finds("data", 2, 0, "a block of 64 KiB is damaged"), "and one with other bytes");
	set_chunk(&made, "small", made.other, 7, SMALL);
	set_chunk(&made, "data", 0x123456789, 0, SMALL);
	OK(finds("data", 2, 2, "harmless bucket= key= version= part=0 object=data/"),
		"objects that nothing refers to are told, and are no damage");
	rados_detach(made.r);
}

static void rows_are_looked_at(void)
{
	struct made made = make("rows");
	struct row_key key;
	struct slice value;
	char *bytes = row_of(&made, made.id, ROW_EXTENTS, 0, &key, &value);
	set_row(&made, made.id, key, S(""));
	OK(finds("rows", 1, 2, "key=log version=null part=0 object=index/t."),
		"a list of data that is missing is found");
	set_row(&made, made.id, key, value);
	free(bytes);
	bytes = row_of(&made, made.id, ROW_BYTES, 0, &key, &value);
	set_row(&made, made.id, key, S("tinY"));
	OK(finds("rows", 1, 0, "CRC-64"), "bytes in the tablet that are others");
	set_row(&made, made.id, key, value);
	free(bytes);
	set_row(&made, made.id, row_key_version(ROW_BYTES, S("tiny"), 5), TINY);
	OK(finds("rows", 1, 0, "bytes of a version that is not there"), "bytes of no version");
	set_row(&made, made.id, row_key_version(ROW_BYTES, S("tiny"), 5), S(""));
	bytes = row_of(&made, made.versioned, ROW_HIDDEN, 0, &key, &value);
	set_row(&made, made.versioned, key, S(""));
	OK(finds("rows", 1, 0, "older versions is missing"),
		"what says which are the older versions");
	set_row(&made, made.versioned, key, value);
	free(bytes);
	set_row(&made, made.id, row_key_of('q', S("a")), S("x"));
	set_row(&made, made.id, row_key_all_of(ROW_OBJECT, S("a")), S("x"));
	OK(finds("rows", 2, 0, "a row of no kind that is known"), "and rows that are none of ours");
	set_row(&made, made.id, row_key_of('q', S("a")), S(""));
	set_row(&made, made.id, row_key_all_of(ROW_OBJECT, S("a")), S(""));
	bytes = row_of(&made, made.id, ROW_UPLOAD, 0, &key, &value);
	set_row(&made, made.id, key, S(""));
	OK(finds("rows", 2, 0, "a part of no upload"), "parts without an upload, and wrong counts");
	set_row(&made, made.id, key, value);
	free(bytes);
	OK(is_clean("rows"), "what was put back is whole again");
	rados_detach(made.r);
}

static void counts_are_looked_at(void)
{
	struct made made = make("counts");
	damage_row(&made, made.id, ROW_OWN, false);
	OK(finds("counts", 1, 0, "bytes of parts, not 3001"), "counts that are wrong are found");
	struct told told = check("counts", true);
	bool ok = told.done && told.result.corrected == 1 && told.result.findings == 0 &&
		  told.result.lost == 0;
	told_free(&told, ok);
	OK(ok && is_clean("counts"), "and corrected");
	struct edit edit = edit_begin(made.r->index);
	edit_set(&edit, S(RADOS_BUCKET_COUNT), S("\0\0\0\0\0\0\0\7"));
	if (edit_run(&edit, RADOS_BUCKETS) != 0)
		abort();
	OK(finds("counts", 1, 0, "there are 2 buckets"), "so is the number of buckets");
	struct row_key setting = row_key_version(RADOS_SETTING_ROW, S("none"), 0);
	edit = edit_begin(made.r->index);
	edit_set(&edit, row_key_slice(&setting), S("x"));
	if (edit_run(&edit, RADOS_BUCKETS) != 0)
		abort();
	OK(finds("counts", 2, 0, "a setting of a bucket that is not there"), "and a lone setting");
	rados_detach(made.r);
}

static void references_are_looked_at(void)
{
	struct made made = make("references");
	struct row_key key;
	struct slice value;
	struct entry entry;
	/* `copy` has the data of `small`. */
	char *bytes = row_of(&made, made.id, ROW_OBJECT, 2, &key, &value);
	if (!entry_read(value, &entry) || entry.data != made.other)
		abort();
	set_row(&made, made.id, row_key_of(ROW_OBJECT, S("copy")), value);
	OK(finds("references", 3, 0, "is also another one's"),
		"data that two refer to is found, at both");
	set_row(&made, made.id, row_key_of(ROW_OBJECT, S("copy")), S(""));
	SCOPED_STRBUF(extents, 64);
	extents_add(&extents, (struct extent){made.other, sizeof(small)});
	set_row(&made, made.id, row_key_garbage(1000000, 1), strbuf_slice(&extents));
	OK(finds("references", 1, 0, "is also garbage"), "so is garbage that somebody needs");
	free(bytes);
	rados_detach(made.r);
}

/* ---- Tablets --------------------------------------------------------------------------------- */

/* A bucket of several tablets; *ret_right is the second one. */
static struct made make_split(const char *space, uint64_t *ret_right, struct strbuf *ret_head)
{
	struct rados_options options = ceph_small(space);
	struct made made = {.space = space};
	struct store *s = ceph_open_or_end(&ceph, options);
	made.id = bucket_made(s, S("b"));
	for (unsigned i = 0; i < 60; i++) {
		char key[16];
		int len = snprintf(key, sizeof(key), "k%02u", i * 7 % 60);
		if (put_object(s, made.id, slice_of(key, (size_t)len), TINY, NULL) != ERR_OK)
			abort();
	}
	store_close(s);
	options.clock = &clock_system;
	options.config = ceph.config;
	options.id = "admin";
	if (rados_attach(&options, &made.r) != ERR_OK)
		abort();
	struct row_key key;
	struct slice value;
	struct head head;
	char *bytes = row_of(&made, made.id, 'H', 0, &key, &value);
	if (!head_parse(value, &head) || !head.right)
		abort();
	*ret_right = head.right;
	strbuf_add_slice(ret_head, value);
	free(bytes);
	return made;
}

static struct row_key head_key(void)
{
	return (struct row_key){.len = 1, .bytes = ROW_HEAD};
}

static void tablets_are_looked_at(void)
{
	uint64_t right;
	SCOPED_STRBUF(whole, 4096);
	SCOPED_STRBUF(cut, 4096);
	struct made made = make_split("tablets", &right, &whole);
	struct head head;
	char name[RADOS_NAME_BYTES];
	if (!head_parse(strbuf_slice(&whole), &head))
		abort();
	OK(is_clean("tablets"), "a bucket that was split is whole");
	struct head other = head;
	other.high = S("");
	other.right = 0;
	head_format(&other, &cut);
	set_row(&made, made.id, head_key(), strbuf_slice(&cut));
	struct told told = check("tablets", false);
	bool ok = told.done && told.result.findings > 0 && told.result.leaked == 0 &&
		  strstr(told.text.ptr, "no tablet leads to it, and it has rows");
	told_free(&told, ok);
	OK(ok, "tablets that no other one leads to are found");
	strbuf_clear(&cut);
	other = head;
	other.high = S("k00");
	head_format(&other, &cut);
	set_row(&made, made.id, head_key(), strbuf_slice(&cut));
	told = check("tablets", false);
	ok = told.done && told.result.findings > 2 &&
	     strstr(told.text.ptr, "it begins behind the end of the tablet in front of it") &&
	     strstr(told.text.ptr, "a row is outside of its tablet's range");
	told_free(&told, ok);
	OK(ok, "so are keys between two tablets, and rows outside of theirs");
	set_row(&made, made.id, head_key(), strbuf_slice(&whole));
	set_row(&made, made.id, row_key_of(ROW_OBJECT, S("zzz")), S("x"));
	OK(finds("tablets", 1, 0, "a row is outside of its tablet's range"), "one such row");
	told = check("tablets", true);
	ok = told.done && told.result.corrected == 1 && told.result.findings == 0;
	told_free(&told, ok);
	OK(ok && is_clean("tablets"), "which a repair moves aside");
	rados_tablet_name(name, made.id, right);
	struct edit edit = edit_begin(made.r->index);
	edit_remove_object(&edit);
	if (edit_run(&edit, name) != 0)
		abort();
	told = check("tablets", false);
	ok = told.done && strstr(told.text.ptr, "a tablet of the bucket is missing");
	told_free(&told, ok);
	OK(ok, "a tablet that is missing is found");
	rados_detach(made.r);
}

/* ---- Repairing ------------------------------------------------------------------------------- */

static void what_is_lost_is_moved_aside(void)
{
	struct made made = make("mend");
	struct row_key key;
	struct slice value;
	uint64_t current = data_of(made.r, made.id, S("small"));
	set_chunk(&made, "small", current, 0, S("damaged"));
	char *bytes = row_of(&made, made.versioned, ROW_BYTES, 0, &key, &value);
	set_row(&made, made.versioned, key, S("tinY"));
	free(bytes);
	bytes = row_of(&made, made.id, ROW_PART, 0, &key, &value);
	set_row(&made, made.id, key, S("damaged"));
	free(bytes);
	struct told told = check("mend", true);
	bool ok = told.done && told.result.lost == 3 && told.result.findings == 0 &&
		  strstr(told.text.ptr, "lost bucket=b key=small") &&
		  strstr(told.text.ptr, "lost bucket=versions key=v version=") &&
		  strstr(told.text.ptr, "lost bucket=b key=u");
	told_free(&told, ok);
	OK(ok, "what is lost is told");
	OK(finds("mend", 0, 1, "small/"), "and then the store is whole, but for what was a part's");
	struct store *s = ceph_open_or_end(&ceph, ceph_small("mend"));
	OK(head_object(s, made.id, S("small")) == ERR_NO_SUCH_KEY &&
			object_is(s, made.id, S("large"), LARGE) &&
			object_is(s, made.id, S("tiny"), TINY),
		"a lost object is not there, and the others are");
	OK(head_object(s, made.versioned, S("v")) == ERR_NO_SUCH_KEY &&
			version_is(s, made.versioned, S("v"), version_number(made.first.version),
				SMALL),
		"no older version takes its place, but it can be read");
	OK(put_object(s, made.versioned, S("v"), LARGE, NULL) == ERR_OK &&
			put_object(s, made.id, S("small"), LARGE, NULL) == ERR_OK &&
			object_is(s, made.versioned, S("v"), LARGE),
		"and may be put again");
	store_close(s);
	OK(finds("mend", 0, 1, "small/"), "which changes nothing of that");
	rados_detach(made.r);
}

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

/* ---- Many rows ------------------------------------------------------------------------------- */

enum {
	MANY_KEYS = 1300,     /* more than an OSD gives at a time */
	MANY_VERSIONS = 1100, /* of one key */
};

static void add_entry(struct edit *edit, struct row_key row, uint64_t version, bool is_marker)
{
	const struct entry entry = {.revision = version,
		.object = {.version = version, .modified_ms = 1, .is_marker = is_marker}};
	SCOPED_STRBUF(value, 256);
	entry_write(&entry, &value);
	edit_set(edit, row_key_slice(&row), strbuf_slice(&value));
}

static void set_sum(struct edit *edit, uint64_t objects)
{
	struct row_key row = row_key_number(ROW_OWN, OWN_SUM);
	const struct own own = {.counts = {.objects = objects, .old_versions = MANY_VERSIONS}};
	SCOPED_STRBUF(value, OWN_BYTES_MAX);
	own_format(&own, &value);
	edit_set(edit, row_key_slice(&row), strbuf_slice(&value));
}

/* As gateways would have made them. */
static void add_many(struct rados *r, const char *tablet)
{
	struct edit edit = edit_begin(r->index);
	for (unsigned i = 0; i < MANY_KEYS; i++) {
		char key[16];
		int len = snprintf(key, sizeof(key), "m%04u", i);
		add_entry(&edit, row_key_of(ROW_OBJECT, slice_of(key, (size_t)len)), 1, false);
	}
	for (uint64_t i = 1; i <= MANY_VERSIONS; i++)
		add_entry(&edit, row_key_version(ROW_VERSION, S("m0500v"), i), i, true);
	const struct hidden hidden = {
		.revision = 1, .newest = MANY_VERSIONS, .newest_ms = 1, .newest_is_marker = true};
	struct row_key row = row_key_of(ROW_HIDDEN, S("m0500v"));
	SCOPED_STRBUF(value, 64);
	hidden_format(&hidden, &value);
	edit_set(&edit, row_key_slice(&row), strbuf_slice(&value));
	set_sum(&edit, MANY_KEYS);
	if (edit_run(&edit, tablet) != 0)
		abort();
}

struct busy {
	struct store *s;
	uint64_t id;
	atomic_bool ends;
	bool failed;
};

static void *be_busy(void *arg)
{
	struct busy *busy = arg;
	for (unsigned i = 0; !atomic_load(&busy->ends) && !busy->failed; i++) {
		char key[16];
		int len = snprintf(key, sizeof(key), "m%04ub", i * 37 % MANY_KEYS);
		struct slice name = slice_of(key, (size_t)len);
		busy->failed = put_object(busy->s, busy->id, name, TINY, NULL) != ERR_OK ||
			       (i % 2 && delete_object(busy->s, busy->id, name, NULL) != ERR_OK);
	}
	return NULL;
}

static void many_rows_are_looked_at(void)
{
	struct rados_options options = ceph_small("many");
	struct busy busy = {.ends = false};
	char name[RADOS_NAME_BYTES];
	pthread_t thread;
	options.split = 1000000;
	busy.s = ceph_open_or_end(&ceph, options);
	busy.id = bucket_made(busy.s, S("b"));
	rados_tablet_name(name, busy.id, 0);
	struct rados *r = rados_of(busy.s);
	add_many(r, name);
	struct told told = check("many", false);
	bool ok = told.done && told.result.findings == 0 && told.result.moving == 0 &&
		  told.result.tally.objects == MANY_KEYS &&
		  told.result.tally.versions == MANY_VERSIONS;
	told_free(&told, ok);
	OK(ok, "a tablet of many pages, and a key of more rows than a page, are whole");
	if (pthread_create(&thread, NULL, be_busy, &busy) != 0)
		abort();
	for (unsigned i = 0; i < 5; i++) {
		told = check("many", false);
		bool same = told.done && told.result.findings == 0 && told.result.moving == 0;
		told_free(&told, same);
		ok = ok && same;
	}
	OK(ok, "also while it changes all the time");
	struct edit edit = edit_begin(r->index);
	set_sum(&edit, MANY_KEYS + 1);
	if (edit_run(&edit, name) != 0)
		abort();
	OK(finds("many", 1, 0, "its counts are wrong"), "then, too, wrong counts are found");
	told = check("many", true);
	ok = told.done && told.result.corrected == 1 && told.result.findings == 0;
	told_free(&told, ok);
	OK(ok && is_clean("many"), "and corrected");
	atomic_store(&busy.ends, true);
	(void)pthread_join(thread, NULL);
	OK(!busy.failed && is_clean("many"), "and nobody noticed");
	store_close(busy.s);
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
	memset(large, 'l', sizeof(large));
	memset(small, 's', sizeof(small));
	if (!ceph_start(&ceph))
		return tap_done();
	data_is_looked_at();
	rows_are_looked_at();
	counts_are_looked_at();
	references_are_looked_at();
	tablets_are_looked_at();
	what_is_lost_is_moved_aside();
	many_rows_are_looked_at();
	what_comes_between_is_no_finding();
	merges_are_no_finding();
	who_is_dead_repairs_nothing();
	nothing_is_found_that_is_under_way();
	ceph_stop(&ceph);
	return tap_done();
}
