/* SPDX-License-Identifier: Apache-2.0 */
/* The metrics of the application server. */
#ifndef CLI_APP_METRICS_H
#define CLI_APP_METRICS_H

#include "app/app.h"
#include "base/strbuf.h"

void add_app_metrics(const struct app *app, struct strbuf *out);

#endif
