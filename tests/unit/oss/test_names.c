/* SPDX-License-Identifier: Apache-2.0 */
/* Names of buckets, objects and metadata, the words of ACLs, and what a request addresses. */
#include "base/limits.h"
#include "oss/acl.h"
#include "oss/names.h"
#include "tap.h"

static void bucket_names(void)
{
	static const char *const good[] = {"abc", "a-b", "0a9", "uploads", "a--b",
		"a23456789012345678901234567890123456789012345678901234567890123"};
	static const char *const bad[] = {"", "ab", "-", "-ab", "ab-", "Abc", "a.b", "a_b", "a b",
		"a/b", "ab\xc3\xa9",
		"a234567890123456789012345678901234567890123456789012345678901234"};
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct bucket_name name;
		OK(bucket_name_parse(slice_str(good[i]), &name) == ERR_OK &&
				slice_eq(name.text, slice_str(good[i])),
			"bucket name %s", good[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct bucket_name name;
		OK(bucket_name_parse(slice_str(bad[i]), &name) == ERR_INVALID_BUCKET_NAME,
			"refuses bucket name \"%s\"", bad[i]);
	}
	struct bucket_name name;
	OK(bucket_name_parse(S("ab\0c"), &name) == ERR_INVALID_BUCKET_NAME, "and NUL in one");
}

static void object_keys(void)
{
	static const struct slice good[] = {SLICE_LIT("a"), SLICE_LIT("a//b"), SLICE_LIT("../a"),
		SLICE_LIT("."), SLICE_LIT("a/"), SLICE_LIT("\xe4\xb8\xad"),
		SLICE_LIT("a b\x01\x7f"), SLICE_LIT("a\\b"), SLICE_LIT(" ")};
	static const struct slice bad[] = {SLICE_LIT(""), SLICE_LIT("/a"), SLICE_LIT("\\a"),
		SLICE_LIT("a\0b"), SLICE_LIT("\0"), SLICE_LIT("/")};
	static const struct slice not_utf8[] = {SLICE_LIT("a\xff"), SLICE_LIT("\xed\xa0\x80"),
		SLICE_LIT("/\xff"), SLICE_LIT("\xc4\xe3.txt")};
	struct object_key key;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		OK(object_key_parse(good[i], &key) == ERR_OK && slice_eq(key.text, good[i]),
			"object key, row %zu", i);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		OK(object_key_parse(bad[i], &key) == ERR_INVALID_OBJECT_NAME,
			"refuses object key, row %zu", i);
	for (size_t i = 0; i < ARRAY_LEN(not_utf8); i++)
		OK(object_key_parse(not_utf8[i], &key) == ERR_INVALID_ARGUMENT,
			"is told that it is no UTF-8, row %zu", i);
	char longest[LIMIT_KEY_BYTES + 1];
	memset(longest, 'k', sizeof(longest));
	OK(object_key_parse(slice_of(longest, LIMIT_KEY_BYTES), &key) == ERR_OK, "1023 bytes");
	OK(object_key_parse(slice_of(longest, LIMIT_KEY_BYTES + 1), &key) ==
			ERR_INVALID_OBJECT_NAME,
		"but not 1024");
}

static void small_words(void)
{
	OK(user_meta_name_valid(S("a-B9")) && !user_meta_name_valid(S("")) &&
			!user_meta_name_valid(S("a_b")) && !user_meta_name_valid(S("a:")) &&
			!user_meta_name_valid(S("a\xc3\xa9")),
		"metadata names");
	enum acl acl = ACL_DEFAULT;
	OK(acl_parse_bucket(S("private"), &acl) && acl == ACL_PRIVATE, "private");
	OK(acl_parse_bucket(S("public-read"), &acl) && acl == ACL_PUBLIC_READ, "public-read");
	OK(acl_parse_object(S("public-read-write"), &acl) && acl == ACL_PUBLIC_READ_WRITE,
		"public-read-write");
	OK(!acl_parse_bucket(S("default"), &acl) && acl == ACL_PUBLIC_READ_WRITE,
		"a bucket has no default");
	OK(acl_parse_object(S("default"), &acl) && acl == ACL_DEFAULT, "but an object has");
	OK(!acl_parse_object(S("Private"), &acl) && !acl_parse_object(S(""), &acl) &&
			!acl_parse_object(S("public"), &acl),
		"other words are refused");
	IS(slice_str(acl_word(ACL_PUBLIC_READ)), S("public-read"), "and back");
}

struct row {
	const char *host, *path;
	enum err err;
	enum address_style style;
	const char *bucket, *key; /* NULL: none */
};

static const struct row rows[] = {
	/* path style */
	{"127.0.0.1:9000", "/", ERR_OK, ADDRESS_PATH, NULL, NULL},
	{"127.0.0.1:9000", "/uploads", ERR_OK, ADDRESS_PATH, "uploads", NULL},
	{"127.0.0.1", "/uploads/", ERR_OK, ADDRESS_PATH, "uploads", NULL},
	{"127.0.0.1", "/uploads/a/b", ERR_OK, ADDRESS_PATH, "uploads", "a/b"},
	{"[::1]:9000", "/uploads/a", ERR_OK, ADDRESS_PATH, "uploads", "a"},
	{"[::1]", "/uploads/a", ERR_OK, ADDRESS_PATH, "uploads", "a"},
	{"localhost:9000", "/uploads/a", ERR_OK, ADDRESS_PATH, "uploads", "a"},
	{"LocalHost.", "/uploads/a", ERR_OK, ADDRESS_PATH, "uploads", "a"},
	{"store.example.com", "/uploads/a", ERR_OK, ADDRESS_PATH, "uploads", "a"},
	{"oss-cn-hangzhou.aliyuncs.com", "/uploads/a", ERR_OK, ADDRESS_PATH, "uploads", "a"},
	{"", "/uploads/a", ERR_OK, ADDRESS_PATH, "uploads", "a"},
	{".oss-cn-hangzhou.aliyuncs.com", "/", ERR_OK, ADDRESS_PATH, NULL, NULL},
	{".localhost:9000", "/uploads/a", ERR_OK, ADDRESS_PATH, "uploads", "a"},
	/* virtual host style */
	{"uploads.localhost:9000", "/", ERR_OK, ADDRESS_HOST, "uploads", NULL},
	{"uploads.localhost", "/a/b", ERR_OK, ADDRESS_HOST, "uploads", "a/b"},
	{"UPLOADS.LOCALHOST.:80", "/A", ERR_OK, ADDRESS_HOST, "uploads", "A"},
	{"uploads.store.example.com", "/a", ERR_OK, ADDRESS_HOST, "uploads", "a"},
	{"uploads.oss-cn-hangzhou.aliyuncs.com", "/a", ERR_OK, ADDRESS_HOST, "uploads", "a"},
	{"uploads.oss-us-west-1-internal.aliyuncs.com", "/a", ERR_OK, ADDRESS_HOST, "uploads", "a"},
	/* decoded once */
	{"localhost", "/uploads/a%20b+%E4%B8%AD%2f", ERR_OK, ADDRESS_PATH, "uploads",
		"a b \xe4\xb8\xad/"},
	{"localhost", "/uploads/a%2Bb", ERR_OK, ADDRESS_PATH, "uploads", "a+b"},
	{"localhost", "/uploads/%2541", ERR_OK, ADDRESS_PATH, "uploads", "%41"},
	{"localhost", "/up%6coads/a", ERR_OK, ADDRESS_PATH, "uploads", "a"},
	{"uploads.localhost", "/a//../b", ERR_OK, ADDRESS_HOST, "uploads", "a//../b"},
	/* the slash behind the bucket, too */
	{"localhost", "/uploads%2fa", ERR_OK, ADDRESS_PATH, "uploads", "a"},
	{"127.0.0.1:9000", "/uploads%2Fa%2fb/c", ERR_OK, ADDRESS_PATH, "uploads", "a/b/c"},
	{"127.0.0.1", "/uploads%2F", ERR_OK, ADDRESS_PATH, "uploads", NULL},
	{"127.0.0.1", "/uploads%252Fa", ERR_INVALID_BUCKET_NAME, ADDRESS_PATH, NULL, NULL},
	{"127.0.0.1", "%2Fuploads/a", ERR_INVALID_REQUEST, ADDRESS_PATH, NULL, NULL},
	{"127.0.0.1", "/%2Fuploads/a", ERR_INVALID_BUCKET_NAME, ADDRESS_PATH, NULL, NULL},
	{"127.0.0.1", "/uploads%2F%2Fa", ERR_INVALID_OBJECT_NAME, ADDRESS_PATH, NULL, NULL},
	{"uploads.localhost", "/other%2Fa", ERR_OK, ADDRESS_HOST, "uploads", "other/a"},
	/* hosts that are bound */
	{"img.example.com", "/", ERR_OK, ADDRESS_BOUND, "photos", NULL},
	{"IMG.Example.com.:9000", "/a/b", ERR_OK, ADDRESS_BOUND, "photos", "a/b"},
	{"img.example.com", "/photos%2Fa", ERR_OK, ADDRESS_BOUND, "photos", "photos/a"},
	{"a.store.example.com", "/k", ERR_OK, ADDRESS_BOUND, "bound", "k"},
	{"b.img.example.com", "/a", ERR_INVALID_REQUEST, ADDRESS_PATH, NULL, NULL},
	{"example.com", "/a", ERR_INVALID_REQUEST, ADDRESS_PATH, NULL, NULL},
	{"img.example.com", "//a", ERR_INVALID_OBJECT_NAME, ADDRESS_BOUND, NULL, NULL},
	/* names that are not */
	{"localhost", "//a", ERR_INVALID_BUCKET_NAME, ADDRESS_PATH, NULL, NULL},
	{"localhost", "/-/callback_pub_key_v1.pem", ERR_INVALID_BUCKET_NAME, ADDRESS_PATH, NULL,
		NULL},
	{"localhost", "/UPLOADS/a", ERR_INVALID_BUCKET_NAME, ADDRESS_PATH, NULL, NULL},
	{"a.b.localhost", "/a", ERR_INVALID_BUCKET_NAME, ADDRESS_HOST, NULL, NULL},
	{"localhost", "/uploads//a", ERR_INVALID_OBJECT_NAME, ADDRESS_PATH, NULL, NULL},
	{"localhost", "/uploads/%2fa", ERR_INVALID_OBJECT_NAME, ADDRESS_PATH, NULL, NULL},
	{"uploads.localhost", "//a", ERR_INVALID_OBJECT_NAME, ADDRESS_HOST, NULL, NULL},
	{"uploads.localhost", "/a%00", ERR_INVALID_OBJECT_NAME, ADDRESS_HOST, NULL, NULL},
	{"uploads.localhost", "/%ff", ERR_INVALID_ARGUMENT, ADDRESS_HOST, NULL, NULL},
	/* requests that are not */
	{"localhost", "", ERR_INVALID_REQUEST, ADDRESS_PATH, NULL, NULL},
	{"localhost", "*", ERR_INVALID_REQUEST, ADDRESS_PATH, NULL, NULL},
	{"localhost", "/uploads/%", ERR_INVALID_REQUEST, ADDRESS_PATH, NULL, NULL},
	{"localhost", "/%zz/a", ERR_INVALID_REQUEST, ADDRESS_PATH, NULL, NULL},
	{"uploads.localhost", "/%4", ERR_INVALID_REQUEST, ADDRESS_HOST, NULL, NULL},
	{"uploads.example.org", "/a", ERR_INVALID_REQUEST, ADDRESS_PATH, NULL, NULL},
	{"uploadslocalhost", "/a", ERR_INVALID_REQUEST, ADDRESS_PATH, NULL, NULL},
	{"..localhost", "/a", ERR_INVALID_BUCKET_NAME, ADDRESS_PATH, NULL, NULL},
	{"notstore.example.com", "/a", ERR_INVALID_REQUEST, ADDRESS_PATH, NULL, NULL},
	{"uploads.aliyuncs.com", "/a", ERR_INVALID_REQUEST, ADDRESS_PATH, NULL, NULL},
	{"uploads.oss-cn-hangzhou.aliyuncs.com.evil.example", "/a", ERR_INVALID_REQUEST,
		ADDRESS_PATH, NULL, NULL},
	{"127.0.0.1.", "/uploads", ERR_OK, ADDRESS_PATH, "uploads", NULL},
	{"127.0.0.256", "/a", ERR_INVALID_REQUEST, ADDRESS_PATH, NULL, NULL},
	{"uploads.127.0.0.1", "/a", ERR_INVALID_REQUEST, ADDRESS_PATH, NULL, NULL},
	{"::1", "/a", ERR_INVALID_REQUEST, ADDRESS_PATH, NULL, NULL},
	{"[::1", "/a", ERR_INVALID_REQUEST, ADDRESS_PATH, NULL, NULL},
	{"[::1]x", "/a", ERR_INVALID_REQUEST, ADDRESS_PATH, NULL, NULL},
	{"[localhost]", "/a", ERR_INVALID_REQUEST, ADDRESS_PATH, NULL, NULL},
	{"localhost:80a", "/a", ERR_INVALID_REQUEST, ADDRESS_PATH, NULL, NULL},
	{"localhost:123456", "/a", ERR_INVALID_REQUEST, ADDRESS_PATH, NULL, NULL},
};

static bool same(bool has, struct slice got, const char *want)
{
	return has == (want != NULL) && (!has || slice_eq(got, slice_str(want)));
}

static void addresses(void)
{
	static const struct slice domains[] = {
		SLICE_LIT("store.example.com"), SLICE_LIT("other.example.com")};
	static const struct bound_host bound[] = {
		{SLICE_LIT("img.example.com"), SLICE_LIT("photos")},
		{SLICE_LIT("a.store.example.com"), SLICE_LIT("bound")}};
	const struct host_rules rules = {domains, ARRAY_LEN(domains), bound, ARRAY_LEN(bound)};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		struct arena arena;
		struct address a = {.has_bucket = false};
		SCOPED_STRBUF(reason, 1000);
		arena_init(&arena, NULL, 0, 100000);
		enum err e = address_parse(
			slice_str(r->host), slice_str(r->path), &rules, &arena, &a, &reason);
		OK(e == r->err && (e != ERR_OK ||
					  (a.style == r->style &&
						  same(a.has_bucket, a.bucket.text, r->bucket) &&
						  same(a.has_key, a.key.text, r->key))),
			"host \"%s\", path \"%s\"", r->host, r->path);
		OK((reason.len > 0) == (e == ERR_INVALID_REQUEST || e == ERR_INVALID_ARGUMENT),
			"a reason where one is due");
		arena_reset(&arena);
	}
}

static void bound_hosts(void)
{
	static const struct slice bad[] = {SLICE_LIT(""), SLICE_LIT("a.b"), SLICE_LIT("=bucket"),
		SLICE_LIT("a.b="), SLICE_LIT("a.b=UP"), SLICE_LIT("a.b=x"),
		SLICE_LIT("a.b:80=bucket"), SLICE_LIT("a.b/c=bucket"), SLICE_LIT("A.b=bucket"),
		SLICE_LIT("a.b.=bucket"), SLICE_LIT(".a.b=bucket"), SLICE_LIT("*.a.b=bucket"),
		SLICE_LIT("a.b=bucket=c")};
	struct bound_host host;
	OK(bound_host_parse(S("img-1.example.com=photos"), &host) &&
			slice_eq(host.host, S("img-1.example.com")) &&
			slice_eq(host.bucket, S("photos")),
		"a host name that stands for a bucket");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		OK(!bound_host_parse(bad[i], &host), "refuses \"%.*s\"", SLICE_FMT(bad[i]));
	OK(host_is(S("A.B:80"), S("a.b")) && host_is(S("a.b."), S("a.b")) &&
			!host_is(S("c.a.b"), S("a.b")) && !host_is(S(""), S("")) &&
			!host_is(S("a.b:x"), S("a.b")),
		"a Host header is a name");
}

int main(void)
{
	bound_hosts();
	bucket_names();
	object_keys();
	small_words();
	addresses();
	return tap_done();
}
