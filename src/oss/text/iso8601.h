/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times as OSS writes them, always UTC: `2014-12-01T12:00:00.000Z` in XML and policies, and the
 * basic forms `20141201T120000Z` and `20141201` of V4 signatures. Times are milliseconds since
 * 1970-01-01 UTC in years 0001 to 9999 of the Gregorian calendar; leap seconds do not exist. Pure
 * functions: any thread.
 */
#ifndef OSS_TEXT_ISO8601_H
#define OSS_TEXT_ISO8601_H

#include <stdint.h>

#include "base/slice.h"
#include "base/strbuf.h"

/*
 * Formatters append. A time outside the range is written as the nearest that is inside.
 *
 * `YYYY-MM-DDTHH:MM:SS.000Z`. The fraction is always `.000`, whatever the time: oss2 reads nothing
 * else (spec: REST API section 1).
 */
void iso8601_add(struct strbuf *out, int64_t time_ms);
/* `YYYYMMDDTHHMMSSZ` (x-oss-date). */
void iso8601_add_basic(struct strbuf *out, int64_t time_ms);
/* `YYYYMMDD` (the date of a V4 credential). */
void iso8601_add_basic_date(struct strbuf *out, int64_t time_ms);

/*
 * Parsers take the one form, whole, and nothing else; false, with *ret_ms untouched, for anything
 * that is not a date of the calendar.
 *
 * `YYYY-MM-DDTHH:MM:SSZ` or with a fraction of one to nine digits, of which milliseconds count
 * (policy expiration, spec: PostObject section 5.1).
 */
bool iso8601_parse(struct slice text, int64_t *ret_ms) MUST_USE;
/* `YYYYMMDDTHHMMSSZ`. */
bool iso8601_parse_basic(struct slice text, int64_t *ret_ms) MUST_USE;
/* `YYYYMMDD`: the midnight at which that day begins. */
bool iso8601_parse_basic_date(struct slice text, int64_t *ret_ms) MUST_USE;

#endif
