/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/copy.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "copy/copy_internal.h"
#include "crypto/crc64.h"

enum {
	VERSION_TEXT_BYTES = 17,
	QUOTED_BYTES = 512,
	TOLD_MAX = 4096, /* more findings may be told twice */
};

/* All buckets of the source, as they are when the copy begins. */
struct sources {
	const struct store_bucket *list[LIMIT_BUCKETS];
	struct place places[LIMIT_BUCKETS];
	size_t count;
	struct store *store;
};

/* ---- Telling --------------------------------------------------------------------------------- */

void copy_count(struct copy *c, uint64_t versions, uint64_t bytes)
{
	(void)pthread_mutex_lock(&c->lock);
	c->versions += versions;
	c->bytes += bytes;
	(void)pthread_mutex_unlock(&c->lock);
}

/* Whether it was told before; from now on it was. Under the lock. */
static bool was_told(struct copy *c, const struct told *what)
{
	for (size_t i = 0; i < c->told_count; i++)
		if (memcmp(&c->told[i], what, sizeof(*what)) == 0)
			return true;
	if (c->told_count < TOLD_MAX)
		c->told[c->told_count++] = *what;
	return false;
}

void copy_tell(struct copy *c, const struct place *place, struct slice key,
	const struct version_row *row, const char *what)
{
	char version[VERSION_TEXT_BYTES] = "";
	const struct told told = {place->from, crc64_update(0, key), row ? row->version : 0};
	const struct copy_finding finding = {
		.bucket = place->name, .key = key, .version = version, .what = what};
	if (row && row->is_null)
		(void)snprintf(version, sizeof(version), "null");
	else if (row)
		(void)snprintf(version, sizeof(version), "%016" PRIX64, row->version);
	(void)pthread_mutex_lock(&c->lock);
	if (!was_told(c, &told)) {
		c->result->findings++;
		c->options->found(&finding, c->options->ctx);
	}
	(void)pthread_mutex_unlock(&c->lock);
}

void copy_fail(struct copy *c, const struct place *place, struct slice key, enum err e)
{
	char quoted[QUOTED_BYTES];
	(void)pthread_mutex_lock(&c->lock);
	bool is_first = c->err == ERR_OK;
	if (is_first)
		c->err = e;
	(void)pthread_mutex_unlock(&c->lock);
	atomic_store(&c->stops, true);
	if (is_first)
		log_error("copy: bucket %.*s%s%s: %s", SLICE_FMT(place->name),
			key.len ? ", key " : "",
			key.len ? log_quoted(key, quoted, sizeof(quoted)) : "",
			err_info(e)->message);
}

/* ---- Keys ------------------------------------------------------------------------------------ */

/* A bucket of both, key by key. */
struct walk {
	struct copy *copy;
	const struct place *place;
	struct keys from;
	struct keys to;
};

/* So many keys may be the same that nothing else would ever look. */
static enum err go_on(struct walk *walk, struct keys *keys)
{
	crew_look(walk->copy);
	return keys_next(keys);
}

static enum err copy_key(struct walk *walk, struct version_rows *to)
{
	struct copy *c = walk->copy;
	struct version_rows *from = &walk->from.versions;
	if (!pair_is_same(from, to))
		return crew_take(c, walk->place, keys_key(&walk->from), from, to);
	uint64_t bytes = 0;
	for (size_t i = 0; i < from->count; i++)
		bytes += from->rows[i].size;
	(void)pthread_mutex_lock(&c->lock);
	c->result->there += from->count;
	(void)pthread_mutex_unlock(&c->lock);
	copy_count(c, from->count, bytes);
	return ERR_OK;
}

static enum err compare_key(struct walk *walk, struct version_rows *to)
{
	struct copy *c = walk->copy;
	struct version_rows *from = &walk->from.versions;
	uint64_t same = pair_compare(c, walk->place, keys_key(&walk->from), from, to);
	(void)pthread_mutex_lock(&c->lock);
	c->result->same += same;
	(void)pthread_mutex_unlock(&c->lock);
	if (c->options->verifies && to->count)
		return crew_take(c, walk->place, keys_key(&walk->from), from, to);
	copy_count(c, from->count, 0);
	return ERR_OK;
}

/* What the target has before the source's key, or behind all of them. */
static enum err pass_others(struct walk *walk)
{
	const struct version_rows none = {.count = 0};
	enum err e = ERR_OK;
	while (e == ERR_OK && walk->to.there && !copy_stops(walk->copy) &&
		(!walk->from.there || slice_cmp(keys_key(&walk->to), keys_key(&walk->from)) < 0)) {
		(void)pair_compare(
			walk->copy, walk->place, keys_key(&walk->to), &none, &walk->to.versions);
		e = go_on(walk, &walk->to);
	}
	return e;
}

static enum err next_key(struct walk *walk)
{
	struct version_rows none = {.count = 0};
	enum err e = pass_others(walk);
	if (e != ERR_OK || !walk->from.there || copy_stops(walk->copy))
		return e;
	bool both = walk->to.there && slice_eq(keys_key(&walk->to), keys_key(&walk->from));
	struct version_rows *to = both ? &walk->to.versions : &none;
	e = walk->copy->phase == COPY_COPIES ? copy_key(walk, to) : compare_key(walk, to);
	if (e == ERR_OK && both)
		e = keys_next(&walk->to);
	return e == ERR_OK ? go_on(walk, &walk->from) : e;
}

static void walk_bucket(struct copy *c, const struct place *place)
{
	struct walk *walk = malloc(sizeof(*walk));
	if (!walk) {
		copy_fail(c, place, S(""), ERR_UNAVAILABLE);
		return;
	}
	walk->copy = c;
	walk->place = place;
	keys_begin(&walk->from, c->options->from, place->from);
	keys_begin(&walk->to, c->options->to, place->to);
	enum err e = keys_next(&walk->from);
	if (e == ERR_OK)
		e = keys_next(&walk->to);
	while (e == ERR_OK && !copy_stops(c) && (walk->from.there || walk->to.there))
		e = next_key(walk);
	if (e != ERR_OK && !copy_stops(c))
		copy_fail(c, place, S(""), e);
	keys_end(&walk->from);
	keys_end(&walk->to);
	free(walk);
}

/* ---- Buckets --------------------------------------------------------------------------------- */

static void add_source(const struct store_bucket *bucket, void *ctx)
{
	struct sources *sources = ctx;
	if (sources->count == LIMIT_BUCKETS)
		return;
	const struct store_bucket *held = store_bucket_get(sources->store, bucket->name);
	if (held)
		sources->list[sources->count++] = held;
}

/* What there is in all; that of another gateway may be behind, which only moves the bar. */
static void measure(struct copy *c, const struct sources *sources)
{
	struct waiter waiter;
	waiter_init(&waiter);
	for (size_t i = 0; i < sources->count && !copy_stops(c); i++) {
		struct store_bucket_count count = {.bucket_id = sources->list[i]->id};
		count.wait.home = waiter_expect(&waiter, &count.wait.task);
		store_bucket_count(c->options->from, &count);
		waiter_wait(&waiter);
		c->versions_all += count.stats.objects + count.stats.old_versions;
		c->bytes_all += count.stats.bytes + count.stats.old_bytes;
		c->result->uploads += count.stats.uploads;
		crew_tell(c);
	}
	waiter_release(&waiter);
}

/* All of them come first: what is broken off later need not change any. */
static void make_buckets(struct copy *c, struct sources *sources)
{
	for (size_t i = 0; i < sources->count && !copy_stops(c); i++) {
		const struct store_bucket *bucket = sources->list[i];
		struct place *place = &sources->places[i];
		const char *why;
		*place = (struct place){bucket->name, bucket->id, 0};
		enum err e = bucket_make(c, bucket, place, &why);
		if (e != ERR_OK) {
			/* Nobody waits any more for what is stopped. */
			if (!copy_stops(c))
				copy_fail(c, place, S(""), e);
		} else if (why)
			copy_tell(c, place, S(""), NULL, why);
		else
			c->result->buckets++;
	}
}

static void run_phase(struct copy *c, enum copy_phase phase, struct sources *sources)
{
	c->phase = phase;
	c->versions = 0;
	c->bytes = 0;
	for (size_t i = 0; i < sources->count && !copy_stops(c); i++) {
		struct place *place = &sources->places[i];
		if (place->to == 0)
			continue;
		const char *why = NULL;
		if (phase == COPY_COMPARES)
			why = bucket_differs(c, sources->list[i]);
		if (why)
			copy_tell(c, place, S(""), NULL, why);
		walk_bucket(c, place);
	}
	crew_wait(c);
}

static void run_all(struct copy *c, struct sources *sources)
{
	sources->store = c->options->from;
	store_bucket_each(c->options->from, add_source, sources);
	measure(c, sources);
	make_buckets(c, sources);
	if (!copy_stops(c))
		run_phase(c, COPY_COPIES, sources);
	if (!c->options->verifies)
		c->bytes_all = 0;
	if (!copy_stops(c))
		run_phase(c, COPY_COMPARES, sources);
	for (size_t i = 0; i < sources->count; i++)
		store_bucket_unref(c->options->from, sources->list[i]);
}

enum err copy_run(const struct copy_options *options, struct copy_result *ret)
{
	struct copy c = {.options = options, .result = ret};
	*ret = (struct copy_result){.buckets = 0};
	struct sources *sources = calloc(1, sizeof(*sources));
	c.told = malloc(TOLD_MAX * sizeof(*c.told));
	enum err e = sources && c.told ? crew_begin(&c) : ERR_UNAVAILABLE;
	if (e == ERR_OK) {
		run_all(&c, sources);
		crew_end(&c);
		e = ret->is_stopped && c.err == ERR_OK ? ERR_UNAVAILABLE : c.err;
	}
	free(c.told);
	free(sources);
	return e;
}
