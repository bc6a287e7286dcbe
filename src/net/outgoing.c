/* SPDX-License-Identifier: Apache-2.0 */
#include "net/outgoing.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <inttypes.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/limits.h"
#include "net/resolver.h"
#include "net/shares.h"

#define ANSWER_HEADERS_MAX KIB(64)
#define TRANSFER_TEXT_MAX KIB(64)
#define IDLE_POLL_MS 60000
/* Callbacks are small; libcurl's default of 16 KiB for each is not needed. */
#define RECEIVE_BUFFER_BYTES 4096L
/* What stands for a name while libcurl connects; `invalid` is reserved for what is none. */
#define ALIAS "a%" PRIu64 ".invalid"
/* libcurl forgets the addresses of an alias soon after. */
#define ALIAS_SECONDS 15L
/* What libcurl and OpenSSL hold for one request. */
#define TRANSFER_BYTES KIB(32)

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

/* The parts of the request's URL, in libcurl's form. */
struct place {
	struct slice authority;     /* as written: what Host says unless overridden */
	struct slice target;        /* path and query as written; may lack its `/` */
	char *scheme, *host, *port; /* libcurl's reading */
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

static void finish(struct outgoing_request *request, enum outgoing_kind kind, const char *fault)
{
	request->kind = kind;
	request->fault = fault;
	/* The answer alone stays. */
	size_t answer = request->answer.size + request->answer_headers.size;
	budget_give(&request->memory_, request->memory_.bytes - answer);
	executor_post(request->home, &request->done);
}

/* ---- Reading the answer -----------------------------------------------------------------------
 */

static void note_content_length(struct transfer *transfer, struct slice value)
{
	struct outgoing_request *request = transfer->request;
	uint64_t length;
	if (!slice_to_u64(value, &length) ||
		(request->has_content_length && length != request->content_length)) {
		transfer->bad_length = true;
		return;
	}
	request->has_content_length = true;
	request->content_length = length;
	if (!request->head && length > request->max_answer_bytes)
		transfer->too_long = true;
}

/* An interim answer (1xx) may come before the one that counts. */
static void note_status_line(struct transfer *transfer, struct slice line)
{
	struct slice version, status;
	uint64_t number;
	(void)slice_cut(&line, ' ', &version);
	(void)slice_cut(&line, ' ', &status);
	transfer->request->status = slice_to_u64(slice_trim(status), &number) ? (int)number : 0;
	transfer->request->has_content_length = false;
	transfer->request->content_type[0] = '\0';
	strbuf_clear(&transfer->request->answer_headers);
}

static size_t on_header(char *bytes, size_t one, size_t len, void *state)
{
	(void)one;
	struct transfer *transfer = state;
	struct outgoing_request *request = transfer->request;
	struct slice line = slice_of(bytes, len), name;
	while (line.len > 0 && (line.ptr[line.len - 1] == '\n' || line.ptr[line.len - 1] == '\r'))
		line.len--;
	transfer->header_bytes += len;
	if (transfer->header_bytes > ANSWER_HEADERS_MAX) {
		transfer->too_long = true;
		return 0;
	}
	if (slice_starts(line, S("HTTP/"))) {
		note_status_line(transfer, line);
		return len;
	}
	if (!slice_cut(&line, ':', &name))
		return len;
	struct slice value = slice_trim(line);
	if (request->keep_headers) {
		strbuf_add_slice(&request->answer_headers, name);
		strbuf_adds(&request->answer_headers, ": ");
		strbuf_add_slice(&request->answer_headers, value);
		strbuf_addc(&request->answer_headers, '\n');
	}
	if (slice_eq_nocase(name, S("content-length"))) {
		note_content_length(transfer, value);
	} else if (slice_eq_nocase(name, S("content-type")) &&
		   value.len < sizeof(request->content_type)) {
		memcpy(request->content_type, value.ptr, value.len);
		request->content_type[value.len] = '\0';
	}
	return transfer->bad_length || transfer->too_long ? 0 : len;
}

static size_t on_body(char *bytes, size_t one, size_t len, void *state)
{
	(void)one;
	struct transfer *transfer = state;
	strbuf_add(&transfer->request->answer, bytes, len);
	if (strbuf_broken(&transfer->request->answer)) {
		transfer->starved = strbuf_starved(&transfer->request->answer);
		transfer->too_long = !transfer->starved;
		return 0;
	}
	return len;
}

/* ---- Where we connect to ----------------------------------------------------------------------
 */

/* The one place where an address becomes a connection. */
static curl_socket_t on_open(void *state, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct transfer *transfer = state;
	const struct outgoing_request *request = transfer->request;
	bool allowed =
		purpose == CURLSOCKTYPE_IPCXN &&
		(request->any_address || !address_refused(&address->addr) ||
			allow_list_has(request->allow, slice_str(transfer->host), &address->addr));
	if (!allowed) {
		transfer->refused = true;
		return CURL_SOCKET_BAD;
	}
	transfer->opened = true;
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static bool is_address(const char *host)
{
	unsigned char bytes[16];
	return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

/*
 * libcurl names the server in its TLS hello unless the URL's host is an address. To name nobody
 * the URL therefore carries a dummy address, CONNECT_TO the true place, and the certificate is
 * checked here, by OpenSSL itself, for the name that libcurl does not know.
 */
static CURLcode on_tls_context(CURL *easy, void *context, void *state)
{
	(void)easy;
	const struct transfer *transfer = state;
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(context);
	int done = is_address(transfer->tls_name)
			   ? X509_VERIFY_PARAM_set1_ip_asc(param, transfer->tls_name)
			   : X509_VERIFY_PARAM_set1_host(param, transfer->tls_name, 0);
	return done ? CURLE_OK : CURLE_SSL_CERTPROBLEM;
}

/* ---- Beginning a transfer ---------------------------------------------------------------------
 */

static void place_release(struct place *place)
{
	curl_free(place->scheme);
	curl_free(place->host);
	curl_free(place->port);
}

/* Splits by hand what must be sent exactly as written: the receiver verifies a signature over it.
 */
static void split_url(struct slice url, struct place *ret)
{
	size_t scheme = slice_find_slice(url, S("://"));
	url = slice_from(url, scheme + 3);
	size_t end = 0;
	while (end < url.len && !strchr("/?#", url.ptr[end]))
		end++;
	ret->authority = slice_of(url.ptr, end);
	struct slice rest = slice_from(url, end);
	ret->target = slice_head(rest, slice_find(rest, '#'));
}

static bool is_plain_text(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text <= 0x20 || *text == 0x7f)
			return false;
	return true;
}

/* libcurl sends header lines as they are: a line feed in a value would begin another header. */
static bool headers_are_sound(const struct outgoing_request *request)
{
	for (size_t i = 0; i < request->header_count; i++)
		if (strpbrk(request->headers[i], "\r\n"))
			return false;
	return !request->host || is_plain_text(request->host);
}

/* libcurl's reading decides what we connect to; it refuses user:password@ and odd ports. */
static bool place_parse(const char *url, struct place *ret)
{
	CURLU *parts = curl_url();
	bool ok = parts && is_plain_text(url) &&
		  curl_url_set(parts, CURLUPART_URL, url, CURLU_PATH_AS_IS | CURLU_DISALLOW_USER) ==
			  CURLUE_OK &&
		  curl_url_get(parts, CURLUPART_SCHEME, &ret->scheme, 0) == CURLUE_OK &&
		  curl_url_get(parts, CURLUPART_HOST, &ret->host, 0) == CURLUE_OK &&
		  curl_url_get(parts, CURLUPART_PORT, &ret->port, CURLU_DEFAULT_PORT) == CURLUE_OK;
	curl_url_cleanup(parts);
	if (ok)
		split_url(slice_str(url), ret);
	return ok && (slice_eq(slice_str(ret->scheme), S("http")) ||
			     slice_eq(slice_str(ret->scheme), S("https")));
}

static bool add_line(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);
	if (longer)
		*list = longer;
	return longer != NULL;
}

static bool set_lines(struct transfer *transfer, const struct place *place)
{
	const struct outgoing_request *request = transfer->request;
	SCOPED_STRBUF(host, TRANSFER_TEXT_MAX);
	strbuf_adds(&host, "Host: ");
	strbuf_add_slice(&host, request->host ? slice_str(request->host) : place->authority);
	/* Headers that libcurl would add by itself. */
	bool ok = !strbuf_broken(&host) && add_line(&transfer->lines, host.ptr) &&
		  add_line(&transfer->lines, "Connection: close") &&
		  add_line(&transfer->lines, "Accept:") && add_line(&transfer->lines, "Expect:");
	for (size_t i = 0; ok && i < request->header_count; i++)
		ok = add_line(&transfer->lines, request->headers[i]);
	return ok &&
	       curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->lines) == CURLE_OK;
}

/* The name in a Host value: without port, without brackets. */
static struct slice name_of_host(struct slice host)
{
	if (host.len > 0 && host.ptr[0] == '[')
		return slice_head(slice_from(host, 1), slice_find(host, ']') - 1);
	return slice_head(host, slice_find(host, ':'));
}

/*
 * libcurl never looks up a name, for it would start a thread for each: it is told to connect to an
 * alias, which is nobody else's, and later which addresses that has.
 */
static bool connect_to(struct transfer *transfer, const struct place *place)
{
	SCOPED_STRBUF(text, TRANSFER_TEXT_MAX);
	if (transfer->alias)
		strbuf_addf(&text, "::" ALIAS ":%s", transfer->alias, place->port);
	else
		strbuf_addf(&text, "::%s:%s", place->host, place->port);
	return !strbuf_broken(&text) && add_line(&transfer->connect_to, text.ptr) &&
	       curl_easy_setopt(transfer->easy, CURLOPT_CONNECT_TO, transfer->connect_to) ==
		       CURLE_OK;
}

/* Sets the URL and, for TLS, who is greeted and whose certificate is expected. */
static bool set_url(struct transfer *transfer, const struct place *place)
{
	const struct outgoing_request *request = transfer->request;
	struct slice url_host = slice_str(place->host);
	struct slice name =
		request->host ? name_of_host(slice_str(request->host)) : slice_str(transfer->host);
	bool tls = slice_eq(slice_str(place->scheme), S("https"));
	bool same = slice_eq_nocase(name, slice_str(transfer->host));
	SCOPED_STRBUF(text, TRANSFER_TEXT_MAX);
	CURL *easy = transfer->easy;
	if (!connect_to(transfer, place))
		return false;
	if (tls && (!same || (!request->sni && !is_address(transfer->host)))) {
		url_host = request->sni ? name : S("0.0.0.0");
		if (!request->sni) {
			transfer->tls_name = strndup(name.ptr, name.len);
			if (!transfer->tls_name ||
				curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L) != CURLE_OK ||
				curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_tls_context) !=
					CURLE_OK ||
				curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, transfer) != CURLE_OK)
				return false;
		}
	}
	strbuf_addf(&text, "%s://%.*s:%s/", place->scheme, SLICE_FMT(url_host), place->port);
	if (strbuf_broken(&text) || curl_easy_setopt(easy, CURLOPT_URL, text.ptr) != CURLE_OK)
		return false;
	strbuf_clear(&text);
	if (place->target.len == 0 || place->target.ptr[0] != '/')
		strbuf_addc(&text, '/');
	strbuf_add_slice(&text, place->target);
	return !strbuf_broken(&text) &&
	       curl_easy_setopt(easy, CURLOPT_REQUEST_TARGET, text.ptr) == CURLE_OK;
}

/* The options that are the same for every request: what is never done, and the callbacks. */
static bool set_rules(struct transfer *transfer)
{
	CURL *easy = transfer->easy;
	const char *ca_file = transfer->outgoing->ca_file;
	return curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) ==
		       CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_NOPROXY, "*") == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, ALIAS_SECONDS) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, RECEIVE_BUFFER_BYTES) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->fault) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer) == CURLE_OK &&
	       (!ca_file || curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file) == CURLE_OK);
}

static bool set_message(struct transfer *transfer)
{
	const struct outgoing_request *request = transfer->request;
	CURL *easy = transfer->easy;
	if (request->any_certificate &&
		(curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L) != CURLE_OK ||
			curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L) != CURLE_OK))
		return false;
	if (request->head)
		return curl_easy_setopt(easy, CURLOPT_NOBODY, 1L) == CURLE_OK;
	if (request->remove)
		return curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L) == CURLE_OK &&
		       curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, "DELETE") == CURLE_OK;
	if (!request->post)
		return curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L) == CURLE_OK;
	return curl_easy_setopt(easy, CURLOPT_POST, 1L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len) ==
		       CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_POSTFIELDS,
		       request->body.len > 0 ? request->body.ptr : "") == CURLE_OK;
}

static void transfer_free(struct transfer *transfer)
{
	struct outgoing *outgoing = transfer->outgoing;
	if (transfer->link) {
		*transfer->link = transfer->next;
		if (transfer->next)
			transfer->next->link = transfer->link;
		if (transfer->added)
			(void)curl_multi_remove_handle(outgoing->multi, transfer->easy);
		else
			outgoing->resolving--;
	}
	resolver_cancel(outgoing->resolver, &transfer->name);
	strbuf_release(&transfer->name.addresses);
	if (transfer->easy)
		curl_easy_cleanup(transfer->easy);
	curl_slist_free_all(transfer->addresses);
	free(transfer->port);
	curl_slist_free_all(transfer->lines);
	curl_slist_free_all(transfer->connect_to);
	free(transfer->host);
	free(transfer->tls_name);
	free(transfer);
}

static bool transfer_prepare(struct transfer *transfer, const struct place *place)
{
	struct slice host = slice_str(place->host);
	if (host.len > 1 && host.ptr[0] == '[')
		host = slice_of(host.ptr + 1, host.len - 2);
	strbuf_init(&transfer->name.addresses, 0);
	transfer->host = strndup(host.ptr, host.len);
	transfer->port = strdup(place->port);
	transfer->easy = curl_easy_init();
	if (transfer->host && !is_address(transfer->host))
		transfer->alias = ++transfer->outgoing->aliases;
	return transfer->host && transfer->port && transfer->easy && set_rules(transfer) &&
	       set_message(transfer) && set_lines(transfer, place) && set_url(transfer, place);
}

/* The addresses of its name are known. False, and it stays as it was, if it cannot begin. */
static bool transfer_connect(struct outgoing *outgoing, struct transfer *transfer)
{
	int64_t left = transfer->deadline_ms - clock_monotonic_ms();
	SCOPED_STRBUF(text, TRANSFER_TEXT_MAX);
	if (transfer->alias) {
		strbuf_addf(&text, "+" ALIAS ":%s:%s", transfer->alias, transfer->port,
			transfer->name.addresses.ptr);
		if (strbuf_broken(&text) || !add_line(&transfer->addresses, text.ptr) ||
			curl_easy_setopt(transfer->easy, CURLOPT_RESOLVE, transfer->addresses) !=
				CURLE_OK)
			return false;
	}
	if (curl_easy_setopt(transfer->easy, CURLOPT_TIMEOUT_MS, left > 0 ? (long)left : 1L) !=
			CURLE_OK ||
		curl_multi_add_handle(outgoing->multi, transfer->easy) != CURLM_OK)
		return false;
	transfer->added = true;
	outgoing->resolving--;
	return true;
}

/* From now on it ends by end_transfer(). */
static void transfer_start(struct outgoing *outgoing, struct transfer *transfer)
{
	outgoing->resolving++;
	transfer->deadline_ms = clock_monotonic_ms() + transfer->request->timeout_ms;
	transfer->next = outgoing->running;
	transfer->link = &outgoing->running;
	if (transfer->next)
		transfer->next->link = &transfer->next;
	outgoing->running = transfer;
}

static void leave(struct outgoing *outgoing, const struct outgoing_request *request)
{
	(void)pthread_mutex_lock(&outgoing->lock);
	outgoing->in_flight--;
	outgoing->of_class[request->class]--;
	if (request->class == OUTGOING_CALLBACK)
		shares_give(&outgoing->callbacks, request->slot_);
	(void)pthread_mutex_unlock(&outgoing->lock);
}

static void end_transfer(struct transfer *transfer, enum outgoing_kind kind, const char *fault)
{
	struct outgoing *outgoing = transfer->outgoing;
	struct outgoing_request *request = transfer->request;
	transfer_free(transfer);
	leave(outgoing, request);
	finish(request, kind, fault);
}

/* With the result of the lookup in transfer->name. */
static void address_found(struct outgoing *outgoing, struct transfer *transfer)
{
	if (!transfer->name.found)
		end_transfer(transfer, OUTGOING_UNRESOLVED, "the host's name has no address");
	else if (!transfer_connect(outgoing, transfer))
		end_transfer(transfer, OUTGOING_BUSY, "no memory");
}

static void find_address(struct outgoing *outgoing, struct transfer *transfer)
{
	const struct outgoing_request *request = transfer->request;
	transfer->name.found = true;
	enum resolver_now now = RESOLVER_DONE;
	if (transfer->alias)
		now = resolver_ask(outgoing->resolver, transfer->host, request->requester,
			request->class != OUTGOING_CALLBACK, clock_monotonic_ms(), &transfer->name);
	if (now == RESOLVER_DONE)
		address_found(outgoing, transfer);
	else if (now == RESOLVER_BUSY)
		end_transfer(transfer, OUTGOING_BUSY, "no memory");
}

static void begin(struct outgoing *outgoing, struct outgoing_request *request)
{
	SCOPED_STRBUF(url, TRANSFER_TEXT_MAX);
	if (slice_find_slice(slice_str(request->url), S("://")) == strlen(request->url))
		strbuf_adds(&url, "http://");
	strbuf_adds(&url, request->url);
	strbuf_init_counted(&request->answer, request->max_answer_bytes, &request->memory_);
	strbuf_init_counted(
		&request->answer_headers, ANSWER_HEADERS_MAX + KIB(4), &request->memory_);
	struct place place = {.port = NULL};
	enum outgoing_kind kind = OUTGOING_BAD_REQUEST;
	if (!strbuf_broken(&url) && headers_are_sound(request) && place_parse(url.ptr, &place)) {
		kind = OUTGOING_BUSY;
		struct transfer *transfer = calloc(1, sizeof(*transfer));
		if (transfer) {
			transfer->outgoing = outgoing;
			transfer->request = request;
			if (transfer_prepare(transfer, &place)) {
				kind = OUTGOING_ANSWERED;
				transfer_start(outgoing, transfer);
				find_address(outgoing, transfer);
			} else {
				transfer_free(transfer);
			}
		}
	}
	place_release(&place);
	if (kind != OUTGOING_ANSWERED) {
		leave(outgoing, request);
		finish(request, kind,
			kind == OUTGOING_BUSY ? "no memory" : "not an HTTP URL, or not a header");
	}
}

/* ---- The thread -------------------------------------------------------------------------------
 */

static enum outgoing_kind kind_of(const struct transfer *transfer, CURLcode code)
{
	if (transfer->starved)
		return OUTGOING_BUSY;
	if (transfer->bad_length)
		return OUTGOING_BAD_LENGTH;
	if (transfer->too_long)
		return OUTGOING_TOO_LONG;
	if (transfer->refused && !transfer->opened)
		return OUTGOING_REFUSED;
	if (code == CURLE_OK)
		return OUTGOING_ANSWERED;
	if (code == CURLE_OPERATION_TIMEDOUT)
		return OUTGOING_TIMED_OUT;
	if (code == CURLE_COULDNT_RESOLVE_HOST)
		return OUTGOING_UNRESOLVED;
	/* libcurl looks at the header before it hands it to on_header(). */
	if (code == CURLE_WEIRD_SERVER_REPLY &&
		slice_starts(slice_str(transfer->fault), S("Invalid Content-Length")))
		return OUTGOING_BAD_LENGTH;
	if (code == CURLE_OUT_OF_MEMORY)
		return OUTGOING_BUSY;
	return OUTGOING_UNREACHABLE;
}

/* Names that have been looked up, and those for which it takes too long. */
static void go_on_with_names(struct outgoing *outgoing)
{
	int64_t now = clock_monotonic_ms();
	struct resolver_wait *wait;
	while ((wait = resolver_take(outgoing->resolver, now)))
		address_found(outgoing, CONTAINER_OF(wait, struct transfer, name));
	struct transfer *next = outgoing->resolving ? outgoing->running : NULL;
	while (next) {
		struct transfer *transfer = next;
		next = transfer->next;
		if (!transfer->added && transfer->deadline_ms <= now)
			end_transfer(transfer, OUTGOING_TIMED_OUT, "its name was not resolved");
	}
}

/* When the next of those has to be looked at. */
static void wait_for_names(const struct outgoing *outgoing, int *wait_ms)
{
	int64_t now = clock_monotonic_ms();
	for (const struct transfer *t = outgoing->resolving ? outgoing->running : NULL; t;
		t = t->next)
		if (!t->added && t->deadline_ms - now < *wait_ms)
			*wait_ms = t->deadline_ms > now ? (int)(t->deadline_ms - now) : 0;
}

/* Whether there was any. */
static bool finish_completed(struct outgoing *outgoing)
{
	bool any = false;
	CURLMsg *message;
	int left;
	while ((message = curl_multi_info_read(outgoing->multi, &left))) {
		if (message->msg != CURLMSG_DONE)
			continue;
		struct transfer *transfer;
		CURLcode code = message->data.result;
		if (curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer) !=
			CURLE_OK)
			abort();
		enum outgoing_kind kind = kind_of(transfer, code);
		end_transfer(transfer, kind,
			kind == OUTGOING_ANSWERED  ? NULL
			: kind == OUTGOING_REFUSED ? "an address we do not connect to"
						   : curl_easy_strerror(code));
		any = true;
	}
	return any;
}

/* Takes what was submitted; *ret_close says that the thread has to end. */
static struct outgoing_request *take_submitted(
	struct outgoing *outgoing, bool *ret_close, int *ret_wait_ms)
{
	(void)pthread_mutex_lock(&outgoing->lock);
	struct outgoing_request *list = outgoing->submitted;
	outgoing->submitted = NULL;
	outgoing->submitted_last = &outgoing->submitted;
	*ret_wait_ms = IDLE_POLL_MS;
	*ret_close = false;
	if (outgoing->stopping) {
		int64_t left = outgoing->stop_at_ms - clock_monotonic_ms();
		*ret_close = outgoing->closed = outgoing->in_flight == 0 || left <= 0;
		if (left < *ret_wait_ms)
			*ret_wait_ms = left > 0 ? (int)left : 0;
	}
	(void)pthread_mutex_unlock(&outgoing->lock);
	return list;
}

static void cancel_all(struct outgoing *outgoing, struct outgoing_request *submitted)
{
	while (submitted) {
		struct outgoing_request *request = submitted;
		submitted = request->next_;
		leave(outgoing, request);
		finish(request, OUTGOING_STOPPED, "stopping");
	}
	while (outgoing->running)
		end_transfer(outgoing->running, OUTGOING_STOPPED, "stopping");
}

static void *outgoing_main(void *argument)
{
	struct outgoing *outgoing = argument;
	for (;;) {
		bool close;
		int wait_ms, running;
		struct outgoing_request *list = take_submitted(outgoing, &close, &wait_ms);
		if (close) {
			cancel_all(outgoing, list);
			return NULL;
		}
		while (list) {
			struct outgoing_request *request = list;
			list = request->next_;
			begin(outgoing, request);
		}
		go_on_with_names(outgoing);
		wait_for_names(outgoing, &wait_ms);
		(void)curl_multi_perform(outgoing->multi, &running);
		/* What has ended may have been the last that stopping waits for. */
		if (!finish_completed(outgoing))
			(void)curl_multi_poll(outgoing->multi, NULL, 0, wait_ms, NULL);
	}
}

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void start_curl(void)
{
	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void outgoing_release(struct outgoing *outgoing)
{
	resolver_free(outgoing->resolver);
	if (outgoing->multi)
		(void)curl_multi_cleanup(outgoing->multi);
	(void)pthread_mutex_destroy(&outgoing->lock);
	free(outgoing->ca_file);
	free(outgoing);
}

/* Signals are the main thread's affair; SIGPIPE must not end the process for a broken TLS
 * connection. */
static bool start_thread(struct outgoing *outgoing)
{
	sigset_t all, before;
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	int fault = pthread_create(&outgoing->thread, NULL, outgoing_main, outgoing);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (fault == 0)
		(void)pthread_setname_np(outgoing->thread, "outgoing");
	return fault == 0;
}

static void share_places(struct outgoing *outgoing, size_t places)
{
	size_t part = places / LIMIT_OUTGOING_PART;
	for (size_t i = 0; i < OUTGOING_CLASSES; i++)
		outgoing->max[i] = part ? part : 1;
	outgoing->max[OUTGOING_CALLBACK] = places - (OUTGOING_CLASSES - 1) * part;
	shares_init(&outgoing->callbacks, outgoing->max[OUTGOING_CALLBACK]);
}

static void names_ready(void *ctx)
{
	struct outgoing *outgoing = ctx;
	(void)curl_multi_wakeup(outgoing->multi);
}

enum err outgoing_new(const struct outgoing_options *options, struct outgoing **ret)
{
	(void)pthread_once(&curl_once, start_curl);
	struct outgoing *outgoing = calloc(1, sizeof(*outgoing));
	if (!outgoing)
		return ERR_UNAVAILABLE;
	(void)pthread_mutex_init(&outgoing->lock, NULL);
	outgoing->submitted_last = &outgoing->submitted;
	share_places(outgoing, options->max_in_flight ? options->max_in_flight : LIMIT_OUTGOING);
	outgoing->ca_file = options->ca_file ? strdup(options->ca_file) : NULL;
	outgoing->multi = curl_multi_init();
	const struct resolver_options names = {
		.look_up = options->look_up, .ready = names_ready, .ctx = outgoing};
	if ((options->ca_file && !outgoing->ca_file) || !outgoing->multi ||
		resolver_new(&names, &outgoing->resolver) != ERR_OK || !start_thread(outgoing)) {
		outgoing_release(outgoing);
		return ERR_UNAVAILABLE;
	}
	*ret = outgoing;
	return ERR_OK;
}

/* Under the lock. */
static bool has_place(struct outgoing *outgoing, struct outgoing_request *request)
{
	if (request->class != OUTGOING_CALLBACK)
		return outgoing->of_class[request->class] < outgoing->max[request->class];
	request->slot_ = shares_slot(&outgoing->callbacks, request->requester);
	return shares_may(&outgoing->callbacks, request->slot_);
}

void outgoing_stats(struct outgoing *outgoing, struct outgoing_stats *ret)
{
	(void)pthread_mutex_lock(&outgoing->lock);
	ret->refused = outgoing->refused;
	for (size_t i = 0; i < OUTGOING_CLASSES; i++)
		ret->in_flight[i] = outgoing->of_class[i];
	(void)pthread_mutex_unlock(&outgoing->lock);
}

void outgoing_send(struct outgoing *outgoing, struct outgoing_request *request)
{
	request->memory_ = (struct budget_account){.pool = BUDGET_SIGNED};
	strbuf_init_counted(&request->answer, 0, &request->memory_);
	strbuf_init_counted(&request->answer_headers, 0, &request->memory_);
	request->next_ = NULL;
	if (!budget_take(&request->memory_, TRANSFER_BYTES)) {
		finish(request, OUTGOING_BUSY, "not enough memory");
		return;
	}
	(void)pthread_mutex_lock(&outgoing->lock);
	bool closed = outgoing->closed;
	bool taken = !closed && has_place(outgoing, request);
	if (taken) {
		outgoing->in_flight++;
		outgoing->of_class[request->class]++;
		if (request->class == OUTGOING_CALLBACK)
			shares_take(&outgoing->callbacks, request->slot_);
		*outgoing->submitted_last = request;
		outgoing->submitted_last = &request->next_;
		/* Under the lock: outgoing_free() may follow as soon as it is given back. */
		(void)curl_multi_wakeup(outgoing->multi);
	}
	outgoing->refused += !closed && !taken;
	(void)pthread_mutex_unlock(&outgoing->lock);
	if (!taken)
		finish(request, closed ? OUTGOING_STOPPED : OUTGOING_BUSY,
			closed ? "stopping" : "too many requests in flight");
}

/* How many headers of that name the answer has; *ret is the last one's value. */
static size_t find_header(
	const struct outgoing_request *request, struct slice name, struct slice *ret)
{
	struct slice rest = strbuf_slice(&request->answer_headers), line, own;
	size_t count = 0;
	while (slice_cut(&rest, '\n', &line)) {
		if (!slice_cut(&line, ':', &own) || !slice_eq_nocase(own, name))
			continue;
		*ret = slice_trim(line);
		count++;
	}
	return count;
}

bool outgoing_has_header(const struct outgoing_request *request, struct slice name)
{
	struct slice value;
	return find_header(request, name, &value) > 0;
}

struct slice outgoing_answer_header(const struct outgoing_request *request, struct slice name)
{
	struct slice value;
	return find_header(request, name, &value) == 1 ? value : (struct slice){NULL, 0};
}

void outgoing_request_release(struct outgoing_request *request)
{
	strbuf_release(&request->answer_headers);
	strbuf_release(&request->answer);
	budget_close(&request->memory_);
}

void outgoing_stop(struct outgoing *outgoing, int64_t grace_ms)
{
	(void)pthread_mutex_lock(&outgoing->lock);
	outgoing->stopping = true;
	outgoing->stop_at_ms = clock_monotonic_ms() + grace_ms;
	(void)curl_multi_wakeup(outgoing->multi);
	(void)pthread_mutex_unlock(&outgoing->lock);
	(void)pthread_join(outgoing->thread, NULL);
	outgoing->joined = true;
}

void outgoing_free(struct outgoing *outgoing)
{
	if (!outgoing)
		return;
	if (!outgoing->joined)
		outgoing_stop(outgoing, 0);
	outgoing_release(outgoing);
}
