/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which URL may name the public key of a callback: one of `[app] key_urls`, or one whose key is
 * given in the configuration. Any thread.
 */
#ifndef APP_KEY_URL_H
#define APP_KEY_URL_H

#include "app/app.h"
#include "app/settings/rules.h"
#include "base/slice.h"

/* Whether `url` is an entry of the list, or below one that ends with `/`. */
bool key_url_is_trusted(
	const struct app *app, const struct rules *rules, struct slice url) MUST_USE;
/*
 * Whether a trusted `url` is an entry itself, or the name that OSS gives its key below one: of
 * these there are few, so that their keys are kept whatever else is asked for.
 */
bool key_url_is_pinned(const struct app *app, const struct rules *rules, struct slice url) MUST_USE;

#endif
