/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/rados_place.h"

#include "base/clock.h"
#include "cli/option.h"

static const char section[] = "rados";

/* Not given, if it is empty. */
static const char *given_for(const struct option *o)
{
	SCOPED_STRBUF(name, OPTION_VARIABLE_BYTES);
	const char *value = option_environment(o, &name);
	return value && *value ? value : NULL;
}

static const char *text_of(const char *name)
{
	const struct option *o = option_find(slice_str(section), slice_str(name));
	const char *value = given_for(o);
	return value ? value : o->fallback;
}

struct rados_place rados_place_default(void)
{
	return (struct rados_place){.config = text_of("config"),
		.id = text_of("id"),
		.space = text_of("namespace"),
		.index_pool = text_of("index_pool"),
		.small_pool = text_of("small_pool"),
		.data_pool = text_of("data_pool")};
}

/* Sets the numbers of the section; they own nothing. */
static bool read_numbers(struct config *config, struct strbuf *why)
{
	for (size_t i = 0; i < option_count; i++) {
		const struct option *o = &option_table[i];
		SCOPED_STRBUF(name, OPTION_VARIABLE_BYTES);
		if (o->kind != OPTION_NUMBER || strcmp(o->section, section) != 0)
			continue;
		const char *value = option_environment(o, &name);
		strbuf_clear(why);
		strbuf_addf(why, "environment %s: ", name.ptr);
		if (!option_set(config, o, value && *value ? value : o->fallback, why))
			return false;
	}
	return true;
}

bool rados_place_options(
	const struct rados_place *place, struct rados_options *ret, struct strbuf *why)
{
	struct config config = {.server_data = NULL};
	if (!read_numbers(&config, why))
		return false;
	*ret = rados_options_of(&config);
	ret->config = place->config;
	ret->id = place->id;
	ret->space = place->space;
	ret->index_pool = place->index_pool;
	ret->small_pool = place->small_pool;
	ret->data_pool = place->data_pool;
	return true;
}

struct rados_options rados_options_of(const struct config *c)
{
	return (struct rados_options){
		.clock = &clock_system,
		.config = c->rados_config,
		.id = c->rados_id,
		.space = c->rados_namespace,
		.index_pool = c->rados_index_pool,
		.small_pool = c->rados_small_pool,
		.data_pool = c->rados_data_pool,
		.timeout_s = (unsigned)c->rados_operation_seconds,
		.beat_ms = (unsigned)c->rados_beat_ms,
		.dead_beats = (unsigned)c->rados_dead_beats,
		.frozen_ms = (unsigned)c->rados_lease_ms,
		.epoch_ms = (unsigned)c->rados_epoch_ms,
		.collect_ms = (unsigned)c->rados_collect_ms,
		.split = (uint64_t)c->rados_split_objects,
	};
}
