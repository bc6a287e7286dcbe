/* SPDX-License-Identifier: Apache-2.0 */
/* Who asks for a grant, once that is known. */
#ifndef APP_AUTH_CALLER_H
#define APP_AUTH_CALLER_H

#include "app/settings/settings.h"

/* Who asks, and for what at most, whatever the profile (offer.h) allows. Its slices live as long as
 * the exchange. */
struct caller {
	struct slice subject;              /* empty: not known */
	struct slice values[LIMIT_CLAIMS]; /* of the claims that the settings want; or empty */
	struct slice prefix;               /* below the folder; or empty */
	int64_t max_size;
	int64_t expire_seconds;
	int64_t multipart_seconds; /* life of an upload in parts */
	const struct slice *types;
	size_t type_count; /* 0: any of the profile */
};

/* Nobody in particular, who may have what is configured. Its max_size is INT64_MAX. */
struct caller caller_anybody(const struct settings *settings);

#endif
