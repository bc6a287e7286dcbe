/* SPDX-License-Identifier: Apache-2.0 */
/* Names of uploads, lists of parts and answers of a store, from anybody. */
#include <assert.h>

#include "app/multipart/multipart_answer.h"
#include "app/multipart/multipart_parts.h"
#include "base/encode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_id(struct slice input)
{
	struct ticket_key key;
	struct multipart_id id = {.expires = 7, .max_size = 8, .profile = "p"}, got;
	SCOPED_STRBUF(text, MULTIPART_ID_MAX);
	ticket_key_derive(S("secret"), &key);
	assert(!multipart_id_parse(&key, input, S("key"), S("ann"), &got));
	struct slice upload = slice_head(input, slice_find(input, '\0'));
	if (upload.len > MULTIPART_UPLOAD_MAX)
		return;
	memcpy(id.grant_id, "0123456789abcdef01234567", TICKET_ID_LENGTH);
	if (upload.len > 0)
		memcpy(id.upload, upload.ptr, upload.len);
	if (!multipart_id_add(&key, &id, S("key"), S("ann"), &text))
		return;
	assert(multipart_id_parse(&key, strbuf_slice(&text), S("key"), S("ann"), &got));
	assert(!strcmp(got.upload, id.upload) && got.expires == 7 && got.max_size == 8);
	assert(!multipart_id_parse(&key, strbuf_slice(&text), S("keya"), S("nn"), &got));
}

static void check_answers(struct slice input)
{
	char upload[MULTIPART_UPLOAD_MAX + 1];
	struct multipart_page page;
	SCOPED_STRBUF(json, MIB(1));
	SCOPED_STRBUF(code, 256);
	if (multipart_answer_begun(input, upload))
		assert(strlen(upload) > 0);
	strbuf_addc(&json, '[');
	if (multipart_answer_page(input, &json, &page)) {
		assert(page.count <= LIMIT_PARTS && page.next <= LIMIT_PARTS);
		assert(!page.truncated || page.count > 0);
		assert(utf8_valid(strbuf_slice(&json)));
	}
	multipart_answer_code(input, &code);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice input = slice_of(data, size), sizes = input, numbers;
	struct arena arena;
	struct multipart_parts parts;
	SCOPED_STRBUF(document, MIB(1));
	check_id(input);
	check_answers(input);
	(void)!multipart_parts_document(input, &document);
	(void)slice_cut(&sizes, '\n', &numbers);
	arena_init(&arena, NULL, 0, MIB(1));
	if (!multipart_parts_parse(numbers, sizes, &arena, &parts)) {
		assert(parts.count >= 1 && parts.count <= LIMIT_PART_URLS);
		for (size_t i = 0; i < parts.count; i++)
			assert(parts.list[i].number >= 1 && parts.list[i].number <= LIMIT_PARTS);
	}
	arena_reset(&arena);
	return 0;
}
