/* SPDX-License-Identifier: Apache-2.0 */
#include "net/outgoing_wait.h"

#include "base/waiter.h"

void outgoing_wait(struct outgoing *outgoing, struct outgoing_request *request)
{
	struct waiter waiter;
	waiter_init(&waiter);
	request->home = waiter_expect(&waiter, &request->done);
	outgoing_send(outgoing, request);
	waiter_wait(&waiter);
	waiter_release(&waiter);
}
