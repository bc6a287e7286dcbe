/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a file begins with, against the type it was declared to be. libmagic often does not know,
 * or knows only roughly: that is no contradiction. Refused is what a browser or a system would run
 * behind a type that says otherwise, and what is surely of another kind.
 */
#ifndef APP_CHECKS_KIND_H
#define APP_CHECKS_KIND_H

#include "base/compiler.h"
#include "base/err.h"
#include "base/slice.h"

struct kinds;

enum kind_verdict {
	KIND_AGREES, /* or it is not known what it is */
	KIND_CONTRADICTS,
	KIND_UNREAD, /* libmagic failed */
};

/* Opens libmagic's database, once. ERR_UNAVAILABLE if there is none, with the reason in the log. */
enum err kinds_new(struct kinds **ret) MUST_USE;
/* NULL is allowed. */
void kinds_free(struct kinds *kinds);

/*
 * Judges the first bytes of a file, at most LIMIT_CHECK_TYPE_BYTES of them. Any thread; one judges
 * at a time. Opens no file.
 */
enum kind_verdict kinds_judge(
	struct kinds *kinds, struct slice bytes, struct slice declared) MUST_USE;

/* Whether a file that is of type `is` cannot be one of type `declared`. Pure. */
bool kind_contradicts(struct slice is, struct slice declared) MUST_USE;

#endif
