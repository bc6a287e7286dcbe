/* SPDX-License-Identifier: Apache-2.0 */
#include "store/rados/tablet/settle.h"

#include <errno.h>

#include "store/rados/cluster/edit.h"
#include "store/rados/cluster/fetch.h"
#include "store/rados/rows/key.h"
#include "store/rados/tablet/owns.h"

enum {
	PAUSE_US = 10000
};

void own_value(bool had_own, const struct own *own, struct strbuf *ret)
{
	if (had_own)
		own_format(own, ret);
}

/* Sets the own row to what it was, with another sequence, if the sum is still that. */
static int set_anew(struct rados *r, struct tablet *tablet, const char *name, struct slice before,
	struct slice sum)
{
	struct row_key key = row_key_number(ROW_OWN, r->instance);
	struct row_key sum_key = row_key_number(ROW_OWN, OWN_SUM);
	struct own next = {.sequence = ++tablet->sequence, .counts = tablet->own.counts};
	SCOPED_STRBUF(after, OWN_BYTES_MAX);
	own_format(&next, &after);
	if (strbuf_broken(&after))
		return -ENOMEM;
	struct edit edit = edit_begin(r->index);
	edit_compare(&edit, row_key_slice(&key), before);
	edit_compare(&edit, row_key_slice(&sum_key), sum);
	edit_set(&edit, row_key_slice(&key), strbuf_slice(&after));
	return edit_run(&edit, name);
}

static enum settled look(struct rados *r, struct tablet *tablet, const char *name,
	const struct rows *rows, struct slice before)
{
	struct row_key key = row_key_number(ROW_OWN, r->instance);
	struct row_key sum_key = row_key_number(ROW_OWN, OWN_SUM);
	struct slice value = fetched_value(rows, row_key_slice(&key));
	struct own own;
	bool is_there;
	if (!owns_take(rows, r->instance, &own, &is_there))
		return SETTLED_OPEN;
	/* It is in the sum, or closed; the row, if it is still there, says which was the last. */
	if (own.is_closed)
		life_expel(&r->life);
	if (own.is_closed && !is_there)
		return SETTLED_OPEN;
	/* Otherwise an earlier attempt of this was late. */
	if (!slice_eq(value, before))
		return own.sequence == tablet->lost ? SETTLED_DONE : SETTLED_NEVER;
	int result =
		set_anew(r, tablet, name, before, fetched_value(rows, row_key_slice(&sum_key)));
	return result == 0 ? SETTLED_NEVER : SETTLED_OPEN;
}

/* One attempt. */
static enum settled try(struct rados *r, struct tablet *tablet, const char *name)
{
	struct row_key key = row_key_number(ROW_OWN, r->instance);
	struct row_key sum = row_key_number(ROW_OWN, OWN_SUM);
	const struct slice asked[] = {row_key_slice(&key), row_key_slice(&sum)};
	enum settled settled = SETTLED_OPEN;
	SCOPED_STRBUF(before, OWN_BYTES_MAX);
	struct fetch *fetch = fetch_new();
	own_value(tablet->had_own, &tablet->own, &before);
	if (!fetch || strbuf_broken(&before)) {
		fetch_free(fetch);
		return SETTLED_OPEN;
	}
	size_t number = fetch_keys(fetch, asked, ARRAY_LEN(asked));
	int result = fetch_run(fetch, r->index, name);
	/* Without the first tablet nobody can miss it: its bucket was deleted. */
	if (result == -ENOENT)
		settled = tablet->number == 0 ? SETTLED_NEVER : SETTLED_GONE;
	else if (result == 0)
		settled = look(r, tablet, name, fetch_rows(fetch, number), strbuf_slice(&before));
	fetch_free(fetch);
	return settled;
}

enum settled tablet_settle(struct rados *r, struct tablet *tablet, int64_t deadline_ms)
{
	char name[RADOS_NAME_BYTES];
	rados_tablet_name(name, tablet->bucket, tablet->number);
	enum settled settled;
	do {
		settled = try(r, tablet, name);
		if (settled == SETTLED_OPEN)
			(void)usleep(PAUSE_US);
	} while (settled == SETTLED_OPEN && !atomic_load(&r->life.is_expelled) &&
		 clock_monotonic_ms() < deadline_ms);
	tablet->is_open = settled == SETTLED_OPEN;
	return settled;
}
