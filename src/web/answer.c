/* SPDX-License-Identifier: Apache-2.0 */
#include "web/answer.h"

#include "base/strbuf.h"
#include "http/conditional.h"

static const struct {
	const char *suffix, *type;
} types[] = {
	{".html", "text/html; charset=utf-8"},
	{".js", "text/javascript; charset=utf-8"},
	{".css", "text/css; charset=utf-8"},
	{".svg", "image/svg+xml"},
	{".png", "image/png"},
	{".ico", "image/x-icon"},
	{".json", "application/json"},
};

static const char *type_of(const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (slice_ends(slice_str(path), slice_str(types[i].suffix)))
			return types[i].type;
	return "application/octet-stream";
}

const struct asset *web_find(struct slice folder, struct slice name)
{
	if (name.len == 0)
		name = S("index.html");
	for (const struct asset *asset = assets; asset->path; asset++) {
		struct slice path = slice_str(asset->path);
		if (slice_starts(path, folder) && slice_eq(slice_from(path, folder.len), name))
			return asset;
	}
	return NULL;
}

const struct asset *web_find_path(const struct web_place *places, size_t count, struct slice path)
{
	for (size_t i = 0; i < count; i++) {
		struct slice prefix = slice_str(places[i].prefix);
		if (slice_starts(path, prefix))
			return web_find(slice_str(places[i].folder), slice_from(path, prefix.len));
	}
	return NULL;
}

void web_send(struct exchange *x, const struct asset *asset, struct slice policy)
{
	const char *decider;
	struct conditional conditions = conditional_from_head(exchange_head(x), S(""));
	bool fresh = conditional_check(&conditions, slice_str(asset->tag), 0, true, &decider) ==
		     CONDITIONAL_NOT_MODIFIED;
	SCOPED_STRBUF(tag, 64);
	strbuf_addf(&tag, "\"%s\"", asset->tag);
	exchange_header(x, "ETag", strbuf_slice(&tag));
	/* Asked about each time, and answered in a few bytes unless postern has changed. */
	exchange_header(x, "Cache-Control", S("no-cache"));
	exchange_header(x, "X-Content-Type-Options", S("nosniff"));
	exchange_header(x, "Content-Security-Policy", policy);
	if (fresh) {
		exchange_send(x, 304, S(""));
		return;
	}
	exchange_header(x, "Content-Type", slice_str(type_of(asset->path)));
	exchange_send(x, 200, slice_of(asset->bytes, asset->len));
}
