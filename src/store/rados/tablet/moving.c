/* SPDX-License-Identifier: Apache-2.0 */
#include "store/rados/tablet/moving.h"

#include <errno.h>

const char moving_kinds[] = {
	ROW_OBJECT, ROW_HIDDEN, ROW_VERSION, ROW_BYTES, ROW_EXTENTS, ROW_UPLOAD, ROW_PART, '\0'};

uint64_t tablet_rows(const struct store_bucket_stats *counts)
{
	return counts->objects + counts->old_versions + counts->uploads;
}

int moving_count(const struct row *row, struct store_bucket_stats *counts)
{
	struct entry entry;
	struct part_entry part;
	switch (row->key.ptr[0]) {
	case ROW_OBJECT:
		if (!entry_read(row->value, &entry))
			return -EBADMSG;
		counts->objects++;
		counts->bytes += entry.object.size;
		break;
	case ROW_VERSION:
		if (!entry_read(row->value, &entry))
			return -EBADMSG;
		counts->old_versions++;
		counts->old_bytes += entry.object.size;
		break;
	case ROW_UPLOAD:
		counts->uploads++;
		break;
	case ROW_PART:
		if (!part_parse(row->value, &part))
			return -EBADMSG;
		counts->part_bytes += part.part.size;
		break;
	default:
		break;
	}
	return 0;
}

bool seen_sum(const struct seen *seen, struct own *ret)
{
	struct row_key key = row_key_number(ROW_OWN, OWN_SUM);
	struct slice value = fetched_value(seen->owns, row_key_slice(&key));
	*ret = (struct own){.sequence = 0};
	return !value.len || own_parse(value, ret);
}

void moving_set_sum(struct edit *edit, const struct own *sum)
{
	struct row_key key = row_key_number(ROW_OWN, OWN_SUM);
	SCOPED_STRBUF(value, OWN_BYTES_MAX);
	own_format(sum, &value);
	edit_set(edit, row_key_slice(&key), strbuf_slice(&value));
}
