/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that come: hashed and copied in the thread of the caller, under no lock. */
#include <stdlib.h>

#include "crypto/crc64.h"
#include "crypto/digest.h"
#include "store/memory/memory_internal.h"

struct store_put {
	struct memory *m;
	enum err err; /* sticky */
	struct brought brought;
	struct digest_md5 md5;
	uint64_t hint; /* bytes that are still to come; 0: not known */
	char text[];   /* key, headers, tags */
};

enum err memory_put_begin(
	struct store *store, const struct store_put_spec *spec, struct store_put **ret)
{
	bool is_part = spec->kind == STORE_PUT_PART;
	struct slice headers = is_part ? S("") : spec->headers;
	struct slice tags = is_part ? S("") : spec->tags;
	if (!memory_key_fits(spec->key) || headers.len > HEADERS_MAX || tags.len > TAGS_MAX)
		return ERR_INVALID_ARGUMENT;
	if (!budget_has(BUDGET_STORE, spec->size_hint))
		return ERR_DISK_FULL;
	struct body *body = body_new();
	struct store_put *put = NULL;
	if (body)
		put = calloc(1, sizeof(*put) + spec->key.len + headers.len + tags.len);
	if (!put) {
		body_unref(body);
		return ERR_UNAVAILABLE;
	}
	char *to = put->text;
	put->m = memory_of(store);
	put->hint = spec->size_hint;
	put->brought = (struct brought){
		.bucket_id = spec->bucket_id,
		.key = item_keep(spec->key, &to),
		.kind = spec->kind,
		.object = {.acl = spec->acl,
			.type = spec->kind == STORE_PUT_OBJECT ? spec->type : STORE_NORMAL,
			.headers = item_keep(headers, &to),
			.tags = item_keep(tags, &to)},
		.upload = spec->upload,
		.part = spec->part,
		.position = spec->position,
		.body = body,
	};
	digest_md5_init(&put->md5);
	/* What is stored is counted on its own: nothing waits for a disk. */
	struct budget_account memory = spec->memory;
	budget_close(&memory);
	*ret = put;
	return ERR_OK;
}

enum store_now memory_put_write(struct store_put *put, struct slice bytes, struct store_wait *wait)
{
	struct store_object *object = &put->brought.object;
	if (put->err == ERR_OK)
		put->err = body_add(put->brought.body, bytes, put->hint);
	if (put->err == ERR_OK) {
		digest_md5_update(&put->md5, bytes);
		object->crc64 = crc64_update(object->crc64, bytes);
		object->size += bytes.len;
		put->hint -= bytes.len < put->hint ? bytes.len : put->hint;
	}
	if (wait)
		wait->err = put->err;
	return STORE_DONE;
}

void memory_put_abort(struct store_put *put)
{
	body_unref(put->brought.body);
	free(put);
}

void memory_put_commit(struct store_put *put, struct store_put_commit *commit)
{
	struct store_object *object = &put->brought.object;
	enum err e = put->err;
	digest_md5_final(&put->md5, object->md5);
	if (e == ERR_OK && commit->expect_md5 &&
		memcmp(object->md5, commit->expect_md5, MD5_BYTES) != 0)
		e = ERR_INVALID_DIGEST;
	if (e == ERR_OK && commit->expect_crc64 && object->crc64 != *commit->expect_crc64)
		e = ERR_INVALID_DIGEST;
	body_trim(put->brought.body);
	if (e == ERR_OK)
		e = memory_commit(put->m, &put->brought, commit);
	memory_put_abort(put);
	store_answer(&commit->wait, e);
}
