/* SPDX-License-Identifier: Apache-2.0 */
/* A block that was checked is known for a while, as long as the file is what it was. */
#include "net/checked.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "crypto/block_check.h"
#include "tap.h"

#define BLOCK ((uint64_t)BLOCK_CHECK_BYTES)

static const struct checked_file file = {.device = 1, .inode = 7, .changed_ns = 500};

static void blocks(void)
{
	struct checked *c = checked_new();
	IS_INT(checked_known(c, &file, 0, BLOCK, 0), 0, "at first nothing is known");
	checked_note(c, &file, 2 * BLOCK, BLOCK, 0);
	IS_INT(checked_known(c, &file, BLOCK, 4 * BLOCK, 0), 0, "nor what lies in front");
	IS_INT(checked_known(c, &file, 2 * BLOCK, 4 * BLOCK, 0), BLOCK, "a block is known");
	IS_INT(checked_known(c, &file, 2 * BLOCK + 5, 100, 0), 100, "and a piece of it");
	IS_INT(checked_known(c, &file, 3 * BLOCK - 5, 100, 0), 5, "up to its end");
	checked_note(c, &file, 3 * BLOCK, 20 * BLOCK + 9, 0);
	IS_INT(checked_known(c, &file, 2 * BLOCK, 21 * BLOCK + 9, 0), 21 * BLOCK + 9,
		"many, across runs, the last of which is short");
	IS_INT(checked_known(c, &file, 0, BLOCK, 0), 0, "what was not checked is not known");
	checked_free(c);
}

static void times(void)
{
	struct checked *c = checked_new();
	checked_note(c, &file, 0, BLOCK, 1000);
	checked_note(c, &file, BLOCK, BLOCK, 1000 + LIMIT_CHECKED_MS - 1);
	IS_INT(checked_known(c, &file, 0, 2 * BLOCK, 1000 + LIMIT_CHECKED_MS - 1), 2 * BLOCK,
		"known until the time is over");
	IS_INT(checked_known(c, &file, 0, 2 * BLOCK, 1000 + LIMIT_CHECKED_MS), 0,
		"and not longer, counted from the first of a run");
	checked_note(c, &file, BLOCK, BLOCK, 1000 + LIMIT_CHECKED_MS);
	IS_INT(checked_known(c, &file, 0, 2 * BLOCK, 1000 + LIMIT_CHECKED_MS), 0,
		"checking another block does not make this one known again");
	IS_INT(checked_known(c, &file, BLOCK, BLOCK, 1000 + LIMIT_CHECKED_MS), BLOCK,
		"only that one");
	checked_free(c);
}

static void other_files(void)
{
	struct checked *c = checked_new();
	struct checked_file other = file;
	checked_note(c, &file, 0, BLOCK, 0);
	other.inode++;
	IS_INT(checked_known(c, &other, 0, BLOCK, 0), 0, "not of another file");
	other = file;
	other.device++;
	IS_INT(checked_known(c, &other, 0, BLOCK, 0), 0, "nor of one of another disk");
	other = file;
	other.changed_ns++;
	IS_INT(checked_known(c, &other, 0, BLOCK, 0), 0, "nor when the file was changed");
	/* Many more than there is room for. */
	for (uint64_t i = 0; i < 4 * LIMIT_CHECKED_RUNS; i++) {
		other.inode = i;
		checked_note(c, &other, 0, BLOCK, 0);
	}
	unsigned known = 0;
	for (uint64_t i = 0; i < 4 * LIMIT_CHECKED_RUNS; i++) {
		other.inode = i;
		known += checked_known(c, &other, 0, BLOCK, 0) == BLOCK;
	}
	OK(known > LIMIT_CHECKED_RUNS / 2 && known <= LIMIT_CHECKED_RUNS,
		"of too many some are known: %u", known);
	checked_free(c);
}

static void identities(void)
{
	char path[] = "/tmp/postern-test-XXXXXX";
	struct checked_file before;
	struct checked_file after;
	struct stat st;
	int fd = mkstemp(path);
	if (fd < 0 || write(fd, "bytes", 5) != 5 || fstat(fd, &st) != 0)
		exit(1);
	int64_t written_ns = (int64_t)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec;
	OK(!checked_identify(fd, written_ns + 1000000, &before), "one that was just written");
	OK(checked_identify(fd, written_ns + INT64_C(2000000000), &before), "is known later");
	(void)usleep(20000);
	OK(pwrite(fd, "B", 1, 2) == 1, "a byte is changed");
	OK(checked_identify(fd, INT64_MAX, &after), "it is known");
	OK(after.changed_ns != before.changed_ns && after.inode == before.inode, "as another");
	(void)close(fd);
	OK(!checked_identify(fd, INT64_MAX, &after), "what is not open is no file");
	(void)unlink(path);
}

int main(void)
{
	blocks();
	times();
	other_files();
	identities();
	return tap_done();
}
