/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a large file, and compares its bytes with the checksums of its blocks. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "crypto/crc64.h"
#include "store/local/disk/files.h"
#include "store/local/fsck/fsck_internal.h"
#include "store/local/large/large.h"
#include "store/local/large/sums.h"

_Static_assert(FSCK_BLOCK_BYTES % BLOCK_CHECK_BYTES == 0, "whole blocks");

struct reading {
	struct fsck *f;
	const struct object_meta *meta;
	const struct subject *about;
	char name[FSCK_FILE_MAX];
	int fd;
	uint64_t crc;
	unsigned char page[SUMS_PAGE_BYTES];
	struct block_check check; /* of the page that was read last */
	uint64_t page_read;       /* its number; UINT64_MAX: none is good */
	bool in_bad;              /* the block before was damaged too */
	bool ok;
};

static void tell(struct reading *r, uint64_t offset, const char *what)
{
	fsck_tell(r->f, r->about, r->name, offset, what);
	r->ok = false;
}

/* ---- Sums ------------------------------------------------------------------------------------ */

static void read_page(struct reading *r, uint64_t page)
{
	size_t got = 0;
	uint64_t size = r->meta->object.size;
	uint64_t offset = sums_offset(size) + page * SUMS_PAGE_BYTES;
	int e = files_read(r->fd, r->page, sizeof(r->page), offset, &got);
	r->page_read = page;
	if (e == 0 && sums_page_parse(slice_of(r->page, got), r->meta->file, size, page, &r->check))
		return;
	r->check.size = 0;
	tell(r, offset, e ? files_text(e) : "the sums of its blocks are damaged");
}

static void check_block(struct reading *r, uint64_t at, struct slice block)
{
	uint64_t page = at / SUMS_PAGE_COVERS;
	if (page != r->page_read)
		read_page(r, page);
	if (r->check.size == 0)
		return;
	uint64_t bad;
	bool good = block_check_fits(&r->check, at, block, &bad);
	if (!good && !r->in_bad)
		tell(r, at, "a block of 64 KiB is damaged");
	r->in_bad = !good;
}

/* ---- Bytes ----------------------------------------------------------------------------------- */

static void take(struct reading *r, uint64_t at, struct slice bytes)
{
	r->crc = crc64_update(r->crc, bytes);
	for (size_t i = 0; r->meta->has_sums && i < bytes.len; i += BLOCK_CHECK_BYTES)
		check_block(r, at + i, slice_head(slice_from(bytes, i), BLOCK_CHECK_BYTES));
}

static bool read_bytes(struct reading *r)
{
	uint64_t size = r->meta->object.size;
	for (uint64_t at = 0; at < size; at += FSCK_BLOCK_BYTES) {
		size_t got = 0;
		size_t want = size - at < FSCK_BLOCK_BYTES ? (size_t)(size - at) : FSCK_BLOCK_BYTES;
		int e = files_read(r->fd, r->f->block, want, at, &got);
		if (e || got < want) {
			tell(r, at + got, e ? files_text(e) : "the file is cut short");
			return false;
		}
		take(r, at, slice_of(r->f->block, got));
		if (!fsck_progress(r->f, got))
			return false;
	}
	if (r->crc != r->meta->object.crc64 && r->ok)
		tell(r, 0, "the bytes have another CRC-64");
	return true;
}

/* Between the bytes and their sums are zeros, and behind the sums is nothing. */
static void check_rest(struct reading *r)
{
	uint64_t size = r->meta->object.size;
	uint64_t begin = sums_offset(size);
	char filling[SUMS_PAGE_BYTES];
	struct stat st;
	size_t got = 0;
	if (!r->meta->has_sums || size == 0)
		return;
	int e = files_read(r->fd, filling, (size_t)(begin - size), size, &got);
	for (size_t i = 0; e == 0 && i < got; i++)
		if (filling[i] != 0) {
			tell(r, size + i, "behind the bytes is something else than zeros");
			break;
		}
	if (fstat(r->fd, &st) == 0 &&
		(uint64_t)st.st_size != begin + sums_pages(size) * SUMS_PAGE_BYTES)
		tell(r, (uint64_t)st.st_size, "the file has another length");
}

bool file_check(struct fsck *f, const struct object_meta *meta, const struct subject *about)
{
	struct reading r = {
		.f = f, .meta = meta, .about = about, .page_read = UINT64_MAX, .ok = true};
	SCOPED_FD int path = -1;
	struct stat st;
	large_files_path(meta->file, r.name, sizeof(r.name));
	path = openat(f->dir, r.name, O_RDONLY | O_CLOEXEC);
	r.fd = path;
	if (path < 0) {
		tell(&r, FSCK_NOWHERE, errno == ENOENT ? "the file is missing" : files_text(errno));
		return false;
	}
	if (fstat(path, &st) == 0 && (uint64_t)st.st_size < meta->object.size) {
		tell(&r, (uint64_t)st.st_size, "the file is cut short");
		return false;
	}
	(void)posix_fadvise(path, 0, 0, POSIX_FADV_DONTNEED);
	(void)posix_fadvise(path, 0, 0, POSIX_FADV_SEQUENTIAL);
	if (read_bytes(&r))
		check_rest(&r);
	if (!meta->has_sums && meta->object.size)
		f->result->unchecked_ranges++;
	f->result->bytes += meta->object.size;
	return r.ok;
}
