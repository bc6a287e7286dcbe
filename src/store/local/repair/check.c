/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the bytes of an entry are what was stored. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "crypto/crc64.h"
#include "store/local/disk/files.h"
#include "store/local/large/large.h"
#include "store/local/large/verify.h"
#include "store/local/repair/repair_internal.h"

_Static_assert(VERIFY_BLOCK_BYTES >= RECORD_DATA_MAX, "r->block is for both");

struct checking {
	struct repair *r;
	struct bad_place *bad;
	enum err err; /* whether anything is damaged is not known */
};

static bool was_read(uint64_t offset UNUSED, uint64_t bytes, void *ctx)
{
	struct repair *r = ((struct checking *)ctx)->r;
	r->done += bytes;
	if (r->options->progress && !r->options->progress(r->done, r->total, r->options->ctx))
		r->broken_off = true;
	return !r->broken_off;
}

static void note(struct checking *c, uint64_t offset, const char *what)
{
	if (c->bad->what)
		return;
	c->bad->offset = offset;
	c->bad->what = what;
}

static void is_bad(uint64_t offset, const char *what, void *ctx)
{
	note(ctx, offset, what);
}

/* Nothing is lost for what may be read another time. */
static void fail(struct checking *c, const char *file, int fault)
{
	log_error("store: cannot read %s: %s", file, files_text(fault));
	c->err = files_err(fault);
}

/* The bytes are whole: new sums are made of them. */
static void write_sums(struct checking *c, const struct object_meta *meta, const struct sums *sums)
{
	log_info("store: the sums of the blocks of %s are made again", c->bad->file);
	int e = large_files_add_sums(c->r->local->files, meta->file, meta->object.size, sums);
	if (e) {
		log_error("store: cannot write to %s: %s", c->bad->file, files_text(e));
		c->err = files_err(e);
	}
	c->bad->what = NULL;
}

static void verify(struct checking *c, const struct object_meta *meta, int fd)
{
	struct sums sums = {.each = NULL};
	switch (verify_file(&(struct verify){.fd = fd,
		.meta = meta,
		.block = c->r->block,
		.gather = meta->has_sums ? &sums : NULL,
		.bad = is_bad,
		.read = was_read,
		.ctx = c})) {
	case VERIFY_SUMS_DAMAGED:
		write_sums(c, meta, &sums);
		break;
	case VERIFY_UNREADABLE:
		log_error("store: cannot read %s: %s", c->bad->file, c->bad->what);
		c->err = ERR_INTERNAL;
		break;
	case VERIFY_NO_MEMORY:
		c->err = ERR_UNAVAILABLE;
		break;
	case VERIFY_GOOD:
	case VERIFY_DAMAGED:
	case VERIFY_BROKEN_OFF:
		break;
	}
	sums_release(&sums);
}

static void check_file(struct checking *c, const struct object_meta *meta)
{
	large_files_path(meta->file, c->bad->file, sizeof(c->bad->file));
	SCOPED_FD int fd = openat(c->r->local->dir, c->bad->file, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && (errno == ENOENT || errno == EIO)) {
		note(c, FSCK_NOWHERE, errno == ENOENT ? "the file is missing" : files_text(errno));
	} else if (fd < 0) {
		fail(c, c->bad->file, errno);
	} else {
		(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		verify(c, meta, fd);
	}
}

static void check_record(struct checking *c, const struct entry *entry)
{
	struct segment *segment = segment_pin(c->r->local->segments, entry->where.segment);
	uint64_t at = entry->where.offset + entry->where.data_offset;
	size_t size = (size_t)entry->meta.object.size; /* as entry_parse() has checked */
	size_t got = 0;
	(void)snprintf(c->bad->file, sizeof(c->bad->file), "segments/%016" PRIx64 ".seg",
		entry->where.segment);
	if (!segment) {
		note(c, FSCK_NOWHERE, "the segment is missing");
		return;
	}
	int e = files_read(segment->fd, c->r->block, size, at, &got);
	if (e == EIO)
		note(c, at, files_text(e));
	else if (e)
		fail(c, c->bad->file, e);
	else if (got < size)
		note(c, at, "the segment is cut short");
	else if (crc64_update(0, slice_of(c->r->block, got)) != entry->meta.object.crc64)
		note(c, at, "the bytes have another CRC-64");
	segment_unpin(segment);
	(void)was_read(at, got, c);
}

static void check_bytes(struct checking *c, const struct entry *entry)
{
	if (entry->meta.place == OBJECT_INLINE)
		check_record(c, entry);
	else if (entry->meta.place == OBJECT_FILE)
		check_file(c, &entry->meta);
}

/* All parts; and whether they come to the object, if there is one. */
static enum err check_parts(struct checking *c, uint64_t list, const struct store_object *object)
{
	struct key prefix;
	struct slice rest;
	struct slice value;
	struct entry part;
	uint64_t size = 0;
	uint64_t crc = 0;
	key_number(&prefix, KEY_PART, list);
	struct index_cursor *cursor = index_cursor_new(c->r->local->index, NULL, &prefix);
	if (!cursor)
		return ERR_UNAVAILABLE;
	for (index_cursor_seek(cursor, S(""));
		!c->bad->what && c->err == ERR_OK && !c->r->broken_off &&
		index_cursor_at(cursor, &rest, &value);
		index_cursor_next(cursor)) {
		if (!entry_parse(value, &part)) {
			note(c, FSCK_NOWHERE, "the entry of a part is damaged");
			break;
		}
		check_bytes(c, &part);
		crc = crc64_combine(crc, part.meta.object.crc64, part.meta.object.size);
		size += part.meta.object.size;
	}
	enum err e = index_cursor_err(cursor);
	index_cursor_free(cursor);
	if (e == ERR_OK && object && !c->bad->what && c->err == ERR_OK && !c->r->broken_off &&
		(size != object->size || crc != object->crc64)) {
		(void)snprintf(c->bad->file, sizeof(c->bad->file), "index");
		note(c, FSCK_NOWHERE, "its parts do not come to it");
	}
	return e;
}

enum err check_entry(struct repair *r, const struct about *about, const struct entry *entry,
	struct bad_place *ret)
{
	struct checking c = {.r = r, .bad = ret, .err = ERR_OK};
	enum err e = ERR_OK;
	*ret = (struct bad_place){.what = NULL};
	if (about->kind == KEY_MULTIPART)
		e = check_parts(&c, about->upload, NULL);
	else if (entry->meta.place == OBJECT_PART_LIST)
		e = check_parts(&c, entry->meta.file, &entry->meta.object);
	else
		check_bytes(&c, entry);
	if (r->broken_off)
		return ERR_UNAVAILABLE;
	return e == ERR_OK ? c.err : e;
}
