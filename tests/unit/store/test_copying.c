/* SPDX-License-Identifier: Apache-2.0 */
/* A folder that a copy fills: which one takes it, and that nobody else opens it until it is whole.
 */
#include <fcntl.h>

#include "store/local/rebuild/rebuild.h"
#include "store/local/repair/repair.h"
#include "tap.h"
#include "unit/store/backend.h"
#include "unit/store/versions.h"

enum {
	PATH_MAX_BYTES = 2 * FOLDER_PATH_MAX
};

static enum err try_open(const char *path, const char *copy_of)
{
	const struct local_options options = {
		.path = path, .clock = &clock_system, .copy_of = copy_of};
	struct store *s;
	enum err e = local_store_open(&options, &s);
	if (e == ERR_OK)
		store_close(s);
	return e;
}

static bool has(const char *path, const char *name)
{
	char file[PATH_MAX_BYTES];
	(void)snprintf(file, sizeof(file), "%s/%s", path, name);
	return access(file, F_OK) == 0;
}

static bool move(const char *path, const char *from, const char *to)
{
	char old[PATH_MAX_BYTES];
	char now[PATH_MAX_BYTES];
	(void)snprintf(old, sizeof(old), "%s/%s", path, from);
	(void)snprintf(now, sizeof(now), "%s/%s", path, to);
	return rename(old, now) == 0;
}

static bool make_folder(const char *path, const char *name)
{
	char folder[PATH_MAX_BYTES];
	(void)snprintf(folder, sizeof(folder), "%s/%s", path, name);
	return mkdir(folder, 0700) == 0;
}

static bool make_file(const char *path, const char *name)
{
	char file[PATH_MAX_BYTES];
	(void)snprintf(file, sizeof(file), "%s/%s", path, name);
	int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	return fd >= 0 && close(fd) == 0;
}

/* ---- The tests ------------------------------------------------------------------------------- */

static void until_it_is_whole(const char *path)
{
	struct rebuild_result rebuilt;
	struct repair_result repaired;
	const struct repair_options repair_options = {.path = path};
	OK(make_folder(path, "lost+found"), "a file system that was just made");
	IS_INT(try_open(path, "local:/one"), ERR_OK, "takes a copy");
	OK(has(path, "copying"), "and says so");
	IS_INT(try_open(path, NULL), ERR_INTERNAL, "no server opens it");
	IS_INT(try_open(path, "local:/two"), ERR_INTERNAL, "nor a copy of another source");
	IS_INT(try_open(path, "local:/on"), ERR_INTERNAL, "nor of one that begins like it");
	IS_INT(try_open(path, "local:/one"), ERR_OK, "it goes on with the same");
	IS_INT(rebuild_index(&(struct rebuild_options){.path = path}, &rebuilt), ERR_INTERNAL,
		"no index is made of it");
	OK(move(path, "index", "away"), "its index is lost");
	IS_INT(repair(&repair_options, &repaired), ERR_INTERNAL, "it is not repaired");
	OK(!has(path, "index") && move(path, "away", "index"), "and is what it was");
	IS_INT(local_end_copy(path), ERR_OK, "then it is whole");
	OK(!has(path, "copying"), "and says so");
	IS_INT(try_open(path, "local:/one"), ERR_INTERNAL, "it takes no other copy");
	IS_INT(try_open(path, NULL), ERR_OK, "a server opens it");
	IS_INT(rebuild_index(&(struct rebuild_options){.path = path}, &rebuilt), ERR_OK,
		"an index is made of it");
	IS_INT(repair(&repair_options, &repaired), ERR_OK, "and it is repaired");
}

static void only_an_empty_one(const char *path)
{
	OK(make_file(path, "diary.txt"), "a folder has a file of somebody's");
	IS_INT(try_open(path, "local:/one"), ERR_INTERNAL, "it takes no copy");
	OK(!has(path, "copying") && !has(path, "format") && !has(path, "segments"),
		"and nothing is made in it");
}

static void nobody_knows(const char *path)
{
	OK(make_folder(path, "copying"), "what it is a copy of cannot be read");
	IS_INT(try_open(path, "local:/one"), ERR_INTERNAL, "it takes no copy");
	IS_INT(try_open(path, NULL), ERR_INTERNAL, "and no server opens it");
}

int main(void)
{
	static void (*const tests[])(const char *path) = {
		until_it_is_whole, only_an_empty_one, nobody_knows};
	char path[FOLDER_PATH_MAX];
	for (size_t i = 0; i < ARRAY_LEN(tests); i++) {
		folder_make(path);
		tests[i](path);
		folder_remove(path);
	}
	return tap_done();
}
