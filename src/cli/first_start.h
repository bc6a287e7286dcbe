/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `postern serve` makes in an empty folder so that uploads work at once: the bucket, and the
 * CORS rule that lets the application server's page read the store's answers.
 */
#ifndef CLI_FIRST_START_H
#define CLI_FIRST_START_H

#include <stdint.h>

#include "store/store.h"

#define FIRST_BUCKET "uploads"

/*
 * Makes the bucket, with a rule for the origins of a page on `app_port` of this machine, and for
 * `app_url`, where the application server is. Of a bucket that is there already, as after a first
 * start that was interrupted, only rules that it has are left as they are. Blocks. Logs a failure.
 */
enum err first_start_make_bucket(
	struct store *store, const char *bucket, uint16_t app_port, const char *app_url) MUST_USE;

/*
 * Says in the log if there is no such bucket, or no CORS rule of it lets a page of `origin` upload:
 * then the upload page would fail, and no browser would say why.
 */
void first_start_check_bucket(struct store *store, const char *bucket, const char *origin);

#endif
