/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy of a posted form: until when, and under which conditions on its fields, somebody
 * without a key may upload (spec: PostObject section 5). Every condition is enforced; a policy that
 * says anything we do not know is refused rather than read halfway. Fields that no condition
 * mentions are allowed.
 *
 * A policy lives in the arena it was parsed into and does not change. Pure functions: any thread.
 */
#ifndef OSS_POLICY_POLICY_H
#define OSS_POLICY_POLICY_H

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "oss/sign/form_fields.h"
#include "oss/text/refusal.h"

struct policy;

/* Sizes of the file, in bytes, both allowed. */
struct policy_size {
	uint64_t min;
	uint64_t max; /* UINT64_MAX: no condition */
};

/*
 * Reads the value of the field `policy`: base64 of a JSON text of at most LIMIT_POLICY_BYTES.
 * ERR_INVALID_POLICY with a message that says what is wrong; ERR_UNAVAILABLE without memory.
 */
enum err policy_parse(struct slice base64, struct arena *arena, const struct policy **ret,
	struct refusal *why) MUST_USE;

bool policy_expired(const struct policy *p, int64_t now_ms);
int64_t policy_expiration_ms(const struct policy *p);

/*
 * Tests every condition but those on the size, in the order of the document. `fields` must answer
 * `bucket` with the bucket of the request, `content-type` with the content type that the object
 * will get, and `key` with the text before ${filename} is replaced; the others as posted. An absent
 * field counts as empty. ERR_POLICY_CONDITION with a message that shows the condition.
 */
enum err policy_check(const struct policy *p, const struct form_fields *fields, struct arena *arena,
	struct refusal *why) MUST_USE;

/* Whether the policy has an exact condition on that field: what has passed is then as was signed.
 */
bool policy_pins(const struct policy *p, struct slice name) MUST_USE;

/*
 * The same of the conditions not-in on `name` alone, for a value that was made of what the form
 * says: no key is to be reached by ${filename} that the policy excludes.
 */
enum err policy_check_excluded(const struct policy *p, struct slice name, struct slice value,
	struct arena *arena, struct refusal *why) MUST_USE;

/*
 * What a policy must contain when the form is signed by V4: exact conditions on
 * x-oss-signature-version, x-oss-credential and x-oss-date, and on x-oss-security-token if the form
 * has one. ERR_INVALID_POLICY.
 */
enum err policy_check_v4(const struct policy *p, bool has_security_token, struct arena *arena,
	struct refusal *why) MUST_USE;

/* What all conditions content-length-range together leave; min > max if that is nothing. */
struct policy_size policy_size(const struct policy *p);
/*
 * ERR_ENTITY_TOO_LARGE as soon as the bytes that came in exceed the maximum; ERR_ENTITY_TOO_SMALL
 * if `complete` and they are fewer than the minimum.
 */
enum err policy_check_size(struct policy_size range, uint64_t bytes, bool complete) MUST_USE;

#endif
