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
	assert(multipart_id_parse(&key, input, S("key"), S("ann"), &got) != ERR_OK);
	struct slice upload = slice_head(input, slice_find(input, '\0'));
	if (upload.len > MULTIPART_UPLOAD_MAX)
		return;
	memcpy(id.grant_id, "0123456789abcdef01234567", TICKET_ID_LENGTH);
	if (upload.len > 0)
		memcpy(id.upload, upload.ptr, upload.len);
	id.variables_len = upload.len % 100;
	memcpy(id.variables, id.upload, id.variables_len);
	if (!multipart_id_add(&key, &id, S("key"), S("ann"), &text))
		return;
	assert(multipart_id_parse(&key, strbuf_slice(&text), S("key"), S("ann"), &got) == ERR_OK);
	assert(slice_eq(slice_of(got.variables, got.variables_len),
		slice_of(id.variables, id.variables_len)));
	assert(!strcmp(got.upload, id.upload) && got.expires == 7 && got.max_size == 8);
	assert(multipart_id_parse(&key, strbuf_slice(&text), S("keya"), S("nn"), &got) != ERR_OK);
}

static void add_etag(void *ctx, const struct multipart_listed *part)
{
	assert(part->number >= 1 && part->number <= LIMIT_PARTS);
	strbuf_add_slice(ctx, part->etag);
}

static void check_answers(struct slice input)
{
	char upload[MULTIPART_UPLOAD_MAX + 1];
	struct multipart_page page;
	SCOPED_STRBUF(json, MIB(1));
	SCOPED_STRBUF(code, 256);
	if (multipart_answer_begun(input, upload))
		assert(strlen(upload) > 0);
	if (multipart_answer_page(input, add_etag, &json, &page)) {
		assert(page.count <= LIMIT_PARTS && page.next <= LIMIT_PARTS);
		assert(!page.truncated || page.count > 0);
		assert(utf8_valid(strbuf_slice(&json)));
	}
	multipart_answer_code(input, &code);
}

/* What is named once, and is at the store, is matched; what is at the store beyond that is not. */
static void check_completion(struct slice input)
{
	struct arena arena;
	struct budget_account account = {.pool = BUDGET_APP};
	struct multipart_completion named;
	SCOPED_STRBUF(document, MIB(4));
	arena_init(&arena, NULL, 0, MIB(2));
	if (!multipart_completion_parse(input, &arena, &account, &named)) {
		struct multipart_match match = {.completion = &named};
		assert(named.count >= 1 && named.count <= LIMIT_PARTS);
		for (size_t i = 0; i < named.count; i++) {
			SCOPED_STRBUF(quoted, 256);
			strbuf_addc(&quoted, '"');
			strbuf_add_slice(&quoted, named.list[i].etag);
			strbuf_addc(&quoted, '"');
			const struct multipart_listed part = {
				named.list[i].number, strbuf_slice(&quoted), 2};
			assert(i == 0 || part.number > named.list[i - 1].number);
			assert(!multipart_match_all(&match));
			multipart_match_part(&match, &part);
			multipart_match_part(&match, &part);
		}
		assert(multipart_match_all(&match) && match.bytes == 2 * named.count);
		multipart_completion_write(&named, &document);
		assert(!strbuf_broken(&document));
	}
	assert(account.bytes == 0);
	arena_reset(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice input = slice_of(data, size), sizes = input, numbers;
	struct arena arena;
	struct multipart_parts parts;
	check_id(input);
	check_answers(input);
	check_completion(input);
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
