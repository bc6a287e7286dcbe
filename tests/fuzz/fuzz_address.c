/* SPDX-License-Identifier: Apache-2.0 */
/* A Host header, NUL, and a path: what comes out are valid names, or a refusal. */
#include <assert.h>

#include "base/limits.h"
#include "oss/names.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const struct slice domains[] = {SLICE_LIT("a.b"), SLICE_LIT("store.example.com")};
	static const struct bound_host bound = {SLICE_LIT("img.example.com"), SLICE_LIT("photos")};
	struct slice path = slice_of(bytes, len);
	struct slice host;
	const struct host_rules rules = {domains, ARRAY_LEN(domains), &bound, 1};
	struct address address;
	struct bucket_name bucket;
	struct object_key key;
	struct arena arena;
	SCOPED_STRBUF(reason, 1000);
	(void)slice_cut(&path, '\0', &host);
	arena_init(&arena, NULL, 0, LIMIT_REQUEST_ARENA_BYTES);
	enum err e = address_parse(host, path, &rules, &arena, &address, &reason);
	assert((e == ERR_INVALID_REQUEST) == (reason.len > 0) || e == ERR_INVALID_ARGUMENT);
	if (e == ERR_OK) {
		assert(address.has_bucket || (!address.has_key && address.style == ADDRESS_PATH));
		assert(!address.has_bucket ||
			bucket_name_parse(address.bucket.text, &bucket) == ERR_OK);
		assert(!address.has_key || object_key_parse(address.key.text, &key) == ERR_OK);
	}
	arena_reset(&arena);
	return 0;
}
