/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/log.h"
#include "store/rados/garbage/garbage_internal.h"

void room_look(struct rados *r)
{
	int result = pool_has_room(r->index);
	bool is_full = result == -ENOSPC || result == -EDQUOT;
	if (result < 0 && !is_full)
		return;
	bool was_full = atomic_exchange(&r->is_full, is_full);
	if (is_full && !was_full)
		log_error("ceph: the pool of the index is full: what needs room is answered 507");
	else if (was_full && !is_full)
		log_info("ceph: there is room in the pool of the index again");
}
