/* SPDX-License-Identifier: Apache-2.0 */
/* What the checks share. */
#ifndef DOCTOR_DOCTOR_INTERNAL_H
#define DOCTOR_DOCTOR_INTERNAL_H

#include "app/settings/settings.h"
#include "doctor/ask.h"
#include "doctor/doctor.h"

#define DOCTOR_TEXT_BYTES_MAX KIB(64)

struct doctor {
	const struct doctor_options *options;
	struct settings settings;
	struct credential_values who; /* signs; in `arena` */
	struct arena arena;
	struct asker asker;
	struct report *report;
	struct strbuf key; /* name of the object */
};

/* What the store says, of an answer that is an error. */
struct store_error {
	struct strbuf code; /* empty: the answer is no error document */
	struct strbuf message;
	struct strbuf ec;
	struct strbuf endpoint;
};

static inline int64_t doctor_now_ms(const struct doctor *d)
{
	return clock_wall_ms(d->options->clock);
}

/* ---- store.c ---- */

/*
 * Whether the store can be reached, its clock agrees and the key signs: only then does it make
 * sense to upload.
 */
bool doctor_check_store(struct doctor *d) MUST_USE;
/* A signed request about the object, by `version`; results in *request. */
void doctor_ask_store(
	struct doctor *d, struct slice method, int version, struct outgoing_request *request);
void store_error_read(const struct outgoing_request *request, struct store_error *ret);
void store_error_release(struct store_error *error);

/* ---- upload.c ---- */

/* Uploads, with a callback if there is one, and removes. */
void doctor_check_upload(struct doctor *d);

/* What is shown of a URL: what is behind the `?` may be a secret. */
static inline struct slice doctor_without_query(struct slice url)
{
	url = slice_head(url, slice_find(url, '#'));
	return slice_head(url, slice_find(url, '?'));
}

/* ---- callback.c ---- */

/* What to ask the store for: appends base64, or nothing if there is no callback. */
void doctor_add_callback(struct doctor *d, struct strbuf *out);
/* The store was not willing to call back. */
void doctor_callback_refused(struct doctor *d, const struct store_error *error);
/* It has called back, and did not like what it got. */
void doctor_callback_failed(struct doctor *d, const struct store_error *error);
/* It has got this answer. */
void doctor_check_callback(struct doctor *d, struct slice answer);

/* ---- browser.c ---- */

void doctor_check_origins(struct doctor *d);

/* ---- ledger.c ---- */

/* If it is in PostgreSQL. */
void doctor_check_ledger(struct doctor *d);

/* ---- clamd.c ---- */

/* If a profile has uploads looked through for viruses. */
void doctor_check_clamd(struct doctor *d);

/* ---- webhook.c ---- */

void doctor_check_webhook(struct doctor *d);

#endif
