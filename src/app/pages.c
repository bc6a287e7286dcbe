/* SPDX-License-Identifier: Apache-2.0 */
/* The upload page and the JS library: files of web/ that are part of the executable. */
#include "app/app_internal.h"
#include "web/answer.h"

static const struct web_place places[] = {
	{"/upload/client/", "client/"},
	{"/client/", "client/"},
	{"/upload/", "page/"},
};

bool app_send_page(const struct app *app, struct exchange *x)
{
	struct slice path = exchange_head(x)->path;
	if (slice_eq(path, S("/upload"))) {
		exchange_header(x, "Location", S("/upload/"));
		exchange_send(x, 308, S(""));
		return true;
	}
	const struct asset *asset = web_find_path(places, ARRAY_LEN(places), path);
	if (asset)
		web_send(x, asset, strbuf_slice(&app->page_policy));
	return asset != NULL;
}
