/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends upload callbacks: signs the message, posts it to each callbackUrl in order until one
 * succeeds, and evaluates the answer (spec: callback sections 5 to 8). Signing and evaluating
 * happen on the sender's thread; waiting takes no thread. The outcome goes to the callback history.
 *
 * An answer counts only if its status is 200, its Content-Length is present and valid, its body is
 * at most LIMIT_CALLBACK_ANSWER_BYTES, and is JSON without a byte order mark (or anything if its
 * Content-Type is application/xml).
 */
#ifndef CALLBACK_SENDER_H
#define CALLBACK_SENDER_H

#include "base/clock.h"
#include "base/err.h"
#include "base/slice.h"
#include "base/task.h"
#include "net/outgoing.h"

struct callback_history; /* callback/history.h */
struct callback_params;  /* oss/callback/callback_params.h */
struct callback_record;  /* callback/record.h */
struct callback_sender;
struct callback_key;

struct callback_sender_options {
	struct outgoing *outgoing;      /* outlives the sender */
	const struct callback_key *key; /* outlives the sender */
	const struct allow_list *allow; /* exceptions to the address rule; outlives the sender */
	const struct clock *clock;      /* for the Date header */
	struct callback_history *log;   /* outlives the sender; NULL: none */
	int64_t timeout_ms;             /* for each URL; 0 means LIMIT_CALLBACK_MS */
	/*
	 * Host and port of a TLS listener of this very process, whose certificate need not be for
	 * that name; outlives the sender, empty: none.
	 */
	struct slice own_authority;
};

struct callback_attempt;

struct callback_job {
	/* ---- Set by the caller, borrowed until `done` runs. ---- */
	const struct callback_params *params;
	struct slice body; /* the message after substitution */
	struct slice request_id;
	struct slice bucket;
	struct slice owner;     /* of the bucket */
	struct slice requester; /* who uploaded; may be empty */
	struct slice object;    /* this and the next two are for the history only */
	struct slice event;     /* "PutObject" */
	struct slice trace;     /* traceparent of the upload; may be empty */
	uint64_t size;
	struct executor *home;
	struct task done; /* done.run set by the caller; posted to `home` exactly once */

	/* ---- The result, valid when `done` runs. ---- */
	/*
	 * ERR_OK: `answer` and `content_type` are what the uploader gets, with status 200.
	 * Otherwise ERR_CALLBACK_*, which has status 203, and `message` is the text for the error
	 * document. If several URLs failed it is about the last.
	 */
	enum err result;
	char message[160];
	struct slice answer;
	struct slice content_type;
	int64_t log_id; /* 0: it is not in the history */

	/* ---- Private. ---- */
	struct callback_sender *sender_;
	struct task start_;
	struct outgoing_request request_;
	struct callback_attempt *attempt_;
	struct callback_record *record_;
	size_t url_;
	int64_t sent_ms_;
};

/* Starts the thread. */
enum err callback_sender_new(
	const struct callback_sender_options *options, struct callback_sender **ret) MUST_USE;

/*
 * Sets the URL at which receivers find the public key; copied. Before the first callback_send(),
 * once the store's port is known.
 */
enum err callback_sender_set_key_url(struct callback_sender *sender, struct slice url) MUST_USE;

/*
 * Whether callbacks to `params` are worth a try: no URL names a private address that is not
 * allowed (address_literal_refused()). Names that resolve to one are found out later, when they are
 * connected to. From any thread.
 */
bool callback_targets_allowed(
	const struct callback_sender *sender, const struct callback_params *params) MUST_USE;

/*
 * Begins a callback. From any thread, never blocks. `job` must be zeroed but for the caller's
 * members, stay in place until `done` runs, and then be given to callback_job_release().
 */
void callback_send(struct callback_sender *sender, struct callback_job *job);

/* Frees what the result holds. Once `done` has run, from any thread. */
void callback_job_release(struct callback_job *job);

/*
 * Ends the thread when no job is left; so stop the outgoing requests (outgoing_stop()) first, but
 * free them later. NULL is allowed.
 */
void callback_sender_free(struct callback_sender *sender);

#endif
