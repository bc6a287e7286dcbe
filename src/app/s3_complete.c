/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /s3/multipart/ID/complete. The store sends the callback, which records the upload, before it
 * answers. If that went wrong, or our own answer was lost, the store has no such upload any more
 * but the object: then it is recorded by what the store says of the object, and the answer is that
 * of the first time.
 */
#include "app/body.h"
#include "app/multipart/multipart_parts.h"
#include "app/s3.h"
#include "app/text/json.h"
#include "base/encode.h"
#include "base/log.h"
#include "http/trace.h"

#define DOCUMENT_BYTES_MAX MIB(3)
#define NAMED_BYTES_MAX MIB(2)
#define ANSWER_BYTES_MAX KIB(16)

struct completing {
	struct s3_upload *upload;
	struct in_flight_work work;
	/* What is named, and the store's document of it; counted in the exchange's account. */
	struct arena arena;
	struct multipart_completion named;
	struct multipart_match match;
	struct strbuf document;
	struct grant grant;        /* with its callback */
	struct slice callback_var; /* base64; empty: none */
	struct http_header headers[6];
	size_t header_count;
	struct s3_listing listing;
	struct store_request request;
	struct app_confirmation confirmation;
	struct check check;
	struct ledger_entry entry;
	struct ledger_question question;
};

/* Before the answer: whoever has it may ask again at once. */
static void leave(struct completing *c)
{
	in_flight_leave(&c->upload->app->completing, &c->work);
}

static void release(struct completing *c)
{
	leave(c);
	strbuf_release(&c->document);
	arena_reset(&c->arena);
}

static void end(struct completing *c)
{
	struct exchange *x = c->upload->x;
	release(c);
	exchange_release(x);
}

static void end_with_error(struct completing *c, int status, const char *code, const char *message)
{
	leave(c);
	app_send_error(c->upload->app, c->upload->x, status, code, message);
	end(c);
}

static void end_with_other_parts(struct completing *c)
{
	end_with_error(c, 409, "invalid_parts",
		"The store has other parts than the list says, or one is too small.");
}

static void end_well(struct completing *c)
{
	const struct s3_upload *u = c->upload;
	const struct settings *s = &u->app->settings;
	SCOPED_STRBUF(json, ANSWER_BYTES_MAX);
	SCOPED_STRBUF(location, ANSWER_BYTES_MAX);
	strbuf_add_slice(&location, s->host);
	strbuf_addc(&location, '/');
	percent_encode_path(&location, u->key);
	strbuf_addc(&json, '{');
	json_member_string(&json, "location", strbuf_slice(&location));
	json_member_string(&json, "key", u->key);
	json_member_string(&json, "bucket", s->bucket);
	strbuf_addc(&json, '}');
	leave(c);
	if (strbuf_broken(&json) || strbuf_broken(&location))
		s3_send_no_memory(u->app, u->x);
	else
		app_send_json(u->app, u->x, 200, strbuf_slice(&json));
	end(c);
}

static void end_unrecorded(struct completing *c)
{
	exchange_note(c->upload->x, "recorded=failed");
	end_with_error(c, 502, "callback_failed",
		"The object is there, but the upload could not be recorded: ask again.");
}

/* ---- What was completed before ----------------------------------------------------------------
 */

static void on_recorded(struct task *task)
{
	struct ledger_entry *entry = CONTAINER_OF(task, struct ledger_entry, done);
	struct completing *c = CONTAINER_OF(entry, struct completing, entry);
	struct app *app = c->upload->app;
	atomic_store(&app->ledger_fails, entry->result == LEDGER_FAILED);
	if (entry->result == LEDGER_RECORDED)
		outcomes_count_grant(
			app->outcomes, c->upload->judging.profile->name, OUTCOME_CONFIRMED);
	app_confirmation_release(&c->confirmation);
	if (entry->result == LEDGER_RECORDED || entry->result == LEDGER_KNOWN)
		end_well(c);
	else
		end_unrecorded(c);
}

/* Somebody else has completed it, with parts that are not allowed. */
static void end_too_large(struct completing *c)
{
	struct s3_upload *u = c->upload;
	app_reject_grant(u->app, u->judging.profile->name,
		slice_of(u->id.grant_id, TICKET_ID_LENGTH), APP_TOO_LARGE, u->key, S(""));
	app_confirmation_release(&c->confirmation);
	end_with_error(c, 403, "size_refused", "The object has more bytes than were allowed.");
}

static void end_damaged(struct completing *c)
{
	struct s3_upload *u = c->upload;
	app_reject_grant(u->app, u->judging.profile->name,
		slice_of(u->id.grant_id, TICKET_ID_LENGTH), APP_DAMAGED, u->key, S(""));
	end_with_error(c, 409, "damaged",
		"The object is there, but its CRC-64 is not that of what was sent.");
}

static void record(struct completing *c)
{
	struct s3_upload *u = c->upload;
	app_fill_found(u->app, &c->confirmation, slice_of(u->id.grant_id, TICKET_ID_LENGTH),
		&u->judging, &c->entry);
	c->entry.home = exchange_home(u->x);
	c->entry.done.run = on_recorded;
	ledger_record(u->app->parts.ledger, &c->entry);
}

static void on_checked(struct task *task)
{
	struct check *check = CONTAINER_OF(task, struct check, done);
	struct completing *c = CONTAINER_OF(check, struct completing, check);
	struct s3_upload *u = c->upload;
	bool judged = check->verdict == CHECK_PASSED || check->verdict == CHECK_REFUSED;
	if (check->verdict == CHECK_PASSED ||
		(check->verdict == CHECK_UNKNOWN &&
			u->judging.profile->on_unknown == PROFILE_UNKNOWN_ACCEPT)) {
		record(c);
		return;
	}
	if (check->verdict == CHECK_REFUSED ||
		(check->verdict == CHECK_UNKNOWN &&
			u->judging.profile->on_unknown == PROFILE_UNKNOWN_REJECT)) {
		app_reject_grant(u->app, u->judging.profile->name,
			slice_of(u->id.grant_id, TICKET_ID_LENGTH), check->reason, u->key, S(""));
		judged = true;
	}
	app_confirmation_release(&c->confirmation);
	if (judged)
		end_with_error(c, 403, "refused", check->reason);
	else
		end_unrecorded(c);
}

static void check_then_record(struct completing *c)
{
	struct s3_upload *u = c->upload;
	if (!check_is_needed(u->judging.profile)) {
		record(c);
		return;
	}
	c->check = (struct check){
		.rules = u->judging.rules,
		.profile = u->judging.profile,
		.object = &c->confirmation,
		.deadline_ms = clock_monotonic_ms() + LIMIT_APP_CALLBACK_MS,
		.home = exchange_home(u->x),
		.done.run = on_checked,
	};
	check_begin(u->app, &c->check);
}

static void on_found(struct task *task)
{
	struct app_confirmation *found = CONTAINER_OF(task, struct app_confirmation, done);
	struct completing *c = CONTAINER_OF(found, struct completing, confirmation);
	struct s3_upload *u = c->upload;
	bool ours = found->found &&
		    slice_eq(found->grant_id, slice_of(u->id.grant_id, TICKET_ID_LENGTH));
	if (ours && found->size > (uint64_t)u->id.max_size) {
		end_too_large(c);
		return;
	}
	if (ours && app_sums_differ(c->named.crc64, found->crc64)) {
		app_confirmation_release(found);
		end_damaged(c);
		return;
	}
	if (ours && c->grant.ticket.len > 0) {
		check_then_record(c);
		return;
	}
	leave(c);
	if (found->status != 404 && !found->found) {
		log_error("multipart %.*s: the store could not be asked: %s (status %d)",
			SLICE_FMT(exchange_id(u->x)), found->fault, found->status);
		exchange_header(u->x, "Retry-After", S("2"));
		app_send_error(u->app, u->x, 503, "unavailable",
			"The store cannot be asked about the object; try again.");
	} else if (!ours) {
		s3_send_gone(u->app, u->x);
	}
	app_confirmation_release(found);
	if (ours)
		end_well(c);
	else
		end(c);
}

static void on_looked_up(struct task *task)
{
	struct ledger_question *q = CONTAINER_OF(task, struct ledger_question, done);
	struct completing *c = CONTAINER_OF(q, struct completing, question);
	bool known = !q->failed && q->uploads > 0;
	ledger_question_release(q);
	if (known) {
		end_well(c);
		return;
	}
	leave(c);
	s3_send_gone(c->upload->app, c->upload->x);
	end(c);
}

/* A key that may not read can only know what the callback has told. */
static void look_for_object(struct completing *c)
{
	struct s3_upload *u = c->upload;
	exchange_note(u->x, "completed=before");
	if (atomic_load(&u->app->confirms) || u->judging.profile->checks.any) {
		c->confirmation.key = u->key;
		c->confirmation.timeout_ms = LIMIT_APP_CALLBACK_MS;
		c->confirmation.home = exchange_home(u->x);
		c->confirmation.done.run = on_found;
		app_confirm(u->app, &c->confirmation);
		return;
	}
	c->question.id = slice_of(u->id.grant_id, TICKET_ID_LENGTH);
	c->question.home = exchange_home(u->x);
	c->question.done.run = on_looked_up;
	ledger_ask(u->app->parts.ledger, &c->question);
}

/* ---- The store's answer -----------------------------------------------------------------------
 */

static bool is_about_parts(struct slice code)
{
	return slice_eq(code, S("InvalidPart")) || slice_eq(code, S("InvalidPartOrder")) ||
	       slice_eq(code, S("EntityTooSmall")) || slice_eq(code, S("MalformedXML"));
}

static void on_completed(struct task *task)
{
	struct store_request *r = CONTAINER_OF(task, struct store_request, done);
	struct completing *c = CONTAINER_OF(r, struct completing, request);
	struct s3_upload *u = c->upload;
	SCOPED_STRBUF(code, 256);
	int status = r->status;
	multipart_answer_code(strbuf_slice(&r->request.answer), &code);
	bool parts = is_about_parts(strbuf_slice(&code));
	bool failed = status != 200 && status != 203 && status != 404 && status != 409 && !parts;
	if (failed) {
		leave(c);
		s3_send_failed(u->app, u->x, "completing", r);
	}
	bool damaged = status == 200 &&
		       app_sums_differ(c->named.crc64,
			       outgoing_answer_header(&r->request, S("x-oss-hash-crc64ecma")));
	store_request_release(r);
	if (damaged)
		end_damaged(c);
	else if (status == 200)
		end_well(c);
	else if (status == 203)
		end_unrecorded(c);
	else if (parts)
		end_with_other_parts(c);
	else if (status == 404)
		look_for_object(c);
	else if (status == 409)
		end_with_error(c, 409, "already_there",
			"There is an object of this name, which may not be replaced.");
	else
		end(c);
}

static void add(struct completing *c, struct slice name, struct slice value)
{
	if (value.len > 0)
		c->headers[c->header_count++] = (struct http_header){name, value};
}

static void complete(struct completing *c)
{
	const struct profile *p = c->upload->judging.profile;
	add(c, S("Content-Type"), S("application/xml"));
	add(c, S("x-oss-callback"), c->grant.callback);
	add(c, S("x-oss-callback-var"), c->callback_var);
	add(c, S("x-oss-object-acl"), p->acl);
	add(c, S("x-oss-forbid-overwrite"), p->forbid_overwrite ? S("true") : S(""));
	/* The store's callback is part of it, too. */
	add(c, S("traceparent"), trace_parent(exchange_head(c->upload->x)));
	c->request = (struct store_request){
		.method = S("POST"),
		.body = strbuf_slice(&c->document),
		.headers = c->headers,
		.header_count = c->header_count,
		.done.run = on_completed,
	};
	s3_ask_store(c->upload, &c->request, "");
}

/* ---- Before -----------------------------------------------------------------------------------
 */

/*
 * Parts may be replaced while they are summed: the store completes with those that are named, by
 * number and ETag, and so those alone are summed.
 */
static void judge(struct completing *c)
{
	struct s3_upload *u = c->upload;
	if (!multipart_match_all(&c->match)) {
		end_with_other_parts(c);
	} else if (c->match.bytes > (uint64_t)u->id.max_size) {
		release(c);
		s3_abort_too_large(u);
	} else if (c->match.bytes < (uint64_t)u->judging.profile->min_size) {
		end_with_error(c, 403, "size_refused",
			"The parts have fewer bytes than the profile asks for.");
	} else {
		complete(c);
	}
}

static void on_listed(struct s3_listing *listing, enum s3_listed result)
{
	struct completing *c = CONTAINER_OF(listing, struct completing, listing);
	switch (result) {
	case S3_LISTED:
		judge(c);
		break;
	case S3_LISTED_NOTHING:
		look_for_object(c);
		break;
	case S3_LIST_FAILED:
		end(c);
		break;
	}
}

static void on_part(void *ctx, const struct multipart_listed *part)
{
	struct s3_listing *listing = ctx;
	multipart_match_part(&CONTAINER_OF(listing, struct completing, listing)->match, part);
}

/* Its ticket and callback, as when it was begun. */
static bool make_grant(struct completing *c)
{
	const struct s3_upload *u = c->upload;
	const struct offer offer = {.rules = u->judging.rules,
		.profile = u->judging.profile,
		.key = u->key,
		.variables = slice_of(u->id.variables, u->id.variables_len)};
	SCOPED_CREDENTIALS struct credentials *credentials = app_credentials(u->app);
	bool made = grant_resume(u->app, credentials, &offer, u->id.grant_id, u->id.expires,
		exchange_arena(u->x), &c->grant);
	c->grant.credentials = NULL; /* they end here */
	return made;
}

/* The callback brings the sums that are told here, as it does for a form. False without memory. */
static bool make_callback_var(struct completing *c)
{
	SCOPED_STRBUF(json, 256);
	SCOPED_STRBUF(base64, 512);
	if ((c->named.crc64.len == 0 && c->named.sha256.len == 0) || c->grant.callback.len == 0)
		return true;
	strbuf_addc(&json, '{');
	if (c->named.crc64.len > 0)
		json_member_string(&json, "x:crc64", c->named.crc64);
	if (c->named.sha256.len > 0)
		json_member_string(&json, "x:sha256", c->named.sha256);
	strbuf_addc(&json, '}');
	base64_encode(&base64, strbuf_slice(&json));
	c->callback_var = arena_copy(&c->arena, strbuf_slice(&base64));
	return c->callback_var.ptr && !strbuf_broken(&json) && !strbuf_broken(&base64);
}

/* NULL, multipart_no_memory, or what is wrong. */
static const char *read_parts(struct completing *c, struct slice body)
{
	struct budget_account *account = exchange_account(c->upload->x);
	const char *fault = multipart_completion_parse(body, &c->arena, account, &c->named);
	if (fault)
		return fault;
	multipart_completion_write(&c->named, &c->document);
	c->match.completion = &c->named;
	return strbuf_broken(&c->document) || !make_grant(c) || !make_callback_var(c)
		       ? multipart_no_memory
		       : NULL;
}

static bool answer(struct app *app, struct exchange *x, const struct caller *caller UNUSED,
	struct slice body, void *ctx)
{
	struct completing *c = arena_zalloc(exchange_arena(x), sizeof(*c));
	if (!c) {
		s3_send_no_memory(app, x);
		return false;
	}
	c->upload = ctx;
	arena_init_counted(&c->arena, NULL, 0, NAMED_BYTES_MAX, exchange_account(x), true);
	strbuf_init_counted(&c->document, DOCUMENT_BYTES_MAX, exchange_account(x));
	const char *fault = read_parts(c, body);
	if (!fault && !in_flight_enter(&app->completing, &c->work, c->upload->id_text)) {
		release(c);
		exchange_header(x, "Retry-After", S("1"));
		app_send_error(app, x, 503, "unavailable",
			"The upload is being completed by another request; ask again.");
		return false;
	}
	if (!fault) {
		c->listing.upload = c->upload;
		c->listing.seen = on_part;
		c->listing.done = on_listed;
		s3_list(&c->listing);
		return true;
	}
	release(c);
	if (fault == multipart_no_memory)
		s3_send_no_memory(app, x);
	else
		app_send_error(app, x, 400, "invalid_request", fault);
	return false;
}

/* The body is as long as the parts need that the upload can have. */
static bool begin(struct app *app UNUSED, struct exchange *x UNUSED, const struct caller *caller,
	void *ctx, size_t *ret_max)
{
	struct s3_upload *u = ctx;
	if (!s3_find(u, caller))
		return false;
	size_t most = (s3_max_parts(u->id.max_size) + 1) * LIMIT_PART_REQUEST_BYTES;
	*ret_max = most < LIMIT_PARTS_REQUEST_BYTES ? most : LIMIT_PARTS_REQUEST_BYTES;
	return true;
}

void s3_complete(struct s3_upload *u)
{
	static const struct app_body how = {.begin = begin, .answer = answer};
	app_admit_body(u->app, u->x, &how, u);
}
