/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects, and in a bucket that keeps versions all versions and delete markers, newest first. An
 * older version is noncurrent since the next newer one came; whether a marker is alone shows the
 * entry behind it.
 */
#include "lifecycle/pass_internal.h"

/* Something that ends. */
struct ending {
	struct store_delete del;
	enum lifecycle_subject subject;
};

struct objects {
	struct walk *walk;
	bool versions;
	struct ending endings[LIMIT_LIFECYCLE_BATCH];
	size_t count;
	/* The entry before, whose key lies in its page or, from the page before, in `key_before`.
	 */
	struct store_entry before;
	bool has_before;
	bool before_is_alone; /* it is the newest of its key, and nothing older was seen */
	struct strbuf key_before;
	bool stopped;
};

static uint64_t *counter_of(struct pass_counts *counts, enum lifecycle_subject subject)
{
	switch (subject) {
	case LIFECYCLE_CURRENT:
		return &counts->objects;
	case LIFECYCLE_NONCURRENT:
		return &counts->versions;
	case LIFECYCLE_MARKER:
		return &counts->markers;
	case LIFECYCLE_UPLOAD:
		break;
	}
	return &counts->uploads;
}

/* Waits for what was begun. */
static void flush(struct objects *objects)
{
	struct walk *walk = objects->walk;
	waiter_wait(&walk->waiter);
	for (size_t i = 0; i < objects->count; i++)
		walk_count(walk, objects->endings[i].del.wait.err,
			counter_of(walk->counts, objects->endings[i].subject));
	objects->count = 0;
	objects->stopped = !walk_should_continue(walk) || objects->stopped;
}

/* Ends what the entry is about, if it is still what was seen. */
static void end(
	struct objects *objects, const struct store_entry *entry, enum lifecycle_subject subject)
{
	struct ending *ending = &objects->endings[objects->count++];
	ending->subject = subject;
	ending->del = (struct store_delete){
		.bucket_id = objects->walk->bucket->id,
		.key = entry->key,
		.only_if = {.set = true, .version = entry->object.version},
	};
	if (subject != LIFECYCLE_CURRENT)
		ending->del.version = (struct store_version){
			.is_null = entry->object.is_null, .number = entry->object.version};
	ending->del.wait.home = waiter_expect(&objects->walk->waiter, &ending->del.wait.task);
	store_delete(objects->walk->pass->store, &ending->del);
	if (objects->count == LIMIT_LIFECYCLE_BATCH)
		flush(objects);
}

static void end_if_due(struct objects *objects, const struct store_entry *entry,
	enum lifecycle_subject subject, int64_t since_ms)
{
	const struct lifecycle_facts facts = {
		.subject = subject,
		.key = entry->key,
		.size = entry->object.size,
		.tags = entry->object.tags,
		.since_ms = since_ms,
	};
	if (walk_is_due(objects->walk, &facts))
		end(objects, entry, subject);
}

/* The entry before turns out to have been the last of its key. */
static void key_ends(struct objects *objects)
{
	const struct store_entry *before = &objects->before;
	if (objects->has_before && objects->before_is_alone && before->object.is_marker)
		end_if_due(objects, before, LIFECYCLE_MARKER, before->object.modified_ms);
}

static void look_at(struct objects *objects, const struct store_entry *entry)
{
	bool same_key = objects->has_before && slice_eq(objects->before.key, entry->key);
	if (same_key) {
		end_if_due(
			objects, entry, LIFECYCLE_NONCURRENT, objects->before.object.modified_ms);
	} else {
		key_ends(objects);
		if (!entry->object.is_marker)
			end_if_due(objects, entry, LIFECYCLE_CURRENT, entry->object.modified_ms);
	}
	objects->before_is_alone = !same_key;
	objects->before = *entry;
	objects->has_before = true;
}

/* The page goes away; what is still needed of it stays. */
static void keep_before(struct objects *objects)
{
	if (!objects->has_before)
		return;
	strbuf_clear(&objects->key_before);
	strbuf_add_slice(&objects->key_before, objects->before.key);
	objects->before.key = strbuf_slice(&objects->key_before);
	objects->before.object.headers = S("");
	objects->before.object.tags = S("");
}

/* One page. False: that was the last, or it has to stop. */
static bool next_page(struct objects *objects, struct slice prefix)
{
	struct walk *walk = objects->walk;
	struct store_list list = {
		.bucket_id = walk->bucket->id,
		.prefix = prefix,
		.marker = objects->has_before ? objects->before.key : S(""),
		.max_entries = LIMIT_LIST_KEYS,
		.versions = objects->versions,
		.after_version = objects->has_before && objects->versions
					 ? objects->before.object.version
					 : 0,
	};
	list.wait.home = waiter_expect(&walk->waiter, &list.wait.task);
	store_list(walk->pass->store, &list);
	waiter_wait(&walk->waiter);
	walk->pages++;
	if (list.wait.err != ERR_OK) {
		walk_count(walk, list.wait.err, &walk->counts->failed);
		objects->stopped = true;
		return false;
	}
	for (uint32_t i = 0; i < list.count && !objects->stopped; i++)
		look_at(objects, &list.entries[i]);
	if (!objects->stopped && !list.truncated)
		key_ends(objects);
	flush(objects);
	keep_before(objects);
	store_list_release(walk->pass->store, &list);
	return list.truncated && list.count && !objects->stopped;
}

bool walk_objects(struct walk *walk, struct slice prefix)
{
	struct objects objects = {
		.walk = walk, .versions = walk->bucket->versioning != STORE_UNVERSIONED};
	strbuf_init(&objects.key_before, LIMIT_KEY_BYTES);
	while (next_page(&objects, prefix))
		continue;
	strbuf_release(&objects.key_before);
	return !objects.stopped;
}
