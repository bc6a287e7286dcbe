/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Grants, from anybody: none that was not issued here passes. So that the fuzzer gets beyond the
 * MAC, the input is also taken as a prefix for which a grant is issued and then checked.
 */
#include <assert.h>

#include "oss/callback/ticket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ticket_key key;
	struct ticket grant;
	struct slice input = slice_of(data, size);
	SCOPED_STRBUF(text, TICKET_TEXT_MAX);
	ticket_key_derive(S("secret"), &key);
	assert(ticket_check(&key, input, input, 0, &grant) != TICKET_VALID);
	assert(!ticket_is_of(&key, input));
	const struct ticket_terms terms = {.id = "0123456789abcdef01234567",
		.profile = S("p"),
		.prefix = input,
		.variables = slice_head(input, size % 7),
		.issued = 1,
		.expires = 1};
	if (!ticket_issue(&key, &terms, &text)) {
		assert(size > LIMIT_KEY_BYTES);
		return 0;
	}
	assert(ticket_check(&key, strbuf_slice(&text), input, 1, &grant) == TICKET_VALID);
	assert(ticket_has_form(strbuf_slice(&text)) && ticket_is_of(&key, strbuf_slice(&text)));
	assert(slice_eq(slice_of(grant.prefix, grant.prefix_len), input));
	assert(slice_eq(slice_of(grant.variables, grant.variables_len), terms.variables));
	struct ticket_key other;
	ticket_key_derive(S("other"), &other);
	if (text.len + 33 > TICKET_TEXT_MAX)
		return 0;
	assert(ticket_countersign(&other, &text) && ticket_has_form(strbuf_slice(&text)));
	assert(ticket_check(&other, strbuf_slice(&text), input, 1, &grant) == TICKET_VALID);
	assert(ticket_is_signers(&key, strbuf_slice(&text)));
	assert(!ticket_is_signers(&other, strbuf_slice(&text)));
	return 0;
}
