/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/access/sts_params.h"

#include <string.h>

#include "base/encode.h"
#include "base/strbuf.h"
#include "http/query.h"

/* One more text, decoded. */
static bool decode(struct arena *arena, struct slice text, struct slice *ret)
{
	SCOPED_STRBUF(decoded, LIMIT_STS_BODY_BYTES);
	if (!plus_decode(&decoded, text) || !utf8_valid(strbuf_slice(&decoded)) ||
		memchr(decoded.ptr, '\0', decoded.len))
		return false;
	*ret = arena_copy(arena, strbuf_slice(&decoded));
	return ret->ptr != NULL;
}

static enum sts_params_result add(
	struct sts_params *params, struct arena *arena, const struct query_param *raw)
{
	if (params->count == LIMIT_STS_PARAMS)
		return STS_PARAMS_TOO_MANY;
	struct rpc_param *param = &params->each[params->count];
	if (!decode(arena, raw->name, &param->name) || !decode(arena, raw->value, &param->value))
		return STS_PARAMS_UNDECODABLE;
	if (sts_params_find(params, param->name).ptr)
		return STS_PARAMS_TWICE;
	params->count++;
	return STS_PARAMS_OK;
}

enum sts_params_result sts_params_add(
	struct sts_params *params, struct arena *arena, struct slice text)
{
	struct query_param raw;
	enum sts_params_result result = STS_PARAMS_OK;
	while (result == STS_PARAMS_OK && query_next(&text, &raw))
		result = add(params, arena, &raw);
	return result;
}

struct slice sts_params_find(const struct sts_params *params, struct slice name)
{
	for (size_t i = 0; i < params->count; i++)
		if (slice_eq(params->each[i].name, name))
			return params->each[i].value;
	return (struct slice){NULL, 0};
}

/* What a role or a session is called by. */
static bool name_fits(struct slice name, size_t min)
{
	bool fits = name.len >= min && name.len <= 64;
	for (size_t i = 0; fits && i < name.len; i++) {
		char c = ascii_lower(name.ptr[i]);
		fits = (c >= 'a' && c <= 'z') || ascii_digit(c) || (c && strchr(".@-_", c));
	}
	return fits;
}

bool sts_role_parse(struct slice arn, struct sts_role *ret)
{
	static const struct slice prefix = SLICE_LIT("acs:ram::");
	struct slice rest = slice_from(arn, prefix.len);
	ret->arn = arn;
	bool fits = slice_starts(arn, prefix) && slice_cut(&rest, ':', &ret->account) &&
		    slice_starts(rest, S("role/")) &&
		    name_fits(slice_from(rest, strlen("role/")), 1);
	for (size_t i = 0; fits && i < ret->account.len; i++)
		fits = ascii_digit(ret->account.ptr[i]);
	return fits && ret->account.len > 0 && ret->account.len <= 32;
}

bool sts_session_name_fits(struct slice name)
{
	return name_fits(name, 2);
}

bool sts_duration_parse(struct slice text, int64_t *ret_ms)
{
	uint64_t seconds = LIMIT_SESSION_SECONDS;
	if (text.len && (!slice_to_u64(text, &seconds) || seconds < LIMIT_SESSION_SECONDS_MIN ||
				seconds > LIMIT_SESSION_SECONDS))
		return false;
	*ret_ms = (int64_t)seconds * 1000;
	return true;
}
