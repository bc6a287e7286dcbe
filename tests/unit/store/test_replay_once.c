/* SPDX-License-Identifier: Apache-2.0 */
/* What a start has replayed the next one need not, even if the store is killed. */
#include "base/limits.h"
#include "store/local/index/index.h"
#include "store/local/local.h"
#include "tap.h"
#include "unit/store/blocking.h"
#include "unit/store/folder.h"

static struct store *open_store(const char *path)
{
	struct store *s;
	const struct local_options options = {.path = path, .clock = &clock_system};
	if (local_store_open(&options, &s) != ERR_OK)
		exit(1);
	return s;
}

/* The folder as SIGKILL would leave it now. */
static void copy_folder(const char *from, char *ret_to)
{
	char command[3 * FOLDER_PATH_MAX];
	folder_make(ret_to);
	(void)snprintf(command, sizeof(command), "cp -a %s/. %s/", from, ret_to);
	if (system(command) != 0)
		exit(1);
}

/* Up to which change the index that is on the disk goes. */
static uint64_t sequence_on_disk(const char *path)
{
	char copy[FOLDER_PATH_MAX];
	char name[2 * FOLDER_PATH_MAX];
	struct index *index;
	struct index_state state;
	bool found;
	copy_folder(path, copy);
	(void)snprintf(name, sizeof(name), "%s/index", copy);
	/* One that is copied while it is written may not be whole. */
	bool ok = index_open(name, &index) == ERR_OK;
	if (ok) {
		ok = index_read_state(index, &state, &found) == ERR_OK && found;
		index_close(index);
	}
	folder_remove(copy);
	return ok ? state.sequence : 0;
}

int main(void)
{
	char path[FOLDER_PATH_MAX];
	char killed[FOLDER_PATH_MAX];
	folder_make(path);
	struct store *s = open_store(path);
	if (bucket_create(s, S("bucket"), STORE_ACL_PRIVATE) != ERR_OK)
		return 1;
	uint64_t id = bucket_id(s, S("bucket"));
	OK(put_object(s, id, S("k"), S("bytes"), NULL) == ERR_OK, "an object");
	copy_folder(path, killed);
	store_close(s);
	uint64_t all = sequence_on_disk(path);
	OK(sequence_on_disk(killed) < all, "killed, the index is behind the log");
	s = open_store(killed);
	uint64_t reached = 0;
	for (int64_t until = clock_monotonic_ms() + 60000;
		reached < all && clock_monotonic_ms() < until;) {
		reached = sequence_on_disk(killed);
		(void)usleep(20000);
	}
	IS_INT(reached, all, "after a start it comes to the disk by itself");
	OK(object_is(s, id, S("k"), S("bytes")), "the object is there");
	store_close(s);
	folder_remove(killed);
	folder_remove(path);
	return tap_done();
}
