/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The callback of an upload as a request asks for it: headers x-oss-callback and
 * x-oss-callback-var, or query parameters callback and callback-var, or the form field callback
 * (spec: callback section 2).
 */
#ifndef OPS_DATA_CALLBACK_ARGS_H
#define OPS_DATA_CALLBACK_ARGS_H

#include "ops/data/ingest.h"

/* Custom variables that came as one JSON object. */
struct callback_vars {
	void *json; /* jansson's */
};

/* Fills u->callback and u->custom from header or query. False: it has been answered. */
bool callback_args_from_request(
	struct request *r, struct ingest *u, struct callback_vars *vars) MUST_USE;
/* Fills u->callback from `text`, which came as the argument `name`. False: it was answered. */
bool callback_args_parse(
	struct request *r, struct ingest *u, const char *name, struct slice text) MUST_USE;
void callback_vars_release(struct callback_vars *vars);

#endif
