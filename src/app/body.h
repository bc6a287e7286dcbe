/* SPDX-License-Identifier: Apache-2.0 */
/* Waits for the whole body of a request, which is short, before anything is decided. */
#ifndef APP_BODY_H
#define APP_BODY_H

#include "net/exchange.h"

struct app;

/* `body` is valid until the exchange is gone. */
typedef void app_body_read(struct app *app, struct exchange *x, struct slice body, void *ctx);

/*
 * Calls `read` once, when the body is there; if it has more than `max` bytes the request is
 * answered with 413. From service.begin.
 */
void app_read_body(struct app *app, struct exchange *x, size_t max, app_body_read *read, void *ctx);

#endif
