/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials as JSON: of STS, of the metadata service, or in a file.
 *
 *	{"AccessKeyId":..., "AccessKeySecret":..., "SecurityToken":..., "Expiration":"...Z"}
 *
 * STS has them as the member Credentials. Token and expiry may be missing. Pure functions: any
 * thread.
 */
#ifndef APP_CREDENTIALS_CREDENTIAL_JSON_H
#define APP_CREDENTIALS_CREDENTIAL_JSON_H

#include "app/credentials/credentials.h"

/* NULL, or what is wrong (a constant text). What *ret has is in the arena. */
const char *credential_json_parse(
	struct slice json, struct arena *arena, struct credential_values *ret) MUST_USE;

/* Appends code and message of an answer that is an error, if it is one as JSON. */
void credential_json_fault(struct slice json, struct strbuf *out);

#endif
