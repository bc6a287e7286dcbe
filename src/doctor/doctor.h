/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks a deployment from outside, with the configuration that its application server has: the
 * store answers and its clock agrees; the key signs, and may do what is needed; pages of an origin
 * may upload; an upload is stored and called back, unchanged by proxies; the webhook and the
 * ledger's database answer. What is uploaded, a few bytes, is removed again.
 *
 * Of the store it relies on nothing but the protocol of OSS and, behind the callback's URL, on a
 * mirror (mirror.h).
 */
#ifndef DOCTOR_DOCTOR_H
#define DOCTOR_DOCTOR_H

#include "app/app.h"
#include "doctor/report.h"

struct doctor_options {
	const struct app_options *app;
	/* Origins of pages, separated as in lists; empty: those of allowed_origins that are no
	 * patterns. */
	struct slice origins;
	/* A key's URL that the application server trusts besides key_urls; empty: none. */
	struct slice own_key_url;
	const char *ca_file; /* certificates to trust; NULL: the system's */
	/* Of the ledger's database; NULL: it is in a file, which nobody needs to be asked for. */
	const char *ledger_url;
	const char *ledger_password; /* NULL: as the URL says */
	const struct clock *clock;
};

/*
 * Runs all checks that make sense, in order, and blocks. ERR_INVALID_ARGUMENT, with a sentence in
 * `why`, if the configuration is at fault: then nothing was checked. ERR_UNAVAILABLE.
 */
enum err doctor_run(const struct doctor_options *options, struct report *report, char *why,
	size_t why_size) MUST_USE;

#endif
