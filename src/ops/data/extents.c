/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/data/extents.h"

#include "base/log.h"
#include "ops/ops_internal.h"

static void on_extent_found(struct task *task)
{
	struct store_wait *wait = CONTAINER_OF(task, struct store_wait, task);
	struct store_read *read = CONTAINER_OF(wait, struct store_read, wait);
	struct extents *extents = CONTAINER_OF(read, struct extents, read);
	struct request *r = extents->r;
	extents->held = wait->err == ERR_OK;
	if (!extents->held)
		log_error("cannot find the bytes of an object: %s (request %.*s)",
			err_info(wait->err)->name, SLICE_FMT(r->id));
	extents->found(extents, wait->err, &read->blob);
	request_release(r);
}

void extents_init(struct extents *extents, struct request *r, struct store_get *get,
	void (*found)(struct extents *extents, enum err e, const struct store_blob *place))
{
	*extents = (struct extents){.r = r, .get = get, .found = found};
	extents->read.wait = (struct store_wait){.task.run = on_extent_found, .home = r->home};
	extents->read.get = get;
}

void extents_find(struct extents *extents, uint64_t at)
{
	struct request *r = extents->r;
	struct store_blob first = extents->get->blob;
	if (at < first.size) {
		first.offset += at;
		first.size -= at;
		extents->found(extents, ERR_OK, &first);
		return;
	}
	extents_release(extents);
	extents->read.at = at;
	request_hold(r);
	if (store_read(r->ops->options.store, &extents->read) == STORE_DONE)
		on_extent_found(&extents->read.wait.task);
}

void extents_release(struct extents *extents)
{
	if (extents->held)
		store_read_release(extents->r->ops->options.store, &extents->read);
	extents->held = false;
}
