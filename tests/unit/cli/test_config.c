/* SPDX-License-Identifier: Apache-2.0 */
/* Options: defaults, each kind, short names, and what is refused. */
#include "cli/config.h"

#include <stdio.h>
#include <string.h>

#include "app/app.h"
#include "base/log.h"
#include "tap.h"

#define LONG "a long text"

enum {
	WORDS = 12
};

/* Reads the options. */
static enum config_result read_options(const char *const *words, struct config *ret)
{
	char copies[WORDS + 1][640] = {""};
	char *argv[WORDS + 2] = {copies[0]};
	char *rest[1];
	int argc = 1, count;
	(void)snprintf(copies[0], sizeof(copies[0]), "serve");
	for (; argc <= WORDS && words[argc - 1]; argc++) {
		if (strcmp(words[argc - 1], LONG) == 0)
			memset(copies[argc], 'x', sizeof(copies[argc]) - 1);
		else
			(void)snprintf(copies[argc], sizeof(copies[argc]), "%s", words[argc - 1]);
		argv[argc] = copies[argc];
	}
	SCOPED_STRBUF(why, CONFIG_WHY_MAX);
	enum config_result result = config_read(argc, argv, ret, rest, 1, &count, &why);
	OK((why.len > 0) == (result == CONFIG_BAD) && !slice_ends(strbuf_slice(&why), S(": ")),
		"it says why, or nothing");
	return result;
}

static void defaults(void)
{
	struct config c;
	const struct app_options app = app_options_default();
	OK(read_options((const char *const[]){NULL}, &c) == CONFIG_OK, "no options");
	OK(strcmp(c.server_data, "./postern-data") == 0 && !c.server_data_given &&
			!c.server_ephemeral && !c.console_listen_given,
		"those of the server");
	OK(c.server_log_level == LOG_INFO, "a word is a constant");
	OK(c.app_auth == APP_AUTH_NONE && c.app_confirm == APP_CONFIRM_AUTO, "two others");
#define TEXT(section, name, when, fallback, help) \
	OK(strcmp(app.name, c.section##_##name) == 0, "the same for the application: " #name);
#define WORD(section, name, when, fallback, words, help) \
	OK((int)app.name == c.section##_##name, "the same: " #name);
#define NUMBER(section, name, when, fallback, min, max, help) \
	OK(app.name == c.section##_##name, "the same: " #name);
#define EITHER(section, name, when, fallback, other, help) \
	OK(app.name == c.section##_##name, "the same: " #name);
#define FLAG(section, name, when, fallback, help) \
	OK(app.name == c.section##_##name, "the same: " #name);
#include "app/settings/options.def"
	config_release(&c);
}

static void given(void)
{
	struct config c;
	OK(read_options((const char *const[]){"--data", "x", "--ephemeral",
				"--server-log-level=debug", "--app-auth", "forward", NULL},
		   &c) == CONFIG_OK,
		"options");
	OK(strcmp(c.server_data, "x") == 0 && c.server_data_given, "a short name");
	OK(c.server_ephemeral, "one without a value");
	OK(c.server_log_level == LOG_DEBUG, "the last of the words");
	OK(c.app_auth == APP_AUTH_FORWARD, "another");
	config_release(&c);
	OK(read_options((const char *const[]){"--server-ephemeral", "false", "--data=y",
				"--console-listen", "a:1", NULL},
		   &c) == CONFIG_OK,
		"by their whole names");
	OK(!c.server_ephemeral && strcmp(c.server_data, "y") == 0 && c.console_listen_given,
		"these have a value");
	config_release(&c);
	OK(read_options((const char *const[]){"--app-listen", ":65535", "--store-listen=[::1]:0",
				"--console-listen", "none", NULL},
		   &c) == CONFIG_OK,
		"what can be listened on");
	config_release(&c);
}

static void refused(void)
{
	static const char *const rows[][3] = {{"--app-auth", "jw"}, {"--app-auth", "jwt forward"},
		{"--app-auth", ""}, {"--server-log-level", "2"}, {"--ephemeral=maybe"},
		{"--app-signature-version", "2"}, {"--app-max-size", "-1"}, {"--app-auth"},
		{"--app-listen-x", "a"}, {"--log-level", "info"},
		{"--app-listen", "127.0.0.1:99999"}, {"--app-listen", "127.0.0.1:65536"},
		{"--app-listen", "127.0.0.1"}, {"--app-listen", "127.0.0.1:"},
		{"--app-listen", ":foo"}, {"--app-listen", ":-1"}, {"--app-listen", ":+1"},
		{"--app-listen", "none"}, {"--app-listen", ""}, {"--store-listen", ":99999"},
		{"--store-listen", "none"}, {"--console-listen", "[::1]:99999"},
		{"--console-listen", "[::1]"}, {"--app-max-size", LONG}, {"--app-auth", LONG},
		{"--app-listen", LONG}, {"--app-events", LONG}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct config c;
		OK(read_options(rows[i], &c) == CONFIG_BAD, "row %zu", i);
		config_release(&c);
	}
}

static void after_a_signal(void)
{
	struct config running, fresh;
	SCOPED_STRBUF(changes, 4096);
	OK(read_options((const char *const[]){"--app-max-size=1", "--app-region", "a",
				"--app-access-key-secret-file", "one", NULL},
		   &running) == CONFIG_OK &&
			read_options((const char *const[]){"--app-max-size=2", "--app-grants-max=3",
					     "--app-auth=jwt", "--app-events", "true",
					     "--app-credentials=file", "--server-data", "x",
					     "--app-access-key-secret-file", "two", NULL},
				&fresh) == CONFIG_OK,
		"two configurations");
	config_changes(&running, &running, &changes);
	IS_INT(changes.len, 0, "one is as itself");
	config_changes(&running, &fresh, &changes);
	IS(strbuf_slice(&changes),
		S("[server] data, [app] credentials, [app] region, [app] grants_max, [app] events"),
		"what is not taken is named");
	OK(config_keep(&fresh, &running), "it is kept");
	OK(fresh.app_max_size == 2 && fresh.app_auth == APP_AUTH_JWT &&
			strcmp(fresh.app_access_key_secret_file, "two") == 0,
		"what is taken is there");
	OK(fresh.app_grants_max == running.app_grants_max && !fresh.app_events &&
			fresh.app_credentials == APP_CREDENTIALS_FIXED &&
			strcmp(fresh.app_region, "a") == 0 && fresh.app_region_given &&
			!fresh.server_data_given,
		"all else is as it was");
	strbuf_clear(&changes);
	config_changes(&running, &fresh, &changes);
	IS_INT(changes.len, 0, "and nothing is left");
	running.app_credentials = APP_CREDENTIALS_FILE;
	fresh.app_credentials = APP_CREDENTIALS_FILE;
	config_changes(&running, &fresh, &changes);
	IS(strbuf_slice(&changes), S("[app] access_key_secret_file"),
		"of keys in files the names are not taken");
	config_release(&running);
	config_release(&fresh);
}

int main(void)
{
	defaults();
	given();
	refused();
	after_a_signal();
	return tap_done();
}
