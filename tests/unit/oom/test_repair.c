/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `postern fsck` and `postern rebuild` while memory runs out; RocksDB's own does not (oom.h). What
 * fsck says is true, or it says that it could not look; and it leaves nothing behind. An index that
 * could not be made anew is as it was.
 */
#include <inttypes.h>

#include "store/local/fsck/fsck.h"
#include "store/local/rebuild/rebuild.h"
#include "unit/oom/oom.h"
#include "unit/oom/sample.h"
#include "unit/store/checked.h"

static char folder[FOLDER_PATH_MAX];
static char closed[FOLDER_PATH_MAX + 16];
static char killed[FOLDER_PATH_MAX + 16];
static char damaged[FOLDER_PATH_MAX + 16];
static char temp[FOLDER_PATH_MAX + 16]; /* of fsck */
static char data[FOLDER_PATH_MAX + 16]; /* of the case */

/* ---- fsck ------------------------------------------------------------------------------------ */

static void say_finding(const struct fsck_finding *finding, void *ctx)
{
	oom_say(ctx, "%s %" PRIu64 " %.*s: %s\n", finding->file, finding->offset,
		SLICE_FMT(finding->key), finding->what);
}

/* Each finding is said to be one, whether or not it comes to an end. */
static void check(struct oom_answer *answer, const char *path)
{
	static struct oom_answer found;
	struct fsck_result result;
	found.len = 0;
	enum err e = fsck(
		&(struct fsck_options){
			.path = path, .temp = temp, .found = say_finding, .ctx = &found},
		&result);
	oom_pause();
	oom_check(answer, path == damaged || result.findings == 0, "what is sound is not damaged");
	if (oom_done(answer, "fsck", e))
		oom_say(answer,
			"%.*s%" PRIu64 " objects %" PRIu64 " versions %" PRIu64 " parts, %s\n",
			(int)found.len, found.text, result.objects, result.versions, result.parts,
			result.is_compared ? "compared" : "not compared");
	oom_check(answer, folder_count(temp, ".").files == 0, "nothing is left behind");
	oom_resume();
}

static void check_closed(struct oom_answer *answer)
{
	check(answer, closed);
}

static void check_killed(struct oom_answer *answer)
{
	check(answer, killed);
}

static void check_damaged(struct oom_answer *answer)
{
	check(answer, damaged);
}

/* ---- rebuild --------------------------------------------------------------------------------- */

static void look(struct oom_answer *answer)
{
	struct store *s;
	oom_check(answer, checked_clean(data), "it is sound");
	enum err e = sample_open(data, &s);
	oom_check(answer, e == ERR_OK, "it opens");
	if (e != ERR_OK)
		return;
	const char *missing = sample_missing(s);
	oom_check(answer, missing == NULL, missing);
	store_close(s);
}

static void rebuild(struct oom_answer *answer)
{
	struct rebuild_result result;
	oom_pause();
	sample_copy(closed, data);
	oom_resume();
	enum err e = rebuild_index(&(struct rebuild_options){.path = data}, &result);
	oom_pause();
	if (oom_done(answer, "rebuild", e))
		oom_say(answer, "%" PRIu64 " records, %" PRIu64 " lost, %" PRIu64 " objects\n",
			result.records, result.lost, result.objects);
	look(answer);
	folder_remove(data);
	oom_resume();
}

static const struct oom_case cases[] = {
	{"fsck of a sound folder", check_closed},
	{"fsck of one whose process was killed", check_killed},
	{"fsck of a damaged one", check_damaged},
	{"rebuild", rebuild},
};

/* One byte of the first object in the log, and one of a large object, are others. */
static void damage(const char *name, const char *what)
{
	char path[2 * FOLDER_PATH_MAX];
	(void)snprintf(path, sizeof(path), "%s/%s", damaged, name);
	FILE *f = fopen(path, "r+e");
	char *all = malloc(MIB(8));
	size_t got = f && all ? fread(all, 1, MIB(8), f) : 0;
	size_t at = slice_find_slice(slice_of(all, got), slice_str(what));
	if (at == got || fseek(f, (long)at, SEEK_SET) != 0 || fputc('#', f) == EOF)
		abort();
	(void)fclose(f);
	free(all);
}

int main(void)
{
	folder_make(folder);
	(void)snprintf(closed, sizeof(closed), "%s/closed", folder);
	(void)snprintf(killed, sizeof(killed), "%s/killed", folder);
	(void)snprintf(damaged, sizeof(damaged), "%s/damaged", folder);
	(void)snprintf(temp, sizeof(temp), "%s/temp", folder);
	(void)snprintf(data, sizeof(data), "%s/data", folder);
	if (mkdir(temp, 0700) != 0)
		abort();
	sample_make(closed, killed);
	sample_copy(closed, damaged);
	damage("segments/0000000000000001.seg", "one");
	damage("large/0000000000000/0000000000000001", "v");
	int status = oom_run_store(cases, ARRAY_LEN(cases));
	folder_remove(folder);
	return status;
}
