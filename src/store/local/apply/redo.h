/* SPDX-License-Identifier: Apache-2.0 */
/* A replay: what a record of the log says was decided, as effects. Nothing is decided again. */
#ifndef STORE_LOCAL_APPLY_REDO_H
#define STORE_LOCAL_APPLY_REDO_H

#include "store/local/apply/effects.h"

/* Adds the effects of the record to the index batch. After an error nothing is added. */
enum err redo_record(struct index_batch *batch, const struct record_at *record) MUST_USE;

#endif
