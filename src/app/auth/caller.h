/* SPDX-License-Identifier: Apache-2.0 */
/* The caller that asks for a grant, once it is known. */
#ifndef APP_AUTH_CALLER_H
#define APP_AUTH_CALLER_H

#include "app/settings/rules.h"

/*
 * A caller, and what it may have at most; the profile may allow less (offer.h). The slices live as
 * long as the exchange.
 */
struct caller {
	struct slice subject;              /* empty: not known */
	struct slice values[LIMIT_CLAIMS]; /* of the claims that the rules want; or empty */
	struct slice prefix;               /* below the folder; or empty */
	int64_t max_size;
	int64_t expire_seconds;
	int64_t multipart_seconds; /* life of an upload in parts */
	const struct slice *types;
	size_t type_count; /* 0: any of the profile */
	/* That each object gets, besides what the profile gives; it wins. */
	const struct profile_metadata *metadata;
	size_t metadata_count;
	struct slice variables; /* that the callback brings: a JSON object; empty: none */
};

/* An unknown caller, which may have all that the profile allows: max_size is INT64_MAX. */
struct caller caller_anybody(const struct rules *rules);

#endif
