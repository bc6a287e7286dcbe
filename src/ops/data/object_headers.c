/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/data/object_headers.h"

#include "base/limits.h"
#include "ops/arguments/unimplemented.h"
#include "oss/acl.h"
#include "oss/names.h"
#include "oss/rules/tagging.h"
#include "oss/storage_class.h"

static const struct slice user_meta = SLICE_LIT("x-oss-meta-");

_Static_assert((int)ACL_DEFAULT == (int)STORE_ACL_DEFAULT &&
		       (int)ACL_PRIVATE == (int)STORE_ACL_PRIVATE &&
		       (int)ACL_PUBLIC_READ == (int)STORE_ACL_PUBLIC_READ &&
		       (int)ACL_PUBLIC_READ_WRITE == (int)STORE_ACL_PUBLIC_READ_WRITE,
	"oss/acl.h and store/store.h number the ACLs alike");

void object_headers_init(struct object_headers *h)
{
	*h = (struct object_headers){.acl = STORE_ACL_DEFAULT};
	strbuf_init(&h->lines, KIB(32));
	strbuf_init(&h->tags, TAGGING_BYTES);
}

void object_headers_release(struct object_headers *h)
{
	strbuf_release(&h->lines);
	strbuf_release(&h->tags);
}

bool object_headers_fits(struct slice value)
{
	for (size_t i = 0; i < value.len; i++) {
		unsigned char c = (unsigned char)value.ptr[i];
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

static void add_line(struct object_headers *h, struct slice name, struct slice value, bool lower)
{
	for (size_t i = 0; i < name.len; i++)
		strbuf_addc(&h->lines, lower ? ascii_lower(name.ptr[i]) : name.ptr[i]);
	strbuf_adds(&h->lines, ": ");
	strbuf_add_slice(&h->lines, value);
	strbuf_adds(&h->lines, "\r\n");
}

static enum err add_user_meta(
	struct object_headers *h, struct slice name, struct slice value, struct strbuf *reason)
{
	struct slice rest = slice_from(name, user_meta.len);
	if (!user_meta_name_valid(rest)) {
		strbuf_adds(reason,
			"The name of a user metadata header may hold letters, digits and `-`.");
		return ERR_INVALID_ARGUMENT;
	}
	h->user_meta_bytes += rest.len + value.len;
	if (h->user_meta_bytes > LIMIT_USER_META_BYTES) {
		strbuf_adds(reason, "User metadata exceeds 8 KB.");
		return ERR_INVALID_ARGUMENT;
	}
	add_line(h, name, value, true);
	return ERR_OK;
}

static enum err set_acl(struct object_headers *h, struct slice value, struct strbuf *reason)
{
	enum acl acl;
	if (!acl_parse_object(value, &acl)) {
		strbuf_adds(reason, "x-oss-object-acl must be default, private, public-read or "
				    "public-read-write.");
		return ERR_INVALID_ARGUMENT;
	}
	h->acl = (enum store_acl)acl;
	return ERR_OK;
}

static enum err set_storage_class(
	struct object_headers *h, struct slice value, struct strbuf *reason)
{
	h->storage_class = value;
	if (storage_class_is_known(value))
		return ERR_OK;
	strbuf_adds(reason, "x-oss-storage-class must be " STORAGE_CLASS_NAMES ".");
	return ERR_INVALID_ARGUMENT;
}

static enum err set_forbid_overwrite(
	struct object_headers *h, struct slice value, struct strbuf *reason)
{
	h->forbid_overwrite = slice_eq(value, S("true"));
	if (h->forbid_overwrite || slice_eq(value, S("false")))
		return ERR_OK;
	strbuf_adds(reason, "x-oss-forbid-overwrite must be true or false.");
	return ERR_INVALID_ARGUMENT;
}

enum err object_headers_add(
	struct object_headers *h, struct slice name, struct slice value, struct strbuf *reason)
{
	static const struct slice kept[] = {SLICE_LIT("Cache-Control"),
		SLICE_LIT("Content-Disposition"), SLICE_LIT("Content-Encoding"),
		SLICE_LIT("Content-Language"), SLICE_LIT("Expires")};
	bool is_meta = name.len >= user_meta.len &&
		       slice_eq_nocase(slice_head(name, user_meta.len), user_meta);
	bool is_oss =
		is_meta || (name.len > 6 && slice_eq_nocase(slice_head(name, 6), S("x-oss-")));
	bool is_kept = slice_eq_nocase(name, S("Content-Type"));
	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		is_kept = is_kept || slice_eq_nocase(name, kept[i]);
	if (!is_oss && !is_kept)
		return ERR_OK;
	if (is_oss && !is_meta && value.len == 0)
		return ERR_OK; /* forms have fields that nobody has filled in */
	if (!object_headers_fits(value)) {
		strbuf_addf(reason, "The value of %.*s holds control characters.",
			SLICE_FMT(slice_head(name, 200)));
		return ERR_INVALID_ARGUMENT;
	}
	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		if (slice_eq_nocase(name, kept[i]))
			add_line(h, kept[i], value, false);
	/* The first is the one that V1 signs. */
	if (slice_eq_nocase(name, S("Content-Type")) && !h->content_type.ptr)
		h->content_type = value;
	if (is_meta)
		return add_user_meta(h, name, value, reason);
	if (slice_eq_nocase(name, S("x-oss-object-acl")))
		return set_acl(h, value, reason);
	if (slice_eq_nocase(name, S("x-oss-storage-class")))
		return set_storage_class(h, value, reason);
	if (slice_eq_nocase(name, S("x-oss-forbid-overwrite")))
		return set_forbid_overwrite(h, value, reason);
	if (slice_eq_nocase(name, S("x-oss-tagging")))
		return h->no_tags ? ERR_OK : tagging_parse_header(value, TAGGING_OBJECT, &h->tags);
	enum err e = unimplemented_check(name, value);
	if (e == ERR_NOT_IMPLEMENTED)
		strbuf_addf(reason, "%.*s is not implemented.", SLICE_FMT(name));
	return e;
}

static struct slice class_of(const struct object_headers *h)
{
	if (h->storage_class.len)
		return h->storage_class;
	return h->bucket_class.len ? h->bucket_class : S("Standard");
}

bool object_headers_forbid(const struct object_headers *h, const struct store_bucket *bucket)
{
	return h->forbid_overwrite && bucket->versioning == STORE_UNVERSIONED;
}

enum err object_headers_finish(struct object_headers *h)
{
	add_line(h, S("Content-Type"),
		h->content_type.len ? h->content_type : S("application/octet-stream"), false);
	add_line(h, S("x-oss-storage-class"), class_of(h), false);
	return strbuf_err(&h->lines, ERR_INVALID_ARGUMENT);
}

enum err object_headers_finish_copy(struct object_headers *h, struct slice lines)
{
	static const struct slice class = SLICE_LIT("x-oss-storage-class");
	struct slice line;
	strbuf_clear(&h->lines);
	while (slice_cut(&lines, '\n', &line)) {
		struct slice name = slice_head(line, slice_find(line, ':'));
		if (!slice_eq_nocase(name, class))
			strbuf_add_slice(&h->lines, slice_of(line.ptr, line.len + 1));
	}
	add_line(h, class, class_of(h), false);
	return strbuf_err(&h->lines, ERR_INVALID_ARGUMENT);
}

struct slice object_headers_find(struct slice lines, struct slice name)
{
	struct slice line;
	while (slice_cut(&lines, '\n', &line)) {
		struct slice value = line;
		struct slice found;
		if (slice_cut(&value, ':', &found) && slice_eq_nocase(found, name)) {
			if (slice_ends(value, S("\r")))
				value.len--;
			return slice_trim(value);
		}
	}
	return (struct slice){NULL, 0};
}
