/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policies: the input is the JSON text, up to the first NUL, and behind it the value of a field.
 * Whatever it is, each refusal can be shown in an error document, and a policy that is read says
 * the same about the same form each time.
 */
#include <assert.h>
#include <stdint.h>

#include "base/encode.h"
#include "base/limits.h"
#include "oss/policy/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* Every field has the value. */
static bool find(void *context, struct slice name, struct slice *ret)
{
	if (name.len == 0)
		return false;
	*ret = *(const struct slice *)context;
	return true;
}

static void check(const struct policy *p, struct slice value, struct arena *arena)
{
	struct form_fields fields = {find, &value};
	struct refusal first = {0}, second = {0};
	enum err e = policy_check(p, &fields, arena, &first);
	assert(policy_check(p, &fields, arena, &second) == e);
	assert(e == ERR_OK || e == ERR_POLICY_CONDITION);
	assert(slice_eq(first.message, second.message));
	assert(utf8_valid(first.message));
	struct policy_size size = policy_size(p);
	assert(policy_check_size(size, UINT64_MAX, true) == ERR_OK || size.max != UINT64_MAX);
	e = policy_check_v4(p, true, arena, &first);
	assert(e == ERR_OK || e == ERR_INVALID_POLICY);
	(void)policy_expired(p, policy_expiration_ms(p));
}

static void parse(struct slice base64, struct slice value)
{
	char first[4096];
	struct arena arena;
	struct refusal why = {0};
	const struct policy *p = NULL;
	arena_init(&arena, first, sizeof(first), LIMIT_REQUEST_ARENA_BYTES);
	enum err e = policy_parse(base64, &arena, &p, &why);
	if (e == ERR_OK)
		check(p, value, &arena);
	else
		assert(!p && utf8_valid(why.message));
	arena_reset(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct slice value = slice_of(bytes, len), json;
	SCOPED_STRBUF(base64, 8 * LIMIT_POLICY_BYTES);
	(void)slice_cut(&value, '\0', &json);
	parse(json, value);
	base64_encode(&base64, json);
	if (!strbuf_broken(&base64))
		parse(strbuf_slice(&base64), value);
	return 0;
}
