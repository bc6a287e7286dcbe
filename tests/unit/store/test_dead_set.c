/* SPDX-License-Identifier: Apache-2.0 */
/* The collector takes a set of parts apart though a key in it is damaged, and keeps no memory. */
#include "store/local/local.h"
#include "store/local/state/local_internal.h"
#include "tap.h"
#include "unit/store/blocking.h"
#include "unit/store/folder.h"

enum {
	SET = 77,
	DAMAGED = 5
};

static char folder[FOLDER_PATH_MAX];

/* A dead set with keys that are too short to name a part. */
static void make_dead_set(void)
{
	char path[2 * FOLDER_PATH_MAX];
	struct index *index;
	struct key key;
	(void)snprintf(path, sizeof(path), "%s/index", folder);
	if (index_open(path, &index) != ERR_OK)
		abort();
	struct index_tx *tx = index_tx_new(index);
	if (!tx)
		abort();
	key_number(&key, KEY_DEAD_PART_LIST, SET);
	index_tx_put_number(tx, &key, 0);
	for (char i = 0; i < DAMAGED; i++) {
		key_number(&key, KEY_PART, SET);
		key_append(&key, slice_of(&i, 1));
		index_tx_put(tx, &key, S("x"));
	}
	if (index_tx_write(tx) != ERR_OK || index_flush(index) != ERR_OK)
		abort();
	index_tx_free(tx);
	index_close(index);
}

static bool set_is_there(struct store *s)
{
	struct index_value value;
	struct key key;
	key_number(&key, KEY_DEAD_PART_LIST, SET);
	if (index_get(local_of(s)->index, &key, false, &value) != INDEX_FOUND)
		return false;
	index_value_release(&value);
	return true;
}

int main(void)
{
	struct store *s;
	folder_make(folder);
	const struct local_options options = {.path = folder, .clock = &clock_system};
	if (local_store_open(&options, &s) != ERR_OK)
		return 1;
	store_close(s);
	make_dead_set();
	if (local_store_open(&options, &s) != ERR_OK)
		return 1;
	while (set_is_there(s))
		(void)usleep(2000);
	OK(true, "the set goes; a sanitizer sees what is left of the damaged keys");
	store_close(s);
	folder_remove(folder);
	return tap_done();
}
