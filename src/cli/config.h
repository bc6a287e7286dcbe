/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration: options.def filled from its defaults, a file, the environment and the command
 * line. Read at the start and constant afterwards; SIGHUP has another one read.
 */
#ifndef CLI_CONFIG_H
#define CLI_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

struct app_profile_options;
struct strbuf;

/* [store] signature_versions, in the order of its words. */
enum signatures {
	SIGNATURES_ALL,
	SIGNATURES_V4,
};

/* [server] sandbox, likewise. */
enum sandbox_option {
	SANDBOX_OFF,
	SANDBOX_ON,
};

/* [store] backend, likewise. */
enum backend_option {
	BACKEND_LOCAL,
	BACKEND_RADOS,
};

struct config {
#define TEXT(section, name, when, fallback, help) char *section##_##name;
#define SECRET(section, name, when, help) char *section##_##name;
#define PATH(section, name, when, help) char *section##_##name;
#define WORD(section, name, when, fallback, words, help) int section##_##name;
#define NUMBER(section, name, when, fallback, min, max, help) int64_t section##_##name;
#define EITHER(section, name, when, fallback, other, help) int64_t section##_##name;
#define FLAG(section, name, when, fallback, help) bool section##_##name;
#define SHORT(section, name)
#include "cli/options.def"
	bool console_listen_given; /* not just the default */
	bool server_data_given;    /* not just the default */
	bool app_region_given;     /* not just the default */
	/* The sections [profile NAME], which are in the file only; owned, with their texts. */
	struct app_profile_options *profiles;
	size_t profile_count;
};

#define CONFIG_WHY_MAX KIB(8) /* of a sentence, with the name of a file */

enum config_result {
	CONFIG_OK,
	CONFIG_BAD,  /* *ret_why says why; the exit status is 2 */
	CONFIG_HELP, /* --help was there */
};

/* The value of --config; NULL: there is none. */
const char *config_find_file(int argc, char **argv);

/*
 * argv[0] is the command. What is no option goes to ret_rest (room for `rest_max`), counted by
 * *ret_rest_count; more than that is an error. *ret must be freed by config_release(), also after
 * a failure.
 */
enum config_result config_read(int argc, char **argv, struct config *ret, char **ret_rest,
	int rest_max, int *ret_rest_count, struct strbuf *ret_why) MUST_USE;
void config_release(struct config *config);

/* The options that have a short name, on standard output. */
void config_print_short(void);
/* The options, with defaults and help, on standard output. */
void config_print_help(void);
/* The same as the reference page docs/configuration.md. */
void config_print_reference(void);
/* Every option as it is, to the log at level debug; secrets are left out. */
void config_log(const struct config *config);

/* ---- After SIGHUP (config_reload.c) ---- */

/*
 * Appends the names of those options, `[section] name, ...`, that are others than they were and are
 * not taken while the process runs.
 */
void config_changes(const struct config *running, const struct config *fresh, struct strbuf *out);
/*
 * Gives all options that are not taken the values that they have in `running`: `fresh` is what is
 * in force then. False without memory.
 */
bool config_keep(struct config *fresh, const struct config *running) MUST_USE;

#endif
