/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Getting credentials from where they come from, once: files are read, other servers are asked.
 * Blocks; for a thread that may, and for the start of the program (files).
 */
#ifndef APP_CREDENTIALS_SOURCE_H
#define APP_CREDENTIALS_SOURCE_H

#include "app/credentials/provider_options.h"
#include "base/clock.h"
#include "net/outgoing.h"

struct source_call {
	/* ---- Set by the caller. ---- */
	const struct provider_options *options;
	const struct credential_values *pair; /* as in the options, or what has replaced it */
	struct outgoing *outgoing;            /* unless files are the source */
	const struct clock *clock;
	struct arena *arena; /* for the result; the caller wipes it */

	/* ---- The result. ---- */
	struct credential_values values;
	struct strbuf fault; /* a sentence without its full stop; to be released by the caller */
};

/* False, with the fault: there are none, or none that are valid. */
bool source_fetch(struct source_call *call) MUST_USE;

/* The sources; source_fetch() chooses. */
bool source_file(struct source_call *call) MUST_USE;
bool source_sts(struct source_call *call) MUST_USE;
bool source_oidc(struct source_call *call) MUST_USE;
bool source_ecs(struct source_call *call) MUST_USE;

/* What they share. */

/* Appends to the fault; always false. */
bool source_fail(struct source_call *call, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* The contents of a file, without line breaks at the end. */
bool source_read(struct source_call *call, const char *path, struct strbuf *out) MUST_USE;
/*
 * Sends the request, of which URL and message are set, and waits. False if it was not answered
 * with 200; `whom` is named then. To be released by source_release().
 */
bool source_ask(struct source_call *call, const char *whom, struct outgoing_request *r) MUST_USE;
/* Wipes and frees the answer. */
void source_release(struct outgoing_request *r);
/* The credentials of an answer or a file, called `what`. */
bool source_parse(struct source_call *call, const char *what, struct slice json) MUST_USE;

#endif
