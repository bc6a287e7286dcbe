/* SPDX-License-Identifier: Apache-2.0 */
/* A URL is its parts, one behind the other. */
#include <assert.h>
#include <stdint.h>

#include "base/host.h"
#include "http/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_of(data, size);
	struct url url;
	size_t start;
	const char *fault = url_request_fault(text);
	if (!url_split(text, &url)) {
		assert(fault);
		return 0;
	}
	assert(fault || slice_find(url.authority, '@') == url.authority.len);
	assert(url_has_scheme(text, &start));
	assert(start == (url.tls ? 8 : 7));
	assert(url.origin.ptr == text.ptr && url.origin.len == start + url.authority.len);
	assert(url.origin.len + url.rest.len == size);
	assert(slice_starts(url.rest, url.target) && slice_starts(url.target, url.path));
	assert(slice_find(url.authority, '/') == url.authority.len);
	assert(slice_find(url.target, '#') == url.target.len);
	assert(slice_find(url.path, '?') == url.path.len);
	assert(host_of_authority(url.authority).len <= url.authority.len);
	return 0;
}
