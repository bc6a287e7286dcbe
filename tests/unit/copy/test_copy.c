/* SPDX-License-Identifier: Apache-2.0 */
/* Copies between stores in memory: what is told, what is passed over, and breaking off. */
#include "copy/copy.h"

#include <stdio.h>

#include "base/limits.h"
#include "store/memory/memory.h"
#include "tap.h"
#include "unit/store/versions.h"

enum {
	VERSIONS = 2500, /* of one key: several pages of a listing */
	KEYS = 300,
	ALL = VERSIONS + KEYS + 1, /* and a large one */
	LARGE = 3 << 20,
	TOLD_BYTES = 1024,
};

static char large_bytes[LARGE];

/* ---- Running --------------------------------------------------------------------------------- */

struct run {
	struct copy_result result;
	char told[TOLD_BYTES]; /* the lines of findings */
	size_t told_len;
	unsigned stop_after; /* looks at the progress; 0: never */
	unsigned looks;
	bool stops[COPY_COMPARES + 1]; /* at the first look in that phase */
};

static void found(const struct copy_finding *finding, void *ctx)
{
	struct run *run = ctx;
	size_t left = sizeof(run->told) - run->told_len;
	int n = snprintf(run->told + run->told_len, left, "%.*s/%.*s %s: %s\n",
		SLICE_FMT(finding->bucket), SLICE_FMT(finding->key), finding->version,
		finding->what);
	run->told_len += (size_t)n < left ? (size_t)n : left - 1;
}

static bool look(const struct copy_progress *progress, void *ctx)
{
	struct run *run = ctx;
	run->looks++;
	if (run->stops[progress->phase])
		return false;
	return progress->versions <= progress->versions_all &&
	       (run->stop_after == 0 || run->looks < run->stop_after);
}

static enum err copy(struct store *from, struct store *to, bool verifies, struct run *run)
{
	const struct copy_options options = {.from = from,
		.to = to,
		.verifies = verifies,
		.found = found,
		.progress = look,
		.ctx = run};
	run->told_len = 0;
	run->told[0] = '\0';
	run->looks = 0;
	return copy_run(&options, &run->result);
}

static struct store *new_store(void)
{
	struct store *s;
	if (memory_store_open(&clock_system, &s) != ERR_OK)
		exit(1);
	return s;
}

/* Whether that line was told. */
static bool was_told(const struct run *run, const char *line)
{
	struct slice told = slice_str(run->told);
	return slice_find_slice(told, slice_str(line)) < told.len;
}

/* ---- Stores ---------------------------------------------------------------------------------- */

static bool fill(struct store *s)
{
	char key[32];
	bool ok = bucket_create(s, S("many"), STORE_ACL_PUBLIC_READ) == ERR_OK &&
		  bucket_create(s, S("versions"), STORE_ACL_PRIVATE) == ERR_OK &&
		  set_versioning(s, S("versions"), STORE_VERSIONED) == ERR_OK;
	uint64_t many = bucket_id(s, S("many"));
	uint64_t versions = bucket_id(s, S("versions"));
	for (unsigned i = 0; i < KEYS; i++) {
		int len = snprintf(key, sizeof(key), "k/%u", i);
		struct slice name = slice_of(key, (size_t)len);
		ok = put_object(s, many, name, name, NULL) == ERR_OK && ok;
	}
	for (unsigned i = 0; i < VERSIONS; i++) {
		int len = snprintf(key, sizeof(key), "version %u", i);
		ok = (i % 10 == 9 ? delete_object(s, versions, S("often"), NULL)
				  : put_object(s, versions, S("often"), slice_of(key, (size_t)len),
					    NULL)) == ERR_OK &&
		     ok;
	}
	return put_object(s, many, S("large"), slice_of(large_bytes, LARGE), NULL) == ERR_OK && ok;
}

static struct store_object newest(struct store *s, struct slice bucket, struct slice key)
{
	struct store_get get;
	struct store_object object = {.size = 0};
	if (get_begin(s, bucket_id(s, bucket), key, true, &get) == ERR_OK) {
		object = get.object;
		store_get_release(s, &get);
	}
	return object;
}

/* ---- The tests ------------------------------------------------------------------------------- */

static void all_of_it(struct store *from)
{
	struct run run = {.looks = 0};
	struct store *to = new_store();
	IS_INT(copy(from, to, true, &run), ERR_OK, "a store is copied");
	OK(run.result.findings == 0, "without a finding");
	OK(run.result.buckets == 2 && run.result.versions == ALL && run.result.there == 0 &&
			run.result.same == ALL,
		"all versions, and they are the same");
	OK(run.looks > 0, "it was told how far it is");
	struct store_object had = newest(from, S("many"), S("large"));
	struct store_object has = newest(to, S("many"), S("large"));
	OK(had.version == has.version && had.modified_ms == has.modified_ms && has.size == LARGE,
		"an object has its version and its time");
	OK(object_is(to, bucket_id(to, S("many")), S("large"), slice_of(large_bytes, LARGE)),
		"and its bytes");
	IS_INT(copy(from, to, false, &run), ERR_OK, "it is copied again");
	OK(run.result.versions == 0 && run.result.there == ALL && run.result.same == ALL &&
			run.result.findings == 0,
		"and nothing is to be done");
	store_close(to);
}

static void what_differs(struct store *from)
{
	struct run run = {.looks = 0};
	struct store *to = new_store();
	OK(bucket_create(to, S("many"), STORE_ACL_PRIVATE) == ERR_OK, "a bucket of that name");
	OK(bucket_create(to, S("other"), STORE_ACL_PRIVATE) == ERR_OK, "and of another");
	IS_INT(copy(from, to, false, &run), ERR_OK, "the rest is copied");
	OK(run.result.findings == 1 &&
			was_told(&run,
				"many/ : the target has another bucket of that name, made at "
				"another time: nothing of it is copied\n"),
		"what is another bucket is told");
	OK(run.result.same == VERSIONS && run.result.buckets == 1, "the rest is the same");
	store_close(to);

	to = new_store();
	IS_INT(copy(from, to, false, &run), ERR_OK, "all is copied");
	uint64_t id = bucket_id(to, S("many"));
	struct store_metadata_update update = {.bucket_id = id,
		.key = S("k/1"),
		.set_acl = true,
		.acl = STORE_ACL_PUBLIC_READ_WRITE};
	OK(object_change(to, &update) == ERR_OK &&
			delete_object(to, id, S("k/2"), NULL) == ERR_OK &&
			put_object(to, id, S("none"), S("x"), NULL) == ERR_OK,
		"and changed in the target");
	struct store_object none = newest(to, S("many"), S("none"));
	OK(none.version > newest(from, S("versions"), S("often")).version,
		"what is new there has a greater number");
	IS_INT(copy(from, to, false, &run), ERR_OK, "it is copied again");
	OK(run.result.findings == 2 &&
			was_told(&run, "many/k/1 null: the target has other headers, tags or "
				       "another ACL\n") &&
			was_told(&run,
				"many/none null: the target has it, and the source has not\n"),
		"what differs is told, once");
	OK(run.result.versions == 1 && object_is(to, id, S("k/2"), S("k/2")),
		"what is missing is copied");
	store_close(to);
}

static void broken_off(struct store *from)
{
	struct run run = {.stop_after = 20};
	struct store *to = new_store();
	unsigned runs = 1;
	uint64_t copied = 0;
	while (copy(from, to, false, &run) != ERR_OK && run.result.is_stopped && runs < 1000) {
		copied += run.result.versions;
		run.stop_after += 20;
		runs++;
	}
	OK(runs > 2 && run.result.findings == 0, "it goes on where it was broken off");
	OK(copied + run.result.versions == ALL, "and copies nothing twice");
	OK(run.result.same == ALL, "in the end all is the same");
	store_close(to);
}

/* What is the same, and what is only compared, takes nobody of the crew. */
static void broken_off_where_nothing_is_copied(struct store *from)
{
	static const char *const phases[] = {"measuring", "passing over", "comparing"};
	struct run run = {.looks = 0};
	struct store *to = new_store();
	IS_INT(copy(from, to, false, &run), ERR_OK, "a store that is whole");
	for (unsigned i = 0; i < ARRAY_LEN(phases); i++) {
		run.stops[i] = true;
		OK(copy(from, to, false, &run) != ERR_OK && run.result.is_stopped &&
				run.result.findings == 0,
			"%s is broken off", phases[i]);
		OK(run.result.same < ALL && (i == COPY_COMPARES || run.result.there < ALL),
			"half-way");
		run.stops[i] = false;
	}
	store_close(to);
}

int main(void)
{
	struct store *from = new_store();
	for (size_t i = 0; i < LARGE; i++)
		large_bytes[i] = (char)(i * 2654435761u >> 24);
	OK(fill(from), "a store");
	all_of_it(from);
	what_differs(from);
	broken_off(from);
	broken_off_where_nothing_is_copied(from);
	store_close(from);
	return tap_done();
}
