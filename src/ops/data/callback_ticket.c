/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/data/callback_ticket.h"

#include "base/limits.h"
#include "crypto/secret.h"
#include "ops/ops_internal.h"
#include "ops/respond.h"
#include "oss/callback/ticket.h"
#include "oss/callback/upload_message.h"

/* ---- Finding a ticket in a body ---------------------------------------------------------------
 */

/* What a receiver has for its parsing (app/callback_receive.c). */
#define PARSE_BYTES_MAX (4 * LIMIT_APP_BODY_BYTES)

/*
 * Copies the member `grant`, whatever its value, as a receiver finds it that reads `body` as
 * `type`. The result is empty if the receiver would not find one: in a body that it cannot parse,
 * or that is too long for it. False if there is no memory to find out.
 */
static bool find_as(struct slice type, struct slice body, struct strbuf *ret)
{
	struct upload_message message;
	struct arena arena;
	strbuf_clear(ret);
	if (body.len > LIMIT_APP_BODY_BYTES)
		return true;
	arena_init(&arena, NULL, 0, PARSE_BYTES_MAX);
	const char *fault = upload_message_parse(type, body, &arena, &message);
	if (!fault)
		strbuf_add_slice(ret, message.ticket);
	bool starved = strbuf_starved(ret) || fault == upload_message_no_memory;
	if (strbuf_broken(ret))
		strbuf_clear(ret);
	arena_reset(&arena);
	return !starved;
}

/*
 * A body is read as the type it is sent as, and as the other one too: the signature does not cover
 * Content-Type, so somebody may have changed it on the way to the receiver.
 */
enum reading {
	READ_AS_SENT,
	READ_OTHERWISE,
	READINGS,
};

struct found {
	struct strbuf members[READINGS];
	bool starved; /* there was no memory to find them */
};

static void found_init(struct found *found)
{
	found->starved = false;
	for (size_t i = 0; i < READINGS; i++)
		strbuf_init(&found->members[i], TICKET_TEXT_MAX);
}

static void found_release(struct found *found)
{
	for (size_t i = 0; i < READINGS; i++)
		strbuf_release(&found->members[i]);
}

static struct slice member(const struct found *found, enum reading reading)
{
	return strbuf_slice(&found->members[reading]);
}

static void find(const struct ingest *u, struct slice body, struct found *ret)
{
	enum callback_body_type type = u->callback->body_type;
	enum callback_body_type other = type == CALLBACK_JSON ? CALLBACK_FORM : CALLBACK_JSON;
	if (!find_as(slice_str(callback_content_type(type)), body, &ret->members[READ_AS_SENT]) ||
		!find_as(slice_str(callback_content_type(other)), body,
			&ret->members[READ_OTHERWISE]))
		ret->starved = true;
}

enum err callback_ticket_matches(const struct ingest *u, struct slice body)
{
	struct found found;
	found_init(&found);
	find(u, body, &found);
	struct slice ticket = member(&found, READ_AS_SENT);
	bool matches = !ticket_has_form(member(&found, READ_OTHERWISE)) &&
		       (!ticket_has_form(ticket) || slice_eq(ticket, u->ticket));
	bool starved = found.starved;
	found_release(&found);
	return starved ? ERR_CALLBACK_FAILED : matches ? ERR_OK : ERR_CALLBACK_FOREIGN_GRANT;
}

/* ---- Before the object is stored --------------------------------------------------------------
 */

/* In place of values that are not known yet, or not signed: twice, so that it shows if they matter.
 */
struct filler {
	struct slice text;
	uint32_t number;
};

static const struct filler fillers[] = {{SLICE_LIT(""), 0}, {SLICE_LIT("1"), 1}};

static struct slice custom_filler(void *ctx, struct slice name UNUSED)
{
	return ((const struct filler *)ctx)->text;
}

/* All that is not known before the upload, filled; and what is known but not signed, if so wished.
 */
static struct callback_values values_of(struct request *r, const struct ingest *u,
	const struct filler *filler, enum ticket_signed how, bool signed_only)
{
	bool named = !signed_only || how == TICKET_SIGNED_REQUEST;
	struct callback_values values = {
		.bucket = named ? r->address.bucket.text : filler->text,
		.object = named ? r->address.key.text : filler->text,
		.etag = filler->text,
		.size = filler->number,
		.mime_type = signed_only ? filler->text : u->mime_type,
		.image_width = filler->number,
		.image_height = filler->number,
		.image_format = filler->text,
		.crc64 = filler->number,
		.content_md5 = filler->text,
		.client_ip = signed_only ? filler->text : r->peer,
		.request_id = signed_only ? filler->text : r->id,
		.operation = slice_str(r->op->name),
		.custom = named ? u->custom : custom_filler,
		.custom_ctx = named ? u->custom_ctx : (void *)(uintptr_t)filler,
	};
	return values;
}

static void find_in(struct request *r, const struct ingest *u, const struct filler *filler,
	enum ticket_signed how, bool signed_only, struct found *ret)
{
	SCOPED_STRBUF(body, LIMIT_APP_BODY_BYTES);
	struct callback_values values = values_of(r, u, filler, how, signed_only);
	/* What is too long to render is too long for any receiver. */
	if (callback_message_render(&u->callback->body, u->callback->body_type, &values, &body) !=
		ERR_OK) {
		ret->starved = ret->starved || strbuf_starved(&body);
		strbuf_clear(&body);
	}
	find(u, strbuf_slice(&body), ret);
}

/* Shorter members are completed to no ticket by what is not known yet. */
#define MEMBER_MIN 16

/* Whether that member is a ticket, or may become one by what is not known yet. */
static bool may_be_ticket(const struct found *one, const struct found *two, enum reading reading)
{
	struct slice a = member(one, reading), b = member(two, reading);
	return ticket_has_form(a) || ticket_has_form(b) ||
	       (!slice_eq(a, b) && (a.len >= MEMBER_MIN || b.len >= MEMBER_MIN));
}

/* Whether the caller's key made the ticket. */
static bool is_callers(const struct request *r, struct slice ticket)
{
	struct ticket_key key;
	if (r->anonymous)
		return false;
	ticket_key_derive(r->key.secret, &key);
	bool is = ticket_is_signers(&key, ticket);
	secret_wipe(&key, sizeof(key));
	return is;
}

/* Whether what was signed says by itself that the body carries this ticket. */
static bool is_signed(struct request *r, const struct ingest *u, enum ticket_signed how,
	struct slice ticket, bool *ret_starved)
{
	struct found found;
	bool same = how != TICKET_UNSIGNED;
	found_init(&found);
	for (size_t i = 0; same && i < ARRAY_LEN(fillers); i++) {
		find_in(r, u, &fillers[i], how, true, &found);
		same = !found.starved && slice_eq(member(&found, READ_AS_SENT), ticket);
	}
	*ret_starved = found.starved;
	found_release(&found);
	return same;
}

bool callback_ticket_check(struct request *r, struct ingest *u, enum ticket_signed how)
{
	struct found one, two;
	bool starved = false;
	if (!u->callback)
		return true;
	found_init(&one);
	found_init(&two);
	find_in(r, u, &fillers[0], how, false, &one);
	find_in(r, u, &fillers[1], how, false, &two);
	struct slice ticket = member(&one, READ_AS_SENT);
	bool allowed = !may_be_ticket(&one, &two, READ_OTHERWISE);
	if (allowed && may_be_ticket(&one, &two, READ_AS_SENT)) {
		allowed = is_callers(r, ticket) && is_signed(r, u, how, ticket, &starved);
		u->ticket = allowed ? arena_copy(&r->arena, ticket) : S("");
	}
	starved = starved || one.starved || two.starved || r->arena.starved;
	found_release(&one);
	found_release(&two);
	if (starved)
		respond_error(r, ERR_UNAVAILABLE);
	else if (!allowed)
		respond_error(r, ERR_CALLBACK_FOREIGN_GRANT);
	return allowed && !starved;
}
