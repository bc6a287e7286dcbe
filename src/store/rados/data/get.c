/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding an object: one operation reads the rows that tell which version it is, and its bytes if
 * they are inline. What else is needed is read after it; if it has gone meanwhile, all begins anew.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "store/rados/cluster/fetch.h"
#include "store/rados/data/data.h"
#include "store/rados/rows/key.h"
#include "store/rados/rows/tablet_rows.h"
#include "store/rados/tablet/tablet.h"

enum {
	ATTEMPTS_MAX = 100
};

/* One attempt at finding it. */
struct search {
	struct held *held;
	uint64_t tablet;
	char name[RADOS_NAME_BYTES]; /* the tablet's */
	struct row_key object_key;
	struct row_key hidden_key;
	struct row_key version_key;
	struct row_key bytes_key;
	struct row_key extents_key;
	struct fetch *fetch;
	const struct rows *rows;
	struct slice bytes; /* of the newest version that has some inline */
	uint64_t bytes_version;
	struct fetch *more; /* a second one */
	bool has_current;
	struct entry entry;
	bool has_hidden;
	struct hidden hidden;
	bool again; /* what was to be there has gone */
	bool moves; /* another tablet has it */
	bool waits; /* that becomes so just now, or its tablet is gone */
};

static void search_release(struct search *s)
{
	fetch_free(TAKE(s->fetch));
	fetch_free(TAKE(s->more));
}

static enum err damaged(const struct search *s)
{
	log_error("ceph: %s: a row is damaged, or of a later version", s->name);
	return ERR_INTERNAL;
}

/* ---- Rows ------------------------------------------------------------------------------------ */

static void name_version(struct search *s, uint64_t version)
{
	struct slice key = s->held->get->key;
	s->version_key = row_key_version(ROW_VERSION, key, version);
	s->bytes_key = row_key_version(ROW_BYTES, key, version);
	s->extents_key = row_key_version(ROW_EXTENTS, key, version);
}

/* The tablet is not there, or not any more. */
static enum err find_other(struct search *s)
{
	s->waits = s->tablet != 0;
	return s->waits ? ERR_UNAVAILABLE : ERR_NO_SUCH_KEY;
}

/* Looks whether the tablet is that of the key; if not, all begins anew with the next one. */
static enum err find_tablet(struct search *s, struct slice value)
{
	const struct store_get *get = s->held->get;
	struct head head;
	if (!head_parse(value, &head) || head.bucket != get->bucket_id)
		return damaged(s);
	s->waits = head.state == HEAD_MOVED;
	if (s->waits)
		return ERR_UNAVAILABLE;
	/* What is behind it has perhaps gone before it. */
	if (head.state == HEAD_DEAD)
		return ERR_NO_SUCH_KEY;
	if (!head_is_behind(&head, get->key))
		return ERR_OK;
	directory_add(s->held->r->directory, get->bucket_id, head.right, head.high);
	s->moves = true;
	return ERR_UNAVAILABLE;
}

static enum err fetch_first(struct search *s)
{
	const struct store_get *get = s->held->get;
	struct row_key prefix = row_key_all_of(ROW_BYTES, get->key);
	bool by_number = !get->version.is_null && get->version.number;
	s->object_key = row_key_of(ROW_OBJECT, get->key);
	s->hidden_key = row_key_of(ROW_HIDDEN, get->key);
	name_version(s, get->version.number);
	const struct slice keys[] = {S(ROW_HEAD), row_key_slice(&s->object_key),
		row_key_slice(&s->hidden_key), row_key_slice(&s->version_key),
		row_key_slice(&s->bytes_key), row_key_slice(&s->extents_key)};
	size_t range = 0;
	bool has_range = !get->head_only && !by_number;
	s->fetch = fetch_new();
	if (!s->fetch)
		return ERR_UNAVAILABLE;
	size_t number = fetch_keys(s->fetch, keys, by_number ? ARRAY_LEN(keys) : 3);
	if (has_range)
		range = fetch_range(s->fetch, "", prefix.bytes, 1);
	int result = fetch_run(s->fetch, s->held->r->index, s->name);
	if (result == -ENOENT)
		return find_other(s);
	if (result < 0)
		return cluster_err(result, "reading", s->name);
	s->rows = fetch_rows(s->fetch, number);
	enum err e = find_tablet(s, fetched_value(s->rows, S(ROW_HEAD)));
	if (e != ERR_OK)
		return e;
	const struct rows *bytes = has_range ? fetch_rows(s->fetch, range) : NULL;
	struct row_name row;
	if (bytes && bytes->count && row_key_parse(bytes->rows[0].key, &row)) {
		s->bytes = bytes->rows[0].value;
		s->bytes_version = row.number;
	}
	return ERR_OK;
}

/* The rows of one more version. */
static enum err fetch_more(struct search *s, uint64_t version)
{
	name_version(s, version);
	const struct slice keys[] = {row_key_slice(&s->version_key), row_key_slice(&s->bytes_key),
		row_key_slice(&s->extents_key)};
	fetch_free(TAKE(s->more));
	s->more = fetch_new();
	if (!s->more)
		return ERR_UNAVAILABLE;
	size_t number = fetch_keys(s->more, keys, ARRAY_LEN(keys));
	int result = fetch_run(s->more, s->held->r->index, s->name);
	if (result == -ENOENT)
		return find_other(s);
	if (result < 0)
		return cluster_err(result, "reading", s->name);
	s->rows = fetch_rows(s->more, number);
	return ERR_OK;
}

/* ---- Which version --------------------------------------------------------------------------- */

static enum err missing(const struct search *s)
{
	return store_version_is_named(&s->held->get->version) ? ERR_NO_SUCH_VERSION
							      : ERR_NO_SUCH_KEY;
}

static enum err take_rows(struct search *s)
{
	struct slice current = fetched_value(s->rows, row_key_slice(&s->object_key));
	struct slice hidden = fetched_value(s->rows, row_key_slice(&s->hidden_key));
	s->has_current = current.len > 0;
	s->has_hidden = hidden.len > 0;
	if ((s->has_current && !entry_read(current, &s->entry)) ||
		(s->has_hidden && !hidden_parse(hidden, &s->hidden)))
		return damaged(s);
	return ERR_OK;
}

/* An older version, whose rows have been read. */
static enum err take_version(struct search *s)
{
	struct slice value = fetched_value(s->rows, row_key_slice(&s->version_key));
	if (value.len == 0)
		return missing(s);
	return entry_read(value, &s->entry) ? ERR_OK : damaged(s);
}

static enum err find_null(struct search *s)
{
	if (s->has_current && s->entry.object.is_null)
		return ERR_OK;
	if (!s->has_hidden || s->hidden.null == 0)
		return missing(s);
	enum err e = fetch_more(s, s->hidden.null);
	if (e == ERR_OK)
		e = take_version(s);
	s->again = e == ERR_NO_SUCH_VERSION;
	return e;
}

static enum err find_version(struct search *s)
{
	const struct store_version *which = &s->held->get->version;
	enum err e = take_rows(s);
	if (e != ERR_OK)
		return e;
	if (which->is_null)
		return find_null(s);
	if (which->number && !(s->has_current && s->entry.object.version == which->number))
		return take_version(s);
	return s->has_current ? ERR_OK : missing(s);
}

/* ---- What is given --------------------------------------------------------------------------- */

static enum err take_extents(struct search *s, struct slice value)
{
	struct held *held = s->held;
	struct extents extents;
	uint64_t total = 0;
	if (!extents_parse(value, &extents))
		return damaged(s);
	held->extents = reallocarray(NULL, extents.count, sizeof(*held->extents));
	if (!held->extents)
		return ERR_UNAVAILABLE;
	/* What was appended after the entry was read is behind its end. */
	while (held->extent_count < extents.count && total < s->entry.object.size) {
		struct extent extent = extents_at(&extents, held->extent_count);
		held->extents[held->extent_count++] = extent;
		total += extent.size;
	}
	return total == s->entry.object.size ? ERR_OK : damaged(s);
}

static enum err take_data(struct search *s)
{
	SCOPED_STRBUF(one, 64);
	extents_add(&one, (struct extent){s->entry.data, s->entry.object.size});
	return take_extents(s, strbuf_slice(&one));
}

/* Where its bytes are; those that are inline in *ret_bytes. */
static enum err find_bytes(struct search *s, struct slice *ret_bytes)
{
	const struct entry *entry = &s->entry;
	uint64_t version = entry->object.version;
	*ret_bytes = S("");
	if (s->held->get->head_only || entry->place == ENTRY_NOWHERE)
		return ERR_OK;
	if (entry->place == ENTRY_DATA)
		return take_data(s);
	if (entry->place == ENTRY_INLINE && s->bytes_version == version) {
		*ret_bytes = s->bytes;
		return s->bytes.len == entry->object.size ? ERR_OK : damaged(s);
	}
	name_version(s, version);
	struct row_key *key = entry->place == ENTRY_INLINE ? &s->bytes_key : &s->extents_key;
	struct slice value = fetched_value(s->rows, row_key_slice(key));
	if (value.len == 0 && !s->more) {
		/* The entry points into the first fetch, which stays. */
		enum err e = fetch_more(s, version);
		if (e != ERR_OK)
			return e;
		value = fetched_value(s->rows, row_key_slice(key));
	}
	s->again = value.len == 0;
	if (s->again)
		return ERR_UNAVAILABLE;
	if (entry->place == ENTRY_EXTENTS)
		return take_extents(s, value);
	*ret_bytes = value;
	return value.len == entry->object.size ? ERR_OK : damaged(s);
}

/* Copies what the caller is given: headers, tags, inline bytes. */
static enum err give(struct search *s, struct slice bytes)
{
	struct held *held = s->held;
	struct store_get *get = held->get;
	struct slice headers = s->entry.object.headers;
	struct slice tags = s->entry.object.tags;
	held->text = malloc(headers.len + tags.len + bytes.len + 1);
	if (!held->text)
		return ERR_UNAVAILABLE;
	char *to = held->text;
	const struct slice texts[] = {headers, tags, bytes};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		if (texts[i].len)
			memcpy(to, texts[i].ptr, texts[i].len);
		to += texts[i].len;
	}
	get->object = s->entry.object;
	get->object.headers = slice_of(held->text, headers.len);
	get->object.tags = slice_of(held->text + headers.len, tags.len);
	get->blob = (struct store_blob){
		.fd = -1, .bytes = held->text + headers.len + tags.len, .size = bytes.len};
	return ERR_OK;
}

static void report_marker(struct search *s)
{
	struct store_object *object = &s->held->get->object;
	*object = (struct store_object){.is_marker = true};
	if (s->has_hidden) {
		object->is_null = s->hidden.newest_is_null;
		object->version = s->hidden.newest;
		object->modified_ms = s->hidden.newest_ms;
	}
}

static enum err search(struct search *s)
{
	struct slice bytes;
	enum err e = fetch_first(s);
	if (e == ERR_NO_SUCH_KEY)
		return missing(s);
	if (e == ERR_OK)
		e = find_version(s);
	if (e == ERR_NO_SUCH_KEY && s->has_hidden && s->hidden.newest_is_marker)
		report_marker(s);
	if (e != ERR_OK)
		return e;
	if (s->entry.object.is_marker) {
		s->held->get->object = (struct store_object){.is_marker = true,
			.is_null = s->entry.object.is_null,
			.version = s->entry.object.version,
			.modified_ms = s->entry.object.modified_ms};
		return ERR_METHOD_NOT_ALLOWED;
	}
	e = find_bytes(s, &bytes);
	return e == ERR_OK ? give(s, bytes) : e;
}

/* ---- The functions of store.h ---------------------------------------------------------------- */

static void held_free(struct held *held)
{
	life_end_read(&held->r->life, &held->read);
	free(held->text);
	free(held->extents);
	window_release(&held->first);
	free(held);
}

static struct store_blob blob_of(const struct window *window)
{
	return (struct store_blob){.fd = -1,
		.bytes = window->bytes,
		.offset = window->skip,
		.size = window->size - window->skip,
		.held = window->size};
}

static enum err find(struct held *held)
{
	enum err e = ERR_UNAVAILABLE;
	bool again = true;
	struct standstill still = {.since_ms = 0};
	for (unsigned i = 0; again && i < ATTEMPTS_MAX;) {
		struct search s = {.held = held};
		uint64_t bucket = held->get->bucket_id;
		s.tablet = directory_find(held->r->directory, bucket, held->get->key);
		rados_tablet_name(s.name, bucket, s.tablet);
		e = search(&s);
		again = s.again || s.moves;
		i += s.again;
		search_release(&s);
		if (s.waits) {
			e = tablet_wait_moved(held->r, bucket, s.tablet, &still);
			again = e == ERR_OK;
		}
	}
	if (e != ERR_OK || held->extent_count == 0)
		return e;
	e = window_read(held, 0, &held->first);
	held->get->blob = blob_of(&held->first);
	return e;
}

static void run_get(struct task *task)
{
	struct held *held = CONTAINER_OF(task, struct held, task);
	struct store_get *get = held->get;
	enum err e = find(held);
	if (e == ERR_OK)
		get->held = held;
	else
		held_free(held);
	store_answer(&get->wait, e);
}

enum store_now rados_get(struct store *store, struct store_get *get)
{
	struct held *held = NULL;
	get->held = NULL;
	get->object = (struct store_object){.size = 0};
	get->blob = (struct store_blob){.fd = -1};
	get->wait.err =
		store_version_is_named(&get->version) ? ERR_NO_SUCH_VERSION : ERR_NO_SUCH_KEY;
	if (!rados_key_fits(get->key) || !get->bucket_id)
		return STORE_DONE;
	if (life_is_well(&rados_of(store)->life))
		held = calloc(1, sizeof(*held));
	if (!held) {
		get->wait.err = ERR_UNAVAILABLE;
		return STORE_DONE;
	}
	held->task.run = run_get;
	held->r = rados_of(store);
	life_begin_read(&held->r->life, &held->read);
	held->get = get;
	held->holder = budget_account_like(&get->holder);
	thread_queue_add(held->r->readers, &held->task);
	return STORE_WAIT;
}

void rados_get_release(struct store *store UNUSED, struct store_get *get)
{
	held_free(TAKE(get->held));
}

/* Reading on. */
struct reading {
	struct task task;
	struct store_read *read;
	struct window window;
};

static void run_read(struct task *task)
{
	struct reading *reading = CONTAINER_OF(task, struct reading, task);
	struct store_read *read = reading->read;
	const struct held *held = read->get->held;
	enum err e = window_read(held, read->at, &reading->window);
	if (e == ERR_OK) {
		read->blob = blob_of(&reading->window);
		read->blob.pin = reading;
	} else {
		free(reading);
	}
	store_answer(&read->wait, e);
}

enum store_now rados_read(struct store *store UNUSED, struct store_read *read)
{
	const struct held *held = read->get->held;
	read->blob = (struct store_blob){.fd = -1};
	if (held->extent_count == 0) {
		/* All is inline. */
		read->blob = read->get->blob;
		read->blob.offset += read->at;
		read->blob.size -= read->at;
		read->wait.err = ERR_OK;
		return STORE_DONE;
	}
	struct reading *reading = calloc(1, sizeof(*reading));
	if (!reading) {
		read->wait.err = ERR_UNAVAILABLE;
		return STORE_DONE;
	}
	reading->task.run = run_read;
	reading->read = read;
	thread_queue_add(held->r->readers, &reading->task);
	return STORE_WAIT;
}

void rados_read_release(struct store *store UNUSED, struct store_read *read)
{
	struct reading *reading = TAKE(read->blob.pin);
	if (!reading)
		return;
	window_release(&reading->window);
	free(reading);
}

void rados_damaged(struct store *store, const struct store_damage *damage)
{
	struct rados *r = rados_of(store);
	char key[256];
	(void)atomic_fetch_add(&r->damaged_reads, 1);
	log_error("ceph: the object %s is not what was stored (request %.*s)",
		log_quoted(damage->get->key, key, sizeof(key)), SLICE_FMT(damage->request));
}
