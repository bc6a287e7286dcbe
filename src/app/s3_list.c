/* SPDX-License-Identifier: Apache-2.0 */
/* GET /s3/multipart/ID: all parts of an upload, of which the store tells a thousand at a time. */
#include "app/s3.h"
#include "app/text/json.h"

#define LIST_BYTES_MAX MIB(4)

static void ask(struct s3_listing *listing);

static void finish(struct s3_listing *listing, enum s3_listed result)
{
	store_request_release(&listing->request_);
	listing->done(listing, result);
}

static void on_page(struct task *task)
{
	struct store_request *r = CONTAINER_OF(task, struct store_request, done);
	struct s3_listing *listing = CONTAINER_OF(r, struct s3_listing, request_);
	struct s3_upload *u = listing->upload;
	struct multipart_page page;
	if (r->status == 404) {
		finish(listing, S3_LISTED_NOTHING);
		return;
	}
	if (r->status != 200 ||
		!multipart_answer_page(
			strbuf_slice(&r->request.answer), listing->seen, listing, &page) ||
		(page.truncated && page.next <= listing->next_)) {
		s3_send_failed(u->app, u->x, "listing parts", r);
		finish(listing, S3_LIST_FAILED);
		return;
	}
	listing->bytes =
		page.bytes > UINT64_MAX - listing->bytes ? UINT64_MAX : listing->bytes + page.bytes;
	listing->count += page.count;
	listing->next_ = page.next;
	if (!page.truncated) {
		finish(listing, S3_LISTED);
		return;
	}
	store_request_release(r);
	ask(listing);
}

static void ask(struct s3_listing *listing)
{
	SCOPED_STRBUF(more, 128);
	strbuf_addf(&more, "&max-parts=1000&part-number-marker=%u", listing->next_);
	listing->request_ = (struct store_request){.method = S("GET"), .done.run = on_page};
	s3_ask_store(listing->upload, &listing->request_, more.ptr);
}

void s3_list(struct s3_listing *listing)
{
	exchange_keep(listing->upload->x);
	ask(listing);
}

/* ---- The answer -------------------------------------------------------------------------------
 */

struct list_answer {
	struct s3_listing listing;
	struct strbuf json;
};

static void add_part(void *ctx, const struct multipart_listed *part)
{
	struct s3_listing *listing = ctx;
	struct strbuf *json = &CONTAINER_OF(listing, struct list_answer, listing)->json;
	json_comma(json);
	strbuf_addc(json, '{');
	json_member_number(json, "PartNumber", part->number);
	json_member_string(json, "ETag", part->etag);
	json_member_number(json, "Size", (int64_t)part->size);
	strbuf_addc(json, '}');
}

static void on_listed(struct s3_listing *listing, enum s3_listed result)
{
	struct list_answer *a = CONTAINER_OF(listing, struct list_answer, listing);
	struct s3_upload *u = listing->upload;
	strbuf_addc(&a->json, ']');
	if (result == S3_LISTED_NOTHING)
		s3_send_gone(u->app, u->x);
	else if (result == S3_LISTED && strbuf_broken(&a->json))
		s3_send_no_memory(u->app, u->x);
	else if (result == S3_LISTED)
		app_send_json(u->app, u->x, 200, strbuf_slice(&a->json));
	strbuf_release(&a->json);
	exchange_release(u->x);
}

bool s3_send_list(struct app *app, struct exchange *x, const struct caller *caller, void *ctx)
{
	struct s3_upload *u = ctx;
	if (!s3_find(u, caller))
		return false;
	struct list_answer *a = arena_zalloc(exchange_arena(x), sizeof(*a));
	if (!a) {
		s3_send_no_memory(app, x);
		return false;
	}
	strbuf_init_counted(&a->json, LIST_BYTES_MAX, exchange_account(x));
	strbuf_addc(&a->json, '[');
	a->listing.upload = u;
	a->listing.seen = add_part;
	a->listing.done = on_listed;
	s3_list(&a->listing);
	return true;
}
