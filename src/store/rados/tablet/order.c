/* SPDX-License-Identifier: Apache-2.0 */
#include "store/rados/tablet/order.h"

#include <stdlib.h>

enum {
	ONE_IN = 10 /* new keys may come elsewhere; as many rows move when it is split */
};

static bool is_new(const struct change *c)
{
	return c->effects.counts.objects == 1;
}

static struct slice greatest_of(const struct key_order *order)
{
	return slice_of(order->greatest, order->greatest_len);
}

/* Without memory the order is not known. */
static void keep(struct key_order *order, struct slice key)
{
	char *copy = realloc(order->greatest, key.len + 1);
	if (!copy) {
		order->among += ONE_IN;
		return;
	}
	memcpy(copy, key.ptr, key.len);
	order->greatest = copy;
	order->greatest_len = key.len;
}

void order_note(struct key_order *order, struct change *const *changes, size_t count)
{
	struct slice last = S("");
	/* Keys that came together have no order among them. */
	for (size_t i = 0; i < count; i++) {
		struct slice key = changes[i]->key;
		if (!is_new(changes[i]))
			continue;
		bool is_behind = order->greatest_len == 0 || slice_cmp(key, greatest_of(order)) > 0;
		order->behind += is_behind;
		order->among += !is_behind;
		if (is_behind && slice_cmp(key, last) > 0)
			last = key;
	}
	if (last.len)
		keep(order, last);
}

uint64_t order_split_at(const struct key_order *order, uint64_t rows)
{
	bool ascends = order->behind > 1 && order->among * ONE_IN <= order->behind;
	uint64_t moved = ascends ? rows / ONE_IN : rows - rows / 2;
	return rows - (moved ? moved : 1);
}

void order_reset(struct key_order *order)
{
	free(order->greatest);
	*order = (struct key_order){.behind = 0};
}
