/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A record as bytes, for a log that several write: a format (1), flags (1), tries (1), time and
 * size (8 each); for each try its status and milliseconds (8 each) and its error; then the texts.
 * All numbers are big-endian; a text is its length (4) and its bytes.
 */
#ifndef CALLBACK_RECORD_BYTES_H
#define CALLBACK_RECORD_BYTES_H

#include "base/strbuf.h"
#include "callback/record.h"

/* What no record's bytes exceed. */
#define CALLBACK_RECORD_BYTES_MAX (LIMIT_CALLBACK_HISTORY_MESSAGE_BYTES + KIB(68))

/* Appends them. */
void callback_record_format(const struct callback_record *record, struct strbuf *out);
/* The record, without its id. NULL if they are none, or of a later format, or without memory. */
struct callback_record *callback_record_parse(struct slice bytes) MUST_USE;

#endif
