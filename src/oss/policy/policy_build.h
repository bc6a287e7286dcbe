/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes the fields of an upload form: a policy that says what may be uploaded, signed (spec:
 * PostObject sections 5 and 6, application server sections 2 and 6). All text is escaped; nothing
 * in a key, type or value can add to the policy or change it. Pure functions: any thread.
 */
#ifndef OSS_POLICY_POLICY_BUILD_H
#define OSS_POLICY_POLICY_BUILD_H

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "oss/sign/credential.h"

/* A form field, or an exact condition on one: name as in the form, without `$`. */
struct policy_field {
	struct slice name;
	struct slice value;
};

/* Values that a field must not have. */
struct policy_exclusion {
	struct slice name;
	const struct slice *values;
	size_t value_count;
};

/*
 * What may be uploaded. What is left all-zero is no condition, except max_bytes: nobody means to
 * sign uploads without a bound, so there always is one.
 */
struct policy_spec {
	int64_t now_ms;
	int64_t expires_ms;
	struct slice bucket;
	/* One of the two: keys that begin with this, or this key only (`${filename}` is kept). */
	struct slice key_prefix;
	struct slice key;
	uint64_t min_bytes;
	uint64_t max_bytes;
	const struct slice *content_types; /* one of these */
	size_t content_type_count;
	/*
	 * Fields that the form posts as they are. Those of `bound` are exact conditions of the
	 * policy too (success_action_status, x-oss-object-acl, callback, x:...); those of `free`
	 * the client may change or leave out.
	 */
	const struct policy_field *bound;
	size_t bound_count;
	const struct policy_field *free;
	size_t free_count;
	const struct policy_exclusion *excluded;
	size_t excluded_count;
};

/* Who signs. */
struct policy_signer {
	struct slice access_key_id;
	struct slice secret;
	struct slice security_token; /* empty: none */
	struct slice region;         /* V4: "cn-hangzhou" */
	/* A server that signs often has them. May be NULL. */
	struct sign_key_cache *cache;  /* V4 */
	const struct hmac_sha1 *keyed; /* V1: with the secret */
};

/*
 * The result, in the arena. `fields` are all that the form needs besides `key` (which is there only
 * if the policy is for one key) and the file: they can be posted in this order.
 */
struct policy_form {
	struct slice policy;     /* base64 */
	struct slice signature;  /* V1: base64, V4: hexadecimal */
	struct slice credential; /* V4 */
	struct slice date;       /* V4: YYYYMMDDTHHMMSSZ */
	struct policy_field *fields;
	size_t field_count;
};

/*
 * ERR_INVALID_ARGUMENT: a text that a policy cannot carry (not UTF-8, with a NUL, with `\$`), or
 * credential (a slash in the access key id or the region); min_bytes over max_bytes; both key and
 * key_prefix; a policy of more than LIMIT_POLICY_BYTES.
 * ERR_UNAVAILABLE without memory.
 */
enum err policy_form_v1(const struct policy_spec *spec, const struct policy_signer *signer,
	struct arena *arena, struct policy_form *ret) MUST_USE;
enum err policy_form_v4(const struct policy_spec *spec, const struct policy_signer *signer,
	struct arena *arena, struct policy_form *ret) MUST_USE;

#endif
