/* SPDX-License-Identifier: Apache-2.0 */
/* What a request says of the trace that it is part of (W3C Trace Context, section 3.2). Any thread.
 */
#ifndef HTTP_TRACE_H
#define HTTP_TRACE_H

#include "http/head.h"

#define TRACE_PARENT_LENGTH 55
#define TRACE_PARENT_START "traceparent: "
/* Of the header's line, with a NUL. */
#define TRACE_LINE_SIZE (sizeof(TRACE_PARENT_START) + TRACE_PARENT_LENGTH)

/* Whether it is of the form of a traceparent. */
bool trace_is_parent(struct slice value) MUST_USE;
/* The header traceparent, to be passed on; empty if there is none, or it is none of that form. */
struct slice trace_parent(const struct request_head *head);

#endif
