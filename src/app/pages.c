/* SPDX-License-Identifier: Apache-2.0 */
/* The upload page and the JS library: files of web/ that are part of the executable. */
#include "app/app_internal.h"
#include "web/answer.h"

/* Where a request path leads below web/. */
static const struct {
	const char *prefix, *folder;
} places[] = {
	{"/upload/client/", "client/"},
	{"/client/", "client/"},
	{"/upload/", "page/"},
};

static const struct asset *find(struct slice path)
{
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		struct slice prefix = slice_str(places[i].prefix);
		if (slice_starts(path, prefix))
			return web_find(slice_str(places[i].folder), slice_from(path, prefix.len));
	}
	return NULL;
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
		web_send(x, asset, strbuf_slice(&app->page_policy));
	return asset != NULL;
}
