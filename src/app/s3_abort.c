/* SPDX-License-Identifier: Apache-2.0 */
/* DELETE /s3/multipart/ID, and the end of what has become too large. */
#include "app/s3.h"

struct aborting {
	struct s3_upload *upload;
	bool too_large;
	struct store_request request;
};

static void answer(struct aborting *a)
{
	struct s3_upload *u = a->upload;
	const struct store_request *r = &a->request;
	if (a->too_large)
		app_send_error(u->app, u->x, 403, "size_refused",
			"The parts have more bytes than the profile allows: the upload was "
			"aborted.");
	else if (r->status == 204 || r->status == 404)
		app_send_json(u->app, u->x, 200, S("{}"));
	else
		s3_send_failed(u->app, u->x, "aborting", r);
}

static void on_aborted(struct task *task)
{
	struct store_request *r = CONTAINER_OF(task, struct store_request, done);
	struct aborting *a = CONTAINER_OF(r, struct aborting, request);
	answer(a);
	store_request_release(r);
	exchange_release(a->upload->x);
}

/* With the exchange kept. False without memory: then it was answered. */
static bool begin(struct s3_upload *u, bool too_large)
{
	struct aborting *a = arena_zalloc(exchange_arena(u->x), sizeof(*a));
	if (!a) {
		s3_send_no_memory(u->app, u->x);
		return false;
	}
	*a = (struct aborting){.upload = u, .too_large = too_large};
	a->request.method = S("DELETE");
	a->request.done.run = on_aborted;
	s3_ask_store(u, &a->request, "");
	return true;
}

void s3_abort_too_large(struct s3_upload *u)
{
	exchange_note(u->x, "aborted=\"too large\"");
	if (!begin(u, true))
		exchange_release(u->x);
}

bool s3_abort(struct app *app UNUSED, struct exchange *x, const struct caller *caller, void *ctx)
{
	struct s3_upload *u = ctx;
	if (!s3_find(u, caller))
		return false;
	exchange_keep(x);
	if (begin(u, false))
		return true;
	exchange_release(x);
	return false;
}
