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

struct removal {
	struct transfer transfer;
	struct rados *r;
	uint64_t data;
};

static void end(struct transfer *transfer, int result)
{
	struct removal *removal = CONTAINER_OF(transfer, struct removal, transfer);
	struct rados *r = removal->r;
	if (result < 0 && result != -ENOENT)
		log_error("ceph: data that nothing refers to stays: %s", strerror(-result));
	free(removal);
	(void)atomic_fetch_sub(&r->transfers, 1);
}

void chunks_remove(struct rados *r, struct pool *pool, uint64_t data, uint64_t count)
{
	char name[RADOS_NAME_BYTES];
	for (uint64_t i = 0; i < count; i++) {
		struct removal *removal = malloc(sizeof(*removal));
		if (!removal)
			continue;
		*removal = (struct removal){.transfer.done = end, .r = r, .data = data};
		(void)atomic_fetch_add(&r->transfers, 1);
		int result = pool_remove(pool, rados_chunk_name(name, data, i), &removal->transfer);
		if (result < 0)
			end(&removal->transfer, result);
	}
}
