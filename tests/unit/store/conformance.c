/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/store/conformance.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/limits.h"
#include "crypto/crc64.h"
#include "crypto/digest.h"
#include "unit/store/blocking.h"

struct run {
	const struct conformance *with;
	struct store *s;
	uint64_t id; /* of the bucket `main` */
	uint64_t random;
};

static void PRINTF_LIKE(3, 4) check(const struct run *r, bool ok, const char *fmt, ...)
{
	char name[256];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(name, sizeof(name), fmt, ap);
	va_end(ap);
	r->with->ok(ok, name);
}

/* The same numbers in each run. */
static uint64_t next_random(struct run *r, uint64_t below)
{
	r->random = r->random * 6364136223846793005u + 1442695040888963407u;
	return (r->random >> 33) % below;
}

/* Bytes that differ from place to place and from seed to seed; the caller frees them. */
static char *pattern(size_t len, unsigned seed)
{
	char *bytes = malloc(len + 1);
	uint32_t x = seed * 2654435761u + 1;
	for (size_t i = 0; bytes && i < len; i++) {
		x = x * 1664525u + 1013904223u;
		bytes[i] = (char)(x >> 24);
	}
	return bytes;
}

/* ---- Buckets --------------------------------------------------------------------------------- */

static void buckets_live(struct run *r)
{
	struct store *s = r->s;
	check(r, !store_bucket_get(s, S("one")), "a bucket that was not made is not there");
	check(r, bucket_create(s, S("one"), STORE_ACL_PUBLIC_READ) == ERR_OK, "a bucket is made");
	check(r, bucket_create(s, S("one"), STORE_ACL_PRIVATE) == ERR_BUCKET_ALREADY_EXISTS,
		"but once");
	const struct store_bucket *one = store_bucket_get(s, S("one"));
	check(r,
		one && slice_eq(one->name, S("one")) && one->acl == STORE_ACL_PUBLIC_READ &&
			one->created_ms > 0 && one->settings[STORE_SETTING_CORS].len == 0 &&
			slice_eq(one->settings[STORE_SETTING_STORAGE_CLASS], S("IA")),
		"a new bucket is as it was asked for");
	struct store_bucket_update change = {.name = S("one"),
		.set_setting = true,
		.setting = STORE_SETTING_CORS,
		.value = S("<x/>")};
	check(r, bucket_change(s, change) == ERR_OK, "a setting is set");
	const struct store_bucket *two = store_bucket_get(s, S("one"));
	check(r,
		two && slice_eq(two->settings[STORE_SETTING_CORS], S("<x/>")) &&
			two->acl == STORE_ACL_PUBLIC_READ && two->id == one->id &&
			two->created_ms == one->created_ms,
		"and nothing else changes");
	check(r, two && two->generation != one->generation, "each state has its generation");
	check(r, one && one->settings[STORE_SETTING_CORS].len == 0, "a snapshot stays as it was");
	change = (struct store_bucket_update){
		.name = S("one"), .set_acl = true, .acl = STORE_ACL_PRIVATE};
	check(r, bucket_change(s, change) == ERR_OK, "an acl is set");
	const struct store_bucket *three = store_bucket_get(s, S("one"));
	check(r,
		three && three->acl == STORE_ACL_PRIVATE &&
			slice_eq(three->settings[STORE_SETTING_CORS], S("<x/>")),
		"and the setting stays");
	change.name = S("none");
	check(r, bucket_change(s, change) == ERR_NO_SUCH_BUCKET, "no bucket, no change");
	check(r, bucket_delete(s, S("none")) == ERR_NO_SUCH_BUCKET, "nor a delete");
	check(r, bucket_delete(s, S("one")) == ERR_OK, "an empty bucket is deleted");
	check(r, !store_bucket_get(s, S("one")), "and gone");
	check(r, one && slice_eq(one->name, S("one")), "a snapshot outlives it");
	check(r, bucket_create(s, S("one"), STORE_ACL_PRIVATE) == ERR_OK, "the name is free again");
	check(r, one && bucket_id(s, S("one")) != one->id, "for another incarnation");
	store_bucket_unref(s, one);
	store_bucket_unref(s, two);
	store_bucket_unref(s, three);
	check(r, bucket_delete(s, S("one")) == ERR_OK, "which is deleted, too");
}

struct names {
	char text[8192];
	size_t len;
	unsigned count;
};

static void add_name(const struct store_bucket *bucket, void *ctx)
{
	struct names *names = ctx;
	names->count++;
	int n = snprintf(names->text + names->len, sizeof(names->text) - names->len, "%.*s,",
		SLICE_FMT(bucket->name));
	names->len += (size_t)n;
}

static void buckets_are_sorted_and_limited(struct run *r)
{
	struct names names = {.len = 0};
	bool ok = bucket_create(r->s, S("b2"), STORE_ACL_PRIVATE) == ERR_OK &&
		  bucket_create(r->s, S("b10"), STORE_ACL_PRIVATE) == ERR_OK &&
		  bucket_create(r->s, S("b1"), STORE_ACL_PRIVATE) == ERR_OK;
	store_bucket_each(r->s, add_name, &names);
	check(r, ok && slice_eq(slice_str(names.text), S("b1,b10,b2,main,")),
		"buckets come in the order of their names");
	unsigned made = names.count;
	char name[16];
	for (; made < LIMIT_BUCKETS && ok; made++) {
		int len = snprintf(name, sizeof(name), "many-%u", made);
		ok = bucket_create(r->s, slice_of(name, (size_t)len), STORE_ACL_PRIVATE) == ERR_OK;
	}
	check(r, ok, "as many buckets as are allowed");
	check(r, bucket_create(r->s, S("one-more"), STORE_ACL_PRIVATE) == ERR_TOO_MANY_BUCKETS,
		"and not one more");
	for (unsigned i = names.count; i < made; i++) {
		int len = snprintf(name, sizeof(name), "many-%u", i);
		ok = bucket_delete(r->s, slice_of(name, (size_t)len)) == ERR_OK && ok;
	}
	ok = bucket_delete(r->s, S("b1")) == ERR_OK && bucket_delete(r->s, S("b2")) == ERR_OK &&
	     bucket_delete(r->s, S("b10")) == ERR_OK && ok;
	check(r, ok, "all of them are deleted again");
}

static void buckets_with_objects(struct run *r)
{
	struct store *s = r->s;
	bool ok = bucket_create(s, S("full"), STORE_ACL_PRIVATE) == ERR_OK;
	uint64_t id = bucket_id(s, S("full"));
	ok = put_object(s, id, S("\xff\xff"), S("x"), NULL) == ERR_OK && ok;
	check(r, ok && bucket_delete(s, S("full")) == ERR_BUCKET_NOT_EMPTY,
		"a bucket with an object is not deleted");
	struct store_put_spec spec = {.bucket_id = id, .key = S("late")};
	struct store_put *small;
	struct store_put *large;
	ok = store_put_begin(s, &spec, &small) == ERR_OK &&
	     store_put_begin(s, &spec, &large) == ERR_OK;
	check(r, ok, "two puts are on their way");
	if (!ok)
		return;
	char *bytes = pattern(MIB(3), 1);
	(void)put_pieces(s, small, S("abc"), 0);
	(void)put_pieces(s, large, slice_of(bytes, MIB(3)), 0);
	check(r,
		delete_object(s, id, S("\xff\xff"), NULL) == ERR_OK &&
			bucket_delete(s, S("full")) == ERR_OK,
		"an empty bucket is deleted although they are");
	struct put_how how = {.piece = 0};
	check(r,
		put_finish(s, small, &how) == ERR_NO_SUCH_BUCKET &&
			put_finish(s, large, &how) == ERR_NO_SUCH_BUCKET,
		"and they fail");
	check(r,
		bucket_create(s, S("full"), STORE_ACL_PRIVATE) == ERR_OK &&
			head_object(s, bucket_id(s, S("full")), S("late")) == ERR_NO_SUCH_KEY &&
			bucket_delete(s, S("full")) == ERR_OK,
		"a later bucket of that name has nothing of the earlier one");
	free(bytes);
}

/* ---- Objects --------------------------------------------------------------------------------- */

static const size_t sizes[] = {0, 1, 511, 4095, 4096, 4097, LIMIT_INLINE_BYTES - 1,
	LIMIT_INLINE_BYTES, LIMIT_INLINE_BYTES + 1, 2 * LIMIT_INLINE_BYTES - 1,
	2 * LIMIT_INLINE_BYTES, 2 * LIMIT_INLINE_BYTES + 4096, 9 * LIMIT_INLINE_BYTES + 12345};
static const size_t pieces[] = {1000, 65536, LIMIT_INLINE_BYTES, 20 * LIMIT_INLINE_BYTES};

/* One size, written in one way: everything that is known of it must be right. */
static bool one_size(struct run *r, size_t size, size_t piece, bool hint)
{
	char *bytes = pattern(size, (unsigned)(size + piece));
	struct slice all = slice_of(bytes, size);
	unsigned char md5[16];
	struct store_object object;
	struct put_how how = {.piece = piece, .hint = hint, .object = &object};
	md5_of(all, md5);
	bool ok = put_object(r->s, r->id, S("size"), all, &how) == ERR_OK && object.size == size &&
		  object.crc64 == crc64_update(0, all) && memcmp(object.md5, md5, 16) == 0 &&
		  object_is(r->s, r->id, S("size"), all);
	struct store_get get;
	ok = ok && get_begin(r->s, r->id, S("size"), true, &get) == ERR_OK;
	if (ok) {
		ok = get.object.size == size && get.object.crc64 == object.crc64 &&
		     memcmp(get.object.md5, md5, 16) == 0 &&
		     get.object.modified_ms == object.modified_ms && object.modified_ms > 0;
		store_get_release(r->s, &get);
	}
	free(bytes);
	return ok;
}

static void all_sizes(struct run *r)
{
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		for (size_t j = 0; j < ARRAY_LEN(pieces); j++)
			check(r, one_size(r, sizes[i], pieces[j], (i + j) % 2 == 0),
				"an object of %zu bytes in pieces of %zu", sizes[i], pieces[j]);
	struct store_object object = {.size = 0};
	struct put_how how = {.object = &object};
	check(r,
		put_object(r->s, r->id, S("size"), S("123456789"), &how) == ERR_OK &&
			object.crc64 == 0x995dc9bbdf1939fau,
		"the checksum is CRC-64/XZ");
	how = (struct put_how){.hint = true, .object = &object, .piece = 7};
	struct store_put_spec spec = {.bucket_id = r->id, .key = S("size"), .size_hint = MIB(50)};
	struct store_put *put;
	check(r,
		store_put_begin(r->s, &spec, &put) == ERR_OK &&
			put_pieces(r->s, put, S("a wrong hint"), 3) == ERR_OK &&
			put_finish(r->s, put, &how) == ERR_OK &&
			object_is(r->s, r->id, S("size"), S("a wrong hint")),
		"a hint may be wrong");
	check(r, delete_object(r->s, r->id, S("size"), NULL) == ERR_OK, "delete it");
}

static void headers_and_acl(struct run *r)
{
	struct put_how how = {.headers = S("Content-Type: a/b\r\nx-oss-meta-c: \xe4\xb8\xad\r\n"),
		.acl = STORE_ACL_PUBLIC_READ};
	char *large = pattern(MIB(1) + 1, 3);
	for (int i = 0; i < 2; i++) {
		struct slice bytes = i ? slice_of(large, MIB(1) + 1) : S("x");
		struct store_get get;
		bool ok = put_object(r->s, r->id, S("meta"), bytes, &how) == ERR_OK &&
			  get_begin(r->s, r->id, S("meta"), i == 0, &get) == ERR_OK;
		check(r,
			ok && slice_eq(get.object.headers, how.headers) &&
				get.object.acl == STORE_ACL_PUBLIC_READ,
			"headers and acl are kept, %s", i ? "large" : "small");
		if (ok)
			store_get_release(r->s, &get);
	}
	size_t most = KIB(32);
	char *text = pattern(most, 4);
	how.headers = slice_of(text, most);
	struct store_get get;
	bool ok = put_object(r->s, r->id, S("meta"), S("y"), &how) == ERR_OK &&
		  get_begin(r->s, r->id, S("meta"), false, &get) == ERR_OK;
	check(r, ok && slice_eq(get.object.headers, how.headers), "as many headers as are allowed");
	if (ok)
		store_get_release(r->s, &get);
	(void)delete_object(r->s, r->id, S("meta"), NULL);
	free(text);
	free(large);
}

static void odd_keys(struct run *r)
{
	char longest[LIMIT_KEY_BYTES];
	memset(longest, 0xff, sizeof(longest));
	const struct slice keys[] = {S("\xff"), S("\xff\xff\xff"), S("a\0b"), S("a"), S("a\0"),
		S("/"), S("//"), slice_of(longest, sizeof(longest)),
		slice_of(longest, sizeof(longest) - 1)};
	bool ok = true;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		ok = put_object(r->s, r->id, keys[i], slice_of(keys + i, 4), NULL) == ERR_OK && ok;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		ok = object_is(r->s, r->id, keys[i], slice_of(keys + i, 4)) && ok;
	check(r, ok, "keys are byte strings");
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		ok = delete_object(r->s, r->id, keys[i], NULL) == ERR_OK &&
		     head_object(r->s, r->id, keys[i]) == ERR_NO_SUCH_KEY && ok;
	check(r, ok, "and each is deleted alone");
}

static uint64_t object_count(struct run *r)
{
	struct store_stats stats;
	store_stats(r->s, &stats);
	return stats.objects;
}

static void overwriting(struct run *r)
{
	char *large = pattern(MIB(2) + 5, 5);
	struct slice big = slice_of(large, MIB(2) + 5);
	const struct slice turns[] = {S("small"), big, S(""), big, slice_head(big, MIB(1) + 1),
		S("small again"), S("and again")};
	uint64_t before = object_count(r);
	bool ok = true;
	for (size_t i = 0; i < ARRAY_LEN(turns); i++)
		ok = put_object(r->s, r->id, S("turn"), turns[i], NULL) == ERR_OK &&
		     object_is(r->s, r->id, S("turn"), turns[i]) && object_count(r) == before + 1 &&
		     ok;
	check(r, ok, "small over large, large over small: one object, the last");
	bool existed = false;
	check(r,
		delete_object(r->s, r->id, S("turn"), &existed) == ERR_OK && existed &&
			head_object(r->s, r->id, S("turn")) == ERR_NO_SUCH_KEY &&
			object_count(r) == before,
		"deleted, it is not there");
	check(r, delete_object(r->s, r->id, S("turn"), &existed) == ERR_OK && !existed,
		"deleting what is not there is a success");
	free(large);
}

/* Puts that must not succeed; what was there stays, and nothing is left of them. */
static void refused_puts(struct run *r, struct slice old, struct slice bytes, const char *what)
{
	unsigned char wrong[16] = {1};
	unsigned char right[16];
	md5_of(bytes, right);
	struct put_how how = {.expect_md5 = wrong};
	bool had = old.ptr != NULL;
	check(r, put_object(r->s, r->id, S("no"), bytes, &how) == ERR_INVALID_DIGEST,
		"a wrong digest is refused (%s)", what);
	how = (struct put_how){.forbid_overwrite = true};
	if (had)
		check(r, put_object(r->s, r->id, S("no"), bytes, &how) == ERR_FILE_ALREADY_EXISTS,
			"an object is not written over if that is forbidden (%s)", what);
	struct store_put_spec spec = {.bucket_id = r->id, .key = S("no")};
	struct store_put *put;
	bool ok = store_put_begin(r->s, &spec, &put) == ERR_OK;
	if (ok) {
		ok = put_pieces(r->s, put, bytes, 0) == ERR_OK;
		store_put_abort(r->s, put);
	}
	check(r, ok, "a put is aborted (%s)", what);
	check(r,
		had ? object_is(r->s, r->id, S("no"), old)
		    : head_object(r->s, r->id, S("no")) == ERR_NO_SUCH_KEY,
		"and all is as it was (%s)", what);
	how = (struct put_how){.expect_md5 = right, .forbid_overwrite = !had};
	check(r,
		put_object(r->s, r->id, S("no"), bytes, &how) == ERR_OK &&
			object_is(r->s, r->id, S("no"), bytes),
		"while a right put succeeds (%s)", what);
}

static void refusals(struct run *r)
{
	char *bytes = pattern(MIB(3) + 1, 6);
	struct slice large = slice_of(bytes, MIB(3) + 1);
	refused_puts(r, slice_of(NULL, 0), S("abc"), "small, new");
	refused_puts(r, S("abc"), large, "large over small");
	refused_puts(r, large, S("def"), "small over large");
	refused_puts(r, S("def"), large, "large over small again");
	check(r, delete_object(r->s, r->id, S("no"), NULL) == ERR_OK, "deleted");
	refused_puts(r, slice_of(NULL, 0), large, "large, new");
	check(r, delete_object(r->s, r->id, S("no"), NULL) == ERR_OK, "deleted again");
	store_put_abort(r->s, NULL);
	free(bytes);
}

static void readers_keep_what_they_have(struct run *r)
{
	char *bytes = pattern(MIB(2) + 7, 7);
	const struct slice olds[] = {S("the old one"), slice_of(bytes, MIB(2) + 7)};
	for (size_t i = 0; i < ARRAY_LEN(olds); i++) {
		struct store_get get;
		bool ok = put_object(r->s, r->id, S("kept"), olds[i], NULL) == ERR_OK &&
			  get_begin(r->s, r->id, S("kept"), false, &get) == ERR_OK;
		check(r, ok, "a reader has an object of %zu bytes", olds[i].len);
		if (!ok)
			continue;
		ok = put_object(r->s, r->id, S("kept"), S("new"), NULL) == ERR_OK &&
		     delete_object(r->s, r->id, S("kept"), NULL) == ERR_OK;
		char *got = get_bytes(r->s, &get, 0);
		check(r, ok && got && slice_eq(slice_of(got, get.object.size), olds[i]),
			"and reads it though it was replaced and deleted");
		free(got);
		store_get_release(r->s, &get);
	}
	free(bytes);
}

/* ---- Listing --------------------------------------------------------------------------------- */

enum {
	MODEL_KEYS = 300,
	MODEL_KEY_MAX = 12,
	MODEL_ROUNDS = 3000,
};

struct model {
	char bytes[MODEL_KEYS][MODEL_KEY_MAX];
	struct slice keys[MODEL_KEYS]; /* ascending */
	size_t count;
};

/* Letters that make prefixes, roll-ups and odd neighbours likely. */
static struct slice random_text(struct run *r, char *to, size_t max)
{
	static const char letters[] = {'a', 'a', 'b', '/', '/', '.', '0', (char)0xff, 0};
	size_t len = (size_t)next_random(r, max + 1);
	for (size_t i = 0; i < len; i++)
		to[i] = letters[next_random(r, sizeof(letters))];
	return slice_of(to, len);
}

static void model_add(struct model *model, struct slice key)
{
	size_t at = 0;
	while (at < model->count && slice_cmp(model->keys[at], key) < 0)
		at++;
	if (at < model->count && slice_eq(model->keys[at], key))
		return;
	memmove(model->keys + at + 1, model->keys + at,
		(model->count - at) * sizeof(model->keys[0]));
	model->keys[at] = key;
	model->count++;
}

/*
 * What the contract says, done the slow way: the entry after `last` (the last entry, or none),
 * or false.
 */
static bool model_next(const struct model *model, const struct store_list *list,
	const struct store_entry *last, struct store_entry *ret)
{
	for (size_t i = 0; i < model->count; i++) {
		struct slice key = model->keys[i];
		if (!slice_starts(key, list->prefix))
			continue;
		if (list->marker.len && slice_cmp(key, list->marker) <= 0)
			continue;
		struct slice rest = slice_from(key, list->prefix.len);
		size_t at =
			list->delimiter.len ? slice_find_slice(rest, list->delimiter) : rest.len;
		bool rolled = at < rest.len;
		struct slice name =
			rolled ? slice_head(key, list->prefix.len + at + list->delimiter.len) : key;
		if (rolled && slice_cmp(name, list->marker) <= 0)
			continue;
		if (last && slice_cmp(name, last->key) <= 0)
			continue;
		*ret = (struct store_entry){.key = name, .is_prefix = rolled};
		return true;
	}
	return false;
}

static bool same_as_model(struct run *r, const struct model *model, struct store_list *list)
{
	if (list_objects(r->s, list) != ERR_OK)
		return false;
	bool ok = list->count <= list->max_entries;
	struct store_entry last;
	struct store_entry next;
	uint32_t i = 0;
	for (; ok && i < list->max_entries; i++) {
		if (!model_next(model, list, i ? &last : NULL, &next))
			break;
		const struct store_entry *got = &list->entries[i];
		ok = i < list->count && slice_eq(got->key, next.key) &&
		     got->is_prefix == next.is_prefix &&
		     (got->is_prefix || got->object.size == got->key.len % 5);
		last = next;
	}
	bool more = ok && model_next(model, list, i ? &last : NULL, &next);
	ok = ok && list->count == i && list->truncated == more;
	store_list_release(r->s, list);
	return ok;
}

static void tell_list(const struct store_list *list)
{
	fprintf(stderr, "# prefix [%.*s] marker [%.*s] delimiter [%.*s] max %u\n",
		SLICE_FMT(list->prefix), SLICE_FMT(list->marker), SLICE_FMT(list->delimiter),
		list->max_entries);
}

static void listings_match_a_model(struct run *r)
{
	static struct model model;
	bool ok = true;
	for (size_t i = 0; i < MODEL_KEYS; i++) {
		struct slice key = random_text(r, model.bytes[i], MODEL_KEY_MAX);
		if (key.len == 0)
			continue;
		model_add(&model, key);
		ok = put_object(r->s, r->id, key, slice_head(S("12345"), key.len % 5), NULL) ==
			     ERR_OK &&
		     ok;
	}
	check(r, ok, "random keys are put");
	static const struct slice delimiters[] = {
		SLICE_LIT(""), SLICE_LIT("/"), SLICE_LIT("a"), SLICE_LIT("/a"), SLICE_LIT("\xff")};
	unsigned wrong = 0;
	for (unsigned i = 0; i < MODEL_ROUNDS && wrong < 5; i++) {
		char prefix[4];
		char marker[MODEL_KEY_MAX];
		struct store_list list = {.bucket_id = r->id,
			.prefix = random_text(r, prefix, next_random(r, 2) ? 3 : 0),
			.marker = random_text(r, marker, next_random(r, 2) ? 6 : 0),
			.delimiter = delimiters[next_random(r, ARRAY_LEN(delimiters))],
			.max_entries = (uint32_t)next_random(r, 2)
					       ? 1000
					       : 1 + (uint32_t)next_random(r, 9)};
		/* A marker is often a key, or what a page before ended with. */
		if (next_random(r, 3) == 0)
			list.marker = model.keys[next_random(r, model.count)];
		if (!same_as_model(r, &model, &list)) {
			tell_list(&list);
			wrong++;
		}
	}
	check(r, wrong == 0, "%d random listings are as a model says", MODEL_ROUNDS);
	for (size_t i = 0; i < model.count; i++)
		ok = delete_object(r->s, r->id, model.keys[i], NULL) == ERR_OK && ok;
	struct store_list list = {.bucket_id = r->id, .max_entries = 1000};
	ok = list_objects(r->s, &list) == ERR_OK && ok;
	check(r, ok && list.count == 0 && !list.truncated, "after all are deleted it is empty");
	store_list_release(r->s, &list);
}

/* Pages of `max` entries give each entry once; what a page ends with is the next one's marker. */
static unsigned count_by_pages(struct run *r, struct slice delimiter, uint32_t max)
{
	char marker[LIMIT_KEY_BYTES];
	size_t marker_len = 0;
	unsigned count = 0;
	bool more = true;
	while (more) {
		struct store_list list = {.bucket_id = r->id,
			.prefix = S("p"),
			.marker = slice_of(marker, marker_len),
			.delimiter = delimiter,
			.max_entries = max};
		if (list_objects(r->s, &list) != ERR_OK)
			return 0;
		count += list.count;
		more = list.truncated && list.count > 0;
		if (list.count) {
			struct slice last = list.entries[list.count - 1].key;
			memcpy(marker, last.ptr, last.len);
			marker_len = last.len;
		}
		store_list_release(r->s, &list);
	}
	return count;
}

static void paging(struct run *r)
{
	char key[32];
	bool ok = true;
	for (unsigned i = 0; i < 250; i++) {
		int len = snprintf(key, sizeof(key), "p%02u/%02u", i / 10, i % 10);
		ok = put_object(r->s, r->id, slice_of(key, (size_t)len), S("x"), NULL) == ERR_OK &&
		     ok;
	}
	check(r, ok && count_by_pages(r, S(""), 7) == 250, "pages of keys give each once");
	check(r, count_by_pages(r, S("/"), 4) == 25, "pages of folders give each once");
	check(r, count_by_pages(r, S("/"), 25) == 25, "also when a page ends with the last");
	for (unsigned i = 0; i < 250; i++) {
		int len = snprintf(key, sizeof(key), "p%02u/%02u", i / 10, i % 10);
		ok = delete_object(r->s, r->id, slice_of(key, (size_t)len), NULL) == ERR_OK && ok;
	}
	check(r, ok, "all are deleted");
}

/* ---- Many at a time -------------------------------------------------------------------------- */

enum {
	RACERS = 8,
	RACE_PUTS = 40,
};

struct race {
	struct run *r;
	unsigned seed;
	_Atomic unsigned *torn;
	_Atomic unsigned *failed;
	bool reads;
};

/* An object of a race names its size and seed itself, so that a part or a mix is seen. */
static char *race_bytes(size_t size, unsigned seed)
{
	char *bytes = pattern(size, seed);
	memcpy(bytes, &seed, sizeof(seed));
	return bytes;
}

static bool race_whole(const char *got, size_t size)
{
	unsigned seed;
	if (size < sizeof(seed))
		return false;
	memcpy(&seed, got, sizeof(seed));
	char *want = race_bytes(size, seed);
	bool same = memcmp(got, want, size) == 0;
	free(want);
	return same;
}

static void race_read(struct race *race)
{
	struct store_get get;
	enum err e = get_begin(race->r->s, race->r->id, S("race"), false, &get);
	if (e == ERR_NO_SUCH_KEY)
		return;
	if (e != ERR_OK) {
		(void)atomic_fetch_add(race->failed, 1);
		return;
	}
	char *got = get_bytes(race->r->s, &get, 0);
	if (!got || !race_whole(got, get.object.size))
		(void)atomic_fetch_add(race->torn, 1);
	free(got);
	store_get_release(race->r->s, &get);
}

static void *race_work(void *arg)
{
	struct race *race = arg;
	for (unsigned i = 0; i < RACE_PUTS; i++) {
		if (race->reads) {
			race_read(race);
			continue;
		}
		unsigned seed = race->seed * 1000 + i;
		size_t size = i % 8 == 0 ? MIB(1) + 1 + seed : 100 + seed;
		char *bytes = race_bytes(size, seed);
		if (put_object(race->r->s, race->r->id, S("race"), slice_of(bytes, size), NULL) !=
			ERR_OK)
			(void)atomic_fetch_add(race->failed, 1);
		if (i % 16 == 5 &&
			delete_object(race->r->s, race->r->id, S("race"), NULL) != ERR_OK)
			(void)atomic_fetch_add(race->failed, 1);
		free(bytes);
	}
	return NULL;
}

static void races(struct run *r)
{
	_Atomic unsigned torn = 0;
	_Atomic unsigned failed = 0;
	pthread_t threads[RACERS];
	struct race race[RACERS];
	uint64_t before = object_count(r);
	for (unsigned i = 0; i < RACERS; i++) {
		race[i] = (struct race){r, i, &torn, &failed, i % 4 == 3};
		if (pthread_create(&threads[i], NULL, race_work, &race[i]) != 0)
			abort();
	}
	for (unsigned i = 0; i < RACERS; i++)
		(void)pthread_join(threads[i], NULL);
	check(r, failed == 0, "puts, gets and deletes of one key at a time all succeed");
	check(r, torn == 0, "and no reader sees a part or a mix");
	check(r, delete_object(r->s, r->id, S("race"), NULL) == ERR_OK && object_count(r) == before,
		"and the count is right");
}

/* What everybody may do to an object depends on its own ACL, if it has one. */
static void public_changes(struct run *r)
{
	static const struct {
		enum store_caller caller;
		enum store_acl acl;
		enum err want;
	} rows[] = {
		{STORE_CALLER_PUBLIC_BUCKET, STORE_ACL_DEFAULT, ERR_OK},
		{STORE_CALLER_PUBLIC_BUCKET, STORE_ACL_PRIVATE, ERR_ACCESS_DENIED},
		{STORE_CALLER_PUBLIC_BUCKET, STORE_ACL_PUBLIC_READ, ERR_ACCESS_DENIED},
		{STORE_CALLER_PUBLIC_BUCKET, STORE_ACL_PUBLIC_READ_WRITE, ERR_OK},
		{STORE_CALLER_PUBLIC_OBJECT, STORE_ACL_DEFAULT, ERR_ACCESS_DENIED},
		{STORE_CALLER_PUBLIC_OBJECT, STORE_ACL_PUBLIC_READ, ERR_ACCESS_DENIED},
		{STORE_CALLER_PUBLIC_OBJECT, STORE_ACL_PUBLIC_READ_WRITE, ERR_OK},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct put_how theirs = {.caller = rows[i].caller};
		struct put_how ours = {.acl = rows[i].acl};
		struct blocking b;
		struct store_delete del = {
			.bucket_id = r->id, .key = S("acl"), .caller = rows[i].caller};
		bool made = put_object(r->s, r->id, S("acl"), S("ours"), &ours) == ERR_OK;
		blocking_init(&b, &del.wait);
		store_delete(r->s, &del);
		bool removed = blocking_wait(&b, &del.wait) == ERR_OK;
		check(r, made && removed == (rows[i].want == ERR_OK), "a public delete, ACL %zu",
			i);
		made = put_object(r->s, r->id, S("acl"), S("ours"), &ours) == ERR_OK;
		check(r,
			made && put_object(r->s, r->id, S("acl"), S("theirs"), &theirs) ==
					rows[i].want,
			"a public put, ACL %zu", i);
		check(r,
			object_is(r->s, r->id, S("acl"),
				rows[i].want == ERR_OK ? S("theirs") : S("ours")),
			"and what is there then");
	}
	check(r, delete_object(r->s, r->id, S("acl"), NULL) == ERR_OK, "the owner may delete");
	const struct put_how strange = {.caller = STORE_CALLER_PUBLIC_OBJECT};
	check(r, put_object(r->s, r->id, S("acl"), S("new"), &strange) == ERR_ACCESS_DENIED,
		"nobody else makes an object where the bucket does not let them");
}

/* Without overwriting, exactly one of many puts of a key wins. */
static void *claim(void *arg)
{
	struct race *race = arg;
	struct put_how how = {.forbid_overwrite = true};
	char text[16];
	int len = snprintf(text, sizeof(text), "racer %u", race->seed);
	enum err e =
		put_object(race->r->s, race->r->id, S("claim"), slice_of(text, (size_t)len), &how);
	if (e == ERR_OK)
		(void)atomic_fetch_add(race->torn, 1);
	else if (e != ERR_FILE_ALREADY_EXISTS)
		(void)atomic_fetch_add(race->failed, 1);
	return NULL;
}

static void one_claim_wins(struct run *r)
{
	_Atomic unsigned won = 0;
	_Atomic unsigned failed = 0;
	pthread_t threads[RACERS];
	struct race race[RACERS];
	for (unsigned i = 0; i < RACERS; i++) {
		race[i] = (struct race){r, i, &won, &failed, false};
		if (pthread_create(&threads[i], NULL, claim, &race[i]) != 0)
			abort();
	}
	for (unsigned i = 0; i < RACERS; i++)
		(void)pthread_join(threads[i], NULL);
	check(r, won == 1 && failed == 0, "of many puts that forbid overwriting one wins");
	check(r, delete_object(r->s, r->id, S("claim"), NULL) == ERR_OK, "deleted");
}

/* ---- Opening again --------------------------------------------------------------------------- */

static void open_again(struct run *r)
{
	store_close(r->s);
	r->s = r->with->open(r->with->ctx);
}

/* A back end that keeps nothing begins anew. */
static void nothing_is_kept(struct run *r)
{
	struct store_stats stats;
	check(r, put_object(r->s, r->id, S("k"), S("gone"), NULL) == ERR_OK, "an object is made");
	open_again(r);
	store_stats(r->s, &stats);
	check(r,
		!store_bucket_get(r->s, S("main")) && stats.objects == 0 && stats.bytes == 0 &&
			head_object(r->s, r->id, S("k")) == ERR_NO_SUCH_KEY,
		"after opening again there is nothing");
	check(r, bucket_create(r->s, S("main"), STORE_ACL_PRIVATE) == ERR_OK, "it can be used");
}

static void all_is_kept(struct run *r)
{
	char *bytes = pattern(MIB(5) + 3, 9);
	struct slice large = slice_of(bytes, MIB(5) + 3);
	struct put_how how = {.headers = S("A: b\r\n")};
	struct store_bucket_update change = {.name = S("main"),
		.set_setting = true,
		.setting = STORE_SETTING_CORS,
		.value = S("<kept/>")};
	bool ok = put_object(r->s, r->id, S("k/small"), S("small"), &how) == ERR_OK &&
		  put_object(r->s, r->id, S("k/large"), large, &how) == ERR_OK &&
		  put_object(r->s, r->id, S("k/gone"), large, &how) == ERR_OK &&
		  delete_object(r->s, r->id, S("k/gone"), NULL) == ERR_OK &&
		  bucket_change(r->s, change) == ERR_OK;
	check(r, ok, "objects and settings are made");
	struct store_stats before;
	struct store_stats after;
	store_stats(r->s, &before);
	for (int i = 0; i < 3; i++) {
		open_again(r);
		if (!r->s) {
			check(r, false, "the store opens again");
			free(bytes);
			return;
		}
		const struct store_bucket *bucket = store_bucket_get(r->s, S("main"));
		check(r,
			bucket && bucket->id == r->id &&
				slice_eq(bucket->settings[STORE_SETTING_CORS], S("<kept/>")),
			"after opening again the bucket is there");
		store_bucket_unref(r->s, bucket);
		check(r,
			object_is(r->s, r->id, S("k/small"), S("small")) &&
				object_is(r->s, r->id, S("k/large"), large) &&
				head_object(r->s, r->id, S("k/gone")) == ERR_NO_SUCH_KEY,
			"and so are the objects");
		store_stats(r->s, &after);
		check(r, after.objects == before.objects && after.bytes == before.bytes,
			"and the counts");
	}
	check(r,
		delete_object(r->s, r->id, S("k/small"), NULL) == ERR_OK &&
			delete_object(r->s, r->id, S("k/large"), NULL) == ERR_OK,
		"deleted");
	store_stats(r->s, &after);
	check(r, after.objects == 0 && after.bytes == 0, "an empty store counts nothing");
	free(bytes);
}

void conformance_run(const struct conformance *conformance)
{
	struct run r = {.with = conformance, .random = 1};
	r.s = conformance->open(conformance->ctx);
	check(&r, r.s != NULL, "a new store opens");
	if (!r.s)
		return;
	buckets_live(&r);
	check(&r, bucket_create(r.s, S("main"), STORE_ACL_PRIVATE) == ERR_OK, "a bucket to use");
	r.id = bucket_id(r.s, S("main"));
	buckets_are_sorted_and_limited(&r);
	buckets_with_objects(&r);
	all_sizes(&r);
	headers_and_acl(&r);
	odd_keys(&r);
	overwriting(&r);
	refusals(&r);
	readers_keep_what_they_have(&r);
	listings_match_a_model(&r);
	paging(&r);
	races(&r);
	public_changes(&r);
	one_claim_wins(&r);
	if (conformance->keeps)
		all_is_kept(&r);
	else
		nothing_is_kept(&r);
	if (r.s)
		store_close(r.s);
}
