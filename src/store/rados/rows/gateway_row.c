/* SPDX-License-Identifier: Apache-2.0 */
#include "store/rados/rows/gateway_row.h"

#include "store/rados/rows/field.h"

enum {
	REVISION = 1 /* of the format of the row */
};

void gateway_row_format(const struct gateway_row *row, struct strbuf *out)
{
	field_add(out, REVISION, 1);
	field_add(out, row->is_dead, 1);
	field_add(out, row->format, 1);
	field_add(out, 0, 4);
	field_add(out, row->open_count, 1);
	field_add(out, row->beats, 8);
	field_add(out, row->oldest, 8);
	field_add(out, row->low, 8);
	field_add(out, row->end, 8);
	for (size_t i = 0; i < row->open_count; i++)
		field_add(out, row->open[i], 8);
}

bool gateway_row_parse(struct slice value, struct gateway_row *ret)
{
	struct field_reader reader = {.rest = value};
	struct gateway_row row = {.beats = 0};
	uint64_t revision = field_number(&reader, 1);
	uint64_t dead = field_number(&reader, 1);
	row.format = field_number(&reader, 1);
	field_zeros(&reader, 4);
	row.open_count = (size_t)field_number(&reader, 1);
	row.beats = field_number(&reader, 8);
	row.oldest = field_number(&reader, 8);
	row.low = field_number(&reader, 8);
	row.end = field_number(&reader, 8);
	if (reader.bad || revision != REVISION || dead > 1 || row.open_count > GATEWAY_OPEN_MAX ||
		row.low > row.end)
		return false;
	row.is_dead = dead == 1;
	for (size_t i = 0; i < row.open_count; i++)
		row.open[i] = field_number(&reader, 8);
	if (!field_end(&reader))
		return false;
	*ret = row;
	return true;
}
