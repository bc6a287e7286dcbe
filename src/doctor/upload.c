/* SPDX-License-Identifier: Apache-2.0 */
/* Posts a tiny object by a form with a callback, as a browser does, and removes it again. */
#include "crypto/random.h"
#include "doctor/doctor_internal.h"
#include "oss/policy/policy_build.h"

#define CONTENT "postern doctor was here\n"
#define POLICY_SECONDS 300
#define ARENA_BYTES_MAX KIB(256)

/* ---- The form, as a browser posts it ----------------------------------------------------------
 */

static void add_field(
	struct strbuf *out, const char *boundary, struct slice name, struct slice value)
{
	strbuf_addf(out, "--%s\r\nContent-Disposition: form-data; name=\"%.*s\"\r\n\r\n%.*s\r\n",
		boundary, SLICE_FMT(name), SLICE_FMT(value));
}

static bool build_form(struct doctor *d, struct slice callback, const char *boundary,
	struct arena *arena, struct strbuf *out)
{
	const struct settings *s = &d->settings;
	const struct policy_field bound[] = {
		{S("success_action_status"), S("200")}, {S("callback"), callback}};
	int64_t now_ms = doctor_now_ms(d);
	const struct policy_spec spec = {
		.now_ms = now_ms,
		.expires_ms = now_ms + POLICY_SECONDS * 1000,
		.bucket = s->bucket,
		.key = strbuf_slice(&d->key),
		.max_bytes = sizeof(CONTENT),
		.bound = bound,
		.bound_count = callback.len > 0 ? 2 : 1,
	};
	const struct policy_signer signer = {
		.access_key_id = d->who.id,
		.secret = d->who.secret,
		.security_token = d->who.token,
		.region = s->region,
	};
	struct policy_form form;
	if ((s->signature_version == 1 ? policy_form_v1(&spec, &signer, arena, &form)
				       : policy_form_v4(&spec, &signer, arena, &form)) != ERR_OK)
		return false;
	for (size_t i = 0; i < form.field_count; i++)
		add_field(out, boundary, form.fields[i].name, form.fields[i].value);
	strbuf_addf(out,
		"--%s\r\nContent-Disposition: form-data; name=\"file\"; filename=\"doctor.txt\"\r\n"
		"Content-Type: text/plain\r\n\r\n" CONTENT "\r\n--%s--\r\n",
		boundary, boundary);
	return !strbuf_broken(out);
}

/* False, reported, if there is no answer. Otherwise *request is to be released. */
static bool post(struct doctor *d, struct slice callback, struct outgoing_request *request)
{
	char boundary[33] = "";
	struct arena arena;
	SCOPED_STRBUF(body, ARENA_BYTES_MAX);
	SCOPED_STRBUF(type, 256);
	random_alnum(boundary, sizeof(boundary) - 1);
	arena_init(&arena, NULL, 0, ARENA_BYTES_MAX);
	bool built = build_form(d, callback, boundary, &arena, &body);
	arena_reset(&arena);
	if (!built) {
		report_add(d->report, FINDING_FAILED, "upload", NULL,
			"the form cannot be signed: see access_key_id, region and upload_dir.");
		return false;
	}
	strbuf_addf(&type, "Content-Type: multipart/form-data; boundary=%s", boundary);
	const char *const headers[] = {type.ptr};
	*request = (struct outgoing_request){
		.url = d->settings.host.ptr,
		.method = OUTGOING_POST,
		.body = strbuf_slice(&body),
		.headers = headers,
		.header_count = ARRAY_LEN(headers),
		.flags = d->settings.any_certificate ? OUTGOING_ANY_CERTIFICATE : 0,
	};
	asker_ask(&d->asker, request);
	if (request->kind == OUTGOING_ANSWERED)
		return true;
	report_add(d->report, FINDING_FAILED, "upload",
		"see whether [app] host is right and reachable from here",
		"%.*s, where browsers upload to, does not answer: %s.", SLICE_FMT(d->settings.host),
		request->fault ? request->fault : "no reason is known");
	outgoing_request_release(request);
	return false;
}

/* ---- What came of it --------------------------------------------------------------------------
 */

static bool is_about_callback(const struct store_error *error)
{
	return slice_starts(strbuf_slice(&error->ec), S("0007-")) ||
	       slice_find_slice(strbuf_slice(&error->message), S("allback")) < error->message.len;
}

static void add_refusal(struct doctor *d, int status, const struct store_error *error)
{
	if (slice_eq(strbuf_slice(&error->code), S("AccessDenied")))
		report_add(d->report, FINDING_FAILED, "upload",
			"allow the key oss:PutObject below upload_dir, in its RAM policy (of a "
			"temporary key, "
			"also in the policy that it was issued with), and see that no bucket "
			"policy denies it",
			"the key may not upload %s (oss:PutObject): the store answers AccessDenied "
			"%s: %s",
			d->key.ptr, error->ec.ptr, error->message.ptr);
	else
		report_add(d->report, FINDING_FAILED, "upload", NULL,
			"the store refuses the form with status %d %s %s: %s", status,
			error->code.ptr, error->ec.ptr, error->message.ptr);
}

static void add_stored(struct doctor *d)
{
	report_add(d->report, FINDING_OK, "upload", NULL, "a form of %zu bytes was stored as %s",
		sizeof(CONTENT) - 1, d->key.ptr);
}

static void remove_object(struct doctor *d)
{
	struct outgoing_request request;
	struct store_error error;
	doctor_ask_store(d, S("DELETE"), d->settings.signature_version, &request);
	store_error_read(&request, &error);
	if (request.kind == OUTGOING_ANSWERED && request.status / 100 == 2)
		report_add(d->report, FINDING_OK, "remove", NULL, "%s was removed", d->key.ptr);
	else
		report_add(d->report, FINDING_WARNING, "remove",
			"remove it by hand, or allow the key oss:DeleteObject (postern itself "
			"needs "
			"it not)",
			"%s stays in the bucket %.*s: the store answers %d %s", d->key.ptr,
			SLICE_FMT(d->settings.bucket), request.status, error.code.ptr);
	store_error_release(&error);
	outgoing_request_release(&request);
}

/* Once more without the callback that the store has refused: what else is right? */
static void upload_without(struct doctor *d)
{
	struct outgoing_request request;
	struct store_error error;
	if (!post(d, S(""), &request))
		return;
	if (request.status == 200) {
		add_stored(d);
		remove_object(d);
	} else {
		store_error_read(&request, &error);
		add_refusal(d, request.status, &error);
		store_error_release(&error);
	}
	outgoing_request_release(&request);
}

void doctor_check_upload(struct doctor *d)
{
	struct outgoing_request request;
	struct store_error error;
	SCOPED_STRBUF(callback, DOCTOR_TEXT_BYTES_MAX);
	doctor_add_callback(d, &callback);
	if (!post(d, strbuf_slice(&callback), &request))
		return;
	store_error_read(&request, &error);
	if (request.status == 200 || request.status == 203) {
		add_stored(d);
		if (request.status == 203)
			doctor_callback_failed(d, &error);
		else if (callback.len > 0)
			doctor_check_callback(d, strbuf_slice(&request.answer));
		remove_object(d);
	} else if (callback.len > 0 && is_about_callback(&error)) {
		doctor_callback_refused(d, &error);
		upload_without(d);
	} else {
		add_refusal(d, request.status, &error);
	}
	store_error_release(&error);
	outgoing_request_release(&request);
}
