/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For test_same.c: random mutations as they are asked for, and a simple model in memory that says
 * what each of them does. The model keeps all bytes, and knows nothing of the store's rules but
 * what store.h promises.
 */
#ifndef TESTS_STORE_SAME_MODEL_H
#define TESTS_STORE_SAME_MODEL_H

#include <stdlib.h>

#include "crypto/crc64.h"
#include "crypto/digest.h"
#include "store/store.h"

enum {
	KEYS = 4,
	VERSIONS_MAX = 40, /* of a key; then some are deleted */
	UPLOADS = 3,
	PARTS = 4,
	AT_ONCE = 12, /* mutations */
	STORES = 2,
	NO_VERSION = 1,     /* the number of no version */
	NO_UPLOAD = 999999, /* likewise of an upload */
};

#define BUCKET S("bucket")

static const struct slice keys[KEYS] = {
	SLICE_LIT("a"), SLICE_LIT("a/b"), SLICE_LIT("a0"), SLICE_LIT("b")};
static const struct slice some_headers[] = {
	SLICE_LIT(""), SLICE_LIT("A: b\r\n"), SLICE_LIT("C: d\r\nE: f\r\n")};
static const struct slice some_tags[] = {SLICE_LIT(""), SLICE_LIT("a=b"), SLICE_LIT("c=d&e=f")};

static int64_t now_ms = 1000000;

static int64_t tell_time(const struct clock *clock)
{
	(void)clock;
	return now_ms;
}

static const struct clock stopped = {tell_time};

/* ---- Mutations ------------------------------------------------------------------------------- */

enum kind {
	PUT,
	APPEND,
	DELETE,
	CHANGE,
	BEGIN,
	PART,
	ABORT,
	COMPLETE,
	VERSIONING,
	KINDS,
};

/* A version, as it was picked: in each store it has another number. */
struct picked {
	bool is_null;
	uint64_t serial; /* in the model; 0: none is named, or one that there is not */
	uint64_t number[STORES];
};

struct op {
	enum kind kind;
	unsigned key;
	char *bytes;
	size_t len;
	struct slice headers;
	struct slice tags;
	enum store_acl acl;
	enum store_caller caller;
	bool forbid_overwrite;
	struct picked version;
	bool only_if;
	struct picked seen; /* what it must be */
	uint64_t position;
	unsigned upload;
	uint32_t part;
	struct store_part_named named[PARTS];
	size_t named_count;
	bool all_parts;
	uint64_t part_bytes_min;
	bool set_acl;
	bool set_headers;
	bool set_tags;
	enum store_versioning versioning;
};

/* What a store says of it, or the model. */
struct answer {
	enum err err;
	bool existed;
	bool deleted_marker;
	bool made_marker;
	uint32_t bad_part;
	uint64_t upload;            /* not to be compared */
	struct store_object object; /* of which the version is not to be compared */
};

/* ---- The model ------------------------------------------------------------------------------- */

struct version {
	uint64_t serial;
	uint64_t number[STORES];
	struct store_object object;
	char *bytes;
};

struct model_key {
	size_t count;
	struct version versions[VERSIONS_MAX + AT_ONCE]; /* the newest first */
};

struct model_part {
	bool there;
	struct store_object object;
	char *bytes;
};

struct model_upload {
	bool there;
	unsigned key;
	uint64_t number[STORES];
	struct store_object begun;
	struct model_part parts[PARTS + 1];
};

static struct {
	uint64_t random;
	uint64_t serial;
	enum store_versioning versioning;
	struct model_key keys[KEYS];
	struct model_upload uploads[UPLOADS];
	/* How often each kind of mutation was done, and refused. */
	unsigned done[KINDS];
	unsigned refused[KINDS];
} m;

/* The same numbers in each run. */
static uint64_t random_below(uint64_t below)
{
	m.random = m.random * 6364136223846793005u + 1442695040888963407u;
	return (m.random >> 33) % below;
}

static void drop(struct model_key *k, size_t i)
{
	free(k->versions[i].bytes);
	k->count--;
	memmove(k->versions + i, k->versions + i + 1, (k->count - i) * sizeof(k->versions[0]));
}

/* A new version, or a marker; `bytes` is taken over. */
static void place(struct model_key *k, struct store_object *object, char *bytes)
{
	object->is_null = m.versioning != STORE_VERSIONED;
	object->modified_ms = now_ms;
	for (size_t i = k->count; object->is_null && i-- > 0;)
		if (k->versions[i].object.is_null)
			drop(k, i);
	memmove(k->versions + 1, k->versions, k->count * sizeof(k->versions[0]));
	k->versions[0] = (struct version){.serial = ++m.serial, .object = *object, .bytes = bytes};
	k->count++;
}

static struct version *current_of(struct model_key *k)
{
	return k->count && !k->versions[0].object.is_marker ? &k->versions[0] : NULL;
}

static bool names_version(const struct picked *picked)
{
	return picked->is_null || picked->number[0];
}

/* The version that is named, or the current one. */
static struct version *find(struct model_key *k, const struct picked *picked)
{
	if (!names_version(picked))
		return current_of(k);
	for (size_t i = 0; i < k->count; i++)
		if (picked->is_null ? k->versions[i].object.is_null
				    : k->versions[i].serial == picked->serial)
			return &k->versions[i];
	return NULL;
}

static enum err refuse(const struct op *op, const struct version *old)
{
	if (old && op->forbid_overwrite)
		return ERR_FILE_ALREADY_EXISTS;
	enum store_acl acl = old ? old->object.acl : STORE_ACL_DEFAULT;
	if (op->caller == STORE_CALLER_OWNER || acl == STORE_ACL_PUBLIC_READ_WRITE)
		return ERR_OK;
	return acl == STORE_ACL_DEFAULT && op->caller == STORE_CALLER_PUBLIC_BUCKET
		       ? ERR_OK
		       : ERR_ACCESS_DENIED;
}

static char *copy_of(const char *bytes, size_t len)
{
	char *copy = malloc(len + 1);
	if (!copy)
		abort();
	if (len)
		memcpy(copy, bytes, len);
	return copy;
}

static struct store_object object_of(const struct op *op)
{
	struct store_object object = {.size = op->len,
		.crc64 = crc64_update(0, slice_of(op->bytes, op->len)),
		.acl = op->acl,
		.headers = op->headers,
		.tags = op->tags};
	md5_of(slice_of(op->bytes, op->len), object.md5);
	return object;
}

static void model_put(const struct op *op, struct model_key *k, struct answer *a)
{
	a->err = refuse(op, current_of(k));
	if (a->err != ERR_OK)
		return;
	a->object = object_of(op);
	place(k, &a->object, copy_of(op->bytes, op->len));
}

static void model_append(const struct op *op, struct model_key *k, struct answer *a)
{
	struct version *old = current_of(k);
	a->err = refuse(op, old);
	if (a->err == ERR_OK && old && old->object.type != STORE_APPENDABLE)
		a->err = ERR_NOT_APPENDABLE;
	if (a->err == ERR_OK && (old ? old->object.size : 0) != op->position)
		a->err = ERR_POSITION_NOT_EQUAL_TO_LENGTH;
	if (a->err == ERR_POSITION_NOT_EQUAL_TO_LENGTH && old)
		a->object = old->object;
	if (a->err != ERR_OK)
		return;
	if (!old) {
		a->object = object_of(op);
		a->object.type = STORE_APPENDABLE;
		place(k, &a->object, copy_of(op->bytes, op->len));
		return;
	}
	char *more = realloc(old->bytes, old->object.size + op->len + 1);
	if (!more)
		abort();
	if (op->len)
		memcpy(more + old->object.size, op->bytes, op->len);
	old->bytes = more;
	old->object.size += op->len;
	old->object.crc64 = crc64_update(0, slice_of(more, old->object.size));
	old->object.modified_ms = now_ms;
	if (op->acl != STORE_ACL_DEFAULT)
		old->object.acl = op->acl;
	a->object = old->object;
}

static void model_delete(const struct op *op, struct model_key *k, struct answer *a)
{
	struct version *v = find(k, &op->version);
	if (op->only_if && (!v || v->serial != op->seen.serial)) {
		a->err = ERR_PRECONDITION_FAILED;
		return;
	}
	bool one = names_version(&op->version);
	if (v || !one)
		a->err = refuse(op, v);
	if (a->err != ERR_OK)
		return;
	a->existed = v != NULL;
	a->deleted_marker = one && v && v->object.is_marker;
	if (v && (one || m.versioning == STORE_UNVERSIONED))
		drop(k, (size_t)(v - k->versions));
	if (one || m.versioning == STORE_UNVERSIONED)
		return;
	struct store_object marker = {.is_marker = true};
	place(k, &marker, NULL);
	a->made_marker = true;
	a->object.is_null = marker.is_null;
}

static void model_change(const struct op *op, struct model_key *k, struct answer *a)
{
	struct version *v = find(k, &op->version);
	const struct version *marker = v ? v : k->count ? &k->versions[0] : NULL;
	if (!v)
		a->err = names_version(&op->version) ? ERR_NO_SUCH_VERSION : ERR_NO_SUCH_KEY;
	else if (v->object.is_marker)
		a->err = ERR_METHOD_NOT_ALLOWED;
	if (a->err != ERR_NO_SUCH_VERSION && marker && marker->object.is_marker)
		a->object = marker->object;
	if (a->err == ERR_OK && op->only_if && v && v->serial != op->seen.serial)
		a->err = ERR_PRECONDITION_FAILED;
	if (a->err != ERR_OK || !v)
		return;
	if (op->set_acl)
		v->object.acl = op->acl;
	if (op->set_tags)
		v->object.tags = op->tags;
	if (op->set_headers) {
		v->object.headers = op->headers;
		v->object.modified_ms = now_ms;
	}
	a->object = v->object;
}

static void end_upload(struct model_upload *u)
{
	for (uint32_t i = 1; i <= PARTS; i++)
		free(u->parts[i].bytes);
	*u = (struct model_upload){.there = false};
}

static void model_part(const struct op *op, struct model_upload *u, struct answer *a)
{
	struct model_part *part = &u->parts[op->part];
	free(part->bytes);
	*part = (struct model_part){
		.there = true, .object = object_of(op), .bytes = copy_of(op->bytes, op->len)};
	part->object.modified_ms = now_ms;
	a->object = part->object;
}

/* The first part that is named and is not as it is named; 0: none. */
static uint32_t wrong_part(const struct op *op, const struct model_upload *u)
{
	for (size_t i = 0; i < op->named_count; i++) {
		const struct model_part *part = &u->parts[op->named[i].number];
		if (!part->there || memcmp(part->object.md5, op->named[i].md5, MD5_BYTES) != 0)
			return op->named[i].number;
	}
	return 0;
}

static bool is_taken(const struct op *op, uint32_t number)
{
	for (size_t i = 0; i < op->named_count; i++)
		if (op->named[i].number == number)
			return true;
	return op->all_parts;
}

static void model_complete(
	const struct op *op, struct model_key *k, struct model_upload *u, struct answer *a)
{
	const struct model_part *last = NULL;
	uint32_t last_number = 0;
	uint32_t small = 0;
	uint32_t small_at = 0; /* the part with which it is found to be too small */
	uint32_t wrong = op->all_parts ? 0 : wrong_part(op, u);
	struct store_object made = {.type = STORE_MULTIPART,
		.acl = op->acl != STORE_ACL_DEFAULT ? op->acl : u->begun.acl,
		.headers = u->begun.headers,
		.tags = u->begun.tags};
	char *bytes = copy_of("", 0);
	for (uint32_t i = 1; i <= PARTS; i++) {
		const struct model_part *part = &u->parts[i];
		if (!part->there || !is_taken(op, i))
			continue;
		if (!small && last && last->object.size < op->part_bytes_min) {
			small = last_number;
			small_at = i;
		}
		last = part;
		last_number = i;
		bytes = realloc(bytes, made.size + part->object.size + 1);
		if (!bytes)
			abort();
		memcpy(bytes + made.size, part->bytes, part->object.size);
		made.size += part->object.size;
		made.parts++;
	}
	if (wrong && (!small || wrong <= small_at)) {
		a->err = ERR_INVALID_PART;
		a->bad_part = wrong;
	} else if (small) {
		a->err = ERR_ENTITY_TOO_SMALL;
		a->bad_part = small;
	} else {
		a->err = refuse(op, current_of(k));
	}
	made.crc64 = crc64_update(0, slice_of(bytes, made.size));
	if (a->err != ERR_OK) {
		free(bytes);
		return;
	}
	a->object = made;
	place(k, &a->object, bytes);
	end_upload(u);
}

static void model_upload(const struct op *op, struct model_key *k, struct answer *a)
{
	struct model_upload *u = &m.uploads[op->upload];
	if (op->kind == BEGIN) {
		*u = (struct model_upload){.there = true,
			.key = op->key,
			.begun = {.headers = op->headers, .tags = op->tags, .acl = op->acl}};
		return;
	}
	if (!u->there || u->number[0] == 0 || u->key != op->key) {
		a->err = ERR_NO_SUCH_UPLOAD;
		return;
	}
	if (op->kind == PART)
		model_part(op, u, a);
	else if (op->kind == ABORT)
		end_upload(u);
	else
		model_complete(op, k, u, a);
}

/* What the model says, which needs the numbers that the stores have given. */
static struct answer model_do(const struct op *op, const struct answer got[STORES])
{
	struct model_key *k = &m.keys[op->key];
	struct answer a = {.err = ERR_OK};
	uint64_t serial = m.serial;
	switch (op->kind) {
	case PUT:
		model_put(op, k, &a);
		break;
	case APPEND:
		model_append(op, k, &a);
		break;
	case DELETE:
		model_delete(op, k, &a);
		break;
	case CHANGE:
		model_change(op, k, &a);
		break;
	case BEGIN:
	case PART:
	case ABORT:
	case COMPLETE:
		model_upload(op, k, &a);
		break;
	case VERSIONING:
		m.versioning = op->versioning;
		break;
	case KINDS:
		break;
	}
	for (size_t i = 0; i < STORES; i++)
		if (serial != m.serial)
			k->versions[0].number[i] = got[i].object.version;
	return a;
}

#endif
