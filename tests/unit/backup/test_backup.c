/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Backups of a store that is written to and collected all the while: what was acknowledged before
 * one began, and not changed since, is in what is restored of it; what was deleted before is not.
 */
#include "backup/backup.h"

#include <stdatomic.h>

#include "backup/restore.h"
#include "base/limits.h"
#include "store/local/local.h"
#include "tap.h"
#include "unit/store/folder.h"
#include "unit/store/versions.h"

enum {
	ROUNDS = 8,
	STABLE = 24, /* objects of each kind that are kept for a round, and then deleted */
	SMALL = 90000,
	LARGE = LIMIT_INLINE_BYTES + 70000,
	KEYS = 20, /* that the writers change */
	WRITERS = 2,
};

static char folder[FOLDER_PATH_MAX];
static char data[FOLDER_PATH_MAX + 16];
static char copy[FOLDER_PATH_MAX + 16];
static char restored[FOLDER_PATH_MAX + 16];

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

/* Bytes that are nobody else's. */
static struct slice content(char *to, size_t len, unsigned seed)
{
	uint32_t state = seed * 2654435761U + 1;
	for (size_t i = 0; i < len; i++) {
		state = state * 1664525U + 1013904223U;
		to[i] = (char)(state >> 24);
	}
	return slice_of(to, len);
}

static struct slice key_of(char *to, const char *kind, unsigned round, unsigned i)
{
	return slice_of(to, (size_t)snprintf(to, 32, "%s-%u-%u", kind, round, i));
}

/* ---- Whoever writes meanwhile ---------------------------------------------------------------- */

struct writer {
	struct store *s;
	uint64_t bucket;
	unsigned number;
	atomic_bool *stop;
	pthread_t thread;
	unsigned failed;
	char bytes[LARGE];
};

static enum err put_parts(struct store *s, uint64_t bucket, struct slice key, struct slice bytes)
{
	uint64_t upload;
	enum err e = upload_begin(s, bucket, key, S(""), &upload);
	for (unsigned part = 1; part <= 2 && e == ERR_OK; part++)
		e = put_part(s, bucket, key, upload, part, bytes, NULL);
	struct store_multipart_complete complete = {
		.bucket_id = bucket, .key = key, .upload = upload};
	return e == ERR_OK ? upload_complete(s, &complete) : e;
}

static void *write_for_long(void *arg)
{
	struct writer *w = arg;
	char key[32];
	for (unsigned i = 0; !*w->stop; i++) {
		struct slice name = key_of(key, "changed", w->number, i % KEYS);
		enum err e;
		if (i % 7 == 3)
			e = delete_object(w->s, w->bucket, name, NULL);
		else if (i % 7 == 5)
			e = put_parts(w->s, w->bucket, name, content(w->bytes, LARGE, i));
		else
			e = put_object(w->s, w->bucket, name,
				content(w->bytes, i % 5 == 4 ? LARGE : SMALL, i), NULL);
		w->failed += e != ERR_OK;
	}
	return NULL;
}

/* ---- What must be there ---------------------------------------------------------------------- */

static char bytes[2 * LARGE];

/* Of parts, and of pieces, these are two. */
static struct slice twice(size_t len, unsigned seed)
{
	(void)content(bytes, len, seed);
	memcpy(bytes + len, bytes, len);
	return slice_of(bytes, 2 * len);
}

static bool put_stable(struct store *s, uint64_t bucket, unsigned round)
{
	char key[32];
	bool ok = true;
	for (unsigned i = 0; i < STABLE && ok; i++)
		ok = put_object(s, bucket, key_of(key, "small", round, i),
			     content(bytes, SMALL, i + round), NULL) == ERR_OK;
	for (unsigned i = 0; i < 3 && ok; i++) {
		ok = put_object(s, bucket, key_of(key, "large", round, i),
			     content(bytes, LARGE, i + round), NULL) == ERR_OK &&
		     put_parts(s, bucket, key_of(key, "parts", round, i),
			     content(bytes, LARGE, i + round)) == ERR_OK;
		struct slice name = key_of(key, "pieces", round, i);
		for (unsigned piece = 0; piece < 2 && ok; piece++)
			ok = append(s, bucket, name, (uint64_t)piece * LARGE,
				     content(bytes, LARGE, i + round), NULL) == ERR_OK;
	}
	return ok;
}

static bool stable_is(struct store *s, uint64_t bucket, unsigned round)
{
	char key[32];
	bool ok = true;
	for (unsigned i = 0; i < STABLE; i++)
		ok = object_is(s, bucket, key_of(key, "small", round, i),
			     content(bytes, SMALL, i + round)) &&
		     ok;
	for (unsigned i = 0; i < 3; i++)
		ok = object_is(s, bucket, key_of(key, "large", round, i),
			     content(bytes, LARGE, i + round)) &&
		     object_is(
			     s, bucket, key_of(key, "parts", round, i), twice(LARGE, i + round)) &&
		     object_is(
			     s, bucket, key_of(key, "pieces", round, i), twice(LARGE, i + round)) &&
		     ok;
	return ok;
}

static bool delete_or_look(struct store *s, uint64_t bucket, unsigned round, bool deletes)
{
	static const char *const kinds[] = {"small", "large", "parts", "pieces"};
	char key[32];
	bool ok = true;
	for (unsigned i = 0; i < STABLE * ARRAY_LEN(kinds); i++) {
		struct slice name = key_of(key, kinds[i % ARRAY_LEN(kinds)], round, i / 4);
		ok = (deletes ? delete_object(s, bucket, name, NULL) == ERR_OK
			      : head_object(s, bucket, name) == ERR_NO_SUCH_KEY) &&
		     ok;
	}
	return ok;
}

static struct backup_result back_up(void)
{
	struct backup_result result;
	const struct backup_options options = {.data = data, .destination = copy};
	bool ok = backup_make(&options, &result) == ERR_OK && result.damaged == 0;
	OK(ok, "backup %d: %d files, of these %d are new", (int)result.number, (int)result.files,
		(int)result.copied_files);
	return result;
}

static void check_restored(unsigned round)
{
	struct restore_result result;
	const struct restore_options options = {.source = copy, .data = restored};
	bool ok = backup_restore(&options, &result) == ERR_OK && result.damaged == 0 &&
		  result.lost == 0;
	OK(ok, "it is restored: %d objects, %d places lost", (int)result.objects, (int)result.lost);
	struct store *s = open_store(restored);
	uint64_t bucket = bucket_id(s, S("bucket"));
	OK(stable_is(s, bucket, round), "what was there before it began is there");
	if (round > 0)
		OK(delete_or_look(s, bucket, round - 1, false), "what was deleted is not");
	struct store_stats stats;
	store_stats(s, &stats);
	IS_INT((long long)stats.start_damage, 0, "and nothing is damaged");
	store_close(s);
	folder_remove(restored);
}

static void under_load(struct store *s)
{
	static struct writer writers[WRITERS];
	atomic_bool stop;
	atomic_init(&stop, false);
	uint64_t bucket = bucket_id(s, S("bucket"));
	for (unsigned i = 0; i < WRITERS; i++) {
		writers[i].s = s;
		writers[i].bucket = bucket;
		writers[i].number = i;
		writers[i].stop = &stop;
		if (pthread_create(&writers[i].thread, NULL, write_for_long, &writers[i]) != 0)
			abort();
	}
	for (unsigned round = 0; round < ROUNDS; round++) {
		OK(put_stable(s, bucket, round), "round %u", round);
		if (round > 0)
			OK(delete_or_look(s, bucket, round - 1, true), "the round before goes");
		(void)back_up();
		check_restored(round);
	}
	stop = true;
	for (unsigned i = 0; i < WRITERS; i++) {
		(void)pthread_join(writers[i].thread, NULL);
		IS_INT(writers[i].failed, 0, "all changes meanwhile were taken");
	}
}

int main(void)
{
	folder_make(folder);
	(void)snprintf(data, sizeof(data), "%s/data", folder);
	(void)snprintf(copy, sizeof(copy), "%s/copy", folder);
	(void)snprintf(restored, sizeof(restored), "%s/restored", folder);
	struct store *s = open_store(data);
	if (bucket_create(s, S("bucket"), STORE_ACL_PRIVATE) != ERR_OK)
		abort();
	under_load(s);
	uint64_t bucket = bucket_id(s, S("bucket"));
	OK(delete_or_look(s, bucket, ROUNDS - 1, true) && put_stable(s, bucket, ROUNDS),
		"the last changes");
	store_close(s);
	struct backup_result first = back_up();
	struct backup_result second = back_up();
	OK(second.files == first.files && second.bytes == first.bytes, "nothing has changed");
	/* The file `format`, and the last segment. */
	OK(second.copied_files <= 3 && second.copied_bytes < MIB(5),
		"so no more than what might have is copied: %d files", (int)second.copied_files);
	check_restored(ROUNDS);
	folder_remove(folder);
	return tap_done();
}
