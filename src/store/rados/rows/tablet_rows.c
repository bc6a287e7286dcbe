/* SPDX-License-Identifier: Apache-2.0 */
#include "store/rados/rows/tablet_rows.h"

#include "store/rados/rows/field.h"

enum {
	HEAD_REVISION = 2,
	REVISION = 1, /* of the format of own rows and buckets */
	HIDDEN_MARKER = 1,
	HIDDEN_NULL = 2,
};

void epoch_format(const struct epoch *epoch, struct strbuf *out)
{
	field_add(out, epoch->epoch, 8);
	field_add(out, epoch->tablet, 8);
}

bool epoch_parse(struct slice value, struct epoch *ret)
{
	struct field_reader reader = {.rest = value};
	struct epoch epoch;
	epoch.epoch = field_number(&reader, 8);
	epoch.tablet = field_number(&reader, 8);
	if (!field_end(&reader))
		return false;
	*ret = epoch;
	return true;
}

void head_format(const struct head *head, struct strbuf *out)
{
	field_add(out, HEAD_REVISION, 1);
	field_add(out, head->state, 1);
	field_add(out, head->versioning, 1);
	field_add(out, 0, 1);
	field_add(out, head->low.len, 2);
	field_add(out, head->high.len, 2);
	field_add(out, head->bucket, 8);
	field_add(out, head->right, 8);
	field_add(out, head->copying, 8);
	strbuf_add_slice(out, head->low);
	strbuf_add_slice(out, head->high);
}

/* Whether it names another tablet, if and only if its state is about one. */
static bool knows_other(const struct head *head)
{
	switch (head->state) {
	case HEAD_SPLITTING:
		return head->copying > 0;
	case HEAD_MERGING:
		return head->copying > 0 && head->copying == head->right;
	case HEAD_MOVING:
	case HEAD_MOVED:
		/* The other one may be the first, whose number is 0; this one is not. */
		return head->low.len > 0;
	case HEAD_ACTIVE:
	case HEAD_FROZEN:
	case HEAD_DEAD:
	case HEAD_STATES:
		return head->copying == 0;
	}
	return false;
}

bool head_parse(struct slice value, struct head *ret)
{
	struct field_reader reader = {.rest = value};
	uint64_t revision = field_number(&reader, 1);
	uint64_t state = field_number(&reader, 1);
	uint64_t versioning = field_number(&reader, 1);
	field_zeros(&reader, 1);
	uint64_t low = field_number(&reader, 2);
	uint64_t high = field_number(&reader, 2);
	struct head head = {.bucket = field_number(&reader, 8)};
	head.right = field_number(&reader, 8);
	head.copying = field_number(&reader, 8);
	head.low = field_bytes(&reader, (size_t)low);
	head.high = field_bytes(&reader, (size_t)high);
	if (!field_end(&reader) || revision != HEAD_REVISION || state >= HEAD_STATES ||
		versioning > STORE_VERSIONING_SUSPENDED || low > LIMIT_KEY_BYTES ||
		high > LIMIT_KEY_BYTES || (head.right > 0) != (high > 0) ||
		(high > 0 && slice_cmp(head.low, head.high) >= 0))
		return false;
	head.state = (enum head_state)state;
	if (!knows_other(&head))
		return false;
	head.versioning = (enum store_versioning)versioning;
	*ret = head;
	return true;
}

void own_format(const struct own *own, struct strbuf *out)
{
	const struct store_bucket_stats *counts = &own->counts;
	field_add(out, REVISION, 1);
	field_add(out, own->is_closed, 1);
	field_add(out, 0, 6);
	field_add(out, own->sequence, 8);
	field_add(out, counts->objects, 8);
	field_add(out, counts->bytes, 8);
	field_add(out, counts->old_versions, 8);
	field_add(out, counts->old_bytes, 8);
	field_add(out, counts->uploads, 8);
	field_add(out, counts->part_bytes, 8);
	strbuf_add_slice(out, own->living);
}

bool own_parse(struct slice value, struct own *ret)
{
	struct field_reader reader = {.rest = value};
	struct own own;
	uint64_t revision = field_number(&reader, 1);
	uint64_t closed = field_number(&reader, 1);
	field_zeros(&reader, 6);
	own.is_closed = closed == 1;
	own.sequence = field_number(&reader, 8);
	own.counts.objects = field_number(&reader, 8);
	own.counts.bytes = field_number(&reader, 8);
	own.counts.old_versions = field_number(&reader, 8);
	own.counts.old_bytes = field_number(&reader, 8);
	own.counts.uploads = field_number(&reader, 8);
	own.counts.part_bytes = field_number(&reader, 8);
	own.living = field_bytes(&reader, reader.rest.len);
	if (!field_end(&reader) || revision != REVISION || closed > 1 ||
		own.living.len % OWN_NUMBER_BYTES ||
		own.living.len > OWN_LIVING_MAX * OWN_NUMBER_BYTES)
		return false;
	*ret = own;
	return true;
}

bool own_has_ended(const struct own *sum, uint64_t instance)
{
	struct field_reader reader = {.rest = sum->living};
	bool lives = instance >= sum->sequence;
	while (!lives && reader.rest.len)
		lives = field_number(&reader, OWN_NUMBER_BYTES) == instance;
	return !lives;
}

bool own_is_later(const struct own *sum, const struct own *other)
{
	/* Whoever has ended stays so; a number is given out once. */
	return sum->sequence != other->sequence ? sum->sequence > other->sequence
						: sum->living.len < other->living.len;
}

void hidden_format(const struct hidden *hidden, struct strbuf *out)
{
	unsigned bits = (hidden->newest_is_marker ? HIDDEN_MARKER : 0u) |
			(hidden->newest_is_null ? HIDDEN_NULL : 0u);
	field_add(out, hidden->revision, 8);
	field_add(out, hidden->newest, 8);
	field_add(out, (uint64_t)hidden->newest_ms, 8);
	field_add(out, bits, 1);
	field_add(out, 0, 7);
	field_add(out, hidden->null, 8);
}

bool hidden_parse(struct slice value, struct hidden *ret)
{
	struct field_reader reader = {.rest = value};
	struct hidden hidden;
	hidden.revision = field_number(&reader, 8);
	hidden.newest = field_number(&reader, 8);
	hidden.newest_ms = (int64_t)field_number(&reader, 8);
	uint64_t bits = field_number(&reader, 1);
	field_zeros(&reader, 7);
	hidden.null = field_number(&reader, 8);
	if (!field_end(&reader) || bits > (HIDDEN_MARKER | HIDDEN_NULL) || hidden.newest == 0)
		return false;
	hidden.newest_is_marker = (bits & HIDDEN_MARKER) != 0;
	hidden.newest_is_null = (bits & HIDDEN_NULL) != 0;
	*ret = hidden;
	return true;
}

void bucket_row_format(const struct bucket_row *row, struct strbuf *out)
{
	const struct store_bucket *bucket = &row->bucket;
	field_add(out, REVISION, 1);
	field_add(out, bucket->acl, 1);
	field_add(out, bucket->versioning, 1);
	field_add(out, 0, 5);
	field_add(out, bucket->id, 8);
	field_add(out, bucket->generation, 8);
	field_add(out, (uint64_t)bucket->created_ms, 8);
	field_add(out, row->deleting, 8);
}

bool bucket_row_parse(struct slice value, struct bucket_row *ret)
{
	struct field_reader reader = {.rest = value};
	struct bucket_row row = {.deleting = 0};
	uint64_t revision = field_number(&reader, 1);
	uint64_t acl = field_number(&reader, 1);
	uint64_t versioning = field_number(&reader, 1);
	field_zeros(&reader, 5);
	row.bucket.id = field_number(&reader, 8);
	row.bucket.generation = field_number(&reader, 8);
	row.bucket.created_ms = (int64_t)field_number(&reader, 8);
	row.deleting = field_number(&reader, 8);
	if (!field_end(&reader) || revision != REVISION || acl == STORE_ACL_DEFAULT ||
		acl > STORE_ACL_PUBLIC_READ_WRITE || versioning > STORE_VERSIONING_SUSPENDED ||
		row.bucket.id == 0)
		return false;
	row.bucket.acl = (enum store_acl)acl;
	row.bucket.versioning = (enum store_versioning)versioning;
	*ret = row;
	return true;
}
