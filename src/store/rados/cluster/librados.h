/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of librados's C API that is used, bound when the process first wants it
 * (docs/decisions/0088): the build needs no header of Ceph, and a machine without Ceph no library.
 * The prototypes are those of librados 2, whose C ABI has been stable since Ceph Jewel (2016).
 */
#ifndef STORE_RADOS_CLUSTER_LIBRADOS_H
#define STORE_RADOS_CLUSTER_LIBRADOS_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/compiler.h"
#include "base/err.h"

enum {
	LIBRADOS_EQUAL = 1,
	LIBRADOS_EXCLUSIVE = 1,
	LIBRADOS_FULL_TRY =
		64, /* fail on a full cluster at once, and let through what frees room */
};

struct librados {
	int (*create2)(void **ret, const char *cluster, const char *name, uint64_t flags);
	int (*conf_read_file)(void *cluster, const char *path);
	int (*conf_set)(void *cluster, const char *option, const char *value);
	int (*connect)(void *cluster);
	void (*shutdown)(void *cluster);

	int (*ioctx_create)(void *cluster, const char *pool, void **ret);
	void (*ioctx_set_namespace)(void *io, const char *space);
	void (*ioctx_destroy)(void *io);

	int (*aio_create_completion2)(
		void *ctx, void (*done)(void *completion, void *ctx), void **ret);
	int (*aio_get_return_value)(void *completion);
	void (*aio_release)(void *completion);
	int (*aio_write_op_operate)(
		void *op, void *io, void *completion, const char *object, time_t *mtime, int flags);

	void *(*create_write_op)(void);
	void (*release_write_op)(void *op);
	void (*write_op_create)(void *op, int exclusive, const char *category);
	void (*write_op_write_full)(void *op, const char *bytes, size_t len);
	void (*write_op_setxattr)(void *op, const char *name, const char *value, size_t len);
	void (*write_op_remove)(void *op);
	void (*write_op_omap_cmp2)(void *op, const char *key, uint8_t how, const char *value,
		size_t key_len, size_t value_len, int *ret);
	void (*write_op_omap_set2)(void *op, const char *const *keys, const char *const *values,
		const size_t *key_lens, const size_t *value_lens, size_t count);
	void (*write_op_omap_rm_keys2)(
		void *op, const char *const *keys, const size_t *key_lens, size_t count);
	void (*write_op_omap_rm_range2)(
		void *op, const char *begin, size_t begin_len, const char *end, size_t end_len);
	int (*write_op_operate)(void *op, void *io, const char *object, time_t *mtime, int flags);

	int (*getxattr)(void *io, const char *object, const char *name, char *ret, size_t size);

	void *(*create_read_op)(void);
	void (*release_read_op)(void *op);
	void (*read_op_read)(
		void *op, uint64_t offset, size_t len, char *ret, size_t *ret_len, int *ret_err);
	void (*read_op_omap_get_vals2)(void *op, const char *after, const char *prefix,
		uint64_t max, void **ret, unsigned char *ret_more, int *ret_err);
	void (*read_op_omap_get_vals_by_keys2)(void *op, const char *const *keys, size_t count,
		const size_t *key_lens, void **ret, int *ret_err);
	int (*read_op_operate)(void *op, void *io, const char *object, int flags);
	int (*omap_get_next2)(
		void *rows, char **key, char **value, size_t *key_len, size_t *value_len);
	void (*omap_get_end)(void *rows);

	int (*nobjects_list_open)(void *io, void **ret);
	int (*nobjects_list_next)(
		void *list, const char **ret, const char **ret_key, const char **ret_space);
	void (*nobjects_list_close)(void *list);

	int (*watch3)(void *io, const char *object, uint64_t *ret,
		void (*notified)(void *ctx, uint64_t notify, uint64_t watch, uint64_t notifier,
			void *bytes, size_t len),
		void (*failed)(void *ctx, uint64_t watch, int err), uint32_t timeout_s, void *ctx);
	int (*unwatch2)(void *io, uint64_t watch);
	int (*watch_flush)(void *cluster);
	int (*notify2)(void *io, const char *object, const char *bytes, int len,
		uint64_t timeout_ms, char **ret_replies, size_t *ret_len);
	int (*notify_ack)(void *io, const char *object, uint64_t notify, uint64_t watch,
		const char *bytes, int len);
	void (*buffer_free)(char *bytes);
};

/*
 * Fills in *ret. ERR_UNAVAILABLE, logged, if the library is not there or lacks something. Any
 * thread. The library stays loaded: its threads outlive what uses it.
 */
enum err librados_load(struct librados *ret) MUST_USE;

#endif
