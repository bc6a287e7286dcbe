/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The insides of outgoing requests, which belong to the thread `outgoing`: a transfer is one
 *request that libcurl has, or that waits for the address of its host.
 *
 *	outgoing.c         places; the thread
 *	transfer.c         what libcurl is told to do
 *	transfer_answer.c  what it hands back
 */
#ifndef NET_OUTGOING_INTERNAL_H
#define NET_OUTGOING_INTERNAL_H

#include <curl/curl.h>
#include <pthread.h>

#include "base/limits.h"
#include "net/outgoing.h"
#include "net/resolver.h"
#include "net/shares.h"

/* Of an answer. */
#define TRANSFER_HEADERS_MAX KIB(64)

struct outgoing {
	CURLM *multi;
	char *ca_file;
	size_t max[OUTGOING_CLASSES];
	pthread_t thread;
	bool joined;

	pthread_mutex_t lock; /* protects what follows; held for a few instructions */
	struct outgoing_request *submitted, **submitted_last;
	size_t in_flight; /* submitted or running */
	size_t of_class[OUTGOING_CLASSES];
	struct shares callbacks; /* by requester */
	uint64_t refused;
	bool stopping;
	int64_t stop_at_ms; /* monotonic, if stopping */
	bool closed;        /* the thread takes no more */

	/* The thread's own. */
	struct transfer *running;
	struct resolver *resolver;
	size_t resolving; /* of those running */
	uint64_t aliases;
};

struct transfer {
	struct outgoing *outgoing;
	struct outgoing_request *request;
	struct transfer *next, **link; /* in outgoing->running */
	CURL *easy;
	struct curl_slist *lines;
	struct curl_slist *connect_to;
	struct curl_slist *addresses;
	struct resolver_wait name;
	bool added; /* to libcurl; before, the name is looked up */
	int64_t deadline_ms;
	uint64_t alias; /* 0: the host is an address */
	char *port;
	char *host;     /* of the URL, without brackets: for the allow list */
	char *tls_name; /* what the certificate must be for, if TLS does not name it */
	size_t header_bytes;
	bool refused, opened, too_long, bad_length, starved;
	char fault[CURL_ERROR_SIZE];
};

/*
 * A transfer for the request, not started yet. OUTGOING_ANSWERED: there is one in *ret; otherwise
 * why not.
 */
enum outgoing_kind transfer_new(struct outgoing *outgoing, struct outgoing_request *request,
	struct transfer **ret) MUST_USE;
/* Also takes it away from libcurl and from the resolver. */
void transfer_free(struct transfer *transfer);
/* The addresses of its name are known: libcurl may begin. False, and it stays as it was, without
 * memory. */
bool transfer_connect(struct outgoing *outgoing, struct transfer *transfer) MUST_USE;
/* How it ended. */
enum outgoing_kind transfer_outcome(const struct transfer *transfer, CURLcode code) MUST_USE;

/* libcurl's callbacks for head and body of the answer; `state` is the transfer. */
size_t transfer_on_header(char *bytes, size_t one, size_t len, void *state);
size_t transfer_on_body(char *bytes, size_t one, size_t len, void *state);

#endif
