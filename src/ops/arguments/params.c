/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/arguments/params.h"

#include "base/limits.h"
#include "ops/respond.h"

enum {
	DEFAULT_MAX_KEYS = 100, /* OSS's, of objects and of buckets */
};

bool params_encoding(struct request *r, bool *ret_encode)
{
	struct slice encoding = request_param(r, S("encoding-type"));
	*ret_encode = encoding.len > 0;
	if (!encoding.len || slice_eq(encoding, S("url")))
		return true;
	return respond_bad_argument(r, "encoding-type", encoding, "encoding-type must be url.");
}

bool params_count(struct request *r, const char *name, uint32_t absent, uint32_t *ret)
{
	uint64_t max = absent;
	struct slice text = request_param(r, slice_str(name));
	if (text.len && (!slice_to_u64(text, &max) || max < 1 || max > LIMIT_LIST_KEYS)) {
		return respond_bad_argument(r, name, text, "It must be an integer from 1 to 1000.");
	}
	*ret = (uint32_t)max;
	return true;
}

bool params_max_keys(struct request *r, uint32_t *ret)
{
	return params_count(r, "max-keys", DEFAULT_MAX_KEYS, ret);
}

bool params_name(struct request *r, const char *name, struct slice *ret)
{
	*ret = request_param(r, slice_str(name));
	if (ret->len <= LIMIT_KEY_BYTES)
		return true;
	return respond_bad_argument(r, name, *ret, "It is longer than a key can be.");
}
