/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/access/authorize.h"

#include "base/limits.h"
#include "ops/respond.h"
#include "oss/policy/ram_policy.h"

static bool permit(struct request *r, const char *action, struct slice resource)
{
	if (action && ram_policy_allows(r->policy, slice_str(action), resource))
		return true;
	respond_error_text(r, ERR_ACCESS_DENIED,
		"The policy of the security token does not allow %s on acs:oss:*:*:%.*s.",
		action ? action : "this", SLICE_FMT(resource));
	return false;
}

/* An object, and the tags that it is given in a header when it is written. */
static bool authorize_object(struct request *r, const char *action)
{
	struct slice bucket = r->address.bucket.text, key = r->address.key.text;
	bool tags = r->op->action && strcmp(r->op->action, "oss:PutObject") == 0 &&
		    request_header(r, S("x-oss-tagging")).ptr;
	return authorize_key(r, action, bucket, key) &&
	       (!tags || authorize_key(r, "oss:PutObjectTagging", bucket, key));
}

bool authorize_op(struct request *r)
{
	const struct op *op = r->op;
	if (!r->restricted || op->action_per_key)
		return true;
	bool named = op->version_action && request_param(r, S("versionId")).ptr;
	const char *action = named ? op->version_action : op->action;
	switch (op->level) {
	case OP_SERVICE:
		return permit(r, action, S("*"));
	case OP_BUCKET:
		return permit(r, action, r->address.bucket.text);
	case OP_OBJECT:
	case OP_ANY:
		return authorize_object(r, action);
	}
	return false;
}

bool authorize_bucket(struct request *r, const char *action, struct slice bucket)
{
	return !r->restricted || permit(r, action, bucket);
}

bool authorize_key(struct request *r, const char *action, struct slice bucket, struct slice key)
{
	SCOPED_STRBUF(resource, KIB(2));
	if (!r->restricted)
		return true;
	strbuf_addf(&resource, "%.*s/%.*s", SLICE_FMT(bucket), SLICE_FMT(key));
	return permit(r, action, strbuf_slice(&resource));
}
