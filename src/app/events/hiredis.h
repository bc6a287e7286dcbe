/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of hiredis that are used: it is loaded when events go to Redis (decision 91). */
#ifndef APP_EVENTS_HIREDIS_H
#define APP_EVENTS_HIREDIS_H

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

#define HIREDIS_FUNCTIONS(FUNCTION)        \
	FUNCTION(redisConnectNonBlock)     \
	FUNCTION(redisConnectUnixNonBlock) \
	FUNCTION(redisAppendCommandArgv)   \
	FUNCTION(redisBufferWrite)         \
	FUNCTION(redisBufferRead)          \
	FUNCTION(redisGetReplyFromReader)  \
	FUNCTION(freeReplyObject)          \
	FUNCTION(redisFree)

struct hiredis {
#define FUNCTION(name) __typeof__(&name) name;
	HIREDIS_FUNCTIONS(FUNCTION)
#undef FUNCTION
};

/* False, with a sentence in `why`, if it is not installed. */
bool hiredis_load(struct hiredis *ret, char *why, size_t why_size) MUST_USE;

#endif
