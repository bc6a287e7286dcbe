/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "store/rados/cluster/edit.h"
#include "store/rados/cluster/fetch.h"
#include "store/rados/gateways/gateways.h"
#include "store/rados/gateways/gateways_internal.h"
#include "store/rados/rows/field.h"
#include "store/rados/rows/key.h"

#define GATEWAYS "gateways" /* the object; its rows: */
#define NEXT "n"            /* the next instance's number */
#define EPOCH "E"           /* the garbage epoch; not there: 0 */
#define INSTANCE 'i'        /* i number: a gateway */

enum {
	ATTEMPTS_MAX = 100,
	NUMBER_BYTES = 8,
	INSTANCES_MAX = (1 << 24) - 1,
};

/* A number in a row; 0 if it is not there. */
static bool take_number(const struct rows *rows, struct slice key, uint64_t *ret)
{
	struct slice value = fetched_value(rows, key);
	struct field_reader reader = {.rest = value};
	*ret = value.len ? field_number(&reader, NUMBER_BYTES) : 0;
	return !value.len || field_end(&reader);
}

static void add_number(struct strbuf *value, uint64_t number)
{
	if (number)
		field_add(value, number, NUMBER_BYTES);
}

/* Sets a number that was read as `before`. */
static void set_number(struct edit *edit, struct slice key, uint64_t before, uint64_t after)
{
	SCOPED_STRBUF(old, NUMBER_BYTES);
	SCOPED_STRBUF(new, NUMBER_BYTES);
	add_number(&old, before);
	add_number(&new, after);
	edit_compare(edit, key, strbuf_slice(&old));
	edit_set(edit, key, strbuf_slice(&new));
}

static int read_next(struct rados *r, uint64_t *ret)
{
	struct slice key = S(NEXT);
	struct fetch *fetch = fetch_new();
	if (!fetch)
		return -ENOMEM;
	size_t number = fetch_keys(fetch, &key, 1);
	int result = fetch_run(fetch, r->index, GATEWAYS);
	*ret = 0;
	if (result == 0 && !take_number(fetch_rows(fetch, number), key, ret))
		result = -EBADMSG;
	fetch_free(fetch);
	return result == -ENOENT ? 0 : result;
}

/* Takes the number, with a row: so whoever has a number, and no row, has ended. */
static int try_join(struct rados *r, uint64_t next)
{
	const struct gateway_row row = {.format = GATEWAY_FORMAT};
	struct row_key key = row_key_number(INSTANCE, r->instance);
	SCOPED_STRBUF(value, GATEWAY_BYTES_MAX);
	gateway_row_format(&row, &value);
	if (strbuf_broken(&value))
		return -ENOMEM;
	struct edit edit = edit_begin(r->index);
	edit_ensure(&edit);
	/* An object that is just being made takes no comparison behind a change. */
	edit_compare(&edit, row_key_slice(&key), S(""));
	set_number(&edit, S(NEXT), next, r->instance + 1);
	edit_set(&edit, row_key_slice(&key), strbuf_slice(&value));
	return edit_run(&edit, GATEWAYS);
}

enum err gateways_take_instance(struct rados *r)
{
	int result = -ECANCELED;
	for (unsigned i = 0; result == -ECANCELED && i < ATTEMPTS_MAX; i++) {
		uint64_t next;
		result = read_next(r, &next);
		if (result < 0)
			break;
		r->instance = next ? next : 1;
		if (r->instance > INSTANCES_MAX) {
			log_error("ceph: this namespace has no numbers for gateways any more");
			return ERR_UNAVAILABLE;
		}
		result = try_join(r, next);
	}
	return cluster_err(result, "becoming one of", GATEWAYS);
}

void gateways_next_epoch(struct rados *r, uint64_t epoch)
{
	struct edit edit = edit_begin(r->index);
	set_number(&edit, S(EPOCH), epoch, epoch + 1);
	int result = edit_run(&edit, GATEWAYS);
	if (result < 0 && result != -ECANCELED)
		log_error("ceph: an epoch cannot be counted: %s", strerror(-result));
}

/* ---- Rows ------------------------------------------------------------------------------------ */

static int take_rows(const struct rows *rows, struct gateway_list *ret)
{
	struct gateway *list =
		reallocarray(ret->list, ret->count + rows->count + 1, sizeof(*ret->list));
	if (!list)
		return -ENOMEM;
	ret->list = list;
	for (size_t i = 0; i < rows->count; i++) {
		struct gateway *gateway = &ret->list[ret->count++];
		if (!row_key_parse_number(rows->rows[i].key, INSTANCE, &gateway->instance) ||
			!gateway_row_parse(rows->rows[i].value, &gateway->row))
			return -EBADMSG;
	}
	return 0;
}

/* Those behind what the list has already. */
static int read_page(struct rados *r, struct gateway_list *ret, bool *ret_more)
{
	static const char prefix[] = {INSTANCE, '\0'};
	const struct slice keys[] = {S(EPOCH), S(NEXT)};
	struct row_key after = {.len = 0};
	uint64_t epoch = 0;
	uint64_t next = 0;
	struct fetch *fetch = fetch_new();
	if (!fetch)
		return -ENOMEM;
	if (ret->count)
		after = row_key_number(INSTANCE, ret->list[ret->count - 1].instance);
	size_t numbers = fetch_keys(fetch, keys, ARRAY_LEN(keys));
	size_t number = fetch_range(fetch, after.bytes, prefix, FETCH_ROWS_MAX);
	int result = fetch_run(fetch, r->index, GATEWAYS);
	const struct rows *rows = result == 0 ? fetch_rows(fetch, number) : NULL;
	if (rows && (!take_number(fetch_rows(fetch, numbers), keys[0], &epoch) ||
			    !take_number(fetch_rows(fetch, numbers), keys[1], &next)))
		result = -EBADMSG;
	if (rows && ret->count == 0) {
		ret->epoch = epoch;
		ret->next = next;
	}
	if (rows && result == 0)
		result = take_rows(rows, ret);
	*ret_more = rows && rows->more && rows->count;
	fetch_free(fetch);
	return result;
}

int gateways_read(struct rados *r, struct gateway_list *ret)
{
	bool more = true;
	int result = 0;
	*ret = (struct gateway_list){.epoch = 0};
	while (result == 0 && more)
		result = read_page(r, ret, &more);
	return result;
}

void gateway_list_free(struct gateway_list *list)
{
	free(TAKE(list->list));
	list->count = 0;
}

const struct gateway *gateway_find(const struct gateway_list *list, uint64_t instance)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->list[i].instance == instance && !list->list[i].row.is_dead)
			return &list->list[i];
	return NULL;
}

const struct gateway *gateway_find_foreign(const struct gateway_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->list[i].row.format != GATEWAY_FORMAT && !list->list[i].row.is_dead)
			return &list->list[i];
	return NULL;
}

bool gateways_has_ended(const struct gateway_list *list, uint64_t instance)
{
	bool is_there = instance >= list->next;
	for (size_t i = 0; i < list->count && !is_there; i++)
		is_there = list->list[i].instance == instance;
	return !is_there;
}

uint64_t gateways_oldest(const struct gateway_list *list)
{
	uint64_t oldest = list->epoch;
	for (size_t i = 0; i < list->count; i++)
		if (!list->list[i].row.is_dead && list->list[i].row.oldest < oldest)
			oldest = list->list[i].row.oldest;
	return oldest;
}

int gateway_change(struct rados *r, const struct gateway *was, const struct gateway_row *row)
{
	struct row_key key = row_key_number(INSTANCE, was->instance);
	SCOPED_STRBUF(before, GATEWAY_BYTES_MAX);
	SCOPED_STRBUF(after, GATEWAY_BYTES_MAX);
	gateway_row_format(&was->row, &before);
	if (row)
		gateway_row_format(row, &after);
	if (strbuf_broken(&before) || strbuf_broken(&after))
		return -ENOMEM;
	struct edit edit = edit_begin(r->index);
	edit_compare(&edit, row_key_slice(&key), strbuf_slice(&before));
	if (row)
		edit_set(&edit, row_key_slice(&key), strbuf_slice(&after));
	else
		edit_remove(&edit, row_key_slice(&key));
	return edit_run(&edit, GATEWAYS);
}
