/* SPDX-License-Identifier: Apache-2.0 */
/* Telling of damage, once for each place. */
#include <inttypes.h>

#include "base/log.h"
#include "store/local/read/read.h"
#include "store/local/scrub/scrub_internal.h"

/* Whether it is new. */
static bool note(struct scrub *scrub, bool in_log, uint64_t number, uint64_t offset)
{
	if (scrub_place_knows(&scrub->place, in_log, number, offset))
		return false;
	if (!scrub_place_add(&scrub->place, in_log, number, offset))
		scrub->untold++;
	(void)pthread_mutex_lock(&scrub->lock);
	scrub->stats.damaged = scrub->place.count + scrub->untold;
	(void)pthread_mutex_unlock(&scrub->lock);
	return true;
}

void tell_object(struct scrub *scrub, const struct owner *owner, bool in_log, uint64_t number,
	uint64_t offset)
{
	if (!note(scrub, in_log, number, offset))
		return;
	struct store_get get = {
		.bucket_id = owner->bucket_id, .key = owner->key, .object = owner->object};
	struct store_blob blob = {.fd = -1, .number = number, .in_log = in_log};
	read_damaged(&scrub->local->store,
		&(struct store_damage){.get = &get, .blob = &blob, .offset = offset});
}

void tell_log(struct scrub *scrub, uint64_t segment, uint64_t begin, uint64_t end)
{
	if (note(scrub, true, segment, begin))
		log_error("store: the log is damaged: file=segments/%016" PRIx64
			  ".seg offset=%" PRIu64 " bytes=%" PRIu64
			  ": the index has what it said, but could not be made anew from it",
			segment, begin, end - begin);
}
