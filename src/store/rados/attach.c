/* SPDX-License-Identifier: Apache-2.0 */
#include "store/rados/attach.h"

#include <errno.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/strbuf.h"

enum {
	POOLS = 3,
	CAPS_BYTES = 4096,
};

static const char *name_or(const char *name, const char *usual)
{
	return name ? name : usual;
}

enum err rados_connect(
	const struct rados_options *options, struct cluster **ret, struct pool **ret_index)
{
	const struct cluster_options cluster = {.config = options->config,
		.id = options->id,
		.space = name_or(options->space, ""),
		.timeout_s = options->timeout_s ? options->timeout_s : LIMIT_RADOS_OPERATION_S};
	enum err e = cluster_open(&cluster, ret);
	return e == ERR_OK ? cluster_pool(*ret, name_or(options->index_pool, "index"), ret_index)
			   : e;
}

static void get_names(const struct rados_options *options, const char *ret[POOLS])
{
	ret[0] = name_or(options->index_pool, "index");
	ret[1] = name_or(options->small_pool, "small");
	ret[2] = name_or(options->data_pool, "data");
}

static enum err open_pools(struct rados *r, const struct rados_options *options)
{
	const char *names[POOLS];
	get_names(options, names);
	enum err e = rados_connect(options, &r->cluster, &r->index);
	if (e == ERR_OK)
		e = cluster_pool(r->cluster, names[1], &r->small);
	return e == ERR_OK ? cluster_pool(r->cluster, names[2], &r->data) : e;
}

static size_t size_or(size_t size, size_t usual)
{
	return size ? size : usual;
}

static void set_sizes(struct rados *r, const struct rados_options *options)
{
	struct rados_sizes *sizes = &r->sizes;
	sizes->inline_bytes = size_or(options->inline_bytes, LIMIT_RADOS_INLINE_BYTES);
	sizes->chunk_bytes = size_or(options->chunk_bytes, LIMIT_RADOS_CHUNK_BYTES);
	sizes->small_bytes = size_or(options->small_bytes, LIMIT_RADOS_SMALL_BYTES);
	sizes->split = options->split ? options->split : LIMIT_RADOS_SPLIT;
	sizes->merge = options->merge ? options->merge : sizes->split / LIMIT_RADOS_MERGE;
	if (sizes->merge > LIMIT_RADOS_MERGE_OBJECTS)
		sizes->merge = LIMIT_RADOS_MERGE_OBJECTS;
	sizes->batch = options->batch ? options->batch : LIMIT_RADOS_BATCH;
	sizes->own_rows = options->own_rows;
	sizes->fold = options->fold ? options->fold : LIMIT_RADOS_FOLD;
	/* Small data is one chunk; what is inline never fills one. */
	if (sizes->small_bytes >= sizes->chunk_bytes)
		sizes->small_bytes = sizes->chunk_bytes - 1;
	if (sizes->inline_bytes > sizes->small_bytes)
		sizes->inline_bytes = sizes->small_bytes;
}

static unsigned time_or(unsigned time, unsigned usual)
{
	return time ? time : usual;
}

static void set_timers(struct rados *r, const struct rados_options *options)
{
	r->timers = (struct rados_timers){
		.beat_ms = time_or(options->beat_ms, LIMIT_RADOS_BEAT_MS),
		.dead_beats = time_or(options->dead_beats, LIMIT_RADOS_DEAD_BEATS),
		.epoch_ms = time_or(options->epoch_ms, LIMIT_RADOS_EPOCH_MS),
		.collect_ms = time_or(options->collect_ms, LIMIT_RADOS_COLLECT_MS),
		.frozen_ms = time_or(options->frozen_ms, LIMIT_RADOS_FROZEN_MS),
		.look_ms = time_or(options->look_ms, LIMIT_RADOS_LOOK_MS),
		.claim = options->claim ? options->claim : LIMIT_RADOS_CLAIM,
	};
}

enum err rados_attach(const struct rados_options *options, struct rados **ret)
{
	struct rados *r = calloc(1, sizeof(*r));
	if (!r)
		return ERR_UNAVAILABLE;
	r->clock = options->clock;
	for (size_t i = 0; i < RADOS_COUNTING_LOCKS; i++)
		(void)pthread_mutex_init(&r->counting[i], NULL);
	set_sizes(r, options);
	set_timers(r, options);
	enum err e = open_pools(r, options);
	if (e != ERR_OK) {
		rados_detach(r);
		return e;
	}
	*ret = r;
	return ERR_OK;
}

static void tell_rights(const struct rados_options *options, const char *pool)
{
	const char *space = name_or(options->space, "");
	const char *names[POOLS];
	SCOPED_STRBUF(caps, CAPS_BYTES);
	get_names(options, names);
	for (size_t i = 0; i < POOLS; i++)
		strbuf_addf(&caps, "%sallow rw pool=%s%s%s", i ? ", " : "", names[i],
			*space ? " namespace=" : "", space);
	log_error("ceph: client.%s may not read and change what is in the pool %s; it needs the "
		  "rights mon 'allow r' osd '%s', which `ceph auth caps` gives it",
		options->id, pool, strbuf_broken(&caps) ? "allow rw" : caps.ptr);
}

enum err rados_check_rights(const struct rados *r, const struct rados_options *options)
{
	struct pool *const pools[POOLS] = {r->index, r->small, r->data};
	const char *names[POOLS];
	int result = 0;
	get_names(options, names);
	/* A pool that does not answer now may do so later, as one of a gateway that runs. */
	for (size_t i = 0; i < POOLS && result == 0; i++) {
		result = pool_try(pools[i]);
		if (result == -EPERM)
			tell_rights(options, names[i]);
	}
	return result == -EPERM ? ERR_UNAVAILABLE : ERR_OK;
}

void rados_detach(struct rados *r)
{
	if (!r)
		return;
	cluster_close(r->cluster);
	for (size_t i = 0; i < RADOS_COUNTING_LOCKS; i++)
		(void)pthread_mutex_destroy(&r->counting[i]);
	free(r);
}
