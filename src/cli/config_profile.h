/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sections [profile NAME] of the configuration, of which there can be several: they are in the
 * file only, and their options are text (app/settings/profile.def).
 */
#ifndef CLI_CONFIG_PROFILE_H
#define CLI_CONFIG_PROFILE_H

#include "base/strbuf.h"
#include "cli/config.h"

/* Makes the profile of that section, whose name begins with "profile ", unless it is there. Appends
 * what is wrong to `why`. */
bool config_profile_begin(struct config *config, const char *section, struct strbuf *why) MUST_USE;
/* Sets an option of such a section. Appends what is wrong to `why`. */
bool config_profile_set(struct config *config, const char *section, const char *name,
	const char *value, struct strbuf *why) MUST_USE;
void config_profiles_release(struct config *config);

/* The options there are: for each of them, `print` is given its name and its help. */
void config_profile_each(void (*print)(const char *name, const char *help));

#endif
