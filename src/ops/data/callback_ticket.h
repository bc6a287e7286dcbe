/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose ticket a callback may carry (oss/callback/ticket.h). The application server takes a
 * callback with a ticket of its own for an upload that it has allowed. An uploader writes the
 * callback's body, and we sign it: so a body that has a ticket in it is sent only if the holder of
 * the key that the ticket was made with has signed the callback parameter, ticket and all. That can
 * be a temporary key, whose tickets are not those of its access key. Nobody's ticket is sent for an
 * anonymous request.
 *
 * The ticket is looked for as a receiver looks for it, in the body with all variables filled in. It
 * must stand there by what was signed alone, whatever the variables that were not are.
 */
#ifndef OPS_DATA_CALLBACK_TICKET_H
#define OPS_DATA_CALLBACK_TICKET_H

#include "ops/data/ingest.h"

enum ticket_signed {
	TICKET_UNSIGNED,
	TICKET_SIGNED_PARAMETER, /* the callback parameter is an exact condition of the policy */
	TICKET_SIGNED_REQUEST,   /* and bucket, key and custom variables are signed too */
};

/*
 * Once it is known who the caller is, what the object's key and type and u->callback are, and
 * before anything is stored. Sets u->ticket. False: it has been answered, with 403, or 503 without
 * memory.
 */
bool callback_ticket_check(struct request *r, struct ingest *u, enum ticket_signed how) MUST_USE;

/*
 * That the body that is to be sent carries no ticket but u->ticket. Else
 * ERR_CALLBACK_FOREIGN_GRANT; ERR_CALLBACK_FAILED without memory to find out.
 */
enum err callback_ticket_matches(const struct ingest *u, struct slice body) MUST_USE;

#endif
