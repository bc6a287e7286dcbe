/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/copy.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "cli/command_line.h"
#include "cli/copy_place.h"
#include "cli/progress.h"
#include "cli/rados_place.h"
#include "copy/copy.h"
#include "store/local/local.h"

enum {
	DONE = 0,
	FAULT = 1,
	USAGE = 2,
	FINDINGS = 3,
	KEY_TEXT_BYTES = 5 * 1024,
	OF_BYTES = 128,
	WHY_BYTES_MAX = 512,
	VERSION_WEIGHT = 16 << 10, /* of the bar: a version takes as long as so many bytes */
};

struct copy_flags {
	const char *from, *to;
	struct rados_place rados; /* without a namespace, which is part of a STORE */
	bool verify, damaged;
};

#define AT(member) offsetof(struct copy_flags, member)
static const struct flag flags[] = {
	{"from", "STORE", AT(from), "the source: local:FOLDER, or rados:NAMESPACE"},
	{"to", "STORE", AT(to), "the target, likewise"},
	{"verify", NULL, AT(verify), "read all bytes of the target again in the end"},
	{"damaged", NULL, AT(damaged),
		"a folder that was filled can be used though something could\nnot be copied"},
	RADOS_PLACE_FLAGS(struct copy_flags),
	RADOS_PLACE_DATA_FLAGS(struct copy_flags),
};

static const struct command_line command_line = {
	.command = "copy",
	.before =
		"Usage: postern copy --from STORE --to STORE [--verify] [--damaged]\n"
		"\n"
		"Copies all that one store has into another one. STORE is local:FOLDER, a data "
		"folder, or\n"
		"rados:NAMESPACE, a store on Ceph (rados: is the one in the default namespace). "
		"Buckets come\n"
		"with their settings, objects with all versions and delete markers, their version "
		"ids,\n"
		"times, ETags, headers, tags and ACLs; and the access keys, and the keys of STS "
		"and\n"
		"callbacks, if the target has none. Multipart uploads that are not complete are "
		"not\n"
		"copied. Postern must be stopped, in front of both stores. A folder that is "
		"filled must be\n"
		"empty, or not there. What was broken off goes on with the same command. In the "
		"end both\n"
		"stores are compared.\n",
	.flags = flags,
	.flag_count = ARRAY_LEN(flags),
	.after = "The environment's POSTERN_RADOS_CONFIG, _ID, _INDEX_POOL, _SMALL_POOL and "
		 "_DATA_POOL are\n"
		 "the defaults of the options of that name.\n"
		 "\n" RADOS_PLACE_TIMES_HELP "\n"
		 "Exit status: 0 done, 1 a fault, or broken off: the same command goes on, 2 the "
		 "command is\n"
		 "at fault, 3 done, but something is damaged, or differs.\n",
};

static volatile sig_atomic_t is_ended;

static void end(int signal_number UNUSED)
{
	is_ended = 1;
}

struct run {
	struct progress progress;
	char of[COPY_COMPARES + 1][OF_BYTES]; /* of each phase */
};

/* ---- Telling --------------------------------------------------------------------------------- */

static bool show_progress(const struct copy_progress *now, void *ctx)
{
	static const char *const what[] = {[COPY_COPIES] = "copied", [COPY_COMPARES] = "compared"};
	struct run *run = ctx;
	char *of = run->of[now->phase];
	if (now->phase == COPY_BEGINS)
		return !is_ended;
	if (!of[0])
		(void)snprintf(of, OF_BYTES, "%" PRIu64 " versions, %" PRIu64 " bytes %s",
			now->versions_all, now->bytes_all, what[now->phase]);
	progress_show(&run->progress, of, now->versions * VERSION_WEIGHT + now->bytes,
		now->versions_all * VERSION_WEIGHT + now->bytes_all);
	return !is_ended;
}

static void found(const struct copy_finding *finding, void *ctx)
{
	struct run *run = ctx;
	char key[KEY_TEXT_BYTES];
	progress_leave(&run->progress);
	printf("bucket=%.*s ", SLICE_FMT(finding->bucket));
	if (finding->key.len)
		printf("key=%s ", log_quoted(finding->key, key, sizeof(key)));
	if (finding->version[0])
		printf("version=%s ", finding->version);
	printf(": %s\n", finding->what);
	(void)fflush(stdout);
}

static void print_sum(const struct copy_result *result)
{
	printf("copied: %" PRIu64 " versions, %" PRIu64 " bytes; %" PRIu64
	       " versions were there already\n",
		result->versions, result->bytes, result->there);
	printf("compared: %" PRIu64 " buckets, %" PRIu64 " versions are the same in both\n",
		result->buckets, result->same);
	if (result->uploads)
		printf("not copied: %" PRIu64 " multipart uploads that are not complete\n",
			result->uploads);
	printf("findings: %" PRIu64 "\n", result->findings);
}

/* ---- Copying --------------------------------------------------------------------------------- */

static enum err copy_stores(const struct copy_place *from, const struct copy_place *to,
	const struct copy_flags *given, struct copy_result *ret)
{
	struct run run = {.of = {""}};
	struct copy_options options = {
		.verifies = given->verify, .found = found, .progress = show_progress, .ctx = &run};
	*ret = (struct copy_result){.buckets = 0};
	progress_init(&run.progress);
	enum err e = copy_place_open(from, &options.from);
	if (e == ERR_OK)
		e = copy_place_open_target(to, from, &options.to);
	if (e == ERR_OK)
		e = copy_run(&options, ret);
	progress_leave(&run.progress);
	store_close(options.to);
	store_close(options.from);
	return e;
}

/* A folder is nobody's until it has all. */
static int finish(const struct copy_place *to, const struct copy_flags *given, uint64_t findings)
{
	if (!to->folder)
		return findings ? FINDINGS : DONE;
	if (findings && !given->damaged) {
		printf("%s cannot be used yet: the same command tries again what is missing; with "
		       "--damaged it is left out\n",
			to->folder);
		return FINDINGS;
	}
	if (local_end_copy(to->folder) != ERR_OK)
		return FAULT;
	return findings ? FINDINGS : DONE;
}

static int copy(
	const struct copy_place *from, const struct copy_place *to, const struct copy_flags *given)
{
	struct copy_result result;
	enum err e = copy_stores(from, to, given, &result);
	if (e == ERR_OK)
		e = copy_place_documents(from, to);
	if (e == ERR_OK) {
		print_sum(&result);
		return finish(to, given, result.findings);
	}
	fprintf(stderr, "postern copy: it was broken off%s\n",
		result.buckets ? "; the same command goes on where it was" : "");
	return FAULT;
}

/* ---- The command line ------------------------------------------------------------------------ */

static int usage(const char *problem)
{
	command_line_complain(&command_line, problem);
	return USAGE;
}

int cli_copy(int argc, char **argv)
{
	struct copy_flags given = {.rados = rados_place_default()};
	struct rados_options rados;
	struct copy_place from;
	struct copy_place to;
	int rest;
	int status;
	if (!command_line_begin(&command_line, argc, argv, &given, &rest, &status))
		return status;
	if (rest != argc)
		return usage("it takes no argument");
	if (!given.from || !given.to)
		return usage("say where --from and where --to");
	SCOPED_STRBUF(why, WHY_BYTES_MAX);
	if (!rados_place_options(&given.rados, &rados, &why))
		return usage(why.ptr);
	if (!copy_place_parse(given.from, &rados, &from) ||
		!copy_place_parse(given.to, &rados, &to))
		return usage("a store is local:FOLDER, or rados:NAMESPACE");
	if (strcmp(given.from, given.to) == 0)
		return usage("--from and --to are the same store");
	const struct sigaction ended = {.sa_handler = end};
	(void)sigaction(SIGINT, &ended, NULL);
	(void)sigaction(SIGTERM, &ended, NULL);
	return copy(&from, &to, &given);
}
