/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a page says of its files, from anybody: the name that comes of it is one segment, and names
 * no step upwards.
 */
#include <assert.h>

#include "app/offer/wishes.h"
#include "app/text/file_name.h"
#include "base/encode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_name(struct slice text)
{
	SCOPED_STRBUF(name, 2 * LIMIT_FILE_NAME_BYTES);
	SCOPED_STRBUF(ext, LIMIT_FILE_NAME_BYTES);
	file_name_split(text, &name, &ext);
	struct slice made = strbuf_slice(&name);
	assert(!strbuf_broken(&name) && !strbuf_broken(&ext));
	assert(made.len > 0 && made.len + ext.len <= LIMIT_FILE_NAME_BYTES + 4);
	assert(!slice_eq(made, S(".")) && !slice_eq(made, S("..")));
	assert(utf8_valid(made) && utf8_valid(strbuf_slice(&ext)));
	for (size_t i = 0; i < made.len; i++)
		assert((unsigned char)made.ptr[i] >= 0x20 && !strchr("/\\$\x7f", made.ptr[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;
	struct budget_account account = {.pool = BUDGET_APP};
	struct wishes wishes;
	struct wish wish;
	arena_init(&arena, NULL, 0, MIB(1));
	check_name(slice_of(data, size));
	if (!wishes_parse(slice_of(data, size), &arena, &account, &wishes)) {
		assert(wishes.count >= 1 && wishes.count <= LIMIT_GRANT_FILES);
		for (size_t i = 0; i < wishes.count; i++)
			check_name(wishes.list[i].file_name);
	}
	if (!wish_parse(slice_of(data, size), &arena, &account, &wish))
		assert(wish.has_file && wish.size >= -1);
	assert(account.bytes == 0);
	arena_reset(&arena);
	return 0;
}
