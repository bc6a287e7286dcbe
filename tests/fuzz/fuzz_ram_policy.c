/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy of a temporary key, and its compact form: what is accepted can be decided on, and
 * bytes that no parser made are read without harm.
 */
#include <assert.h>
#include <stdint.h>

#include "base/limits.h"
#include "oss/policy/ram_policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct slice text = slice_of(bytes, len);
	SCOPED_STRBUF(compact, RAM_POLICY_COMPACT_BYTES);
	SCOPED_STRBUF(reason, KIB(1));
	enum err e = ram_policy_parse(text, S("1"), &compact, &reason);
	assert(e == ERR_OK || e == ERR_INVALID_POLICY);
	assert((e == ERR_INVALID_POLICY) == (reason.len > 0));
	assert((e == ERR_OK) == (compact.len > 0));
	(void)ram_policy_allows(strbuf_slice(&compact), S("oss:PutObject"), S("bucket/dir/key"));
	(void)ram_policy_allows(text, S("oss:PutObject"), S("bucket/dir/key"));
	return 0;
}
