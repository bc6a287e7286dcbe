/* SPDX-License-Identifier: Apache-2.0 */
/* Buckets and their settings. */
#include "base/limits.h"
#include "store/rules/rules.h"

enum err rules_bucket_create(const struct store_bucket *old, size_t count,
	const struct store_bucket_create *create, int64_t now_ms, uint64_t version,
	struct store_bucket *ret)
{
	if (create->name.len == 0 || create->name.len > LIMIT_KEY_BYTES ||
		create->storage_class.len > LIMIT_SETTING_BYTES)
		return ERR_INVALID_ARGUMENT;
	if (old)
		return ERR_BUCKET_ALREADY_EXISTS;
	if (count >= LIMIT_BUCKETS)
		return ERR_TOO_MANY_BUCKETS;
	*ret = (struct store_bucket){
		.name = create->name,
		.id = version,
		.generation = version,
		.created_ms = create->created_ms ? create->created_ms : now_ms,
		.acl = create->acl == STORE_ACL_DEFAULT ? STORE_ACL_PRIVATE : create->acl,
	};
	ret->settings[STORE_SETTING_STORAGE_CLASS] = create->storage_class;
	return ERR_OK;
}

enum err rules_bucket_change(const struct store_bucket *old,
	const struct store_bucket_update *change, uint64_t version, struct store_bucket *ret)
{
	if ((change->set_setting && change->value.len > LIMIT_SETTING_BYTES) ||
		(change->set_versioning && change->versioning == STORE_UNVERSIONED))
		return ERR_INVALID_ARGUMENT;
	if (!old)
		return ERR_NO_SUCH_BUCKET;
	*ret = *old;
	ret->generation = version;
	if (change->set_acl)
		ret->acl = change->acl;
	if (change->set_versioning)
		ret->versioning = change->versioning;
	if (change->set_setting)
		ret->settings[change->setting] = change->value;
	return ERR_OK;
}

enum err rules_bucket_delete(const struct store_bucket *old, bool is_empty)
{
	if (!old)
		return ERR_NO_SUCH_BUCKET;
	return is_empty ? ERR_OK : ERR_BUCKET_NOT_EMPTY;
}
