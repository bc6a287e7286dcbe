/* SPDX-License-Identifier: Apache-2.0 */
#include "store/rados/cluster/cluster.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

#include "base/log.h"
#include "store/rados/cluster/cluster_internal.h"

#define OWNER "of" /* the attribute */

enum err cluster_err(int result, const char *wanted, const char *object)
{
	if (result >= 0)
		return ERR_OK;
	if (result == -ENOSPC || result == -EDQUOT)
		return ERR_DISK_FULL;
	log_error("ceph: %s %s: %s%s", wanted, object, strerror(-result),
		result == -EPERM ? ": docs/on-rados.md says what rights the user of Ceph needs"
				 : "");
	return ERR_UNAVAILABLE;
}

/*
 * Submitting would wait once librados has so much on its way; the store bounds that itself, where
 * it can say so.
 */
static const struct {
	const char *name;
	const char *value;
} settings[] = {
	{"objecter_inflight_ops", "1000000"},
	{"objecter_inflight_op_bytes", "1000000000000"},
	{"rados_mon_op_timeout", "10"},
	{"client_mount_timeout", "30"},
};

static int set_up(struct cluster *c, const struct cluster_options *options)
{
	char timeout[16];
	(void)snprintf(timeout, sizeof(timeout), "%u", options->timeout_s);
	int result = c->api.conf_read_file(c->handle, options->config);
	if (result < 0)
		return result;
	for (size_t i = 0; i < ARRAY_LEN(settings) && result == 0; i++)
		result = c->api.conf_set(c->handle, settings[i].name, settings[i].value);
	if (result == 0)
		result = c->api.conf_set(c->handle, "rados_osd_op_timeout", timeout);
	return result;
}

static enum err start(struct cluster *c, const struct cluster_options *options)
{
	char name[128];
	enum err e = librados_load(&c->api);
	if (e != ERR_OK)
		return e;
	int len = snprintf(name, sizeof(name), "client.%s", options->id);
	int result = len < (int)sizeof(name) ? c->api.create2(&c->handle, "ceph", name, 0)
					     : -ENAMETOOLONG;
	if (result < 0)
		return cluster_err(result, "the user", options->id);
	result = set_up(c, options);
	if (result < 0)
		return cluster_err(result, "the configuration", options->config);
	result = c->api.connect(c->handle);
	if (result == -EACCES)
		log_error("ceph: %s is not let in: it has to have mon 'allow r', and a keyring "
			  "that this process can read and has the key of: ceph auth get %s",
			name, name);
	if (result < 0)
		return cluster_err(result, "connecting as says", options->config);
	c->connected = true;
	return ERR_OK;
}

enum err cluster_open(const struct cluster_options *options, struct cluster **ret)
{
	struct cluster *c = calloc(1, sizeof(*c));
	if (!c)
		return ERR_UNAVAILABLE;
	c->space = strdup(options->space);
	enum err e = c->space ? start(c, options) : ERR_UNAVAILABLE;
	if (e != ERR_OK) {
		cluster_close(c);
		return e;
	}
	*ret = c;
	return ERR_OK;
}

void cluster_close(struct cluster *c)
{
	if (!c)
		return;
	for (unsigned i = 0; i < c->pool_count; i++)
		c->api.ioctx_destroy(c->pools[i].io);
	if (c->handle)
		c->api.shutdown(c->handle);
	free(c->space);
	free(c);
}

enum err cluster_pool(struct cluster *c, const char *name, struct pool **ret)
{
	assert(c->pool_count < POOLS_MAX);
	struct pool *pool = &c->pools[c->pool_count];
	int result = c->api.ioctx_create(c->handle, name, &pool->io);
	if (result == -ENOENT)
		log_error("there is no pool %s; make it with: ceph osd pool create %s", name, name);
	if (result == -ETIMEDOUT)
		log_error("ceph: the monitors do not say what pools there are: none answers, or "
			  "the user has not mon 'allow r'");
	if (result < 0)
		return cluster_err(result, "the pool", name);
	c->api.ioctx_set_namespace(pool->io, c->space);
	pool->api = &c->api;
	pool->cluster = c->handle;
	pool->counters = &c->counters;
	c->pool_count++;
	*ret = pool;
	return ERR_OK;
}

int pool_try(struct pool *pool)
{
	static const char object[] = "rights";
	char byte;
	int result = pool->api->getxattr(pool->io, object, OWNER, &byte, sizeof(byte));
	if (result >= 0 || result == -ENOENT) {
		void *op = pool->api->create_write_op();
		pool->api->write_op_remove(op);
		result = pool->api->write_op_operate(op, pool->io, object, NULL, LIBRADOS_FULL_TRY);
		pool->api->release_write_op(op);
	}
	return result == -ENOENT ? 0 : result;
}

int pool_has_room(struct pool *pool)
{
	const struct librados *api = pool->api;
	void *op = api->create_write_op();
	api->write_op_write_full(op, "1", 1);
	int result = api->write_op_operate(op, pool->io, POOL_ROOM, NULL, LIBRADOS_FULL_TRY);
	api->release_write_op(op);
	if (result == 0) {
		op = api->create_write_op();
		api->write_op_remove(op);
		(void)api->write_op_operate(op, pool->io, POOL_ROOM, NULL, LIBRADOS_FULL_TRY);
		api->release_write_op(op);
	}
	return result;
}

/* ---- Data ------------------------------------------------------------------------------------ */

static void end_transfer(void *completion, void *ctx)
{
	struct transfer *transfer = ctx;
	const struct librados *api = transfer->pool->api;
	int result = api->aio_get_return_value(completion);
	api->aio_release(completion);
	counting_end(transfer->pool, transfer->operation, transfer->begin_us, result);
	transfer->done(transfer, result);
}

int transfer_begin(struct pool *pool, enum cluster_operation operation, const char *object,
	void *op, struct transfer *transfer)
{
	const struct librados *api = pool->api;
	transfer->pool = pool;
	transfer->operation = operation;
	transfer->begin_us = counting_begin();
	int result = api->aio_create_completion2(transfer, end_transfer, &transfer->completion);
	if (result == 0) {
		void *completion = transfer->completion;
		result = api->aio_write_op_operate(
			op, pool->io, completion, object, NULL, LIBRADOS_FULL_TRY);
		if (result < 0)
			api->aio_release(completion);
	}
	api->release_write_op(op);
	return result;
}

int pool_create(struct pool *pool, const char *object, struct slice bytes, struct slice of,
	struct transfer *transfer)
{
	const struct librados *api = pool->api;
	void *op = api->create_write_op();
	api->write_op_create(op, LIBRADOS_EXCLUSIVE, NULL);
	api->write_op_write_full(op, bytes.ptr, bytes.len);
	if (of.len)
		api->write_op_setxattr(op, OWNER, of.ptr, of.len);
	return transfer_begin(pool, CLUSTER_WRITE_DATA, object, op, transfer);
}

int pool_remove(struct pool *pool, const char *object, struct transfer *transfer)
{
	void *op = pool->api->create_write_op();
	pool->api->write_op_remove(op);
	return transfer_begin(pool, CLUSTER_REMOVE_DATA, object, op, transfer);
}

int pool_owner(struct pool *pool, const char *object, char *ret, size_t size)
{
	return pool->api->getxattr(pool->io, object, OWNER, ret, size);
}

int pool_read(struct pool *pool, const char *object, struct pool_run *runs, size_t count)
{
	const struct librados *api = pool->api;
	int failed[POOL_RUNS_MAX] = {0};
	int64_t begin_us = counting_begin();
	assert(count <= POOL_RUNS_MAX);
	void *op = api->create_read_op();
	for (size_t i = 0; i < count; i++)
		api->read_op_read(
			op, runs[i].offset, runs[i].len, runs[i].bytes, &runs[i].got, &failed[i]);
	int result = api->read_op_operate(op, pool->io, object, 0);
	api->release_read_op(op);
	for (size_t i = 0; i < count && result >= 0; i++)
		if (failed[i] < 0)
			result = failed[i];
	counting_end(pool, CLUSTER_READ_DATA, begin_us, result);
	return result;
}

int pool_list(struct pool *pool, bool (*name)(const char *object, void *ctx), void *ctx)
{
	const struct librados *api = pool->api;
	const char *object;
	void *list;
	int result = api->nobjects_list_open(pool->io, &list);
	if (result < 0)
		return result;
	do
		result = api->nobjects_list_next(list, &object, NULL, NULL);
	while (result == 0 && name(object, ctx));
	api->nobjects_list_close(list);
	return result == -ENOENT ? 0 : result; /* which is the end */
}

/* ---- Watching -------------------------------------------------------------------------------- */

static void hear(void *ctx, uint64_t notification, uint64_t number UNUSED, uint64_t notifier UNUSED,
	void *bytes UNUSED, size_t len UNUSED)
{
	struct watch *watch = ctx;
	watch->notified(watch, notification);
}

static void lose(void *ctx, uint64_t number UNUSED, int err UNUSED)
{
	struct watch *watch = ctx;
	watch->lost(watch);
}

int watch_begin(struct watch *watch, struct pool *pool, const char *object)
{
	watch->pool = pool;
	watch->object = object;
	int result = pool->api->watch3(pool->io, object, &watch->number, hear, lose, 0, watch);
	watch->is_begun = result == 0;
	return result;
}

void watch_end(struct watch *watch)
{
	const struct librados *api = watch->pool->api;
	/* For librados its number is an address: of one that has ended it must not hear again. */
	if (watch->is_begun)
		(void)api->unwatch2(watch->pool->io, watch->number);
	watch->is_begun = false;
	/* Until those that are being told of something have returned. */
	(void)api->watch_flush(watch->pool->cluster);
}

void watch_acknowledge(struct watch *watch, uint64_t notification)
{
	(void)watch->pool->api->notify_ack(
		watch->pool->io, watch->object, notification, watch->number, NULL, 0);
}

int pool_notify(struct pool *pool, const char *object, uint64_t timeout_ms)
{
	char *replies = NULL;
	size_t len = 0;
	int result = pool->api->notify2(pool->io, object, "", 0, timeout_ms, &replies, &len);
	if (replies)
		pool->api->buffer_free(replies);
	return result;
}
