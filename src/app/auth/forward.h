/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is asked of a back end that decides who may upload (`auth = forward`), and what it says.
 * Pure functions: any thread.
 */
#ifndef APP_AUTH_FORWARD_H
#define APP_AUTH_FORWARD_H

#include "app/auth/caller.h"
#include "app/settings/rules.h"
#include "http/head.h"

/*
 * Makes header lines "Name: value" of those of a request, without what is between the client and us
 * alone (RFC 9110 section 7.6.1), what tells of a body, Host, and what would have the answer
 * packed; without cookies unless `with_cookies`. Two lines tell what was asked for:
 * X-Original-Method and X-Original-URI. At most LIMIT_HEADERS + FORWARD_LINES_MORE go to `ret`.
 * False without memory.
 */
#define FORWARD_LINES_MORE 2
bool forward_lines(const struct request_head *head, bool with_cookies, struct arena *arena,
	const char *ret[LIMIT_HEADERS + FORWARD_LINES_MORE], size_t *ret_count) MUST_USE;

/*
 * Reads the JSON object of an answer that permits. All members may be missing:
 *
 *	sub             who it is
 *	any claim that upload_dir names
 *	prefix          what the keys begin with, below upload_dir
 *	max_size, expire_seconds, types    less than is configured, never more
 *	metadata        that objects get
 *	variables       that come back with the callback
 *
 * NULL, or what is wrong (a constant text). What *ret has is in `arena`.
 */
const char *forward_answer_parse(const struct rules *rules, struct slice json, struct arena *arena,
	struct caller *ret) MUST_USE;

#endif
