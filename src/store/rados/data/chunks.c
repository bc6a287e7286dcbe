/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "crypto/crc64.h"
#include "store/rados/data/data.h"

static void put_number(char *to, uint64_t number)
{
	for (unsigned i = 8; i-- > 0; number >>= 8)
		to[i] = (char)(unsigned char)number;
}

void sum_block(uint64_t data, uint64_t chunk, struct slice block, char *ret)
{
	char numbers[16];
	put_number(numbers, data);
	put_number(numbers + 8, chunk);
	uint64_t sum = crc64_update(0, slice_of(numbers, sizeof(numbers)));
	put_number(ret, crc64_update(sum, block));
}

/* ---- Of data that nothing refers to ---------------------------------------------------------- */

/* The last chunk goes first: whoever finds the first one knows that there may be others. */
struct removal {
	struct transfer transfer;
	struct rados *r;
	struct pool *pool;
	struct mark *data;
	uint64_t left; /* chunks */
	bool more_may_come;
};

static void end(struct removal *removal, bool is_done)
{
	struct rados *r = removal->r;
	if (is_done && !removal->more_may_come)
		life_end_data(&r->life, removal->data);
	else
		life_leave_data(&r->life, removal->data);
	free(removal);
	(void)atomic_fetch_sub(&r->transfers, 1);
}

static void go_on(struct removal *removal)
{
	char name[RADOS_NAME_BYTES];
	int result = 0;
	if (removal->left) {
		uint64_t chunk = --removal->left;
		rados_chunk_name(name, removal->data->number, chunk);
		result = pool_remove(removal->pool, name, &removal->transfer);
		if (result == 0)
			return;
	}
	end(removal, result == 0);
}

static void removed(struct transfer *transfer, int result)
{
	struct removal *removal = CONTAINER_OF(transfer, struct removal, transfer);
	if (result == 0 || result == -ENOENT) {
		go_on(removal);
		return;
	}
	log_error("ceph: data that nothing refers to stays until this gateway has ended: %s",
		strerror(-result));
	end(removal, false);
}

void data_remove(
	struct rados *r, struct pool *pool, struct mark *data, uint64_t chunks, bool more_may_come)
{
	struct removal *removal = malloc(sizeof(*removal));
	if (!removal) {
		life_leave_data(&r->life, data);
		return;
	}
	*removal = (struct removal){.transfer.done = removed,
		.r = r,
		.pool = pool,
		.data = data,
		.left = chunks,
		.more_may_come = more_may_come};
	(void)atomic_fetch_add(&r->transfers, 1);
	go_on(removal);
}
