/* SPDX-License-Identifier: Apache-2.0 */
/* The options of events, and of what signs them and the webhook. */
#include "app/settings/settings_internal.h"

static void read_secret(struct reading *r, const char *name, const char *text)
{
	if (!text || !*text)
		return;
	if (!webhook_keys_add(&r->settings->webhook_keys, slice_str(text)))
		settings_refuse(r,
			"%s: must be %d to %d characters, or `whsec_` and the base64 of so many "
			"bytes",
			name, WEBHOOK_KEY_BYTES_MIN, WEBHOOK_KEY_BYTES_MAX);
}

void settings_read_events(struct reading *r, const struct app_options *options)
{
	struct settings *s = r->settings;
	read_secret(r, "events_secret", options->events_secret);
	if (options->events_secret_old && *options->events_secret_old && s->webhook_keys.count == 0)
		settings_refuse(r, "events_secret_old: is for a new events_secret, too");
	read_secret(r, "events_secret_old", options->events_secret_old);
	s->events_url = settings_keep_text(r, "events_url", options->events_url);
	if (s->events_url.len > 0 && settings_after_scheme(s->events_url).len == 0)
		settings_refuse(r, "events_url: must be an http or https URL");
	if (s->events_url.len > 0 && s->webhook_keys.count == 0)
		settings_refuse(r, "events_secret: must be set, since events are signed");
	s->events = options->events || s->events_url.len > 0;
	s->events_tries = options->events_tries;
	s->events_max_age_hours = options->events_max_age_hours;
	s->events_max = options->events_max;
	s->events_keep_days = options->events_keep_days;
}
