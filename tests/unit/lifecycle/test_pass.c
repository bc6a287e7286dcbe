/* SPDX-License-Identifier: Apache-2.0 */
/* Lifecycle rules carried out on a real store, with a clock that the test sets. */
#include "lifecycle/pass.h"

#include "base/limits.h"
#include "store/local/local.h"
#include "tap.h"
#include "unit/store/blocking.h"
#include "unit/store/folder.h"

#define DAY_MS INT64_C(86400000)
#define START_MS (INT64_C(19800) * DAY_MS + 3600000) /* an hour past a midnight */
#define RULES(inside) "<LifecycleConfiguration>" inside "</LifecycleConfiguration>"
#define RULE(id, prefix, inside)                           \
	"<Rule><ID>" id "</ID><Prefix>" prefix "</Prefix>" \
	"<Status>Enabled</Status>" inside "</Rule>"
#define EXPIRE(days) "<Expiration><Days>" days "</Days></Expiration>"
#define OLD(days)                                                                \
	"<NoncurrentVersionExpiration><NoncurrentDays>" days "</NoncurrentDays>" \
	"</NoncurrentVersionExpiration>"
#define MARKERS \
	"<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>"
#define ABORT(days) "<AbortMultipartUpload><Days>" days "</Days></AbortMultipartUpload>"

static int64_t now_ms = START_MS;

static int64_t wall_ms(const struct clock *clock UNUSED)
{
	return now_ms;
}

static const struct clock test_clock = {.wall_ms = wall_ms};

static struct store *store;
static uint64_t bucket;

static void set_rules(const char *xml)
{
	struct store_bucket_update change = {
		.name = S("life"),
		.set_setting = true,
		.setting = STORE_SETTING_LIFECYCLE,
		.value = slice_str(xml),
	};
	OK(bucket_change(store, change) == ERR_OK, "the rules are set");
}

static void put(const char *key, const char *text, const char *tags)
{
	struct store_put_spec spec = {
		.bucket_id = bucket, .key = slice_str(key), .tags = slice_str(tags)};
	const struct put_how how = {0};
	struct store_put *out;
	if (store_put_begin(store, &spec, &out) != ERR_OK ||
		put_pieces(store, out, slice_str(text), 0) != ERR_OK ||
		put_finish(store, out, &how) != ERR_OK)
		OK(false, "%s is put", key);
}

static bool is_there(const char *key)
{
	return head_object(store, bucket, slice_str(key)) == ERR_OK;
}

static struct pass_counts run_pass(bool (*pause_for)(void *ctx, int64_t ms))
{
	const struct pass pass = {.store = store, .clock = &test_clock, .pause = pause_for};
	struct pass_counts counts = {0};
	pass_bucket(&pass, S("life"), &counts);
	return counts;
}

/* ---- What is due ----------------------------------------------------------------------------- */

static void objects(void)
{
	now_ms = START_MS;
	put("logs/old", "1234", "");
	put("logs/tagged", "1234", "keep=yes");
	put("other/old", "1234", "");
	put("small/a", "1", "");
	put("small/b", "12345", "");
	set_rules(RULES(RULE("a", "logs/",
		"<Filter><Not><Prefix>logs/</Prefix><Tag><Key>keep</Key><Value>yes</Value></Tag></"
		"Not>"
		"</Filter>" EXPIRE("1")) RULE("b", "small/",
		"<Filter><ObjectSizeGreaterThan>3</ObjectSizeGreaterThan></Filter>" EXPIRE("3"))));
	now_ms += DAY_MS;
	struct pass_counts counts = run_pass(NULL);
	IS_INT((int64_t)counts.objects, 0, "a day later the next midnight is still to come");
	OK(is_there("logs/old"), "and all is there");
	put("logs/new", "1234", "");
	now_ms += DAY_MS;
	counts = run_pass(NULL);
	IS_INT((int64_t)counts.objects, 1, "then one object ends");
	OK(!is_there("logs/old"), "the old one");
	OK(is_there("logs/new") && is_there("logs/tagged") && is_there("other/old"),
		"but no newer one, none that is left out, none of another prefix");
	now_ms += 2 * DAY_MS;
	counts = run_pass(NULL);
	IS_INT((int64_t)counts.objects, 2, "each rule has its time");
	OK(!is_there("logs/new") && !is_there("small/b") && is_there("small/a"),
		"and its limit of size");
	IS_INT((int64_t)counts.failed, 0, "nothing failed");
}

static uint64_t begin_upload(const char *key)
{
	struct blocking b;
	struct store_multipart_begin begin = {.bucket_id = bucket, .key = slice_str(key)};
	blocking_init(&b, &begin.wait);
	store_multipart_begin(store, &begin);
	OK(blocking_wait(&b, &begin.wait) == ERR_OK, "an upload of %s begins", key);
	return begin.upload;
}

static enum err upload_state(const char *key, uint64_t upload)
{
	struct blocking b;
	struct store_list_parts list = {
		.bucket_id = bucket, .key = slice_str(key), .upload = upload};
	blocking_init(&b, &list.wait);
	store_list_parts(store, &list);
	enum err e = blocking_wait(&b, &list.wait);
	if (e == ERR_OK)
		store_list_parts_release(store, &list);
	return e;
}

static void uploads(void)
{
	now_ms = START_MS;
	uint64_t old = begin_upload("up/a");
	uint64_t other = begin_upload("elsewhere/a");
	put("up/object", "1234", "");
	set_rules(RULES(RULE("a", "up/", ABORT("2"))));
	now_ms += 2 * DAY_MS;
	uint64_t young = begin_upload("up/a");
	IS_INT((int64_t)run_pass(NULL).uploads, 0, "no upload ends before the midnight");
	now_ms += DAY_MS;
	struct pass_counts counts = run_pass(NULL);
	IS_INT((int64_t)counts.uploads, 1, "one upload ends");
	IS_INT((int64_t)counts.objects, 0, "and no object");
	OK(upload_state("up/a", old) == ERR_NO_SUCH_UPLOAD, "the old one");
	OK(upload_state("up/a", young) == ERR_OK, "not a younger one of the same key");
	OK(upload_state("elsewhere/a", other) == ERR_OK, "and none of another prefix");
	OK(is_there("up/object"), "the object is there");
}

/* ---- Many, and what happens meanwhile -------------------------------------------------------- */

enum {
	MANY = LIMIT_LIST_KEYS + 150,
};

static void put_many(void)
{
	now_ms = START_MS;
	for (int i = 0; i < MANY; i++) {
		char key[32];
		(void)snprintf(key, sizeof(key), "many/%05d", i);
		put(key, "x", "");
	}
	set_rules(RULES(RULE("a", "many/", EXPIRE("1"))));
	now_ms += 3 * DAY_MS;
}

static int pauses;

/* In the first rest between two batches somebody puts an object that the page has shown. */
static bool replace_one(void *ctx UNUSED, int64_t ms)
{
	if (ms > 0 && pauses++ == 0)
		put("many/00500", "new", "");
	return true;
}

static void replaced(void)
{
	put_many();
	pauses = 0;
	struct pass_counts counts = run_pass(replace_one);
	OK(pauses >= MANY / LIMIT_LIFECYCLE_BATCH, "there are rests (%d)", pauses);
	IS_INT((int64_t)counts.objects, MANY - 1, "all objects end but one");
	IS_INT((int64_t)counts.failed, 0, "which is no failure");
	OK(object_is(store, bucket, S("many/00500"), S("new")), "the one that was new");
	now_ms += 3 * DAY_MS;
	IS_INT((int64_t)run_pass(NULL).objects, 1, "until its own time comes");
}

/* In the first rest the rules go away. */
static bool drop_rules(void *ctx UNUSED, int64_t ms)
{
	if (ms > 0 && pauses++ == 0)
		set_rules("");
	return true;
}

static bool stop_soon(void *ctx UNUSED, int64_t ms UNUSED)
{
	return pauses++ < 2;
}

static void stopped(void)
{
	put_many();
	pauses = 0;
	struct pass_counts counts = run_pass(drop_rules);
	IS_INT((int64_t)counts.objects, LIMIT_LIFECYCLE_BATCH,
		"after the rules are gone nothing more ends");
	IS_INT((int64_t)run_pass(NULL).objects, 0, "nor in the next pass");
	set_rules(RULES(RULE("a", "many/", EXPIRE("1"))));
	pauses = 0;
	counts = run_pass(stop_soon);
	IS_INT((int64_t)counts.objects, 2 * LIMIT_LIFECYCLE_BATCH, "a pass can be stopped");
	counts = run_pass(NULL);
	IS_INT((int64_t)counts.objects, MANY - 3 * LIMIT_LIFECYCLE_BATCH, "the next one goes on");
}

/* ---- Versions -------------------------------------------------------------------------------- */

static void keep_versions(void)
{
	struct store_bucket_update change = {
		.name = S("life"), .set_versioning = true, .versioning = STORE_VERSIONED};
	OK(bucket_change(store, change) == ERR_OK, "the bucket keeps versions");
}

/* All versions and markers of the keys with the prefix. */
static int count_versions(const char *prefix)
{
	struct store_list list = {.bucket_id = bucket,
		.prefix = slice_str(prefix),
		.max_entries = LIMIT_LIST_KEYS,
		.versions = true};
	if (list_objects(store, &list) != ERR_OK)
		return -1;
	int count = (int)list.count;
	store_list_release(store, &list);
	return count;
}

static void versions(void)
{
	now_ms = START_MS;
	put("ver/null", "zero", "");
	keep_versions();
	put("ver/a", "one", "");
	now_ms += DAY_MS;
	put("ver/a", "two", "");
	put("ver/null", "one", "");
	set_rules(RULES(RULE("a", "ver/", EXPIRE("3") OLD("1")) RULE("b", "ver/", MARKERS)));
	struct pass_counts counts = run_pass(NULL);
	OK(counts.objects == 0 && counts.versions == 0, "nothing ends on the same day");
	now_ms += 2 * DAY_MS;
	counts = run_pass(NULL);
	IS_INT((int64_t)counts.versions, 2, "what was replaced ends, so long after it was");
	IS_INT((int64_t)counts.objects, 0, "the current versions do not");
	OK(object_is(store, bucket, S("ver/a"), S("two")), "and are there");
	IS_INT(count_versions("ver/"), 2, "alone");
	now_ms += 2 * DAY_MS;
	counts = run_pass(NULL);
	IS_INT((int64_t)counts.objects, 2, "then they end too");
	OK(!is_there("ver/a"), "nobody finds them");
	IS_INT(count_versions("ver/"), 4, "but they are kept, under a marker each");
	now_ms += 2 * DAY_MS;
	counts = run_pass(NULL);
	IS_INT((int64_t)counts.versions, 2, "as long as the rule says");
	IS_INT((int64_t)counts.markers, 0, "a marker is not alone until then");
	counts = run_pass(NULL);
	IS_INT((int64_t)counts.markers, 2, "and then ends");
	IS_INT(count_versions("ver/"), 0, "nothing is left");
	IS_INT((int64_t)run_pass(NULL).objects, 0, "and nothing comes of it");
}

static void many_versions(void)
{
	now_ms = START_MS;
	put("deep/a", "x", "");
	for (int i = 0; i < MANY; i++)
		put("deep/b", "x", "");
	put("deep/c", "x", "");
	set_rules(RULES(RULE("a", "deep/", OLD("1"))));
	now_ms += 2 * DAY_MS;
	struct pass_counts counts = run_pass(NULL);
	IS_INT((int64_t)counts.versions, MANY - 1, "versions on several pages");
	IS_INT(count_versions("deep/"), 3, "all but the current ones");
	IS_INT((int64_t)counts.failed, 0, "nothing failed");
}

/* A marker is alone only if it is both the newest and the oldest of its key. */
static void covered_marker(void)
{
	now_ms = START_MS;
	OK(delete_object(store, bucket, S("turn/a"), NULL) == ERR_OK, "a marker is made");
	put("turn/a", "x", "");
	put("turn/b", "x", "");
	OK(delete_object(store, bucket, S("turn/b"), NULL) == ERR_OK, "and another");
	set_rules(RULES(RULE("a", "turn/", MARKERS)));
	struct pass_counts counts = run_pass(NULL);
	IS_INT((int64_t)counts.markers, 0, "under a version, or over one, a marker stays");
	IS_INT(count_versions("turn/"), 4, "all are there");
}

static void no_bucket(void)
{
	const struct pass pass = {.store = store, .clock = &test_clock};
	struct pass_counts counts = {0};
	pass_bucket(&pass, S("nobody"), &counts);
	set_rules("<Broken");
	pass_bucket(&pass, S("life"), &counts);
	OK(counts.objects == 0 && counts.failed == 0,
		"a bucket that is not there, or has rules that cannot be read, is left alone");
}

int main(void)
{
	char path[FOLDER_PATH_MAX];
	folder_make(path);
	const struct local_options options = {.path = path, .clock = &test_clock};
	if (local_store_open(&options, &store) != ERR_OK ||
		bucket_create(store, S("life"), STORE_ACL_PRIVATE) != ERR_OK)
		return 1;
	bucket = bucket_id(store, S("life"));
	objects();
	uploads();
	replaced();
	stopped();
	versions();
	many_versions();
	covered_marker();
	no_bucket();
	store_close(store);
	folder_remove(path);
	return tap_done();
}
