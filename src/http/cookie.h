/* SPDX-License-Identifier: Apache-2.0 */
/* Cookies as a client sends them (RFC 6265 section 4.2): `name=value; name=value`. Any thread. */
#ifndef HTTP_COOKIE_H
#define HTTP_COOKIE_H

#include "base/compiler.h"
#include "http/head.h"

enum cookie_result {
	COOKIE_NONE,
	COOKIE_FOUND,
	/* The name stands there more than once. Which was set by whom cannot be told: a page of a
	 * neighbouring host can set one for all. */
	COOKIE_SEVERAL,
};

/* Looks into all Cookie headers. *ret is set if the result is COOKIE_FOUND; it may be empty. */
enum cookie_result cookie_find(
	const struct request_head *head, struct slice name, struct slice *ret) MUST_USE;

#endif
