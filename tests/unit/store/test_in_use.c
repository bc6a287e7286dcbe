/* SPDX-License-Identifier: Apache-2.0 */
/* Checking a folder that a store is writing to: nothing that it does is taken for damage. */
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/limits.h"
#include "store/local/local.h"
#include "tap.h"
#include "unit/store/checked.h"
#include "unit/store/cut_log.h"
#include "unit/store/versions.h"

enum {
	SMALL = 120000, /* about thirty in a segment */
	LARGE = LIMIT_INLINE_BYTES + 100000,
	KEYS = 20,
};

static char bytes[LARGE];

static void fill(void)
{
	uint32_t x = 99;
	for (size_t i = 0; i < LARGE; i++) {
		x = x * 1664525 + 1013904223;
		bytes[i] = (char)(x >> 24);
	}
}

struct writer {
	struct store *s;
	uint64_t id;
	atomic_bool stop;
	atomic_uint rounds;
	bool failed;
};

/* Puts, deletes, and uploads in parts that are completed or aborted. */
static bool write_some(struct writer *w, unsigned i)
{
	char key[16];
	uint64_t upload;
	struct slice name = slice_of(key, (size_t)snprintf(key, sizeof(key), "k%u", i % KEYS));
	struct slice all = slice_of(bytes, i % 3 ? SMALL - i % 100 : LARGE - i % 100);
	if (put_object(w->s, w->id, name, all, NULL) != ERR_OK ||
		upload_begin(w->s, w->id, name, S(""), &upload) != ERR_OK ||
		put_part(w->s, w->id, name, upload, 1, all, NULL) != ERR_OK)
		return false;
	if (i % 2)
		return upload_abort(w->s, w->id, name, upload) == ERR_OK &&
		       delete_object(w->s, w->id, name, NULL) == ERR_OK;
	struct store_multipart_complete complete = {
		.bucket_id = w->id, .key = name, .upload = upload};
	return upload_complete(w->s, &complete) == ERR_OK;
}

static void *write_on(void *arg)
{
	struct writer *w = arg;
	while (!w->stop && !w->failed)
		w->failed = !write_some(w, w->rounds++);
	return NULL;
}

static enum err check(const char *path, struct fsck_result *ret,
	void (*found)(const struct fsck_finding *finding, void *ctx), void *ctx)
{
	const char *temp = getenv("TMPDIR");
	return fsck(
		&(struct fsck_options){
			.path = path, .temp = temp ? temp : "/tmp", .found = found, .ctx = ctx},
		ret);
}

/* The line of what is found last. */
static void note(const struct fsck_finding *finding, void *ctx)
{
	(void)snprintf(ctx, 200, "%.*s/%.*s %s %s", SLICE_FMT(finding->bucket),
		SLICE_FMT(finding->key), finding->file, finding->what);
}

static void flip(const char *path, off_t at)
{
	unsigned char byte;
	int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 || pread(fd, &byte, 1, at) != 1)
		abort();
	byte ^= 0x10;
	if (pwrite(fd, &byte, 1, at) != 1 || close(fd) != 0)
		abort();
}

int main(void)
{
	char path[FOLDER_PATH_MAX];
	char file[2 * FOLDER_PATH_MAX];
	char text[200] = "";
	struct fsck_result result;
	pthread_t thread;
	unsigned checks = 0;
	fill();
	folder_make(path);
	const struct local_options options = {.path = path,
		.clock = &clock_system,
		.segment_bytes = MIB(4),
		.gc_interval_ms = 1,
		.gc_bytes_per_second = UINT64_C(1) << 40,
		.scrub_bytes_per_second = UINT64_C(1) << 40,
		.scrub_interval_ms = 1};
	struct writer w = {.rounds = 0};
	bool ok = local_store_open(&options, &w.s) == ERR_OK &&
		  bucket_create(w.s, S("bucket"), STORE_ACL_PRIVATE) == ERR_OK;
	if (!ok)
		abort();
	w.id = bucket_id(w.s, S("bucket"));
	ok = put_object(w.s, w.id, S("large"), slice_of(bytes, LARGE), NULL) == ERR_OK &&
	     pthread_create(&thread, NULL, write_on, &w) == 0;
	unsigned clean = 0;
	unsigned in_use = 0;
	uint64_t segment = 0;
	bool goes_on = true;
	/* Some, and at least one behind the first segment. */
	for (; checks < (UNDER_TSAN || UNDER_ASAN ? 3 : 8) || segment < 2; checks++) {
		unsigned before = w.rounds;
		clean += check(path, &result, checked_tell, NULL) == ERR_OK && result.findings == 0;
		in_use += result.is_in_use && result.is_compared && result.objects > 0;
		goes_on = goes_on && result.segment >= segment;
		segment = result.segment;
		/* So that the next is of another position. */
		while (w.rounds < before + 4 && !w.failed)
			(void)usleep(1000);
		if (w.failed)
			break;
	}
	OK(ok && !w.failed, "a store is written to");
	IS_INT(clean, checks, "each check of it finds nothing");
	IS_INT(in_use, checks, "and is of one position of the log, with the index");
	OK(goes_on && segment > 1, "which goes on");
	(void)snprintf(file, sizeof(file), "%s/large/%013x/%016x", path, 0, 1);
	flip(file, LARGE / 2);
	OK(check(path, &result, note, text) == ERR_OK && result.findings == 1 &&
			strstr(text, "bucket/large large/0000000000000/0000000000000001 a block"),
		"what is damaged is found, with its key");
	flip(file, LARGE / 2);
	w.stop = true;
	(void)pthread_join(thread, NULL);
	store_close(w.s);
	OK(checked_clean(path), "the folder is clean");
	OK(check(path, &result, checked_tell, NULL) == ERR_OK && !result.is_in_use &&
			result.is_compared,
		"and not in use then");
	folder_remove(path);
	return tap_done();
}
