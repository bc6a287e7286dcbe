/* SPDX-License-Identifier: Apache-2.0 */
/* What is made of logs whose segments were collected, or damaged, in ways that seldom are. */
#undef _FORTIFY_SOURCE /* its pread() is an inline function */

#include <errno.h>
#include <stdatomic.h>
#include <sys/syscall.h>

#include "base/limits.h"
#include "store/local/fsck/fsck.h"
#include "store/local/index/index.h"
#include "store/local/local.h"
#include "store/local/rebuild/rebuild.h"
#include "tap.h"
#include "unit/store/cut_log.h"
#include "unit/store/versions.h"

static char folder[FOLDER_PATH_MAX];
static struct cut_log cut;

/* In the place of the C library's: a sector of a segment cannot be read. */
static _Atomic uint64_t bad_segment; /* 0: none */
static _Atomic uint64_t bad_at;

static bool is_bad(int fd, size_t len, off_t at)
{
	char link[64];
	char path[2 * FOLDER_PATH_MAX] = "";
	char name[SEGMENT_NAME_BYTES];
	if (!bad_segment || (uint64_t)at >= bad_at + 512 || (uint64_t)at + len <= bad_at)
		return false;
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, sizeof(path) - 1);
	segment_name(bad_segment, name);
	return n > 0 && strstr(path, name);
}

ssize_t pread(int fd, void *to, size_t len, off_t at)
{
	if (!is_bad(fd, len, at))
		return syscall(SYS_pread64, fd, to, len, at);
	errno = EIO;
	return -1;
}

static unsigned gc_interval_ms = 3600000;

static struct store *open_store(void)
{
	const struct local_options options = {.path = folder,
		.clock = &clock_system,
		.segment_bytes = MIB(4),
		.gc_bytes_per_second = GIB(1),
		.gc_interval_ms = gc_interval_ms};
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

/* Goes on with a copy, as a kill would leave the folder. */
static void kill_store(struct store *s)
{
	char image[FOLDER_PATH_MAX];
	char name[2 * FOLDER_PATH_MAX];
	folder_make(image);
	folder_remove(image);
	folder_copy(folder, image);
	store_close(s);
	folder_remove(folder);
	(void)snprintf(folder, sizeof(folder), "%s", image);
	/* The copy has lost the zeros behind, some of which are the last record's. */
	cut_log_name(folder, 1, name);
	if (truncate(name, MIB(1)) != 0)
		abort();
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
	uint64_t objects;
	bool compared;
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
	findings.objects = result.objects;
	findings.compared = result.is_compared;
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
	struct store *s = begin();
	bool ok = true;
	for (unsigned i = 0; i < LIMIT_BUCKETS; i++)
		ok = bucket_create(s, bucket_name(name, i), STORE_ACL_PRIVATE) == ERR_OK && ok;
	store_close(s);
	s = open_store();
	ok = bucket_delete(s, bucket_name(name, 0)) == ERR_OK &&
	     bucket_create(s, S("last"), STORE_ACL_PRIVATE) == ERR_OK && ok;
	kill_store(s);
	char path[2 * FOLDER_PATH_MAX];
	cut_log_name(folder, 1, path);
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

/* ---- What was deleted stays so --------------------------------------------------------------- */

/* The records of make_deletions(). */
enum {
	BUCKET,
	PUT_X,
	PUT_Y,
	PUT_W,
	DELETE_X,
	DELETE_W,
	PUT_V,
	DELETE_V,
	PUT_Z,
	DELETION_RECORDS,
};

static void make_deletions(void)
{
	struct store *s = begin();
	bool ok = bucket_create(s, S("b"), STORE_ACL_PRIVATE) == ERR_OK;
	uint64_t id = bucket_id(s, S("b"));
	ok = put_object(s, id, S("X"), S("first"), NULL) == ERR_OK &&
	     put_object(s, id, S("Y"), S("second"), NULL) == ERR_OK &&
	     put_object(s, id, S("W"), S("third"), NULL) == ERR_OK &&
	     delete_object(s, id, S("X"), NULL) == ERR_OK &&
	     delete_object(s, id, S("W"), NULL) == ERR_OK &&
	     put_object(s, id, S("V"), S("fourth"), NULL) == ERR_OK &&
	     delete_object(s, id, S("V"), NULL) == ERR_OK &&
	     put_object(s, id, S("Z"), S("fifth"), NULL) == ERR_OK && ok;
	store_close(s);
	cut_log_begin(&cut, folder);
	OK(ok && cut.count == DELETION_RECORDS, "objects, some of which are deleted");
}

/* Whether the collector has removed the segment. */
static bool goes(uint64_t id)
{
	for (int64_t end = clock_monotonic_ms() + 60000; clock_monotonic_ms() < end;) {
		if (!cut_log_has(folder, id))
			return true;
		(void)usleep(2000);
	}
	return false;
}

enum damage {
	DAMAGE_RECORD, /* with another behind it in the segment */
	DAMAGE_LAST,   /* the last one of the segment */
	DAMAGE_HEADER,
	DAMAGE_SECTOR, /* which cannot be read */
	/* From here on what the segment says is known. */
	DAMAGE_BITS,  /* one of each record */
	DAMAGE_BYTES, /* of an object that is not there any more */
	DAMAGE_NONE,
};

/* Where the bytes of an object are in the record at `at` of PUT_... */
static uint64_t bytes_at(uint64_t at, size_t record)
{
	return at + RECORD_HEADER_BYTES + cut.records[record].name.len +
	       cut.records[record].meta.len;
}

/* All of segment 2 is dead, but it says that X, which is in segment 1, was deleted. */
static void collect(enum damage damage)
{
	static const char *const names[] = {"a record", "the last record", "the header",
		"a sector that cannot be read", "a bit of each record", "dead bytes", "nothing"};
	make_deletions();
	cut_log_segment(&cut, 1);
	cut_log_add_some(&cut, BUCKET, PUT_W);
	cut_log_segment(&cut, 2);
	uint64_t first = cut_log_add(&cut, PUT_W);
	uint64_t middle = cut_log_add(&cut, DELETE_X);
	uint64_t last = cut_log_add(&cut, DELETE_W);
	cut_log_segment(&cut, 3);
	cut_log_add_some(&cut, PUT_V, PUT_Z);
	cut_log_segment(&cut, 4);
	(void)cut_log_add(&cut, PUT_Z);
	uint64_t dead = bytes_at(first, PUT_W);
	cut_log_end(&cut);
	IS_INT((long long)rebuild().lost, 0, "nothing is lost");
	for (int i = 0; damage == DAMAGE_BITS && i < 3; i++)
		cut_log_flip_bits(folder, 2,
			(const uint64_t[]){first, middle, last}[i] + RECORD_HEADER_BYTES + 4, 0x40);
	if (damage == DAMAGE_BYTES)
		cut_log_flip(folder, 2, dead);
	if (damage == DAMAGE_RECORD || damage == DAMAGE_LAST)
		cut_log_flip(folder, 2,
			(damage == DAMAGE_LAST ? last : first) + RECORD_HEADER_BYTES + 4);
	if (damage == DAMAGE_HEADER)
		cut_log_flip(folder, 2, 50);
	gc_interval_ms = 5;
	bad_at = SEGMENT_HEADER_BYTES;
	bad_segment = damage == DAMAGE_SECTOR ? 2 : 0;
	struct store *s = open_store();
	OK(goes(3), "a segment behind it is collected");
	bool is_known = damage >= DAMAGE_BITS;
	OK(cut_log_has(folder, 2) == !is_known, "%s is damaged in another", names[damage]);
	store_close(s);
	gc_interval_ms = 3600000;
	bad_segment = 0;
	char name[2 * FOLDER_PATH_MAX];
	(void)snprintf(name, sizeof(name), "%s/index", folder);
	folder_remove(name);
	IS_INT((long long)rebuild().lost, damage < DAMAGE_SECTOR, "that is told");
	s = open_store();
	uint64_t id = bucket_id(s, S("b"));
	IS_INT(head_object(s, id, S("X")), ERR_NO_SUCH_KEY, "what was deleted is not back");
	OK(object_is(s, id, S("Y"), S("second")) && object_is(s, id, S("Z"), S("fifth")),
		"what was not is there");
	store_close(s);
	folder_remove(folder);
}

/* What the collector is to make of an object whose bytes are damaged: of `bits` of one of them. */
static void collect_live(unsigned char bits)
{
	bool is_one = (bits & (bits - 1)) == 0;
	make_deletions();
	cut_log_segment(&cut, 1);
	cut_log_add_some(&cut, BUCKET, PUT_Y);
	(void)cut_log_add(&cut, PUT_W);
	cut_log_segment(&cut, 2);
	cut_log_add_some(&cut, PUT_V, PUT_Z);
	uint64_t at = bytes_at(cut_log_add(&cut, PUT_Y), PUT_Y);
	cut_log_add_some(&cut, DELETE_X, PUT_V);
	cut_log_segment(&cut, 3);
	cut_log_add_some(&cut, PUT_V, PUT_Z);
	cut_log_segment(&cut, 4);
	(void)cut_log_add(&cut, PUT_Z);
	cut_log_end(&cut);
	IS_INT((long long)rebuild().lost, 0, "nothing is lost");
	cut_log_flip_bits(folder, 2, at, bits);
	struct store *s = open_store();
	uint64_t id = bucket_id(s, S("b"));
	OK(!object_is(s, id, S("Y"), S("second")), "bytes of an object are damaged: %02x", bits);
	store_close(s);
	gc_interval_ms = 5;
	s = open_store();
	OK(goes(3), "a segment behind it is collected");
	OK(is_one ? goes(2) : cut_log_has(folder, 2), "this one if that is put right");
	OK(object_is(s, id, S("Y"), S("second")) == is_one, "and so is the object");
	OK(delete_object(s, id, S("Y"), NULL) == ERR_OK && goes(2),
		"and otherwise once the object is deleted");
	store_close(s);
	gc_interval_ms = 3600000;
	IS_INT((long long)rebuild().lost, 0, "the rest of the log is whole");
	s = open_store();
	OK(head_object(s, id, S("X")) == ERR_NO_SUCH_KEY &&
			head_object(s, id, S("Y")) == ERR_NO_SUCH_KEY &&
			object_is(s, id, S("Z"), S("fifth")),
		"what was deleted is not back");
	store_close(s);
	folder_remove(folder);
}

/* ---- Behind a damaged header ----------------------------------------------------------------- */

/* The segments before are gone, so that nothing says with which sequence it begins. */
static void begins_unknown(void)
{
	make_deletions();
	cut.sequence = 101;
	cut_log_segment(&cut, 5);
	cut_log_add_some(&cut, 0, DELETION_RECORDS);
	cut_log_segment(&cut, 6);
	cut_log_end(&cut);
	cut_log_flip(folder, 5, 50);
	struct rebuild_result result = rebuild();
	OK(result.lost == 1 && result.objects == 2,
		"a damaged header costs no record: %d places, %d objects", (int)result.lost,
		(int)result.objects);
	struct store *s = open_store();
	OK(object_is(s, bucket_id(s, S("b")), S("Y"), S("second")), "nor the bucket");
	store_close(s);
	folder_remove(folder);
}

/* ---- The end of a segment whose neighbour was collected -------------------------------------- */

static void ends_unknown(void)
{
	make_deletions();
	cut_log_segment(&cut, 1);
	cut_log_add_some(&cut, BUCKET, PUT_W);
	uint64_t at = cut_log_add(&cut, PUT_W);
	cut.sequence = 51;
	cut_log_segment(&cut, 3);
	(void)cut_log_add(&cut, PUT_Z);
	cut_log_end(&cut);
	IS_INT((long long)rebuild().lost, 0, "a neighbour that was collected is no damage");
	IS_INT(check().count, 0, "also for fsck");
	cut_log_flip(folder, 1, at + RECORD_HEADER_BYTES + 4);
	struct findings findings = check();
	OK(findings.count == 1, "the record before it is damaged: %u findings: %s", findings.count,
		findings.last);
	struct rebuild_result result = rebuild();
	OK(result.lost == 1 && result.objects == 3, "and is missed: %d places, %d objects",
		(int)result.lost, (int)result.objects);
	folder_remove(folder);
}

/* ---- Young folders --------------------------------------------------------------------------- */

static void young(void)
{
	kill_store(begin());
	IS_INT(check().count, 0, "a folder whose server was killed before the first change");
	struct store *s = open_store();
	store_close(s);
	IS_INT(check().count, 0, "stopped before it");
	s = open_store();
	OK(bucket_create(s, S("b"), STORE_ACL_PRIVATE) == ERR_OK &&
			put_object(s, bucket_id(s, S("b")), S("k"), S("bytes"), NULL) == ERR_OK,
		"changes");
	kill_store(s);
	struct findings findings = check();
	OK(findings.count == 0, "killed before the index was on the disk: %u findings, %s",
		findings.count, findings.last);
	OK(findings.compared && findings.objects == 1, "all of it is checked");
	s = open_store();
	store_close(s);
	cut_log_begin(&cut, folder);
	cut_log_segment(&cut, 2);
	cut_log_end(&cut);
	char name[2 * FOLDER_PATH_MAX];
	struct index *index;
	(void)snprintf(name, sizeof(name), "%s/index", folder);
	if (index_open(name, &index) != ERR_OK)
		abort();
	index_close(index);
	findings = check();
	OK(findings.count == 1 && strcmp(findings.last, "index there is no index") == 0,
		"an empty one for a log that has lost its beginning: %u findings, %s",
		findings.count, findings.last);
	folder_remove(folder);
}

/* ---- A sector that cannot be read ------------------------------------------------------------ */

static void unread(void)
{
	static char bytes[100000];
	memset(bytes, 1, sizeof(bytes));
	struct store *s = begin();
	bool ok = bucket_create(s, S("b"), STORE_ACL_PRIVATE) == ERR_OK;
	uint64_t id = bucket_id(s, S("b"));
	for (char key = '1'; key < '4'; key++)
		ok = put_object(s, id, slice_of(&key, 1), slice_of(bytes, sizeof(bytes)), NULL) ==
			     ERR_OK &&
		     ok;
	store_close(s);
	bad_at = 150000; /* in the second object */
	bad_segment = 1;
	struct findings findings = check();
	OK(ok && findings.count == 2 && findings.objects == 3,
		"a sector cannot be read: %u findings, of %d objects, %s", findings.count,
		(int)findings.objects, findings.last);
	struct rebuild_result result = rebuild();
	bad_segment = 0;
	OK(result.lost == 0 && result.objects == 3, "whose it was is known: %d places, %d objects",
		(int)result.lost, (int)result.objects);
	folder_remove(folder);
}

int main(void)
{
	unread();
	young();
	begins_unknown();
	ends_unknown();
	for (unsigned damage = 0; damage <= DAMAGE_NONE; damage++)
		collect((enum damage)damage);
	collect_live(0x40);
	collect_live(0x15);
	many_buckets();
	one_too_many();
	return tap_done();
}
