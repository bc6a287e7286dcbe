/* SPDX-License-Identifier: Apache-2.0 */
/* Two stores that are open on one namespace of Ceph, as gateways on two machines are. */
#ifndef TESTS_STORE_TWO_GATEWAYS_H
#define TESTS_STORE_TWO_GATEWAYS_H

#include "unit/store/blocking.h"
#include "unit/store/ceph.h"

struct two {
	struct store *one;
	struct store *other;
	uint64_t id; /* of a bucket `b`, which was made for them */
};

/* Ends the program, with a word in the results, if it cannot. */
static inline struct two two_open(const struct ceph *ceph, struct rados_options options)
{
	struct two two = {ceph_open_or_end(ceph, options), ceph_open_or_end(ceph, options), 0};
	(void)bucket_create(two.one, S("b"), STORE_ACL_PRIVATE);
	two.id = bucket_id(two.one, S("b"));
	return two;
}

static inline void two_close(struct two *two)
{
	store_close(two->one);
	store_close(two->other);
}

#endif
