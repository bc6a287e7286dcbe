/* SPDX-License-Identifier: Apache-2.0 */
/* What was found: a line on standard output for each check, or one JSON document at the end. */
#ifndef DOCTOR_REPORT_H
#define DOCTOR_REPORT_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/strbuf.h"

enum finding {
	FINDING_OK,
	FINDING_WARNING,
	FINDING_FAILED,
};

struct report {
	bool json;
	enum finding worst;
	struct strbuf text; /* of the JSON */
};

void report_init(struct report *report, bool json);
/*
 * Adds a finding. `check` is a word; `fix` says what to do, a constant or NULL. Line breaks and
 * control characters in the message, which may have text of other servers, become spaces.
 */
void report_add(struct report *report, enum finding finding, const char *check, const char *fix,
	const char *fmt, ...) PRINTF_LIKE(5, 6);
/* Prints what is still to be printed, and frees. */
void report_end(struct report *report);

#endif
