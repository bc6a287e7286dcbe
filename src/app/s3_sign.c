/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /s3/multipart/ID/N and .../batch: URLs with which parts are put. What is at the store is
 * summed whenever many of them are signed and not yet there (part_counts.h).
 */
#include <stdio.h>

#include "app/counts/part_counts.h"
#include "app/multipart/multipart_parts.h"
#include "app/s3.h"
#include "app/text/json.h"

/* A URL has 700 bytes, and a security token some thousands. */
#define URLS_BYTES_MAX MIB(8)

struct signing {
	struct s3_upload *upload;
	int64_t life_seconds; /* of the URLs, at most */
	bool batch;
	struct multipart_parts parts;
	struct s3_listing listing;
};

/* ---- The answer -------------------------------------------------------------------------------
 */

static int64_t seconds_left(const struct signing *s, const struct credentials *credentials)
{
	const struct s3_upload *u = s->upload;
	int64_t left = credentials_until(credentials, u->id.expires) -
		       clock_wall_ms(u->app->parts.clock) / 1000;
	return left < 1 ? 1 : left < s->life_seconds ? left : s->life_seconds;
}

/* `"URL"`: it has no character that JSON would have to escape. */
static bool add_url(const struct s3_upload *u, const struct credentials *credentials,
	const struct multipart_part *part, int64_t expires, struct strbuf *json)
{
	strbuf_addc(json, '"');
	bool ok = store_part_url(u->app, credentials, u->key, slice_str(u->id.upload), part->number,
		part->size, expires, json);
	strbuf_addc(json, '"');
	return ok;
}

static bool add_urls(const struct signing *s, const struct credentials *credentials,
	int64_t expires, struct strbuf *json)
{
	strbuf_addc(json, '{');
	json_member(json, "presignedUrls");
	strbuf_addc(json, '{');
	for (size_t i = 0; i < s->parts.count; i++) {
		const struct multipart_part *part = &s->parts.list[i];
		char number[16];
		(void)snprintf(number, sizeof(number), "%u", part->number);
		json_member(json, number);
		if (!add_url(s->upload, credentials, part, expires, json))
			return false;
	}
	strbuf_addc(json, '}');
	return true;
}

static void send_urls(const struct signing *s)
{
	const struct s3_upload *u = s->upload;
	SCOPED_CREDENTIALS struct credentials *credentials = app_credentials(u->app);
	int64_t expires = seconds_left(s, credentials);
	struct strbuf json;
	strbuf_init_counted(&json, URLS_BYTES_MAX, exchange_account(u->x));
	if (!s->batch) {
		strbuf_addc(&json, '{');
		json_member(&json, "url");
	}
	bool ok =
		credentials && (s->batch ? add_urls(s, credentials, expires, &json)
					 : add_url(u, credentials, s->parts.list, expires, &json));
	json_member_number(&json, "expires", expires);
	strbuf_addc(&json, '}');
	/* The exchange may be gone once it was answered: its account is let go of before. */
	size_t len = 0;
	SCOPED_FREE char *text = ok ? strbuf_detach(&json, &len) : NULL;
	strbuf_release(&json);
	if (text)
		app_send_json(u->app, u->x, 200, slice_of(text, len));
	else
		s3_send_no_memory(u->app, u->x);
}

/* ---- The sum ----------------------------------------------------------------------------------
 */

static void on_summed(struct s3_listing *listing, enum s3_listed result)
{
	struct signing *s = CONTAINER_OF(listing, struct signing, listing);
	struct s3_upload *u = s->upload;
	if (result == S3_LISTED && listing->bytes > (uint64_t)u->id.max_size) {
		s3_abort_too_large(u);
		return;
	}
	if (result == S3_LISTED) {
		part_counts_summed(u->app->part_counts, u->id_text, listing->count, s->parts.count,
			clock_monotonic_ms());
		send_urls(s);
	} else if (result == S3_LISTED_NOTHING) {
		s3_send_gone(u->app, u->x);
	}
	exchange_release(u->x);
}

/* ---- The request ------------------------------------------------------------------------------
 */

static bool refuse(struct s3_upload *u, int status, const char *code, const char *message)
{
	app_send_error(u->app, u->x, status, code, message);
	return false;
}

static bool check_parts(struct s3_upload *u, const struct multipart_parts *parts)
{
	unsigned int most = s3_max_parts(u->id.max_size);
	for (size_t i = 0; i < parts->count; i++) {
		if (parts->list[i].number > most)
			return refuse(u, 403, "size_refused",
				"A file that is allowed has no part of this number.");
		if (parts->list[i].size > u->id.max_size)
			return refuse(
				u, 403, "size_refused", "The part is larger than a file may be.");
	}
	return true;
}

static struct slice param(struct exchange *x, const char *name)
{
	const struct query_param *p = query_find(exchange_query(x), slice_str(name));
	return p ? p->value : S("");
}

/* True: the answer waits for the store. */
static bool sign(struct s3_upload *u, const struct caller *caller, bool batch, struct slice numbers,
	struct slice sizes)
{
	struct arena *arena = exchange_arena(u->x);
	struct signing *s = arena_zalloc(arena, sizeof(*s));
	if (!s) {
		s3_send_no_memory(u->app, u->x);
		return false;
	}
	s->upload = u;
	s->life_seconds = caller->expire_seconds;
	s->batch = batch;
	const char *fault = multipart_parts_parse(numbers, sizes, arena, &s->parts);
	if (fault == multipart_no_memory) {
		s3_send_no_memory(u->app, u->x);
		return false;
	}
	if (fault)
		return refuse(u, 400, "invalid_request", fault);
	if (!check_parts(u, &s->parts))
		return false;
	if (!part_counts_due(
		    u->app->part_counts, u->id_text, s->parts.count, clock_monotonic_ms())) {
		send_urls(s);
		return false;
	}
	s->listing.upload = u;
	s->listing.done = on_summed;
	s3_list(&s->listing);
	return true;
}

bool s3_send_url(struct app *app UNUSED, struct exchange *x, const struct caller *caller, void *ctx)
{
	struct s3_upload *u = ctx;
	/* One number: a list is for a batch. */
	if (slice_find(u->numbers, ',') < u->numbers.len)
		return refuse(u, 400, "invalid_request", "A part's number is from 1 to 10000.");
	return s3_find(u, caller) && sign(u, caller, false, u->numbers, param(x, "size"));
}

bool s3_send_urls(
	struct app *app UNUSED, struct exchange *x, const struct caller *caller, void *ctx)
{
	struct s3_upload *u = ctx;
	return s3_find(u, caller) &&
	       sign(u, caller, true, param(x, "partNumbers"), param(x, "sizes"));
}
