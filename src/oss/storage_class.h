/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Storage classes of buckets and objects (spec: REST API sections 5 and 6). Here all bytes are kept
 * in one way; a class is a word that goes with an object, and that of an archive means that the
 * object has to be restored before it can be read.
 */
#ifndef OSS_STORAGE_CLASS_H
#define OSS_STORAGE_CLASS_H

#include <stdbool.h>

#include "base/slice.h"

#define STORAGE_CLASS_NAMES "Standard, IA, Archive, ColdArchive or DeepColdArchive"

/* Whether it is one of STORAGE_CLASS_NAMES. */
bool storage_class_is_known(struct slice name);

#endif
