/* SPDX-License-Identifier: Apache-2.0 */
/* Asks the process that uses a folder for its index (control.h). */
#ifndef STORE_LOCAL_CONTROL_ASK_H
#define STORE_LOCAL_CONTROL_ASK_H

#include "base/compiler.h"

/*
 * The index lies in CONTROL_FOLDER until the caller ends the connection *ret. An errno value;
 * EPROTO: the process says no.
 */
int control_ask(int dir, int *ret) MUST_USE;
/* Waits until the process has removed the copy. */
void control_end(int connection);

#endif
