/* SPDX-License-Identifier: Apache-2.0 */
#include "net/shares.h"

#include <assert.h>

#include "crypto/random.h"

void shares_init(struct shares *s, size_t max)
{
	*s = (struct shares){.max = max};
	random_bytes(&s->seed, sizeof(s->seed));
}

struct slots shares_slots(const struct shares *s, struct slice requester)
{
	return slots_of(s->seed, requester);
}

bool shares_may(const struct shares *s, struct slots slots)
{
	if (s->used >= s->max)
		return false;
	for (size_t row = 0; row < SLOT_ROWS; row++)
		if (s->own[row][slots.in[row]] < 2 * (s->max - s->used))
			return true;
	return false;
}

void shares_take(struct shares *s, struct slots slots)
{
	s->used++;
	for (size_t row = 0; row < SLOT_ROWS; row++)
		s->own[row][slots.in[row]]++;
}

void shares_give(struct shares *s, struct slots slots)
{
	assert(s->used > 0);
	s->used--;
	for (size_t row = 0; row < SLOT_ROWS; row++) {
		assert(s->own[row][slots.in[row]] > 0);
		s->own[row][slots.in[row]]--;
	}
}
