/* SPDX-License-Identifier: Apache-2.0 */
/* The reason phrases of HTTP status codes (RFC 9110 section 15). */
#ifndef HTTP_STATUS_H
#define HTTP_STATUS_H

/* "Not Found" for 404; "" for a status that postern does not know. Never NULL. */
const char *status_reason(int status);

#endif
