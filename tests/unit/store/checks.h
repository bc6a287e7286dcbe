/* SPDX-License-Identifier: Apache-2.0 */
/* Checking a store on Ceph: one in which there is some of everything, and what is found in it. */
#ifndef TESTS_STORE_CHECKS_H
#define TESTS_STORE_CHECKS_H

#include "store/rados/attach.h"
#include "store/rados/cluster/edit.h"
#include "store/rados/cluster/fetch.h"
#include "store/rados/fsck/fsck.h"
#include "store/rados/rows/entry.h"
#include "store/rados/rows/key.h"
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

struct told {
	struct strbuf text;
	struct rados_fsck_result result;
	bool done;
};

static inline void found(const struct rados_finding *finding, void *ctx)
{
	struct told *told = ctx;
	strbuf_addf(&told->text, "# %s%sbucket=%.*s key=%.*s version=%s part=%u object=%s: %s\n",
		finding->is_harmless ? "harmless " : "", finding->is_lost ? "lost " : "",
		SLICE_FMT(finding->bucket), SLICE_FMT(finding->key), finding->version,
		(unsigned)finding->part, finding->object, finding->what);
}

static inline bool fits(enum rados_kept what, struct slice name, struct slice value, void *ctx)
{
	(void)what;
	(void)ctx;
	return name.len && !slice_eq(value, S("damaged"));
}

/* What happens while a check is at that byte; NULL: nothing. */
static void (*meanwhile)(uint64_t done);

static inline bool progress(uint64_t done, uint64_t total, void *ctx)
{
	(void)total;
	(void)ctx;
	if (meanwhile)
		meanwhile(done);
	return true;
}

static inline struct told check(const char *space, bool repairs)
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

static inline void told_free(struct told *told, bool as_expected)
{
	if (!as_expected)
		printf("%s# %" PRIu64 " findings, %" PRIu64 " lost, %" PRIu64 " corrected, %" PRIu64
		       " leaked\n",
			told->text.ptr, told->result.findings, told->result.lost,
			told->result.corrected, told->result.leaked);
	strbuf_release(&told->text);
}

static inline bool is_clean(const char *space)
{
	struct told told = check(space, false);
	bool ok = told.done && told.result.findings == 0 && told.result.leaked == 0;
	told_free(&told, ok);
	return ok;
}

/* Whether so much is found, and only that: lines that have `what` in them. */
static inline bool finds(const char *space, uint64_t findings, uint64_t leaked, const char *what)
{
	struct told told = check(space, false);
	bool ok = told.done && told.result.findings == findings && told.result.leaked == leaked &&
		  strstr(told.text.ptr, what);
	told_free(&told, ok);
	return ok;
}

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

static inline uint64_t data_of(struct rados *r, uint64_t id, struct slice key)
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

static inline struct made make(const char *space)
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

/* Writes or removes a chunk through librados. */
static inline void set_chunk(
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

enum {
	MANY_KEYS = 1300,     /* more than an OSD gives at a time */
	MANY_VERSIONS = 1100, /* of one key */
};

static inline void add_entry(
	struct edit *edit, struct row_key row, uint64_t version, bool is_marker)
{
	const struct entry entry = {.revision = version,
		.object = {.version = version, .modified_ms = 1, .is_marker = is_marker}};
	SCOPED_STRBUF(value, 256);
	entry_write(&entry, &value);
	edit_set(edit, row_key_slice(&row), strbuf_slice(&value));
}

static inline void set_sum(struct edit *edit, uint64_t objects)
{
	struct row_key row = row_key_number(ROW_OWN, OWN_SUM);
	const struct own own = {.counts = {.objects = objects, .old_versions = MANY_VERSIONS}};
	SCOPED_STRBUF(value, OWN_BYTES_MAX);
	own_format(&own, &value);
	edit_set(edit, row_key_slice(&row), strbuf_slice(&value));
}

/* As gateways would have made them. */
static inline void add_many(struct rados *r, const char *tablet)
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

/* Whether there is a cluster. */
static inline bool checks_start(void)
{
	memset(large, 'l', sizeof(large));
	memset(small, 's', sizeof(small));
	return ceph_start(&ceph);
}

#endif
