/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random changes of few keys, next to a simple model in memory: after each of them, after opening
 * again, after a crash, and with the log cut off behind any of its records, the store must tell the
 * same as the model. The store in memory has nothing to open again, and tells the same.
 */
#include <fcntl.h>
#include <inttypes.h>

#include "base/strbuf.h"
#include "crypto/crc64.h"
#include "store/local/disk/bytes.h"
#include "store/local/wal/record.h"
#include "store/local/wal/segment.h"
#include "tap.h"
#include "unit/store/backend.h"
#include "unit/store/versions.h"

enum {
	VERSIONS_MAX = 24, /* of a key; then some are deleted */
	TEXT_MAX = 1 << 20,
	CUT_OPS = 90,
};

#define BUCKET S("bucket")

static const struct slice keys[] = {SLICE_LIT("a"), SLICE_LIT("a/b"), SLICE_LIT("a/c"),
	SLICE_LIT("a0"), SLICE_LIT("b"), SLICE_LIT("c/d/e"), SLICE_LIT("c/d/f")};

struct version {
	struct store_object object; /* headers and tags are literals */
	char *bytes;
};

struct model_key {
	size_t count;
	struct version versions[VERSIONS_MAX + 1]; /* the newest first */
};

struct model {
	const char *path; /* NULL: it is in memory, or on Ceph */
	const struct backend *ceph;
	bool crashes; /* it is also opened again after crashes */
	bool large;   /* it has files */
	struct store *s;
	uint64_t id;
	uint64_t random;
	enum store_versioning versioning;
	struct model_key keys[ARRAY_LEN(keys)];
};

/* The same numbers in each run. */
static uint64_t random_below(struct model *m, uint64_t below)
{
	m->random = m->random * 6364136223846793005u + 1442695040888963407u;
	return (m->random >> 33) % below;
}

static void open_store(struct model *m)
{
	if (m->ceph) {
		m->s = backend_open(m->ceph);
		return;
	}
	struct local_options options = {.path = m->path,
		.clock = &clock_system,
		.segment_bytes = m->crashes ? 0 : MIB(4),
		.gc_bytes_per_second = GIB(1),
		.gc_interval_ms = m->crashes ? 3600000 : 5};
	enum err e = m->path ? local_store_open(&options, &m->s)
			     : memory_store_open(&clock_system, &m->s);
	if (e != ERR_OK) {
		OK(false, "the store opens");
		exit(1);
	}
}

/* ---- The model ------------------------------------------------------------------------------- */

static void drop(struct model_key *k, size_t i)
{
	free(k->versions[i].bytes);
	k->count--;
	memmove(k->versions + i, k->versions + i + 1, (k->count - i) * sizeof(k->versions[0]));
}

static void drop_null(struct model_key *k)
{
	for (size_t i = k->count; i-- > 0;)
		if (k->versions[i].object.is_null)
			drop(k, i);
}

/* A new version, or a marker; `bytes` is taken over. */
static void place(struct model *m, struct model_key *k, struct store_object object, char *bytes)
{
	object.is_null = m->versioning != STORE_VERSIONED;
	if (object.is_null)
		drop_null(k);
	memmove(k->versions + 1, k->versions, k->count * sizeof(k->versions[0]));
	k->versions[0] = (struct version){object, bytes};
	k->count++;
}

static struct version *current_of(struct model_key *k)
{
	return k->count && !k->versions[0].object.is_marker ? &k->versions[0] : NULL;
}

static unsigned files_of(const struct model *m)
{
	unsigned files = 0;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		for (size_t j = 0; j < m->keys[i].count; j++)
			files += m->keys[i].versions[j].object.size > LIMIT_INLINE_BYTES;
	return files;
}

static void model_free(struct model *m)
{
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		while (m->keys[i].count)
			drop(&m->keys[i], 0);
}

/* ---- Both told as a text --------------------------------------------------------------------- */

static void tell(struct strbuf *text, struct slice key, const struct store_object *o,
	bool is_latest, uint64_t crc64)
{
	strbuf_addf(text,
		"%.*s %" PRIu64 "%s%s%s size %" PRIu64 " crc %" PRIx64 " of %" PRIx64
		" acl %d type %d tags %.*s headers %.*s\n",
		SLICE_FMT(key), o->version, o->is_null ? " null" : "",
		o->is_marker ? " marker" : "", is_latest ? " latest" : "", o->size, crc64, o->crc64,
		o->acl, o->type, SLICE_FMT(o->tags), SLICE_FMT(o->headers));
}

static void tell_counts(struct strbuf *text, const struct store_bucket_stats *c)
{
	strbuf_addf(text,
		"%" PRIu64 " of %" PRIu64 ", old %" PRIu64 " of %" PRIu64 ", uploads %" PRIu64
		" of %" PRIu64 "\n",
		c->objects, c->bytes, c->old_versions, c->old_bytes, c->uploads, c->part_bytes);
}

static void tell_model(const struct model *m, struct strbuf *text)
{
	struct store_bucket_stats counts = {.objects = 0};
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		for (size_t j = 0; j < m->keys[i].count; j++) {
			const struct version *v = &m->keys[i].versions[j];
			bool is_current = j == 0 && !v->object.is_marker;
			struct slice bytes = slice_of(v->bytes, v->object.size);
			tell(text, keys[i], &v->object, j == 0, crc64_update(0, bytes));
			counts.objects += is_current;
			counts.bytes += is_current ? v->object.size : 0;
			counts.old_versions += !is_current;
			counts.old_bytes += is_current ? 0 : v->object.size;
		}
	tell_counts(text, &counts);
}

/* What a get of that version says, which must be what the list said; false if it does not. */
static bool read_entry(struct store *s, uint64_t id, const struct store_entry *entry,
	struct store_version which, uint64_t *ret_crc64)
{
	struct store_get get;
	const struct store_object *o = &entry->object;
	enum err e = get_version(s, id, entry->key, which, false, &get);
	*ret_crc64 = 0;
	if (o->is_marker)
		return e == ERR_METHOD_NOT_ALLOWED && get.object.is_marker &&
		       get.object.version == o->version && get.object.is_null == o->is_null;
	if (e != ERR_OK)
		return false;
	char *bytes = get_bytes(s, &get, 0);
	bool ok = bytes && get.object.version == o->version && get.object.size == o->size &&
		  get.object.is_null == o->is_null && get.object.acl == o->acl &&
		  slice_eq(get.object.headers, o->headers) && slice_eq(get.object.tags, o->tags);
	if (ok)
		*ret_crc64 = crc64_update(0, slice_of(bytes, o->size));
	free(bytes);
	store_get_release(s, &get);
	return ok;
}

static void tell_store(struct store *s, uint64_t id, struct strbuf *text)
{
	struct store_bucket_stats counts;
	struct store_list list = {.bucket_id = id, .versions = true, .max_entries = 1000};
	if (list_objects(s, &list) != ERR_OK) {
		strbuf_add_slice(text, S("no list\n"));
		return;
	}
	for (uint32_t i = 0; i < list.count; i++) {
		const struct store_entry *entry = &list.entries[i];
		uint64_t crc64;
		if (!read_entry(s, id, entry, version_of(&entry->object), &crc64))
			strbuf_add_slice(text, S("cannot be read: "));
		tell(text, entry->key, &entry->object, entry->is_latest, crc64);
	}
	store_list_release(s, &list);
	bucket_stats(s, id, &counts);
	tell_counts(text, &counts);
}

/* What a get without a version says of each key. */
static bool currents_match(struct model *m)
{
	bool ok = true;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		struct model_key *k = &m->keys[i];
		struct version *v = current_of(k);
		struct store_get get;
		enum err e = get_version(
			m->s, m->id, keys[i], (struct store_version){.number = 0}, true, &get);
		if (v)
			ok = e == ERR_OK && get.object.version == v->object.version && ok;
		else
			ok = e == ERR_NO_SUCH_KEY && get.object.is_marker == (k->count > 0) && ok;
		if (e == ERR_OK)
			store_get_release(m->s, &get);
	}
	return ok;
}

static bool matches(struct model *m)
{
	SCOPED_STRBUF(want, TEXT_MAX);
	SCOPED_STRBUF(have, TEXT_MAX);
	tell_model(m, &want);
	tell_store(m->s, m->id, &have);
	bool same = slice_eq(slice_of(want.ptr, want.len), slice_of(have.ptr, have.len));
	if (!same)
		fprintf(stderr, "want:\n%.*s\nhave:\n%.*s\n", (int)want.len, want.ptr,
			(int)have.len, have.ptr);
	return same && currents_match(m);
}

/* ---- Changes --------------------------------------------------------------------------------- */

static const struct slice some_headers[] = {SLICE_LIT(""), SLICE_LIT("A: b\r\n"),
	SLICE_LIT("Content-Type: image/png\r\nx-oss-meta-long: 0123456789\r\n")};
static const struct slice some_tags[] = {SLICE_LIT(""), SLICE_LIT("a=b"), SLICE_LIT("c=d&e=f")};

static char *random_bytes(struct model *m, size_t len)
{
	char *bytes = malloc(len + 1);
	if (!bytes)
		abort();
	for (size_t i = 0; i < len; i++)
		bytes[i] = (char)random_below(m, 256);
	return bytes;
}

static size_t random_size(struct model *m)
{
	if (m->large && random_below(m, 25) == 0)
		return LIMIT_INLINE_BYTES + 1 + (size_t)random_below(m, 5000);
	return (size_t)random_below(m, m->crashes ? 300 : 60000);
}

static bool do_put(struct model *m, size_t i)
{
	size_t len = random_size(m);
	char *bytes = random_bytes(m, len);
	struct store_put_spec spec = {.bucket_id = m->id,
		.key = keys[i],
		.headers = some_headers[random_below(m, ARRAY_LEN(some_headers))],
		.tags = some_tags[random_below(m, ARRAY_LEN(some_tags))],
		.acl = (enum store_acl)random_below(m, 4)};
	struct store_object object;
	bool ok = put_as(m->s, &spec, slice_of(bytes, len), &object) == ERR_OK &&
		  object.is_null == (m->versioning != STORE_VERSIONED);
	object.headers = spec.headers;
	object.tags = spec.tags;
	place(m, &m->keys[i], object, bytes);
	return ok;
}

/* Three parts, of which the second is dropped. */
static bool do_upload(struct model *m, size_t i)
{
	uint64_t upload;
	size_t lens[3];
	struct store_part_named named[2] = {{.number = 1}, {.number = 3}};
	if (upload_begin(m->s, m->id, keys[i], some_headers[1], &upload) != ERR_OK)
		return false;
	char *all = malloc(200000);
	size_t at = 0;
	bool ok = all != NULL;
	for (unsigned part = 1; ok && part <= 3; part++) {
		struct store_object object;
		lens[part - 1] = (size_t)random_below(m, 60000);
		char *bytes = random_bytes(m, lens[part - 1]);
		ok = put_part(m->s, m->id, keys[i], upload, part, slice_of(bytes, lens[part - 1]),
			     &object) == ERR_OK;
		if (part != 2) {
			memcpy(named[part / 2].md5, object.md5, sizeof(object.md5));
			memcpy(all + at, bytes, lens[part - 1]);
			at += lens[part - 1];
		}
		free(bytes);
	}
	if (random_below(m, 4) == 0) {
		free(all);
		return upload_abort(m->s, m->id, keys[i], upload) == ERR_OK && ok;
	}
	struct store_multipart_complete complete = {.bucket_id = m->id,
		.key = keys[i],
		.upload = upload,
		.parts = named,
		.part_count = 2};
	ok = upload_complete(m->s, &complete) == ERR_OK && ok;
	complete.object.headers = some_headers[1];
	complete.object.tags = S("");
	place(m, &m->keys[i], complete.object, all);
	return ok;
}

static bool do_append(struct model *m, size_t i)
{
	struct model_key *k = &m->keys[i];
	struct version *v = current_of(k);
	struct store_object object;
	size_t len = (size_t)random_below(m, 300);
	char *bytes = random_bytes(m, len);
	uint64_t position = v && v->object.type == STORE_APPENDABLE ? v->object.size : 0;
	enum err e = append(m->s, m->id, keys[i], position, slice_of(bytes, len), &object);
	if (v && v->object.type != STORE_APPENDABLE) {
		free(bytes);
		return e == ERR_NOT_APPENDABLE;
	}
	if (!v) {
		object.headers = S("A: appended\r\n");
		place(m, k, object, bytes);
		return e == ERR_OK;
	}
	char *more = realloc(v->bytes, v->object.size + len + 1);
	if (!more)
		abort();
	memcpy(more + v->object.size, bytes, len);
	v->bytes = more;
	free(bytes);
	object.headers = v->object.headers;
	object.tags = v->object.tags;
	v->object = object;
	return e == ERR_OK;
}

/* One of the versions that there are, or one that there is not; its place, or -1. */
static int pick_version(struct model *m, const struct model_key *k, struct store_version *ret)
{
	size_t at = (size_t)random_below(m, k->count + 1);
	*ret = (struct store_version){.number = 1};
	if (at < k->count)
		*ret = version_of(&k->versions[at].object);
	else if (random_below(m, 2))
		*ret = null_version();
	for (size_t i = 0; i < k->count; i++)
		if (ret->is_null ? k->versions[i].object.is_null
				 : k->versions[i].object.version == ret->number)
			return (int)i;
	return -1;
}

static bool do_delete(struct model *m, size_t i)
{
	struct model_key *k = &m->keys[i];
	struct store_delete del = {.bucket_id = m->id, .key = keys[i]};
	bool existed = current_of(k) != NULL;
	bool ok = delete_version(m->s, &del) == ERR_OK && del.existed == existed &&
		  !del.deleted_marker;
	if (m->versioning == STORE_UNVERSIONED) {
		if (existed)
			drop(k, 0);
		return ok && !del.made_marker;
	}
	struct store_object marker = {.version = del.marker, .is_marker = true};
	place(m, k, marker, NULL);
	return ok && del.made_marker && del.marker_is_null == k->versions[0].object.is_null;
}

static bool do_version_delete(struct model *m, size_t i)
{
	struct model_key *k = &m->keys[i];
	struct store_delete del = {.bucket_id = m->id, .key = keys[i]};
	int at = pick_version(m, k, &del.version);
	bool marker = at >= 0 && k->versions[at].object.is_marker;
	bool ok = delete_version(m->s, &del) == ERR_OK && del.existed == (at >= 0) &&
		  del.deleted_marker == marker && !del.made_marker;
	if (at >= 0)
		drop(k, (size_t)at);
	return ok;
}

static bool do_change(struct model *m, size_t i)
{
	struct model_key *k = &m->keys[i];
	struct store_metadata_update change = {.bucket_id = m->id,
		.key = keys[i],
		.set_acl = random_below(m, 2),
		.acl = (enum store_acl)random_below(m, 4),
		.set_tags = random_below(m, 2),
		.tags = some_tags[random_below(m, ARRAY_LEN(some_tags))],
		.set_headers = random_below(m, 2),
		.headers = some_headers[random_below(m, ARRAY_LEN(some_headers))]};
	int at = pick_version(m, k, &change.version);
	enum err e = object_change(m->s, &change);
	if (at < 0)
		return e == ERR_NO_SUCH_VERSION;
	struct store_object *object = &k->versions[at].object;
	if (object->is_marker)
		return e == ERR_METHOD_NOT_ALLOWED;
	if (change.set_acl)
		object->acl = change.acl;
	if (change.set_tags)
		object->tags = change.tags;
	if (change.set_headers)
		object->headers = change.headers;
	return e == ERR_OK && change.object.version == object->version;
}

static bool do_versioning(struct model *m)
{
	enum store_versioning next =
		m->versioning == STORE_VERSIONED ? STORE_VERSIONING_SUSPENDED : STORE_VERSIONED;
	m->versioning = next;
	return set_versioning(m->s, BUCKET, next) == ERR_OK;
}

static bool do_something(struct model *m)
{
	size_t i = (size_t)random_below(m, ARRAY_LEN(keys));
	if (m->keys[i].count == VERSIONS_MAX)
		return do_version_delete(m, i);
	uint64_t dice = random_below(m, 100);
	if (dice < 40)
		return do_put(m, i);
	if (dice < 46)
		return do_upload(m, i);
	if (dice < 52)
		return do_append(m, i);
	if (dice < 65)
		return do_delete(m, i);
	if (dice < 82)
		return do_version_delete(m, i);
	if (dice < 97)
		return do_change(m, i);
	return do_versioning(m);
}

/* ---- Listing --------------------------------------------------------------------------------- */

/* The entry behind `skip` others as the contract says it, the slow way; false if there is none. */
static bool model_next(const struct model *m, const struct store_list *list, unsigned skip,
	struct store_entry *ret)
{
	struct slice rolled_last = S("");
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		struct slice key = keys[i];
		if (!slice_starts(key, list->prefix) || m->keys[i].count == 0)
			continue;
		struct slice rest = slice_from(key, list->prefix.len);
		size_t at =
			list->delimiter.len ? slice_find_slice(rest, list->delimiter) : rest.len;
		if (at < rest.len) {
			struct slice name =
				slice_head(key, list->prefix.len + at + list->delimiter.len);
			if (slice_cmp(name, list->marker) <= 0 || slice_eq(name, rolled_last))
				continue;
			rolled_last = name;
			*ret = (struct store_entry){.key = name, .is_prefix = true};
			if (skip-- == 0)
				return true;
			continue;
		}
		int order = slice_cmp(key, list->marker);
		for (size_t j = 0; j < m->keys[i].count; j++) {
			const struct store_object *object = &m->keys[i].versions[j].object;
			if (order < 0 || (order == 0 && object->version >= list->after_version))
				continue;
			*ret = (struct store_entry){
				.key = key, .is_latest = j == 0, .object = *object};
			if (skip-- == 0)
				return true;
		}
	}
	return false;
}

static bool list_matches(struct model *m, struct store_list *list)
{
	struct store_entry want;
	if (list_objects(m->s, list) != ERR_OK)
		return false;
	bool ok = true;
	for (uint32_t i = 0; ok && i < list->count; i++) {
		const struct store_entry *entry = &list->entries[i];
		ok = model_next(m, list, i, &want) && slice_eq(entry->key, want.key) &&
		     entry->is_prefix == want.is_prefix && entry->is_latest == want.is_latest &&
		     entry->object.version == want.object.version &&
		     slice_eq(entry->object.tags, want.object.tags);
	}
	bool more = model_next(m, list, list->count, &want);
	ok = ok && more == list->truncated && (!more || list->count == list->max_entries);
	store_list_release(m->s, list);
	return ok;
}

/* From anywhere, with anything. */
static bool lists_match(struct model *m)
{
	static const struct slice prefixes[] = {
		SLICE_LIT(""), SLICE_LIT("a"), SLICE_LIT("a/"), SLICE_LIT("c/"), SLICE_LIT("x")};
	static const struct slice delimiters[] = {SLICE_LIT(""), SLICE_LIT("/"), SLICE_LIT("d/")};
	bool ok = true;
	for (int round = 0; ok && round < 20; round++) {
		struct store_list list = {.bucket_id = m->id,
			.versions = true,
			.prefix = prefixes[random_below(m, ARRAY_LEN(prefixes))],
			.delimiter = delimiters[random_below(m, ARRAY_LEN(delimiters))],
			.max_entries = 1 + (uint32_t)random_below(m, 12)};
		size_t i = (size_t)random_below(m, ARRAY_LEN(keys));
		if (random_below(m, 2))
			list.marker = keys[i];
		if (list.marker.len && m->keys[i].count && random_below(m, 2)) {
			size_t at = (size_t)random_below(m, m->keys[i].count);
			/* Sometimes of one that is not there any more. */
			list.after_version =
				m->keys[i].versions[at].object.version + random_below(m, 3) - 1;
		}
		ok = list_matches(m, &list);
		if (!ok)
			fprintf(stderr,
				"prefix %.*s delimiter %.*s marker %.*s after %" PRIu64 " max %u\n",
				SLICE_FMT(list.prefix), SLICE_FMT(list.delimiter),
				SLICE_FMT(list.marker), list.after_version, list.max_entries);
	}
	return ok;
}

/* ---- Opening again --------------------------------------------------------------------------- */

/* Files of what was deleted go in the background; none must stay. */
static bool files_settle(const struct model *m)
{
	for (int64_t end = clock_monotonic_ms() + 30000; clock_monotonic_ms() < end;) {
		if (folder_count(m->path, "large").files == files_of(m))
			return true;
		(void)usleep(2000);
	}
	return false;
}

/*
 * A copy of the folder of an open store, as a crash would leave it. The only segment gets back some
 * of the zeros that were left out.
 */
static void copy_folder(const char *from, const char *to)
{
	char segment[2 * FOLDER_PATH_MAX];
	struct stat st;
	folder_copy(from, to);
	(void)snprintf(segment, sizeof(segment), "%s/segments/0000000000000001.seg", to);
	if (stat(segment, &st) != 0 || truncate(segment, st.st_size + 4096) != 0)
		abort();
}

static bool open_again(struct model *m, bool crash)
{
	char image[FOLDER_PATH_MAX];
	bool ok = files_settle(m);
	if (crash) {
		folder_make(image);
		folder_remove(image);
		copy_folder(m->path, image);
	}
	store_close(m->s);
	if (crash) {
		folder_remove(m->path);
		if (rename(image, m->path) != 0)
			abort();
	}
	open_store(m);
	return ok;
}

static void begin(struct model *m, const char *path)
{
	m->path = path;
	m->random = 7;
	open_store(m);
	if (bucket_create(m->s, BUCKET, STORE_ACL_PRIVATE) != ERR_OK)
		abort();
	m->id = bucket_id(m->s, BUCKET);
}

static void random_changes(bool crashes, unsigned rounds)
{
	static struct model model;
	char path[FOLDER_PATH_MAX];
	folder_make(path);
	model = (struct model){.crashes = crashes, .large = true};
	begin(&model, path);
	bool ok = true;
	for (unsigned i = 0; ok && i < rounds; i++) {
		ok = do_something(&model) && matches(&model);
		if (ok && i % 10 == 9)
			ok = lists_match(&model);
		if (ok && i % 100 == 99)
			ok = open_again(&model, crashes && i % 200 == 99) && matches(&model);
		if (!ok)
			printf("# after change %u\n", i);
	}
	OK(ok, "%u random changes %s", rounds,
		crashes ? "and some crashes" : "while the collector is busy");
	OK(files_settle(&model), "no file is left that is nobody's");
	store_close(model.s);
	model_free(&model);
	folder_remove(path);
}

static uint64_t bytes_held(void)
{
	struct budget_stats stats;
	budget_stats(&stats);
	return stats.used[BUDGET_STORE];
}

static void random_changes_in_memory(unsigned rounds)
{
	static struct model model;
	model = (struct model){.large = true};
	begin(&model, NULL);
	bool ok = true;
	for (unsigned i = 0; ok && i < rounds; i++) {
		ok = do_something(&model) && matches(&model);
		if (ok && i % 10 == 9)
			ok = lists_match(&model);
		if (!ok)
			printf("# after change %u\n", i);
	}
	OK(ok && bytes_held() > 0, "%u random changes in memory", rounds);
	store_close(model.s);
	OK(bytes_held() == 0, "of which nothing is left when it is closed");
	model_free(&model);
}

static void random_changes_on_ceph(const struct backend *backend)
{
	static struct model model;
	const unsigned rounds = UNDER_TSAN || UNDER_ASAN ? 100 : 400;
	model = (struct model){.ceph = backend, .large = true};
	begin(&model, NULL);
	bool ok = true;
	for (unsigned i = 0; ok && i < rounds; i++) {
		ok = do_something(&model) && matches(&model);
		if (ok && i % 10 == 9)
			ok = lists_match(&model);
		if (ok && i % 100 == 99) {
			store_close(model.s);
			open_store(&model);
			ok = matches(&model);
		}
		if (!ok)
			printf("# after change %u\n", i);
	}
	OK(ok, "%u random changes on Ceph", rounds);
	store_close(model.s);
	model_free(&model);
}

/* ---- Cuts ------------------------------------------------------------------------------------ */

struct state {
	uint64_t records; /* of the log, at most */
	char *text;
};

static char *text_of(const struct model *m)
{
	SCOPED_STRBUF(text, TEXT_MAX);
	tell_model(m, &text);
	return strndup(text.ptr, text.len);
}

static uint64_t records_of(struct store *s)
{
	struct store_stats stats;
	store_stats(s, &stats);
	return stats.commits;
}

/* Where the records of a segment end; the number of records. */
static size_t find_ends(const char *path, off_t *ends, size_t max)
{
	struct record record;
	size_t len = MIB(8);
	char *bytes = malloc(len);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 || !bytes ? -1 : read(fd, bytes, len);
	if (got < SEGMENT_HEADER_BYTES)
		abort();
	(void)close(fd);
	uint64_t salt = le64_get(bytes + 32);
	size_t at = SEGMENT_HEADER_BYTES;
	size_t count = 0;
	ends[count++] = (off_t)at;
	while (count < max &&
		record_parse(slice_of(bytes + at, (size_t)got - at), salt, &record) == RECORD_OK) {
		at += record.total;
		ends[count++] = (off_t)at;
	}
	free(bytes);
	return count - 1;
}

/* Whether the image, with its log cut off there, tells `want`. */
static bool cut_tells(struct model *m, const char *image, off_t end, const char *want)
{
	char path[FOLDER_PATH_MAX];
	char segment[2 * FOLDER_PATH_MAX];
	folder_make(path);
	folder_remove(path);
	folder_copy(image, path);
	(void)snprintf(segment, sizeof(segment), "%s/segments/0000000000000001.seg", path);
	if (truncate(segment, end) != 0)
		abort();
	struct model cut = {.path = path, .crashes = true};
	open_store(&cut);
	SCOPED_STRBUF(have, TEXT_MAX);
	tell_store(cut.s, m->id, &have);
	bool same = slice_eq(slice_of(have.ptr, have.len), slice_str(want));
	if (!same)
		fprintf(stderr, "want:\n%s\nhave:\n%.*s\n", want, (int)have.len, have.ptr);
	store_close(cut.s);
	folder_remove(path);
	return same;
}

static void every_cut(void)
{
	static struct model model;
	static struct state states[CUT_OPS + 1];
	static off_t ends[10 * CUT_OPS];
	char path[FOLDER_PATH_MAX];
	char image[FOLDER_PATH_MAX];
	char segment[2 * FOLDER_PATH_MAX];
	folder_make(path);
	model = (struct model){.crashes = true};
	begin(&model, path);
	states[0] = (struct state){records_of(model.s), text_of(&model)};
	bool ok = true;
	for (unsigned i = 1; i <= CUT_OPS; i++) {
		/* Uploads take several records, whose counts the model does not have. */
		size_t k = (size_t)random_below(&model, ARRAY_LEN(keys));
		uint64_t dice = random_below(&model, 6);
		ok = (i % 20 == 10       ? do_versioning(&model)
			     : dice == 0 ? do_append(&model, k)
			     : dice == 1 ? do_delete(&model, k)
			     : dice == 2 ? do_version_delete(&model, k)
			     : dice == 3 ? do_change(&model, k)
					 : do_put(&model, k)) &&
		     ok;
		states[i] = (struct state){records_of(model.s), text_of(&model)};
	}
	folder_make(image);
	folder_remove(image);
	copy_folder(path, image);
	store_close(model.s);
	(void)snprintf(segment, sizeof(segment), "%s/segments/0000000000000001.seg", image);
	size_t records = find_ends(segment, ends, ARRAY_LEN(ends));
	OK(ok && records == states[CUT_OPS].records, "a log of many changes");
	ok = true;
	for (unsigned i = 0; ok && i <= CUT_OPS; i++)
		ok = cut_tells(&model, image, ends[states[i].records], states[i].text);
	OK(ok, "cut off behind any of them, it tells all before");
	for (unsigned i = 0; i <= CUT_OPS; i++)
		free(states[i].text);
	model_free(&model);
	folder_remove(path);
	folder_remove(image);
}

int main(void)
{
	const unsigned part = UNDER_TSAN || UNDER_ASAN ? 3 : 1;
	random_changes(false, 1200 / part);
	random_changes_in_memory(1200 / part);
	random_changes(true, 800 / part);
	every_cut();
	each_ceph_backend(random_changes_on_ceph);
	return tap_done();
}
