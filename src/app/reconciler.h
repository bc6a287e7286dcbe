/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread that looks after grants whose callback never came. Once their time is over the store
 * is asked: an object that has the grant's id is recorded as found, and an upload in parts that is
 * still unfinished is aborted. Only grants for one key are looked at: of others nobody knows where.
 */
#ifndef APP_RECONCILER_H
#define APP_RECONCILER_H

#include "base/compiler.h"
#include "base/err.h"

struct app;
struct reconciler;

/* ERR_UNAVAILABLE without memory or a thread. */
enum err reconciler_new(struct app *app, struct reconciler **ret) MUST_USE;
/* After checks_stop(). Stops it, after the question that is under way. NULL is allowed. */
void reconciler_free(struct reconciler *reconciler);

#endif
