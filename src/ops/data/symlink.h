/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Symbolic links as the store keeps them: objects without bytes, the first of whose headers is
 * `x-oss-symlink-target` with the key they point to, percent-encoded.
 */
#ifndef OPS_DATA_SYMLINK_H
#define OPS_DATA_SYMLINK_H

#include "base/arena.h"
#include "store/store.h"

#define SYMLINK_TARGET "x-oss-symlink-target"

/* The key that a link points to, in `arena`; false if there is none, or without memory. */
bool symlink_target(
	const struct store_object *link, struct arena *arena, struct slice *ret) MUST_USE;

/* The line of the target, CRLF included; empty if the object is no link. */
struct slice symlink_target_line(const struct store_object *object);

/* The headers of an object that are sent when it is read: of a link all but the target. */
struct slice symlink_other_headers(const struct store_object *object);

#endif
