/* SPDX-License-Identifier: Apache-2.0 */
/* The collector gives space back, loses nothing, and takes nothing from a reader. */
#include <inttypes.h>
#include <stdatomic.h>

#include "base/limits.h"
#include "store/local/commit/committer.h"
#include "store/local/local.h"
#include "store/local/state/local_internal.h"
#include "tap.h"
#include "unit/store/folder.h"
#include "unit/store/versions.h"

enum {
	OBJECTS = 200,
	OBJECT_BYTES = 100000, /* about forty in a segment */
	KEEP_EACH = 5,
};

static char bytes[OBJECT_BYTES];

static struct slice object_bytes(unsigned i)
{
	memset(bytes, (int)(i % 251), sizeof(bytes));
	return slice_of(bytes, sizeof(bytes) - i);
}

static struct slice object_key(unsigned i)
{
	static char text[16];
	return slice_of(text, (size_t)snprintf(text, sizeof(text), "k%03u", i));
}

/* Waits for the background, for as long as it may take. */
static bool shrinks_to(const char *path, uint64_t disk_bytes)
{
	for (int64_t end = clock_monotonic_ms() + 60000; clock_monotonic_ms() < end;) {
		if (folder_count(path, "segments").disk_bytes <= disk_bytes)
			return true;
		(void)usleep(2000);
	}
	return false;
}

static bool survivors_are_whole(struct store *s, uint64_t id)
{
	bool ok = true;
	for (unsigned i = 0; i < OBJECTS; i++)
		ok = (i % KEEP_EACH == 0 ? object_is(s, id, object_key(i), object_bytes(i))
					 : head_object(s, id, object_key(i)) == ERR_NO_SUCH_KEY) &&
		     ok;
	return ok;
}

/* ---- Versions -------------------------------------------------------------------------------- */

enum {
	ROUNDS = 4, /* versions of each key */
	KEYS = 40,
};

struct kept {
	uint64_t version;
	unsigned i; /* what its bytes are made of */
	unsigned tag;
};

/* Changes what is known of each version at least once, and on while they are moved. */
struct changer {
	struct store *s;
	uint64_t id;
	struct kept *kept; /* KEYS */
	atomic_bool stop;
	unsigned failed;
};

static struct slice tag_text(char *to, size_t size, unsigned tag)
{
	return slice_of(to, (size_t)snprintf(to, size, "n=%u", tag));
}

static void *change_for_long(void *arg)
{
	struct changer *c = arg;
	char key[16];
	char tag[32];
	/* The thread may be scheduled only when the others are done. */
	do {
		for (unsigned k = 0; k < KEYS; k++) {
			struct store_metadata_update change = {.bucket_id = c->id,
				.key = slice_of(key, (size_t)snprintf(key, sizeof(key), "v%u", k)),
				.version = version_number(c->kept[k].version),
				.set_tags = true,
				.tags = tag_text(tag, sizeof(tag), ++c->kept[k].tag)};
			c->failed += object_change(c->s, &change) != ERR_OK;
		}
	} while (!c->stop);
	return NULL;
}

static bool kept_are_whole(struct store *s, uint64_t id, const struct kept *kept)
{
	char key[16];
	char tag[32];
	bool ok = true;
	for (unsigned k = 0; k < KEYS; k++) {
		struct store_get get;
		struct slice name = slice_of(key, (size_t)snprintf(key, sizeof(key), "v%u", k));
		struct store_version version = version_number(kept[k].version);
		ok = version_is(s, id, name, version, object_bytes(kept[k].i)) && ok;
		if (get_version(s, id, name, version, true, &get) != ERR_OK)
			return false;
		ok = slice_eq(get.object.tags, tag_text(tag, sizeof(tag), kept[k].tag)) && ok;
		store_get_release(s, &get);
	}
	return ok;
}

/* Of each key one version is kept: the first, an older one, or the current one. */
static void versions(const struct local_options *options)
{
	static struct kept kept[KEYS];
	static uint64_t made[KEYS][ROUNDS];
	char key[16];
	struct store *s;
	if (local_store_open(options, &s) != ERR_OK ||
		bucket_create(s, S("versions"), STORE_ACL_PRIVATE) != ERR_OK ||
		set_versioning(s, S("versions"), STORE_VERSIONED) != ERR_OK)
		abort();
	uint64_t id = bucket_id(s, S("versions"));
	bool ok = true;
	for (unsigned i = 0; i < ROUNDS * KEYS; i++) {
		struct store_object object = {.version = 0};
		struct put_how how = {.object = &object};
		struct slice name =
			slice_of(key, (size_t)snprintf(key, sizeof(key), "v%u", i % KEYS));
		ok = put_object(s, id, name, object_bytes(i), &how) == ERR_OK && ok;
		made[i % KEYS][i / KEYS] = object.version;
	}
	OK(ok, "versions in several segments");
	struct folder_count full = folder_count(options->path, "segments");
	for (unsigned k = 0; k < KEYS; k++)
		kept[k] = (struct kept){made[k][k % ROUNDS], k % ROUNDS * KEYS + k, 0};
	struct changer changer = {.s = s, .id = id, .kept = kept};
	atomic_init(&changer.stop, false);
	pthread_t thread;
	if (pthread_create(&thread, NULL, change_for_long, &changer) != 0)
		abort();
	for (unsigned i = 0; i < ROUNDS * KEYS; i++) {
		struct store_delete del = {.bucket_id = id,
			.key = slice_of(key, (size_t)snprintf(key, sizeof(key), "v%u", i % KEYS)),
			.version = version_number(made[i % KEYS][i / KEYS])};
		if (del.version.number != kept[i % KEYS].version)
			ok = delete_version(s, &del) == ERR_OK && del.existed && ok;
	}
	OK(ok, "most are deleted");
	OK(shrinks_to(options->path, full.disk_bytes / 4 + MIB(9)), "the space comes back");
	changer.stop = true;
	(void)pthread_join(thread, NULL);
	OK(changer.failed == 0, "while what is known of the others is changed");
	OK(kept_are_whole(s, id, kept), "these are whole, and as they were changed last");
	store_close(s);
	if (local_store_open(options, &s) != ERR_OK)
		abort();
	OK(kept_are_whole(s, id, kept), "also after opening again");
	for (unsigned k = 0; k < KEYS; k++)
		ok = delete_object(s, id,
			     slice_of(key, (size_t)snprintf(key, sizeof(key), "v%u", k)),
			     NULL) == ERR_OK &&
		     ok;
	for (unsigned k = 0; k < KEYS; k++) {
		struct store_delete del = {.bucket_id = id,
			.key = slice_of(key, (size_t)snprintf(key, sizeof(key), "v%u", k)),
			.version = version_number(kept[k].version)};
		ok = delete_version(s, &del) == ERR_OK && ok;
	}
	OK(ok && shrinks_to(options->path, MIB(9)), "markers alone take next to nothing");
	store_close(s);
}

/* ---- A move that comes too late -------------------------------------------------------------- */

/* A move of what was read before it was changed, as the collector would send it. */
struct late {
	struct mutation change;
	struct location from;
	struct blocking b;
	struct store_wait wait;
	struct slice bytes;
	unsigned char head[512];
};

static void late_done(struct mutation *change)
{
	struct late *late = CONTAINER_OF(change, struct late, change);
	late->wait.err = change->err;
	executor_post(late->wait.home, &late->wait.task);
}

/* Reads the entry of the current object. */
static void late_begin(struct late *late, struct local *local, uint64_t id, struct slice name)
{
	struct key key;
	struct index_value value;
	struct entry entry;
	key_object(&key, id, name);
	if (index_get(local->index, &key, false, &value) != INDEX_FOUND ||
		!entry_parse(value.bytes, &entry))
		abort();
	struct slice meta = entry_meta(value.bytes);
	*late = (struct late){.from = entry.where, .bytes = late->bytes};
	late->change = (struct mutation){.kind = MUTATION_MOVE,
		.head = late->head,
		.head_len = RECORD_HEADER_BYTES + name.len + meta.len,
		.key_len = name.len,
		.bucket_id = id,
		.data = late->bytes,
		.moves_from = &late->from,
		.done = late_done};
	record_head(late->head, RECORD_MOVE, id, name.len, meta.len, late->bytes.len);
	memcpy(late->head + RECORD_HEADER_BYTES, name.ptr, name.len);
	memcpy(late->head + RECORD_HEADER_BYTES + name.len, meta.ptr, meta.len);
	index_value_release(&value);
}

static enum err late_end(struct late *late, struct local *local)
{
	blocking_init(&late->b, &late->wait);
	committer_add(local->committer, &late->change);
	return blocking_wait(&late->b, &late->wait);
}

static void late_moves(const struct local_options *options)
{
	static struct late late = {.bytes = SLICE_LIT("moved")};
	struct store *s;
	if (local_store_open(options, &s) != ERR_OK ||
		bucket_create(s, S("late"), STORE_ACL_PRIVATE) != ERR_OK)
		abort();
	struct local *local = local_of(s);
	uint64_t id = bucket_id(s, S("late"));
	bool ok = put_object(s, id, S("k"), S("moved"), NULL) == ERR_OK;
	late_begin(&late, local, id, S("k"));
	OK(ok && late_end(&late, local) == ERR_OK && object_is(s, id, S("k"), S("moved")),
		"an object is moved");
	late_begin(&late, local, id, S("k"));
	struct store_metadata_update change = {
		.bucket_id = id, .key = S("k"), .set_acl = true, .acl = STORE_ACL_PUBLIC_READ};
	ok = object_change(s, &change) == ERR_OK;
	OK(ok && late_end(&late, local) == ERR_PRECONDITION_FAILED,
		"but not as it was before it was changed");
	struct store_get get;
	ok = get_begin(s, id, S("k"), true, &get) == ERR_OK;
	OK(ok && get.object.acl == STORE_ACL_PUBLIC_READ, "so that the change stays");
	if (ok)
		store_get_release(s, &get);
	late_begin(&late, local, id, S("k"));
	ok = set_versioning(s, S("late"), STORE_VERSIONED) == ERR_OK &&
	     put_object(s, id, S("k"), S("newer"), NULL) == ERR_OK;
	OK(ok && late_end(&late, local) == ERR_OK &&
			version_is(s, id, S("k"), null_version(), S("moved")) &&
			object_is(s, id, S("k"), S("newer")),
		"what became an older version meanwhile is moved there");
	store_close(s);
}

int main(void)
{
	char path[FOLDER_PATH_MAX];
	folder_make(path);
	struct local_options options = {.path = path,
		.clock = &clock_system,
		.segment_bytes = MIB(4),
		.gc_bytes_per_second = GIB(1),
		.gc_interval_ms = 5};
	struct store *s;
	if (local_store_open(&options, &s) != ERR_OK)
		return 1;
	bool ok = bucket_create(s, S("bucket"), STORE_ACL_PRIVATE) == ERR_OK;
	uint64_t id = bucket_id(s, S("bucket"));
	struct put_how how = {.headers = S("A: b\r\n")};
	for (unsigned i = 0; i < OBJECTS; i++)
		ok = put_object(s, id, object_key(i), object_bytes(i), &how) == ERR_OK && ok;
	struct store_get dead;
	struct store_get moved;
	ok = get_begin(s, id, object_key(1), false, &dead) == ERR_OK &&
	     get_begin(s, id, object_key(KEEP_EACH), false, &moved) == ERR_OK && ok;
	OK(ok, "objects in several segments, two of which are being read");
	struct folder_count full = folder_count(path, "segments");
	for (unsigned i = 0; i < OBJECTS; i++)
		if (i % KEEP_EACH)
			ok = delete_object(s, id, object_key(i), NULL) == ERR_OK && ok;
	OK(ok, "most are deleted");
	/* A fifth is live, and the active segment may have taken blocks ahead. */
	OK(shrinks_to(path, full.disk_bytes / 5 + MIB(9)), "the space comes back");
	OK(survivors_are_whole(s, id), "what was not deleted is whole");
	char *got = blob_read(&dead.blob);
	OK(got && slice_eq(slice_of(got, dead.blob.size), object_bytes(1)),
		"a reader still reads what was deleted");
	free(got);
	store_get_release(s, &dead);
	got = blob_read(&moved.blob);
	OK(got && slice_eq(slice_of(got, moved.blob.size), object_bytes(KEEP_EACH)),
		"and what was moved");
	free(got);
	store_get_release(s, &moved);
	struct store_get get;
	ok = get_begin(s, id, object_key(0), false, &get) == ERR_OK;
	OK(ok && slice_eq(get.object.headers, S("A: b\r\n")), "headers move along");
	if (ok)
		store_get_release(s, &get);
	struct store_stats stats;
	store_stats(s, &stats);
	IS_INT(stats.objects, OBJECTS / KEEP_EACH, "the count is right");
	store_close(s);
	if (local_store_open(&options, &s) != ERR_OK)
		return 1;
	OK(survivors_are_whole(s, id), "also after opening again");
	for (unsigned i = 0; i < OBJECTS; i += KEEP_EACH)
		ok = delete_object(s, id, object_key(i), NULL) == ERR_OK && ok;
	OK(ok && shrinks_to(path, MIB(9)), "without objects there is next to nothing");
	store_stats(s, &stats);
	OK(stats.objects == 0 && stats.bytes == 0, "and it counts nothing");
	store_close(s);
	versions(&options);
	late_moves(&options);
	folder_remove(path);
	return tap_done();
}
