/* SPDX-License-Identifier: Apache-2.0 */
/* Formats the properties of an object for answers. */
#ifndef OPS_DATA_OBJECT_TEXT_H
#define OPS_DATA_OBJECT_TEXT_H

#include "base/strbuf.h"
#include "store/store.h"

/*
 * The ETag without quotes: upper-case hexadecimal, of an object made of parts with their number
 * behind it.
 */
void object_etag_add(struct strbuf *out, const struct store_object *object);

/* "Normal": the value of x-oss-object-type. */
const char *object_type_name(enum store_type type);

#endif
