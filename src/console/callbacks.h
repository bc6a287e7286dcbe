/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log of callbacks over HTTP (docs/callbacks.md):
 *
 *	GET /callbacks?after=ID&limit=N   {"callbacks": [...], "next": ID or ""}, newest first;
 *	                                  `after` is `next` of the page before
 *	GET /callbacks/ID                 one of them
 *	POST /callbacks/ID/send           sends its message again; answers the new one
 */
#ifndef CONSOLE_CALLBACKS_H
#define CONSOLE_CALLBACKS_H

#include "ops/op.h"

extern const struct op op_list_callbacks;
extern const struct op op_get_callback;
extern const struct op op_send_callback;

#endif
