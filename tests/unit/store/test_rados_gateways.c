/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two stores that are open on one namespace of Ceph, as gateways on two machines are; an OSD that
 * stands still; and what somebody who died has left.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "store/rados/cluster/edit.h"
#include "store/rados/rows/gateway_row.h"
#include "store/rados/rows/key.h"
#include "store/rados/rows/tablet_rows.h"
#include "store/rados/state/state.h"
#include "store/rados/tablet/tablet.h"
#include "tap.h"
#include "unit/store/two_gateways.h"
#include "unit/store/versions.h"

static struct ceph ceph;
static const struct store_version current;

/* ---- One after the other --------------------------------------------------------------------- */

static void buckets_are_shared(struct two *two)
{
	OK(two->id && bucket_id(two->other, S("b")) == two->id,
		"a bucket that one makes is at once with the other");
	struct store_bucket_update change = {.name = S("b"),
		.set_acl = true,
		.acl = STORE_ACL_PUBLIC_READ,
		.set_setting = true,
		.setting = STORE_SETTING_CORS,
		.value = S("<x/>")};
	bool ok = bucket_change(two->other, change) == ERR_OK;
	const struct store_bucket *bucket = store_bucket_get(two->one, S("b"));
	OK(ok && bucket && bucket->acl == STORE_ACL_PUBLIC_READ &&
			slice_eq(bucket->settings[STORE_SETTING_CORS], S("<x/>")),
		"and so are its settings");
	store_bucket_unref(two->one, bucket);
	OK(bucket_create(two->other, S("b"), STORE_ACL_PRIVATE) == ERR_BUCKET_ALREADY_EXISTS,
		"there is one of a name");
}

/* The row as that of a gateway that has died before it told anybody. */
static void what_nobody_told_is_found(void)
{
	struct rados_options options = {.space = "untold", .beat_ms = 20};
	struct two two = two_open(&ceph, options);
	struct rados *r = rados_of(two.one);
	struct bucket_row row = {.bucket = {.id = two.id,
					 .generation = rados_number(r),
					 .created_ms = 1,
					 .acl = STORE_ACL_PUBLIC_READ}};
	struct row_key key = row_key_of(RADOS_BUCKET_ROW, S("b"));
	struct row_key setting = row_key_version(RADOS_SETTING_ROW, S("b"), STORE_SETTING_CORS);
	SCOPED_STRBUF(value, 128);
	bucket_row_format(&row, &value);
	struct edit edit = edit_begin(r->index);
	edit_set(&edit, row_key_slice(&key), strbuf_slice(&value));
	edit_set(&edit, row_key_slice(&setting), S("<x/>"));
	bool ok = edit_run(&edit, RADOS_BUCKETS) == 0;
	bool found = false;
	for (unsigned waits = 0; waits < 10000 && ok && !found; waits++) {
		const struct store_bucket *bucket = store_bucket_get(two.other, S("b"));
		found = bucket && bucket->acl == STORE_ACL_PUBLIC_READ &&
			slice_eq(bucket->settings[STORE_SETTING_CORS], S("<x/>"));
		store_bucket_unref(two.other, bucket);
		(void)usleep(2000);
	}
	OK(found, "a change of a bucket that nobody was told of is found after a while");
	two_close(&two);
}

/* ---- Another version ------------------------------------------------------------------------- */

enum {
	FOREIGN = 500 /* the number of a gateway of another version */
};

struct foreign {
	struct rados *r;
	atomic_bool stops;
};

static void *move_foreign(void *arg)
{
	struct foreign *foreign = arg;
	struct row_key key = row_key_number('i', FOREIGN);
	struct gateway_row row = {.format = GATEWAY_FORMAT + 1};
	do {
		SCOPED_STRBUF(value, GATEWAY_BYTES_MAX);
		row.beats++;
		gateway_row_format(&row, &value);
		struct edit edit = edit_begin(foreign->r->index);
		edit_set(&edit, row_key_slice(&key), strbuf_slice(&value));
		if (edit_run(&edit, "gateways") != 0)
			abort();
	} while (!atomic_load(&foreign->stops));
	return NULL;
}

static void other_versions_are_kept_apart(void)
{
	struct rados_options options = ceph_quick("foreign");
	struct store *keeper = ceph_open_or_end(&ceph, options);
	struct foreign foreign = {.r = rados_of(keeper), .stops = true};
	pthread_t thread;
	(void)move_foreign(&foreign);
	foreign.stops = false;
	if (pthread_create(&thread, NULL, move_foreign, &foreign) != 0)
		abort();
	OK(!ceph_open(&ceph, options),
		"a gateway does not start while one lives whose version keeps other rules");
	foreign.stops = true;
	(void)pthread_join(thread, NULL);
	options.dead_beats = 5;
	struct store *s = ceph_open(&ceph, options);
	OK(s, "but when that does not move any more");
	if (s)
		store_close(s);
	store_close(keeper);
}

static void objects_are_shared(struct two *two)
{
	struct store *one = two->one;
	struct store *other = two->other;
	static char bytes[5000000];
	struct slice large = slice_of(bytes, sizeof(bytes));
	memset(bytes, 'x', sizeof(bytes));
	OK(put_object(one, two->id, S("k"), S("first"), NULL) == ERR_OK &&
			object_is(other, two->id, S("k"), S("first")),
		"what one puts the other has");
	OK(put_object(other, two->id, S("k"), large, NULL) == ERR_OK &&
			object_is(one, two->id, S("k"), large),
		"and the other way about, large");
	OK(delete_object(one, two->id, S("k"), NULL) == ERR_OK &&
			head_object(other, two->id, S("k")) == ERR_NO_SUCH_KEY,
		"what one deletes the other has not");
	OK(append(one, two->id, S("log"), 0, S("ab"), NULL) == ERR_OK &&
			append(other, two->id, S("log"), 2, S("cd"), NULL) == ERR_OK &&
			append(one, two->id, S("log"), 4, S("ef"), NULL) == ERR_OK &&
			append(other, two->id, S("log"), 4, S("no"), NULL) ==
				ERR_POSITION_NOT_EQUAL_TO_LENGTH &&
			object_is(other, two->id, S("log"), S("abcdef")),
		"they append in turns");
	uint64_t upload;
	bool ok = upload_begin(one, two->id, S("set"), S(""), &upload) == ERR_OK &&
		  put_part(other, two->id, S("set"), upload, 1, large, NULL) == ERR_OK &&
		  put_part(one, two->id, S("set"), upload, 2, S("end"), NULL) == ERR_OK;
	struct store_multipart_complete complete = {
		.bucket_id = two->id, .key = S("set"), .upload = upload};
	OK(ok && upload_complete(other, &complete) == ERR_OK &&
			complete.object.size == large.len + 3 &&
			head_object(one, two->id, S("set")) == ERR_OK,
		"and make an object of parts together");
}

/* Until the clock says another millisecond. */
static void pass_time(void)
{
	int64_t begin = clock_wall_ms(&clock_system);
	while (clock_wall_ms(&clock_system) == begin)
		continue;
}

static void uploads_are_listed_as_they_began(struct two *two)
{
	uint64_t uploads[6];
	bool ok = true;
	for (unsigned i = 0; i < ARRAY_LEN(uploads); i++) {
		struct store *s = i % 2 ? two->one : two->other;
		ok = upload_begin(s, two->id, S("many"), S(""), &uploads[i]) == ERR_OK && ok;
		pass_time();
	}
	struct store_list_multiparts list = {
		.bucket_id = two->id, .prefix = S("many"), .max_uploads = 10};
	ok = list_uploads(two->one, &list) == ERR_OK && ok;
	ok = ok && list.count == ARRAY_LEN(uploads);
	for (unsigned i = 0; ok && i < ARRAY_LEN(uploads); i++)
		ok = list.uploads[i].upload == uploads[i];
	OK(ok, "uploads of a key are listed as they began, whichever gateway began them");
	store_list_multiparts_release(two->one, &list);
}

static void versions_are_shared(struct two *two)
{
	struct store_object first;
	struct store_object second;
	struct put_how how = {.object = &first};
	bool ok = set_versioning(two->one, S("b"), STORE_VERSIONED) == ERR_OK &&
		  put_object(two->other, two->id, S("v"), S("1"), &how) == ERR_OK;
	how.object = &second;
	ok = put_object(two->one, two->id, S("v"), S("2"), &how) == ERR_OK && ok;
	OK(ok && second.version > first.version &&
			version_is(
				two->one, two->id, S("v"), version_number(first.version), S("1")) &&
			version_is(two->other, two->id, S("v"), current, S("2")),
		"versioning that one sets the other heeds");
	struct store_delete del = {.bucket_id = two->id, .key = S("v")};
	struct store_get get;
	OK(delete_version(two->other, &del) == ERR_OK && del.made_marker &&
			get_version(two->one, two->id, S("v"), current, true, &get) ==
				ERR_NO_SUCH_KEY &&
			get.object.is_marker && get.object.version == del.marker,
		"and a marker");
}

static void a_bucket_goes(void)
{
	struct two two = two_open(&ceph, (struct rados_options){.space = "goes"});
	struct store_put_spec spec = {.bucket_id = two.id, .key = S("late")};
	struct store_put *put;
	struct put_how how = {.piece = 0};
	bool ok = put_object(two.other, two.id, S("k"), S("x"), NULL) == ERR_OK &&
		  bucket_delete(two.one, S("b")) == ERR_BUCKET_NOT_EMPTY &&
		  put_object(two.other, two.id, S("k"), S("y"), NULL) == ERR_OK;
	OK(ok, "a bucket in which the other has put something stays, and can be used");
	ok = delete_object(two.one, two.id, S("k"), NULL) == ERR_OK &&
	     store_put_begin(two.other, &spec, &put) == ERR_OK &&
	     put_pieces(two.other, put, S("abc"), 0) == ERR_OK;
	OK(ok && bucket_delete(two.one, S("b")) == ERR_OK && bucket_id(two.other, S("b")) == 0 &&
			put_finish(two.other, put, &how) == ERR_NO_SUCH_BUCKET,
		"an empty one goes, also under a put of the other");
	two_close(&two);
}

/* ---- At the same time ------------------------------------------------------------------------ */

enum {
	RACERS = 8,
	CLAIMS = 30,
	APPENDS = 15,
};

struct racer {
	struct two *two;
	unsigned number;
	_Atomic unsigned *won;
	_Atomic unsigned *appended;
	_Atomic unsigned *wrong;
};

static struct store *store_of(const struct racer *racer)
{
	return racer->number % 2 ? racer->two->one : racer->two->other;
}

static void *race(void *arg)
{
	struct racer *racer = arg;
	struct store *s = store_of(racer);
	uint64_t id = racer->two->id;
	const struct put_how once = {.forbid_overwrite = true};
	char key[16];
	for (unsigned i = 0; i < CLAIMS; i++) {
		int len = snprintf(key, sizeof(key), "claim-%u", i);
		enum err e = put_object(s, id, slice_of(key, (size_t)len), S("mine"), &once);
		(void)atomic_fetch_add(racer->won, e == ERR_OK);
		(void)atomic_fetch_add(racer->wrong, e != ERR_OK && e != ERR_FILE_ALREADY_EXISTS);
	}
	for (unsigned done = 0; done < APPENDS;) {
		struct store_get get;
		enum err e = get_begin(s, id, S("line"), true, &get);
		uint64_t size = e == ERR_OK ? get.object.size : 0;
		if (e == ERR_OK)
			store_get_release(s, &get);
		e = append(s, id, S("line"), size, S("."), NULL);
		done += e == ERR_OK;
		(void)atomic_fetch_add(racer->appended, e == ERR_OK);
		if (e != ERR_OK && e != ERR_POSITION_NOT_EQUAL_TO_LENGTH) {
			(void)atomic_fetch_add(racer->wrong, 1);
			break;
		}
	}
	return NULL;
}

static void races(void)
{
	struct two two = two_open(&ceph, (struct rados_options){.space = "races"});
	_Atomic unsigned won = 0;
	_Atomic unsigned appended = 0;
	_Atomic unsigned wrong = 0;
	pthread_t threads[RACERS];
	struct racer racers[RACERS];
	struct store_get get;
	for (unsigned i = 0; i < RACERS; i++) {
		racers[i] = (struct racer){&two, i, &won, &appended, &wrong};
		if (pthread_create(&threads[i], NULL, race, &racers[i]) != 0)
			abort();
	}
	for (unsigned i = 0; i < RACERS; i++)
		(void)pthread_join(threads[i], NULL);
	OK(won == CLAIMS && wrong == 0,
		"of all who forbid overwriting one wins, at whichever store");
	bool ok = get_begin(two.one, two.id, S("line"), true, &get) == ERR_OK;
	OK(ok && appended == RACERS * APPENDS && get.object.size == appended,
		"each append that was acknowledged is there once");
	if (ok)
		store_get_release(two.one, &get);
	ok = put_object(two.one, two.id, S("last"), S("1"), NULL) == ERR_OK;
	for (unsigned i = 0; i < 2; i++) {
		struct store_bucket_stats stats;
		bucket_stats(i ? two.other : two.one, two.id, &stats);
		OK(ok && stats.objects == CLAIMS + 2 && stats.bytes == 4 * CLAIMS + appended + 1,
			"and the counts are right, whichever store is asked");
	}
	two_close(&two);
}

/* ---- An OSD that stands still ---------------------------------------------------------------- */

enum {
	LOST = 2, /* operations */
	STOPS_MAX = 40,
	KEYS_MAX = 100000,
};

struct writer {
	struct store *s;
	uint64_t id;
	atomic_bool ends;
	unsigned count;
	_Atomic unsigned acknowledged;
	_Atomic unsigned refused; /* which may have happened */
	unsigned wrong;
	bool done[KEYS_MAX];
};

static struct slice key_of(char *text, size_t size, unsigned i)
{
	int len = snprintf(text, size, "k%06u", i);
	return slice_of(text, (size_t)len);
}

static void *write_on(void *arg)
{
	struct writer *w = arg;
	char text[16];
	for (; !atomic_load(&w->ends) && w->count < KEYS_MAX; w->count++) {
		struct slice key = key_of(text, sizeof(text), w->count);
		enum err e = put_object(w->s, w->id, key, key, NULL);
		w->done[w->count] = e == ERR_OK;
		w->acknowledged += e == ERR_OK;
		w->refused += e == ERR_UNAVAILABLE;
		w->wrong += e != ERR_OK && e != ERR_UNAVAILABLE;
	}
	return NULL;
}

static pid_t osd_pid(void)
{
	char path[FOLDER_PATH_MAX + 16];
	int pid = 0;
	(void)snprintf(path, sizeof(path), "%s/osd.0.pid", ceph.path);
	FILE *file = fopen(path, "r");
	if (!file || fscanf(file, "%d", &pid) != 1)
		abort();
	(void)fclose(file);
	return pid;
}

/* Waits, a minute at most, until a number is another one than before. */
static bool moves(_Atomic unsigned *number, unsigned before, const struct rados *r, uint64_t lost)
{
	for (unsigned i = 0; i < 6000; i++) {
		if (atomic_load(number) != before || atomic_load(&r->lost) != lost)
			return true;
		(void)usleep(10000);
	}
	return false;
}

/*
 * The OSD stands still until an operation has failed, or was lost; which of both goes by what it
 * was doing.
 */
static bool stop_once(struct writer *w, const struct rados *r, pid_t osd)
{
	uint64_t lost = atomic_load(&r->lost);
	unsigned refused = atomic_load(&w->refused);
	(void)kill(osd, SIGSTOP);
	bool ok = moves(&w->refused, refused, r, lost);
	(void)kill(osd, SIGCONT);
	unsigned acknowledged = atomic_load(&w->acknowledged);
	return moves(&w->acknowledged, acknowledged, r, atomic_load(&r->lost)) && ok;
}

static void operations_are_settled(void)
{
	static struct writer w;
	pthread_t thread;
	pid_t osd = osd_pid();
	struct two two =
		two_open(&ceph, (struct rados_options){.space = "settled", .timeout_s = 1});
	w.s = two.one;
	w.id = two.id;
	if (pthread_create(&thread, NULL, write_on, &w) != 0)
		abort();
	const struct rados *r = rados_of(two.one);
	bool ok = true;
	for (unsigned i = 0; ok && i < STOPS_MAX && atomic_load(&r->lost) < LOST; i++)
		ok = stop_once(&w, r, osd);
	ok = ok && atomic_load(&r->lost) > 0;
	atomic_store(&w.ends, true);
	(void)pthread_join(thread, NULL);
	OK(ok && w.wrong == 0 && w.acknowledged > 0, "operations are lost, and settled");
	unsigned there = 0;
	char text[16];
	for (unsigned i = 0; i < w.count; i++) {
		struct slice key = key_of(text, sizeof(text), i);
		bool is = object_is(two.other, two.id, key, key);
		there += is;
		ok = ok && (is || !w.done[i]);
	}
	OK(ok && there >= w.acknowledged && there <= w.acknowledged + w.refused,
		"all that was acknowledged is there");
	ok = put_object(two.one, two.id, S("last"), S("x"), NULL) == ERR_OK;
	struct store_bucket_stats stats;
	bucket_stats(two.one, two.id, &stats);
	OK(ok && stats.objects == there + 1, "and was counted once");
	two_close(&two);
}

/* ---- What the dead have left ----------------------------------------------------------------- */

static void a_frozen_tablet_is_taken_over(void)
{
	struct two two = two_open(&ceph, (struct rados_options){.space = "frozen"});
	struct frozen_tablets frozen;
	OK(tablet_freeze_empty(rados_of(two.one), two.id, &frozen) == ERR_OK && frozen.count == 1 &&
			frozen.list[0].epoch > 1,
		"somebody begins to delete a bucket, and dies");
	OK(put_object(two.other, two.id, S("k"), S("x"), NULL) == ERR_OK &&
			object_is(two.one, two.id, S("k"), S("x")),
		"another one puts an object there in spite of that");
	/* The dead one wakes. */
	tablet_thaw(rados_of(two.one), two.id, &frozen);
	frozen_tablets_free(&frozen);
	OK(bucket_delete(two.one, S("b")) == ERR_BUCKET_NOT_EMPTY,
		"and the first one finds that it is not empty");
	two_close(&two);
}

/* As when a watch is lost, and Ceph does not take another one either. */
static void a_watch_does_not_begin(struct two *two)
{
	struct watch watch = {.number = 0};
	bool none = true;
	for (int i = 0; i < 20; i++) {
		none = none &&
		       watch_begin(&watch, rados_of(two->one)->index, "no such object") == -ENOENT;
		watch_end(&watch);
		watch_end(&watch);
	}
	OK(none, "a watch that could not begin may be ended, also twice");
}

int main(void)
{
	if (!ceph_start(&ceph))
		return tap_done();
	struct two two = two_open(&ceph, (struct rados_options){.space = "shared"});
	buckets_are_shared(&two);
	objects_are_shared(&two);
	uploads_are_listed_as_they_began(&two);
	versions_are_shared(&two);
	a_watch_does_not_begin(&two);
	two_close(&two);
	what_nobody_told_is_found();
	other_versions_are_kept_apart();
	a_bucket_goes();
	races();
	operations_are_settled();
	a_frozen_tablet_is_taken_over();
	ceph_stop(&ceph);
	return tap_done();
}
