/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The folder `damaged` of the data folder: where a start puts what it would otherwise remove, when
 * it has found the log damaged and so cannot tell what belongs to nobody. Nothing reads from it.
 */
#ifndef STORE_LOCAL_DISK_ASIDE_H
#define STORE_LOCAL_DISK_ASIDE_H

#include <stdint.h>

#include "base/compiler.h"

enum {
	ASIDE_NAME_BYTES = 64
};

/*
 * Moves `from` in the directory `dir` into the folder `damaged` of the data folder `data`, durably.
 * It is called `name` there, or `name` with a number behind it if that is taken; into `ret_name`,
 * of ASIDE_NAME_BYTES. An errno value.
 */
int aside_move(int data, int dir, const char *from, const char *name, char *ret_name) MUST_USE;

/* Copies the bytes from `begin` to `end` of a file there. Name and result as above. */
int aside_copy(
	int data, int fd, uint64_t begin, uint64_t end, const char *name, char *ret_name) MUST_USE;

#endif
