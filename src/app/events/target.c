/* SPDX-License-Identifier: Apache-2.0 */
#include "app/events/target.h"

#include <stdio.h>

enum err target_new(const struct settings *settings, struct outgoing *outgoing, struct target **ret,
	char *why, size_t why_size)
{
	switch (settings->events_address.kind) {
	case EVENTS_HTTP:
		return target_http_new(settings, outgoing, ret);
	case EVENTS_REDIS:
		return target_redis_new(settings, ret, why, why_size);
	case EVENTS_KAFKA:
		return target_kafka_new(settings, ret, why, why_size);
	case EVENTS_NOWHERE:
		break;
	}
	return ERR_INTERNAL;
}

void target_free(struct target *target)
{
	if (target)
		target->kind->free(target);
}

void target_end(struct target_delivery *delivery, enum target_result result, const char *fault)
{
	delivery->result = result;
	(void)snprintf(delivery->fault, sizeof(delivery->fault), "%s", fault);
	for (char *c = delivery->fault; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	executor_post(delivery->home, &delivery->done);
}

size_t target_fields(
	const struct target_delivery *delivery, struct target_field ret[TARGET_FIELDS_MAX])
{
	const struct webhook_headers *headers = delivery->headers;
	const struct slice lines[TARGET_FIELDS_MAX] = {strbuf_slice(&headers->id),
		strbuf_slice(&headers->timestamp), strbuf_slice(&headers->signature),
		slice_str(delivery->trace)};
	size_t count = delivery->trace[0] ? TARGET_FIELDS_MAX : WEBHOOK_HEADERS;
	for (size_t i = 0; i < count; i++) {
		ret[i].value = lines[i];
		(void)slice_cut(&ret[i].value, ':', &ret[i].name);
		ret[i].value = slice_trim(ret[i].value);
	}
	return count;
}
