/* SPDX-License-Identifier: Apache-2.0 */
/* After SIGHUP: which options are taken while the process runs, and which stay as they were. */
#include "app/app.h"
#include "base/limits.h"
#include "cli/option.h"

static bool is_taken(const struct option *o, const struct config *running)
{
	/* The source that reads these files itself has their names from the start. */
	bool is_file = o->offset == offsetof(struct config, app_access_key_secret_file) ||
		       o->offset == offsetof(struct config, app_security_token_file);
	return o->when == OPTION_LIVE &&
	       !(is_file && running->app_credentials == APP_CREDENTIALS_FILE);
}

static size_t size_of(const struct option *o)
{
	switch (o->kind) {
	case OPTION_WORD:
		return sizeof(int);
	case OPTION_NUMBER:
	case OPTION_EITHER:
		return sizeof(int64_t);
	case OPTION_FLAG:
		return sizeof(bool);
	case OPTION_TEXT:
	case OPTION_PATH:
	case OPTION_SECRET:
		break;
	}
	return sizeof(char *);
}

static const char *text_of(const struct config *config, const struct option *o)
{
	const char *text;
	memcpy(&text, (const char *)config + o->offset, sizeof(text));
	return text;
}

static bool is_same(const struct option *o, const struct config *a, const struct config *b)
{
	if (option_has_text(o))
		return strcmp(text_of(a, o), text_of(b, o)) == 0;
	return memcmp((const char *)a + o->offset, (const char *)b + o->offset, size_of(o)) == 0;
}

void config_changes(const struct config *running, const struct config *fresh, struct strbuf *out)
{
	for (size_t i = 0; i < option_count; i++) {
		const struct option *o = &option_table[i];
		if (!is_taken(o, running) && !is_same(o, running, fresh))
			strbuf_addf(
				out, "%s[%s] %s", out->len > 0 ? ", " : "", o->section, o->name);
	}
}

bool config_keep(struct config *fresh, const struct config *running)
{
	SCOPED_STRBUF(why, 512);
	for (size_t i = 0; i < option_count; i++) {
		const struct option *o = &option_table[i];
		if (is_taken(o, running))
			continue;
		if (!option_has_text(o))
			memcpy((char *)fresh + o->offset, (const char *)running + o->offset,
				size_of(o));
		else if (!option_set(fresh, o, text_of(running, o), &why))
			return false;
	}
	fresh->console_listen_given = running->console_listen_given;
	fresh->server_data_given = running->server_data_given;
	fresh->app_region_given = running->app_region_given;
	return true;
}
