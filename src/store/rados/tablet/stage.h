/* SPDX-License-Identifier: Apache-2.0 */
/* What rows become of what was decided. */
#ifndef STORE_RADOS_TABLET_STAGE_H
#define STORE_RADOS_TABLET_STAGE_H

#include "store/rados/tablet/look.h"

/*
 * Adds to the edit what the effects of the change say, all of whose rows have been looked up.
 * ERR_UNAVAILABLE without memory, or with more extents than fit: then the edit has to be dropped.
 */
enum err stage_change(struct change *change, struct edit *edit) MUST_USE;

#endif
