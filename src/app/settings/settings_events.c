/* SPDX-License-Identifier: Apache-2.0 */
/* The options of events, and of what signs them and the webhook. */
#include "app/settings/settings_internal.h"
#include "app/text/properties.h"
#include "http/url.h"

#define KAFKA_TOPIC_BYTES 249

static void read_secret(struct reading *r, const char *name, const char *text)
{
	if (!text || !*text)
		return;
	if (!webhook_keys_add(&r->rules->webhook_keys, slice_str(text)))
		settings_refuse(r,
			"%s: must be %d to %d characters, or `whsec_` and the base64 of so many "
			"bytes",
			name, WEBHOOK_KEY_BYTES_MIN, WEBHOOK_KEY_BYTES_MAX);
}

/* ---- Where they go ----------------------------------------------------------------------------
 */

static void read_url(struct reading *r, const char *text)
{
	struct settings *s = r->settings;
	const char *why;
	s->events_url = settings_keep_text(r, "events_url", text);
	if (s->events_url.len == 0)
		return;
	if (!events_address_parse(s->events_url, &s->events_address, &why))
		settings_refuse(r, "events_url: %s", why);
	else if (s->events_address.kind == EVENTS_HTTP && (why = url_request_fault(s->events_url)))
		settings_refuse(r, "events_url: %s", why);
}

static void read_stream(struct reading *r, const struct app_options *options)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	struct settings *s = r->settings;
	bool kafka = s->events_address.kind == EVENTS_KAFKA;
	s->events_stream_max = options->events_stream_max;
	s->events_stream = settings_keep_text(r, "events_stream", options->events_stream);
	size_t len = s->events_stream.len;
	if ((s->events_address.kind == EVENTS_REDIS || kafka) && len == 0)
		settings_refuse(r, "events_stream: must be set");
	if (kafka &&
		(len > KAFKA_TOPIC_BYTES || strspn(s->events_stream.ptr, allowed) != len ||
			slice_eq(s->events_stream, S(".")) || slice_eq(s->events_stream, S(".."))))
		settings_refuse(r,
			"events_stream: a topic of Kafka has letters, digits, `.`, `_` "
			"and `-`, at most %d",
			KAFKA_TOPIC_BYTES);
	if (!kafka && options->events_kafka.len > 0)
		settings_refuse(r, "events_kafka_file: is for an events_url of Kafka");
}

static void read_password(struct reading *r, const struct app_options *options)
{
	struct settings *s = r->settings;
	s->events_user = settings_keep_text(r, "events_user", options->events_user);
	s->events_password = settings_keep(r, options->events_password);
	bool given = s->events_user.len > 0 || s->events_password.len > 0;
	if (given && s->events_address.kind != EVENTS_REDIS)
		settings_refuse(r, "events_user, events_password_file: are for an events_url of "
				   "Redis");
	if (s->events_user.len > 0 && s->events_password.len == 0)
		settings_refuse(r, "events_password_file: must be set for events_user");
}

/* What librdkafka does not know is refused when it is loaded (events/target_kafka.c). */
static void read_kafka(struct reading *r, const struct app_options *options)
{
	static const struct slice ours[] = {SLICE_LIT("bootstrap.servers"),
		SLICE_LIT("metadata.broker.list"), SLICE_LIT("acks"),
		SLICE_LIT("request.required.acks"), SLICE_LIT("enable.idempotence"),
		SLICE_LIT("message.timeout.ms"), SLICE_LIT("delivery.timeout.ms")};
	struct settings *s = r->settings;
	s->events_kafka = settings_keep(r, options->events_kafka);
	struct properties properties = {.rest = s->events_kafka};
	enum property_kind kind;
	while ((kind = properties_next(&properties)) != PROPERTY_NONE) {
		if (kind == PROPERTY_BAD)
			settings_refuse(r, "events_kafka_file: line %zu is not NAME=VALUE",
				properties.line);
		for (size_t i = 0; i < ARRAY_LEN(ours); i++)
			if (slice_eq(properties.name, ours[i]))
				settings_refuse(r,
					"events_kafka_file: line %zu: %.*s is set by "
					"postern",
					properties.line, SLICE_FMT(ours[i]));
	}
}

void settings_read_events(struct reading *r, const struct app_options *options)
{
	struct settings *s = r->settings;
	read_url(r, options->events_url);
	read_stream(r, options);
	read_password(r, options);
	read_kafka(r, options);
	s->events = options->events || s->events_url.len > 0;
	s->events_tries = options->events_tries;
	s->events_max_age_hours = options->events_max_age_hours;
	s->events_max = options->events_max;
	s->events_keep_days = options->events_keep_days;
}

void settings_read_webhook_keys(struct reading *r, const struct app_options *options)
{
	const struct webhook_keys *keys = &r->rules->webhook_keys;
	read_secret(r, "events_secret", options->events_secret);
	if (keys->count == 0 && r->settings->events_url.len > 0)
		settings_refuse(r, "events_secret: must be set, since events are signed");
	if (keys->count == 0 && options->events_secret_old && *options->events_secret_old)
		settings_refuse(r, "events_secret_old: is for a new events_secret, too");
	read_secret(r, "events_secret_old", options->events_secret_old);
}
