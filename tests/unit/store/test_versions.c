/* SPDX-License-Identifier: Apache-2.0 */
/* Versions of objects, changes of what is known of them, and what buckets count. */
#include <inttypes.h>
#include <stdatomic.h>

#include "store/local/index/index.h"
#include "store/local/wal/record.h"
#include "tap.h"
#include "unit/store/backend.h"
#include "unit/store/versions.h"

static const struct store_version current;

/* A bucket that keeps versions as said. */
static uint64_t make_bucket(struct store *s, struct slice name, enum store_versioning versioning)
{
	if (bucket_create(s, name, STORE_ACL_PRIVATE) != ERR_OK ||
		(versioning != STORE_UNVERSIONED && set_versioning(s, name, versioning) != ERR_OK))
		abort();
	return bucket_id(s, name);
}

/* The version that was put, or 0. */
static uint64_t put_text(struct store *s, uint64_t id, struct slice key, struct slice text)
{
	struct store_object object;
	struct put_how how = {.object = &object};
	return put_object(s, id, key, text, &how) == ERR_OK ? object.version : 0;
}

static struct store_delete delete_of(
	struct store *s, uint64_t id, struct slice key, struct store_version version)
{
	struct store_delete del = {.bucket_id = id, .key = key, .version = version};
	OK(delete_version(s, &del) == ERR_OK, "delete of %.*s", SLICE_FMT(key));
	return del;
}

static enum err head_version(
	struct store *s, uint64_t id, struct slice key, struct store_version version)
{
	struct store_get get;
	enum err e = get_version(s, id, key, version, true, &get);
	if (e == ERR_OK)
		store_get_release(s, &get);
	return e;
}

/* ---- Versioning ------------------------------------------------------------------------------ */

static void versioning_is_set(struct store *s)
{
	uint64_t id = make_bucket(s, S("settings"), STORE_UNVERSIONED);
	const struct store_bucket *bucket = store_bucket_get(s, S("settings"));
	OK(bucket && bucket->versioning == STORE_UNVERSIONED, "a new bucket keeps no versions");
	store_bucket_unref(s, bucket);
	IS_INT(set_versioning(s, S("settings"), STORE_VERSIONED), ERR_OK, "it may");
	bucket = store_bucket_get(s, S("settings"));
	OK(bucket && bucket->versioning == STORE_VERSIONED && bucket->id == id, "and then does");
	store_bucket_unref(s, bucket);
	IS_INT(set_versioning(s, S("settings"), STORE_UNVERSIONED), ERR_INVALID_ARGUMENT,
		"what was begun is not undone");
	IS_INT(set_versioning(s, S("settings"), STORE_VERSIONING_SUSPENDED), ERR_OK,
		"but suspended");
	IS_INT(bucket_delete(s, S("settings")), ERR_OK, "an empty one is deleted");
}

static void puts_keep(struct store *s)
{
	uint64_t id = make_bucket(s, S("keeps"), STORE_VERSIONED);
	uint64_t one = put_text(s, id, S("k"), S("one"));
	uint64_t two = put_text(s, id, S("k"), S("two"));
	uint64_t other = put_text(s, id, S("k2"), S("other"));
	OK(one && two > one && other, "each put makes a version, newer ones are greater");
	OK(version_is(s, id, S("k"), current, S("two")) &&
			version_is(s, id, S("k"), version_number(two), S("two")) &&
			version_is(s, id, S("k"), version_number(one), S("one")),
		"all are there");
	IS_INT(head_version(s, id, S("k"), version_number(other)), ERR_NO_SUCH_VERSION,
		"a version of another key is none");
	IS_INT(head_version(s, id, S("k"), null_version()), ERR_NO_SUCH_VERSION, "none is null");
	struct store_delete del = delete_of(s, id, S("k"), current);
	OK(del.existed && del.made_marker && del.marker > two && !del.marker_is_null &&
			!del.deleted_marker,
		"a delete makes a marker");
	struct store_get get;
	IS_INT(get_version(s, id, S("k"), current, false, &get), ERR_NO_SUCH_KEY, "it is gone");
	OK(get.object.is_marker && get.object.version == del.marker && !get.object.is_null &&
			get.object.modified_ms > 0,
		"by that marker, which the get tells of");
	IS_INT(get_version(s, id, S("k"), version_number(del.marker), true, &get),
		ERR_METHOD_NOT_ALLOWED, "a marker is not read");
	OK(get.object.is_marker && get.object.version == del.marker, "the get tells of it");
	IS_INT(get_version(s, id, S("none"), current, true, &get), ERR_NO_SUCH_KEY, "no key");
	OK(!get.object.is_marker, "and no marker");
	OK(version_is(s, id, S("k"), version_number(two), S("two")), "versions stay");
	struct store_delete again = delete_of(s, id, S("k"), current);
	OK(!again.existed && again.made_marker && again.marker > del.marker,
		"a delete of what is gone makes another marker");
	again = delete_of(s, id, S("k"), version_number(again.marker));
	OK(again.existed && again.deleted_marker && !again.made_marker, "which is deleted");
	IS_INT(head_version(s, id, S("k"), current), ERR_NO_SUCH_KEY, "the first one holds");
	delete_of(s, id, S("k"), version_number(del.marker));
	OK(version_is(s, id, S("k"), current, S("two")), "without it the object is back");
	del = delete_of(s, id, S("k"), version_number(two));
	OK(del.existed && !del.deleted_marker && version_is(s, id, S("k"), current, S("one")),
		"without the current version the one before it is current");
	IS_INT(head_version(s, id, S("k"), version_number(two)), ERR_NO_SUCH_VERSION, "for good");
	del = delete_of(s, id, S("k"), version_number(two));
	OK(!del.existed && !del.made_marker, "deleting what is not there is a success");
	IS_INT(bucket_delete(s, S("keeps")), ERR_BUCKET_NOT_EMPTY, "the bucket is not empty");
	delete_of(s, id, S("k"), current);
	delete_of(s, id, S("k2"), version_number(other));
	IS_INT(bucket_delete(s, S("keeps")), ERR_BUCKET_NOT_EMPTY, "nor with old versions alone");
}

/* The version "null" in each place that it can have. */
static void null_versions(struct store *s)
{
	struct slice name = S("nulls");
	uint64_t id = make_bucket(s, name, STORE_UNVERSIONED);
	uint64_t zero = put_text(s, id, S("k"), S("zero"));
	OK(version_is(s, id, S("k"), null_version(), S("zero")),
		"without versions an object's version is null");
	OK(set_versioning(s, name, STORE_VERSIONED) == ERR_OK &&
			version_is(s, id, S("k"), null_version(), S("zero")),
		"and stays that");
	uint64_t one = put_text(s, id, S("k"), S("one"));
	OK(version_is(s, id, S("k"), null_version(), S("zero")) &&
			version_is(s, id, S("k"), version_number(zero), S("zero")) &&
			version_is(s, id, S("k"), current, S("one")),
		"also as an older version");
	(void)set_versioning(s, name, STORE_VERSIONING_SUSPENDED);
	uint64_t two = put_text(s, id, S("k"), S("two"));
	struct store_get get;
	IS_INT(get_version(s, id, S("k"), current, true, &get), ERR_OK, "suspended, a put");
	OK(get.object.is_null && get.object.version == two, "makes a null version");
	store_get_release(s, &get);
	OK(version_is(s, id, S("k"), null_version(), S("two")) &&
			version_is(s, id, S("k"), version_number(one), S("one")) &&
			head_version(s, id, S("k"), version_number(zero)) == ERR_NO_SUCH_VERSION,
		"in the place of the one before, and keeps what is not null");
	uint64_t three = put_text(s, id, S("k"), S("three"));
	OK(version_is(s, id, S("k"), null_version(), S("three")) &&
			head_version(s, id, S("k"), version_number(two)) == ERR_NO_SUCH_VERSION,
		"also when that is the current one");
	struct store_delete del = delete_of(s, id, S("k"), current);
	OK(del.made_marker && del.marker_is_null && del.existed, "a delete makes a null marker");
	OK(head_version(s, id, S("k"), null_version()) == ERR_METHOD_NOT_ALLOWED &&
			head_version(s, id, S("k"), version_number(three)) == ERR_NO_SUCH_VERSION,
		"in the place of the null version");
	del = delete_of(s, id, S("k"), current);
	OK(del.made_marker && !del.existed, "another takes its place");
	(void)set_versioning(s, name, STORE_VERSIONED);
	uint64_t four = put_text(s, id, S("k"), S("four"));
	OK(four && head_version(s, id, S("k"), null_version()) == ERR_METHOD_NOT_ALLOWED,
		"an older null marker is still found");
	del = delete_of(s, id, S("k"), null_version());
	OK(del.existed && del.deleted_marker &&
			head_version(s, id, S("k"), null_version()) == ERR_NO_SUCH_VERSION &&
			version_is(s, id, S("k"), current, S("four")),
		"and deleted");
	del = delete_of(s, id, S("k"), null_version());
	OK(!del.existed, "but once");
	/* null below current; the current goes; null is current again, and is displaced again. */
	(void)set_versioning(s, name, STORE_VERSIONING_SUSPENDED);
	(void)put_text(s, id, S("k"), S("five"));
	(void)set_versioning(s, name, STORE_VERSIONED);
	uint64_t six = put_text(s, id, S("k"), S("six"));
	delete_of(s, id, S("k"), version_number(six));
	OK(version_is(s, id, S("k"), current, S("five")) &&
			version_is(s, id, S("k"), null_version(), S("five")),
		"a null version becomes the current one again");
	(void)put_text(s, id, S("k"), S("seven"));
	OK(version_is(s, id, S("k"), null_version(), S("five")), "and an older one again");
	delete_of(s, id, S("k"), null_version());
	OK(head_version(s, id, S("k"), null_version()) == ERR_NO_SUCH_VERSION &&
			version_is(s, id, S("k"), version_number(one), S("one")) &&
			version_is(s, id, S("k"), version_number(four), S("four")) &&
			version_is(s, id, S("k"), current, S("seven")),
		"deleted, it is gone, and the others are not");
}

static void conditions(struct store *s)
{
	uint64_t id = make_bucket(s, S("conditions"), STORE_UNVERSIONED);
	uint64_t one = put_text(s, id, S("k"), S("one"));
	struct store_delete del = {.bucket_id = id, .key = S("k"), .only_if = {true, one + 1}};
	IS_INT(delete_version(s, &del), ERR_PRECONDITION_FAILED, "a delete of another version");
	del.key = S("none");
	IS_INT(delete_version(s, &del), ERR_PRECONDITION_FAILED, "or of none");
	OK(version_is(s, id, S("k"), current, S("one")), "does nothing");
	del = (struct store_delete){.bucket_id = id, .key = S("k"), .only_if = {true, one}};
	OK(delete_version(s, &del) == ERR_OK && del.existed, "of that which was seen it does");
	(void)set_versioning(s, S("conditions"), STORE_VERSIONED);
	struct put_how theirs = {.acl = STORE_ACL_PUBLIC_READ};
	OK(put_object(s, id, S("k"), S("ours"), &theirs) == ERR_OK, "an object with an ACL");
	struct store_get get;
	bool ok = get_version(s, id, S("k"), current, true, &get) == ERR_OK;
	uint64_t two = get.object.version;
	if (ok)
		store_get_release(s, &get);
	del = (struct store_delete){
		.bucket_id = id, .key = S("k"), .caller = STORE_CALLER_PUBLIC_BUCKET};
	IS_INT(delete_version(s, &del), ERR_ACCESS_DENIED, "is not marked by everybody");
	OK(version_is(s, id, S("k"), current, S("ours")), "and is there");
	del.version = version_number(two);
	IS_INT(delete_version(s, &del), ERR_ACCESS_DENIED, "nor is its version deleted");
	del = (struct store_delete){.bucket_id = id,
		.key = S("k"),
		.version = version_number(two),
		.only_if = {true, two}};
	OK(delete_version(s, &del) == ERR_OK && del.existed, "by the owner it is");
	struct put_how once = {.forbid_overwrite = true};
	(void)put_text(s, id, S("k"), S("x"));
	IS_INT(put_object(s, id, S("k"), S("y"), &once), ERR_FILE_ALREADY_EXISTS,
		"overwriting is forbidden while there is an object");
	delete_of(s, id, S("k"), current);
	IS_INT(put_object(s, id, S("k"), S("y"), &once), ERR_OK, "and not over a marker");
}

/* ---- Changes --------------------------------------------------------------------------------- */

static bool is_known_as(struct store *s, uint64_t id, struct slice key,
	struct store_version version, enum store_acl acl, struct slice headers, struct slice tags)
{
	struct store_get get;
	if (get_version(s, id, key, version, true, &get) != ERR_OK)
		return false;
	bool ok = get.object.acl == acl && slice_eq(get.object.headers, headers) &&
		  slice_eq(get.object.tags, tags);
	store_get_release(s, &get);
	return ok;
}

/* Changes of the version `version` of an object that is `bytes`. */
static void change_one(struct store *s, uint64_t id, struct slice key, struct store_version version,
	struct slice bytes, const char *what)
{
	struct store_get before;
	struct store_get after;
	if (get_version(s, id, key, version, false, &before) != ERR_OK) {
		OK(false, "%s is there", what);
		return;
	}
	const struct store_object *object = &before.object;
	struct store_metadata_update change = {.bucket_id = id,
		.key = key,
		.version = version,
		.set_tags = true,
		.tags = S("a=1&b=2")};
	OK(object_change(s, &change) == ERR_OK && change.object.version == object->version &&
			change.object.size == bytes.len &&
			change.object.modified_ms == object->modified_ms,
		"tags of %s", what);
	OK(is_known_as(s, id, key, version, object->acl, object->headers, S("a=1&b=2")),
		"are set, and nothing else");
	change.set_tags = false;
	change.set_acl = true;
	change.acl = STORE_ACL_PUBLIC_READ_WRITE;
	OK(object_change(s, &change) == ERR_OK, "the ACL of %s", what);
	change.set_acl = false;
	change.set_headers = true;
	change.headers = S("X: y\r\nAnother: one\r\n");
	OK(object_change(s, &change) == ERR_OK, "the headers of %s", what);
	OK(is_known_as(
		   s, id, key, version, STORE_ACL_PUBLIC_READ_WRITE, change.headers, S("a=1&b=2")),
		"are set");
	bool ok = get_version(s, id, key, version, true, &after) == ERR_OK;
	OK(ok && after.object.version == object->version && after.object.type == object->type &&
			after.object.crc64 == object->crc64 &&
			after.object.parts == object->parts &&
			memcmp(after.object.md5, object->md5, 16) == 0 &&
			after.object.modified_ms >= object->modified_ms,
		"and the rest of %s is as it was", what);
	if (ok)
		store_get_release(s, &after);
	OK(version_is(s, id, key, version, bytes), "the bytes of %s too", what);
	char *got = get_bytes(s, &before, 0);
	OK(got && slice_eq(slice_of(got, bytes.len), bytes) && slice_eq(object->tags, S("")),
		"who has %s from before keeps it", what);
	free(got);
	store_get_release(s, &before);
}

/* One object of each kind, as the current one and as an older version. */
static void changes(struct store *s)
{
	uint64_t id = make_bucket(s, S("changes"), STORE_VERSIONED);
	static char large[LIMIT_INLINE_BYTES + 5];
	memset(large, 'l', sizeof(large));
	struct slice big = slice_of(large, sizeof(large));
	for (int old = 0; old < 2; old++) {
		uint64_t small = put_text(s, id, S("small"), S("tiny"));
		uint64_t file = put_text(s, id, S("file"), big);
		uint64_t upload = 0;
		bool ok = upload_begin(s, id, S("set"), S("H: i\r\n"), &upload) == ERR_OK &&
			  put_part(s, id, S("set"), upload, 2, S("parts"), NULL) == ERR_OK &&
			  put_part(s, id, S("set"), upload, 1, big, NULL) == ERR_OK;
		struct store_multipart_complete complete = {
			.bucket_id = id, .key = S("set"), .upload = upload};
		ok = upload_complete(s, &complete) == ERR_OK && ok;
		struct store_object grown = {.size = 0};
		ok = append(s, id, old ? S("grown2") : S("grown"), 0, S("piece"), &grown) ==
			     ERR_OK &&
		     ok;
		OK(ok && small && file, "objects of each kind");
		char joined[sizeof(large) + 5];
		memcpy(joined, large, sizeof(large));
		memcpy(joined + sizeof(large), "parts", 5);
		for (int i = 0; old && i < 2; i++)
			ok = put_text(s, id, S("small"), S("newer")) &&
			     put_text(s, id, S("file"), S("newer")) &&
			     put_text(s, id, S("set"), S("newer")) &&
			     put_text(s, id, S("grown2"), S("newer")) && ok;
		const char *const which = old ? "an older version" : "the current one";
		change_one(s, id, S("small"), version_number(small), S("tiny"), which);
		change_one(s, id, S("file"), version_number(file), big, which);
		change_one(s, id, S("set"), version_number(complete.object.version),
			slice_of(joined, sizeof(joined)), which);
		change_one(s, id, old ? S("grown2") : S("grown"), version_number(grown.version),
			S("piece"), which);
	}
	struct store_object after;
	OK(append(s, id, S("grown"), 5, S("more"), &after) == ERR_OK &&
			is_known_as(s, id, S("grown"), current, STORE_ACL_PUBLIC_READ_WRITE,
				S("X: y\r\nAnother: one\r\n"), S("a=1&b=2")) &&
			version_is(s, id, S("grown"), current, S("piecemore")),
		"an object that was changed grows on");
}

static void refused_changes(struct store *s)
{
	uint64_t id = make_bucket(s, S("refused"), STORE_VERSIONED);
	uint64_t one = put_text(s, id, S("k"), S("one"));
	struct store_metadata_update change = {
		.bucket_id = id, .key = S("none"), .set_tags = true, .tags = S("a=b")};
	IS_INT(object_change(s, &change), ERR_NO_SUCH_KEY, "no object, no change");
	OK(!change.object.is_marker, "and no marker is told of");
	change.version = version_number(one);
	IS_INT(object_change(s, &change), ERR_NO_SUCH_VERSION, "no version, either");
	change.key = S("k");
	change.version = null_version();
	IS_INT(object_change(s, &change), ERR_NO_SUCH_VERSION, "no null version");
	change.version = current;
	change.only_if = (struct store_only_if){true, one + 1};
	IS_INT(object_change(s, &change), ERR_PRECONDITION_FAILED, "not the one that was seen");
	change.only_if.version = one;
	IS_INT(object_change(s, &change), ERR_OK, "the one that was seen");
	change.only_if.set = false;
	struct store_delete del = delete_of(s, id, S("k"), current);
	IS_INT(object_change(s, &change), ERR_NO_SUCH_KEY, "what is deleted is not changed");
	OK(change.object.is_marker && change.object.version == del.marker &&
			!change.object.is_null && change.object.modified_ms > 0,
		"and its marker is told of");
	change.object = (struct store_object){.size = 1};
	change.version = version_number(del.marker);
	IS_INT(object_change(s, &change), ERR_METHOD_NOT_ALLOWED, "nor is a marker");
	OK(change.object.is_marker && change.object.version == del.marker &&
			change.object.size == 0,
		"which is told of as well");
	static char many[OBJECT_TAGS_MAX + 1];
	change.version = version_number(one);
	change.tags = slice_of(many, sizeof(many));
	IS_INT(object_change(s, &change), ERR_INVALID_ARGUMENT, "too many tags");
	OK(is_known_as(s, id, S("k"), version_number(one), STORE_ACL_DEFAULT, S(""), S("a=b")),
		"all is as it was");
}

/* ---- Counts ---------------------------------------------------------------------------------- */

static void counts_are(
	struct store *s, uint64_t id, struct store_bucket_stats want, const char *what)
{
	struct store_bucket_stats have;
	bucket_stats(s, id, &have);
	bool same = memcmp(&have, &want, sizeof(have)) == 0;
	OK(same, "counts %s", what);
	if (!same)
		printf("# %" PRIu64 " objects of %" PRIu64 ", %" PRIu64 " old of %" PRIu64
		       ", %" PRIu64 " uploads of %" PRIu64 "\n",
			have.objects, have.bytes, have.old_versions, have.old_bytes, have.uploads,
			have.part_bytes);
}

static void counts(struct store **s, const struct backend *backend)
{
	uint64_t id = make_bucket(*s, S("counts"), STORE_VERSIONED);
	counts_are(*s, id, (struct store_bucket_stats){.objects = 0}, "of a new bucket");
	uint64_t one = put_text(*s, id, S("k"), S("four"));
	counts_are(*s, id, (struct store_bucket_stats){1, 4, 0, 0, 0, 0}, "of an object");
	uint64_t two = put_text(*s, id, S("k"), S("12345"));
	counts_are(*s, id, (struct store_bucket_stats){1, 5, 1, 4, 0, 0}, "of two versions");
	delete_of(*s, id, S("k"), current);
	counts_are(*s, id, (struct store_bucket_stats){0, 0, 3, 9, 0, 0}, "with a marker");
	delete_of(*s, id, S("k"), version_number(one));
	counts_are(*s, id, (struct store_bucket_stats){0, 0, 2, 5, 0, 0}, "without the first");
	uint64_t upload = 0;
	uint64_t other = 0;
	bool ok = upload_begin(*s, id, S("u"), S(""), &upload) == ERR_OK &&
		  upload_begin(*s, id, S("u"), S(""), &other) == ERR_OK &&
		  put_part(*s, id, S("u"), upload, 1, S("123"), NULL) == ERR_OK &&
		  put_part(*s, id, S("u"), upload, 2, S("1234567"), NULL) == ERR_OK &&
		  put_part(*s, id, S("u"), upload, 1, S("12"), NULL) == ERR_OK &&
		  put_part(*s, id, S("u"), other, 1, S("1"), NULL) == ERR_OK;
	OK(ok, "uploads");
	counts_are(*s, id, (struct store_bucket_stats){0, 0, 2, 5, 2, 10}, "of uploads");
	*s = backend_reopen(backend, *s);
	counts_are(*s, id, (struct store_bucket_stats){0, 0, 2, 5, 2, 10}, "after opening again");
	struct store_part_named part = {.number = 2};
	struct store_list_parts parts = {
		.bucket_id = id, .key = S("u"), .upload = upload, .max_parts = 10};
	ok = list_parts(*s, &parts) == ERR_OK && parts.count == 2;
	if (ok) {
		memcpy(part.md5, parts.parts[1].md5, sizeof(part.md5));
		store_list_parts_release(*s, &parts);
	}
	struct store_multipart_complete complete = {
		.bucket_id = id, .key = S("u"), .upload = upload, .parts = &part, .part_count = 1};
	OK(ok && upload_complete(*s, &complete) == ERR_OK, "one is completed with one part");
	counts_are(*s, id, (struct store_bucket_stats){1, 7, 2, 5, 1, 1}, "of what it made");
	OK(upload_abort(*s, id, S("u"), other) == ERR_OK, "the other is aborted");
	counts_are(*s, id, (struct store_bucket_stats){1, 7, 2, 5, 0, 0}, "without it");
	struct store_object object;
	OK(append(*s, id, S("a"), 0, S("ab"), &object) == ERR_OK &&
			append(*s, id, S("a"), 2, S("c"), &object) == ERR_OK,
		"an object grows");
	counts_are(*s, id, (struct store_bucket_stats){2, 10, 2, 5, 0, 0}, "of it");
	delete_of(*s, id, S("k"), version_number(two));
	counts_are(*s, id, (struct store_bucket_stats){2, 10, 1, 0, 0, 0}, "of a marker alone");
	struct store_bucket_stats none;
	bucket_stats(*s, id + 100000, &none);
	OK(none.objects == 0 && none.old_versions == 0, "a bucket that is not there has nothing");
}

static struct index *open_index(const char *path)
{
	char folder[2 * FOLDER_PATH_MAX];
	struct index *index;
	(void)snprintf(folder, sizeof(folder), "%s/index", path);
	if (index_open(folder, &index) != ERR_OK)
		abort();
	return index;
}

/* Takes out what the index says of the bucket's counts, as if it were of an older store. */
static void remove_counts(const char *path, uint64_t id)
{
	struct index *index = open_index(path);
	struct key key;
	struct index_tx *tx = index_tx_new(index);
	struct index_value value;
	key_number(&key, KEY_COUNTS, id);
	enum index_found found = index_get(index, &key, false, &value);
	OK(found == INDEX_FOUND, "the index has the counts of the bucket");
	if (found == INDEX_FOUND)
		index_value_release(&value);
	index_tx_delete(tx, &key);
	if (index_tx_write(tx) != ERR_OK || index_flush(index) != ERR_OK)
		abort();
	index_tx_free(tx);
	index_close(index);
}

static void counts_of_older_stores(struct store **s, const struct backend *backend)
{
	uint64_t id = make_bucket(*s, S("older"), STORE_VERSIONED);
	uint64_t upload = 0;
	bool ok = put_text(*s, id, S("k"), S("four")) && put_text(*s, id, S("k"), S("12345")) &&
		  put_text(*s, id, S("k2"), S("xyz")) &&
		  upload_begin(*s, id, S("u"), S(""), &upload) == ERR_OK &&
		  put_part(*s, id, S("u"), upload, 1, S("123"), NULL) == ERR_OK &&
		  put_part(*s, id, S("u"), upload, 2, S("1234567"), NULL) == ERR_OK;
	OK(ok, "a bucket with something of each kind");
	const struct store_bucket_stats want = {2, 8, 1, 4, 1, 10};
	counts_are(*s, id, want, "of it");
	store_close(*s);
	remove_counts(backend->path, id);
	*s = backend_open(backend);
	counts_are(*s, id, want, "of a bucket that was never counted");
	OK(put_text(*s, id, S("k3"), S("1")) > 0, "another object");
	counts_are(*s, id, (struct store_bucket_stats){3, 9, 1, 4, 1, 10}, "go on from there");
}

/* ---- A crowd --------------------------------------------------------------------------------- */

enum {
	CROWD = 4,
	CROWD_ROUNDS = 150
};

struct crowd {
	struct store *s;
	uint64_t id;
	unsigned number;
	unsigned wrong;
	atomic_uint *left; /* of the crowd */
};

/* Puts, marks, and brings back; its own version must be readable all the time. */
static void *crowd_work(void *arg)
{
	struct crowd *c = arg;
	char text[32];
	for (unsigned i = 0; i < CROWD_ROUNDS; i++) {
		int len = snprintf(text, sizeof(text), "%u of %u", i, c->number);
		struct slice bytes = slice_of(text, (size_t)len);
		uint64_t mine = put_text(c->s, c->id, S("k"), bytes);
		struct store_delete del = {.bucket_id = c->id, .key = S("k")};
		for (int j = 0; j < 3; j++)
			c->wrong += !version_is(c->s, c->id, S("k"), version_number(mine), bytes);
		c->wrong += delete_version(c->s, &del) != ERR_OK || !del.made_marker;
		c->wrong += !version_is(c->s, c->id, S("k"), version_number(mine), bytes);
		del.version = version_number(del.marker);
		c->wrong += delete_version(c->s, &del) != ERR_OK || !del.deleted_marker;
		for (int j = 0; j < 3; j++)
			c->wrong += !version_is(c->s, c->id, S("k"), version_number(mine), bytes);
		del.version = version_number(mine);
		c->wrong += delete_version(c->s, &del) != ERR_OK || !del.existed;
	}
	(void)atomic_fetch_sub(c->left, 1);
	return NULL;
}

/* Lists while they do: no version twice, and the newest is the latest. */
static unsigned crowd_lists(struct store *s, uint64_t id, const atomic_uint *left)
{
	unsigned wrong = 0;
	while (*left) {
		struct store_list list = {.bucket_id = id, .versions = true, .max_entries = 1000};
		if (list_objects(s, &list) != ERR_OK)
			return wrong + 1;
		for (uint32_t j = 0; j < list.count; j++)
			wrong += list.entries[j].is_latest != (j == 0) ||
				 (j > 0 && list.entries[j].object.version >=
						   list.entries[j - 1].object.version);
		store_list_release(s, &list);
	}
	return wrong;
}

static void crowds(struct store *s)
{
	uint64_t id = make_bucket(s, S("crowd"), STORE_VERSIONED);
	pthread_t threads[CROWD];
	struct crowd crowd[CROWD];
	unsigned wrong = 0;
	atomic_uint left = CROWD;
	for (unsigned i = 0; i < CROWD; i++) {
		crowd[i] = (struct crowd){s, id, i, 0, &left};
		if (pthread_create(&threads[i], NULL, crowd_work, &crowd[i]) != 0)
			abort();
	}
	OK(crowd_lists(s, id, &left) == 0, "a list while versions move is of one moment");
	for (unsigned i = 0; i < CROWD; i++) {
		(void)pthread_join(threads[i], NULL);
		wrong += crowd[i].wrong;
	}
	OK(wrong == 0, "a version is found while it moves");
	counts_are(s, id, (struct store_bucket_stats){.objects = 0}, "nothing in the end");
	IS_INT(bucket_delete(s, S("crowd")), ERR_OK, "and the bucket may go");
}

/* ---- The index ------------------------------------------------------------------------------- */

static void put_number(struct index *index, uint64_t old, uint64_t new)
{
	struct key key;
	struct index_tx *tx = index_tx_new(index);
	key_number(&key, KEY_FILE, old);
	index_tx_delete(tx, &key);
	key_number(&key, KEY_FILE, new);
	index_tx_put_number(tx, &key, 1);
	if (index_tx_write(tx) != ERR_OK)
		abort();
	index_tx_free(tx);
}

static void moments(const char *path)
{
	struct index *index = open_index(path);
	struct key key;
	struct key prefix;
	struct index_value value;
	struct slice rest;
	struct slice bytes;
	put_number(index, 0, 1001);
	struct index_snapshot *moment = index_snapshot_new(index);
	put_number(index, 1001, 1002);
	key_number(&key, KEY_FILE, 1001);
	enum index_found found = index_snapshot_get(moment, &key, &value);
	OK(found == INDEX_FOUND, "a moment has what was there");
	if (found == INDEX_FOUND)
		index_value_release(&value);
	key_number(&key, KEY_FILE, 1002);
	OK(index_snapshot_get(moment, &key, &value) == INDEX_ABSENT, "and nothing that came later");
	key_kind(&prefix, KEY_FILE);
	struct index_cursor *cursor = index_snapshot_cursor(moment, &prefix);
	index_cursor_seek(cursor, slice_of(key.bytes + 1, key.len - 1));
	OK(!index_cursor_at(cursor, &rest, &bytes), "likewise for who walks through it");
	index_cursor_free(cursor);
	index_snapshot_free(moment);
	index_close(index);
}

/* Deleted buckets leave nothing behind. */
static void nothing_is_left(struct store *s, const char *path)
{
	static const enum key_kind kinds[] = {
		KEY_OBJECT, KEY_VERSION, KEY_NULL, KEY_MULTIPART, KEY_COUNTS};
	uint64_t id = make_bucket(s, S("last"), STORE_UNVERSIONED);
	(void)put_text(s, id, S("older"), S("1"));
	(void)put_text(s, id, S("back"), S("1"));
	(void)set_versioning(s, S("last"), STORE_VERSIONED);
	(void)put_text(s, id, S("older"), S("2"));
	struct store_delete gone = delete_of(s, id, S("older"), null_version());
	struct store_delete marked = delete_of(s, id, S("back"), current);
	delete_of(s, id, S("back"), version_number(marked.marker));
	delete_of(s, id, S("back"), null_version());
	struct store_list list = {.bucket_id = id, .versions = true, .max_entries = 10};
	OK(gone.existed && list_objects(s, &list) == ERR_OK && list.count == 1, "one is left");
	delete_of(s, id, S("older"), version_of(&list.entries[0].object));
	store_list_release(s, &list);
	IS_INT(bucket_delete(s, S("last")), ERR_OK, "the bucket is empty, and deleted");
	store_close(s);
	struct index *index = open_index(path);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct key prefix;
		struct slice rest;
		struct slice value;
		key_number(&prefix, kinds[i], id);
		struct index_cursor *cursor = index_cursor_new(index, NULL, &prefix);
		index_cursor_seek(cursor, S(""));
		OK(!index_cursor_at(cursor, &rest, &value), "no row %c is left of it", kinds[i]);
		index_cursor_free(cursor);
	}
	index_close(index);
}

static void everything(const struct backend *backend)
{
	struct store *s = backend_open(backend);
	versioning_is_set(s);
	puts_keep(s);
	null_versions(s);
	conditions(s);
	changes(s);
	refused_changes(s);
	counts(&s, backend);
	crowds(s);
	store_close(s);
}

/* What the embedded back end has in its index. */
static void rows_of_the_index(void)
{
	struct backend local = {.name = "local", .keeps = true, .gc_interval_ms = 10};
	folder_make(local.path);
	struct store *s = backend_open(&local);
	counts_of_older_stores(&s, &local);
	nothing_is_left(s, local.path);
	moments(local.path);
	folder_remove(local.path);
}

int main(void)
{
	each_backend(10, everything);
	rows_of_the_index();
	return tap_done();
}
