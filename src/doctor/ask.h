/* SPDX-License-Identifier: Apache-2.0 */
/* One request to another server, waited for. For a command, whose only thread has nothing else. */
#ifndef DOCTOR_ASK_H
#define DOCTOR_ASK_H

#include "net/outgoing.h"

struct asker {
	struct outgoing *outgoing;
};

/* `ca_file` NULL: the system's certificates. ERR_UNAVAILABLE without a thread. */
enum err asker_init(struct asker *asker, const char *ca_file) MUST_USE;
void asker_release(struct asker *asker);

/*
 * Sends the request, of which url and message are set, with limits of its own, and blocks until the
 * result is there. Any address may be asked: it stands in the configuration. The request is to be
 * given to outgoing_request_release().
 */
void asker_ask(struct asker *asker, struct outgoing_request *request);

#endif
