/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for the answer of another server: for a thread that serves nobody meanwhile. */
#ifndef NET_OUTGOING_WAIT_H
#define NET_OUTGOING_WAIT_H

#include "net/outgoing.h"

/*
 * Sends the request, of which all but `home` and `done` is set, and blocks until its result is
 * there. To be given to outgoing_request_release().
 */
void outgoing_wait(struct outgoing *outgoing, struct outgoing_request *request);

#endif
