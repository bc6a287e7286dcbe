/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a damaged record says all the same. Any thread.
 */
#ifndef STORE_LOCAL_WAL_MEND_H
#define STORE_LOCAL_WAL_MEND_H

#include <stdbool.h>

#include "store/local/wal/record.h"

/*
 * The record at the front of `bytes` if one bit of it was flipped, which is put right in `bytes`:
 * then the checksum holds. False, and nothing has changed, if there is no such bit.
 */
bool record_mend(char *bytes, size_t len, uint64_t salt, struct record *ret) MUST_USE;

/*
 * The record at the front of `bytes`, whose checksum does not hold, if it is the bytes of an object
 * that are damaged: they do not have the CRC-64 that the record gives. The rest is believed, so
 * `bytes` must begin where a record does: what somebody has uploaded may look like one.
 */
bool record_split_bad_data(struct slice bytes, struct record *ret) MUST_USE;

#endif
