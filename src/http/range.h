/* SPDX-License-Identifier: Apache-2.0 */
/* The Range header of a GET (RFC 9110 section 14), for one range of bytes, with OSS's rule. */
#ifndef HTTP_RANGE_H
#define HTTP_RANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum range_result {
	RANGE_WHOLE,         /* 200 and the whole object */
	RANGE_PART,          /* 206 and *ret */
	RANGE_UNSATISFIABLE, /* 416 */
};

struct byte_range {
	uint64_t first;
	uint64_t size; /* at least 1 */
};

/*
 * What the header `value` asks of an object of `size` bytes. OSS answers a range that is malformed
 * or not wholly inside the object with the whole object; with `standard`, which the header
 * "x-oss-range-behavior: standard" chooses, an end behind the object's is cut to it and a range
 * that is malformed or begins behind the object is RANGE_UNSATISFIABLE. "bytes=-0" always is.
 * Several ranges, another unit and an absent header (empty `value`) always mean the whole object.
 * *ret is written for RANGE_PART only.
 */
enum range_result range_parse(
	struct slice value, uint64_t size, bool standard, struct byte_range *ret) MUST_USE;

#endif
