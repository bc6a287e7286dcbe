/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that read settings share. */
#ifndef APP_SETTINGS_SETTINGS_INTERNAL_H
#define APP_SETTINGS_SETTINGS_INTERNAL_H

#include "app/settings/settings.h"

struct reading {
	struct settings *settings;
	struct rules *rules;
	struct arena *arena; /* of the one that is read: it owns its texts */
	char *why;
	size_t why_size;
	enum err err;        /* sticky: the first is told */
	const char *section; /* the name of a profile that is read; NULL: [app] */
};

void settings_refuse(struct reading *r, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* A copy with a NUL behind it. */
struct slice settings_keep(struct reading *r, struct slice text);
/* The same of text: UTF-8 without control characters. */
struct slice settings_keep_text(struct reading *r, const char *name, const char *text);
/* And it must not be empty. */
struct slice settings_need_text(struct reading *r, const char *name, const char *text);
/* The same of a URL that requests are sent to; it may be empty. */
struct slice settings_keep_url(struct reading *r, const char *name, const char *text);
/* Refuses a number that the option of that name may not have. */
void settings_check_number(struct reading *r, const char *option, int64_t number);

void settings_read_list(
	struct reading *r, const char *name, const char *text, struct settings_list *ret);

/* The rules (settings_rules.c); all else has been read. */
void settings_read_rules(struct reading *r, const struct app_options *options);

/* The default profile and the sections (settings_profile.c). */
void settings_read_profiles(struct reading *r, const struct app_options *options);
/* With `auth` known: numbers the claims that their templates name. */
void settings_want_claims(struct reading *r);

/* The options of credentials (settings_credentials.c). */
void settings_read_credentials(struct reading *r, const struct app_options *options);

/* Where the keys of tokens are (settings_auth.c). */
void settings_read_keys_url(struct reading *r, const struct app_options *options);
/* The options of who may ask: rules. */
void settings_read_auth(struct reading *r, const struct app_options *options);

/* Events (settings_events.c). */
void settings_read_events(struct reading *r, const struct app_options *options);
/* And the secrets that sign them and the webhook: rules. */
void settings_read_webhook_keys(struct reading *r, const struct app_options *options);

#endif
