/* SPDX-License-Identifier: Apache-2.0 */
/* Reading: what is found is held by a reference, and stays as it is. */
#include "store/memory/memory_internal.h"

static void report_marker(struct store_get *get, const struct item *marker)
{
	if (!marker || !marker->object.is_marker)
		return;
	get->object.is_marker = true;
	get->object.is_null = marker->object.is_null;
	get->object.version = marker->object.version;
	get->object.modified_ms = marker->object.modified_ms;
}

/* The version that is asked for, or NULL. Under the lock. */
static struct item *find(const struct area *area, struct store_get *get)
{
	const struct store_version *which = &get->version;
	struct item *current = find_current(area, get->key);
	if (!store_version_is_named(which)) {
		if (!current)
			report_marker(get, find_newest(area, get->key, which));
		return current;
	}
	if (current && item_is(current, which))
		return current;
	return find_old(area, get->key, which);
}

enum store_now memory_get(struct store *store, struct store_get *get)
{
	struct memory *m = memory_of(store);
	struct item *item = NULL;
	get->held = NULL;
	get->object = (struct store_object){.size = 0};
	if (memory_key_fits(get->key) && get->bucket_id) {
		memory_lock(m);
		const struct area *area = memory_area(m, get->bucket_id);
		item = area ? item_ref(find(area, get)) : NULL;
		memory_unlock(m);
	}
	if (!item) {
		get->wait.err = store_version_is_named(&get->version) ? ERR_NO_SUCH_VERSION
								      : ERR_NO_SUCH_KEY;
		return STORE_DONE;
	}
	if (item->object.is_marker) {
		report_marker(get, item);
		item_unref(item);
		get->wait.err = ERR_METHOD_NOT_ALLOWED;
		return STORE_DONE;
	}
	get->object = item->object;
	get->held = item;
	if (!get->head_only)
		get->blob = body_find(item->body, 0);
	get->wait.err = ERR_OK;
	return STORE_DONE;
}

void memory_get_release(struct store *store UNUSED, struct store_get *get)
{
	struct item *item = TAKE(get->held);
	item_unref(item);
}

enum store_now memory_read(struct store *store UNUSED, struct store_read *read)
{
	const struct item *item = read->get->held;
	read->blob = body_find(item->body, read->at);
	read->wait.err = ERR_OK;
	return STORE_DONE;
}

/* The get holds what was found. */
void memory_read_release(struct store *store UNUSED, struct store_read *read)
{
	read->blob = (struct store_blob){.fd = -1};
}
