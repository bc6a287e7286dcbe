/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/data/places.h"

#include "base/log.h"
#include "ops/ops_internal.h"

static void came_back(struct task *task)
{
	struct store_wait *wait = CONTAINER_OF(task, struct store_wait, task);
	struct store_read *read = CONTAINER_OF(wait, struct store_read, wait);
	struct places *places = CONTAINER_OF(read, struct places, read);
	struct request *r = places->r;
	places->held = wait->err == ERR_OK;
	if (!places->held)
		log_error("cannot find the bytes of an object: %s (request %.*s)",
			err_info(wait->err)->name, SLICE_FMT(r->id));
	places->found(places, wait->err, &read->blob);
	request_release(r);
}

void places_init(struct places *places, struct request *r, struct store_get *get,
	void (*found)(struct places *places, enum err e, const struct store_blob *place))
{
	*places = (struct places){.r = r, .get = get, .found = found};
	places->read.wait = (struct store_wait){.task.run = came_back, .home = r->home};
	places->read.get = get;
}

void places_find(struct places *places, uint64_t at)
{
	struct request *r = places->r;
	struct store_blob first = places->get->blob;
	if (at < first.size) {
		first.offset += at;
		first.size -= at;
		places->found(places, ERR_OK, &first);
		return;
	}
	places_release(places);
	places->read.at = at;
	request_hold(r);
	if (store_read(r->ops->options.store, &places->read) == STORE_DONE)
		came_back(&places->read.wait.task);
}

void places_release(struct places *places)
{
	if (places->held)
		store_read_release(places->r->ops->options.store, &places->read);
	places->held = false;
}
