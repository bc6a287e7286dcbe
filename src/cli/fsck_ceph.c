/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/fsck_ceph.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/encode.h"
#include "base/log.h"
#include "callback/key.h"
#include "callback/record_bytes.h"
#include "cli/progress.h"
#include "crypto/rsa.h"
#include "crypto/secret.h"
#include "ops/access/key_list.h"
#include "ops/access/keys.h"
#include "oss/text/json_text.h"
#include "store/rados/fsck/fsck.h"

enum {
	KEY_TEXT_BYTES = 5 * 1024,
	SEALING_DIGITS = 64,
};

struct run {
	struct progress progress;
	bool json;
};

static const char bytes_text[] = "the bytes";

static bool show_progress(uint64_t done, uint64_t total, void *ctx)
{
	struct run *run = ctx;
	progress_show(&run->progress, bytes_text, done, total);
	return !fsck_is_ended();
}

/* ---- Documents ------------------------------------------------------------------------------- */

static bool keys_fit(struct slice value)
{
	struct key_list *list = key_list_parse(value);
	key_list_free(list);
	return list != NULL;
}

static bool callback_key_fits(struct slice value)
{
	struct rsa_private *key = NULL;
	bool fits = rsa_private_parse(value, &key) == ERR_OK;
	rsa_private_free(key);
	return fits;
}

static bool sealing_fits(struct slice value)
{
	char bytes[SEALING_DIGITS / 2];
	bool fits = hex_decode(slice_head(value, SEALING_DIGITS), bytes, sizeof(bytes));
	secret_wipe(bytes, sizeof(bytes));
	return fits;
}

static bool record_fits(struct slice value)
{
	struct callback_record *record = callback_record_parse(value);
	callback_record_free(record);
	return record != NULL;
}

/* A document that is not known is of a later version. */
static bool fits(enum rados_kept what, struct slice name, struct slice value, void *ctx UNUSED)
{
	if (what == RADOS_KEPT_CALLBACK)
		return record_fits(value);
	if (slice_eq(name, S(KEY_LIST_DOCUMENT)))
		return keys_fit(value);
	if (slice_eq(name, S(KEYS_SEALING_DOCUMENT)))
		return sealing_fits(value);
	return !slice_eq(name, S(CALLBACK_KEY_DOCUMENT)) || callback_key_fits(value);
}

/* ---- Findings -------------------------------------------------------------------------------- */

static const char *kind_of(const struct rados_finding *finding)
{
	if (finding->is_harmless)
		return "leaked";
	if (finding->is_lost)
		return "lost";
	return finding->is_corrected ? "corrected" : "finding";
}

static void print_text(const struct rados_finding *finding)
{
	char key[KEY_TEXT_BYTES];
	const char *kind = kind_of(finding);
	if (finding->bucket.len)
		printf("bucket=%.*s ", SLICE_FMT(finding->bucket));
	if (finding->key.len)
		printf("key=%s ", log_quoted(finding->key, key, sizeof(key)));
	if (finding->version[0])
		printf("version=%s ", finding->version);
	if (finding->part)
		printf("part=%" PRIu64 " ", finding->part);
	if (finding->object[0])
		printf("object=%s ", finding->object);
	if (strcmp(kind, "finding") == 0)
		printf(": %s\n", finding->what);
	else
		printf(": %s: %s\n", kind, finding->what);
}

static void print_json(const struct rados_finding *finding)
{
	SCOPED_STRBUF(line, 64 << 10);
	strbuf_adds(&line, "{");
	json_member_string(&line, kind_of(finding), slice_str(finding->what));
	if (finding->bucket.len)
		json_member_string(&line, "bucket", finding->bucket);
	if (finding->key.len)
		json_member_string(&line, "key", finding->key);
	if (finding->version[0])
		json_member_string(&line, "version", slice_str(finding->version));
	if (finding->part)
		json_member_number(&line, "part", (int64_t)finding->part);
	if (finding->object[0])
		json_member_string(&line, "object", slice_str(finding->object));
	strbuf_adds(&line, "}\n");
	if (!strbuf_broken(&line))
		(void)fwrite(line.ptr, 1, line.len, stdout);
}

static void found(const struct rados_finding *finding, void *ctx)
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

static void print_sum(const struct fsck_ceph_flags *given, const struct rados_fsck_result *result)
{
	const struct rados_fsck_tally *tally = &result->tally;
	printf("checked: %" PRIu64 " objects, %" PRIu64 " older versions and markers, %" PRIu64
	       " uploads, %" PRIu64 " parts: %" PRIu64 " bytes%s; %" PRIu64 " tablets of %" PRIu64
	       " buckets; %" PRIu64 " objects of RADOS with data\n",
		tally->objects, tally->versions, tally->uploads, tally->parts, tally->bytes,
		given->skips_bytes ? ", which were not read" : "", result->tablets, result->buckets,
		result->data);
	printf("garbage: %" PRIu64 "; under way: %" PRIu64 "; leaked: %" PRIu64 "\n",
		result->garbage, result->under_way, result->leaked);
	if (result->standing)
		printf("%" PRIu64 " tablets take no changes at the moment\n", result->standing);
	if (result->differing)
		printf("%" PRIu64
		       " tablets do not keep versions as their bucket says: gateways tell them "
		       "when they collect garbage\n",
			result->differing);
	if (result->moving)
		printf("%" PRIu64 " tablets or keys changed all the time: not all of them was "
		       "compared\n",
			result->moving);
	if (result->aside[0])
		printf("what was moved aside is in the object index/%s\n", result->aside);
	if (given->repair)
		printf("lost: %" PRIu64 "; corrected: %" PRIu64 "\n", result->lost,
			result->corrected);
	printf("findings: %" PRIu64 "\n", result->findings);
}

static void print_json_sum(
	const struct fsck_ceph_flags *given, const struct rados_fsck_result *result)
{
	const struct {
		const char *name;
		uint64_t number;
	} members[] = {
		{"findings", result->findings},
		{"lost", result->lost},
		{"corrected", result->corrected},
		{"buckets", result->buckets},
		{"tablets", result->tablets},
		{"standing", result->standing},
		{"differing", result->differing},
		{"moving", result->moving},
		{"objects", result->tally.objects},
		{"versions", result->tally.versions},
		{"uploads", result->tally.uploads},
		{"parts", result->tally.parts},
		{"bytes", result->tally.bytes},
		{"data", result->data},
		{"garbage", result->garbage},
		{"under_way", result->under_way},
		{"leaks", result->leaked},
	};
	SCOPED_STRBUF(line, 4 << 10);
	strbuf_adds(&line, "{");
	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		json_member_number(&line, members[i].name, (int64_t)members[i].number);
	json_member_bool(&line, "bytes_read", !given->skips_bytes);
	if (result->aside[0])
		json_member_string(&line, "aside", slice_str(result->aside));
	strbuf_adds(&line, "}\n");
	if (!strbuf_broken(&line))
		(void)fwrite(line.ptr, 1, line.len, stdout);
}

int fsck_ceph(const struct rados_options *store, const struct fsck_ceph_flags *given)
{
	struct run run = {.json = given->json};
	struct rados_fsck_result result;
	const struct rados_fsck_options options = {.store = store,
		.temp = given->temp,
		.skips_bytes = given->skips_bytes,
		.repairs = given->repair,
		.progress = show_progress,
		.found = found,
		.fits = fits,
		.ctx = &run};
	/* Where SQLite sorts. */
	(void)setenv("SQLITE_TMPDIR", given->temp, 1);
	progress_init(&run.progress);
	enum err e = rados_fsck(&options, &result);
	if (e == ERR_OK)
		progress_show(&run.progress, bytes_text, 1, 1);
	progress_leave(&run.progress);
	if (e != ERR_OK) {
		fprintf(stderr, "postern fsck: the store on Ceph was not %s to the end%s\n",
			given->repair ? "repaired" : "checked",
			given->repair ? "; run it again" : "");
		return FSCK_FAULT;
	}
	if (given->json)
		print_json_sum(given, &result);
	else
		print_sum(given, &result);
	return result.findings || result.lost ? FSCK_FINDINGS : FSCK_CLEAN;
}
