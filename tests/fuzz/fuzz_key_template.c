/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A template, and behind a line break the value of its claims, from anybody: what comes of it has
 * as many slashes as the template, and no step upwards.
 */
#include <assert.h>

#include "app/settings/key_template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t count_slashes(struct slice text)
{
	size_t count = 0;
	for (size_t i = 0; i < text.len; i++)
		count += text.ptr[i] == '/';
	return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct key_template template;
	struct slice value = slice_of(data, size), text;
	struct slice values[LIMIT_CLAIMS];
	SCOPED_STRBUF(out, 2 * LIMIT_KEY_BYTES);
	(void)slice_cut(&value, '\n', &text);
	for (size_t i = 0; i < LIMIT_CLAIMS; i++)
		values[i] = value;
	const struct key_values all = {.claims = values};
	if (key_template_parse(text, &template) || key_template_expand(&template, &all, &out))
		return 0;
	assert(out.len <= LIMIT_KEY_BYTES);
	assert(count_slashes(strbuf_slice(&out)) == count_slashes(text));
	assert(slice_starts(strbuf_slice(&out), key_template_start(&template)));
	if (template.claim_count > 0)
		assert(slice_find_slice(strbuf_slice(&out), S("/../")) == out.len);
	return 0;
}
