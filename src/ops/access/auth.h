/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who a request comes from. One way to refuse, for signed requests and for signed forms.
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

/* The same for the fields of a PostObject form; *ret is what it claims. */
bool auth_check_form(
	struct request *r, const struct form_fields *fields, struct form_auth *ret) MUST_USE;

/* Whether header or URL claim to be signed, rightly or not. */
bool auth_claimed(const struct request *r) MUST_USE;

/* Answers with the error, as the refusal says it. */
void auth_refuse(struct request *r, enum err e, const struct refusal *why);

#endif
