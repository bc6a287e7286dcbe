/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions that postern does not use, because each has a way to go wrong that
 * a reader cannot see at the call. Using one fails to compile.
 */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

/* Declare them all first, or the poison would hit the system's headers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* With clang, fortified headers make macros of these two. */
#undef sprintf
#undef vsprintf

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf gets strtok
#pragma GCC poison atoi atol atoll localtime gmtime ctime asctime

#endif
