/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dates in HTTP headers (RFC 9110 section 5.6.7), as seconds since 1970-01-01 UTC. Own calendar
 * arithmetic: nothing depends on time zone, locale or thread.
 */
#ifndef HTTP_DATE_H
#define HTTP_DATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

#define DATE_SIZE 30 /* "Sun, 06 Nov 1994 08:49:37 GMT" and a NUL */

/* Years 0 to 9999; what is outside is written as the nearest second inside. */
void date_format(int64_t seconds, char ret[DATE_SIZE]);

/*
 * Any of the three forms a recipient must know: "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday,
 * 06-Nov-94 08:49:37 GMT" (70 to 99 are 19xx) and "Sun Nov  6 08:49:37 1994". The name of the
 * weekday must be one, but not the right one. False, with *ret untouched, for anything else.
 */
bool date_parse(struct slice text, int64_t *ret) MUST_USE;

#endif
