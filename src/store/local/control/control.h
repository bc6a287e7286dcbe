/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The socket `control` in the data folder, on which `postern fsck` asks for the index as it is. Who
 * may open the folder may ask; of others, who are let in by mistake, the kernel says who they are.
 *
 * There is one question, CONTROL_CHECKPOINT. The answer is CONTROL_DONE once the folder
 * `index.check` has the index as of one position of the log, and it stays for as long as the
 * connection does. One connection at a time.
 */
#ifndef STORE_LOCAL_CONTROL_CONTROL_H
#define STORE_LOCAL_CONTROL_CONTROL_H

#include <sys/un.h>

#include "base/compiler.h"
#include "base/err.h"

#define CONTROL_CHECKPOINT "checkpoint\n"
#define CONTROL_DONE "done\n"
#define CONTROL_FOLDER "index.check"

struct local;
struct control;

/* The socket's address, by a descriptor of the folder: a path may be longer than fits. */
void control_address(int dir, struct sockaddr_un *ret);

/* Starts the thread. *ret is NULL where there can be no socket, which is logged and no failure. */
enum err control_new(struct local *local, struct control **ret) MUST_USE;
/* NULL is allowed. Ends the connection. */
void control_free(struct control *control);

#endif
