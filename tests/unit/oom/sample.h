/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A data folder in which there is one of everything: what a program that makes allocations fail
 * copies, and looks for afterwards.
 */
#ifndef TESTS_UNIT_OOM_SAMPLE_H
#define TESTS_UNIT_OOM_SAMPLE_H

#include <fcntl.h>

#include "base/limits.h"
#include "store/local/local.h"
#include "store/local/state/removals.h"
#include "unit/store/folder.h"
#include "unit/store/versions.h"

enum {
	SAMPLE_LARGE = LIMIT_INLINE_BYTES + 7000,
	SAMPLE_SMALL = 300000,
	SAMPLE_KEYS = 10, /* small objects; with what was put in their place two segments */
};

static char sample_bytes[2 * SAMPLE_LARGE];

static inline enum err sample_open_with(
	const char *path, unsigned gc_interval_ms, struct store **ret)
{
	const struct local_options options = {.path = path,
		.clock = &clock_system,
		.segment_bytes = MIB(4),
		.gc_bytes_per_second = GIB(1),
		.gc_interval_ms = gc_interval_ms};
	return local_store_open(&options, ret);
}

/* The collector looks around once, and then not any more. */
static inline enum err sample_open(const char *path, struct store **ret)
{
	return sample_open_with(path, 3600000, ret);
}

static inline struct slice sample_content(size_t len, char with)
{
	memset(sample_bytes, with, len);
	return slice_of(sample_bytes, len);
}

static inline struct slice sample_key(char *to, unsigned i)
{
	return slice_of(to, (size_t)snprintf(to, 16, "small-%u", i));
}

static inline bool sample_put_small(struct store *s, uint64_t id, char with)
{
	char key[16];
	bool ok = true;
	for (unsigned i = 0; i < SAMPLE_KEYS && ok; i++)
		ok = put_object(s, id, sample_key(key, i),
			     sample_content(SAMPLE_SMALL, (char)(with + (int)i)), NULL) == ERR_OK;
	return ok;
}

static inline bool sample_put_versions(struct store *s)
{
	bool ok = bucket_create(s, S("versions"), STORE_ACL_PUBLIC_READ) == ERR_OK;
	uint64_t id = bucket_id(s, S("versions"));
	ok = ok && put_object(s, id, S("k"), S("null"), NULL) == ERR_OK &&
	     set_versioning(s, S("versions"), STORE_VERSIONED) == ERR_OK &&
	     put_object(s, id, S("k"), S("one"), NULL) == ERR_OK &&
	     put_object(s, id, S("k"), sample_content(SAMPLE_LARGE, 'v'), NULL) == ERR_OK &&
	     put_object(s, id, S("marked"), S("two"), NULL) == ERR_OK &&
	     delete_object(s, id, S("marked"), NULL) == ERR_OK;
	return ok;
}

static inline bool sample_put_parts(struct store *s, uint64_t id)
{
	uint64_t upload;
	bool ok = true;
	/* The first is completed. */
	for (unsigned i = 0; i < 2 && ok; i++) {
		struct slice key = i == 0 ? S("parts") : S("unfinished");
		ok = upload_begin(s, id, key, S("A: parts\r\n"), &upload) == ERR_OK;
		for (unsigned part = 1; part <= 2 && ok; part++)
			ok = put_part(s, id, key, upload, part,
				     sample_content(part == 1 ? SAMPLE_LARGE : 500, 'p'),
				     NULL) == ERR_OK;
		struct store_multipart_complete complete = {
			.bucket_id = id, .key = key, .upload = upload};
		if (ok && i == 0)
			ok = upload_complete(s, &complete) == ERR_OK;
	}
	return ok;
}

static inline bool sample_put_all(struct store *s)
{
	struct store_bucket_update cors = {.name = S("plain"),
		.set_setting = true,
		.setting = STORE_SETTING_CORS,
		.value = S("<CORSConfiguration/>")};
	bool ok = bucket_create(s, S("plain"), STORE_ACL_PRIVATE) == ERR_OK &&
		  bucket_change(s, cors) == ERR_OK &&
		  bucket_create(s, S("gone"), STORE_ACL_PRIVATE) == ERR_OK &&
		  bucket_delete(s, S("gone")) == ERR_OK && sample_put_versions(s);
	uint64_t id = bucket_id(s, S("plain"));
	struct store_metadata_update change = {
		.bucket_id = id, .key = S("large"), .set_tags = true, .tags = S("a=b")};
	ok = ok && sample_put_small(s, id, 'A') &&
	     put_object(s, id, S("large"), sample_content(SAMPLE_LARGE, 'l'), NULL) == ERR_OK &&
	     object_change(s, &change) == ERR_OK &&
	     put_object(s, id, S("deleted"), sample_content(SAMPLE_LARGE, 'd'), NULL) == ERR_OK &&
	     delete_object(s, id, S("deleted"), NULL) == ERR_OK && sample_put_parts(s, id) &&
	     append(s, id, S("pieces"), 0, S("first,"), NULL) == ERR_OK &&
	     append(s, id, S("pieces"), 6, S("second"), NULL) == ERR_OK;
	return ok && sample_put_small(s, id, 'a');
}

/* NULL, or what is not as it was put there. */
static inline const char *sample_missing(struct store *s)
{
	uint64_t id = bucket_id(s, S("plain"));
	uint64_t versions = bucket_id(s, S("versions"));
	char key[16];
	for (unsigned i = 0; i < SAMPLE_KEYS; i++)
		if (!object_is(s, id, sample_key(key, i),
			    sample_content(SAMPLE_SMALL, (char)('a' + (int)i))))
			return "a small object";
	if (!object_is(s, id, S("large"), sample_content(SAMPLE_LARGE, 'l')))
		return "the large object";
	(void)sample_content(SAMPLE_LARGE + 500, 'p');
	if (!object_is(s, id, S("parts"), slice_of(sample_bytes, SAMPLE_LARGE + 500)))
		return "the object of parts";
	if (!object_is(s, id, S("pieces"), S("first,second")))
		return "the appendable object";
	if (head_object(s, id, S("deleted")) != ERR_NO_SUCH_KEY || bucket_id(s, S("gone")))
		return "that what was deleted is not there";
	if (!object_is(s, versions, S("k"), sample_content(SAMPLE_LARGE, 'v')) ||
		!version_is(s, versions, S("k"), null_version(), S("null")))
		return "a version";
	if (head_object(s, versions, S("marked")) != ERR_NO_SUCH_KEY)
		return "the marker";
	struct store_bucket_stats stats;
	bucket_stats(s, id, &stats);
	if (stats.objects != SAMPLE_KEYS + 3 || stats.uploads != 1 ||
		stats.part_bytes != SAMPLE_LARGE + 500)
		return "a count";
	bucket_stats(s, versions, &stats);
	if (stats.objects != 1 || stats.old_versions != 4)
		return "a count of versions";
	return NULL;
}

/* Folders, and what is in them; ends the program if it cannot. */
static inline void sample_copy(const char *from, const char *to)
{
	char command[3 * FOLDER_PATH_MAX];
	(void)snprintf(command, sizeof(command), "cp -a --sparse=always %s %s", from, to);
	if (system(command) != 0)
		abort();
}

/*
 * Makes two: the folder of a store that was closed, and that of one whose process was killed, which
 * has all in its log, and next to nothing in its index.
 */
static inline void sample_make(const char *closed, const char *killed)
{
	struct store *s;
	if (sample_open(closed, &s) != ERR_OK || !sample_put_all(s))
		abort();
	/* As for a backup: else the collector may remove what is being copied. */
	char name[2 * FOLDER_PATH_MAX];
	(void)snprintf(name, sizeof(name), "%s/lock", closed);
	int lock = open(name, O_RDWR | O_CLOEXEC);
	if (lock < 0 || removals_forbid(lock) != 0)
		abort();
	sample_copy(closed, killed);
	(void)close(lock);
	if (sample_missing(s))
		abort();
	store_close(s);
}

#endif
