/* SPDX-License-Identifier: Apache-2.0 */
#include "oss/copy_source.h"

#include "base/encode.h"
#include "base/limits.h"

/* What is behind the question mark. */
static bool parse_version(struct slice query, struct slice *ret)
{
	static const struct slice name = SLICE_LIT("versionId=");
	if (!slice_starts(query, name))
		return false;
	*ret = slice_of(query.ptr + name.len, query.len - name.len);
	return true;
}

static enum err decode(
	struct slice text, struct arena *arena, struct slice *ret, struct strbuf *reason)
{
	SCOPED_STRBUF(decoded, LIMIT_HEAD_BYTES);
	bool well_formed = plus_decode(&decoded, text);
	if (strbuf_broken(&decoded))
		return ERR_UNAVAILABLE;
	if (!well_formed) {
		strbuf_adds(reason, "x-oss-copy-source holds a malformed percent-escape.");
		return ERR_INVALID_ARGUMENT;
	}
	*ret = arena_copy(arena, strbuf_slice(&decoded));
	return ret->ptr ? ERR_OK : ERR_UNAVAILABLE;
}

enum err copy_source_parse(
	struct slice text, struct arena *arena, struct copy_source *ret, struct strbuf *reason)
{
	struct copy_source source = {.version = {NULL, 0}};
	struct slice path, bucket;
	bool has_query = slice_cut(&text, '?', &path);
	if (has_query && !parse_version(text, &source.version)) {
		strbuf_adds(reason, "x-oss-copy-source must be /bucket/key, percent-encoded.");
		return ERR_INVALID_ARGUMENT;
	}
	enum err e = decode(path, arena, &path, reason);
	if (e != ERR_OK)
		return e;
	if (slice_starts(path, S("/")))
		path = slice_from(path, 1);
	if (!slice_cut(&path, '/', &bucket)) {
		strbuf_adds(reason, "x-oss-copy-source names no object.");
		return ERR_INVALID_ARGUMENT;
	}
	e = bucket_name_parse(bucket, &source.bucket);
	if (e == ERR_OK)
		e = object_key_parse(path, &source.key);
	if (e == ERR_INVALID_ARGUMENT)
		strbuf_adds(reason, "x-oss-copy-source names an object in what is not UTF-8.");
	if (e == ERR_OK)
		*ret = source;
	return e;
}
