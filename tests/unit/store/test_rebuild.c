/* SPDX-License-Identifier: Apache-2.0 */
/*
 * No number is given again in a store whose index was made anew, though all that had it has gone
 * from the log; and damage in the log is told. (test_same.c has the histories.)
 */
#include "base/limits.h"
#include "store/local/commit/committer.h"
#include "store/local/large/large.h"
#include "store/local/local.h"
#include "tap.h"
#include "unit/store/rows.h"
#include "unit/store/versions.h"

enum {
	LARGE = LIMIT_INLINE_BYTES + 1,
	SMALL = 300000,
	ROUNDS = 60, /* several segments */
};

static char bytes[LARGE];

static struct store *open_store(const char *path)
{
	const struct local_options options = {.path = path,
		.clock = &clock_system,
		.segment_bytes = MIB(4),
		.gc_bytes_per_second = GIB(1),
		.gc_interval_ms = 5};
	struct store *s;
	if (local_store_open(&options, &s) != ERR_OK)
		abort();
	return s;
}

/* What the numbers of a store are. */
struct numbers {
	uint64_t sequence;
	uint64_t file;
	uint64_t segment;
};

static struct numbers numbers_of(struct store *s)
{
	struct index_state state;
	committer_state(local_of(s)->committer, &state);
	return (struct numbers){
		state.sequence, large_files_next(local_of(s)->files), state.segment};
}

static bool is_one_segment(const char *path)
{
	for (int64_t end = clock_monotonic_ms() + 60000; clock_monotonic_ms() < end;) {
		if (folder_count(path, "segments").files == 1)
			return true;
		(void)usleep(2000);
	}
	return false;
}

static void forget_index(const char *path)
{
	char name[2 * FOLDER_PATH_MAX];
	(void)snprintf(name, sizeof(name), "%s/index", path);
	folder_remove(name);
}

/* Makes and deletes objects, large ones first, and a bucket. */
static bool make_and_delete(struct store *s)
{
	uint64_t id = bucket_id(s, S("kept"));
	bool ok = bucket_create(s, S("gone"), STORE_ACL_PRIVATE) == ERR_OK &&
		  bucket_delete(s, S("gone")) == ERR_OK;
	for (unsigned i = 0; i < ROUNDS; i++) {
		size_t len = i < 5 ? LARGE : SMALL;
		ok = put_object(s, id, S("k"), slice_of(bytes, len), NULL) == ERR_OK &&
		     delete_object(s, id, S("k"), NULL) == ERR_OK && ok;
	}
	return ok;
}

static void numbers_go_on(const char *path)
{
	struct rebuild_result result;
	struct store *s = open_store(path);
	bool ok = bucket_create(s, S("kept"), STORE_ACL_PRIVATE) == ERR_OK && make_and_delete(s);
	OK(ok && rows_settle(s) && is_one_segment(path), "all has gone but the end of the log");
	struct numbers before = numbers_of(s);
	uint64_t id = bucket_id(s, S("kept"));
	store_close(s);
	forget_index(path);
	IS_INT(rebuild_index(&(struct rebuild_options){.path = path}, &result), ERR_OK,
		"the index is made anew");
	OK(result.lost == 0 && result.objects == 0 && result.kept[0] == '\0', "without an old one");
	s = open_store(path);
	struct numbers after = numbers_of(s);
	OK(after.sequence == before.sequence && after.segment >= before.segment,
		"sequences and segments go on");
	OK(before.file > 5 && after.file >= before.file, "and so do numbers of files");
	OK(bucket_id(s, S("kept")) == id && bucket_id(s, S("gone")) == 0,
		"the bucket is there, and the other is not");
	OK(bucket_create(s, S("gone"), STORE_ACL_PRIVATE) == ERR_OK &&
			bucket_id(s, S("gone")) >= before.sequence,
		"nor is its number given again");
	store_close(s);
}

static void flip(const char *path, const char *what)
{
	char name[2 * FOLDER_PATH_MAX];
	(void)snprintf(name, sizeof(name), "%s/segments/0000000000000001.seg", path);
	FILE *f = fopen(name, "r+e");
	char *all = malloc(MIB(1));
	size_t got = f && all ? fread(all, 1, MIB(1), f) : 0;
	size_t at = slice_find_slice(slice_of(all, got), slice_str(what));
	if (at == got || fseek(f, (long)at, SEEK_SET) != 0 || fputc('#', f) == EOF)
		abort();
	(void)fclose(f);
	free(all);
}

static void damage_is_told(const char *path)
{
	struct rebuild_result result;
	struct store *s = open_store(path);
	bool ok = bucket_create(s, S("b"), STORE_ACL_PRIVATE) == ERR_OK;
	uint64_t id = bucket_id(s, S("b"));
	ok = put_object(s, id, S("first"), S("one"), NULL) == ERR_OK &&
	     put_object(s, id, S("damaged-name"), S("two"), NULL) == ERR_OK &&
	     put_object(s, id, S("third"), S("three"), NULL) == ERR_OK &&
	     put_object(s, id, S("fourth"), S("older"), NULL) == ERR_OK &&
	     put_object(s, id, S("fourth"), S("damaged-bytes"), NULL) == ERR_OK &&
	     put_object(s, id, S("fifth"), S("five"), NULL) == ERR_OK && ok;
	store_close(s);
	flip(path, "damaged-name");
	flip(path, "damaged-bytes");
	IS_INT(rebuild_index(&(struct rebuild_options){.path = path}, &result), ERR_OK,
		"a log with damaged records");
	OK(ok && result.lost == 1 && result.objects == 4,
		"what is lost is told, and what follows is read");
	OK(slice_eq(slice_str(result.kept), S("index")), "the old index is kept");
	s = open_store(path);
	OK(object_is(s, id, S("first"), S("one")) && object_is(s, id, S("third"), S("three")) &&
			object_is(s, id, S("fifth"), S("five")),
		"what is not damaged is there");
	IS_INT(head_object(s, id, S("damaged-name")), ERR_NO_SUCH_KEY,
		"of what a name was damaged is not");
	IS_INT(head_object(s, id, S("fourth")), ERR_OK, "whose bytes are damaged is known");
	OK(!object_is(s, id, S("fourth"), S("older")), "and nothing older is in its place");
	store_close(s);
}

int main(void)
{
	char path[FOLDER_PATH_MAX];
	folder_make(path);
	numbers_go_on(path);
	folder_remove(path);
	folder_make(path);
	damage_is_told(path);
	folder_remove(path);
	return tap_done();
}
