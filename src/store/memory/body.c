/* SPDX-License-Identifier: Apache-2.0 */
#include "store/memory/body.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/limits.h"

#define PIECE_BYTES_FIRST KIB(4)
#define PIECE_BYTES_MAX MIB(1)

struct piece {
	atomic_uint refs;
	struct budget_account memory;
	size_t size;
	size_t len;
	char bytes[];
};

struct row {
	struct piece *piece;
	uint64_t end; /* where in the body its bytes end */
};

struct body {
	atomic_uint refs;
	struct budget_account memory; /* of this and the rows */
	size_t count;
	size_t size;
	struct row *rows;
};

/* ---- Pieces ---------------------------------------------------------------------------------- */

static enum err piece_new(size_t size, struct piece **ret)
{
	struct budget_account memory = {.pool = BUDGET_STORE};
	if (!budget_take(&memory, sizeof(**ret) + size))
		return ERR_DISK_FULL;
	struct piece *piece = malloc(sizeof(*piece) + size);
	if (!piece) {
		budget_close(&memory);
		return ERR_UNAVAILABLE;
	}
	atomic_init(&piece->refs, 1);
	piece->memory = memory;
	piece->size = size;
	piece->len = 0;
	*ret = piece;
	return ERR_OK;
}

static void piece_unref(struct piece *piece)
{
	if (atomic_fetch_sub(&piece->refs, 1) > 1)
		return;
	budget_close(&piece->memory);
	free(piece);
}

/* ---- Bodies ---------------------------------------------------------------------------------- */

struct body *body_new(void)
{
	struct body *body = calloc(1, sizeof(*body));
	if (!body)
		return NULL;
	atomic_init(&body->refs, 1);
	body->memory.pool = BUDGET_STORE;
	budget_count(&body->memory, sizeof(*body));
	return body;
}

struct body *body_ref(struct body *body)
{
	if (body)
		(void)atomic_fetch_add(&body->refs, 1);
	return body;
}

void body_unref(struct body *body)
{
	if (!body || atomic_fetch_sub(&body->refs, 1) > 1)
		return;
	for (size_t i = 0; i < body->count; i++)
		piece_unref(body->rows[i].piece);
	budget_close(&body->memory);
	free(body->rows);
	free(body);
}

/* Makes room for so many rows in all. */
static enum err reserve(struct body *body, size_t count)
{
	if (count <= body->size)
		return ERR_OK;
	size_t size = count < 2 * body->size ? 2 * body->size : count;
	size_t more = (size - body->size) * sizeof(body->rows[0]);
	if (!budget_take(&body->memory, more))
		return ERR_DISK_FULL;
	struct row *rows = realloc(body->rows, size * sizeof(*rows));
	if (!rows) {
		budget_give(&body->memory, more);
		return ERR_UNAVAILABLE;
	}
	body->rows = rows;
	body->size = size;
	return ERR_OK;
}

static uint64_t end_of(const struct body *body)
{
	return body->count ? body->rows[body->count - 1].end : 0;
}

/* Each piece is larger than the one before, up to a limit. */
static size_t next_size(const struct body *body, size_t len, uint64_t hint)
{
	size_t size = body->count ? 2 * body->rows[body->count - 1].piece->size : PIECE_BYTES_FIRST;
	if (hint)
		size = hint < PIECE_BYTES_MAX ? (size_t)hint : PIECE_BYTES_MAX;
	if (size < len)
		size = len;
	return size < PIECE_BYTES_MAX ? size : PIECE_BYTES_MAX;
}

static enum err add_piece(struct body *body, size_t len, uint64_t hint)
{
	struct piece *piece;
	enum err e = reserve(body, body->count + 1);
	if (e == ERR_OK)
		e = piece_new(next_size(body, len, hint), &piece);
	if (e != ERR_OK)
		return e;
	body->rows[body->count] = (struct row){piece, end_of(body)};
	body->count++;
	return ERR_OK;
}

enum err body_add(struct body *body, struct slice bytes, uint64_t hint)
{
	while (bytes.len) {
		struct row *last = body->count ? &body->rows[body->count - 1] : NULL;
		if (!last || last->piece->len == last->piece->size) {
			enum err e = add_piece(body, bytes.len, hint);
			if (e != ERR_OK)
				return e;
			continue;
		}
		struct piece *piece = last->piece;
		struct slice head = slice_head(bytes, piece->size - piece->len);
		memcpy(piece->bytes + piece->len, head.ptr, head.len);
		piece->len += head.len;
		last->end += head.len;
		bytes = slice_from(bytes, head.len);
	}
	return ERR_OK;
}

enum err body_share(struct body *body, const struct body *other)
{
	enum err e = reserve(body, body->count + other->count);
	if (e != ERR_OK)
		return e;
	uint64_t begin = end_of(body);
	for (size_t i = 0; i < other->count; i++) {
		struct piece *piece = other->rows[i].piece;
		(void)atomic_fetch_add(&piece->refs, 1);
		body->rows[body->count++] = (struct row){piece, begin + other->rows[i].end};
	}
	return ERR_OK;
}

void body_trim(struct body *body)
{
	struct row *last = body->count ? &body->rows[body->count - 1] : NULL;
	if (!last || last->piece->len == last->piece->size)
		return;
	size_t unused = last->piece->size - last->piece->len;
	struct piece *piece = realloc(last->piece, sizeof(*piece) + last->piece->len);
	if (!piece)
		return;
	piece->size = piece->len;
	budget_give(&piece->memory, unused);
	last->piece = piece;
}

struct store_blob body_find(const struct body *body, uint64_t at)
{
	struct store_blob blob = {.fd = -1};
	size_t low = 0;
	size_t high = body ? body->count : 0;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (body->rows[middle].end <= at)
			low = middle + 1;
		else
			high = middle;
	}
	if (!body || low == body->count)
		return blob;
	const struct row *row = &body->rows[low];
	blob.bytes = row->piece->bytes;
	blob.size = row->end - at;
	blob.offset = row->piece->len - blob.size;
	return blob;
}
