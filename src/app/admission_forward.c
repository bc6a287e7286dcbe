/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `auth = forward`: the operator's own back end is asked, with the headers of the caller, whether
 * it may have a grant, as nginx's auth_request does.
 */
#include "app/app_internal.h"
#include "app/auth/forward.h"
#include "base/log.h"

#define RETRY_AFTER_S "5"

/* A question under way. It is in the exchange's arena. */
struct forwarding {
	struct app *app;
	struct exchange *x;
	app_answer *answer;
	void *ctx;
	const char *lines[LIMIT_HEADERS + FORWARD_LINES_MORE];
	struct outgoing_request request;
};

static void send_unavailable(struct app *app, struct exchange *x, const char *why)
{
	outcomes_count_denial(app->outcomes, DENIAL_UNAVAILABLE);
	exchange_header(x, "Retry-After", S(RETRY_AFTER_S));
	exchange_note(x, "refused=\"%s\"", why);
	app_send_error(app, x, 503, "unavailable", "It cannot be decided now who may upload.");
}

/* What the back end has said to the caller goes on to it: how to log in, not more. */
static void send_refusal(const struct forwarding *f)
{
	struct slice challenge = outgoing_answer_header(&f->request, S("WWW-Authenticate"));
	bool unknown = f->request.status == 401;
	outcomes_count_denial(f->app->outcomes, DENIAL_BACK_END);
	if (unknown && challenge.ptr)
		exchange_header(f->x, "WWW-Authenticate", challenge);
	else if (unknown)
		exchange_header(f->x, "WWW-Authenticate", S("Bearer realm=\"postern\""));
	exchange_note(f->x, "refused=\"by the back end\"");
	app_send_error(f->app, f->x, f->request.status, unknown ? "unauthorized" : "forbidden",
		unknown ? "Log in first." : "This may not be uploaded by you.");
}

/* Whether somebody has forgotten the type: a grant without the limits in it would be too wide. */
static bool begins_as_object(struct slice body)
{
	while (body.len > 0 && (unsigned char)body.ptr[0] <= ' ')
		body = slice_from(body, 1);
	return slice_starts(body, S("{"));
}

/* Only JSON is looked at; a back end that says more than yes says so. */
static const char *read_answer(struct forwarding *f, struct caller *ret)
{
	struct slice type = slice_str(f->request.content_type), name;
	struct slice body = strbuf_slice(&f->request.answer);
	*ret = caller_anybody(app_rules(f->x));
	(void)slice_cut(&type, ';', &name);
	if (f->request.status == 204)
		return NULL;
	if (!slice_eq_nocase(slice_trim(name), S("application/json")))
		return begins_as_object(body) ? "it begins as a JSON object does, and its "
						"Content-Type is not application/json"
					      : NULL;
	return forward_answer_parse(app_rules(f->x), body, exchange_arena(f->x), ret);
}

/* True: the answer comes later. */
static bool decide(struct forwarding *f)
{
	const struct outgoing_request *r = &f->request;
	struct caller caller;
	const char *fault = r->fault ? r->fault : "answered with another status";
	if (r->kind == OUTGOING_ANSWERED && (r->status == 401 || r->status == 403)) {
		send_refusal(f);
		return false;
	}
	if (r->kind == OUTGOING_ANSWERED && r->status >= 200 && r->status < 300) {
		fault = read_answer(f, &caller);
		if (!fault)
			return app_answer_admitted(f->app, f->x, &caller, f->answer, f->ctx);
	}
	log_error("[app] auth_url: %s (status %d)", fault, r->status);
	send_unavailable(f->app, f->x, "the back end did not decide");
	return false;
}

static void on_answered(struct task *task)
{
	struct outgoing_request *request = CONTAINER_OF(task, struct outgoing_request, done);
	struct forwarding *f = CONTAINER_OF(request, struct forwarding, request);
	struct exchange *x = f->x;
	bool later = !exchange_is_gone(x) && decide(f);
	outgoing_request_release(request);
	if (!later)
		exchange_release(x);
}

void app_admit_forward(struct app *app, struct exchange *x, app_answer *answer, void *ctx)
{
	const struct request_head *head = exchange_head(x);
	struct forwarding *f = arena_zalloc(exchange_arena(x), sizeof(*f));
	size_t count = 0;
	/* A page that is not ours gets nothing by the cookies of its visitors. */
	bool with_cookies = app_is_from_our_page(app_rules(x), head);
	if (!f || !forward_lines(head, with_cookies, exchange_arena(x), f->lines, &count)) {
		send_unavailable(app, x, "there is no memory");
		return;
	}
	f->app = app;
	f->x = x;
	f->answer = answer;
	f->ctx = ctx;
	f->request = (struct outgoing_request){
		.class = OUTGOING_WEBHOOK,
		.url = app_rules(x)->auth_url.ptr,
		.headers = f->lines,
		.header_count = count,
		.timeout_ms = LIMIT_ADMISSION_MS,
		.max_answer_bytes = LIMIT_FORWARD_ANSWER_BYTES,
		/* Any address: it is the operator's own choice. */
		.flags = OUTGOING_SNI | OUTGOING_ANY_ADDRESS | OUTGOING_KEEP_HEADERS,
		.home = exchange_home(x),
		.done.run = on_answered,
	};
	exchange_keep(x);
	outgoing_send(app->parts.outgoing, &f->request);
}
