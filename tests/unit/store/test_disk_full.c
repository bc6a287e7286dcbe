/* SPDX-License-Identifier: Apache-2.0 */
/* A small disk, filled to the brim. */
#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

#include "base/limits.h"
#include "store/local/local.h"
#include "tap.h"
#include "unit/store/folder.h"
#include "unit/store/versions.h"

enum {
	SMALL_BYTES = 200000,
	RESERVE_BYTES = 16 << 20,
	EMPTY_DISK_BYTES = 20 << 20, /* segments and index of a store that holds nothing */
};

/* A disk of 64 MiB of memory at `path`, which only this program sees. */
static bool mount_small_disk(const char *path)
{
	if (unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
		return false;
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		return false;
	return mount("tmpfs", path, "tmpfs", 0, "size=64m") == 0;
}

static struct slice key_of(char *to, size_t size, unsigned i)
{
	return slice_of(to, (size_t)snprintf(to, size, "k%u", i));
}

/* Puts objects until one fails, which one; *ret_e says how. */
static unsigned fill(struct store *s, uint64_t id, struct slice bytes, enum err *ret_e)
{
	char text[16];
	unsigned i = 0;
	do
		*ret_e = put_object(s, id, key_of(text, sizeof(text), i++), bytes, NULL);
	while (*ret_e == ERR_OK && i < 10000);
	return i - 1;
}

static bool all_are(struct store *s, uint64_t id, unsigned count, struct slice bytes)
{
	char text[16];
	bool ok = true;
	for (unsigned i = 0; i < count; i++)
		ok = object_is(s, id, key_of(text, sizeof(text), i), bytes) && ok;
	return ok && head_object(s, id, key_of(text, sizeof(text), count)) == ERR_NO_SUCH_KEY;
}

static bool delete_all(struct store *s, uint64_t id, unsigned count)
{
	char text[16];
	bool ok = true;
	for (unsigned i = 0; i < count; i++)
		ok = delete_object(s, id, key_of(text, sizeof(text), i), NULL) == ERR_OK && ok;
	return ok;
}

/* Space comes back in the background; waits until a put succeeds. */
static bool recovers(struct store *s, uint64_t id, struct slice bytes)
{
	for (int64_t end = clock_monotonic_ms() + 60000; clock_monotonic_ms() < end;) {
		enum err e = put_object(s, id, S("again"), bytes, NULL);
		if (e != ERR_DISK_FULL)
			return e == ERR_OK;
		(void)usleep(2000);
	}
	return false;
}

/* Waits until the collector has given back what was deleted, so that the next can fill again. */
static bool settles(struct store *s)
{
	struct store_stats stats;
	for (int64_t end = clock_monotonic_ms() + 60000; clock_monotonic_ms() < end;) {
		store_stats(s, &stats);
		if (stats.disk_bytes <= EMPTY_DISK_BYTES)
			return true;
		(void)usleep(2000);
	}
	return false;
}

/* Takes all the room that is left on the disk, as another program might. */
static void take_the_rest(const char *path)
{
	char name[2 * FOLDER_PATH_MAX];
	static char block[65536];
	(void)snprintf(name, sizeof(name), "%s/other", path);
	memset(block, 'x', sizeof(block));
	FILE *f = fopen(name, "we");
	while (f && fwrite(block, 1, sizeof(block), f) == sizeof(block))
		;
	if (f)
		(void)fclose(f);
}

static void give_back(const char *path)
{
	char name[2 * FOLDER_PATH_MAX];
	(void)snprintf(name, sizeof(name), "%s/other", path);
	(void)unlink(name);
}

/* What is left of the disk. */
static uint64_t free_bytes(const char *path)
{
	struct statvfs vfs;
	return statvfs(path, &vfs) == 0 ? (uint64_t)vfs.f_bavail * vfs.f_frsize : 0;
}

/* Changes without bytes are refused as well, before they eat up the reserve. */
static bool changes_stop(struct store *s, uint64_t id, const char *path)
{
	char tags[8 << 10];
	uint64_t upload;
	enum err e = ERR_OK;
	memset(tags, 'a', sizeof(tags));
	for (unsigned i = 0; i < 10000 && e == ERR_OK; i++) {
		struct store_metadata_update change = {.bucket_id = id,
			.key = S("k0"),
			.set_tags = true,
			.tags = slice_of(tags, sizeof(tags))};
		e = object_change(s, &change);
	}
	/* The collector may give back the records of the earlier ones as fast as they come. */
	bool ok = (e == ERR_DISK_FULL || e == ERR_OK) && free_bytes(path) > RESERVE_BYTES / 2;
	e = ERR_OK;
	for (unsigned i = 0; i < 10000 && e == ERR_OK; i++)
		e = upload_begin(s, id, S("upload"), slice_of(tags, sizeof(tags)), &upload);
	return ok && e == ERR_DISK_FULL && free_bytes(path) > RESERVE_BYTES / 2;
}

/* Aborting them works on a full disk, too. */
static bool abort_uploads(struct store *s, uint64_t id)
{
	struct store_list_multiparts list;
	bool ok = true;
	do {
		list = (struct store_list_multiparts){.bucket_id = id, .max_uploads = 1000};
		ok = list_uploads(s, &list) == ERR_OK && ok;
		for (uint32_t i = 0; i < list.count; i++)
			ok = upload_abort(s, id, list.uploads[i].key, list.uploads[i].upload) ==
				     ERR_OK &&
			     ok;
		store_list_multiparts_release(s, &list);
	} while (ok && list.truncated);
	return ok;
}

static void fill_and_empty(
	const struct local_options *options, struct slice bytes, const char *what)
{
	struct store *s;
	enum err e;
	if (local_store_open(options, &s) != ERR_OK) {
		OK(false, "opens (%s)", what);
		return;
	}
	uint64_t id = bucket_id(s, S("bucket"));
	unsigned count = fill(s, id, bytes, &e);
	IS_INT(e, ERR_DISK_FULL, what);
	OK(count >= 5, "after %u objects (%s)", count, what);
	OK(all_are(s, id, count, bytes),
		"what was told is whole, the one that failed is not there");
	OK(changes_stop(s, id, options->path), "changes of what is known stop, too");
	store_close(s);
	IS_INT(local_store_open(options, &s), ERR_OK, "a full store opens");
	OK(all_are(s, id, count, bytes), "and has all");
	take_the_rest(options->path);
	OK(all_are(s, id, count, bytes), "with no byte left on the disk reading goes on");
	OK(delete_all(s, id, count), "and deletes work");
	OK(abort_uploads(s, id), "and so does aborting");
	give_back(options->path);
	OK(recovers(s, id, bytes), "then there is room again (%s)", what);
	OK(delete_object(s, id, S("again"), NULL) == ERR_OK, "deleted");
	OK(settles(s), "and its space comes back");
	store_close(s);
}

/* Puts objects until `count` are there, waiting for space to come back. */
static unsigned put_again(struct store *s, uint64_t id, struct slice bytes, unsigned count)
{
	char text[16];
	unsigned done = 0;
	for (int64_t end = clock_monotonic_ms() + 60000;
		done < count && clock_monotonic_ms() < end;) {
		struct slice key =
			slice_of(text, (size_t)snprintf(text, sizeof(text), "n%u", done));
		enum err e = put_object(s, id, key, bytes, NULL);
		if (e == ERR_OK)
			done++;
		else if (e == ERR_DISK_FULL)
			(void)usleep(2000);
		else
			break;
	}
	return done;
}

/* Of each segment a fifth is deleted: less than half, but space is short. */
static void a_fifth_comes_back(const struct local_options *options, struct slice bytes)
{
	struct store *s;
	enum err e;
	char text[16];
	bool ok = true;
	if (local_store_open(options, &s) != ERR_OK)
		exit(1);
	uint64_t id = bucket_id(s, S("bucket"));
	unsigned count = fill(s, id, bytes, &e);
	unsigned deleted = 0;
	IS_INT(e, ERR_DISK_FULL, "many small objects fill the disk");
	for (unsigned i = 0; i < count; i += 5, deleted++)
		ok = delete_object(s, id, key_of(text, sizeof(text), i), NULL) == ERR_OK && ok;
	OK(ok, "%u of %u are deleted", deleted, count);
	unsigned again = put_again(s, id, bytes, deleted * 4 / 5);
	OK(again == deleted * 4 / 5, "%u others have room then", again);
	for (unsigned i = 0; i < count && ok; i++) {
		struct slice key = key_of(text, sizeof(text), i);
		ok = i % 5 ? object_is(s, id, key, bytes)
			   : head_object(s, id, key) == ERR_NO_SUCH_KEY;
	}
	OK(ok, "what was kept is there");
	store_close(s);
	IS_INT(local_store_open(options, &s), ERR_OK, "the store opens");
	for (unsigned i = 0; i < count && ok; i++)
		ok = i % 5 == 0 || object_is(s, id, key_of(text, sizeof(text), i), bytes);
	for (unsigned i = 0; i < again && ok; i++)
		ok = delete_object(s, id,
			     slice_of(text, (size_t)snprintf(text, sizeof(text), "n%u", i)),
			     NULL) == ERR_OK;
	OK(ok && delete_all(s, id, count), "with all of that");
	OK(settles(s), "all of which can go");
	store_close(s);
}

/* One segment, which is written to, has all. */
static void active_segment(struct local_options options, struct slice bytes)
{
	struct store *s;
	enum err e;
	options.segment_bytes = MIB(64);
	if (local_store_open(&options, &s) != ERR_OK)
		exit(1);
	uint64_t id = bucket_id(s, S("bucket"));
	unsigned count = fill(s, id, bytes, &e);
	IS_INT(e, ERR_DISK_FULL, "one segment fills the disk");
	OK(delete_all(s, id, count), "all %u are deleted", count);
	OK(recovers(s, id, bytes), "there is room again");
	store_close(s);
	IS_INT(local_store_open(&options, &s), ERR_OK, "the store opens");
	OK(object_is(s, id, S("again"), bytes), "with what was put then");
	OK(delete_object(s, id, S("again"), NULL) == ERR_OK, "deleted");
	store_close(s);
}

int main(void)
{
	char path[FOLDER_PATH_MAX];
	folder_make(path);
	if (!mount_small_disk(path)) {
		printf("ok 1 - a full disk # SKIP no private mounts here: %s\n1..1\n",
			strerrordesc_np(errno));
		(void)rmdir(path);
		return 0;
	}
	struct local_options options = {.path = path,
		.clock = &clock_system,
		.segment_bytes = MIB(4),
		.reserve_bytes = RESERVE_BYTES,
		.gc_bytes_per_second = GIB(1),
		.gc_interval_ms = 5};
	static char bytes[4 << 20];
	struct store *s;
	if (local_store_open(&options, &s) != ERR_OK ||
		bucket_create(s, S("bucket"), STORE_ACL_PRIVATE) != ERR_OK)
		return 1;
	store_close(s);
	memset(bytes, 'b', sizeof(bytes));
	fill_and_empty(&options, slice_of(bytes, SMALL_BYTES), "small objects fill the disk");
	fill_and_empty(&options, slice_of(bytes, sizeof(bytes)), "large objects fill the disk");
	a_fifth_comes_back(&options, slice_of(bytes, 20000));
	active_segment(options, slice_of(bytes, SMALL_BYTES));
	/* Without a reserve this disk, of less than the default one, is as good as any. */
	options.reserve_bytes = 0;
	if (local_store_open(&options, &s) != ERR_OK)
		return 1;
	OK(put_object(s, bucket_id(s, S("bucket")), S("k"), slice_of(bytes, SMALL_BYTES), NULL) ==
			ERR_OK,
		"no reserve is none");
	store_close(s);
	(void)umount2(path, MNT_DETACH);
	(void)rmdir(path);
	return tap_done();
}
