/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store in operation, and its collector, while memory runs out; RocksDB's own does not (oom.h).
 * What was acknowledged is there, what failed is as it was before, and once there is memory again
 * the space of all that was deleted comes back.
 */
#include <unistd.h>

#include "unit/oom/oom.h"
#include "unit/oom/sample.h"
#include "unit/store/checked.h"
#include "unit/store/rows.h"

static char folder[FOLDER_PATH_MAX];
static char closed[FOLDER_PATH_MAX + 16];
static char killed[FOLDER_PATH_MAX + 16];
static char data[FOLDER_PATH_MAX + 16]; /* of the case */

/* ---- Changes that leave garbage -------------------------------------------------------------- */

static bool put_and_delete_large(struct store *s, uint64_t id)
{
	return put_object(s, id, S("extra"), sample_content(SAMPLE_LARGE, 'x'), NULL) == ERR_OK &&
	       delete_object(s, id, S("extra"), NULL) == ERR_OK;
}

static bool begin_and_abort(struct store *s, uint64_t id)
{
	uint64_t upload;
	return upload_begin(s, id, S("aborted"), S(""), &upload) == ERR_OK &&
	       put_part(s, id, S("aborted"), upload, 1, S("in the log"), NULL) == ERR_OK &&
	       put_part(s, id, S("aborted"), upload, 2, sample_content(SAMPLE_LARGE, 'y'), NULL) ==
		       ERR_OK &&
	       upload_abort(s, id, S("aborted"), upload) == ERR_OK;
}

/* What was deleted or replaced takes no space, in the end. */
static bool space_comes_back(struct store *s)
{
	bool ok = rows_settle(s);
	for (int64_t end = clock_monotonic_ms() + 60000;
		ok && folder_count(data, "segments").files > 2;) {
		ok = clock_monotonic_ms() < end;
		(void)usleep(2000);
	}
	return ok;
}

/* With memory. A change that failed can be made. */
static void clear_up(struct oom_answer *answer, struct store *s, uint64_t id)
{
	struct store_list_multiparts list = {.bucket_id = id, .max_uploads = 100};
	oom_check(answer, delete_object(s, id, S("extra"), NULL) == ERR_OK, "a delete");
	oom_check(answer, list_uploads(s, &list) == ERR_OK, "the uploads are listed");
	for (uint32_t i = 0; i < list.count; i++)
		if (slice_eq(list.uploads[i].key, S("aborted")))
			oom_check(answer,
				upload_abort(s, id, S("aborted"), list.uploads[i].upload) == ERR_OK,
				"an upload is aborted");
	store_list_multiparts_release(s, &list);
}

static void collect(struct oom_answer *answer)
{
	struct store *s;
	oom_pause();
	sample_copy(closed, data);
	if (sample_open_with(data, 2, &s) != ERR_OK)
		abort();
	uint64_t id = bucket_id(s, S("plain"));
	oom_resume();
	bool all = put_and_delete_large(s, id);
	all = begin_and_abort(s, id) && all;
	/* The same again, twice. */
	for (unsigned i = 0; i < 2; i++)
		all = sample_put_small(s, id, 'a') && all;
	oom_pause();
	(void)oom_done(answer, "changes", all ? ERR_OK : ERR_UNAVAILABLE);
	clear_up(answer, s, id);
	const char *missing = sample_missing(s);
	oom_check(answer, missing == NULL, missing);
	oom_check(answer, space_comes_back(s), "the space comes back");
	store_close(s);
	oom_check(answer, checked_clean(data), "it is sound");
	if (sample_open(data, &s) != ERR_OK)
		abort();
	missing = sample_missing(s);
	oom_check(answer, missing == NULL, missing);
	store_close(s);
	folder_remove(data);
	oom_resume();
}

/* ---- Reading --------------------------------------------------------------------------------- */

static void say_list(struct oom_answer *answer, struct store *s, uint64_t id, bool versions)
{
	struct store_list list = {.bucket_id = id, .max_entries = 100, .versions = versions};
	enum err e = list_objects(s, &list);
	if (!oom_done(answer, "a list", e))
		return;
	for (uint32_t i = 0; i < list.count; i++)
		oom_say(answer, "%.*s ", SLICE_FMT(list.entries[i].key));
	store_list_release(s, &list);
}

static void say_object(
	struct oom_answer *answer, struct store *s, uint64_t id, struct slice key, bool head_only)
{
	struct store_get get;
	enum err e = get_begin(s, id, key, head_only, &get);
	if (!oom_done(answer, "an object", e))
		return;
	oom_say(answer, "%d [%.*s]", (int)get.object.size, SLICE_FMT(get.object.headers));
	store_get_release(s, &get);
}

static void say_uploads(struct oom_answer *answer, struct store *s, uint64_t id)
{
	struct store_list_multiparts list = {.bucket_id = id, .max_uploads = 100};
	if (!oom_done(answer, "uploads", list_uploads(s, &list)))
		return;
	for (uint32_t i = 0; i < list.count; i++)
		oom_say(answer, "%.*s ", SLICE_FMT(list.uploads[i].key));
	store_list_multiparts_release(s, &list);
}

static struct store *kept_open;

static void read_all(struct oom_answer *answer)
{
	oom_pause();
	uint64_t id = bucket_id(kept_open, S("plain"));
	uint64_t versions = bucket_id(kept_open, S("versions"));
	oom_resume();
	say_list(answer, kept_open, id, false);
	say_list(answer, kept_open, versions, true);
	say_uploads(answer, kept_open, id);
	say_object(answer, kept_open, id, S("large"), false);
	say_object(answer, kept_open, id, S("parts"), false);
	say_object(answer, kept_open, id, S("small-1"), false);
	say_object(answer, kept_open, versions, S("k"), true);
}

static const struct oom_case cases[] = {
	{"changes, and the collector", collect},
	{"lists and objects", read_all},
};

int main(void)
{
	folder_make(folder);
	(void)snprintf(closed, sizeof(closed), "%s/closed", folder);
	(void)snprintf(killed, sizeof(killed), "%s/killed", folder);
	(void)snprintf(data, sizeof(data), "%s/data", folder);
	sample_make(closed, killed);
	if (sample_open(killed, &kept_open) != ERR_OK)
		abort();
	int status = oom_run_store(cases, ARRAY_LEN(cases));
	store_close(kept_open);
	folder_remove(folder);
	return status;
}
