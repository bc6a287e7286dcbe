/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys and values of rows in RADOS: what is taken is written again, and is the same bytes. The
 * first byte says which.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "store/rados/rows/entry.h"
#include "store/rados/rows/gateway_row.h"
#include "store/rados/rows/key.h"
#include "store/rados/rows/tablet_rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void is_again(const struct strbuf *again, struct slice value)
{
	assert(!strbuf_broken(again) && slice_eq(strbuf_slice(again), value));
}

static void try_key(struct slice row)
{
	struct row_name name;
	struct row_key again = {.len = 0};
	if (!row_key_parse(row, &name))
		return;
	struct slice key = row_name_key(&name);
	switch (row.ptr[0]) {
	case ROW_OBJECT:
	case ROW_HIDDEN:
		again = row_key_of(row.ptr[0], key);
		break;
	case ROW_UPLOAD:
		again = row_key_upload(key, name.number);
		break;
	case ROW_PART:
		again = row_key_part(key, name.number, name.part);
		break;
	default:
		again = row_key_version(row.ptr[0], key, name.number);
		break;
	}
	assert(slice_eq(row_key_slice(&again), row));
}

static void try_entry(struct slice value)
{
	struct entry entry;
	SCOPED_STRBUF(again, ENTRY_BYTES_MAX);
	if (!entry_read(value, &entry))
		return;
	entry_write(&entry, &again);
	is_again(&again, value);
}

static void try_part(struct slice value)
{
	struct part_entry part;
	SCOPED_STRBUF(again, ENTRY_BYTES_MAX);
	if (!part_parse(value, &part))
		return;
	part_format(&part, &again);
	is_again(&again, value);
}

static void try_extents(struct slice value)
{
	struct extents extents;
	SCOPED_STRBUF(again, value.len);
	if (!extents_parse(value, &extents))
		return;
	for (size_t i = 0; i < extents.count; i++)
		extents_add(&again, extents_at(&extents, i));
	is_again(&again, value);
}

static void try_tablet(struct slice value)
{
	struct epoch epoch;
	struct head head;
	struct own own;
	struct hidden hidden;
	struct bucket_row row;
	SCOPED_STRBUF(again, ENTRY_BYTES_MAX);
	if (epoch_parse(value, &epoch)) {
		epoch_format(&epoch, &again);
		is_again(&again, value);
		strbuf_clear(&again);
	}
	if (head_parse(value, &head)) {
		head_format(&head, &again);
		is_again(&again, value);
		strbuf_clear(&again);
	}
	if (own_parse(value, &own)) {
		own_format(&own, &again);
		is_again(&again, value);
		strbuf_clear(&again);
	}
	if (hidden_parse(value, &hidden)) {
		hidden_format(&hidden, &again);
		is_again(&again, value);
		strbuf_clear(&again);
	}
	if (bucket_row_parse(value, &row)) {
		bucket_row_format(&row, &again);
		is_again(&again, value);
	}
}

static void try_garbage(struct slice row)
{
	uint64_t epoch;
	uint64_t revision;
	if (!row_key_parse_garbage(row, &epoch, &revision))
		return;
	struct row_key again = row_key_garbage(epoch, revision);
	assert(slice_eq(row_key_slice(&again), row));
}

static void try_gateway(struct slice value)
{
	struct gateway_row row;
	struct data_owner owner;
	SCOPED_STRBUF(again, ENTRY_BYTES_MAX);
	if (gateway_row_parse(value, &row)) {
		gateway_row_format(&row, &again);
		is_again(&again, value);
		strbuf_clear(&again);
	}
	if (data_owner_parse(value, &owner)) {
		data_owner_format(&owner, &again);
		is_again(&again, value);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	/* A block of its own, so that the sanitizer sees who reads behind it. */
	char *copy = malloc(size);
	if (!copy)
		abort();
	memcpy(copy, data + 1, size - 1);
	struct slice bytes = slice_of(copy, size - 1);
	if (data[0] == 'k')
		try_key(bytes);
	else if (data[0] == 'o')
		try_entry(bytes);
	else if (data[0] == 'x')
		try_part(bytes);
	else if (data[0] == 'e')
		try_extents(bytes);
	else if (data[0] == 'z')
		try_garbage(bytes);
	else if (data[0] == 'i')
		try_gateway(bytes);
	else
		try_tablet(bytes);
	free(copy);
	return 0;
}
