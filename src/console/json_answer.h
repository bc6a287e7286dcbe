/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of the console's API: JSON. (Errors are the store's, from ops/respond.h.) */
#ifndef CONSOLE_JSON_ANSWER_H
#define CONSOLE_JSON_ANSWER_H

#include <jansson.h>

#include "ops/request.h"

/* Answers 200 with `root`, which it frees; 503 if it is NULL, for want of memory. */
void json_answer(struct request *r, json_t *root);

/* The text as a JSON string; bytes that are not UTF-8 become U+FFFD. NULL without memory. */
json_t *json_text(struct slice text) MUST_USE;

#endif
