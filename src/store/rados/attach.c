/* SPDX-License-Identifier: Apache-2.0 */
#include "store/rados/attach.h"

#include <stdlib.h>

#include "base/limits.h"

enum err rados_connect(
	const struct rados_options *options, struct cluster **ret, struct pool **ret_index)
{
	const struct cluster_options cluster = {.config = options->config,
		.id = options->id,
		.space = options->space ? options->space : "",
		.timeout_s = options->timeout_s ? options->timeout_s : LIMIT_RADOS_OPERATION_S};
	enum err e = cluster_open(&cluster, ret);
	return e == ERR_OK ? cluster_pool(*ret, options->index_pool ? options->index_pool : "index",
				     ret_index)
			   : e;
}

static enum err open_pools(struct rados *r, const struct rados_options *options)
{
	const char *small = options->small_pool ? options->small_pool : "small";
	const char *data = options->data_pool ? options->data_pool : "data";
	enum err e = rados_connect(options, &r->cluster, &r->index);
	if (e == ERR_OK)
		e = cluster_pool(r->cluster, small, &r->small);
	return e == ERR_OK ? cluster_pool(r->cluster, data, &r->data) : e;
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

void rados_detach(struct rados *r)
{
	if (!r)
		return;
	cluster_close(r->cluster);
	free(r);
}
