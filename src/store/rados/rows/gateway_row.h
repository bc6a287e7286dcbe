/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The row of a running gateway in the object `gateways` (docs/on-rados.md). A value and pure
 * functions; the parser takes whatever bytes.
 */
#ifndef STORE_RADOS_ROWS_GATEWAY_ROW_H
#define STORE_RADOS_ROWS_GATEWAY_ROW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/slice.h"
#include "base/strbuf.h"

enum {
	GATEWAY_OPEN_MAX = 32,
	GATEWAY_BYTES_MAX = 48 + 8 * GATEWAY_OPEN_MAX,
	/*
	 * Of what gateways keep in common, tablets and their states above all: another one whenever
	 * those of an earlier version would do harm, or understand nothing. 0: before this number
	 * was.
	 */
	GATEWAY_FORMAT = 1,
};

struct gateway_row {
	bool is_dead;    /* what it has left is to be looked through */
	uint64_t format; /* GATEWAY_FORMAT of its version */
	uint64_t beats;  /* how often it has said that it lives */
	uint64_t oldest; /* garbage epoch in which its oldest read began */
	/* Data from `low` up to, but without, `end`, and these: perhaps no row refers to it. */
	uint64_t low;
	uint64_t end;
	uint64_t open[GATEWAY_OPEN_MAX];
	size_t open_count;
};

void gateway_row_format(const struct gateway_row *row, struct strbuf *out);
bool gateway_row_parse(struct slice value, struct gateway_row *ret) MUST_USE;

#endif
