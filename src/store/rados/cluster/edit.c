/* SPDX-License-Identifier: Apache-2.0 */
#include "store/rados/cluster/edit.h"

#include "store/rados/cluster/cluster_internal.h"

struct edit edit_begin(struct pool *pool)
{
	return (struct edit){pool, pool->api->create_write_op()};
}

void edit_drop(struct edit *edit)
{
	edit->pool->api->release_write_op(edit->op);
}

void edit_create(struct edit *edit)
{
	edit->pool->api->write_op_create(edit->op, LIBRADOS_EXCLUSIVE, NULL);
}

void edit_ensure(struct edit *edit)
{
	edit->pool->api->write_op_create(edit->op, 0, NULL);
}

void edit_compare(struct edit *edit, struct slice key, struct slice value)
{
	edit->pool->api->write_op_omap_cmp2(edit->op, key.ptr, LIBRADOS_EQUAL,
		value.len ? value.ptr : "", key.len, value.len, NULL);
}

void edit_set(struct edit *edit, struct slice key, struct slice value)
{
	edit->pool->api->write_op_omap_set2(
		edit->op, &key.ptr, &value.ptr, &key.len, &value.len, 1);
}

void edit_remove(struct edit *edit, struct slice key)
{
	edit->pool->api->write_op_omap_rm_keys2(edit->op, &key.ptr, &key.len, 1);
}

void edit_remove_range(struct edit *edit, struct slice begin, struct slice end)
{
	edit->pool->api->write_op_omap_rm_range2(edit->op, begin.ptr, begin.len, end.ptr, end.len);
}

void edit_remove_object(struct edit *edit)
{
	edit->pool->api->write_op_remove(edit->op);
}

int edit_run(struct edit *edit, const char *object)
{
	const struct librados *api = edit->pool->api;
	int64_t begin_us = counting_begin();
	int result =
		api->write_op_operate(edit->op, edit->pool->io, object, NULL, LIBRADOS_FULL_TRY);
	api->release_write_op(edit->op);
	counting_end(edit->pool, CLUSTER_CHANGE_ROWS, begin_us, result);
	return result;
}

int edit_send(struct edit *edit, const char *object, struct transfer *transfer)
{
	return transfer_begin(edit->pool, CLUSTER_CHANGE_ROWS, object, edit->op, transfer);
}
