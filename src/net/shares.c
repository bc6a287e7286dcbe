/* SPDX-License-Identifier: Apache-2.0 */
#include "net/shares.h"

#include <assert.h>

#include "base/slot.h"
#include "crypto/random.h"

void shares_init(struct shares *s, size_t max)
{
	*s = (struct shares){.max = max};
	random_bytes(&s->seed, sizeof(s->seed));
}

size_t shares_slot(const struct shares *s, struct slice requester)
{
	return slot_of(s->seed, requester, SHARES_SLOTS);
}

bool shares_may(const struct shares *s, size_t slot)
{
	return s->used < s->max && s->own[slot] < 2 * (s->max - s->used);
}

void shares_take(struct shares *s, size_t slot)
{
	s->used++;
	s->own[slot]++;
}

void shares_give(struct shares *s, size_t slot)
{
	assert(s->used > 0 && s->own[slot] > 0);
	s->used--;
	s->own[slot]--;
}
