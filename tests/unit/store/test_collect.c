/* SPDX-License-Identifier: Apache-2.0 */
/* The collector gives space back, loses nothing, and takes nothing from a reader. */
#include <inttypes.h>

#include "base/limits.h"
#include "store/local/local.h"
#include "tap.h"
#include "unit/store/blocking.h"
#include "unit/store/folder.h"

enum {
	OBJECTS = 200,
	OBJECT_BYTES = 100000, /* about forty in a segment */
	KEEP_EACH = 5,
};

static char bytes[OBJECT_BYTES];

static struct slice object_bytes(unsigned i)
{
	memset(bytes, (int)(i % 251), sizeof(bytes));
	return slice_of(bytes, sizeof(bytes) - i);
}

static struct slice object_key(unsigned i)
{
	static char text[16];
	return slice_of(text, (size_t)snprintf(text, sizeof(text), "k%03u", i));
}

/* Waits for the background, for as long as it may take. */
static bool shrinks_to(const char *path, uint64_t disk_bytes)
{
	for (int64_t end = clock_monotonic_ms() + 60000; clock_monotonic_ms() < end;) {
		if (folder_count(path, "segments").disk_bytes <= disk_bytes)
			return true;
		(void)usleep(2000);
	}
	return false;
}

static bool survivors_are_whole(struct store *s, uint64_t id)
{
	bool ok = true;
	for (unsigned i = 0; i < OBJECTS; i++)
		ok = (i % KEEP_EACH == 0 ? object_is(s, id, object_key(i), object_bytes(i))
					 : head_object(s, id, object_key(i)) == ERR_NO_SUCH_KEY) &&
		     ok;
	return ok;
}

int main(void)
{
	char path[FOLDER_PATH_MAX];
	folder_make(path);
	struct local_options options = {.path = path,
		.clock = &clock_system,
		.segment_bytes = MIB(4),
		.gc_bytes_per_second = GIB(1),
		.gc_interval_ms = 5};
	struct store *s;
	if (local_store_open(&options, &s) != ERR_OK)
		return 1;
	bool ok = bucket_create(s, S("bucket"), STORE_ACL_PRIVATE) == ERR_OK;
	uint64_t id = bucket_id(s, S("bucket"));
	struct put_how how = {.headers = S("A: b\r\n")};
	for (unsigned i = 0; i < OBJECTS; i++)
		ok = put_object(s, id, object_key(i), object_bytes(i), &how) == ERR_OK && ok;
	struct store_get dead;
	struct store_get moved;
	ok = get_begin(s, id, object_key(1), false, &dead) == ERR_OK &&
	     get_begin(s, id, object_key(KEEP_EACH), false, &moved) == ERR_OK && ok;
	OK(ok, "objects in several segments, two of which are being read");
	struct folder_count full = folder_count(path, "segments");
	for (unsigned i = 0; i < OBJECTS; i++)
		if (i % KEEP_EACH)
			ok = delete_object(s, id, object_key(i), NULL) == ERR_OK && ok;
	OK(ok, "most are deleted");
	/* A fifth is live, and the active segment may have taken blocks ahead. */
	OK(shrinks_to(path, full.disk_bytes / 5 + MIB(9)), "the space comes back");
	OK(survivors_are_whole(s, id), "what was not deleted is whole");
	char *got = blob_read(&dead.blob);
	OK(got && slice_eq(slice_of(got, dead.blob.size), object_bytes(1)),
		"a reader still reads what was deleted");
	free(got);
	store_get_release(s, &dead);
	got = blob_read(&moved.blob);
	OK(got && slice_eq(slice_of(got, moved.blob.size), object_bytes(KEEP_EACH)),
		"and what was moved");
	free(got);
	store_get_release(s, &moved);
	struct store_get get;
	ok = get_begin(s, id, object_key(0), false, &get) == ERR_OK;
	OK(ok && slice_eq(get.object.headers, S("A: b\r\n")), "headers move along");
	if (ok)
		store_get_release(s, &get);
	struct store_stats stats;
	store_stats(s, &stats);
	IS_INT(stats.objects, OBJECTS / KEEP_EACH, "the count is right");
	store_close(s);
	if (local_store_open(&options, &s) != ERR_OK)
		return 1;
	OK(survivors_are_whole(s, id), "also after opening again");
	for (unsigned i = 0; i < OBJECTS; i += KEEP_EACH)
		ok = delete_object(s, id, object_key(i), NULL) == ERR_OK && ok;
	OK(ok && shrinks_to(path, MIB(9)), "without objects there is next to nothing");
	store_stats(s, &stats);
	OK(stats.objects == 0 && stats.bytes == 0, "and it counts nothing");
	store_close(s);
	folder_remove(path);
	return tap_done();
}
