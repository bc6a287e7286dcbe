/* SPDX-License-Identifier: Apache-2.0 */
#include "store/rados/mutation.h"

#include <stdlib.h>

#include "store/rados/data/data.h"
#include "store/rados/tablet/tablet.h"

/* A request on its way. */
struct request {
	struct change change;
	struct store_object object; /* what an upload is begun with */
	struct store_delete *del;   /* one of them */
	struct store_metadata_update *update;
	struct store_multipart_begin *begin;
	struct store_multipart_abort *abort;
	struct store_multipart_complete *complete;
};

static struct request *request_of(struct change *change)
{
	return CONTAINER_OF(change, struct request, change);
}

/* NULL, and the wait is answered, without memory. */
static struct request *request_new(struct store *store, struct store_wait *wait)
{
	struct request *request = calloc(1, sizeof(*request));
	if (!request)
		store_answer(wait, ERR_UNAVAILABLE);
	else
		request->change.r = rados_of(store);
	return request;
}

static struct store_object without_text(const struct store_object *object)
{
	struct store_object copy = *object;
	copy.headers = S("");
	copy.tags = S("");
	return copy;
}

/* ---- Deletes --------------------------------------------------------------------------------- */

static void deleted(struct change *change)
{
	struct store_delete *del = request_of(change)->del;
	const struct rules_effects *effects = &change->effects;
	enum err e = change->err;
	bool done = e == ERR_OK;
	del->existed = done && effects->existed;
	del->deleted_marker = done && effects->deleted_marker;
	del->made_marker = done && effects->made == RULES_MADE_MARKER;
	if (del->made_marker) {
		del->marker = effects->object.version;
		del->marker_is_null = effects->object.is_null;
	}
	free(request_of(change));
	store_answer(&del->wait, e);
}

void rados_delete(struct store *store, struct store_delete *del)
{
	del->existed = del->deleted_marker = del->made_marker = false;
	/* There can be no object with another key. */
	if (!rados_key_fits(del->key)) {
		store_answer(&del->wait, ERR_OK);
		return;
	}
	struct request *request = request_new(store, &del->wait);
	if (!request)
		return;
	request->del = del;
	request->change.bucket_id = del->bucket_id;
	request->change.key = del->key;
	request->change.mutation = (struct rules_mutation){.kind = RULES_DELETE,
		.version = del->version,
		.only_if = del->only_if,
		.caller = del->caller,
		.kept = del->kept};
	request->change.done = deleted;
	change_submit(&request->change);
}

/* ---- Metadata -------------------------------------------------------------------------------- */

static void updated(struct change *change)
{
	struct store_metadata_update *update = request_of(change)->update;
	enum err e = change->err;
	update->object = without_text(&change->effects.reported);
	free(request_of(change));
	store_answer(&update->wait, e);
}

void rados_metadata_update(struct store *store, struct store_metadata_update *update)
{
	enum err e = ERR_OK;
	update->object = (struct store_object){.size = 0};
	if (!rados_key_fits(update->key))
		e = store_version_is_named(&update->version) ? ERR_NO_SUCH_VERSION
							     : ERR_NO_SUCH_KEY;
	else if ((update->set_headers && update->headers.len > ENTRY_HEADERS_BYTES_MAX) ||
		 (update->set_tags && update->tags.len > ENTRY_TAGS_BYTES_MAX))
		e = ERR_INVALID_ARGUMENT;
	else if (atomic_load(&rados_of(store)->is_full))
		e = ERR_DISK_FULL;
	if (e != ERR_OK) {
		store_answer(&update->wait, e);
		return;
	}
	struct request *request = request_new(store, &update->wait);
	if (!request)
		return;
	request->update = update;
	request->change.bucket_id = update->bucket_id;
	request->change.key = update->key;
	request->change.mutation = (struct rules_mutation){.kind = RULES_CHANGE,
		.version = update->version,
		.only_if = update->only_if,
		.change = update};
	request->change.done = updated;
	change_submit(&request->change);
}

/* ---- Uploads --------------------------------------------------------------------------------- */

static void begun(struct change *change)
{
	struct store_multipart_begin *begin = request_of(change)->begin;
	enum err e = change->err;
	begin->upload = e == ERR_OK ? change->effects.object.version : 0;
	free(request_of(change));
	store_answer(&begin->wait, e);
}

void rados_multipart_begin(struct store *store, struct store_multipart_begin *begin)
{
	begin->upload = 0;
	if (!rados_key_fits(begin->key) || begin->headers.len > ENTRY_HEADERS_BYTES_MAX ||
		begin->tags.len > ENTRY_TAGS_BYTES_MAX) {
		store_answer(&begin->wait, ERR_INVALID_ARGUMENT);
		return;
	}
	if (atomic_load(&rados_of(store)->is_full)) {
		store_answer(&begin->wait, ERR_DISK_FULL);
		return;
	}
	struct request *request = request_new(store, &begin->wait);
	if (!request)
		return;
	request->begin = begin;
	request->object = (struct store_object){
		.acl = begin->acl, .headers = begin->headers, .tags = begin->tags};
	request->change.bucket_id = begin->bucket_id;
	request->change.key = begin->key;
	request->change.mutation =
		(struct rules_mutation){.kind = RULES_UPLOAD_BEGIN, .object = &request->object};
	request->change.done = begun;
	change_submit(&request->change);
}

static void aborted(struct change *change)
{
	struct store_multipart_abort *abort = request_of(change)->abort;
	enum err e = change->err;
	free(request_of(change));
	store_answer(&abort->wait, e);
}

void rados_multipart_abort(struct store *store, struct store_multipart_abort *abort)
{
	if (!rados_key_fits(abort->key)) {
		store_answer(&abort->wait, ERR_NO_SUCH_UPLOAD);
		return;
	}
	struct request *request = request_new(store, &abort->wait);
	if (!request)
		return;
	request->abort = abort;
	request->change.bucket_id = abort->bucket_id;
	request->change.key = abort->key;
	request->change.upload = abort->upload;
	request->change.mutation = (struct rules_mutation){.kind = RULES_UPLOAD_ABORT};
	request->change.done = aborted;
	change_submit(&request->change);
}

static void completed(struct change *change)
{
	struct store_multipart_complete *complete = request_of(change)->complete;
	enum err e = change->err;
	complete->bad_part = change->effects.bad_part;
	complete->object = without_text(&change->effects.object);
	free(request_of(change));
	store_answer(&complete->wait, e);
}

void rados_multipart_complete(struct store *store, struct store_multipart_complete *complete)
{
	complete->bad_part = 0;
	complete->object = (struct store_object){.size = 0};
	if (!rados_key_fits(complete->key)) {
		store_answer(&complete->wait, ERR_NO_SUCH_UPLOAD);
		return;
	}
	struct request *request = request_new(store, &complete->wait);
	if (!request)
		return;
	request->complete = complete;
	request->change.bucket_id = complete->bucket_id;
	request->change.key = complete->key;
	request->change.upload = complete->upload;
	request->change.mutation = (struct rules_mutation){.kind = RULES_UPLOAD_COMPLETE,
		.forbid_overwrite = complete->forbid_overwrite,
		.caller = complete->caller,
		.complete = complete};
	request->change.done = completed;
	change_submit(&request->change);
}
