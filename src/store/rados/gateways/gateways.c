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

/* Sets a number that was read as `before`. 0 or -errno. */
static int set_number(struct rados *r, struct slice key, uint64_t before, uint64_t after)
{
	SCOPED_STRBUF(old, NUMBER_BYTES);
	SCOPED_STRBUF(new, NUMBER_BYTES);
	add_number(&old, before);
	add_number(&new, after);
	struct edit edit = edit_begin(r->index);
	edit_ensure(&edit);
	edit_compare(&edit, key, strbuf_slice(&old));
	edit_set(&edit, key, strbuf_slice(&new));
	return edit_run(&edit, GATEWAYS);
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
		result = set_number(r, S(NEXT), next, r->instance + 1);
	}
	return cluster_err(result, "counting", GATEWAYS);
}

void gateways_next_epoch(struct rados *r, uint64_t epoch)
{
	int result = set_number(r, S(EPOCH), epoch, epoch + 1);
	if (result < 0 && result != -ECANCELED)
		log_error("ceph: an epoch cannot be counted: %s", strerror(-result));
}

/* ---- Rows ------------------------------------------------------------------------------------ */

static int take_rows(const struct rows *rows, struct gateway_list *ret)
{
	ret->list = reallocarray(NULL, rows->count + 1, sizeof(*ret->list));
	if (!ret->list)
		return -ENOMEM;
	for (size_t i = 0; i < rows->count; i++) {
		struct gateway *gateway = &ret->list[ret->count++];
		if (!row_key_parse_number(rows->rows[i].key, INSTANCE, &gateway->instance) ||
			!gateway_row_parse(rows->rows[i].value, &gateway->row))
			return -EBADMSG;
	}
	/* More at a time than an answer of an OSD has rows: then nobody can say what all do. */
	return rows->more ? -E2BIG : 0;
}

int gateways_read(struct rados *r, struct gateway_list *ret)
{
	static const char prefix[] = {INSTANCE, '\0'};
	struct slice key = S(EPOCH);
	struct fetch *fetch = fetch_new();
	*ret = (struct gateway_list){.epoch = 0};
	if (!fetch)
		return -ENOMEM;
	size_t epoch_number = fetch_keys(fetch, &key, 1);
	size_t number = fetch_range(fetch, "", prefix, FETCH_ROWS_MAX);
	int result = fetch_run(fetch, r->index, GATEWAYS);
	if (result == 0 && !take_number(fetch_rows(fetch, epoch_number), key, &ret->epoch))
		result = -EBADMSG;
	if (result == 0)
		result = take_rows(fetch_rows(fetch, number), ret);
	fetch_free(fetch);
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

int gateway_add(struct rados *r, const struct gateway *gateway)
{
	struct row_key key = row_key_number(INSTANCE, gateway->instance);
	SCOPED_STRBUF(value, GATEWAY_BYTES_MAX);
	gateway_row_format(&gateway->row, &value);
	if (strbuf_broken(&value))
		return -ENOMEM;
	struct edit edit = edit_begin(r->index);
	edit_compare(&edit, row_key_slice(&key), S(""));
	edit_set(&edit, row_key_slice(&key), strbuf_slice(&value));
	return edit_run(&edit, GATEWAYS);
}
