/* SPDX-License-Identifier: Apache-2.0 */
#include "store/rados/tablet/settle.h"

#include <errno.h>

#include "store/rados/cluster/edit.h"
#include "store/rados/cluster/fetch.h"
#include "store/rados/rows/key.h"

enum {
	PAUSE_US = 10000,
	OWN_BYTES_MAX = 256,
};

void own_value(bool had_own, const struct own *own, struct strbuf *ret)
{
	if (had_own)
		own_format(own, ret);
}

/* Sets the own row to what it was, with another sequence. */
static int set_anew(struct rados *r, struct tablet *tablet, const char *name)
{
	struct row_key key = row_key_number(ROW_OWN, r->instance);
	struct own next = {.sequence = ++tablet->sequence, .counts = tablet->own.counts};
	SCOPED_STRBUF(before, OWN_BYTES_MAX);
	SCOPED_STRBUF(after, OWN_BYTES_MAX);
	own_value(tablet->had_own, &tablet->own, &before);
	own_format(&next, &after);
	if (strbuf_broken(&before) || strbuf_broken(&after))
		return -ENOMEM;
	struct edit edit = edit_begin(r->index);
	edit_compare(&edit, row_key_slice(&key), strbuf_slice(&before));
	edit_set(&edit, row_key_slice(&key), strbuf_slice(&after));
	return edit_run(&edit, name);
}

/* The sequence in the own row. */
static int read_sequence(struct rados *r, const char *name, uint64_t *ret)
{
	struct row_key key = row_key_number(ROW_OWN, r->instance);
	struct slice asked = row_key_slice(&key);
	struct own own;
	struct fetch *fetch = fetch_new();
	if (!fetch)
		return -ENOMEM;
	size_t number = fetch_keys(fetch, &asked, 1);
	int result = fetch_run(fetch, r->index, name);
	if (result == 0 && own_parse(fetched_value(fetch_rows(fetch, number), asked), &own))
		*ret = own.sequence;
	else if (result == 0)
		result = -EBADMSG;
	fetch_free(fetch);
	return result;
}

/* One attempt. */
static enum settled try(struct rados *r, struct tablet *tablet, const char *name)
{
	uint64_t found;
	int result = set_anew(r, tablet, name);
	/* Without the tablet nobody can know, and nobody can miss it: its bucket was deleted. */
	if (result == 0 || result == -ENOENT)
		return SETTLED_NEVER;
	if (result != -ECANCELED || read_sequence(r, name, &found) < 0)
		return SETTLED_OPEN;
	/* Otherwise an earlier attempt of this was late. */
	return found == tablet->lost ? SETTLED_DONE : SETTLED_NEVER;
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
	} while (settled == SETTLED_OPEN && clock_monotonic_ms() < deadline_ms);
	tablet->is_open = settled == SETTLED_OPEN;
	return settled;
}
