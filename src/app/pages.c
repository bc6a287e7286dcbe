/* SPDX-License-Identifier: Apache-2.0 */
/* The upload page and the JS library: files of web/ that are part of the executable. */
#include "app/app_internal.h"
#include "app/assets.h"
#include "http/conditional.h"

/* Where a request path leads below web/. */
static const struct {
	const char *prefix, *folder;
} places[] = {
	{"/upload/client/", "client/"},
	{"/client/", "client/"},
	{"/upload/", "page/"},
};

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

static const struct asset *find(struct slice path)
{
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		struct slice prefix = slice_str(places[i].prefix);
		struct slice folder = slice_str(places[i].folder);
		if (!slice_starts(path, prefix))
			continue;
		struct slice rest = slice_from(path, prefix.len);
		if (rest.len == 0)
			rest = S("index.html");
		for (const struct asset *asset = assets; asset->path; asset++) {
			struct slice name = slice_str(asset->path);
			if (slice_starts(name, folder) &&
				slice_eq(slice_from(name, folder.len), rest))
				return asset;
		}
		return NULL;
	}
	return NULL;
}

static void send_asset(const struct app *app, struct exchange *x, const struct asset *asset)
{
	const struct request_head *head = exchange_head(x);
	const char *decider;
	char tag[24];
	size_t len = 0;
	struct conditional conditions = conditional_from_head(head, S(""));
	bool fresh = conditional_check(&conditions, slice_str(asset->tag), 0, true, &decider) ==
		     CONDITIONAL_NOT_MODIFIED;
	tag[len++] = '"';
	for (const char *c = asset->tag; *c && len < sizeof(tag) - 1; c++)
		tag[len++] = *c;
	tag[len++] = '"';
	exchange_header(x, "ETag", slice_of(tag, len));
	/* Asked about each time, and answered in a few bytes unless postern has changed. */
	exchange_header(x, "Cache-Control", S("no-cache"));
	exchange_header(x, "X-Content-Type-Options", S("nosniff"));
	exchange_header(x, "Content-Security-Policy", strbuf_slice(&app->page_policy));
	if (fresh) {
		exchange_send(x, 304, S(""));
		return;
	}
	exchange_header(x, "Content-Type", slice_str(type_of(asset->path)));
	exchange_send(x, 200, slice_of(asset->bytes, asset->len));
}

bool app_send_page(const struct app *app, struct exchange *x)
{
	struct slice path = exchange_head(x)->path;
	if (slice_eq(path, S("/upload"))) {
		exchange_header(x, "Location", S("/upload/"));
		exchange_send(x, 308, S(""));
		return true;
	}
	const struct asset *asset = find(path);
	if (asset)
		send_asset(app, x, asset);
	return asset != NULL;
}
