/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same random mutations in the store in memory, in the local one and in a simple model: they
 * have the same answers and refusals, and the same is there afterwards. Several mutations are begun
 * at a time, so that group commits have more than one of them, and the local store is opened again
 * now and then: with its index, with nothing but its log, or with an index that was made anew from
 * what the collector has left of the log, which then has the same rows.
 */
#include <inttypes.h>

#include "base/limits.h"
#include "store/local/rebuild/rebuild.h"
#include "tap.h"
#include "unit/store/backend.h"
#include "unit/store/checked.h"
#include "unit/store/rows.h"
#include "unit/store/same_model.h"
#include "unit/store/versions.h"

/* ---- The stores ------------------------------------------------------------------------------ */

/* Counts what has been answered. */
struct waiter {
	struct executor executor;
	pthread_mutex_t lock;
	pthread_cond_t posted;
	unsigned count;
};

static void waiter_post(struct executor *executor, struct task *task)
{
	struct waiter *w = CONTAINER_OF(executor, struct waiter, executor);
	(void)task;
	(void)pthread_mutex_lock(&w->lock);
	w->count++;
	(void)pthread_cond_signal(&w->posted);
	(void)pthread_mutex_unlock(&w->lock);
}

static void waiter_wait(struct waiter *w, unsigned count)
{
	(void)pthread_mutex_lock(&w->lock);
	while (w->count < count)
		(void)pthread_cond_wait(&w->posted, &w->lock);
	w->count = 0;
	(void)pthread_mutex_unlock(&w->lock);
}

static struct waiter waiter = {
	.executor = {waiter_post},
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.posted = PTHREAD_COND_INITIALIZER,
};

/* A mutation on its way, as the store's contract has it. */
struct sent {
	struct store_wait *wait;
	struct store_put_commit commit;
	struct store_delete del;
	struct store_metadata_update change;
	struct store_multipart_begin begin;
	struct store_multipart_abort abort;
	struct store_multipart_complete complete;
	struct store_bucket_update versioning;
};

static struct {
	const char *name;
	struct store *s;
	uint64_t id; /* of the bucket */
	struct sent sent[AT_ONCE];
} stores[STORES];

static struct store_version version_in(const struct picked *picked, size_t store)
{
	return (struct store_version){
		.is_null = picked->is_null, .number = picked->is_null ? 0 : picked->number[store]};
}

static struct store_only_if only_if(const struct op *op, size_t store)
{
	return (struct store_only_if){.set = op->only_if, .version = op->seen.number[store]};
}

static struct store_wait *await(struct sent *sent, struct store_wait *wait)
{
	*wait = (struct store_wait){.home = &waiter.executor, .err = ERR_COUNT};
	sent->wait = wait;
	return wait;
}

static void send_put(const struct op *op, size_t store, struct sent *sent)
{
	static const enum store_put_kind kinds[] = {
		[PUT] = STORE_PUT_OBJECT, [APPEND] = STORE_PUT_APPEND, [PART] = STORE_PUT_PART};
	struct store_put_spec spec = {.kind = kinds[op->kind],
		.bucket_id = stores[store].id,
		.key = keys[op->key],
		.headers = op->headers,
		.tags = op->tags,
		.acl = op->acl,
		.part = op->part,
		.position = op->position};
	if (op->kind == PART)
		spec.upload = m.uploads[op->upload].number[store];
	if (op->kind == PART && spec.upload == 0)
		spec.upload = NO_UPLOAD;
	struct store_put *put;
	struct store_wait none;
	if (store_put_begin(stores[store].s, &spec, &put) != ERR_OK)
		abort();
	(void)store_put_write(stores[store].s, put, slice_of(op->bytes, op->len), &none);
	sent->commit = (struct store_put_commit){
		.forbid_overwrite = op->forbid_overwrite, .caller = op->caller};
	(void)await(sent, &sent->commit.wait);
	store_put_commit(stores[store].s, put, &sent->commit);
}

static void send_change(const struct op *op, size_t store, struct sent *sent)
{
	sent->change = (struct store_metadata_update){.bucket_id = stores[store].id,
		.key = keys[op->key],
		.version = version_in(&op->version, store),
		.only_if = only_if(op, store),
		.set_acl = op->set_acl,
		.acl = op->acl,
		.set_headers = op->set_headers,
		.headers = op->headers,
		.set_tags = op->set_tags,
		.tags = op->tags};
	(void)await(sent, &sent->change.wait);
	store_metadata_update(stores[store].s, &sent->change);
}

static void send_upload(const struct op *op, size_t store, struct sent *sent)
{
	struct store *s = stores[store].s;
	uint64_t id = stores[store].id;
	uint64_t number = m.uploads[op->upload].number[store];
	number = number ? number : NO_UPLOAD;
	if (op->kind == BEGIN) {
		sent->begin = (struct store_multipart_begin){.bucket_id = id,
			.key = keys[op->key],
			.headers = op->headers,
			.tags = op->tags,
			.acl = op->acl};
		(void)await(sent, &sent->begin.wait);
		store_multipart_begin(s, &sent->begin);
	} else if (op->kind == ABORT) {
		sent->abort = (struct store_multipart_abort){
			.bucket_id = id, .key = keys[op->key], .upload = number};
		(void)await(sent, &sent->abort.wait);
		store_multipart_abort(s, &sent->abort);
	} else {
		sent->complete = (struct store_multipart_complete){.bucket_id = id,
			.key = keys[op->key],
			.upload = number,
			.parts = op->all_parts ? NULL : op->named,
			.part_count = op->all_parts ? 0 : op->named_count,
			.part_bytes_min = op->part_bytes_min,
			.acl = op->acl,
			.forbid_overwrite = op->forbid_overwrite,
			.caller = op->caller};
		(void)await(sent, &sent->complete.wait);
		store_multipart_complete(s, &sent->complete);
	}
}

static void send(const struct op *op, size_t store, struct sent *sent)
{
	switch (op->kind) {
	case PUT:
	case APPEND:
	case PART:
		send_put(op, store, sent);
		break;
	case DELETE:
		sent->del = (struct store_delete){.bucket_id = stores[store].id,
			.key = keys[op->key],
			.version = version_in(&op->version, store),
			.only_if = only_if(op, store),
			.caller = op->caller};
		(void)await(sent, &sent->del.wait);
		store_delete(stores[store].s, &sent->del);
		break;
	case CHANGE:
		send_change(op, store, sent);
		break;
	case BEGIN:
	case ABORT:
	case COMPLETE:
		send_upload(op, store, sent);
		break;
	case VERSIONING:
		sent->versioning = (struct store_bucket_update){
			.name = BUCKET, .set_versioning = true, .versioning = op->versioning};
		(void)await(sent, &sent->versioning.wait);
		store_bucket_update(stores[store].s, &sent->versioning);
		break;
	case KINDS:
		break;
	}
}

/* Without what the contract leaves open. */
static struct answer answer_of(const struct op *op, const struct sent *sent)
{
	struct answer a = {.err = sent->wait->err};
	bool ok = a.err == ERR_OK;
	bool tells = op->kind == CHANGE || a.err == ERR_POSITION_NOT_EQUAL_TO_LENGTH;
	if (op->kind == PUT || op->kind == APPEND || op->kind == PART)
		a.object = sent->commit.object;
	else if (op->kind == CHANGE)
		a.object = sent->change.object;
	else if (op->kind == COMPLETE)
		a.object = sent->complete.object;
	if (!ok && !tells)
		a.object = (struct store_object){.size = 0};
	if (op->kind == PART)
		a.object.acl = STORE_ACL_DEFAULT;
	if (op->kind == COMPLETE)
		a.bad_part = sent->complete.bad_part;
	if (ok && op->kind == BEGIN)
		a.upload = sent->begin.upload;
	if (!ok || op->kind != DELETE)
		return a;
	a.existed = sent->del.existed;
	a.deleted_marker = sent->del.deleted_marker;
	a.made_marker = sent->del.made_marker;
	if (a.made_marker) {
		a.object.version = sent->del.marker;
		a.object.is_null = sent->del.marker_is_null;
	}
	return a;
}

static bool same_object(const struct store_object *a, const struct store_object *b)
{
	return a->size == b->size && a->crc64 == b->crc64 && a->acl == b->acl &&
	       a->type == b->type && a->parts == b->parts && a->is_marker == b->is_marker &&
	       a->is_null == b->is_null && a->modified_ms == b->modified_ms;
}

static bool same_answer(const struct op *op, const struct answer *a, const struct answer *b)
{
	struct store_object x = a->object;
	struct store_object y = b->object;
	if (op->kind == PART || (a->err == ERR_POSITION_NOT_EQUAL_TO_LENGTH)) {
		x = (struct store_object){.size = x.size, .crc64 = x.crc64};
		y = (struct store_object){.size = y.size, .crc64 = y.crc64};
	}
	if (a->made_marker)
		x.modified_ms = y.modified_ms = 0;
	return a->err == b->err && a->existed == b->existed &&
	       a->deleted_marker == b->deleted_marker && a->made_marker == b->made_marker &&
	       a->bad_part == b->bad_part && same_object(&x, &y);
}

/* ---- What is there --------------------------------------------------------------------------- */

static bool same_entry(size_t store, const struct store_entry *entry, const struct version *v)
{
	const struct store_object *o = &entry->object;
	struct store_get get;
	if (o->version != v->number[store] || !same_object(o, &v->object) ||
		!slice_eq(o->headers, v->object.headers) || !slice_eq(o->tags, v->object.tags))
		return false;
	if (o->is_marker)
		return true;
	if (get_version(stores[store].s, stores[store].id, entry->key, version_of(o), false,
		    &get) != ERR_OK)
		return false;
	char *bytes = get_bytes(stores[store].s, &get, 0);
	bool same = bytes && get.object.size == v->object.size &&
		    slice_eq(slice_of(bytes, get.object.size), slice_of(v->bytes, v->object.size));
	free(bytes);
	store_get_release(stores[store].s, &get);
	return same;
}

static bool same_versions(size_t store)
{
	struct store_list list = {
		.bucket_id = stores[store].id, .versions = true, .max_entries = 1000};
	if (list_objects(stores[store].s, &list) != ERR_OK)
		return false;
	uint32_t at = 0;
	bool same = true;
	for (size_t i = 0; i < KEYS; i++)
		for (size_t j = 0; same && j < m.keys[i].count; j++, at++) {
			const struct store_entry *entry = &list.entries[at];
			same = at < list.count && slice_eq(entry->key, keys[i]) &&
			       entry->is_latest == (j == 0) &&
			       same_entry(store, entry, &m.keys[i].versions[j]);
		}
	same = same && at == list.count;
	store_list_release(stores[store].s, &list);
	return same;
}

static bool same_parts(size_t store, const struct model_upload *u)
{
	struct store_list_parts list = {.bucket_id = stores[store].id,
		.key = keys[u->key],
		.upload = u->number[store],
		.max_parts = 10};
	if (list_parts(stores[store].s, &list) != ERR_OK)
		return false;
	uint32_t at = 0;
	bool same = true;
	for (uint32_t i = 1; same && i <= PARTS; i++) {
		const struct store_object *o = &u->parts[i].object;
		if (!u->parts[i].there)
			continue;
		const struct store_part *part = &list.parts[at];
		same = at++ < list.count && part->number == i && part->size == o->size &&
		       part->crc64 == o->crc64 && part->modified_ms == o->modified_ms &&
		       memcmp(part->md5, o->md5, MD5_BYTES) == 0;
	}
	same = same && at == list.count;
	store_list_parts_release(stores[store].s, &list);
	return same;
}

static struct store_bucket_stats model_counts(void)
{
	struct store_bucket_stats c = {.objects = 0};
	for (size_t i = 0; i < KEYS; i++)
		for (size_t j = 0; j < m.keys[i].count; j++) {
			const struct store_object *o = &m.keys[i].versions[j].object;
			bool is_current = j == 0 && !o->is_marker;
			*(is_current ? &c.objects : &c.old_versions) += 1;
			*(is_current ? &c.bytes : &c.old_bytes) += o->size;
		}
	for (size_t i = 0; i < UPLOADS; i++) {
		c.uploads += m.uploads[i].there;
		for (uint32_t j = 1; j <= PARTS; j++)
			c.part_bytes += m.uploads[i].parts[j].object.size;
	}
	return c;
}

static bool same_there(size_t store)
{
	struct store_bucket_stats want = model_counts();
	struct store_bucket_stats have;
	bucket_stats(stores[store].s, stores[store].id, &have);
	bool versions = same_versions(store);
	bool counts = memcmp(&want, &have, sizeof(want)) == 0;
	bool parts = true;
	for (size_t i = 0; i < UPLOADS; i++)
		if (m.uploads[i].there)
			parts = same_parts(store, &m.uploads[i]) && parts;
	if (!versions || !counts || !parts)
		printf("# %s: versions %d counts %d parts %d\n", stores[store].name, versions,
			counts, parts);
	return versions && counts && parts;
}

/* ---- Random mutations ------------------------------------------------------------------------ */

static struct picked pick_version(unsigned key)
{
	const struct model_key *k = &m.keys[key];
	size_t at = (size_t)random_below(k->count + 3);
	struct picked picked = {.is_null = at == k->count};
	if (at > k->count)
		picked.number[0] = picked.number[1] = NO_VERSION;
	if (at >= k->count)
		return picked;
	const struct version *v = &k->versions[at];
	picked = (struct picked){.serial = v->serial, .is_null = v->object.is_null};
	memcpy(picked.number, v->number, sizeof(picked.number));
	return picked;
}

static void pick_seen(struct op *op)
{
	op->only_if = random_below(3) == 0;
	if (!op->only_if)
		return;
	op->seen = op->version;
	const struct version *current = current_of(&m.keys[op->key]);
	if (current && random_below(2)) {
		op->seen.serial = current->serial;
		memcpy(op->seen.number, current->number, sizeof(op->seen.number));
	}
	/* "null" alone has no number. */
	if (op->seen.serial == 0)
		op->seen.number[0] = op->seen.number[1] = NO_VERSION;
}

static void pick_parts(struct op *op)
{
	const struct model_upload *u = &m.uploads[op->upload];
	op->all_parts = random_below(4) == 0;
	op->part_bytes_min = random_below(3) ? 0 : 200;
	if (op->all_parts)
		return;
	for (uint32_t i = 1; i <= PARTS; i++) {
		if (random_below(3) == 0 || (!u->parts[i].there && random_below(4)))
			continue;
		struct store_part_named *named = &op->named[op->named_count++];
		named->number = i;
		memcpy(named->md5, u->parts[i].object.md5, MD5_BYTES);
		if (random_below(12) == 0)
			named->md5[3]++;
	}
}

static void pick_bytes(struct op *op, size_t most)
{
	op->len = random_below(12) ? (size_t)random_below(most) : 0;
	op->bytes = copy_of("", 0);
	op->bytes = realloc(op->bytes, op->len + 1);
	if (!op->bytes)
		abort();
	for (size_t i = 0; i < op->len; i++)
		op->bytes[i] = (char)random_below(256);
}

static enum kind pick_kind(bool *begun, unsigned upload)
{
	uint64_t dice = random_below(100);
	if (dice < 2)
		return VERSIONING;
	if (dice < 27)
		return PUT;
	if (dice < 38)
		return APPEND;
	if (dice < 58)
		return DELETE;
	if (dice < 73)
		return CHANGE;
	if (!m.uploads[upload].there && !begun[upload]) {
		begun[upload] = true;
		return BEGIN;
	}
	return dice < 88 ? PART : dice < 91 ? ABORT : COMPLETE;
}

static struct op pick_op(bool *begun, size_t most)
{
	struct op op = {.key = (unsigned)random_below(KEYS),
		.headers = some_headers[random_below(ARRAY_LEN(some_headers))],
		.tags = some_tags[random_below(ARRAY_LEN(some_tags))],
		.acl = (enum store_acl)random_below(4),
		.caller = random_below(3) ? STORE_CALLER_OWNER : (enum store_caller)random_below(3),
		.forbid_overwrite = random_below(8) == 0,
		.upload = (unsigned)random_below(UPLOADS),
		.part = 1 + (uint32_t)random_below(PARTS),
		.set_acl = random_below(2),
		.set_headers = random_below(2),
		.set_tags = random_below(2),
		.versioning = random_below(2) ? STORE_VERSIONED : STORE_VERSIONING_SUSPENDED};
	op.kind = pick_kind(begun, op.upload);
	const struct version *current = current_of(&m.keys[op.key]);
	if (op.kind >= BEGIN && m.uploads[op.upload].there && random_below(12))
		op.key = m.uploads[op.upload].key;
	if (op.kind == PUT || op.kind == APPEND || op.kind == PART)
		pick_bytes(&op, op.kind == PART ? 400 : most);
	if (op.kind == APPEND && current && random_below(8))
		op.position = current->object.size;
	if (op.kind == DELETE || op.kind == CHANGE)
		op.forbid_overwrite = false;
	if ((op.kind == DELETE || op.kind == CHANGE) && random_below(3))
		op.version = pick_version(op.key);
	if (op.kind == DELETE || op.kind == CHANGE)
		pick_seen(&op);
	if (op.kind == COMPLETE)
		pick_parts(&op);
	/* Parts do not know of the conditions of objects. */
	if (op.kind == PART) {
		op.forbid_overwrite = false;
		op.caller = STORE_CALLER_OWNER;
	}
	return op;
}

/* Some mutations at a time, in each of the stores; false if they are not the same. */
static bool do_some(size_t most)
{
	struct op ops[AT_ONCE];
	struct answer got[AT_ONCE][STORES];
	bool begun[UPLOADS] = {false};
	unsigned count = 1 + (unsigned)random_below(AT_ONCE);
	now_ms += 1000;
	for (unsigned i = 0; i < count; i++)
		ops[i] = pick_op(begun, most);
	for (size_t s = 0; s < STORES; s++) {
		for (unsigned i = 0; i < count; i++)
			send(&ops[i], s, &stores[s].sent[i]);
		waiter_wait(&waiter, count);
		for (unsigned i = 0; i < count; i++)
			got[i][s] = answer_of(&ops[i], &stores[s].sent[i]);
	}
	bool same = true;
	for (unsigned i = 0; i < count; i++) {
		struct answer want = model_do(&ops[i], got[i]);
		(want.err == ERR_OK ? m.done : m.refused)[ops[i].kind]++;
		for (size_t s = 0; s < STORES; s++) {
			if (same_answer(&ops[i], &got[i][s], &want))
				continue;
			printf("# mutation %u of %u, kind %d: %s says %d, the model %d\n", i, count,
				(int)ops[i].kind, stores[s].name, (int)got[i][s].err,
				(int)want.err);
			same = false;
		}
		same = same && memcmp(got[i][0].object.md5, got[i][1].object.md5, MD5_BYTES) == 0;
		free(ops[i].bytes);
	}
	for (unsigned i = 0; i < count; i++)
		for (size_t s = 0; s < STORES && ops[i].kind == BEGIN; s++)
			m.uploads[ops[i].upload].number[s] = got[i][s].upload;
	return same;
}

/* Room for the versions that the next mutations make. */
static bool thin_out(void)
{
	bool ok = true;
	for (size_t i = 0; i < KEYS; i++)
		while (m.keys[i].count > VERSIONS_MAX / 2) {
			const struct version *v = &m.keys[i].versions[m.keys[i].count - 1];
			for (size_t s = 0; s < STORES; s++) {
				struct store_delete del = {.bucket_id = stores[s].id,
					.key = keys[i],
					.version = {.is_null = v->object.is_null,
						.number = v->number[s]}};
				ok = delete_version(stores[s].s, &del) == ERR_OK && ok;
			}
			drop(&m.keys[i], m.keys[i].count - 1);
		}
	return ok;
}

/* ---- What lies between ----------------------------------------------------------------------- */

enum {
	FILL_BYTES = 300000,
	FILL_LARGE_BYTES = LIMIT_INLINE_BYTES + 1,
	FILL_AT_ONCE = 12, /* rounds: about a segment */
};

/* Large objects, one in the place of the other, and buckets of the same name. */
static bool come_and_go(unsigned round, struct slice bytes)
{
	struct store *s = stores[1].s;
	struct slice name = S("come-and-go");
	uint64_t id = bucket_id(s, S("filling"));
	if (round % 5 == 0)
		return put_object(s, id, S("large"), bytes, NULL) == ERR_OK;
	if (round % 20 == 2)
		return bucket_create(s, name, STORE_ACL_PRIVATE) == ERR_OK &&
		       put_object(s, bucket_id(s, name), S("k"), S("v"), NULL) == ERR_OK;
	if (round % 20 == 12)
		return delete_object(s, bucket_id(s, name), S("k"), NULL) == ERR_OK &&
		       bucket_delete(s, name) == ERR_OK;
	return true;
}

/*
 * In another bucket of the local store: it fills segments, and goes from one or the other of them
 * at random, so that they are collected in any order, and some never.
 */
static bool fill_segments(unsigned round)
{
	static char bytes[FILL_LARGE_BYTES];
	char name[32];
	struct store *s = stores[1].s;
	uint64_t id = bucket_id(s, S("filling"));
	bool ok = true;
	(void)snprintf(name, sizeof(name), "%u", round);
	ok = put_object(s, id, slice_str(name), slice_of(bytes, FILL_BYTES), NULL) == ERR_OK &&
	     come_and_go(round, slice_of(bytes, sizeof(bytes)));
	if (round % 4 || round < FILL_AT_ONCE)
		return ok;
	unsigned from = (unsigned)random_below(round);
	for (unsigned i = from; i < from + FILL_AT_ONCE && i < round; i++) {
		(void)snprintf(name, sizeof(name), "%u", i);
		ok = delete_object(s, id, slice_str(name), NULL) == ERR_OK && ok;
	}
	return ok;
}

/* ---- All of it ------------------------------------------------------------------------------- */

struct run {
	const char *name;
	uint64_t seed;
	unsigned rounds;
	size_t most;            /* bytes of an object */
	uint64_t segment_bytes; /* 0: only one */
	bool without_index;     /* when it is opened again */
	bool rebuilt;           /* likewise */
};

static struct store *open_local(const char *path, const struct run *run)
{
	const struct local_options options = {.path = path,
		.clock = &stopped,
		.segment_bytes = run->segment_bytes,
		.gc_bytes_per_second = GIB(1),
		.gc_interval_ms = 5};
	struct store *s;
	if (local_store_open(&options, &s) != ERR_OK)
		abort();
	return s;
}

/* Closed at any moment, whatever the collector has still to do. */
static bool checked_again(const char *path, const struct run *run)
{
	store_close(stores[1].s);
	bool clean = checked_clean(path);
	stores[1].s = open_local(path, run);
	return clean;
}

static bool open_again(const char *path, const struct run *run)
{
	char index[2 * FOLDER_PATH_MAX];
	bool same = !run->rebuilt || checked_again(path, run);
	same = (!run->rebuilt || rows_settle(stores[1].s)) && same;
	store_close(stores[1].s);
	(void)snprintf(index, sizeof(index), "%s/index", path);
	if (run->rebuilt)
		same = rows_same_after_rebuild(path) && same;
	if (run->without_index)
		folder_remove(index);
	stores[1].s = open_local(path, run);
	return same;
}

static void begin(const char *path, const struct run *run)
{
	memset(&m, 0, sizeof(m));
	m.random = run->seed;
	stores[0].name = "memory";
	stores[1].name = "local";
	if (memory_store_open(&stopped, &stores[0].s) != ERR_OK)
		abort();
	stores[1].s = open_local(path, run);
	if (run->rebuilt && bucket_create(stores[1].s, S("filling"), STORE_ACL_PRIVATE) != ERR_OK)
		abort();
	for (size_t s = 0; s < STORES; s++) {
		if (bucket_create(stores[s].s, BUCKET, STORE_ACL_PRIVATE) != ERR_OK)
			abort();
		stores[s].id = bucket_id(stores[s].s, BUCKET);
	}
}

static void end(void)
{
	for (size_t s = 0; s < STORES; s++)
		store_close(stores[s].s);
	for (size_t i = 0; i < KEYS; i++)
		while (m.keys[i].count)
			drop(&m.keys[i], 0);
	for (size_t i = 0; i < UPLOADS; i++)
		end_upload(&m.uploads[i]);
}

/* Whether all was tried that can be, and in group commits of several. */
static bool tried_all(void)
{
	bool ok = true;
	for (size_t i = 0; i < KINDS; i++)
		ok = m.done[i] > 0 && (m.refused[i] > 0 || i == BEGIN || i == VERSIONING) && ok;
	return ok;
}

static void compare(const struct run *run)
{
	char path[FOLDER_PATH_MAX];
	folder_make(path);
	struct store_stats stats;
	bool grouped = false;
	begin(path, run);
	bool ok = true;
	for (unsigned i = 0; ok && i < run->rounds / (UNDER_TSAN || UNDER_ASAN ? 2 : 1); i++) {
		if (run->rebuilt)
			ok = fill_segments(i);
		ok = ok && do_some(run->most) && same_there(0) && same_there(1) && thin_out();
		if (ok && i % 30 == 29) {
			store_stats(stores[1].s, &stats);
			grouped = grouped || stats.commits > stats.syncs;
			ok = open_again(path, run) && same_there(1);
		}
		if (!ok)
			printf("# in round %u\n", i);
	}
	OK(ok, "%s", run->name);
	OK(grouped && tried_all(), "each kind was done and refused, several at a time");
	end();
	folder_remove(path);
}

int main(void)
{
	static const struct run runs[] = {
		{"in memory and on the disk, with a busy collector", 1, 400, 60000, MIB(4), false,
			false},
		{"in memory and on the disk, opened again without an index", 2, 400, 300, 0, true,
			false},
		{"in memory and on the disk, and the index made anew", 3, 400, 2000, MIB(4), false,
			true},
	};
	for (size_t i = 0; i < ARRAY_LEN(runs); i++)
		compare(&runs[i]);
	return tap_done();
}
