/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends the preflights that a browser would send, one for each origin and method, and reads the
 * CORS headers of the answers.
 */
#include "doctor/doctor_internal.h"
#include "http/url.h"

#define ORIGIN_BYTES_MAX KIB(2)

/* What pages read of answers, and who needs it. */
static const struct slice exposed[] = {
	SLICE_LIT("ETag"), SLICE_LIT("x-oss-request-id"), SLICE_LIT("x-oss-hash-crc64ecma")};

static bool lists(struct slice list, struct slice word)
{
	struct slice entry;
	while (slice_next_word(&list, &entry))
		if (slice_eq_nocase(entry, word) || slice_eq(entry, S("*")))
			return true;
	return false;
}

static void preflight(
	struct doctor *d, struct slice origin, const char *method, struct outgoing_request *request)
{
	SCOPED_STRBUF(url, DOCTOR_TEXT_BYTES_MAX);
	SCOPED_STRBUF(from, ORIGIN_BYTES_MAX);
	SCOPED_STRBUF(wanted, 128);
	strbuf_addf(&url, "%.*s/", SLICE_FMT(d->settings.host));
	strbuf_addf(&from, "Origin: %.*s", SLICE_FMT(origin));
	strbuf_addf(&wanted, "Access-Control-Request-Method: %s", method);
	const char *const headers[] = {
		from.ptr, wanted.ptr, "Access-Control-Request-Headers: content-type"};
	*request = (struct outgoing_request){
		.url = url.ptr,
		.method = OUTGOING_OPTIONS,
		.headers = headers,
		.header_count = ARRAY_LEN(headers),
		.flags = d->settings.any_certificate ? OUTGOING_ANY_CERTIFICATE : 0,
	};
	asker_ask(&d->asker, request);
}

static bool allows(const struct outgoing_request *answer, struct slice origin)
{
	struct slice allowed = outgoing_answer_header(answer, S("Access-Control-Allow-Origin"));
	return answer->status / 100 == 2 &&
	       (slice_eq(allowed, S("*")) || slice_eq_nocase(allowed, origin));
}

/* Whether the method is allowed, which is reported if it is not. */
static bool check_method(struct doctor *d, struct slice origin, const char *method,
	const struct outgoing_request *answer)
{
	struct store_error error;
	if (answer->kind != OUTGOING_ANSWERED) {
		report_add(d->report, FINDING_FAILED, "cors",
			"see whether [app] host is right and reachable from here",
			"%.*s, where browsers upload to, does not answer: %s.",
			SLICE_FMT(d->settings.host),
			answer->fault ? answer->fault : "no reason is known");
		return false;
	}
	if (allows(answer, origin))
		return true;
	store_error_read(answer, &error);
	report_add(d->report, FINDING_FAILED, "cors",
		"add a rule to the bucket: the origin of the page, methods POST (and PUT, for "
		"uploads in parts), "
		"allowed headers *, exposed headers ETag, x-oss-request-id and "
		"x-oss-hash-crc64ecma",
		"browsers refuse %s from pages of %.*s: no CORS rule of the bucket allows it "
		"(status %d %s).",
		method, SLICE_FMT(origin), answer->status, error.code.ptr);
	store_error_release(&error);
	return false;
}

static void check_exposed(
	struct doctor *d, struct slice origin, const struct outgoing_request *answer)
{
	struct slice list = outgoing_answer_header(answer, S("Access-Control-Expose-Headers"));
	SCOPED_STRBUF(missing, 256);
	bool parts = d->settings.multipart_path.len > 0;
	bool etag = lists(list, exposed[0]);
	for (size_t i = 0; i < ARRAY_LEN(exposed); i++)
		if (!lists(list, exposed[i]))
			strbuf_addf(&missing, "%s%.*s", missing.len > 0 ? ", " : "",
				SLICE_FMT(exposed[i]));
	if (missing.len == 0)
		report_add(d->report, FINDING_OK, "cors", NULL,
			"pages of %.*s may upload and read the answers", SLICE_FMT(origin));
	else
		report_add(d->report, parts && !etag ? FINDING_FAILED : FINDING_WARNING, "cors",
			"add the headers to the exposed ones of the bucket's CORS rule",
			"pages of %.*s may upload, but cannot read %s of the answers%s",
			SLICE_FMT(origin), missing.ptr,
			parts && !etag ? ": uploads in parts fail without ETag."
				       : ": the client cannot check or name what it sent.");
}

static void check_origin(struct doctor *d, struct slice origin)
{
	struct outgoing_request post, put = {.answer = STRBUF_INIT(0)};
	bool parts = d->settings.multipart_path.len > 0;
	preflight(d, origin, "POST", &post);
	bool ok = check_method(d, origin, "POST", &post);
	if (ok && parts) {
		preflight(d, origin, "PUT", &put);
		ok = check_method(d, origin, "PUT", &put);
		outgoing_request_release(&put);
	}
	if (ok)
		check_exposed(d, origin, &post);
	outgoing_request_release(&post);
}

void doctor_check_origins(struct doctor *d)
{
	const struct rules *rules = d->settings.rules;
	struct slice rest = d->options->origins, origin;
	size_t count = 0;
	while (slice_next_word(&rest, &origin)) {
		check_origin(d, origin);
		count++;
	}
	for (size_t i = 0; count == 0 && d->options->origins.len == 0 && i < rules->origins.count;
		i++)
		if (rules_name_origin(rules, rules->origins.words[i]))
			check_origin(d, rules->origins.words[i]);
	if (count == 0 && (rules->any_origin || rules->origins.count == 0))
		report_add(d->report, FINDING_WARNING, "cors",
			"name the origin of a page with --origin",
			"allowed_origins names no page, so no CORS rule was looked for.");
}
