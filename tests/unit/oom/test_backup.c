/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `postern backup` and `postern restore` while memory runs out; RocksDB's own does not (oom.h). A
 * backup that fails leaves the one before as it is, and the next succeeds; a restore that fails
 * leaves nothing that a store would open, and can be run again.
 */
#include "backup/backup.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sqlite3.h>

#include "backup/restore.h"
#include "store/local/rebuild/rebuild.h"
#include "store/local/state/folder.h"
#include "unit/oom/oom.h"
#include "unit/oom/sample.h"
#include "unit/store/checked.h"

static char folder[FOLDER_PATH_MAX];
static char closed[FOLDER_PATH_MAX + 16];
static char killed[FOLDER_PATH_MAX + 16];
static char copies[FOLDER_PATH_MAX + 16];   /* with one backup, of an older folder */
static char damaged[FOLDER_PATH_MAX + 16];  /* without its ledger */
static char to[FOLDER_PATH_MAX + 16];       /* of the case */
static char restored[FOLDER_PATH_MAX + 16]; /* likewise */

static enum err make(const char *destination, struct backup_result *ret)
{
	const struct backup_options options = {.data = closed, .destination = destination};
	return backup_make(&options, ret);
}

static enum err restore(const char *from, bool only_checks, struct restore_result *ret)
{
	const struct restore_options options = {
		.source = from, .data = restored, .only_checks = only_checks};
	return backup_restore(&options, ret);
}

/* ---- Backups --------------------------------------------------------------------------------- */

/* With memory: the backup is whole, and of that number. */
static void look_at_copies(struct oom_answer *answer, uint64_t number)
{
	struct restore_result result = {.number = 0};
	enum err e = number ? restore(to, true, &result) : ERR_OK;
	oom_check(answer, e == ERR_OK && result.damaged == 0 && result.lost == 0,
		"the backup is whole");
	oom_check(answer, result.number == number, "it is that one");
}

static void back_up(struct oom_answer *answer, bool has_one)
{
	struct backup_result result;
	oom_pause();
	if (has_one)
		sample_copy(copies, to);
	oom_resume();
	enum err e = make(to, &result);
	oom_pause();
	if (oom_done(answer, "backup", e))
		oom_say(answer, "%" PRIu64 " files, %" PRIu64 " new, %" PRIu64 " damaged\n",
			result.files, result.copied_files, result.damaged);
	uint64_t number = (uint64_t)has_one + (e == ERR_OK);
	look_at_copies(answer, number);
	oom_check(answer, make(to, &result) == ERR_OK && result.damaged == 0, "another is made");
	look_at_copies(answer, number + 1);
	folder_remove(to);
	oom_resume();
}

static void first_backup(struct oom_answer *answer)
{
	back_up(answer, false);
}

static void next_backup(struct oom_answer *answer)
{
	back_up(answer, true);
}

static void check_backup(struct oom_answer *answer)
{
	struct restore_result result;
	enum err e = restore(copies, true, &result);
	if (oom_done(answer, "check", e))
		oom_say(answer, "%" PRIu64 " files\n", result.files);
	oom_check(answer, result.damaged == 0 && result.lost == 0, "what is whole is not damaged");
}

/* ---- Restores -------------------------------------------------------------------------------- */

static void look_at_restored(struct oom_answer *answer)
{
	struct store *s;
	oom_check(answer, checked_clean(restored), "it is sound");
	enum err e = sample_open(restored, &s);
	oom_check(answer, e == ERR_OK, "it opens");
	if (e != ERR_OK)
		return;
	const char *missing = sample_missing(s);
	oom_check(answer, missing == NULL, missing);
	store_close(s);
	char name[2 * FOLDER_PATH_MAX];
	sqlite3 *db = NULL;
	(void)snprintf(name, sizeof(name), "%s/ledger.db", restored);
	oom_check(answer,
		sqlite3_open_v2(name, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
			sqlite3_exec(db, "SELECT a FROM t", NULL, NULL, NULL) == SQLITE_OK,
		"the ledger is there");
	(void)sqlite3_close(db);
}

static bool no_store_opens(void)
{
	SCOPED_FD int dir = open(restored, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 || folder_is_restoring(dir) || folder_count(restored, ".").files == 0;
}

static void restore_all(struct oom_answer *answer)
{
	struct restore_result result;
	enum err e = restore(copies, false, &result);
	oom_pause();
	if (oom_done(answer, "restore", e))
		oom_say(answer, "%" PRIu64 " files %" PRIu64 " objects\n", result.files,
			result.objects);
	oom_check(answer, result.damaged == 0 && result.lost == 0, "what is whole is not damaged");
	if (e != ERR_OK && result.has_files) {
		struct rebuild_result made;
		e = rebuild_index(&(struct rebuild_options){.path = restored}, &made);
		oom_check(answer, e == ERR_OK && made.lost == 0, "the index is made");
	} else if (e != ERR_OK) {
		oom_check(answer, no_store_opens(), "nothing is there, or what no store opens");
		e = restore(copies, false, &result);
		oom_check(answer, e == ERR_OK, "it can be run again");
	}
	look_at_restored(answer);
	folder_remove(restored);
	oom_resume();
}

/* It fails on its way, memory or not. */
static void restore_damaged(struct oom_answer *answer)
{
	struct restore_result result;
	enum err e = restore(damaged, false, &result);
	oom_pause();
	oom_check(answer, e != ERR_OK && !result.has_files, "it is not restored");
	oom_check(answer, no_store_opens(), "nothing is there, or what no store opens");
	e = restore(copies, false, &result);
	oom_check(answer, e == ERR_OK, "another can be");
	look_at_restored(answer);
	folder_remove(restored);
	oom_resume();
}

static const struct oom_case cases[] = {
	{"the first backup", first_backup},
	{"another one", next_backup},
	{"a backup is checked", check_backup},
	{"a backup is restored", restore_all},
	{"a damaged one is not", restore_damaged},
};

static void make_file(const char *name, const char *text)
{
	char path[2 * FOLDER_PATH_MAX];
	(void)snprintf(path, sizeof(path), "%s/%s", closed, name);
	FILE *file = fopen(path, "we");
	if (!file || fputs(text, file) == EOF || fclose(file) != 0)
		abort();
}

static void make_database(const char *name)
{
	char path[2 * FOLDER_PATH_MAX];
	sqlite3 *db = NULL;
	(void)snprintf(path, sizeof(path), "%s/%s", closed, name);
	if (sqlite3_open(path, &db) != SQLITE_OK ||
		sqlite3_exec(db, "CREATE TABLE t (a)", NULL, NULL, NULL) != SQLITE_OK ||
		sqlite3_close(db) != SQLITE_OK)
		abort();
}

static void make_all(void)
{
	struct backup_result result;
	struct store *s;
	sample_make(closed, killed);
	make_file("access_keys.json", "{}");
	make_database("ledger.db");
	make_database("callbacks.db");
	if (make(copies, &result) != ERR_OK || sample_open(closed, &s) != ERR_OK)
		abort();
	/* What the backup does not have. */
	if (bucket_create(s, S("later"), STORE_ACL_PRIVATE) != ERR_OK ||
		put_object(s, bucket_id(s, S("later")), S("k"), sample_content(SAMPLE_LARGE, 'k'),
			NULL) != ERR_OK)
		abort();
	store_close(s);
	char name[2 * FOLDER_PATH_MAX];
	sample_copy(copies, damaged);
	(void)snprintf(name, sizeof(name), "%s/files/ledger.db-1", damaged);
	if (remove(name) != 0)
		abort();
}

int main(void)
{
	folder_make(folder);
	(void)snprintf(closed, sizeof(closed), "%s/closed", folder);
	(void)snprintf(killed, sizeof(killed), "%s/killed", folder);
	(void)snprintf(copies, sizeof(copies), "%s/copies", folder);
	(void)snprintf(damaged, sizeof(damaged), "%s/broken", folder);
	(void)snprintf(to, sizeof(to), "%s/to", folder);
	(void)snprintf(restored, sizeof(restored), "%s/restored", folder);
	oom_begin();
	make_all();
	int status = oom_run_store(cases, ARRAY_LEN(cases));
	folder_remove(folder);
	return status;
}
