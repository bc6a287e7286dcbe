/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options of the application server, checked and parsed once. A struct settings is always
 * valid, owns what it points to, and is immutable: any thread may read it. Here is what stays as it
 * was at the start; what may change while the server runs is in rules.h.
 */
#ifndef APP_SETTINGS_SETTINGS_H
#define APP_SETTINGS_SETTINGS_H

#include "app/credentials/provider_options.h"
#include "app/settings/options.h"
#include "app/settings/rules.h"
#include "app/text/events_address.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"

/* Every slice has a NUL behind it. */
struct settings {
	struct provider_options credentials;
	struct slice host;   /* where the form is posted: the URL without a final `/` */
	struct slice origin; /* scheme and authority of `host` */
	struct slice bucket;
	struct slice store_url; /* of the bucket, for postern's own requests; without a final `/` */
	bool any_certificate;
	bool own_store;
	enum app_confirm confirm;
	struct slice region;
	int signature_version;
	bool bind_callback;
	struct slice callback_url;             /* empty: no callback */
	struct settings_list callback_targets; /* path and query of its URLs */
	struct settings_list callback_paths;   /* the paths alone */
	bool events;                           /* they are written down */
	struct slice events_url;               /* empty: none */
	struct events_address events_address;
	struct slice events_stream;                /* or topic */
	int64_t events_stream_max;                 /* entries; 0: any number */
	struct slice events_user, events_password; /* of Redis; empty: none */
	struct slice events_kafka;                 /* properties.h; all of it is valid */
	int64_t events_tries;
	int64_t events_max_age_hours;
	int64_t events_max; /* rows */
	int64_t events_keep_days;
	struct slice multipart_path; /* "/s3"; empty: none */
	int64_t reconcile_seconds;   /* 0: the store is not asked */
	int64_t grants_max;
	int64_t grants_keep_days;
	struct slice jwt_keys_url; /* empty: none */
	struct rules *rules;       /* one reference, which may be taken out: NULL then */
	struct arena arena_;
};

/*
 * Fills *ret, which must be released in any case. ERR_INVALID_ARGUMENT with a sentence in `why`;
 * ERR_UNAVAILABLE without memory.
 */
enum err settings_init(struct settings *ret, const struct app_options *options, char *why,
	size_t why_size) MUST_USE;
void settings_release(struct settings *settings);

/* Whether a path is one of those of uploads in parts. */
bool settings_is_multipart(const struct settings *settings, struct slice path) MUST_USE;

#endif
