/* SPDX-License-Identifier: Apache-2.0 */
/* What a request says of the trace that it is part of (W3C Trace Context, section 3.2). Any thread.
 */
#ifndef HTTP_TRACE_H
#define HTTP_TRACE_H

#include "http/head.h"

#define TRACE_PARENT_LENGTH 55

/* The header traceparent, to be passed on; empty if there is none, or it is none of that form. */
struct slice trace_parent(const struct request_head *head);

#endif
