/* SPDX-License-Identifier: Apache-2.0 */
/* Recognising JSON; for writing it see oss/text/json_text.h. */
#ifndef APP_TEXT_JSON_H
#define APP_TEXT_JSON_H

#include "base/slice.h"
#include "oss/text/json_text.h"

/* Whether `text` is one JSON value of any kind. */
bool json_is_valid(struct slice text) MUST_USE;

#endif
