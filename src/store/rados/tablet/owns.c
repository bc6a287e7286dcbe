/* SPDX-License-Identifier: Apache-2.0 */
#include "store/rados/tablet/owns.h"

#include "store/rados/tablet/heads.h"

static const char prefix[] = {ROW_OWN, '\0'};

static size_t fetch_behind(struct rados *r, struct fetch *fetch, const char *after)
{
	unsigned rows = r->sizes.own_rows;
	return fetch_range(fetch, after, prefix, rows ? rows : FETCH_ROWS_MAX);
}

size_t owns_fetch(struct rados *r, struct fetch *fetch)
{
	return fetch_behind(r, fetch, "");
}

static enum err add_rows(
	uint64_t bucket, const struct rows *rows, uint64_t but, struct store_bucket_stats *ret)
{
	for (size_t i = 0; i < rows->count; i++) {
		struct own own;
		uint64_t instance;
		if (!row_key_parse_number(rows->rows[i].key, ROW_OWN, &instance) ||
			!own_parse(rows->rows[i].value, &own))
			return look_damaged(bucket, rows->rows[i].key);
		if (instance != but)
			rules_add_counts(ret, &own.counts);
	}
	return ERR_OK;
}

enum err owns_add_up(struct rados *r, uint64_t bucket, const char *tablet, const struct rows *first,
	uint64_t but, struct store_bucket_stats *ret)
{
	struct fetch *fetch = NULL;
	const struct rows *rows = first;
	enum err e = add_rows(bucket, rows, but, ret);
	while (e == ERR_OK && rows->more && rows->count) {
		uint64_t last;
		/* It was parsed before. */
		if (!row_key_parse_number(rows->rows[rows->count - 1].key, ROW_OWN, &last))
			break;
		struct row_key after = row_key_number(ROW_OWN, last);
		fetch_free(fetch);
		fetch = fetch_new();
		if (!fetch)
			return ERR_UNAVAILABLE;
		size_t number = fetch_behind(r, fetch, after.bytes);
		e = cluster_err(fetch_run(fetch, r->index, tablet), "reading", tablet);
		if (e != ERR_OK)
			break;
		rows = fetch_rows(fetch, number);
		e = add_rows(bucket, rows, but, ret);
	}
	fetch_free(fetch);
	return e;
}

bool owns_take(const struct rows *rows, uint64_t instance, struct own *ret, bool *ret_there)
{
	struct row_key key = row_key_number(ROW_OWN, instance);
	struct row_key sum_key = row_key_number(ROW_OWN, OWN_SUM);
	struct slice value = fetched_value(rows, row_key_slice(&key));
	struct slice sum_value = fetched_value(rows, row_key_slice(&sum_key));
	struct own own = {.sequence = 0};
	struct own sum = {.sequence = 0};
	if ((value.len && !own_parse(value, &own)) ||
		(sum_value.len && !own_parse(sum_value, &sum)))
		return false;
	own.living = S("");
	own.is_closed = own.is_closed || own_has_ended(&sum, instance);
	*ret = own;
	*ret_there = value.len > 0;
	return true;
}
