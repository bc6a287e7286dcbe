/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes that come: hashed in the thread of the caller, gathered to chunks, and sent while others
 * come.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "crypto/crc64.h"
#include "crypto/digest.h"
#include "store/rados/data/data.h"
#include "store/rados/rows/key.h"
#include "store/rados/tablet/tablet.h"

enum {
	ON_THEIR_WAY_MAX = 2, /* chunks; then the caller is asked to wait */
	BUFFER_BYTES_FIRST = 64 << 10,
};

struct store_put {
	struct rados *r;
	struct change change;
	struct store_put_commit *commit; /* once it is committed */
	struct store_object object;
	enum store_put_kind kind;
	struct budget_account memory;
	enum err err; /* sticky */
	struct digest_md5 md5;

	/* The chunk that is being filled. */
	char *buffer;
	size_t buffer_len;
	size_t buffer_size;
	uint64_t size_hint;
	struct pool *pool; /* of its data, once a chunk was sent */
	struct mark *data; /* its number, likewise */
	uint64_t chunks;   /* that were sent */

	pthread_mutex_t lock; /* of what is below; a leaf but for posting tasks */
	unsigned on_their_way;
	bool has_begun; /* a chunk has arrived */
	int failed;
	struct store_wait *waiting; /* until fewer are on their way */
	bool ends;                  /* when none is on its way any more, put_end() follows */

	char text[]; /* key, headers, tags */
};

/* A chunk on its way. */
struct sent {
	struct transfer transfer;
	struct store_put *put;
};

static struct slice keep(struct slice s, char **to)
{
	char *begin = *to;
	if (s.len)
		memcpy(begin, s.ptr, s.len);
	*to += s.len;
	return slice_of(begin, s.len);
}

static void put_free(struct store_put *put)
{
	free(put->buffer);
	budget_close(&put->memory);
	(void)pthread_mutex_destroy(&put->lock);
	free(put);
}

/*
 * For a buffer of `size` bytes. One that is no longer small soon is a chunk that is filled, with
 * two on their way, which librados has copies of; or all that there is.
 */
static bool reserve(struct store_put *put, size_t size)
{
	size_t chunk = put->r->sizes.chunk_bytes;
	size_t most = (ON_THEIR_WAY_MAX + 1) * chunk;
	size_t wanted = most;
	if (size <= LIMIT_INLINE_BYTES && size < chunk)
		wanted = LIMIT_PUT_BYTES + size;
	else if (put->size_hint >= size && put->size_hint < most)
		wanted = (size_t)put->size_hint;
	return budget_raise(&put->memory, wanted);
}

enum err rados_put_begin(
	struct store *store, const struct store_put_spec *spec, struct store_put **ret)
{
	static const enum rules_kind kinds[] = {
		[STORE_PUT_OBJECT] = RULES_PUT,
		[STORE_PUT_PART] = RULES_UPLOAD_PART,
		[STORE_PUT_APPEND] = RULES_APPEND,
	};
	struct rados *r = rados_of(store);
	bool is_part = spec->kind == STORE_PUT_PART;
	struct slice headers = is_part ? S("") : spec->headers;
	struct slice tags = is_part ? S("") : spec->tags;
	if (!rados_key_fits(spec->key) || headers.len > ENTRY_HEADERS_BYTES_MAX ||
		tags.len > ENTRY_TAGS_BYTES_MAX || (is_part && spec->part > ROW_PART_MAX))
		return ERR_INVALID_ARGUMENT;
	if (atomic_load(&r->is_full))
		return ERR_DISK_FULL;
	struct store_put *put = calloc(1, sizeof(*put) + spec->key.len + headers.len + tags.len);
	if (!put)
		return ERR_UNAVAILABLE;
	char *to = put->text;
	put->r = r;
	put->kind = spec->kind;
	put->memory = spec->memory;
	put->size_hint = spec->size_hint;
	put->change = (struct change){.r = r,
		.bucket_id = spec->bucket_id,
		.key = keep(spec->key, &to),
		.upload = is_part ? spec->upload : 0,
		.part = is_part ? spec->part : 0,
		.mutation = {.kind = kinds[spec->kind],
			.object = &put->object,
			.position = spec->position}};
	put->object = (struct store_object){.acl = spec->acl,
		.type = spec->kind == STORE_PUT_OBJECT ? spec->type : STORE_NORMAL,
		.headers = keep(headers, &to),
		.tags = keep(tags, &to)};
	/* What was reserved for a large one is not yet what it needs here. */
	size_t chunk = r->sizes.chunk_bytes;
	if (spec->size_hint && spec->size_hint < chunk)
		chunk = (size_t)spec->size_hint;
	if (spec->memory.bytes >= store_put_bytes(1) && !reserve(put, chunk)) {
		free(put);
		return ERR_UNAVAILABLE;
	}
	(void)atomic_fetch_add(&r->transfers, 1);
	digest_md5_init(&put->md5);
	(void)pthread_mutex_init(&put->lock, NULL);
	*ret = put;
	return ERR_OK;
}

/* ---- The end --------------------------------------------------------------------------------- */

static struct store_object without_text(const struct store_object *object)
{
	struct store_object copy = *object;
	copy.headers = S("");
	copy.tags = S("");
	return copy;
}

/* What becomes of the data that has come. */
enum fate {
	DATA_KEPT,    /* a row refers to it */
	DATA_DROPPED, /* none does */
	DATA_OPEN,    /* nobody knows */
};

static void end_data(struct store_put *put, enum fate fate)
{
	struct life *life = &put->r->life;
	if (!put->data)
		return;
	if (fate == DATA_KEPT)
		life_end_data(life, put->data);
	else if (fate == DATA_OPEN)
		life_leave_data(life, put->data);
	else
		data_remove(put->r, put->pool, put->data, put->chunks, put->failed == -ETIMEDOUT);
}

/* Answers, if somebody waits. */
static void finish(struct store_put *put, enum err e, enum fate fate)
{
	struct store_put_commit *commit = put->commit;
	struct rados *r = put->r;
	end_data(put, fate);
	put_free(put);
	(void)atomic_fetch_sub(&r->transfers, 1);
	if (commit)
		store_answer(&commit->wait, e);
}

static void decided(struct change *change)
{
	struct store_put *put = CONTAINER_OF(change, struct store_put, change);
	put->commit->object = without_text(put->kind == STORE_PUT_APPEND ? &change->effects.reported
									 : &change->effects.object);
	finish(put, change->err,
		change->err == ERR_OK ? DATA_KEPT
		: change->is_open     ? DATA_OPEN
				      : DATA_DROPPED);
}

/* No chunk is on its way any more. */
static void put_end(struct store_put *put)
{
	if (put->err == ERR_OK)
		put->err = cluster_err(put->failed, "writing data of", "an object");
	if (!put->commit || put->err != ERR_OK) {
		finish(put, put->err, DATA_DROPPED);
		return;
	}
	put->change.done = decided;
	change_submit(&put->change);
}

/* Waits, without blocking, until no chunk is on its way. */
static void end_when_sent(struct store_put *put)
{
	(void)pthread_mutex_lock(&put->lock);
	put->ends = true;
	bool now = put->on_their_way == 0;
	(void)pthread_mutex_unlock(&put->lock);
	if (now)
		put_end(put);
}

/* ---- Chunks ---------------------------------------------------------------------------------- */

/* Until the first chunk has arrived it is alone: without it nobody would look for others. */
static unsigned on_their_way_max(const struct store_put *put)
{
	return put->has_begun ? ON_THEIR_WAY_MAX : 1;
}

static void has_arrived(struct transfer *transfer, int result)
{
	struct sent *sent = CONTAINER_OF(transfer, struct sent, transfer);
	struct store_put *put = sent->put;
	free(sent);
	(void)pthread_mutex_lock(&put->lock);
	put->on_their_way--;
	put->has_begun = true;
	/* Of one that was lost more has to be remembered than of one that failed. */
	if (result < 0 && (put->failed == 0 || result == -ETIMEDOUT))
		put->failed = result;
	struct store_wait *waiting =
		put->on_their_way < on_their_way_max(put) ? TAKE(put->waiting) : NULL;
	int failed = put->failed;
	bool ends = put->ends && put->on_their_way == 0;
	(void)pthread_mutex_unlock(&put->lock);
	if (waiting)
		store_answer(waiting, cluster_err(failed, "writing data of", "an object"));
	if (ends)
		put_end(put);
}

/* Puts the sums behind what has been gathered. */
static enum err add_sums(struct store_put *put)
{
	size_t len = put->buffer_len;
	size_t sums = sums_of(len);
	size_t wanted = len + sums * SUM_BYTES;
	char *buffer = wanted > put->buffer_size ? realloc(put->buffer, wanted) : put->buffer;
	if (!buffer)
		return ERR_UNAVAILABLE;
	if (wanted > put->buffer_size)
		put->buffer_size = wanted;
	put->buffer = buffer;
	for (size_t i = 0; i < sums; i++) {
		struct slice rest =
			slice_of(buffer + i * SUM_BLOCK_BYTES, len - i * SUM_BLOCK_BYTES);
		sum_block(put->data->number, put->chunks, slice_head(rest, SUM_BLOCK_BYTES),
			buffer + len + i * SUM_BYTES);
	}
	put->buffer_len = wanted;
	return ERR_OK;
}

/* A number for the data, and the pool where it will be. */
static bool begin_data(struct store_put *put)
{
	struct mark *data = malloc(sizeof(*data));
	if (!data || !life_begin_data(&put->r->life, data)) {
		free(data);
		return false;
	}
	put->data = data;
	put->pool = rados_pool_of(put->r, put->object.size);
	return true;
}

/* Sends what has been gathered. */
static enum err send_chunk(struct store_put *put)
{
	const struct data_owner owner = {.bucket = put->change.bucket_id,
		.upload = put->change.upload,
		.part = put->change.part,
		.key = put->change.key};
	char name[RADOS_NAME_BYTES];
	SCOPED_STRBUF(of, DATA_OWNER_BYTES_MAX);
	if (!put->data && !begin_data(put))
		return ERR_UNAVAILABLE;
	struct sent *sent = malloc(sizeof(*sent));
	if (!sent || add_sums(put) != ERR_OK) {
		free(sent);
		return ERR_UNAVAILABLE;
	}
	if (put->chunks == 0)
		data_owner_format(&owner, &of);
	*sent = (struct sent){.transfer.done = has_arrived, .put = put};
	(void)pthread_mutex_lock(&put->lock);
	put->on_their_way++;
	(void)pthread_mutex_unlock(&put->lock);
	int result = pool_create(put->pool, rados_chunk_name(name, put->data->number, put->chunks),
		slice_of(put->buffer, put->buffer_len), strbuf_slice(&of), &sent->transfer);
	put->chunks++;
	put->buffer_len = 0;
	if (result < 0)
		has_arrived(&sent->transfer, result);
	return ERR_OK;
}

/* Copies the front of `*bytes` into the chunk, and sends it when it is full. */
static enum err gather(struct store_put *put, struct slice *bytes)
{
	size_t chunk = put->r->sizes.chunk_bytes;
	struct slice head = slice_head(*bytes, chunk - put->buffer_len);
	size_t wanted = put->buffer_len + head.len;
	if (wanted > put->buffer_size) {
		size_t size = 2 * put->buffer_size;
		if (size < BUFFER_BYTES_FIRST)
			size = BUFFER_BYTES_FIRST;
		if (size > put->size_hint && put->size_hint >= wanted)
			size = put->size_hint;
		if (size < wanted)
			size = wanted;
		if (size > chunk)
			size = chunk + sums_of(chunk) * SUM_BYTES;
		char *buffer = reserve(put, size) ? realloc(put->buffer, size) : NULL;
		if (!buffer)
			return ERR_UNAVAILABLE;
		put->buffer = buffer;
		put->buffer_size = size;
	}
	memcpy(put->buffer + put->buffer_len, head.ptr, head.len);
	put->buffer_len += head.len;
	put->object.size += head.len;
	*bytes = slice_from(*bytes, head.len);
	return put->buffer_len == chunk ? send_chunk(put) : ERR_OK;
}

enum store_now rados_put_write(struct store_put *put, struct slice bytes, struct store_wait *wait)
{
	if (put->err == ERR_OK) {
		digest_md5_update(&put->md5, bytes);
		put->object.crc64 = crc64_update(put->object.crc64, bytes);
	}
	while (bytes.len && put->err == ERR_OK)
		put->err = gather(put, &bytes);
	(void)pthread_mutex_lock(&put->lock);
	bool waits = wait && put->err == ERR_OK && put->failed == 0 &&
		     put->on_their_way >= on_their_way_max(put);
	if (waits)
		put->waiting = wait;
	int failed = put->failed;
	(void)pthread_mutex_unlock(&put->lock);
	if (waits)
		return STORE_WAIT;
	if (put->err == ERR_OK)
		put->err = cluster_err(failed, "writing data of", "an object");
	if (wait)
		wait->err = put->err;
	return STORE_DONE;
}

void rados_put_abort(struct store_put *put)
{
	end_when_sent(put);
}

/* The digests are what the caller expects. */
static bool digests_fit(const struct store_put *put, const struct store_put_commit *commit)
{
	return (!commit->expect_md5 ||
		       memcmp(put->object.md5, commit->expect_md5, MD5_BYTES) == 0) &&
	       (!commit->expect_crc64 || put->object.crc64 == *commit->expect_crc64);
}

void rados_put_commit(struct store_put *put, struct store_put_commit *commit)
{
	struct change *change = &put->change;
	digest_md5_final(&put->md5, put->object.md5);
	put->commit = commit;
	change->mutation.forbid_overwrite = commit->forbid_overwrite;
	change->mutation.caller = commit->caller;
	change->mutation.kept = put->kind == STORE_PUT_PART ? NULL : commit->kept;
	if (put->err == ERR_OK && !digests_fit(put, commit))
		put->err = ERR_INVALID_DIGEST;
	if (put->kind == STORE_PUT_OBJECT && put->chunks == 0 &&
		put->object.size <= put->r->sizes.inline_bytes) {
		change->place = put->object.size ? ENTRY_INLINE : ENTRY_NOWHERE;
		change->inline_bytes = slice_of(put->buffer, put->buffer_len);
	} else if (put->object.size) {
		change->place = ENTRY_DATA;
	}
	if (put->err == ERR_OK && change->place == ENTRY_DATA && put->buffer_len)
		put->err = send_chunk(put);
	if (put->data)
		change->data = put->data->number;
	end_when_sent(put);
}
