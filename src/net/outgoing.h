/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to other servers: callbacks, public keys, confirmations, webhooks. One thread runs all
 * of them with libcurl, so a slow server takes some kilobytes and no thread.
 *
 * What it never does: follow a redirect, use a proxy (whatever the environment says), keep
 * cookies, read .netrc, speak anything but HTTP/1.1 over http and https, reuse a connection,
 * decompress, or accept a certificate that does not verify for the host's name.
 */
#ifndef NET_OUTGOING_H
#define NET_OUTGOING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/budget.h"
#include "base/err.h"
#include "base/slice.h"
#include "base/slot.h"
#include "base/strbuf.h"
#include "base/task.h"
#include "net/address.h"

struct outgoing;
struct transfer;

/*
 * The purpose of a request. Each has places of its own, so that slow servers that clients name do
 * not block the servers that postern must reach (LIMIT_OUTGOING_PART).
 */
enum outgoing_class {
	OUTGOING_CALLBACK, /* to a URL of an uploader; shared among requesters */
	OUTGOING_KEY,      /* for the public key of a received callback */
	OUTGOING_CONFIRM,  /* HEAD to the store, to confirm a callback */
	OUTGOING_STORE,    /* to the store, for an upload in parts */
	OUTGOING_WEBHOOK,  /* to the operator's back end */
	OUTGOING_CLASSES,
};

struct outgoing_options {
	size_t max_in_flight; /* 0 means LIMIT_OUTGOING */
	/* The class that has most of these: what LIMIT_OUTGOING_PART leaves to it. */
	enum outgoing_class most;
	const char *ca_file; /* certificates to trust; NULL means the system's */
	/* How names are looked up, see net/resolver.h; NULL means as the system does. */
	bool (*look_up)(const char *host, struct strbuf *ret);
};

enum outgoing_kind {
	OUTGOING_ANSWERED,    /* status, content_length, answer, ... are set */
	OUTGOING_UNRESOLVED,  /* the host's name has no address */
	OUTGOING_UNREACHABLE, /* nothing listens, TLS failed, or the connection broke */
	OUTGOING_REFUSED,     /* the host has no permitted address */
	OUTGOING_TIMED_OUT,
	OUTGOING_TOO_LONG,    /* the answer is longer than max_answer_bytes; status is set */
	OUTGOING_BAD_LENGTH,  /* the answer's Content-Length is not a number; status is set */
	OUTGOING_BAD_REQUEST, /* not an http or https URL, or a malformed header */
	OUTGOING_BUSY,        /* too many requests in flight, or no memory */
	OUTGOING_STOPPED,     /* outgoing_stop() was called */
};

enum outgoing_method {
	OUTGOING_GET,
	OUTGOING_POST,
	OUTGOING_HEAD, /* the answer has no body, whatever its length says */
	OUTGOING_DELETE,
	OUTGOING_OPTIONS,
	OUTGOING_PUT, /* without a body, and says so */
};

/* Any other name is that of GET. */
static inline enum outgoing_method outgoing_method_of(struct slice name)
{
	return slice_eq(name, S("POST"))     ? OUTGOING_POST
	       : slice_eq(name, S("HEAD"))   ? OUTGOING_HEAD
	       : slice_eq(name, S("DELETE")) ? OUTGOING_DELETE
					     : OUTGOING_GET;
}

enum outgoing_flag {
	/* Send SNI, with the name of `host` or of the URL. The certificate must be valid for that
	 * name in either case. */
	OUTGOING_SNI = 1,
	OUTGOING_ANY_ADDRESS = 2, /* no address rule; only for URLs in postern's configuration */
	OUTGOING_ANY_CERTIFICATE = 4, /* only for a port that this process itself listens on */
	OUTGOING_KEEP_HEADERS = 8,    /* fill `answer_headers` */
};

struct outgoing_request {
	/* ---- Set by the caller, borrowed until `done` runs. ---- */
	enum outgoing_class class;
	struct slice requester; /* for a callback: the uploader's access key */
	const char *url;        /* http or https; without scheme it is http */
	enum outgoing_method method;
	struct slice body; /* of a POST */
	/* Header lines "Name: value" (a line that ends in ";" is an empty header). */
	const char *const *headers;
	size_t header_count;
	const char *host;        /* value of Host; NULL means the URL's */
	int64_t timeout_ms;      /* from outgoing_send() to the last byte */
	size_t max_answer_bytes; /* of the body */
	/* Exceptions to address_refused(); NULL means none. */
	const struct allow_list *allow;
	unsigned flags; /* of enum outgoing_flag */
	struct executor *home;
	struct task done; /* done.run set by the caller; posted to `home` exactly once */

	/* ---- The result, valid when `done` runs. ---- */
	enum outgoing_kind kind;
	int status;
	bool has_content_length; /* the answer had a valid Content-Length: */
	uint64_t content_length;
	char content_type[128]; /* "" if there was none, or it is longer */
	struct strbuf answer;   /* the body; freed by outgoing_request_release() */
	/* Lines "Name: value", each ended by LF, if OUTGOING_KEEP_HEADERS. Freed with `answer`. */
	struct strbuf answer_headers;
	const char *fault; /* a constant text for the log if kind is not ANSWERED */

	/* ---- Private. ---- */
	struct outgoing_request *next_;
	struct transfer *transfer_;
	struct slots slots_;           /* of the requester */
	struct budget_account memory_; /* of the answer, and of what libcurl holds */
};

/* Starts the thread. ERR_UNAVAILABLE if that fails. */
enum err outgoing_new(const struct outgoing_options *options, struct outgoing **ret) MUST_USE;

/*
 * Begins a request. From any thread, never blocks. `request` must be zero except for the caller's
 * members, stay in place until `done` runs, and then be given to outgoing_request_release().
 */
void outgoing_send(struct outgoing *outgoing, struct outgoing_request *request);

/* Whether the answer has such a header, if OUTGOING_KEEP_HEADERS was set. */
bool outgoing_has_header(const struct outgoing_request *request, struct slice name);
/*
 * The value of a header of the answer, if OUTGOING_KEEP_HEADERS was set and there is exactly one of
 * that name; ptr is NULL otherwise.
 */
struct slice outgoing_answer_header(const struct outgoing_request *request, struct slice name);

/* Frees the result. After `done` has run, from any thread. */
void outgoing_request_release(struct outgoing_request *request);

/*
 * Waits at most `grace_ms` until nothing is in flight. Requests that still run, and all later ones,
 * end with OUTGOING_STOPPED. Blocks; the executors must still run. Call it once.
 */
void outgoing_stop(struct outgoing *outgoing, int64_t grace_ms);

/* Calls outgoing_stop() with no grace if nobody has. NULL is allowed. */
void outgoing_free(struct outgoing *outgoing);

struct outgoing_stats {
	uint64_t in_flight[OUTGOING_CLASSES];
	uint64_t refused; /* since the start, because there was no place */
};

void outgoing_stats(struct outgoing *outgoing, struct outgoing_stats *ret);

#endif
