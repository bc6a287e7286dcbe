/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A callback that was sent: the upload it was about, how each URL answered, and the message, so
 * that it can be sent again. A record owns its text; one thread at a time.
 */
#ifndef CALLBACK_RECORD_H
#define CALLBACK_RECORD_H

#include "base/arena.h"
#include "base/limits.h"
#include "base/task.h"
#include "oss/callback/callback_params.h"

struct callback_history;

/* One URL that was tried; in the order of the URLs. */
struct callback_try {
	int status; /* of the answer; 0: there was none */
	int64_t ms; /* until the answer or the failure */
	char error[160];
};

struct callback_record {
	int64_t id;      /* from 1, rising; callback_history_add() gives it */
	int64_t time_ms; /* when it was sent, wall clock */
	struct slice bucket;
	struct slice object;
	struct slice event; /* the operation: "PutObject" */
	uint64_t size;      /* of the object */
	struct slice urls;  /* separated by `;` */
	size_t try_count;
	struct callback_try tries[LIMIT_CALLBACK_URLS];
	bool ok;             /* the last of them succeeded */
	struct slice answer; /* to the last of them; at most LIMIT_CALLBACK_HISTORY_ANSWER_BYTES */
	bool answer_truncated;

	/* The message, and the headers that are not made anew. */
	bool sendable; /* the message is complete: it was not too long */
	struct slice body;
	struct slice host; /* callbackHost, or empty */
	bool sni;
	enum callback_body_type body_type;
	struct slice request_id;
	struct slice owner;
	struct slice requester;

	struct callback_record *next; /* of a query's result */
	struct budget_account memory; /* of the arena */
	struct arena arena;           /* what the text above lies in */

	/* The log's own. */
	struct callback_history *log_;
	struct task insert_;
};

/* Empty. NULL without memory. */
struct callback_record *callback_record_new(void) MUST_USE;
/* NULL is allowed. */
void callback_record_free(struct callback_record *record);

/* Sets URLs, host and so on from `params`, and the body; what is too long is left out. */
void callback_record_message(
	struct callback_record *record, const struct callback_params *params, struct slice body);

/* Sets the answer, or the beginning of it. */
void callback_record_answer(struct callback_record *record, struct slice answer);

/*
 * The other way round: what callback_send() needs besides the body. ERR_UNAVAILABLE without memory,
 * ERR_CALLBACK_* if the record, which is then not `sendable`, does not hold it.
 */
enum err callback_record_params(
	const struct callback_record *record, struct callback_params **ret) MUST_USE;

#endif
