/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ticket is what the application server puts into the callback body when it signs an upload, and
 * gets back when the store calls: proof that it allowed the upload. As text:
 *
 *	<id>.<kind>.<issued>.<expires>.<prefix>[.<variables>].<mac>
 *
 * id: 24 lower-case hexadecimal digits: the second in which it was made (8), the millisecond of it
 * (4, in 65,536ths of a second), then random (48 bits, within a millisecond). kind: `f`
 * if the object carries the id as x-oss-meta-grant, `c` (a classic token) if it does not; behind it
 * `-` and the name of a profile, if it is not the default one. issued, expires: Unix seconds,
 * decimal. prefix: what the object's key has to begin with, base64url without padding. variables:
 * what comes back with the callback, a JSON object in base64url, only with a kind that is a capital
 * letter: `F` or `C`. mac: the
 * first 128 bits, in lower-case hexadecimal, of HMAC-SHA256 over what is before the last dot; its
 * key is derived from the access key secret, so that several copies of the server accept each
 * other's grants, and the store can tell whose a grant is.
 *
 * A server whose secret changes, or is not the same in all copies, has a secret for its tickets
 * besides (docs/credentials.md). Its tickets have a second MAC behind the first: with the key of
 * that secret, over all before it. The store knows by the first whose they are, and the server by
 * the second, which nobody else can make for a ticket that another key has signed.
 *
 * The text consists of A-Z a-z 0-9 . - _ and so needs no escaping in a form, in JSON or in a
 * callback template. The id alone is no secret and proves nothing.
 */
#ifndef OSS_CALLBACK_TICKET_H
#define OSS_CALLBACK_TICKET_H

#include <stdint.h>

#include "base/limits.h"
#include "base/slice.h"
#include "base/strbuf.h"
#include "crypto/hmac.h"

#define TICKET_ID_LENGTH 24
#define TICKET_TEXT_MAX KIB(3)

struct ticket_key {
	struct hmac_sha256 hmac;
};

enum ticket_kind {
	TICKET_FORM,
	TICKET_CLASSIC,
};

struct ticket {
	enum ticket_kind kind;
	char id[TICKET_ID_LENGTH];
	char profile[LIMIT_PROFILE_NAME_BYTES + 1]; /* NUL-terminated; empty: the default one */
	int64_t issued;                             /* Unix seconds */
	int64_t expires;
	char prefix[LIMIT_KEY_BYTES + 1];
	size_t prefix_len;
	char variables[LIMIT_VARIABLES_BYTES]; /* a JSON object; */
	size_t variables_len;                  /* 0: there are none */
};

/* What a ticket is made of. */
struct ticket_terms {
	enum ticket_kind kind;
	const char *id;         /* TICKET_ID_LENGTH bytes */
	struct slice profile;   /* a name; empty: the default one */
	struct slice prefix;    /* of the keys that it is for */
	struct slice variables; /* a JSON object; empty: there are none */
	int64_t issued;         /* Unix seconds */
	int64_t expires;
};

/* The header and form field that has the id of a TICKET_FORM. */
#define GRANT_META "x-oss-meta-grant"

enum ticket_result {
	TICKET_VALID,
	TICKET_MALFORMED,
	TICKET_FORGED, /* the MAC is not ours */
	TICKET_EXPIRED,
	TICKET_OTHER_OBJECT, /* the object does not begin with the prefix */
};

void ticket_key_derive(struct slice access_key_secret, struct ticket_key *ret);

/*
 * A new id, made at `now_ms` (Unix milliseconds). Ids rise with time, so that a table of them grows
 * at its end.
 */
void ticket_make_id(int64_t now_ms, char ret[TICKET_ID_LENGTH]);
/* When it was made, Unix seconds; -1 if it is no id. */
int64_t ticket_id_time(struct slice id) MUST_USE;

/* Whether a profile may have that name: letters, digits, `-` and `_`. */
bool ticket_is_profile_name(struct slice name) MUST_USE;

/*
 * Appends the text of a ticket. False if `prefix` is longer than LIMIT_KEY_BYTES, or `variables`
 * than LIMIT_VARIABLES_BYTES, or `out` is broken.
 */
bool ticket_issue(const struct ticket_key *key, const struct ticket_terms *terms,
	struct strbuf *out) MUST_USE;

/* Appends the second MAC. False if `ticket` is broken, or too long then. */
bool ticket_countersign(const struct ticket_key *key, struct strbuf *ticket) MUST_USE;

/* Whether `text` has the form of a ticket, whoever made it. Nobody accepts a text without it. */
bool ticket_has_form(struct slice text) MUST_USE;
/* Whether its last MAC was made with this key, whatever it allows. */
bool ticket_is_of(const struct ticket_key *key, struct slice text) MUST_USE;
/* The same of the first MAC: whether it belongs to who signs with this key's secret. */
bool ticket_is_signers(const struct ticket_key *key, struct slice text) MUST_USE;

/*
 * Reads `text`, checks the last MAC, that it has not expired at `now` (Unix seconds), and that
 * `object` begins with the prefix. *ret is filled if the result is TICKET_VALID.
 *
 * The time allowed is TICKET_SLACK_SECONDS more than the ticket's: an upload that began in time may
 * last long, and the callback comes after it.
 */
enum ticket_result ticket_check(const struct ticket_key *key, struct slice text,
	struct slice object, int64_t now, struct ticket *ret) MUST_USE;

#define TICKET_SLACK_SECONDS 86400

#endif
