/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store that is killed again and again, with the collector at whatever it is at: what it told of
 * all versions, uploads and counts before, it must tell after. Counts must also be what the rows
 * come to, and in the end all space must come back.
 *
 * The store lives in processes of its own, one after the other, since only these can be killed.
 */
#include <inttypes.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "base/limits.h"
#include "base/strbuf.h"
#include "crypto/crc64.h"
#include "store/local/local.h"
#include "tap.h"
#include "unit/store/folder.h"
#include "unit/store/versions.h"

enum {
	TEXT_MAX = 4 << 20,
	SEEDS = 3,
	LIVES = 8, /* of the store, with each seed */
	CHANGES = 120,
	PARTS = 5,
	OPEN_UPLOADS_MAX = 12,
	VERSIONS_MAX = 120,
};

#define BUCKET S("bucket")
#define OTHER S("other")

static const struct slice keys[] = {
	SLICE_LIT("a"), SLICE_LIT("a/b"), SLICE_LIT("b"), SLICE_LIT("c"), SLICE_LIT("d")};

/* What one process leaves to the next. */
struct legacy {
	uint64_t random;
	size_t len;
	char text[TEXT_MAX];
};

struct world {
	const char *path;
	struct legacy *legacy;
	struct store *s;
	uint64_t id;
	char *bytes; /* for puts, any of them */
};

static uint64_t random_below(struct world *w, uint64_t below)
{
	uint64_t *random = &w->legacy->random;
	*random = *random * 6364136223846793005u + 1442695040888963407u;
	return (*random >> 33) % below;
}

static struct slice random_key(struct world *w)
{
	return keys[random_below(w, ARRAY_LEN(keys))];
}

static struct slice random_bytes(struct world *w)
{
	uint64_t len = random_below(w, 60000);
	if (random_below(w, 15) == 0)
		len += LIMIT_INLINE_BYTES;
	return slice_of(w->bytes + random_below(w, 1000), (size_t)len);
}

/* ---- Telling --------------------------------------------------------------------------------- */

static void tell_bytes(struct world *w, struct strbuf *text, const struct store_entry *entry)
{
	struct store_get get;
	enum err e = get_version(w->s, w->id, entry->key, version_of(&entry->object), false, &get);
	char *bytes = e == ERR_OK ? get_bytes(w->s, &get, 0) : NULL;
	bool ok = bytes && get.object.size == entry->object.size &&
		  crc64_update(0, slice_of(bytes, get.object.size)) == entry->object.crc64;
	free(bytes);
	if (e == ERR_OK)
		store_get_release(w->s, &get);
	if (!ok && !(entry->object.is_marker && e == ERR_METHOD_NOT_ALLOWED))
		strbuf_add_slice(text, S("cannot be read: "));
}

static void tell_versions(struct world *w, struct strbuf *text, struct store_bucket_stats *sum)
{
	struct store_list list = {.bucket_id = w->id, .versions = true, .max_entries = 1000};
	if (list_objects(w->s, &list) != ERR_OK || list.truncated)
		abort();
	for (uint32_t i = 0; i < list.count; i++) {
		const struct store_entry *entry = &list.entries[i];
		const struct store_object *o = &entry->object;
		bool current = entry->is_latest && !o->is_marker;
		sum->objects += current;
		sum->bytes += current ? o->size : 0;
		sum->old_versions += !current;
		sum->old_bytes += current ? 0 : o->size;
		tell_bytes(w, text, entry);
		strbuf_addf(text,
			"%.*s %" PRIu64 "%s%s%s size %" PRIu64 " crc %" PRIx64
			" at %lld acl %d type %d parts %u tags %.*s headers %.*s\n",
			SLICE_FMT(entry->key), o->version, o->is_null ? " null" : "",
			o->is_marker ? " marker" : "", entry->is_latest ? " latest" : "", o->size,
			o->crc64, (long long)o->modified_ms, o->acl, o->type, o->parts,
			SLICE_FMT(o->tags), SLICE_FMT(o->headers));
	}
	store_list_release(w->s, &list);
}

static void tell_parts(struct world *w, struct strbuf *text, const struct store_multipart *upload,
	struct store_bucket_stats *sum)
{
	struct store_list_parts list = {.bucket_id = w->id,
		.key = upload->key,
		.upload = upload->upload,
		.max_parts = 1000};
	if (list_parts(w->s, &list) != ERR_OK)
		abort();
	for (uint32_t i = 0; i < list.count; i++) {
		const struct store_part *part = &list.parts[i];
		sum->part_bytes += part->size;
		strbuf_addf(text, "  part %u size %" PRIu64 " crc %" PRIx64 " at %lld\n",
			part->number, part->size, part->crc64, (long long)part->modified_ms);
	}
	store_list_parts_release(w->s, &list);
}

static void tell_uploads(struct world *w, struct strbuf *text, struct store_bucket_stats *sum)
{
	struct store_list_multiparts list = {.bucket_id = w->id, .max_uploads = 1000};
	if (list_uploads(w->s, &list) != ERR_OK)
		abort();
	for (uint32_t i = 0; i < list.count; i++) {
		const struct store_multipart *upload = &list.uploads[i];
		strbuf_addf(text, "upload %" PRIu64 " of %.*s at %lld\n", upload->upload,
			SLICE_FMT(upload->key), (long long)upload->initiated_ms);
		tell_parts(w, text, upload, sum);
		sum->uploads++;
	}
	store_list_multiparts_release(w->s, &list);
}

static bool counts_are(const struct store_bucket_stats *a, const struct store_bucket_stats *b)
{
	return a->objects == b->objects && a->bytes == b->bytes &&
	       a->old_versions == b->old_versions && a->old_bytes == b->old_bytes &&
	       a->uploads == b->uploads && a->part_bytes == b->part_bytes;
}

static void tell(struct world *w, struct strbuf *text)
{
	struct store_bucket_stats counts;
	struct store_bucket_stats sum = {.objects = 0};
	struct store_stats stats;
	tell_versions(w, text, &sum);
	tell_uploads(w, text, &sum);
	bucket_stats(w->s, w->id, &counts);
	store_stats(w->s, &stats);
	if (!counts_are(&counts, &sum))
		strbuf_addf(text,
			"counted %" PRIu64 " of %" PRIu64 ", old %" PRIu64 " of %" PRIu64
			", uploads %" PRIu64 " of %" PRIu64 ", which is wrong\n",
			counts.objects, counts.bytes, counts.old_versions, counts.old_bytes,
			counts.uploads, counts.part_bytes);
	if (stats.objects != counts.objects || stats.bytes != counts.bytes)
		strbuf_add_slice(text, S("the only bucket has not all objects, which is wrong\n"));
}

/* Whether the store tells what it told last, and nothing of it is wrong. */
static bool tells_the_same(struct world *w)
{
	SCOPED_STRBUF(have, TEXT_MAX);
	tell(w, &have);
	struct slice text = slice_of(have.ptr, have.len);
	struct slice want = slice_of(w->legacy->text, w->legacy->len);
	bool ok = slice_eq(text, want) && slice_find_slice(text, S("wrong")) == text.len &&
		  slice_find_slice(text, S("cannot")) == text.len;
	if (!ok)
		fprintf(stderr, "want:\n%.*s\nhave:\n%.*s\n", SLICE_FMT(want), SLICE_FMT(text));
	return ok;
}

static void leave_text(struct world *w)
{
	SCOPED_STRBUF(text, TEXT_MAX);
	tell(w, &text);
	memcpy(w->legacy->text, text.ptr, text.len);
	w->legacy->len = text.len;
}

/* ---- Changes --------------------------------------------------------------------------------- */

static bool do_put(struct world *w)
{
	struct put_how how = {.headers = S("A: b\r\n"), .acl = (enum store_acl)random_below(w, 4)};
	return put_object(w->s, w->id, random_key(w), random_bytes(w), &how) == ERR_OK;
}

static bool do_append(struct world *w)
{
	struct store_object object = {.size = 0};
	struct slice key = random_key(w);
	struct slice bytes = random_bytes(w);
	enum err e = append(w->s, w->id, key, 0, bytes, &object);
	if (e == ERR_POSITION_NOT_EQUAL_TO_LENGTH)
		e = append(w->s, w->id, key, object.size, bytes, &object);
	return e == ERR_OK || e == ERR_NOT_APPENDABLE;
}

/* One of the uploads, or a new one. */
static bool pick_upload(struct world *w, struct slice *ret_key, uint64_t *ret)
{
	struct store_list_multiparts list = {.bucket_id = w->id, .max_uploads = 1000};
	if (list_uploads(w->s, &list) != ERR_OK)
		return false;
	size_t at = (size_t)random_below(w, OPEN_UPLOADS_MAX);
	if (at < list.count) {
		*ret = list.uploads[at].upload;
		for (size_t i = 0; i < ARRAY_LEN(keys); i++)
			if (slice_eq(keys[i], list.uploads[at].key))
				*ret_key = keys[i];
		store_list_multiparts_release(w->s, &list);
		return true;
	}
	store_list_multiparts_release(w->s, &list);
	*ret_key = random_key(w);
	return upload_begin(w->s, w->id, *ret_key, S("X: y\r\n"), ret) == ERR_OK;
}

static bool do_part(struct world *w)
{
	struct slice key;
	uint64_t upload;
	uint32_t part = 1 + (uint32_t)random_below(w, PARTS);
	return pick_upload(w, &key, &upload) &&
	       put_part(w->s, w->id, key, upload, part, random_bytes(w), NULL) == ERR_OK;
}

/* Completes with some of the parts, all, or none: that is an empty object. */
static bool do_complete(struct world *w)
{
	struct store_part_named named[PARTS];
	struct store_multipart_complete complete = {.bucket_id = w->id};
	if (!pick_upload(w, &complete.key, &complete.upload))
		return false;
	struct store_list_parts list = {.bucket_id = w->id,
		.key = complete.key,
		.upload = complete.upload,
		.max_parts = 1000};
	if (list_parts(w->s, &list) != ERR_OK)
		return false;
	if (random_below(w, 3))
		complete.parts = named;
	for (uint32_t i = 0; i < list.count; i++) {
		if (random_below(w, 3) == 0)
			continue;
		struct store_part_named *to = &named[complete.part_count++];
		to->number = list.parts[i].number;
		memcpy(to->md5, list.parts[i].md5, sizeof(to->md5));
	}
	store_list_parts_release(w->s, &list);
	return upload_complete(w->s, &complete) == ERR_OK;
}

static bool do_abort(struct world *w)
{
	struct slice key;
	uint64_t upload;
	return pick_upload(w, &key, &upload) && upload_abort(w->s, w->id, key, upload) == ERR_OK;
}

static bool do_delete(struct world *w)
{
	return delete_object(w->s, w->id, random_key(w), NULL) == ERR_OK;
}

/* Calls `act` with one of the versions; if there is none, that is all right. */
static bool with_version(struct world *w,
	bool (*act)(struct world *w, struct slice key, const struct store_object *object))
{
	struct store_list list = {.bucket_id = w->id, .versions = true, .max_entries = 1000};
	if (list_objects(w->s, &list) != ERR_OK)
		return false;
	bool ok = true;
	if (list.count) {
		const struct store_entry *entry = &list.entries[random_below(w, list.count)];
		ok = act(w, entry->key, &entry->object);
	}
	store_list_release(w->s, &list);
	return ok;
}

static bool delete_one(struct world *w, struct slice key, const struct store_object *object)
{
	struct store_delete del = {.bucket_id = w->id, .key = key, .version = version_of(object)};
	return delete_version(w->s, &del) == ERR_OK && del.existed;
}

static bool change_one(struct world *w, struct slice key, const struct store_object *object)
{
	struct store_metadata_update change = {.bucket_id = w->id,
		.key = key,
		.version = version_of(object),
		.set_acl = random_below(w, 2),
		.acl = (enum store_acl)random_below(w, 4),
		.set_headers = random_below(w, 2),
		.headers = S("Content-Type: changed\r\n"),
		.set_tags = random_below(w, 2),
		.tags = S("a=b&c=d")};
	return object_change(w->s, &change) ==
	       (object->is_marker ? ERR_METHOD_NOT_ALLOWED : ERR_OK);
}

static bool do_versioning(struct world *w)
{
	return set_versioning(w->s, BUCKET,
		       random_below(w, 3) ? STORE_VERSIONED : STORE_VERSIONING_SUSPENDED) == ERR_OK;
}

/* A bucket that goes, while the collector still has to do with what was in it. */
static bool do_bucket(struct world *w)
{
	uint64_t upload;
	bool ok = bucket_create(w->s, OTHER, STORE_ACL_PRIVATE) == ERR_OK;
	uint64_t id = bucket_id(w->s, OTHER);
	ok = upload_begin(w->s, id, S("k"), S(""), &upload) == ERR_OK &&
	     put_part(w->s, id, S("k"), upload, 1, random_bytes(w), NULL) == ERR_OK &&
	     put_part(w->s, id, S("k"), upload, 2, random_bytes(w), NULL) == ERR_OK &&
	     append(w->s, id, S("log"), 0, random_bytes(w), NULL) == ERR_OK && ok;
	ok = delete_object(w->s, id, S("log"), NULL) == ERR_OK &&
	     bucket_delete(w->s, OTHER) == ERR_BUCKET_NOT_EMPTY &&
	     upload_abort(w->s, id, S("k"), upload) == ERR_OK && ok;
	return bucket_delete(w->s, OTHER) == ERR_OK && ok;
}

static bool do_something(struct world *w)
{
	struct store_bucket_stats counts;
	bucket_stats(w->s, w->id, &counts);
	if (counts.old_versions > VERSIONS_MAX)
		return with_version(w, delete_one);
	uint64_t dice = random_below(w, 100);
	if (dice < 30)
		return do_put(w);
	if (dice < 45)
		return do_part(w);
	if (dice < 52)
		return do_complete(w);
	if (dice < 57)
		return do_abort(w);
	if (dice < 65)
		return do_append(w);
	if (dice < 73)
		return do_delete(w);
	if (dice < 87)
		return with_version(w, delete_one);
	if (dice < 95)
		return with_version(w, change_one);
	if (dice < 97)
		return do_versioning(w);
	return do_bucket(w);
}

/* ---- Lives ----------------------------------------------------------------------------------- */

static bool open_store(struct world *w)
{
	struct local_options options = {.path = w->path,
		.clock = &clock_system,
		.segment_bytes = MIB(4),
		.gc_bytes_per_second = GIB(1),
		.gc_interval_ms = 1};
	if (local_store_open(&options, &w->s) != ERR_OK)
		return false;
	w->id = bucket_id(w->s, BUCKET);
	return true;
}

/* From the start to being killed. */
static bool live(struct world *w, unsigned age)
{
	bool ok = open_store(w);
	if (ok && age == 0) {
		ok = bucket_create(w->s, BUCKET, STORE_ACL_PRIVATE) == ERR_OK;
		w->id = bucket_id(w->s, BUCKET);
	} else {
		ok = ok && tells_the_same(w);
	}
	unsigned i = 0;
	while (ok && i < CHANGES) {
		ok = do_something(w);
		i++;
	}
	if (!ok) {
		fprintf(stderr, "life %u, change %u\n", age, i);
		return false;
	}
	leave_text(w);
	(void)usleep((useconds_t)random_below(w, 10000));
	(void)kill(getpid(), SIGKILL);
	return false;
}

static bool comes_back(const char *path)
{
	for (int64_t end = clock_monotonic_ms() + 60000; clock_monotonic_ms() < end;) {
		/* The active segment stays. */
		if (folder_count(path, "large").files == 0 &&
			folder_count(path, "segments").files == 1)
			return true;
		(void)usleep(2000);
	}
	return false;
}

static bool empty(struct world *w)
{
	struct store_bucket_stats counts;
	bool ok = true;
	do {
		ok = with_version(w, delete_one) && ok;
		bucket_stats(w->s, w->id, &counts);
	} while (ok && counts.objects + counts.old_versions > 0);
	while (ok && counts.uploads > 0) {
		ok = do_abort(w);
		bucket_stats(w->s, w->id, &counts);
	}
	static const struct store_bucket_stats none;
	return ok && counts_are(&counts, &none);
}

/* The last: all that is there goes, and with it all space. */
static bool end(struct world *w)
{
	bool ok = open_store(w) && tells_the_same(w) && empty(w) &&
		  bucket_delete(w->s, BUCKET) == ERR_OK && comes_back(w->path);
	store_close(w->s);
	return ok;
}

/* How a process ended that does that. */
static int run(struct world *w, bool last, unsigned age)
{
	int status;
	(void)fflush(stdout);
	pid_t pid = fork();
	if (pid < 0)
		abort();
	if (pid == 0)
		_exit((last ? end(w) : live(w, age)) ? 0 : 1);
	if (waitpid(pid, &status, 0) != pid)
		abort();
	return status;
}

static void lives(struct world *w, uint64_t seed)
{
	char path[FOLDER_PATH_MAX];
	folder_make(path);
	w->path = path;
	w->legacy->random = seed;
	bool ok = true;
	for (unsigned age = 0; ok && age < LIVES; age++) {
		int status = run(w, false, age);
		ok = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
	}
	OK(ok, "killed %u times, with seed %" PRIu64, LIVES, seed);
	int status = ok ? run(w, true, LIVES) : 1;
	OK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "in the end all space comes back");
	folder_remove(path);
}

int main(void)
{
	struct world w = {.bytes = malloc(LIMIT_INLINE_BYTES + 100000)};
	w.legacy = mmap(
		NULL, sizeof(*w.legacy), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!w.bytes || w.legacy == MAP_FAILED)
		return 1;
	uint32_t x = 1;
	for (size_t i = 0; i < LIMIT_INLINE_BYTES + 100000; i++) {
		x = x * 1664525 + 1013904223;
		w.bytes[i] = (char)(x >> 24);
	}
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		lives(&w, seed);
	free(w.bytes);
	return tap_done();
}
