/* SPDX-License-Identifier: Apache-2.0 */
#include "lifecycle/pass_internal.h"

static void end_uploads(struct walk *walk, struct store_multipart_abort *aborts, size_t count)
{
	waiter_wait(&walk->waiter);
	for (size_t i = 0; i < count; i++)
		walk_count(walk, aborts[i].wait.err, &walk->counts->uploads);
}

/* One page of uploads. False: stop. */
static bool look_at(struct walk *walk, const struct store_list_multiparts *list)
{
	struct store_multipart_abort aborts[LIMIT_LIFECYCLE_BATCH];
	size_t count = 0;
	for (uint32_t i = 0; i < list->count; i++) {
		const struct store_multipart *upload = &list->uploads[i];
		const struct lifecycle_facts facts = {
			.subject = LIFECYCLE_UPLOAD,
			.key = upload->key,
			.tags = S(""),
			.since_ms = upload->initiated_ms,
		};
		if (!walk_is_due(walk, &facts))
			continue;
		aborts[count] = (struct store_multipart_abort){.bucket_id = walk->bucket->id,
			.key = upload->key,
			.upload = upload->upload};
		aborts[count].wait.home = waiter_expect(&walk->waiter, &aborts[count].wait.task);
		store_multipart_abort(walk->pass->store, &aborts[count]);
		if (++count < LIMIT_LIFECYCLE_BATCH)
			continue;
		end_uploads(walk, aborts, count);
		count = 0;
		if (!walk_should_continue(walk))
			return false;
	}
	end_uploads(walk, aborts, count);
	return walk_should_continue(walk);
}

bool walk_uploads(struct walk *walk, struct slice prefix)
{
	SCOPED_STRBUF(key, LIMIT_KEY_BYTES);
	uint64_t upload = 0;
	bool more = true;
	while (more) {
		struct store_list_multiparts list = {
			.bucket_id = walk->bucket->id,
			.prefix = prefix,
			.key_marker = strbuf_slice(&key),
			.upload_marker = upload,
			.max_uploads = LIMIT_LIST_KEYS,
		};
		list.wait.home = waiter_expect(&walk->waiter, &list.wait.task);
		store_list_multiparts(walk->pass->store, &list);
		waiter_wait(&walk->waiter);
		walk->pages++;
		if (list.wait.err != ERR_OK) {
			walk_count(walk, list.wait.err, &walk->counts->failed);
			return false;
		}
		bool go_on = look_at(walk, &list);
		more = list.truncated && list.count;
		if (more) {
			upload = list.uploads[list.count - 1].upload;
			strbuf_clear(&key);
			strbuf_add_slice(&key, list.uploads[list.count - 1].key);
		}
		store_list_multiparts_release(walk->pass->store, &list);
		if (!go_on)
			return false;
	}
	return true;
}
