/* SPDX-License-Identifier: Apache-2.0 */
#include "base/limits.h"
#include "ops/data/object_headers.h"
#include "tap.h"

/* Its message in errors.def is about this one mistake. */
static bool err_says_enough(enum err e)
{
	return e == ERR_OK || e == ERR_INVALID_ENCRYPTION || e == ERR_TAG_FORMAT ||
	       e == ERR_TAG_VALUE;
}

static enum err add(struct object_headers *h, struct slice name, struct slice value)
{
	SCOPED_STRBUF(reason, 512);
	enum err e = object_headers_add(h, name, value, &reason);
	OK(err_says_enough(e) || reason.len > 0, "a refusal says why");
	return e;
}

static void kept(void)
{
	struct object_headers h;
	object_headers_init(&h);
	OK(add(&h, S("content-TYPE"), S("image/png")) == ERR_OK &&
			add(&h, S("cache-control"), S("no-cache")) == ERR_OK &&
			add(&h, S("X-OSS-Meta-Colour"), S("b: \xc3\xa9")) == ERR_OK &&
			add(&h, S("x-oss-object-acl"), S("public-read")) == ERR_OK &&
			add(&h, S("x-oss-forbid-overwrite"), S("true")) == ERR_OK &&
			add(&h, S("x-oss-storage-class"), S("IA")) == ERR_OK &&
			add(&h, S("X-Oss-Tagging"), S("a=1&b=%3d+")) == ERR_OK &&
			add(&h, S("Accept"), S("text/html")) == ERR_OK &&
			add(&h, S("Content-Type"), S("text/html")) == ERR_OK &&
			add(&h, S("x-oss-date"), S("20231216T162057Z")) == ERR_OK &&
			object_headers_finish(&h) == ERR_OK,
		"takes what concerns an object and passes over the rest");
	IS(strbuf_slice(&h.lines),
		S("Cache-Control: no-cache\r\nx-oss-meta-colour: b: \xc3\xa9\r\n"
		  "Content-Type: image/png\r\nx-oss-storage-class: IA\r\n"),
		"lines ready to send; of two content types the first, which was signed");
	OK(h.acl == STORE_ACL_PUBLIC_READ && h.forbid_overwrite, "ACL and forbid-overwrite");
	IS(strbuf_slice(&h.tags), S("a=1&b== "), "tags");
	OK(object_headers_forbid(&h, &(struct store_bucket){.versioning = STORE_UNVERSIONED}) &&
			!object_headers_forbid(
				&h, &(struct store_bucket){.versioning = STORE_VERSIONED}) &&
			!object_headers_forbid(&h,
				&(struct store_bucket){.versioning = STORE_VERSIONING_SUSPENDED}),
		"forbid-overwrite means nothing where versions are or were kept");
	IS(object_headers_find(strbuf_slice(&h.lines), S("X-OSS-META-COLOUR")), S("b: \xc3\xa9"),
		"found");
	OK(object_headers_find(strbuf_slice(&h.lines), S("colour")).ptr == NULL,
		"only whole names");
	object_headers_release(&h);
}

static void refusals(void)
{
	static const struct {
		const char *name;
		const char *value;
		enum err want;
	} rows[] = {
		{"Content-Type", "a\r\nSet-Cookie: b", ERR_INVALID_ARGUMENT},
		{"x-oss-meta-a", "b\n", ERR_INVALID_ARGUMENT},
		{"x-oss-meta-", "b", ERR_INVALID_ARGUMENT},
		{"x-oss-meta-a_b", "b", ERR_INVALID_ARGUMENT},
		{"x-oss-object-acl", "Private", ERR_INVALID_ARGUMENT},
		{"x-oss-storage-class", "standard", ERR_INVALID_ARGUMENT},
		{"x-oss-forbid-overwrite", "1", ERR_INVALID_ARGUMENT},
		{"x-oss-server-side-encryption", "DES", ERR_INVALID_ENCRYPTION},
		{"x-oss-server-side-encryption", "AES256", ERR_NOT_IMPLEMENTED},
		{"X-Oss-Server-Side-Encryption", "KMS", ERR_NOT_IMPLEMENTED},
		{"x-oss-server-side-encryption-key-id", "k", ERR_NOT_IMPLEMENTED},
		{"x-oss-traffic-limit", "819200", ERR_NOT_IMPLEMENTED},
		{"X-Oss-Object-Worm-Mode", "COMPLIANCE", ERR_NOT_IMPLEMENTED},
		{"x-oss-tagging", "a=b=c", ERR_TAG_FORMAT},
		{"X-Oss-Tagging", "a=@", ERR_TAG_VALUE},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct object_headers h;
		object_headers_init(&h);
		OK(add(&h, slice_str(rows[i].name), slice_str(rows[i].value)) == rows[i].want,
			"refuses %s, row %zu", rows[i].name, i);
		IS_INT(h.lines.len, 0, "and keeps nothing of it");
		object_headers_release(&h);
	}
}

static void metadata_limit(void)
{
	static char value[LIMIT_USER_META_BYTES];
	struct object_headers h;
	memset(value, 'v', sizeof(value));
	object_headers_init(&h);
	OK(add(&h, S("x-oss-meta-a"), slice_of(value, sizeof(value) - 4)) == ERR_OK,
		"nearly 8 KB fit");
	OK(add(&h, S("x-oss-meta-b"), S("12")) == ERR_OK, "and what fills it up");
	OK(add(&h, S("x-oss-meta-c"), S("")) == ERR_INVALID_ARGUMENT, "one more name does not");
	object_headers_release(&h);
}

static void defaults(void)
{
	struct object_headers h;
	object_headers_init(&h);
	OK(object_headers_finish(&h) == ERR_OK && h.acl == STORE_ACL_DEFAULT, "nothing given");
	IS(strbuf_slice(&h.lines),
		S("Content-Type: application/octet-stream\r\nx-oss-storage-class: Standard\r\n"),
		"defaults");
	object_headers_release(&h);
}

static void of_a_copy(void)
{
	static const struct slice source = SLICE_LIT(
		"x-oss-meta-a: b\r\nContent-Type: image/png\r\nx-oss-storage-class: IA\r\n");
	struct object_headers h;
	object_headers_init(&h);
	OK(add(&h, S("Cache-Control"), S("no-cache")) == ERR_OK &&
			object_headers_finish_copy(&h, source) == ERR_OK,
		"a copy");
	IS(strbuf_slice(&h.lines),
		S("x-oss-meta-a: b\r\nContent-Type: image/png\r\nx-oss-storage-class: "
		  "Standard\r\n"),
		"the lines of the source, without its class");
	OK(add(&h, S("x-oss-storage-class"), S("Archive")) == ERR_OK &&
			object_headers_finish_copy(&h, source) == ERR_OK,
		"a copy of another class");
	IS(object_headers_find(strbuf_slice(&h.lines), S("x-oss-storage-class")), S("Archive"),
		"the class asked for");
	object_headers_release(&h);
}

int main(void)
{
	kept();
	refusals();
	metadata_limit();
	defaults();
	of_a_copy();
	return tap_done();
}
