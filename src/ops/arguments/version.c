/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/arguments/version.h"

#include "base/encode.h"
#include "ops/arguments/params.h"
#include "ops/respond.h"

enum {
	NUMBER_BYTES = 8,
	ID_DIGITS = 2 * NUMBER_BYTES,
};

void version_add_id(struct strbuf *out, bool is_null, uint64_t number)
{
	unsigned char bytes[NUMBER_BYTES];
	if (is_null) {
		strbuf_adds(out, "null");
		return;
	}
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(number >> (8 * (NUMBER_BYTES - 1 - i)));
	hex_encode_upper(out, slice_of(bytes, sizeof(bytes)));
}

bool version_parse(struct slice id, struct store_version *ret)
{
	if (slice_eq(id, S("null"))) {
		*ret = (struct store_version){.is_null = true};
		return true;
	}
	uint64_t number = 0;
	for (size_t i = 0; i < id.len; i++) {
		char c = id.ptr[i];
		bool is_letter = c >= 'A' && c <= 'F';
		if (i >= ID_DIGITS || (!is_letter && !ascii_digit(c)))
			return false;
		number = number << 4 | (uint64_t)(is_letter ? c - 'A' + 10 : c - '0');
	}
	if (id.len != ID_DIGITS || number == 0)
		return false;
	*ret = (struct store_version){.number = number};
	return true;
}

bool version_of_argument(
	struct request *r, const char *name, struct slice id, struct store_version *ret)
{
	*ret = (struct store_version){.number = 0};
	if (!id.ptr || version_parse(id, ret))
		return true;
	return respond_bad_argument(r, name, id, "Invalid version id specified.");
}

bool version_of_request(struct request *r, struct store_version *ret)
{
	return version_of_argument(r, "versionId", request_param(r, S("versionId")), ret);
}

void version_add_header(struct request *r, const char *name, const struct store_bucket *bucket,
	bool is_null, uint64_t number)
{
	SCOPED_STRBUF(id, 32);
	if (bucket->versioning == STORE_UNVERSIONED)
		return;
	version_add_id(&id, is_null, number);
	respond_built_header(r, name, &id);
}

void version_add_headers(
	struct request *r, const struct store_bucket *bucket, const struct store_object *object)
{
	version_add_header(r, "x-oss-version-id", bucket, object->is_null, object->version);
	if (object->is_marker)
		respond_header(r, "x-oss-delete-marker", S("true"));
}

/* All that can be done to a delete marker is to delete it. */
static void refuse_marker(struct request *r)
{
	const struct request_head *head = r->head;
	if (r->op->header) {
		/* It was to be copied; then OSS says what it says of the current version. */
		respond_error(r, ERR_NO_SUCH_KEY);
		return;
	}
	respond_header(r, "Allow", S("DELETE"));
	respond_detail(r, "Method", head->method_text);
	respond_detail(r, "ResourceType", S("DeleteMarker"));
	respond_error(r, ERR_METHOD_NOT_ALLOWED);
}

void version_refuse(struct request *r, enum err e, const struct store_bucket *bucket,
	struct slice key, struct store_version version, const struct store_object *object)
{
	bool known =
		e == ERR_NO_SUCH_KEY || e == ERR_NO_SUCH_VERSION || e == ERR_METHOD_NOT_ALLOWED;
	if (request_is_gone(r))
		return;
	if (known && object->is_marker)
		version_add_headers(r, bucket, object);
	if (known)
		respond_detail(r, "Key", key);
	if (e == ERR_NO_SUCH_VERSION) {
		SCOPED_STRBUF(id, 32);
		version_add_id(&id, version.is_null, version.number);
		respond_detail(r, "VersionId", strbuf_slice(&id));
	}
	if (e == ERR_METHOD_NOT_ALLOWED)
		refuse_marker(r);
	else
		respond_error(r, e);
}
