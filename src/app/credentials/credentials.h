/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials: the id and secret of an access key and, if it is a temporary one, its security token
 * and when it ends; and what is derived of the secret, so that no request has to derive it.
 *
 * They do not change and are counted: who has a reference may read them on any thread for as long
 * as that. Secret and token are cleared with the last reference.
 */
#ifndef APP_CREDENTIALS_CREDENTIALS_H
#define APP_CREDENTIALS_CREDENTIALS_H

#include <stdatomic.h>

#include "base/arena.h"
#include "base/err.h"
#include "oss/callback/ticket.h"
#include "oss/sign/credential.h"

/* Credentials that do not end. */
#define CREDENTIALS_FOREVER INT64_MAX

struct credential_values {
	struct slice id;
	struct slice secret; /* never logged, never answered */
	struct slice token;  /* empty: none */
	int64_t expires;     /* Unix seconds, or CREDENTIALS_FOREVER */
};

struct credentials {
	struct credential_values values; /* each text has a NUL behind it */
	struct slice id_json;            /* the id as a JSON string */
	struct hmac_sha1 key_v1;         /* of the secret */
	struct sign_key_cache *keys_v4;
	struct ticket_key ticket_key; /* of the secret */
	struct ticket_key grant_key;  /* makes grants; the same unless: */
	bool countersigned;           /* tickets get a second MAC, with grant_key */
	atomic_int references_;
	struct arena arena_;
};

/*
 * With one reference, which is the caller's. `grant_secret` is what grants are made with; empty:
 * the secret itself. NULL without memory.
 */
struct credentials *credentials_new(
	const struct credential_values *values, struct slice grant_secret) MUST_USE;
struct credentials *credentials_share(struct credentials *c);
/* NULL is allowed. */
void credentials_release(struct credentials *c);

static inline void credentials_scope_ends(struct credentials **c)
{
	credentials_release(*c);
}
#define SCOPED_CREDENTIALS CLEANUP(credentials_scope_ends)

/* Appends a ticket (oss/callback/ticket.h) as these credentials make it. */
bool credentials_issue(
	const struct credentials *c, const struct ticket_terms *terms, struct strbuf *out) MUST_USE;

/* The lesser of the two: nothing lives longer than the credentials that have signed it. With NULL
 * it is `expires`. */
int64_t credentials_until(const struct credentials *c, int64_t expires);

#endif
