/* SPDX-License-Identifier: Apache-2.0 */
/* Signed requests to the store: whether it answers, its clock agrees, and what the key may do. */
#include <inttypes.h>

#include "base/encode.h"
#include "doctor/doctor_internal.h"
#include "http/date.h"
#include "oss/sign/sign_v1.h"
#include "oss/sign/sign_v4.h"
#include "oss/text/iso8601.h"
#include "oss/text/xml.h"

#define WARNING_SKEW_S 60
#define LINES_MAX 4

/* ---- A signed request -------------------------------------------------------------------------
 */

struct signing {
	struct sign_request text;
	struct http_header headers[LINES_MAX];
	struct strbuf lines[LINES_MAX];
	const char *texts[LINES_MAX];
	size_t line_count;
};

static void add_line(struct signing *s, const char *name, struct slice value)
{
	struct strbuf *line = &s->lines[s->line_count];
	strbuf_init(line, DOCTOR_TEXT_BYTES_MAX);
	strbuf_addf(line, "%s: %.*s", name, SLICE_FMT(value));
	s->texts[s->line_count++] = line->ptr;
}

static void add_header(struct signing *s, const char *name, struct slice value)
{
	s->headers[s->text.header_count++] = (struct http_header){slice_str(name), value};
	s->text.headers = s->headers;
	add_line(s, name, value);
}

static bool sign(const struct doctor *d, int version, struct signing *s)
{
	const struct settings *settings = &d->settings;
	const struct credential_values *who = &d->who;
	int64_t now_ms = doctor_now_ms(d);
	char date[DATE_SIZE];
	SCOPED_STRBUF(time, 32);
	SCOPED_STRBUF(authorization, DOCTOR_TEXT_BYTES_MAX);
	const struct sign_v4_signer signer = {
		.access_key_id = who->id,
		.secret = who->secret,
		.region = settings->region,
		.product = S("oss"),
	};
	if (who->token.len > 0)
		add_header(s, "x-oss-security-token", who->token);
	bool ok;
	if (version == 1) {
		date_format(now_ms / 1000, date);
		add_header(s, "Date", slice_str(date));
		ok = sign_v1_header(&s->text, who->id, who->secret, &authorization);
	} else {
		iso8601_add_basic(&time, now_ms);
		add_header(s, "x-oss-content-sha256", S(SIGN_V4_PAYLOAD));
		add_header(s, "x-oss-date", strbuf_slice(&time));
		ok = sign_v4_header(&s->text, &signer, now_ms, &authorization);
	}
	add_line(s, "Authorization", strbuf_slice(&authorization));
	return ok;
}

void doctor_ask_store(
	struct doctor *d, struct slice method, int version, struct outgoing_request *request)
{
	struct signing s = {.text = {.method = method,
				    .bucket = d->settings.bucket,
				    .key = strbuf_slice(&d->key)}};
	SCOPED_STRBUF(url, DOCTOR_TEXT_BYTES_MAX);
	strbuf_add_slice(&url, d->settings.store_url);
	strbuf_addc(&url, '/');
	percent_encode_path(&url, s.text.key);
	bool signed_ = sign(d, version, &s);
	*request = (struct outgoing_request){
		.url = signed_ ? url.ptr : "",
		.method = outgoing_method_of(method),
		.headers = s.texts,
		.header_count = s.line_count,
		.flags = d->settings.any_certificate ? OUTGOING_ANY_CERTIFICATE : 0,
	};
	asker_ask(&d->asker, request);
	for (size_t i = 0; i < s.line_count; i++)
		strbuf_release(&s.lines[i]);
}

/* ---- Error documents --------------------------------------------------------------------------
 */

static enum err set(struct strbuf *to, struct slice text)
{
	strbuf_clear(to);
	strbuf_add_slice(to, text);
	return ERR_OK;
}

#define SETTER(member)                                                                           \
	static enum err set_##member(void *ctx, struct slice text, struct strbuf *reason UNUSED) \
	{                                                                                        \
		return set(&((struct store_error *)ctx)->member, text);                          \
	}
SETTER(code)
SETTER(message)
SETTER(ec)
SETTER(endpoint)

static const struct xml_element elements[] = {
	{.path = "/Error", .skips_unknown = true},
	{.path = "/Error/Code", .text = set_code},
	{.path = "/Error/Message", .text = set_message},
	{.path = "/Error/EC", .text = set_ec},
	{.path = "/Error/Endpoint", .text = set_endpoint},
};

void store_error_read(const struct outgoing_request *request, struct store_error *ret)
{
	SCOPED_STRBUF(reason, KIB(4));
	strbuf_init(&ret->code, KIB(1));
	strbuf_init(&ret->message, KIB(4));
	strbuf_init(&ret->ec, KIB(1));
	strbuf_init(&ret->endpoint, KIB(1));
	if (xml_read(strbuf_slice(&request->answer), elements, ARRAY_LEN(elements), ret, &reason) !=
		ERR_OK)
		strbuf_clear(&ret->code);
}

void store_error_release(struct store_error *error)
{
	strbuf_release(&error->code);
	strbuf_release(&error->message);
	strbuf_release(&error->ec);
	strbuf_release(&error->endpoint);
}

/* ---- The checks -------------------------------------------------------------------------------
 */

static bool is(const struct strbuf *text, const char *want)
{
	return slice_eq(strbuf_slice(text), slice_str(want));
}

/* What the clocks differ by shows in the answer's Date. */
static bool check_clock(struct doctor *d, const struct outgoing_request *answer)
{
	int64_t theirs;
	if (!date_parse(outgoing_answer_header(answer, S("Date")), &theirs)) {
		report_add(d->report, FINDING_WARNING, "clock", NULL,
			"the store does not say what time it is: the answer has no Date");
		return true;
	}
	int64_t off = doctor_now_ms(d) / 1000 - theirs;
	int64_t by = off < 0 ? -off : off;
	const char *how = off < 0 ? "behind" : "ahead of";
	if (by > LIMIT_CLOCK_SKEW_MS / 1000) {
		report_add(d->report, FINDING_FAILED, "clock",
			"set this machine's clock, and keep it right with NTP",
			"this machine's clock is %" PRId64
			" s %s the store's: nothing that it signs is "
			"accepted.",
			by, how);
		return false;
	}
	if (by > WARNING_SKEW_S)
		report_add(d->report, FINDING_WARNING, "clock",
			"set this machine's clock, and keep it right with NTP",
			"this machine's clock is %" PRId64
			" s %s the store's: policies live shorter or longer than expire_seconds "
			"says.",
			by, how);
	else
		report_add(d->report, FINDING_OK, "clock", NULL,
			"this machine's and the store's differ by %" PRId64 " s", by);
	return true;
}

/* Whether the store takes what it refuses with V1 if it is signed by V4: trying shows it. */
static bool wants_v4(struct doctor *d, const struct store_error *v1)
{
	struct outgoing_request request;
	struct store_error error;
	doctor_ask_store(d, S("GET"), 4, &request);
	store_error_read(&request, &error);
	bool better = request.kind == OUTGOING_ANSWERED && !is(&error.code, v1->code.ptr) &&
		      (is(&error.code, "NoSuchKey") || is(&error.code, "AccessDenied") ||
			      is(&error.code, "NoSuchBucket"));
	store_error_release(&error);
	outgoing_request_release(&request);
	return better;
}

static bool tells_region(const struct store_error *error)
{
	return is(&error->code, "InvalidArgument") &&
	       slice_find_slice(strbuf_slice(&error->message), S("region")) < error->message.len;
}

/* `oss-cn-hangzhou` in the host of a bucket's URL. */
static struct slice region_of_host(struct slice url)
{
	size_t at = slice_find_slice(url, S(".oss-"));
	struct slice rest = slice_from(url, at), label;
	if (rest.len == 0)
		return rest;
	rest = slice_from(rest, strlen(".oss-"));
	(void)slice_cut(&rest, '.', &label);
	if (slice_ends(label, S("-internal")))
		label = slice_head(label, label.len - strlen("-internal"));
	return label;
}

static void add_region_failure(struct doctor *d, const struct store_error *error)
{
	struct slice host = region_of_host(d->settings.host);
	SCOPED_STRBUF(hint, KIB(1));
	if (host.len > 0)
		strbuf_addf(&hint, " The host says %.*s.", SLICE_FMT(host));
	report_add(d->report, FINDING_FAILED, "region",
		"set [app] region to the region of the bucket; its overview page has it",
		"[app] region is %.*s, and the store refuses signatures for it: %s%s",
		SLICE_FMT(d->settings.region), error->message.ptr, hint.ptr);
}

/* Of an answer that says neither that the object is missing nor that the key may not read. */
static void add_key_failure(
	struct doctor *d, const struct outgoing_request *request, const struct store_error *error)
{
	const struct settings *s = &d->settings;
	if (is(&error->code, "RequestTimeTooSkewed"))
		report_add(d->report, FINDING_FAILED, "clock",
			"set this machine's clock, and keep it right with NTP",
			"the store refuses the time of the signature: %s", error->message.ptr);
	else if (s->signature_version == 1 && wants_v4(d, error))
		report_add(d->report, FINDING_FAILED, "signature",
			"set [app] signature_version = 4 and region, and let pages use GET /grant",
			"the store refuses V1 signatures, and accepts V4: %s", error->message.ptr);
	else if (tells_region(error))
		add_region_failure(d, error);
	else if (is(&error->code, "SignatureDoesNotMatch"))
		report_add(d->report, FINDING_FAILED, "key",
			"give [app] access_key_secret the secret of this very key",
			"the secret is not that of the key %.*s: the store answers "
			"SignatureDoesNotMatch.",
			SLICE_FMT(d->who.id));
	else if (is(&error->code, "InvalidAccessKeyId"))
		report_add(d->report, FINDING_FAILED, "key",
			"look whether the key exists and is enabled, and whether access_key_id has "
			"it "
			"whole",
			"the store does not know the key %.*s (InvalidAccessKeyId).",
			SLICE_FMT(d->who.id));
	else
		report_add(d->report, FINDING_FAILED, "key", NULL,
			"the store refuses a signed request with status %d %s %s: %s",
			request->status, error->code.ptr, error->ec.ptr, error->message.ptr);
}

static void check_reading(struct doctor *d, bool may)
{
	const struct settings *s = &d->settings;
	bool need = s->confirm == APP_CONFIRM_ON;
	if (may)
		report_add(d->report, FINDING_OK, "read", NULL,
			"the key may read below the folder: callbacks can be confirmed");
	else if (s->confirm == APP_CONFIRM_OFF)
		report_add(d->report, FINDING_OK, "read", NULL,
			"the key may not read, and confirm = off");
	else
		report_add(d->report, need ? FINDING_FAILED : FINDING_WARNING, "read",
			"allow the key oss:GetObject below upload_dir",
			"the key may not read (oss:GetObject)%s",
			need ? ", and confirm = on: the application server does not start."
			     : ": uploads that callbacks tell of cannot be confirmed.");
}

static bool check_key(struct doctor *d, const struct outgoing_request *request)
{
	const struct settings *s = &d->settings;
	struct store_error error;
	store_error_read(request, &error);
	bool missing = is(&error.code, "NoSuchKey") || is(&error.code, "NoSuchBucket");
	bool elsewhere = error.endpoint.len > 0;
	bool denied = is(&error.code, "AccessDenied") && !elsewhere;
	bool usable = false;
	if (s->signature_version == 1 && denied && wants_v4(d, &error))
		denied = false;
	if (elsewhere) {
		report_add(d->report, FINDING_FAILED, "bucket",
			"give [app] host (and store_url) the endpoint of the bucket",
			"the bucket %.*s is at the endpoint %s, not here: %s", SLICE_FMT(s->bucket),
			error.endpoint.ptr, error.message.ptr);
	} else if (missing || denied) {
		report_add(d->report, FINDING_OK, "key", NULL,
			"the store takes the key %.*s, signed by V%d%s%.*s", SLICE_FMT(d->who.id),
			s->signature_version, s->signature_version == 4 ? " for the region " : "",
			SLICE_FMT(s->signature_version == 4 ? s->region : S("")));
		usable = !is(&error.code, "NoSuchBucket");
		if (usable) {
			report_add(d->report, FINDING_OK, "bucket", NULL, "there is a bucket %.*s",
				SLICE_FMT(s->bucket));
			check_reading(d, missing);
		} else {
			report_add(d->report, FINDING_FAILED, "bucket",
				"make the bucket, or correct [app] host and bucket",
				"there is no bucket %.*s at %.*s.", SLICE_FMT(s->bucket),
				SLICE_FMT(s->store_url));
		}
	} else {
		add_key_failure(d, request, &error);
	}
	store_error_release(&error);
	return usable;
}

bool doctor_check_store(struct doctor *d)
{
	struct outgoing_request request;
	doctor_ask_store(d, S("GET"), d->settings.signature_version, &request);
	bool usable = request.kind == OUTGOING_ANSWERED;
	if (usable) {
		report_add(d->report, FINDING_OK, "store", NULL, "%.*s answers",
			SLICE_FMT(d->settings.store_url));
		usable = check_clock(d, &request) && check_key(d, &request);
	} else {
		report_add(d->report, FINDING_FAILED, "store",
			"see whether [app] host (or store_url) is right, its name resolves, the "
			"firewall lets it "
			"pass, and the certificate is for that name",
			"%.*s does not answer: %s.", SLICE_FMT(d->settings.store_url),
			request.fault ? request.fault : "no reason is known");
	}
	outgoing_request_release(&request);
	return usable;
}
