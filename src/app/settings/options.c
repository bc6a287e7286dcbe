/* SPDX-License-Identifier: Apache-2.0 */
#include "app/settings/options.h"

#include "base/limits.h"

struct app_options app_options_default(void)
{
	return (struct app_options){
#define TEXT(section, name, when, fallback, help) .name = fallback,
#define WORD(section, name, when, fallback, words, help) .name = fallback,
#define NUMBER(section, name, when, fallback, min, max, help) .name = fallback,
#define EITHER(section, name, when, fallback, other, help) .name = fallback,
#define FLAG(section, name, when, fallback, help) .name = fallback,
#include "app/settings/options.def"
	};
}
