/* SPDX-License-Identifier: Apache-2.0 */
/* The calls of store.h about versions, waiting like those of blocking.h. */
#ifndef TESTS_STORE_VERSIONS_H
#define TESTS_STORE_VERSIONS_H

#include "unit/store/blocking.h"

static inline struct store_version null_version(void)
{
	return (struct store_version){.is_null = true};
}

static inline struct store_version version_number(uint64_t number)
{
	return (struct store_version){.number = number};
}

/* The version of a listed object, as a client would name it. */
static inline struct store_version version_of(const struct store_object *object)
{
	return (struct store_version){
		.is_null = object->is_null, .number = object->is_null ? 0 : object->version};
}

static inline enum err set_versioning(
	struct store *s, struct slice bucket, enum store_versioning versioning)
{
	struct store_bucket_update change = {
		.name = bucket, .set_versioning = true, .versioning = versioning};
	return bucket_change(s, change);
}

/* As get_begin() does it, of any version. */
static inline enum err get_version(struct store *s, uint64_t bucket, struct slice key,
	struct store_version version, bool head_only, struct store_get *get)
{
	struct blocking b;
	*get = (struct store_get){
		.bucket_id = bucket, .key = key, .version = version, .head_only = head_only};
	blocking_init(&b, &get->wait);
	if (store_get(s, get) == STORE_WAIT)
		return blocking_wait(&b, &get->wait);
	return get->wait.err;
}

/* Whether that version is exactly `bytes`. */
static inline bool version_is(struct store *s, uint64_t bucket, struct slice key,
	struct store_version version, struct slice bytes)
{
	struct store_get get;
	if (get_version(s, bucket, key, version, false, &get) != ERR_OK)
		return false;
	char *got = get_bytes(s, &get, 0);
	bool same =
		got && get.object.size == bytes.len && slice_eq(slice_of(got, bytes.len), bytes);
	free(got);
	store_get_release(s, &get);
	return same;
}

/* Fill in all but the wait. */
static inline enum err delete_version(struct store *s, struct store_delete *del)
{
	struct blocking b;
	blocking_init(&b, &del->wait);
	store_delete(s, del);
	return blocking_wait(&b, &del->wait);
}

/* Likewise. */
static inline enum err object_change(struct store *s, struct store_metadata_update *change)
{
	struct blocking b;
	blocking_init(&b, &change->wait);
	store_metadata_update(s, change);
	return blocking_wait(&b, &change->wait);
}

#endif
