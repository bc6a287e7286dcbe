/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may be said about a refused request besides its enum err, where the row of errors.def is
 * too general. A function that takes a `struct refusal *` fills it only when it fails; whoever
 * calls it hands in an all-zero one.
 */
#ifndef OSS_TEXT_REFUSAL_H
#define OSS_TEXT_REFUSAL_H

#include "base/slice.h"

struct refusal {
	const char *ec;              /* NULL: that of the row */
	struct slice message;        /* empty: that of the row. Lives as long as the arena given */
	const char *argument_name;   /* the elements ArgumentName and ArgumentValue; NULL: none */
	struct slice argument_value; /* borrowed from the request */
};

#endif
