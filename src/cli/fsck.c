/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/fsck.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "cli/command_line.h"
#include "cli/progress.h"
#include "oss/text/json_text.h"
#include "store/local/fsck/fsck.h"
#include "store/local/repair/repair.h"

enum {
	CLEAN = 0,
	FINDINGS = 1,
	FAULT = 2, /* the command is at fault, too */
	KEY_TEXT_BYTES = 5 * 1024,
};

struct fsck_flags {
	const char *data;
	const char *temp;
	bool json;
	bool repair;
};

static const struct flag flags[] = {
	{"data", "FOLDER", offsetof(struct fsck_flags, data),
		"default: the environment's POSTERN_SERVER_DATA, or\n./postern-data"},
	{"temp", "FOLDER", offsetof(struct fsck_flags, temp),
		"where an index is made anew and removed again; it needs as\nmuch space as the "
		"index. Default: the environment's TMPDIR, or\n/var/tmp"},
	{"json", NULL, offsetof(struct fsck_flags, json), "print one JSON object a line"},
	{"repair", NULL, offsetof(struct fsck_flags, repair),
		"move what is damaged to the folder `damaged`, and list what\nwas lost; the index "
		"is "
		"made anew if it is damaged"},
};

static const struct command_line command_line = {
	.command = "fsck",
	.before = "Usage: postern fsck [--data FOLDER] [--temp FOLDER] [--json]\n"
		  "       postern fsck --repair [--data FOLDER] [--json]\n"
		  "\n"
		  "Checks all of a data folder: that each object, version and part has its bytes, "
		  "that the\n"
		  "log and all files are accounted for, and that the log gives the index. Each "
		  "finding\n"
		  "is one line. Nothing in the folder is changed, but with --repair, for which "
		  "postern must be\n"
		  "stopped. While postern runs all is checked as of one position of the log.\n",
	.flags = flags,
	.flag_count = ARRAY_LEN(flags),
	.after = "Exit status: 0 nothing was found (or lost), 1 something was, 2 it could not be "
		 "done.\n",
};

static volatile sig_atomic_t is_ended;

static void end(int signal_number UNUSED)
{
	is_ended = 1;
}

struct run {
	struct progress progress;
	bool json;
};

static const char bytes_text[] = "the bytes";

static bool show_progress(uint64_t done, uint64_t total, void *ctx)
{
	struct run *run = ctx;
	progress_show(&run->progress, bytes_text, done, total);
	return !is_ended;
}

/* ---- Findings -------------------------------------------------------------------------------- */

static void print_text(const struct fsck_finding *finding)
{
	char key[KEY_TEXT_BYTES];
	if (finding->bucket.len)
		printf("bucket=%.*s ", SLICE_FMT(finding->bucket));
	if (finding->key.len)
		printf("key=%s ", log_quoted(finding->key, key, sizeof(key)));
	if (finding->version[0])
		printf("version=%s ", finding->version);
	if (finding->part)
		printf("part=%" PRIu64 " ", finding->part);
	if (finding->file[0])
		printf("file=%s ", finding->file);
	if (finding->offset != FSCK_NOWHERE)
		printf("offset=%" PRIu64 " ", finding->offset);
	printf(": %s\n", finding->what);
}

static void print_json(const struct fsck_finding *finding)
{
	SCOPED_STRBUF(line, 64 << 10);
	strbuf_adds(&line, "{");
	json_member_string(&line, "finding", slice_str(finding->what));
	if (finding->bucket.len)
		json_member_string(&line, "bucket", finding->bucket);
	if (finding->key.len)
		json_member_string(&line, "key", finding->key);
	if (finding->version[0])
		json_member_string(&line, "version", slice_str(finding->version));
	if (finding->part)
		json_member_number(&line, "part", (int64_t)finding->part);
	if (finding->file[0])
		json_member_string(&line, "file", slice_str(finding->file));
	if (finding->offset != FSCK_NOWHERE)
		json_member_number(&line, "offset", (int64_t)finding->offset);
	strbuf_adds(&line, "}\n");
	if (!strbuf_broken(&line))
		(void)fwrite(line.ptr, 1, line.len, stdout);
}

static void found(const struct fsck_finding *finding, void *ctx)
{
	struct run *run = ctx;
	progress_leave(&run->progress);
	if (run->json)
		print_json(finding);
	else
		print_text(finding);
	(void)fflush(stdout);
}

/* ---- The sum --------------------------------------------------------------------------------- */

static void print_sum(const struct fsck_result *result)
{
	printf("checked: %" PRIu64 " objects, %" PRIu64 " older versions and markers, %" PRIu64
	       " uploads, %" PRIu64 " parts: %" PRIu64 " bytes; %" PRIu64 " records of the log\n",
		result->objects, result->versions, result->uploads, result->parts, result->bytes,
		result->records);
	printf("garbage: %" PRIu64 " bytes of the log, %" PRIu64 " files\n", result->garbage_bytes,
		result->garbage_files);
	if (result->unchecked_ranges)
		printf("%" PRIu64 " large files have no sums of their blocks: a range of them "
		       "cannot be checked when it is read\n",
			result->unchecked_ranges);
	if (result->tail_bytes)
		printf("%" PRIu64 " bytes behind the end of the log are of a change that was cut "
		       "off\n",
			result->tail_bytes);
	if (result->is_in_use)
		printf("the folder is in use: checked as of segment %016" PRIx64 " offset %" PRIu64
		       "\n",
			result->segment, result->offset);
	if (!result->is_compared)
		printf("the index was not compared with the log\n");
	printf("findings: %" PRIu64 "\n", result->findings);
}

static void print_json_sum(const struct fsck_result *result)
{
	SCOPED_STRBUF(line, 4 << 10);
	strbuf_adds(&line, "{");
	json_member_number(&line, "findings", (int64_t)result->findings);
	json_member_number(&line, "objects", (int64_t)result->objects);
	json_member_number(&line, "versions", (int64_t)result->versions);
	json_member_number(&line, "uploads", (int64_t)result->uploads);
	json_member_number(&line, "parts", (int64_t)result->parts);
	json_member_number(&line, "bytes", (int64_t)result->bytes);
	json_member_number(&line, "records", (int64_t)result->records);
	json_member_number(&line, "unchecked_ranges", (int64_t)result->unchecked_ranges);
	json_member_number(&line, "garbage_bytes", (int64_t)result->garbage_bytes);
	json_member_number(&line, "garbage_files", (int64_t)result->garbage_files);
	json_member_number(&line, "tail_bytes", (int64_t)result->tail_bytes);
	json_member_bool(&line, "compared", result->is_compared);
	json_member_bool(&line, "in_use", result->is_in_use);
	strbuf_adds(&line, "}\n");
	if (!strbuf_broken(&line))
		(void)fwrite(line.ptr, 1, line.len, stdout);
}

/* ---- Repairing ------------------------------------------------------------------------------- */

static void print_repaired(const struct repair_result *result)
{
	if (result->made_index)
		printf("the index was made from the log; the old one is in the folder damaged\n");
	if (result->unknown)
		printf("places of the log that cannot be read: %" PRIu64
		       "; what they said is not known, for the index was damaged too\n",
			result->unknown);
	if (result->segments)
		printf("damaged segments of the log moved aside: %" PRIu64 "\n", result->segments);
	if (result->kept)
		printf("damaged segments of the log that stay: %" PRIu64 "\n", result->kept);
	printf("lost: %" PRIu64 "\n", result->lost);
}

static void print_json_repaired(const struct repair_result *result)
{
	SCOPED_STRBUF(line, 4 << 10);
	strbuf_adds(&line, "{");
	json_member_number(&line, "lost", (int64_t)result->lost);
	json_member_number(&line, "unknown", (int64_t)result->unknown);
	json_member_number(&line, "segments", (int64_t)result->segments);
	json_member_number(&line, "segments_kept", (int64_t)result->kept);
	json_member_bool(&line, "made_index", result->made_index);
	strbuf_adds(&line, "}\n");
	if (!strbuf_broken(&line))
		(void)fwrite(line.ptr, 1, line.len, stdout);
}

static int mend(const struct fsck_flags *given)
{
	struct run run = {.json = given->json};
	struct repair_result result;
	progress_init(&run.progress);
	enum err e = repair(
		&(struct repair_options){
			.path = given->data, .progress = show_progress, .lost = found, .ctx = &run},
		&result);
	if (e == ERR_OK)
		progress_show(&run.progress, bytes_text, 1, 1);
	progress_leave(&run.progress);
	if (e != ERR_OK) {
		fprintf(stderr, "postern fsck: %s was not repaired to the end; run it again\n",
			given->data);
		return FAULT;
	}
	if (given->json)
		print_json_repaired(&result);
	else
		print_repaired(&result);
	return result.lost || result.unknown ? FINDINGS : CLEAN;
}

/* ---- Checking -------------------------------------------------------------------------------- */

static int check(const struct fsck_flags *given)
{
	struct run run = {.json = given->json};
	struct fsck_result result;
	const struct fsck_options options = {.path = given->data,
		.temp = given->temp,
		.progress = show_progress,
		.found = found,
		.ctx = &run};
	progress_init(&run.progress);
	enum err e = fsck(&options, &result);
	if (e == ERR_OK)
		progress_show(&run.progress, bytes_text, 1, 1);
	progress_leave(&run.progress);
	if (e != ERR_OK) {
		fprintf(stderr, "postern fsck: %s was not checked to the end\n", given->data);
		return FAULT;
	}
	if (given->json)
		print_json_sum(&result);
	else
		print_sum(&result);
	return result.findings ? FINDINGS : CLEAN;
}

int cli_fsck(int argc, char **argv)
{
	const char *data = getenv("POSTERN_SERVER_DATA");
	const char *temp = getenv("TMPDIR");
	struct fsck_flags given = {.data = data && data[0] ? data : "postern-data",
		.temp = temp && temp[0] ? temp : "/var/tmp"};
	int rest;
	int status;
	if (!command_line_begin(&command_line, argc, argv, &given, &rest, &status))
		return status;
	if (rest != argc) {
		command_line_complain(&command_line, "it takes no argument");
		return FAULT;
	}
	const struct sigaction ended = {.sa_handler = end};
	(void)sigaction(SIGINT, &ended, NULL);
	(void)sigaction(SIGTERM, &ended, NULL);
	return given.repair ? mend(&given) : check(&given);
}
