/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>

#include "store/local/fsck/fsck_internal.h"
#include "store/shared/buckets.h"

enum {
	VERSION_TEXT_BYTES = 24
};

void fsck_tell(struct fsck *f, const struct subject *about, const char *file, uint64_t offset,
	const char *what)
{
	char version[VERSION_TEXT_BYTES] = "";
	struct fsck_finding finding = {
		.what = what, .version = version, .file = file, .offset = offset};
	if (about && f->buckets)
		finding.bucket = buckets_name(f->buckets, about->bucket_id);
	if (about) {
		finding.key = about->key;
		finding.part = about->part;
	}
	if (about && about->object && (about->object->is_null || about->object->version == 0))
		(void)snprintf(version, sizeof(version), "null");
	else if (about && about->object)
		(void)snprintf(version, sizeof(version), "%016" PRIX64, about->object->version);
	f->result->findings++;
	f->options->found(&finding, f->options->ctx);
}

void fsck_tell_segment(struct fsck *f, const struct subject *about, uint64_t segment,
	uint64_t offset, const char *what)
{
	char file[FSCK_FILE_MAX];
	(void)snprintf(file, sizeof(file), "segments/%016" PRIx64 ".seg", segment);
	fsck_tell(f, about, file, offset, what);
}

bool fsck_progress(struct fsck *f, uint64_t bytes)
{
	f->done += bytes;
	if (f->options->progress && !f->options->progress(f->done, f->total, f->options->ctx)) {
		f->broken_off = true;
		fsck_fail(f, ERR_UNAVAILABLE);
	}
	return f->err == ERR_OK;
}

void fsck_fail(struct fsck *f, enum err e)
{
	if (f->err == ERR_OK)
		f->err = e;
}

/* ---- Numbers --------------------------------------------------------------------------------- */

void numbers_add(struct fsck *f, struct numbers *numbers, uint64_t number)
{
	if (numbers->count == numbers->size) {
		size_t size = numbers->size ? numbers->size * 2 : 1024;
		uint64_t *each = realloc(numbers->each, size * sizeof(*each));
		if (!each) {
			fsck_fail(f, ERR_UNAVAILABLE);
			return;
		}
		numbers->each = each;
		numbers->size = size;
	}
	numbers->each[numbers->count++] = number;
}

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a;
	const uint64_t *y = b;
	return *x < *y ? -1 : *x > *y;
}

void numbers_sort(struct numbers *numbers)
{
	if (numbers->count)
		qsort(numbers->each, numbers->count, sizeof(numbers->each[0]), compare);
}

bool numbers_have(const struct numbers *numbers, uint64_t number)
{
	return numbers->count &&
	       bsearch(&number, numbers->each, numbers->count, sizeof(number), compare) != NULL;
}
