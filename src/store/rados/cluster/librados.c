/* SPDX-License-Identifier: Apache-2.0 */
#include "store/rados/cluster/librados.h"

#include <assert.h>
#include <dlfcn.h>
#include <string.h>

#include "base/log.h"

struct symbol {
	const char *name;
	size_t offset; /* of the pointer to it */
};

#define SYMBOL(member)                                              \
	{                                                           \
		"rados_" #member, offsetof(struct librados, member) \
	}

static const struct symbol symbols[] = {
	SYMBOL(create2),
	SYMBOL(conf_read_file),
	SYMBOL(conf_set),
	SYMBOL(connect),
	SYMBOL(shutdown),
	SYMBOL(ioctx_create),
	SYMBOL(ioctx_set_namespace),
	SYMBOL(ioctx_destroy),
	SYMBOL(aio_create_completion2),
	SYMBOL(aio_get_return_value),
	SYMBOL(aio_release),
	SYMBOL(aio_write_op_operate),
	SYMBOL(create_write_op),
	SYMBOL(release_write_op),
	SYMBOL(write_op_create),
	SYMBOL(write_op_write_full),
	SYMBOL(write_op_setxattr),
	SYMBOL(write_op_remove),
	SYMBOL(write_op_omap_cmp2),
	SYMBOL(write_op_omap_set2),
	SYMBOL(write_op_omap_rm_keys2),
	SYMBOL(write_op_omap_rm_range2),
	SYMBOL(write_op_operate),
	SYMBOL(create_read_op),
	SYMBOL(release_read_op),
	SYMBOL(read_op_read),
	SYMBOL(read_op_omap_get_vals2),
	SYMBOL(read_op_omap_get_vals_by_keys2),
	SYMBOL(read_op_operate),
	SYMBOL(omap_get_next2),
	SYMBOL(omap_get_end),
	SYMBOL(watch3),
	SYMBOL(unwatch2),
	SYMBOL(watch_flush),
	SYMBOL(notify2),
	SYMBOL(notify_ack),
	SYMBOL(buffer_free),
};

static_assert(ARRAY_LEN(symbols) * sizeof(void *) == sizeof(struct librados),
	"every function has its row");

enum err librados_load(struct librados *ret)
{
	void *library = dlopen("librados.so.2", RTLD_NOW | RTLD_LOCAL);
	if (!library) {
		log_error(
			"Ceph's librados.so.2 cannot be loaded (%s); install the package librados2",
			dlerror());
		return ERR_UNAVAILABLE;
	}
	for (size_t i = 0; i < ARRAY_LEN(symbols); i++) {
		void *found = dlsym(library, symbols[i].name);
		if (!found) {
			log_error("Ceph's librados.so.2 has no %s; Ceph 16 or later is needed",
				symbols[i].name);
			return ERR_UNAVAILABLE;
		}
		memcpy((char *)ret + symbols[i].offset, &found, sizeof(found));
	}
	return ERR_OK;
}
