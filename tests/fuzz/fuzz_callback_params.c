/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON of a callback parameter, before base64. What is taken can be sent: URLs whose parts hold
 * no control characters and can be signed.
 */
#include <assert.h>

#include "base/encode.h"
#include "oss/callback/callback_params.h"
#include "oss/callback/callback_signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void assert_visible(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		assert(s.ptr[i] > ' ' && s.ptr[i] <= '~');
}

static void check_url(const struct callback_url *url)
{
	SCOPED_STRBUF(text, LIMIT_FIELD_VALUE_BYTES);
	assert_visible(url->text);
	assert(url->port > 0 && url->host.len > 0 && url->target.ptr[0] == '/');
	assert(slice_starts(url->text, url->tls ? S("https://") : S("http://")));
	assert(slice_ends(url->text, url->target));
	assert(slice_eq_nocase(slice_head(url->authority, url->host.len), url->host));
	assert(slice_find(url->authority, '@') == url->authority.len);
	assert(callback_string_to_sign(url->target, S(""), &text));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	SCOPED_STRBUF(text, LIMIT_FIELD_VALUE_BYTES);
	SCOPED_STRBUF(reason, 10000);
	struct callback_params *params = NULL;
	base64_encode(&text, slice_of(bytes, len));
	if (callback_params_parse(strbuf_slice(&text), &params, &reason) != ERR_OK || !params) {
		assert(!params);
		return 0;
	}
	assert(params->url_count > 0 && params->url_count <= LIMIT_CALLBACK_URLS);
	for (size_t i = 0; i < params->url_count; i++)
		check_url(&params->urls[i]);
	assert_visible(params->host);
	assert(params->body.text.len > 0);
	callback_params_free(params);
	return 0;
}
