/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/config_profile.h"

#include <stdlib.h>

#include "app/app.h"
#include "base/limits.h"

struct profile_option {
	const char *name;
	size_t offset; /* in struct app_profile_options */
	const char *help;
};

static const struct profile_option profile_options[] = {
#define PROFILE(name, help) {#name, offsetof(struct app_profile_options, name), help},
#include "app/settings/profile.def"
#undef PROFILE
};

static const char **text_at(struct app_profile_options *profile, const struct profile_option *o)
{
	return (const char **)(void *)((char *)profile + o->offset);
}

/* The profile of that name, a new one if there is none; NULL: there are too many, or no memory. */
static struct app_profile_options *profile_of_name(struct config *config, const char *name)
{
	for (size_t i = 0; i < config->profile_count; i++)
		if (strcmp(config->profiles[i].name, name) == 0)
			return &config->profiles[i];
	if (!config->profiles)
		config->profiles = calloc(LIMIT_PROFILES, sizeof(*config->profiles));
	if (!config->profiles || config->profile_count == LIMIT_PROFILES)
		return NULL;
	struct app_profile_options *profile = &config->profiles[config->profile_count];
	profile->name = strdup(name);
	config->profile_count += profile->name != NULL;
	return profile->name ? profile : NULL;
}

static struct app_profile_options *profile_of(
	struct config *config, const char *section, struct strbuf *why)
{
	struct slice name = slice_trim(slice_from(slice_str(section), strlen("profile")));
	struct app_profile_options *profile = profile_of_name(config, name.len > 0 ? name.ptr : "");
	if (!profile)
		strbuf_addf(why, "there are more than %d sections [profile NAME]", LIMIT_PROFILES);
	return profile;
}

bool config_profile_begin(struct config *config, const char *section, struct strbuf *why)
{
	return profile_of(config, section, why) != NULL;
}

bool config_profile_set(struct config *config, const char *section, const char *name,
	const char *value, struct strbuf *why)
{
	struct app_profile_options *profile = profile_of(config, section, why);
	if (!profile)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(profile_options); i++) {
		const struct profile_option *o = &profile_options[i];
		if (strcmp(o->name, name) != 0)
			continue;
		const char **at = text_at(profile, o);
		free((void *)(uintptr_t)*at);
		*at = strdup(value);
		return *at != NULL;
	}
	strbuf_adds(why, "there is no such option of a profile; `postern help` lists them");
	return false;
}

void config_profiles_release(struct config *config)
{
	for (size_t i = 0; i < config->profile_count; i++) {
		struct app_profile_options *profile = &config->profiles[i];
		for (size_t o = 0; o < ARRAY_LEN(profile_options); o++)
			free((void *)(uintptr_t)*text_at(profile, &profile_options[o]));
		free((void *)(uintptr_t)profile->name);
	}
	free(TAKE(config->profiles));
	config->profile_count = 0;
}

void config_profile_each(void (*print)(const char *name, const char *help))
{
	for (size_t i = 0; i < ARRAY_LEN(profile_options); i++)
		print(profile_options[i].name, profile_options[i].help);
}
