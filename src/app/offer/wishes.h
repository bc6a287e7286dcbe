/* SPDX-License-Identifier: Apache-2.0 */
/* The bodies in which files are announced: JSON. Pure functions: any thread. */
#ifndef APP_OFFER_WISHES_H
#define APP_OFFER_WISHES_H

#include "app/offer/offer.h"

/* {"profile":NAME, "files":[{"name":..., "type":..., "size":...}, ...]} */
struct wishes {
	struct wish *list;
	size_t count; /* 1 to LIMIT_GRANT_FILES */
};

/* The fault that is none of the body's. */
extern const char wishes_no_memory[];

/*
 * NULL; wishes_no_memory; or what is wrong (a constant text). What *ret has is in `arena`;
 * `account` has the memory for reading.
 */
const char *wishes_parse(struct slice json, struct arena *arena, struct budget_account *account,
	struct wishes *ret) MUST_USE;

/*
 * {"filename":..., "type":..., "size":..., "profile":NAME, "metadata":{"profile":NAME}}, all but
 * the first may be missing, and others are not looked at. Result and memory as above.
 */
const char *wish_parse(struct slice json, struct arena *arena, struct budget_account *account,
	struct wish *ret) MUST_USE;

#endif
