/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of a manifest. */
#include <inttypes.h>
#include <stdio.h>

#include "backup/manifest.h"

enum {
	NUMBERS_MAX = 8
};

/* A line is a word, of files a name, and so many numbers. */
static const struct {
	struct slice word;
	bool has_name;
	unsigned numbers;
} rows[] = {
	[BACKUP_ROW_MADE] = {SLICE_LIT("made"), false, 2},
	[BACKUP_ROW_FILE] = {SLICE_LIT("file"), true, 3},
	[BACKUP_ROW_SEGMENT] = {SLICE_LIT("segment"), false, 7},
	[BACKUP_ROW_NAMED] = {SLICE_LIT("named"), false, 4},
	[BACKUP_ROW_LARGE] = {SLICE_LIT("large"), false, 7},
	[BACKUP_ROW_END] = {SLICE_LIT("end"), false, 1},
};

static const char *const names[] = {
	[BACKUP_FORMAT] = "format",
	[BACKUP_ACCESS_KEYS] = "access_keys.json",
	[BACKUP_STS_KEY] = "sts_key",
	[BACKUP_CALLBACK_KEY] = "callback_key.pem",
	[BACKUP_CALLBACKS] = "callbacks.db",
	[BACKUP_LEDGER] = "ledger.db",
};

const char *backup_name_text(enum backup_name name)
{
	return names[name];
}

/* ---- Parsing --------------------------------------------------------------------------------- */

static bool take_kind(struct slice *line, enum backup_row_kind *ret)
{
	struct slice word;
	(void)slice_cut(line, ' ', &word);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (!slice_eq(word, rows[i].word))
			continue;
		*ret = (enum backup_row_kind)i;
		return true;
	}
	return false;
}

static bool take_name(struct slice *line, enum backup_name *ret)
{
	struct slice word;
	(void)slice_cut(line, ' ', &word);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (!slice_eq(word, slice_str(names[i])))
			continue;
		*ret = (enum backup_name)i;
		return true;
	}
	return false;
}

/* The last number ends the line. */
static bool take_numbers(struct slice line, unsigned count, uint64_t *ret)
{
	struct slice word;
	for (unsigned i = 0; i < count; i++) {
		bool more = slice_cut(&line, ' ', &word);
		if (more != (i + 1 < count) || !slice_to_u64(word, &ret[i]))
			return false;
	}
	return true;
}

static bool take_bool(uint64_t number, bool *ret)
{
	*ret = number == 1;
	return number <= 1;
}

static struct backup_copy copy_of(const uint64_t *n)
{
	return (struct backup_copy){n[0], n[1], n[2]};
}

static bool fill(const uint64_t *n, struct backup_row *row)
{
	switch (row->kind) {
	case BACKUP_ROW_MADE:
		row->of.made.number = n[0];
		row->of.made.ms = n[1];
		return true;
	case BACKUP_ROW_FILE:
		row->of.file.copy = copy_of(n);
		return true;
	case BACKUP_ROW_SEGMENT:
		row->of.segment = (struct backup_segment){
			.id = n[0], .salt = n[1], .copy = copy_of(n + 2), .tail = n[5]};
		return row->of.segment.id > 0 && take_bool(n[6], &row->of.segment.is_final);
	case BACKUP_ROW_NAMED:
		row->of.named = (struct backup_named){.number = n[0], .size = n[1], .crc = n[2]};
		return take_bool(n[3], &row->of.named.has_sums);
	case BACKUP_ROW_LARGE:
		row->of.large = (struct backup_large){
			.number = n[0], .size = n[1], .crc = n[2], .copy = copy_of(n + 3)};
		return take_bool(n[6], &row->of.large.is_good);
	case BACKUP_ROW_END:
		row->of.crc = n[0];
		return true;
	}
	return false;
}

bool backup_row_parse(struct slice line, struct backup_row *ret)
{
	uint64_t numbers[NUMBERS_MAX];
	struct backup_row row = {.kind = BACKUP_ROW_END};
	if (line.len >= BACKUP_ROW_MAX || !take_kind(&line, &row.kind))
		return false;
	if (rows[row.kind].has_name && !take_name(&line, &row.of.file.name))
		return false;
	if (!take_numbers(line, rows[row.kind].numbers, numbers) || !fill(numbers, &row))
		return false;
	*ret = row;
	return true;
}

/* ---- Writing --------------------------------------------------------------------------------- */

static void add(char *to, size_t *len, uint64_t number)
{
	*len += (size_t)snprintf(to + *len, BACKUP_ROW_MAX - *len, " %" PRIu64, number);
}

static void add_copy(char *to, size_t *len, const struct backup_copy *copy)
{
	add(to, len, copy->made);
	add(to, len, copy->bytes);
	add(to, len, copy->crc);
}

size_t backup_row_write(const struct backup_row *row, char *to)
{
	size_t len = (size_t)snprintf(to, BACKUP_ROW_MAX, "%.*s", SLICE_FMT(rows[row->kind].word));
	switch (row->kind) {
	case BACKUP_ROW_MADE:
		add(to, &len, row->of.made.number);
		add(to, &len, row->of.made.ms);
		break;
	case BACKUP_ROW_FILE:
		len += (size_t)snprintf(
			to + len, BACKUP_ROW_MAX - len, " %s", names[row->of.file.name]);
		add_copy(to, &len, &row->of.file.copy);
		break;
	case BACKUP_ROW_SEGMENT:
		add(to, &len, row->of.segment.id);
		add(to, &len, row->of.segment.salt);
		add_copy(to, &len, &row->of.segment.copy);
		add(to, &len, row->of.segment.tail);
		add(to, &len, row->of.segment.is_final);
		break;
	case BACKUP_ROW_NAMED:
		add(to, &len, row->of.named.number);
		add(to, &len, row->of.named.size);
		add(to, &len, row->of.named.crc);
		add(to, &len, row->of.named.has_sums);
		break;
	case BACKUP_ROW_LARGE:
		add(to, &len, row->of.large.number);
		add(to, &len, row->of.large.size);
		add(to, &len, row->of.large.crc);
		add_copy(to, &len, &row->of.large.copy);
		add(to, &len, row->of.large.is_good);
		break;
	case BACKUP_ROW_END:
		add(to, &len, row->of.crc);
		break;
	}
	to[len++] = '\n';
	return len;
}
