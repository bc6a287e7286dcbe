/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/large/verify.h"

#include <errno.h>
#include <sys/stat.h>

#include "crypto/crc64.h"
#include "store/local/disk/files.h"

_Static_assert(VERIFY_BLOCK_BYTES % BLOCK_CHECK_BYTES == 0, "whole blocks");

struct reading {
	const struct verify *verify;
	uint64_t size;
	uint64_t crc;
	unsigned char page[SUMS_PAGE_BYTES];
	struct block_check check; /* of the page that was read last */
	uint64_t page_read;       /* its number; UINT64_MAX: none is good */
	bool in_bad;              /* the block before was damaged too */
	bool ok;                  /* nothing was told */
	bool is_whole;            /* the bytes have the right CRC-64 */
	bool is_unreadable;       /* for another reason than damage */
};

static void tell(struct reading *r, uint64_t offset, const char *what)
{
	r->verify->bad(offset, what, r->verify->ctx);
	r->ok = false;
}

/* ---- Sums ------------------------------------------------------------------------------------ */

static void read_page(struct reading *r, uint64_t page)
{
	size_t got = 0;
	uint64_t offset = sums_offset(r->size) + page * SUMS_PAGE_BYTES;
	int e = files_read(r->verify->fd, r->page, sizeof(r->page), offset, &got);
	r->page_read = page;
	if (e == 0 && sums_page_parse(slice_of(r->page, got), r->verify->meta->file, r->size, page,
			      &r->check))
		return;
	r->check.size = 0;
	r->is_unreadable |= e != 0 && e != EIO;
	tell(r, offset, e ? files_text(e) : "the sums of its blocks are damaged");
}

static void check_block(struct reading *r, uint64_t at, struct slice block, bool is_told)
{
	uint64_t page = at / SUMS_PAGE_COVERS;
	if (page != r->page_read)
		read_page(r, page);
	if (r->check.size == 0)
		return;
	uint64_t bad;
	bool good = block_check_fits(&r->check, at, block, &bad);
	if (!good && !r->in_bad && !is_told)
		tell(r, at, "a block of 64 KiB is damaged");
	r->in_bad = !good;
}

/* ---- Bytes ----------------------------------------------------------------------------------- */

/* False without memory. */
static bool take(struct reading *r, uint64_t at, struct slice bytes, bool is_told)
{
	r->crc = crc64_update(r->crc, bytes);
	for (size_t i = 0; r->verify->meta->has_sums && i < bytes.len; i += BLOCK_CHECK_BYTES)
		check_block(
			r, at + i, slice_head(slice_from(bytes, i), BLOCK_CHECK_BYTES), is_told);
	return !r->verify->gather || sums_add(r->verify->gather, bytes);
}

static enum verify_result read_bytes(struct reading *r)
{
	const struct verify *v = r->verify;
	bool has_holes = false;
	for (uint64_t at = 0; at < r->size; at += VERIFY_BLOCK_BYTES) {
		size_t got = 0;
		uint64_t left = r->size - at;
		size_t want = left < VERIFY_BLOCK_BYTES ? (size_t)left : VERIFY_BLOCK_BYTES;
		struct files_bad bad = {.bytes = 0};
		int e = files_read_around(v->fd, v->block, want, at, &got, &bad);
		if (bad.bytes)
			tell(r, bad.first, files_text(EIO));
		has_holes |= bad.bytes > 0;
		if (e || got < want) {
			tell(r, at + got, e ? files_text(e) : "the file is cut short");
			return e ? VERIFY_UNREADABLE : VERIFY_DAMAGED;
		}
		if (!take(r, at, slice_of(v->block, got), bad.bytes > 0))
			return VERIFY_NO_MEMORY;
		if (!v->read(at, got, v->ctx))
			return VERIFY_BROKEN_OFF;
	}
	r->is_whole = r->crc == v->meta->object.crc64 && !has_holes;
	if (!r->is_whole && r->ok)
		tell(r, 0, "the bytes have another CRC-64");
	return VERIFY_GOOD;
}

/* Between the bytes and their sums are zeros, and behind the sums is nothing. */
static void check_rest(struct reading *r)
{
	uint64_t begin = sums_offset(r->size);
	char filling[SUMS_PAGE_BYTES];
	struct stat st;
	size_t got = 0;
	if (!r->verify->meta->has_sums || r->size == 0)
		return;
	int e = files_read(r->verify->fd, filling, (size_t)(begin - r->size), r->size, &got);
	for (size_t i = 0; e == 0 && i < got; i++)
		if (filling[i] != 0) {
			tell(r, r->size + i, "behind the bytes is something else than zeros");
			break;
		}
	if (fstat(r->verify->fd, &st) == 0 &&
		(uint64_t)st.st_size != begin + sums_pages(r->size) * SUMS_PAGE_BYTES)
		tell(r, (uint64_t)st.st_size, "the file has another length");
}

enum verify_result verify_file(const struct verify *verify)
{
	struct reading r = {.verify = verify,
		.size = verify->meta->object.size,
		.page_read = UINT64_MAX,
		.ok = true};
	struct stat st;
	if (fstat(verify->fd, &st) == 0 && (uint64_t)st.st_size < r.size) {
		tell(&r, (uint64_t)st.st_size, "the file is cut short");
		return VERIFY_DAMAGED;
	}
	enum verify_result result = read_bytes(&r);
	if (result == VERIFY_GOOD)
		check_rest(&r);
	if (result != VERIFY_GOOD || r.ok)
		return result;
	if (r.is_unreadable)
		return VERIFY_UNREADABLE;
	return r.is_whole ? VERIFY_SUMS_DAMAGED : VERIFY_DAMAGED;
}
