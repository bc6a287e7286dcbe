/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The callback that a grant asks the store for: JSON in base64, the same for all grants but for the
 * ticket. What stands before that is prepared once. Filled once, then read by any thread.
 */
#ifndef APP_TEXT_CALLBACK_TEXT_H
#define APP_TEXT_CALLBACK_TEXT_H

#include "base/slice.h"
#include "base/strbuf.h"

struct callback_text {
	struct strbuf start_; /* base64 of what is before the ticket, in whole groups of three */
	struct strbuf left_;  /* the one or two bytes behind them */
	struct strbuf end_;   /* behind the ticket */
};

/* All-zero before. False without memory; must be released in any case. */
bool callback_text_init(struct callback_text *ret, struct slice url) MUST_USE;
void callback_text_release(struct callback_text *text);

/* Appends the base64 text with that ticket, which needs no escaping. */
void callback_text_add(const struct callback_text *text, struct slice ticket, struct strbuf *out);

#endif
