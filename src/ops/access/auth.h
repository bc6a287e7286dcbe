/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Authenticates signed requests and signed forms; both are refused in the same way.
 */
#ifndef OPS_ACCESS_AUTH_H
#define OPS_ACCESS_AUTH_H

#include "ops/request.h"
#include "oss/sign/form_auth.h"

/*
 * Checks the signature in the header or the URL; sets r->anonymous or r->key. False: it has been
 * answered.
 */
bool auth_check(struct request *r) MUST_USE;

/* The same for the fields of a PostObject form; *ret is its claim. */
bool auth_check_form(
	struct request *r, const struct form_fields *fields, struct form_auth *ret) MUST_USE;

/* Whether the header or the URL has a signature, valid or not. */
bool auth_claimed(const struct request *r) MUST_USE;

/* Answers with the error that the refusal describes. */
void auth_refuse(struct request *r, enum err e, const struct refusal *why);

#endif
