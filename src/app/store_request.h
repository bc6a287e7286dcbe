/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request to the store about the bucket of the uploads, signed with the credentials used now by
 * the signature that the settings name.
 */
#ifndef APP_STORE_REQUEST_H
#define APP_STORE_REQUEST_H

#include "base/arena.h"
#include "http/head.h"
#include "net/outgoing.h"

struct app;
struct credentials;

#define STORE_REQUEST_HEADERS_MAX 32

/* All-zero except for what the caller sets. */
struct store_request {
	/* ---- Set by the caller, borrowed until `done` runs. ---- */
	struct slice method; /* HEAD, GET, POST or DELETE */
	struct slice key;
	struct slice query; /* without `?`; empty: none */
	bool incomplete;    /* the caller had no memory for it: nothing is asked */
	struct slice body;  /* of a POST */
	/* Content-Type and x-oss-... in any case; others are not signed. */
	const struct http_header *headers;
	size_t header_count; /* at most STORE_REQUEST_HEADERS_MAX */
	enum outgoing_class class;
	size_t max_answer_bytes;
	int64_t timeout_ms;
	struct executor *home;
	struct task done; /* done.run set by the caller; posted to `home` exactly once */

	/* ---- The result, valid when `done` runs, until store_request_release(). ---- */
	int status;        /* of the answer; 0: there was none */
	const char *fault; /* a constant text if there was none */

	/* ---- The module's own. ---- */
	struct outgoing_request request; /* the answer is in it */
	bool begun_;
	struct arena arena_;
	const char *lines_[STORE_REQUEST_HEADERS_MAX + 5];
	size_t line_count_;
};

/* Begins. From any thread, never blocks. */
void store_request_send(struct app *app, struct outgoing *outgoing, struct store_request *r);
/* Once `done` has run, or if it was never begun; then it can be begun anew. */
void store_request_release(struct store_request *r);

/*
 * Appends the URL with which anybody may PUT part `number` of an upload, for `expires_seconds`. If
 * `size` is not -1, V4 signs it as the Content-Length. False without memory.
 */
bool store_part_url(const struct app *app, const struct credentials *c, struct slice key,
	struct slice upload_id, unsigned int number, int64_t size, int64_t expires_seconds,
	struct strbuf *out) MUST_USE;

#endif
