/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/fsck.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "cli/command_line.h"
#include "cli/fsck_ceph.h"
#include "cli/progress.h"
#include "cli/rados_place.h"
#include "oss/text/json_text.h"
#include "store/local/fsck/fsck.h"
#include "store/local/repair/repair.h"

enum {
	KEY_TEXT_BYTES = 5 * 1024,
	WHY_BYTES_MAX = 512,
};

struct fsck_flags {
	const char *data;
	const char *backend;
	struct rados_place rados;
	struct fsck_ceph_flags ceph;
};

static const struct flag flags[] = {
	{"data", "FOLDER", offsetof(struct fsck_flags, data),
		"default: the environment's POSTERN_SERVER_DATA, or\n./postern-data"},
	{"temp", "FOLDER", offsetof(struct fsck_flags, ceph.temp),
		"where an index is made anew and removed again; it needs as\nmuch space as the "
		"index. On Ceph: where a file is of what refers\nto what, about 100 bytes for "
		"each object. Default: the\nenvironment's TMPDIR, or /var/tmp"},
	{"json", NULL, offsetof(struct fsck_flags, ceph.json), "print one JSON object a line"},
	{"repair", NULL, offsetof(struct fsck_flags, ceph.repair),
		"move what is damaged to the folder `damaged`, and list what\nwas lost; the index "
		"is made anew if it is damaged. On Ceph:\nmove damaged rows to an object "
		"`damaged.NUMBER`, and list what\nwas lost"},
	{"store-backend", "NAME", offsetof(struct fsck_flags, backend),
		"rados: check a store on Ceph, whether or not gateways run"},
	{"backend", "NAME", offsetof(struct fsck_flags, backend), "the same"},
	{"no-bytes", NULL, offsetof(struct fsck_flags, ceph.skips_bytes),
		"on Ceph: of data only see whether it is there, and how long it\nis"},
	RADOS_PLACE_FLAGS(struct fsck_flags),
	RADOS_PLACE_SPACE_FLAG(struct fsck_flags),
	RADOS_PLACE_DATA_FLAGS(struct fsck_flags),
};

static const struct command_line command_line = {
	.command = "fsck",
	.before = "Usage: postern fsck [--data FOLDER] [--temp FOLDER] [--json]\n"
		  "       postern fsck --repair [--data FOLDER] [--json]\n"
		  "       postern fsck --store-backend rados [--repair] [--no-bytes] [--temp "
		  "FOLDER]\n"
		  "                    [--json] [--rados-config FILE] [--rados-id NAME] ...\n"
		  "\n"
		  "Checks all of a data folder: that each object, version and part has its bytes, "
		  "that the\n"
		  "log and all files are accounted for, and that the log gives the index. Each "
		  "finding\n"
		  "is one line. Nothing in the folder is changed, but with --repair, for which "
		  "postern must be\n"
		  "stopped. While postern runs all is checked as of one position of the log.\n"
		  "\n"
		  "A store on Ceph is checked and repaired while its gateways run: tablets, rows, "
		  "counts, data,\n"
		  "and that each object of RADOS belongs to something.\n",
	.flags = flags,
	.flag_count = ARRAY_LEN(flags),
	.after = "The environment's POSTERN_STORE_BACKEND and POSTERN_RADOS_CONFIG, _ID, "
		 "_NAMESPACE, _INDEX_POOL,\n"
		 "_SMALL_POOL and _DATA_POOL are the defaults of the options of that name.\n"
		 "\n" RADOS_PLACE_TIMES_HELP "\n"
		 "Exit status: 0 nothing was found (or lost), 1 something was, 2 it could not be "
		 "done.\n",
};

static volatile sig_atomic_t is_ended;

static void end(int signal_number UNUSED)
{
	is_ended = 1;
}

bool fsck_is_ended(void)
{
	return is_ended;
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
	struct run run = {.json = given->ceph.json};
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
		return FSCK_FAULT;
	}
	if (given->ceph.json)
		print_json_repaired(&result);
	else
		print_repaired(&result);
	return result.lost || result.unknown ? FSCK_FINDINGS : FSCK_CLEAN;
}

/* ---- Checking -------------------------------------------------------------------------------- */

static int check(const struct fsck_flags *given)
{
	struct run run = {.json = given->ceph.json};
	struct fsck_result result;
	const struct fsck_options options = {.path = given->data,
		.temp = given->ceph.temp,
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
		return FSCK_FAULT;
	}
	if (given->ceph.json)
		print_json_sum(&result);
	else
		print_sum(&result);
	return result.findings ? FSCK_FINDINGS : FSCK_CLEAN;
}

static const char *environment(const char *name, const char *other)
{
	const char *value = getenv(name);
	return value && *value ? value : other;
}

static int complain(const char *why)
{
	command_line_complain(&command_line, why);
	return FSCK_FAULT;
}

static int check_or_mend(struct fsck_flags *given)
{
	struct rados_options store;
	if (strcmp(given->backend, "rados") == 0) {
		if (given->data)
			return complain("the store is on Ceph, as --store-backend or "
					"POSTERN_STORE_BACKEND says: leave out --data");
		SCOPED_STRBUF(why, WHY_BYTES_MAX);
		if (!rados_place_options(&given->rados, &store, &why))
			return complain(why.ptr);
		return fsck_ceph(&store, &given->ceph);
	}
	if (strcmp(given->backend, "local") != 0)
		return complain("--store-backend is local or rados");
	if (given->ceph.skips_bytes)
		return complain("--no-bytes is for --store-backend rados");
	if (!given->data)
		given->data = environment("POSTERN_SERVER_DATA", "postern-data");
	return given->ceph.repair ? mend(given) : check(given);
}

int cli_fsck(int argc, char **argv)
{
	struct fsck_flags given = {.backend = environment("POSTERN_STORE_BACKEND", "local"),
		.rados = rados_place_default(),
		.ceph = {.temp = environment("TMPDIR", "/var/tmp")}};
	int rest;
	int status;
	if (!command_line_begin(&command_line, argc, argv, &given, &rest, &status))
		return status;
	if (rest != argc)
		return complain("it takes no argument");
	const struct sigaction ended = {.sa_handler = end};
	(void)sigaction(SIGINT, &ended, NULL);
	(void)sigaction(SIGTERM, &ended, NULL);
	return check_or_mend(&given);
}
