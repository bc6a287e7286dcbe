/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parameters of STS: the first line is the URL's query, the rest is the body. What is read can be
 * written, and is then read as the same; so what is signed has one meaning.
 */
#include <assert.h>
#include <string.h>

#include "base/encode.h"
#include "base/strbuf.h"
#include "ops/access/sts_params.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void write_params(const struct sts_params *params, struct strbuf *out)
{
	for (size_t i = 0; i < params->count; i++) {
		strbuf_adds(out, i ? "&" : "");
		percent_encode(out, params->each[i].name);
		strbuf_addc(out, '=');
		percent_encode(out, params->each[i].value);
	}
}

static void check_again(const struct sts_params *params, struct arena *arena)
{
	struct sts_params same = {.count = 0};
	SCOPED_STRBUF(text, 4 * (LIMIT_STS_BODY_BYTES + LIMIT_TARGET_BYTES));
	write_params(params, &text);
	if (strbuf_broken(&text))
		return;
	enum sts_params_result result = sts_params_add(&same, arena, strbuf_slice(&text));
	assert(result == STS_PARAMS_OK && same.count == params->count);
	for (size_t i = 0; i < params->count; i++) {
		struct slice value = params->each[i].value;
		assert(slice_eq(same.each[i].name, params->each[i].name));
		assert(slice_eq(same.each[i].value, value));
		assert(utf8_valid(value) && (!value.len || !memchr(value.ptr, '\0', value.len)));
		/* By its name it is found, and no other. */
		assert(sts_params_find(params, params->each[i].name).ptr == value.ptr);
	}
}

static void check_values(const struct sts_params *params)
{
	struct sts_role role;
	int64_t ms;
	struct slice arn = sts_params_find(params, S("RoleArn"));
	struct slice session = sts_params_find(params, S("RoleSessionName"));
	if (sts_role_parse(arn, &role)) {
		assert(slice_eq(role.arn, arn) && role.account.len > 0);
		assert(arn.len <= 32 + 64 + strlen("acs:ram:::role/"));
		/* Nothing that an answer would have to escape. */
		for (size_t i = 0; i < arn.len; i++)
			assert(arn.ptr[i] > ' ' && !strchr("<>&\"'\\", arn.ptr[i]));
	}
	assert(!sts_session_name_fits(session) || (session.len >= 2 && session.len <= 64));
	if (sts_duration_parse(sts_params_find(params, S("DurationSeconds")), &ms))
		assert(ms >= (int64_t)LIMIT_SESSION_SECONDS_MIN * 1000 &&
			ms <= (int64_t)LIMIT_SESSION_SECONDS * 1000 && ms % 1000 == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char first[4096];
	struct arena arena;
	struct sts_params params = {.count = 0};
	struct slice rest = slice_of(bytes, len);
	struct slice query;
	if (len > LIMIT_STS_BODY_BYTES)
		return 0;
	(void)slice_cut(&rest, '\n', &query);
	arena_init(&arena, first, sizeof(first), LIMIT_REQUEST_ARENA_BYTES);
	enum sts_params_result result = sts_params_add(&params, &arena, query);
	if (result == STS_PARAMS_OK)
		result = sts_params_add(&params, &arena, rest);
	assert(params.count <= LIMIT_STS_PARAMS);
	if (result == STS_PARAMS_OK) {
		check_again(&params, &arena);
		check_values(&params);
	}
	arena_reset(&arena);
	return 0;
}
