/* SPDX-License-Identifier: Apache-2.0 */
#include "store/rados/cluster/librados.h"

#include <assert.h>

#include "base/log.h"
#include "base/shared_library.h"

#define LIBRARY "librados.so.2"

enum err librados_load(struct librados *ret)
{
#define FUNCTION(member)                         \
	{                                        \
		"rados_" #member, &(ret->member) \
	}
	const struct library_function functions[] = {
		FUNCTION(create2),
		FUNCTION(conf_read_file),
		FUNCTION(conf_set),
		FUNCTION(connect),
		FUNCTION(shutdown),
		FUNCTION(ioctx_create),
		FUNCTION(ioctx_set_namespace),
		FUNCTION(ioctx_destroy),
		FUNCTION(aio_create_completion2),
		FUNCTION(aio_get_return_value),
		FUNCTION(aio_release),
		FUNCTION(aio_write_op_operate),
		FUNCTION(create_write_op),
		FUNCTION(release_write_op),
		FUNCTION(write_op_create),
		FUNCTION(write_op_write_full),
		FUNCTION(write_op_setxattr),
		FUNCTION(write_op_remove),
		FUNCTION(write_op_omap_cmp2),
		FUNCTION(write_op_omap_set2),
		FUNCTION(write_op_omap_rm_keys2),
		FUNCTION(write_op_omap_rm_range2),
		FUNCTION(write_op_operate),
		FUNCTION(getxattr),
		FUNCTION(create_read_op),
		FUNCTION(release_read_op),
		FUNCTION(read_op_read),
		FUNCTION(read_op_omap_get_vals2),
		FUNCTION(read_op_omap_get_vals_by_keys2),
		FUNCTION(read_op_operate),
		FUNCTION(omap_get_next2),
		FUNCTION(omap_get_end),
		FUNCTION(nobjects_list_open),
		FUNCTION(nobjects_list_next),
		FUNCTION(nobjects_list_close),
		FUNCTION(watch3),
		FUNCTION(unwatch2),
		FUNCTION(watch_flush),
		FUNCTION(notify2),
		FUNCTION(notify_ack),
		FUNCTION(buffer_free),
	};
#undef FUNCTION
	static_assert(ARRAY_LEN(functions) * sizeof(void *) == sizeof(struct librados),
		"every function has its row");
	char why[256];
	if (shared_library_load(LIBRARY, functions, ARRAY_LEN(functions), why, sizeof(why)))
		return ERR_OK;
	log_error("Ceph's " LIBRARY
		  " cannot be loaded (%s); install the package librados2 of Ceph 16 "
		  "or later",
		why);
	return ERR_UNAVAILABLE;
}
