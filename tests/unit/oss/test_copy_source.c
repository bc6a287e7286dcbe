/* SPDX-License-Identifier: Apache-2.0 */
#include "oss/copy_source.h"
#include "tap.h"

static const struct {
	const char *text;
	enum err err;
	const char *bucket, *key, *version;
} rows[] = {
	{"/uploads/a/b", ERR_OK, "uploads", "a/b", NULL},
	{"uploads/a", ERR_OK, "uploads", "a", NULL},
	{"/uploads/%E4%B8%AD%2F%3Fb%25", ERR_OK, "uploads", "\xe4\xb8\xad/?b%", NULL},
	{"%2Fuploads%2Fa", ERR_OK, "uploads", "a", NULL},
	{"/uploads/a+b%2Bc%20d", ERR_OK, "uploads", "a b+c d", NULL},
	{"/uploads/a?versionId=x", ERR_OK, "uploads", "a", "x"},
	{"/uploads/a?versionId=", ERR_OK, "uploads", "a", ""},
	{"", ERR_INVALID_ARGUMENT, NULL, NULL, NULL},
	{"/", ERR_INVALID_ARGUMENT, NULL, NULL, NULL},
	{"/uploads", ERR_INVALID_ARGUMENT, NULL, NULL, NULL},
	{"/uploads/a?", ERR_INVALID_ARGUMENT, NULL, NULL, NULL},
	{"/uploads/a?acl", ERR_INVALID_ARGUMENT, NULL, NULL, NULL},
	{"/uploads/a%2", ERR_INVALID_ARGUMENT, NULL, NULL, NULL},
	{"/uploads/", ERR_INVALID_OBJECT_NAME, NULL, NULL, NULL},
	{"/uploads//a", ERR_INVALID_OBJECT_NAME, NULL, NULL, NULL},
	{"/uploads/%ff", ERR_INVALID_ARGUMENT, NULL, NULL, NULL},
	{"/uploads/a%00", ERR_INVALID_OBJECT_NAME, NULL, NULL, NULL},
	{"//uploads/a", ERR_INVALID_BUCKET_NAME, NULL, NULL, NULL},
	{"/Up/a", ERR_INVALID_BUCKET_NAME, NULL, NULL, NULL},
};

int main(void)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena arena;
		struct copy_source got = {.version = {NULL, 0}};
		SCOPED_STRBUF(reason, 512);
		arena_init(&arena, NULL, 0, 65536);
		enum err e = copy_source_parse(slice_str(rows[i].text), &arena, &got, &reason);
		OK(e == rows[i].err, "row %zu: %s", i, rows[i].text);
		OK((e == ERR_INVALID_ARGUMENT) == (reason.len > 0), "and says why");
		if (e == ERR_OK) {
			OK(slice_eq(got.bucket.text, slice_str(rows[i].bucket)), "its bucket");
			OK(slice_eq(got.key.text, slice_str(rows[i].key)), "its key");
			OK(!got.version.ptr == !rows[i].version &&
					slice_eq(got.version, slice_str(rows[i].version)),
				"its version");
		}
		arena_reset(&arena);
	}
	return tap_done();
}
