/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Uploads in parts, in the shape of the S3 endpoints of Uppy's Companion (docs/multipart.md). What
 * the files of s3_... share.
 */
#ifndef APP_S3_H
#define APP_S3_H

#include "app/app_internal.h"
#include "app/grant.h"
#include "app/multipart/multipart_answer.h"
#include "app/multipart/multipart_id.h"

#define S3_PART_BYTES ((int64_t)MIB(5)) /* the least that a part has, but for the last */

/* An upload that a request names. It is in the exchange's arena, as all here. */
struct s3_upload {
	struct app *app;
	struct exchange *x;
	struct slice id_text; /* as it came */
	struct slice key;
	struct slice numbers; /* of parts, as they came */
	struct multipart_id id;
	struct judging judging; /* as it is found; the exchange holds it */
};

/* Checks whose upload it is, with `id_text` and `key` set; once. False: it was answered. */
bool s3_find(struct s3_upload *u, const struct caller *caller) MUST_USE;

/* The greatest number of a part. */
unsigned int s3_max_parts(int64_t max_size);

/* 503 without memory. */
void s3_send_no_memory(struct app *app, struct exchange *x);
/* Logs what the store has answered, and answers 503. */
void s3_send_failed(
	struct app *app, struct exchange *x, const char *what, const struct store_request *r);
/* 404: the store has no such upload. */
void s3_send_gone(struct app *app, struct exchange *x);

/* Sends a request about the upload, whose query begins with its id; all but those is set. */
void s3_ask_store(struct s3_upload *u, struct store_request *r, const char *more);

/* ---- The parts that are there (s3_list.c) -----------------------------------------------------
 */

enum s3_listed {
	S3_LISTED,
	S3_LISTED_NOTHING, /* there is no such upload */
	S3_LIST_FAILED,    /* answered */
};

struct s3_listing {
	struct s3_upload *upload;
	multipart_part_seen *seen; /* gets each, with the listing as `ctx`; NULL: they are summed */
	uint64_t bytes;            /* of all */
	size_t count;
	/* Called once, later, on the exchange's loop, which is kept until then. */
	void (*done)(struct s3_listing *listing, enum s3_listed result);

	unsigned int next_;
	struct store_request request_;
};

void s3_list(struct s3_listing *listing);

/* Aborts the upload, and answers that it is too large (s3_abort.c). Releases the exchange. */
void s3_abort_too_large(struct s3_upload *u);

/* ---- The requests, for whom app_admit() lets in -----------------------------------------------
 */

void s3_begin(struct app *app, struct exchange *x); /* s3_begin.c; from service.begin */
app_answer s3_send_list, s3_send_url, s3_send_urls; /* s3_list.c, s3_sign.c */
void s3_complete(struct s3_upload *u);              /* s3_complete.c; from service.begin */
app_answer s3_abort;                                /* s3_abort.c */

#endif
