/* SPDX-License-Identifier: Apache-2.0 */
/* Files and parts that are no object's any more. */
#include <inttypes.h>

#include "base/log.h"
#include "store/local/disk/bytes.h"
#include "store/local/disk/files.h"
#include "store/local/gc/gc_internal.h"
#include "store/local/large/large.h"

enum {
	AT_ONCE = 256
};

/* ---- Files of large objects ------------------------------------------------------------------ */

struct trash {
	size_t count;
	uint64_t file[AT_ONCE];
	uint64_t size[AT_ONCE];
};

static bool note_trash(uint64_t file, uint64_t size, void *ctx)
{
	struct trash *trash = ctx;
	trash->file[trash->count] = file;
	trash->size[trash->count++] = size;
	return trash->count < AT_ONCE;
}

/* Removes the files that are in the trash, and forgets them. */
static void empty_trash(struct gc *gc)
{
	struct trash trash;
	enum err e;
	do {
		if (!gc_begin_removal(gc))
			return;
		trash.count = 0;
		e = index_each_number(gc->local->index, KEY_TRASH, note_trash, &trash);
		for (size_t i = 0; i < trash.count && e == ERR_OK; i++) {
			int error = large_files_remove(gc->local->files, trash.file[i]);
			if (error) {
				log_error("store: cannot remove large object %016" PRIx64 ": %s",
					trash.file[i], files_text(error));
				e = files_err(error);
				break;
			}
			e = chore_send_number(
				gc, MUTATION_FORGET_FILE, trash.file[i], trash.size[i]);
		}
		removals_end(gc->local->lock);
		enum err sent = chore_finish(gc);
		e = e == ERR_OK ? sent : e;
	} while (e == ERR_OK && trash.count == AT_ONCE && !gc_stopping(gc));
}

/* ---- Part lists ------------------------------------------------------------------------------ */

struct dead {
	struct part_pins *pins;
	size_t count;
	uint64_t list[AT_ONCE];
};

static bool note_dead(uint64_t list, uint64_t value UNUSED, void *ctx)
{
	struct dead *dead = ctx;
	/* Nobody takes hold of a dead part list that is not held. */
	if (!part_pins_any(dead->pins, list))
		dead->list[dead->count++] = list;
	return dead->count < AT_ONCE;
}

/* Forgets some parts of a part list; *ret_more says whether there may be others. */
static enum err forget_parts(struct gc *gc, uint64_t list, bool *ret_more)
{
	struct key prefix;
	key_number(&prefix, KEY_PART, list);
	return chores_for_numbers(gc, &prefix, MUTATION_FORGET_PART, list, ret_more);
}

/* Takes apart what nobody reads; files of parts go to the trash. */
static void empty_part_lists(struct gc *gc)
{
	struct dead dead = {.pins = gc->local->part_pins};
	enum err e;
	do {
		dead.count = 0;
		e = index_each_number(gc->local->index, KEY_DEAD_PART_LIST, note_dead, &dead);
		for (size_t i = 0; i < dead.count && e == ERR_OK && !gc_stopping(gc); i++) {
			bool more = true;
			while (more && e == ERR_OK && !gc_stopping(gc))
				e = forget_parts(gc, dead.list[i], &more);
			if (!more && e == ERR_OK)
				e = chore_send_number(
					gc, MUTATION_FORGET_PART_LIST, dead.list[i], 0);
		}
		enum err sent = chore_finish(gc);
		e = e == ERR_OK ? sent : e;
	} while (e == ERR_OK && dead.count == AT_ONCE && !gc_stopping(gc));
}

void garbage_remove(struct gc *gc)
{
	empty_part_lists(gc);
	empty_trash(gc);
}
