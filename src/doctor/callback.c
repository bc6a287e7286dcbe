/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store is asked to call back with a pass in the URL (mirror.h): its answer, which the uploader
 * gets, then shows the callback as it reached the application server.
 */
#include <netdb.h>
#include <stdlib.h>

#include "base/encode.h"
#include "base/host.h"
#include "crypto/rsa.h"
#include "doctor/doctor_internal.h"
#include "doctor/mirror.h"
#include "oss/callback/callback_params.h"
#include "oss/callback/callback_signature.h"
#include "oss/text/json_load.h"
#include "oss/text/json_text.h"

/* What proxies like to change: an escape, a plus, and a byte order that decoding loses. */
#define BODY                                                                               \
	"bucket=${bucket}&object=${object}&size=${size}&mimeType=${mimeType}&etag=${etag}" \
	"&doctor=a%20b+c%2Fd"

/* ---- Asking for it ----------------------------------------------------------------------------
 */

static struct slice first_url(const struct doctor *d)
{
	struct slice rest = d->settings.callback_url, url = S("");
	while (url.len == 0 && rest.len > 0)
		(void)slice_cut(&rest, ';', &url);
	return slice_trim(url);
}

static struct slice shown_url(const struct doctor *d)
{
	return doctor_without_query(first_url(d));
}

static void add_url(const struct doctor *d, struct strbuf *out)
{
	struct slice url = first_url(d);
	strbuf_add_slice(out, url);
	strbuf_adds(out, slice_find(url, '?') < url.len ? "&" : "?");
	strbuf_adds(out, MIRROR_PARAM "=");
	mirror_pass(provider_grant_secret(&d->settings.credentials), doctor_now_ms(d), out);
}

void doctor_add_callback(struct doctor *d, struct strbuf *out)
{
	SCOPED_STRBUF(url, DOCTOR_TEXT_BYTES_MAX);
	SCOPED_STRBUF(json, DOCTOR_TEXT_BYTES_MAX);
	if (d->settings.callback_url.len == 0) {
		report_add(d->report, FINDING_WARNING, "callback",
			"set [app] callback_url, unless uploads are learnt of in another way",
			"no callback is configured, so none was tried.");
		return;
	}
	add_url(d, &url);
	strbuf_addc(&json, '{');
	json_member_string(&json, "callbackUrl", strbuf_slice(&url));
	json_member_string(&json, "callbackBody", S(BODY));
	json_member_string(&json, "callbackBodyType", S("application/x-www-form-urlencoded"));
	strbuf_addc(&json, '}');
	base64_encode(out, strbuf_slice(&json));
}

/* ---- Where it goes ----------------------------------------------------------------------------
 */

/* Whether the host of the URL has an address that is not public; then *ret is one. */
static bool is_private(const struct doctor *d, struct strbuf *host, struct strbuf *ret)
{
	struct arena arena;
	struct callback_url url;
	struct addrinfo *found = NULL;
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	SCOPED_STRBUF(reason, KIB(1));
	char text[NI_MAXHOST];
	bool refused = false;
	arena_init(&arena, NULL, 0, DOCTOR_TEXT_BYTES_MAX);
	if (callback_url_parse(first_url(d), &arena, &url, &reason) == ERR_OK) {
		struct slice name = host_of_authority(url.host);
		if (slice_starts(name, S("[")) && slice_ends(name, S("]")))
			name = slice_of(name.ptr + 1, name.len - 2);
		strbuf_add_slice(host, name);
		if (getaddrinfo(host->ptr, NULL, &hints, &found) != 0)
			found = NULL;
	}
	for (const struct addrinfo *a = found; a && !refused; a = a->ai_next) {
		refused = address_refused(a->ai_addr);
		if (refused && getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof(text), NULL, 0,
				       NI_NUMERICHOST) == 0)
			strbuf_adds(ret, text);
	}
	if (found)
		freeaddrinfo(found);
	arena_reset(&arena);
	return refused;
}

/* True, reported, if the host is what keeps the store from calling back. */
static bool check_address(struct doctor *d, const struct store_error *error)
{
	SCOPED_STRBUF(host, KIB(1));
	SCOPED_STRBUF(address, KIB(1));
	if (!is_private(d, &host, &address))
		return false;
	report_add(d->report, FINDING_FAILED, "callback",
		"give [app] callback_url a host with a public address; a store of your own also "
		"calls what its "
		"[store] callback_allow lists",
		"the store does not call %s: its address %s is not public (%s).", host.ptr,
		address.ptr, error->message.ptr);
	return true;
}

void doctor_callback_refused(struct doctor *d, const struct store_error *error)
{
	if (!check_address(d, error))
		report_add(d->report, FINDING_FAILED, "callback", "correct [app] callback_url",
			"the store refuses to call back: %s %s %s", error->code.ptr, error->ec.ptr,
			error->message.ptr);
}

/* ---- What came in -----------------------------------------------------------------------------
 */

struct received {
	struct strbuf target;
	struct strbuf host;
	struct strbuf authorization;
	struct strbuf key_url;
	struct strbuf body;
};

static void received_init(struct received *r)
{
	strbuf_init(&r->target, DOCTOR_TEXT_BYTES_MAX);
	strbuf_init(&r->host, DOCTOR_TEXT_BYTES_MAX);
	strbuf_init(&r->authorization, DOCTOR_TEXT_BYTES_MAX);
	strbuf_init(&r->key_url, DOCTOR_TEXT_BYTES_MAX);
	strbuf_init(&r->body, DOCTOR_TEXT_BYTES_MAX);
}

static void received_release(struct received *r)
{
	strbuf_release(&r->target);
	strbuf_release(&r->host);
	strbuf_release(&r->authorization);
	strbuf_release(&r->key_url);
	strbuf_release(&r->body);
}

static bool read_member(const json_t *object, const char *name, struct strbuf *ret)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text && base64_decode(ret, slice_str(text));
}

/* False if the answer is not a mirror's. */
static bool received_read(struct slice answer, struct received *ret)
{
	json_error_t fault;
	bool no_memory;
	SCOPED_STRBUF(encoded, DOCTOR_TEXT_BYTES_MAX);
	json_t *object = json_load_text(answer, 0, &fault, &no_memory);
	bool ok = json_is_true(json_object_get(object, MIRROR_MARK)) &&
		  read_member(object, "target", &ret->target) &&
		  read_member(object, "host", &ret->host) &&
		  read_member(object, "authorization", &ret->authorization) &&
		  read_member(object, "keyUrl", &encoded) &&
		  read_member(object, "body", &ret->body);
	json_decref(object);
	/* As the header has it: once more in base64, or not at all. */
	if (ok && !base64_decode(&ret->key_url, strbuf_slice(&encoded)))
		strbuf_clear(&ret->key_url);
	return ok;
}

/* As the application server does. */
static bool is_trusted(const struct doctor *d, struct slice url)
{
	const struct settings_list *trusted = &d->settings.rules->key_urls;
	for (size_t i = 0; i < trusted->count; i++) {
		struct slice entry = trusted->words[i];
		if (slice_ends(entry, S("/")) ? slice_starts(url, entry) : slice_eq(url, entry))
			return true;
	}
	return url.len > 0 && slice_eq(url, d->options->own_key_url);
}

/* NULL, reported, if it cannot be had. */
static struct rsa_public *fetch_key(struct doctor *d, const struct strbuf *url)
{
	struct rsa_public *key = NULL;
	struct outgoing_request request = {.url = url->ptr,
		.flags = slice_eq(strbuf_slice(url), d->options->own_key_url)
				 ? OUTGOING_ANY_CERTIFICATE
				 : 0};
	asker_ask(&d->asker, &request);
	if (request.kind != OUTGOING_ANSWERED || request.status != 200 ||
		rsa_public_parse(strbuf_slice(&request.answer), &key) != ERR_OK)
		report_add(d->report, FINDING_FAILED, "key-url",
			"let this machine reach the URL, or see what serves it",
			"the public key of the callback cannot be had from %s: %s (status %d).",
			url->ptr, request.fault ? request.fault : "no RSA key as PEM",
			request.status);
	outgoing_request_release(&request);
	return key;
}

static void check_host(struct doctor *d, const struct received *r)
{
	if (hosts_admit(&d->settings.rules->hosts, strbuf_slice(&r->host)))
		return;
	report_add(d->report, FINDING_FAILED, "host",
		"let the proxy pass Host on, or list the name in [app] hosts",
		"the application server is asked by the name %s, which it does not know: it "
		"answers 421.",
		r->host.ptr);
}

static void check_signature(
	struct doctor *d, const struct received *r, const struct rsa_public *key)
{
	SCOPED_STRBUF(url, DOCTOR_TEXT_BYTES_MAX);
	SCOPED_STRBUF(why, DOCTOR_TEXT_BYTES_MAX);
	SCOPED_STRBUF(reason, KIB(1));
	struct arena arena;
	struct callback_url asked = {.target = S("/")};
	if (callback_verify(key, strbuf_slice(&r->target), strbuf_slice(&r->authorization),
		    strbuf_slice(&r->body))) {
		report_add(d->report, FINDING_OK, "callback", NULL,
			"the store's callback to %.*s came in as it was signed",
			SLICE_FMT(shown_url(d)));
		return;
	}
	/* The pass is in what came in, whatever became of the path before it. */
	arena_init(&arena, NULL, 0, DOCTOR_TEXT_BYTES_MAX);
	strbuf_add_slice(&url, first_url(d));
	size_t pass = slice_find_slice(strbuf_slice(&r->target), S(MIRROR_PARAM "="));
	strbuf_adds(&url, slice_find(first_url(d), '?') < first_url(d).len ? "&" : "?");
	strbuf_add_slice(&url, slice_from(strbuf_slice(&r->target), pass));
	if (callback_url_parse(strbuf_slice(&url), &arena, &asked, &reason) != ERR_OK)
		asked.target = S("/");
	(void)callback_verify_explain(key, strbuf_slice(&r->target),
		strbuf_slice(&r->authorization), strbuf_slice(&r->body), &asked.target, 1, &why);
	report_add(d->report, FINDING_FAILED, "callback",
		"let the proxy pass path, query and body on byte by byte, prefix included",
		"the signature of the callback does not verify: a proxy on the way changes it. %s "
		"What came "
		"in: %.*s, with%s a query",
		why.ptr, SLICE_FMT(doctor_without_query(strbuf_slice(&r->target))),
		slice_find(strbuf_slice(&r->target), '?') < r->target.len ? "" : "out");
	arena_reset(&arena);
}

static void check_received(struct doctor *d, const struct received *r)
{
	check_host(d, r);
	if (r->key_url.len == 0) {
		report_add(d->report, FINDING_FAILED, "key-url",
			"let the proxy pass all headers on",
			"the callback came in without the header x-oss-pub-key-url.");
		return;
	}
	/* Nothing is fetched from where anybody may have named. */
	if (!is_trusted(d, strbuf_slice(&r->key_url))) {
		report_add(d->report, FINDING_FAILED, "key-url",
			"if that is the store's key, add the URL to [app] key_urls",
			"the store's key is at %s, which no entry of key_urls covers: the "
			"application server "
			"refuses every callback.",
			r->key_url.ptr);
		return;
	}
	struct rsa_public *key = fetch_key(d, &r->key_url);
	if (key)
		check_signature(d, r, key);
	rsa_public_free(key);
}

void doctor_check_callback(struct doctor *d, struct slice answer)
{
	struct received r;
	received_init(&r);
	if (received_read(answer, &r))
		check_received(d, &r);
	else
		report_add(d->report, FINDING_FAILED, "callback",
			"see where the proxy sends the URL, that it keeps the query, and that the "
			"server that runs "
			"has this configuration",
			"something else than this application server answered the callback to "
			"%.*s, with 200 and: %.*s",
			SLICE_FMT(shown_url(d)), SLICE_FMT(slice_head(answer, 200)));
	received_release(&r);
}

/* ---- It failed: what does this machine get at that URL? ---------------------------------------
 */

static void ask_ourselves(struct doctor *d, const struct store_error *error)
{
	static const char *const headers[] = {"Content-Type: application/x-www-form-urlencoded"};
	SCOPED_STRBUF(url, DOCTOR_TEXT_BYTES_MAX);
	struct received r;
	add_url(d, &url);
	struct outgoing_request request = {
		.url = url.ptr,
		.method = OUTGOING_POST,
		.body = S(BODY),
		.headers = headers,
		.header_count = ARRAY_LEN(headers),
	};
	received_init(&r);
	asker_ask(&d->asker, &request);
	if (request.kind != OUTGOING_ANSWERED)
		report_add(d->report, FINDING_FAILED, "callback",
			"start the application server (and the proxy in front of it), and let the "
			"store reach it",
			"the store's callback to %.*s failed (%s), and nothing answers there: %s.",
			SLICE_FMT(shown_url(d)), error->message.ptr,
			request.fault ? request.fault : "no reason is known");
	else if (received_read(strbuf_slice(&request.answer), &r))
		report_add(d->report, FINDING_FAILED, "callback",
			"see the firewall, the certificate and the time that the way takes: the "
			"store waits five seconds",
			"the store's callback to %.*s failed (%s), though the application server "
			"answers there when this machine asks.",
			SLICE_FMT(shown_url(d)), error->message.ptr);
	else
		report_add(d->report, FINDING_FAILED, "callback",
			"see where the proxy sends the URL, that it keeps path and query, and that "
			"the server that "
			"runs has this configuration",
			"the store's callback to %.*s failed (%s); whoever answers there, with "
			"status %d, is "
			"not this application server.",
			SLICE_FMT(shown_url(d)), error->message.ptr, request.status);
	received_release(&r);
	outgoing_request_release(&request);
}

void doctor_callback_failed(struct doctor *d, const struct store_error *error)
{
	struct slice message = strbuf_slice(&error->message);
	bool about_address = slice_find_slice(message, S("public")) < message.len ||
			     slice_find_slice(message, S("rivate")) < message.len;
	if (!about_address || !check_address(d, error))
		ask_ourselves(d, error);
}
