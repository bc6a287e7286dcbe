/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the log from its beginning. Reports damaged places, and records whose bytes do not match
 * their checksum.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "crypto/crc64.h"
#include "store/local/disk/files.h"
#include "store/local/fsck/fsck_internal.h"

enum {
	TEXT_BYTES = 160
};

/* ---- Gaps ------------------------------------------------------------------------------------ */

static void add_gap(const struct restore_gap *what, void *ctx)
{
	struct fsck *f = ctx;
	if (what->is_unread) {
		fsck_tell_segment(
			f, NULL, what->segment, what->begin, "the disk cannot read what is there");
		return;
	}
	struct gap *gaps = realloc(f->gaps, (f->gap_count + 1) * sizeof(*gaps));
	if (!gaps) {
		fsck_fail(f, ERR_UNAVAILABLE);
		return;
	}
	f->gaps = gaps;
	f->gaps[f->gap_count++] = (struct gap){.what = *what};
}

/* The gap with this byte; NULL if there is none. */
static struct gap *gap_at(struct fsck *f, uint64_t segment, uint64_t offset)
{
	for (size_t i = 0; i < f->gap_count; i++)
		if (f->gaps[i].what.segment == segment && f->gaps[i].what.begin <= offset &&
			offset < f->gaps[i].what.end)
			return &f->gaps[i];
	return NULL;
}

bool log_is_damaged(struct fsck *f, const struct location *where)
{
	return gap_at(f, where->segment, where->offset) != NULL;
}

static void tell_gap(struct fsck *f, const struct gap *gap)
{
	const struct restore_gap *what = &gap->what;
	char text[TEXT_BYTES];
	if (what->is_header)
		(void)snprintf(text, sizeof(text), "the segment's header is damaged");
	else if (what->is_good)
		(void)snprintf(
			text, sizeof(text), "record %" PRIu64 " says what cannot be", what->first);
	else if (gap->told)
		return;
	else if (what->is_known)
		(void)snprintf(text, sizeof(text),
			"the log is damaged: record %" PRIu64
			" is known all the same; no entry needs it",
			what->first);
	else if (what->next)
		(void)snprintf(text, sizeof(text),
			"the log is damaged: changes %" PRIu64 " to %" PRIu64
			" cannot be read; no entry needs them",
			what->first, what->next - 1);
	else
		(void)snprintf(
			text, sizeof(text), "behind the last record is something else than zeros");
	fsck_tell_segment(f, NULL, what->segment, what->begin, text);
}

void log_tell_gaps(struct fsck *f)
{
	for (size_t i = 0; i < f->gap_count; i++)
		tell_gap(f, &f->gaps[i]);
}

/* ---- Records --------------------------------------------------------------------------------- */

static struct segment_sum *sum_of(struct fsck *f, uint64_t segment)
{
	struct segment_sum *last = f->sum_count ? &f->sums[f->sum_count - 1] : NULL;
	if (last && last->id == segment)
		return last;
	struct segment_sum *sums = realloc(f->sums, (f->sum_count + 1) * sizeof(*sums));
	if (!sums) {
		fsck_fail(f, ERR_UNAVAILABLE);
		return NULL;
	}
	f->sums = sums;
	f->sums[f->sum_count] = (struct segment_sum){.id = segment};
	return &f->sums[f->sum_count++];
}

/* Whether the record is about bytes that are its data. */
static bool has_bytes(const struct record *record, struct object_meta *ret)
{
	return record_brings_bytes(record) && object_meta_parse(record->meta, ret) &&
	       ret->place == OBJECT_INLINE;
}

/* Zeros fill a record up, which its checksum does not cover. */
static bool is_filled(const struct record *record)
{
	/* Every record has a name; an empty slice points anywhere. */
	const char *begin = record->name.ptr - RECORD_HEADER_BYTES;
	size_t used = RECORD_HEADER_BYTES + record->name.len + record->meta.len + record->data.len;
	for (size_t i = used; record->name.len && i < record->total; i++)
		if (begin[i] != 0)
			return false;
	return true;
}

static void see_record(const struct record *record, const struct location *where, void *ctx)
{
	struct fsck *f = ctx;
	struct object_meta meta;
	struct segment_sum *sum = sum_of(f, where->segment);
	struct subject about = {.bucket_id = record->bucket_id, .key = record->name};
	if (!sum)
		return;
	sum->records += record->total;
	f->result->records++;
	if (!is_filled(record))
		fsck_tell_segment(f, NULL, where->segment, where->offset + where->length - 1,
			"behind a record is something else than zeros");
	if (!has_bytes(record, &meta))
		return;
	about.object = meta.is_part ? NULL : &meta.object;
	if (meta.object.size != record->data.len ||
		crc64_update(0, record->data) != meta.object.crc64)
		fsck_tell_segment(f, &about, where->segment, where->offset + where->data_offset,
			"a whole record has bytes whose CRC-64 is another");
}

/* ---- Behind the last record ------------------------------------------------------------------ */

/* The first and the last byte from `at` on that is not zero; false if there is none. */
static bool find_bytes(struct fsck *f, const struct segment *segment, uint64_t at, uint64_t end,
	uint64_t *ret_first, uint64_t *ret_last)
{
	size_t got = FSCK_BLOCK_BYTES;
	bool found = false;
	for (; at < end && got == FSCK_BLOCK_BYTES; at += got) {
		/* That it cannot be read is told by the log. */
		struct files_bad ignored = {.bytes = 0};
		if (files_read_around(
			    segment->fd, f->block, FSCK_BLOCK_BYTES, at, &got, &ignored) != 0)
			return found;
		for (size_t i = 0; i < got; i++) {
			if (f->block[i] == 0)
				continue;
			if (!found)
				*ret_first = at + i;
			found = true;
			*ret_last = at + i;
		}
	}
	return found && *ret_first < end;
}

static void see_end(struct segment *segment, uint64_t at, uint64_t end, void *ctx)
{
	struct fsck *f = ctx;
	uint64_t first = 0;
	uint64_t last = 0;
	if (f->tail_segment && !gap_at(f, f->tail_segment, f->tail_at))
		fsck_tell_segment(f, NULL, f->tail_segment, f->tail_at,
			"behind the last record is something else than zeros");
	f->tail_segment = 0;
	f->result->tail_bytes = 0;
	if (!sum_of(f, segment->id) || !find_bytes(f, segment, at, end, &first, &last))
		return;
	f->tail_segment = segment->id;
	f->tail_at = at;
	f->result->tail_bytes = last + 1 - at;
}

/* What the index knows of the log must be there. */
static void check_length(struct fsck *f)
{
	const struct index_state *state = &f->state;
	const struct restore_log *log = &f->log;
	bool shorter = state->segment > log->walk.segment ||
		       (state->segment == log->walk.segment && state->offset > log->walk.good_at);
	if (!f->index || !shorter)
		return;
	f->log.lost++;
	uint64_t begin = state->segment == log->walk.segment ? log->walk.good_at : 0;
	f->result->tail_bytes = 0;
	add_gap(&(struct restore_gap){.segment = state->segment,
			.begin = begin,
			.end = state->offset > begin ? state->offset : begin + 1,
			.first = log->walk.sequence,
			.next = state->sequence},
		f);
}

/* ---- All of it ------------------------------------------------------------------------------- */

static bool progress(uint64_t done, uint64_t total UNUSED, void *ctx)
{
	struct fsck *f = ctx;
	f->done = done;
	return fsck_progress(f, 0);
}

/* What the kernel keeps of the files is not what is on the disk. */
static void forget_pages(struct fsck *f)
{
	struct segment *segment;
	struct stat st;
	for (uint64_t id = 0; (segment = segment_pin_from(f->segments, id)) != NULL;) {
		id = segment->id + 1;
		(void)posix_fadvise(segment->fd, 0, 0, POSIX_FADV_DONTNEED);
		if (fstat(segment->fd, &st) == 0)
			f->total += (uint64_t)st.st_size;
		segment_unpin(segment);
	}
}

enum err log_check(struct fsck *f)
{
	const struct restore_watch watch = {.progress = progress,
		.record = see_record,
		.ended = see_end,
		.gap = add_gap,
		.ctx = f};
	forget_pages(f);
	f->log.segments = f->segments;
	f->log.index = f->rebuilt;
	f->log.since = f->format.since;
	f->log.watch = &watch;
	enum err e = restore_log_read(&f->log);
	f->log.watch = NULL;
	check_length(f);
	return e;
}

/* ---- One record ------------------------------------------------------------------------------ */

static const char *judge(const struct segment *segment, const struct location *where,
	const struct subject *about, const struct entry *entry, struct slice bytes)
{
	struct record record;
	if (record_parse(bytes, segment->salt, &record) != RECORD_OK)
		return "the record is damaged";
	if (record.total != where->length || !slice_eq(record.name, about->key))
		return "the record is another";
	if (!entry || entry->meta.place != OBJECT_INLINE)
		return NULL;
	if (record.data.len != entry->meta.object.size ||
		RECORD_HEADER_BYTES + record.name.len + record.meta.len != where->data_offset)
		return "the record is another";
	return crc64_update(0, record.data) == entry->meta.object.crc64
		       ? NULL
		       : "the bytes have another CRC-64";
}

bool log_check_record(struct fsck *f, const struct location *where, const struct subject *about,
	const struct entry *entry)
{
	size_t got = 0;
	const char *what = NULL;
	struct segment *segment = segment_pin(f->segments, where->segment);
	if (!segment)
		what = "the segment is missing";
	else if (where->length > RECORD_MAX || where->length < RECORD_HEADER_BYTES)
		what = "the record is another";
	int e = what ? 0 : files_read(segment->fd, f->record, where->length, where->offset, &got);
	if (e)
		what = files_text(e);
	else if (!what && got < where->length)
		what = "the segment is cut short";
	else if (!what)
		what = judge(segment, where, about, entry, slice_of(f->record, got));
	segment_unpin(segment);
	if (!what)
		return true;
	struct gap *gap = gap_at(f, where->segment, where->offset);
	if (gap)
		gap->told = true;
	fsck_tell_segment(f, about, where->segment, where->offset, what);
	return false;
}
