/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which origins a rule admits (RFC 6454; spec: CORS). A pattern is an origin,
 * `scheme://host[:port]` with any scheme ("capacitor://localhost"), in which one `*` may stand for
 * any text, or `*` alone. Case does not count. A port that is the scheme's own (80 of http, 443 of
 * https) is the same as none: browsers leave it out. `:*` means with a port.
 *
 * Pure functions: any thread.
 */
#ifndef OSS_RULES_ORIGIN_H
#define OSS_RULES_ORIGIN_H

#include "base/compiler.h"
#include "base/slice.h"

/*
 * NULL, or what is wrong with a pattern: no browser ever sends an origin that it describes, or it
 * is none. "null", the origin of local files and sandboxed frames, is a pattern to nobody but who
 * says so.
 */
const char *origin_pattern_fault(struct slice pattern) MUST_USE;

/* Whether a valid pattern admits the origin, which can then be echoed: it is visible ASCII. */
bool origin_matches(struct slice pattern, struct slice origin) MUST_USE;

#endif
