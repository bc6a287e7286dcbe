/* SPDX-License-Identifier: Apache-2.0 */
/* What libcurl is told to do for one request. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/host.h"
#include "http/url.h"
#include "net/outgoing_internal.h"

#define TRANSFER_TEXT_MAX KIB(64)
/* Callbacks are small; libcurl's default of 16 KiB for each is not needed. */
#define RECEIVE_BUFFER_BYTES 4096
/* What stands for a name while libcurl connects; `invalid` is reserved for what is none. */
#define ALIAS "a%" PRIu64 ".invalid"
/* libcurl forgets the addresses of an alias soon after. */
#define ALIAS_SECONDS 15

/* The parts of the request's URL, in libcurl's form. */
struct url_parts {
	struct slice authority;     /* as written: what Host says unless overridden */
	struct slice target;        /* path and query as written; may lack its `/` */
	char *scheme, *host, *port; /* libcurl's reading */
};

/* ---- Where we connect to ----------------------------------------------------------------------
 */

/* The one place where an address becomes a connection. */
static curl_socket_t on_open(void *state, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct transfer *transfer = state;
	const struct outgoing_request *request = transfer->request;
	bool allowed =
		purpose == CURLSOCKTYPE_IPCXN &&
		((request->flags & OUTGOING_ANY_ADDRESS) || !address_refused(&address->addr) ||
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
	return host_parse_address(AF_INET, slice_str(host), bytes) ||
	       host_parse_address(AF_INET6, slice_str(host), bytes);
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

static void url_parts_release(struct url_parts *parts)
{
	curl_free(parts->scheme);
	curl_free(parts->host);
	curl_free(parts->port);
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

/*
 * libcurl's reading decides what we connect to; it refuses user:password@ and odd ports. What is
 * sent is as written: the receiver verifies a signature over it.
 */
static bool url_parts_parse(const char *url, struct url_parts *ret)
{
	CURLU *parts = curl_url();
	bool ok = parts && is_plain_text(url) &&
		  curl_url_set(parts, CURLUPART_URL, url, CURLU_PATH_AS_IS | CURLU_DISALLOW_USER) ==
			  CURLUE_OK &&
		  curl_url_get(parts, CURLUPART_SCHEME, &ret->scheme, 0) == CURLUE_OK &&
		  curl_url_get(parts, CURLUPART_HOST, &ret->host, 0) == CURLUE_OK &&
		  curl_url_get(parts, CURLUPART_PORT, &ret->port, CURLU_DEFAULT_PORT) == CURLUE_OK;
	curl_url_cleanup(parts);
	struct url written;
	ok = ok && url_split(slice_str(url), &written);
	if (ok) {
		ret->authority = written.authority;
		ret->target = written.target;
	}
	return ok;
}

static bool add_line(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);
	if (longer)
		*list = longer;
	return longer != NULL;
}

static bool set_lines(struct transfer *transfer, const struct url_parts *parts)
{
	const struct outgoing_request *request = transfer->request;
	SCOPED_STRBUF(host, TRANSFER_TEXT_MAX);
	strbuf_adds(&host, "Host: ");
	strbuf_add_slice(&host, request->host ? slice_str(request->host) : parts->authority);
	/* Headers that libcurl would add by itself. */
	bool ok = !strbuf_broken(&host) && add_line(&transfer->lines, host.ptr) &&
		  add_line(&transfer->lines, "Connection: close") &&
		  add_line(&transfer->lines, "Accept:") && add_line(&transfer->lines, "Expect:");
	for (size_t i = 0; ok && i < request->header_count; i++)
		ok = add_line(&transfer->lines, request->headers[i]);
	return ok &&
	       curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->lines) == CURLE_OK;
}

/*
 * libcurl never looks up a name, for it would start a thread for each: it is told to connect to an
 * alias, which is nobody else's, and later which addresses that has.
 */
static bool connect_to(struct transfer *transfer, const struct url_parts *parts)
{
	SCOPED_STRBUF(text, TRANSFER_TEXT_MAX);
	if (transfer->alias)
		strbuf_addf(&text, "::" ALIAS ":%s", transfer->alias, parts->port);
	else
		strbuf_addf(&text, "::%s:%s", parts->host, parts->port);
	return !strbuf_broken(&text) && add_line(&transfer->connect_to, text.ptr) &&
	       curl_easy_setopt(transfer->easy, CURLOPT_CONNECT_TO, transfer->connect_to) ==
		       CURLE_OK;
}

/* Sets the URL and, for TLS, who is greeted and whose certificate is expected. */
static bool set_url(struct transfer *transfer, const struct url_parts *parts)
{
	const struct outgoing_request *request = transfer->request;
	struct slice url_host = slice_str(parts->host);
	struct slice name = request->host ? host_of_authority(slice_str(request->host))
					  : slice_str(transfer->host);
	bool tls = slice_eq(slice_str(parts->scheme), S("https"));
	bool same = slice_eq_nocase(name, slice_str(transfer->host));
	SCOPED_STRBUF(text, TRANSFER_TEXT_MAX);
	CURL *easy = transfer->easy;
	if (!connect_to(transfer, parts))
		return false;
	if (tls && (!same || (!(request->flags & OUTGOING_SNI) && !is_address(transfer->host)))) {
		url_host = request->flags & OUTGOING_SNI ? name : S("0.0.0.0");
		if (!(request->flags & OUTGOING_SNI)) {
			transfer->tls_name = strndup(name.ptr, name.len);
			if (!transfer->tls_name ||
				curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L) != CURLE_OK ||
				curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_tls_context) !=
					CURLE_OK ||
				curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, transfer) != CURLE_OK)
				return false;
		}
	}
	strbuf_addf(&text, "%s://%.*s:%s/", parts->scheme, SLICE_FMT(url_host), parts->port);
	if (strbuf_broken(&text) || curl_easy_setopt(easy, CURLOPT_URL, text.ptr) != CURLE_OK)
		return false;
	strbuf_clear(&text);
	if (parts->target.len == 0 || parts->target.ptr[0] != '/')
		strbuf_addc(&text, '/');
	strbuf_add_slice(&text, parts->target);
	return !strbuf_broken(&text) &&
	       curl_easy_setopt(easy, CURLOPT_REQUEST_TARGET, text.ptr) == CURLE_OK;
}

/* What is the same for every request: what is never done, and the callbacks. */
static bool set_rules(struct transfer *transfer)
{
	static const struct {
		CURLoption option;
		long value;
	} numbers[] = {
		{CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
		{CURLOPT_FOLLOWLOCATION, 0},
		{CURLOPT_NETRC, CURL_NETRC_IGNORED},
		{CURLOPT_FRESH_CONNECT, 1},
		{CURLOPT_FORBID_REUSE, 1},
		{CURLOPT_SSL_SESSIONID_CACHE, 0},
		{CURLOPT_NOSIGNAL, 1},
		{CURLOPT_DNS_CACHE_TIMEOUT, ALIAS_SECONDS},
		{CURLOPT_BUFFERSIZE, RECEIVE_BUFFER_BYTES},
	};
	const struct {
		CURLoption option;
		const void *value;
	} pointers[] = {
		{CURLOPT_PROTOCOLS_STR, "http,https"},
		{CURLOPT_PROXY, ""},
		{CURLOPT_NOPROXY, "*"},
		{CURLOPT_OPENSOCKETDATA, transfer},
		{CURLOPT_HEADERDATA, transfer},
		{CURLOPT_WRITEDATA, transfer},
		{CURLOPT_ERRORBUFFER, transfer->fault},
		{CURLOPT_PRIVATE, transfer},
		{CURLOPT_CAINFO, transfer->outgoing->ca_file},
	};
	CURL *easy = transfer->easy;
	bool ok = curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open) == CURLE_OK &&
		  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, transfer_on_header) == CURLE_OK &&
		  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, transfer_on_body) == CURLE_OK;
	for (size_t i = 0; ok && i < ARRAY_LEN(numbers); i++)
		ok = curl_easy_setopt(easy, numbers[i].option, numbers[i].value) == CURLE_OK;
	for (size_t i = 0; ok && i < ARRAY_LEN(pointers); i++)
		ok = !pointers[i].value ||
		     curl_easy_setopt(easy, pointers[i].option, pointers[i].value) == CURLE_OK;
	return ok;
}

static bool set_body(CURL *easy, struct slice body)
{
	return curl_easy_setopt(easy, CURLOPT_POST, 1L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len) ==
		       CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.len > 0 ? body.ptr : "") == CURLE_OK;
}

static bool set_message(struct transfer *transfer)
{
	const struct outgoing_request *request = transfer->request;
	CURL *easy = transfer->easy;
	if ((request->flags & OUTGOING_ANY_CERTIFICATE) &&
		(curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L) != CURLE_OK ||
			curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L) != CURLE_OK))
		return false;
	switch (request->method) {
	case OUTGOING_GET:
		return curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L) == CURLE_OK;
	case OUTGOING_HEAD:
		return curl_easy_setopt(easy, CURLOPT_NOBODY, 1L) == CURLE_OK;
	case OUTGOING_POST:
		return set_body(easy, request->body);
	case OUTGOING_PUT:
		return set_body(easy, S("")) &&
		       curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, "PUT") == CURLE_OK;
	case OUTGOING_DELETE:
	case OUTGOING_OPTIONS:
		break;
	}
	return curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST,
		       request->method == OUTGOING_DELETE ? "DELETE" : "OPTIONS") == CURLE_OK;
}

void transfer_free(struct transfer *transfer)
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

static bool transfer_prepare(struct transfer *transfer, const struct url_parts *parts)
{
	struct slice host = slice_str(parts->host);
	if (host.len > 1 && host.ptr[0] == '[')
		host = slice_of(host.ptr + 1, host.len - 2);
	strbuf_init(&transfer->name.addresses, 0);
	transfer->host = strndup(host.ptr, host.len);
	transfer->port = strdup(parts->port);
	transfer->easy = curl_easy_init();
	if (transfer->host && !is_address(transfer->host))
		transfer->alias = ++transfer->outgoing->aliases;
	return transfer->host && transfer->port && transfer->easy && set_rules(transfer) &&
	       set_message(transfer) && set_lines(transfer, parts) && set_url(transfer, parts);
}

enum outgoing_kind transfer_new(
	struct outgoing *outgoing, struct outgoing_request *request, struct transfer **ret)
{
	SCOPED_STRBUF(url, TRANSFER_TEXT_MAX);
	if (slice_find_slice(slice_str(request->url), S("://")) == strlen(request->url))
		strbuf_adds(&url, "http://");
	strbuf_adds(&url, request->url);
	struct url_parts parts = {.port = NULL};
	enum outgoing_kind kind = OUTGOING_BAD_REQUEST;
	if (!strbuf_broken(&url) && headers_are_sound(request) &&
		url_parts_parse(url.ptr, &parts)) {
		kind = OUTGOING_BUSY;
		struct transfer *transfer = calloc(1, sizeof(*transfer));
		if (transfer) {
			transfer->outgoing = outgoing;
			transfer->request = request;
			if (transfer_prepare(transfer, &parts)) {
				kind = OUTGOING_ANSWERED;
				*ret = transfer;
			} else {
				transfer_free(transfer);
			}
		}
	}
	url_parts_release(&parts);
	return kind;
}

bool transfer_connect(struct outgoing *outgoing, struct transfer *transfer)
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
