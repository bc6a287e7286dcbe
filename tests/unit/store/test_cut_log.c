/* SPDX-License-Identifier: Apache-2.0 */
/* What is made of logs whose segments were collected, or damaged, in ways that seldom are. */
#include "base/limits.h"
#include "store/local/fsck/fsck.h"
#include "store/local/local.h"
#include "store/local/rebuild/rebuild.h"
#include "tap.h"
#include "unit/store/cut_log.h"
#include "unit/store/versions.h"

static char folder[FOLDER_PATH_MAX];
static struct cut_log cut;

static struct store *open_store(void)
{
	const struct local_options options = {
		.path = folder, .clock = &clock_system, .gc_interval_ms = 3600000};
	struct store *s;
	if (local_store_open(&options, &s) != ERR_OK)
		abort();
	return s;
}

static struct store *begin(void)
{
	folder_make(folder);
	return open_store();
}

static struct rebuild_result rebuild(void)
{
	struct rebuild_result result;
	const struct rebuild_options options = {.path = folder};
	IS_INT(rebuild_index(&options, &result), ERR_OK, "the index is made of the log");
	return result;
}

/* ---- fsck ------------------------------------------------------------------------------------ */

struct findings {
	unsigned count;
	char last[256];
};

static void found(const struct fsck_finding *finding, void *ctx)
{
	struct findings *findings = ctx;
	findings->count++;
	(void)snprintf(
		findings->last, sizeof(findings->last), "%s %s", finding->file, finding->what);
}

static struct findings check(void)
{
	struct findings findings = {.count = 0};
	struct fsck_result result;
	const char *temp = getenv("TMPDIR");
	const struct fsck_options options = {
		.path = folder, .temp = temp ? temp : "/tmp", .found = found, .ctx = &findings};
	IS_INT(fsck(&options, &result), ERR_OK, "it is checked");
	return findings;
}

/* ---- More buckets than there ever were ------------------------------------------------------- */

static struct slice bucket_name(char *to, unsigned i)
{
	return slice_of(to, (size_t)snprintf(to, 32, "bucket-%03u", i));
}

static void many_buckets(void)
{
	char name[32];
	struct store *s = begin();
	bool ok = true;
	for (unsigned i = 0; i < LIMIT_BUCKETS; i++)
		ok = bucket_create(s, bucket_name(name, i), STORE_ACL_PRIVATE) == ERR_OK && ok;
	uint64_t ended = bucket_id(s, bucket_name(name, 0));
	ok = bucket_delete(s, bucket_name(name, 0)) == ERR_OK &&
	     bucket_create(s, S("last"), STORE_ACL_PRIVATE) == ERR_OK &&
	     put_object(s, bucket_id(s, S("last")), S("k"), S("bytes"), NULL) == ERR_OK && ok;
	OK(ok, "one bucket goes, so that another may come");
	store_close(s);
	/* The segment of its deletion is collected: that is said at the end now. */
	cut_log_begin(&cut, folder);
	IS_INT((long long)cut.count, LIMIT_BUCKETS + 3, "all are in the log");
	cut_log_segment(&cut, 1);
	cut_log_add_some(&cut, 0, LIMIT_BUCKETS);
	cut.sequence++;
	cut_log_segment(&cut, 3);
	cut_log_add_some(&cut, LIMIT_BUCKETS + 1, LIMIT_BUCKETS + 3);
	unsigned char data[ENDED_BYTES];
	ended_write(data, &(struct ended_record){{ended, 0}, LIMIT_BUCKETS + 1});
	(void)cut_log_add_new(&cut, RECORD_ENDED, ended, bucket_name(name, 0), S(""),
		slice_of((const char *)data, sizeof(data)));
	cut_log_end(&cut);
	struct rebuild_result result = rebuild();
	OK(result.lost == 0 && result.objects == 1, "nothing is lost: %d places, %d objects",
		(int)result.lost, (int)result.objects);
	IS_INT(check().count, 0, "and there is nothing to find");
	s = open_store();
	OK(object_is(s, bucket_id(s, S("last")), S("k"), S("bytes")), "the object is there");
	OK(bucket_id(s, bucket_name(name, 0)) == 0, "the bucket that was deleted is not");
	IS_INT(bucket_create(s, S("another"), STORE_ACL_PRIVATE), ERR_TOO_MANY_BUCKETS,
		"so there are as many as there may be");
	store_close(s);
	folder_remove(folder);
}

/* The record of the deletion is damaged. */
static void one_too_many(void)
{
	char name[32];
	char image[FOLDER_PATH_MAX];
	struct store *s = begin();
	bool ok = true;
	for (unsigned i = 0; i < LIMIT_BUCKETS; i++)
		ok = bucket_create(s, bucket_name(name, i), STORE_ACL_PRIVATE) == ERR_OK && ok;
	store_close(s);
	s = open_store();
	ok = bucket_delete(s, bucket_name(name, 0)) == ERR_OK &&
	     bucket_create(s, S("last"), STORE_ACL_PRIVATE) == ERR_OK && ok;
	folder_make(image);
	folder_remove(image);
	folder_copy(folder, image);
	store_close(s);
	folder_remove(folder);
	(void)snprintf(folder, sizeof(folder), "%s", image);
	/* The copy has lost the zeros behind, some of which are the last record's. */
	char path[2 * FOLDER_PATH_MAX];
	cut_log_name(folder, 1, path);
	if (truncate(path, MIB(1)) != 0)
		abort();
	struct findings before = check();
	/* The deletion is the last but one. */
	SCOPED_FREE char *bytes = malloc(CUT_LOG_MAX);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd >= 0 && bytes ? pread(fd, bytes, CUT_LOG_MAX, 0) : -1;
	if (got < 0)
		abort();
	(void)close(fd);
	size_t at = 0;
	for (size_t i = 0; i + RECORD_HEADER_BYTES < (size_t)got; i += RECORD_ALIGN)
		if (memcmp(bytes + i, "PsR1", 4) == 0 && bytes[i + 4] == RECORD_BUCKET_DELETE)
			at = i;
	cut_log_flip(folder, 1, at + RECORD_HEADER_BYTES);
	struct findings after = check();
	OK(ok && at && before.count == 0 && after.count == 1, "%u findings: %s", after.count,
		after.last);
	s = open_store();
	OK(bucket_id(s, bucket_name(name, 0)) && bucket_id(s, S("last")),
		"both buckets are there, one more than there may be");
	IS_INT(bucket_create(s, S("another"), STORE_ACL_PRIVATE), ERR_TOO_MANY_BUCKETS,
		"no other is made");
	OK(bucket_delete(s, bucket_name(name, 0)) == ERR_OK, "one can be deleted");
	store_close(s);
	folder_remove(folder);
}

int main(void)
{
	many_buckets();
	one_too_many();
	return tap_done();
}
