/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /cors-test: what the store would answer to a preflight, and why. Nothing is changed.
 *
 *	{"bucket", "origin", "method", "headers": [...]}      headers may be left out; a key, which
 *	                                                      has no influence, may be there
 *	{"status", "code", "message", "headers": {...}, "matched", "rules": [...]}
 *
 * `matched` is the number, from 1, of the rule that is used, or 0. Each of `rules` is
 * {"rule", "matches", "reason", "header", "why"}: reason is "origin", "method", "header" or empty,
 * header the name that is not allowed, why a sentence. The console's own origins are answered
 * before any rule: status 200 with `matched` 0.
 */
#ifndef CONSOLE_CORS_TEST_H
#define CONSOLE_CORS_TEST_H

#include "ops/op.h"

extern const struct op op_cors_test;

#endif
