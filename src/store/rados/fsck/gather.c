/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All rows of one key. Usually one operation brings them. If there are more than fit, several do:
 * then current object, what is hidden, and uploads have to be the same in each of them, for while
 * these are, so are all others of the key.
 */
#include <errno.h>
#include <stdlib.h>

#include "store/rados/fsck/survey.h"

enum {
	ATTEMPTS_MAX = 100,
	FETCHES_MAX = 10000,
};

const char kind_letters[KINDS] = {
	[KIND_BYTES] = ROW_BYTES,
	[KIND_EXTENTS] = ROW_EXTENTS,
	[KIND_HIDDEN] = ROW_HIDDEN,
	[KIND_OBJECT] = ROW_OBJECT,
	[KIND_UPLOAD] = ROW_UPLOAD,
	[KIND_VERSION] = ROW_VERSION,
	[KIND_PART] = ROW_PART,
};

static bool is_single(enum kind kind)
{
	return kind == KIND_HIDDEN || kind == KIND_OBJECT;
}

/* What one operation asks for. */
struct asked {
	struct row_key singles[KINDS];
	size_t heads;
	size_t numbers[KINDS];
	size_t uploads; /* the first of them, each time */
};

static void release(struct gathered *g)
{
	for (size_t i = 0; i < g->fetch_count; i++)
		fetch_free(g->fetches[i]);
	for (size_t i = 0; i < KINDS; i++)
		free(TAKE(g->lists[i]));
	free(TAKE(g->fetches));
	g->fetch_count = 0;
}

void gathered_free(struct gathered *g)
{
	release(g);
}

static struct fetch *add_fetch(struct gathered *g)
{
	struct fetch **fetches =
		reallocarray(g->fetches, g->fetch_count + 1, sizeof(struct fetch *));
	struct fetch *fetch = fetches ? fetch_new() : NULL;
	if (fetches)
		g->fetches = fetches;
	if (fetch)
		g->fetches[g->fetch_count++] = fetch;
	return fetch;
}

/* Behind what has come of that kind; those of a key are no longer than a row's key may be. */
static const char *behind(const struct rows *rows, struct row_key *ret)
{
	bool any = rows->count && row_key_take(rows->rows[rows->count - 1].key, ret);
	return any ? ret->bytes : "";
}

static int fetch_some(
	struct survey *f, struct gathered *g, struct fetch *fetch, struct asked *asked)
{
	static const struct slice heads[] = {SLICE_LIT(ROW_EPOCH), SLICE_LIT(ROW_HEAD)};
	struct slice key = g->group.key;
	struct row_key uploads = row_key_all_of(ROW_UPLOAD, key);
	struct slice single[KINDS];
	asked->heads = fetch_keys(fetch, heads, ARRAY_LEN(heads));
	for (enum kind kind = 0; kind < KINDS; kind++) {
		char letter = kind_letters[kind];
		if (is_single(kind)) {
			asked->singles[kind] = row_key_of(letter, key);
			single[kind] = row_key_slice(&asked->singles[kind]);
			asked->numbers[kind] = fetch_keys(fetch, &single[kind], 1);
			continue;
		}
		struct row_key prefix = row_key_all_of(letter, key);
		struct row_key after;
		asked->numbers[kind] = fetch_range(
			fetch, behind(&g->group.kinds[kind], &after), prefix.bytes, FETCH_ROWS_MAX);
	}
	asked->uploads = fetch_range(fetch, "", uploads.bytes, FETCH_ROWS_MAX);
	return fetch_run(fetch, f->r->index, g->place.name);
}

static bool rows_eq(const struct rows *one, const struct rows *other)
{
	bool same = one->count == other->count;
	for (size_t i = 0; same && i < one->count; i++)
		same = slice_eq(one->rows[i].key, other->rows[i].key) &&
		       slice_eq(one->rows[i].value, other->rows[i].value);
	return same;
}

bool group_eq(const struct group *one, const struct group *other)
{
	bool same = true;
	for (size_t i = 0; same && i < KINDS; i++)
		same = rows_eq(&one->kinds[i], &other->kinds[i]);
	return same;
}

/* Adds what has come of a kind to what came before. */
static bool join(struct gathered *g, enum kind kind, const struct rows *rows)
{
	struct rows *all = &g->group.kinds[kind];
	struct row *list =
		reallocarray(g->lists[kind], all->count + rows->count + 1, sizeof(*g->lists[kind]));
	if (!list)
		return false;
	g->lists[kind] = list;
	for (size_t i = 0; i < rows->count; i++)
		list[all->count + i] = rows->rows[i];
	all->rows = list;
	all->count += rows->count;
	all->more = rows->more && rows->count;
	return true;
}

/* One attempt. -ECANCELED: it has changed meanwhile; -ESTALE: another tablet has it. */
static int attempt(struct survey *f, struct gathered *g)
{
	struct asked asked;
	struct rows uploads = {.count = 0};
	bool more = true;
	release(g);
	memset(g->group.kinds, 0, sizeof(g->group.kinds));
	for (unsigned i = 0; more; i++) {
		struct fetch *fetch = i < FETCHES_MAX ? add_fetch(g) : NULL;
		if (!fetch)
			return -ENOMEM;
		int result = fetch_some(f, g, fetch, &asked);
		if (result < 0)
			return result;
		const struct rows *heads = fetch_rows(fetch, asked.heads);
		g->epoch = fetched_value(heads, S(ROW_EPOCH));
		if (!head_parse(fetched_value(heads, S(ROW_HEAD)), &g->head))
			return -EBADMSG;
		if (head_is_behind(&g->head, g->group.key))
			return -ESTALE;
		const struct rows *now = fetch_rows(fetch, asked.uploads);
		if (i && !rows_eq(&uploads, now))
			return -ECANCELED;
		uploads = *now;
		more = false;
		for (enum kind kind = 0; kind < KINDS; kind++) {
			const struct rows *rows = fetch_rows(fetch, asked.numbers[kind]);
			if (i && is_single(kind)) {
				if (!rows_eq(&g->group.kinds[kind], rows))
					return -ECANCELED;
			} else if (i == 0 || g->group.kinds[kind].more) {
				if (!join(g, kind, rows))
					return -ENOMEM;
			}
			more = more || g->group.kinds[kind].more;
		}
	}
	return 0;
}

/*
 * Whether the tablet is one that was taken over, and is only still there: others change its keys.
 * Until it is taken over it does not change.
 */
static bool is_left_over(struct survey *f, const struct gathered *g)
{
	struct place place = place_of(g->place.bucket, 0);
	return g->head.state == HEAD_MOVED && place_find(f, g->group.key, &place) == 0 &&
	       place.tablet != g->place.tablet;
}

enum gathering gather(
	struct survey *f, const struct place *place, struct slice key, struct gathered *ret)
{
	*ret = (struct gathered){.group.key = key, .place = *place};
	int result = -ECANCELED;
	for (unsigned i = 0; i < ATTEMPTS_MAX && (result == -ECANCELED || result == -ESTALE); i++) {
		result = attempt(f, ret);
		if (result == -ESTALE)
			ret->place = place_of(place->bucket, ret->head.right);
	}
	if (result == 0 && !is_left_over(f, ret))
		return GATHERED;
	if (result == 0 || result == -ENOENT)
		return GATHER_GONE;
	/* A head that does not parse is told where the chain is looked at. */
	if (result == -ECANCELED || result == -ESTALE || result == -EBADMSG)
		return GATHER_MOVING;
	survey_fail_ceph(f, result, ret->place.name);
	return GATHER_FAILED;
}
