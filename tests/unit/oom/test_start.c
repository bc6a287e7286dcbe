/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A data folder is opened and its log replayed while memory runs out. RocksDB's own memory does not
 * (oom.h). A start that fails leaves all as it was, for the next one; and one that does not fail
 * has all.
 */
#include <sys/stat.h>

#include "store/local/large/large.h"
#include "store/local/state/local_internal.h"
#include "unit/oom/oom.h"
#include "unit/oom/sample.h"
#include "unit/store/checked.h"

static char folder[FOLDER_PATH_MAX];
static char closed[FOLDER_PATH_MAX + 16];
static char killed[FOLDER_PATH_MAX + 16];
static char torn[FOLDER_PATH_MAX + 16];
static char data[FOLDER_PATH_MAX + 16]; /* of the case */

/* The number of a large file that is in `damaged` of the torn folder. */
#define ASIDE 0xff

/* A store is opened, used a little, and closed; ERR_OK only if the object is stored. */
static enum err open_and_put(struct oom_answer *answer, const char *what)
{
	struct store *s;
	enum err e = sample_open(data, &s);
	if (!oom_done(answer, what, e))
		return e;
	e = bucket_create(s, S("new"), STORE_ACL_PRIVATE);
	if (oom_done(answer, "a bucket", e)) {
		e = put_object(s, bucket_id(s, S("new")), S("k"), S("stored"), NULL);
		(void)oom_done(answer, "an object", e);
	}
	store_close(s);
	return e;
}

/* With memory. */
static void look(struct oom_answer *answer, bool has_sample, bool has_new)
{
	struct store *s;
	struct store_stats stats;
	enum err e = sample_open(data, &s);
	oom_check(answer, e == ERR_OK, "the folder opens");
	if (e != ERR_OK)
		return;
	const char *missing = has_sample ? sample_missing(s) : NULL;
	oom_check(answer, missing == NULL, missing);
	oom_check(answer, !has_new || object_is(s, bucket_id(s, S("new")), S("k"), S("stored")),
		"what was acknowledged is there");
	store_stats(s, &stats);
	oom_check(answer, stats.start_damage == 0, "nothing is damaged");
	store_close(s);
	oom_check(answer, checked_clean(data), "it is sound");
}

static void end(void)
{
	folder_remove(data);
	oom_resume();
}

static void new_folder(struct oom_answer *answer)
{
	enum err e = open_and_put(answer, "it is made");
	oom_pause();
	look(answer, false, e == ERR_OK);
	end();
}

static void start(struct oom_answer *answer, const char *from, const char *format)
{
	char path[2 * FOLDER_PATH_MAX];
	oom_pause();
	sample_copy(from, data);
	if (format) {
		(void)snprintf(path, sizeof(path), "%s/format", data);
		FILE *file = fopen(path, "we");
		if (!file || fputs(format, file) == EOF || fclose(file) != 0)
			abort();
	}
	oom_resume();
	enum err e = open_and_put(answer, "it is opened");
	oom_pause();
	look(answer, true, e == ERR_OK);
	end();
}

static void closed_folder(struct oom_answer *answer)
{
	start(answer, closed, NULL);
}

static void killed_folder(struct oom_answer *answer)
{
	start(answer, killed, NULL);
}

/* What is behind the end of the log is kept. */
static void torn_folder(struct oom_answer *answer)
{
	struct store *s;
	oom_pause();
	sample_copy(torn, data);
	oom_resume();
	enum err e = sample_open(data, &s);
	oom_pause();
	if (oom_done(answer, "it is opened", e)) {
		oom_check(answer, large_files_next(local_of(s)->files) > ASIDE,
			"no number is given again");
		store_close(s);
	}
	look(answer, true, false);
	oom_check(answer, folder_count(data, "damaged").files > 1, "the torn end is kept");
	end();
}

static void older_folder(struct oom_answer *answer)
{
	start(answer, closed, "postern store 2\n");
}

static const struct oom_case cases[] = {
	{"a new folder", new_folder},
	{"a folder that was closed", closed_folder},
	{"a folder whose process was killed", killed_folder},
	{"a folder whose last write was cut off", torn_folder},
	{"a folder of format 2", older_folder},
};

/* Writes something behind the last record, as if more had been damaged before. */
static void tear(void)
{
	char path[2 * FOLDER_PATH_MAX];
	(void)snprintf(path, sizeof(path), "%s/segments/0000000000000002.seg", torn);
	FILE *f = fopen(path, "r+e");
	char *all = malloc(MIB(8));
	size_t got = f && all ? fread(all, 1, MIB(8), f) : 0;
	while (got && all[got - 1] == '\0')
		got--;
	if (got == 0 || fseek(f, (long)got + 8, SEEK_SET) != 0 || fputs("torn", f) == EOF)
		abort();
	(void)fclose(f);
	free(all);
	(void)snprintf(path, sizeof(path), "%s/damaged", torn);
	if (mkdir(path, 0700) != 0)
		abort();
	(void)snprintf(path, sizeof(path), "%s/damaged/large-%016x", torn, ASIDE);
	f = fopen(path, "we");
	if (!f || fclose(f) != 0)
		abort();
}

int main(void)
{
	folder_make(folder);
	(void)snprintf(closed, sizeof(closed), "%s/closed", folder);
	(void)snprintf(killed, sizeof(killed), "%s/killed", folder);
	(void)snprintf(torn, sizeof(torn), "%s/torn", folder);
	(void)snprintf(data, sizeof(data), "%s/data", folder);
	sample_make(closed, killed);
	sample_copy(killed, torn);
	tear();
	int status = oom_run_store(cases, ARRAY_LEN(cases));
	folder_remove(folder);
	return status;
}
