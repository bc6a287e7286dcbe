/* SPDX-License-Identifier: Apache-2.0 */
/* Documents that all gateways of a store on Ceph have, and a command beside them. */
#include <pthread.h>

#include "base/waiter.h"
#include "ops/access/key_list.h"
#include "ops/access/keys.h"
#include "store/rados/cluster/edit.h"
#include "store/rados/cluster/fetch.h"
#include "store/rados/documents/pool_documents.h"
#include "store/rados/documents/pool_log.h"
#include "store/rados/documents/pool_marks.h"
#include "store/rados/state/state.h"
#include "tap.h"
#include "unit/documents/places.h"
#include "unit/store/two_gateways.h"

static struct ceph ceph;

static struct rados_options options_of(const char *space)
{
	return (struct rados_options){
		.clock = &clock_system, .config = ceph.config, .id = "admin", .space = space};
}

static struct documents *documents_of(struct store *store)
{
	struct documents *d = NULL;
	if (rados_documents(store, &d) != ERR_OK)
		exit(1);
	return d;
}

/* As a command has them. */
static struct documents *open_own(const char *space)
{
	struct rados_options options = options_of(space);
	struct documents *d = NULL;
	if (rados_documents_open(&options, &d) != ERR_OK)
		exit(1);
	return d;
}

static bool finds(struct keys *keys, const char *id)
{
	struct arena arena;
	struct access_key key;
	arena_init(&arena, NULL, 0, 1 << 16);
	bool found = keys_find(keys, slice_str(id), &arena, &key) == ERR_OK;
	arena_reset(&arena);
	return found;
}

/* What `postern keys` does. */
static enum key_edit change(struct documents *d, const char *id, bool adds)
{
	bool replaced = false;
	enum key_edit result = KEY_EDIT_FAILED;
	while (!replaced) {
		SCOPED_STRBUF(was, DOCUMENT_BYTES_MAX);
		SCOPED_STRBUF(text, DOCUMENT_BYTES_MAX);
		struct key_entry added;
		bool found = false;
		if (documents_read(d, KEY_LIST_DOCUMENT, &was, &found) != ERR_OK || !found)
			return KEY_EDIT_FAILED;
		struct key_list *list = key_list_parse(strbuf_slice(&was));
		result = adds ? key_list_add(list, id, "its secret", &added)
			      : key_list_remove(list, slice_str(id));
		bool ok = key_list_format(list, &text);
		key_list_free(list);
		if (!ok || result != KEY_EDIT_DONE ||
			documents_replace(d, KEY_LIST_DOCUMENT, strbuf_slice(&was),
				strbuf_slice(&text), &replaced) != ERR_OK)
			break;
	}
	return replaced ? KEY_EDIT_DONE : result;
}

/* ---- Access keys of two gateways ------------------------------------------------------------- */

struct gateway {
	struct documents *documents;
	struct keys *keys;
	bool made;
	pthread_t thread;
};

static void *open_keys(void *ctx)
{
	struct gateway *gateway = ctx;
	if (keys_open(gateway->documents, NULL, NULL, &gateway->keys, &gateway->made) != ERR_OK)
		gateway->keys = NULL;
	return NULL;
}

/* A key that was issued here is good there. */
static bool session_is_shared(struct keys *here, struct keys *there, const char *parent)
{
	struct arena arena;
	struct access_key key;
	struct session session = {.expires_ms = 1000};
	struct session got;
	SCOPED_STRBUF(token, 1 << 16);
	arena_init(&arena, NULL, 0, 1 << 16);
	bool shared = keys_find(here, slice_str(parent), &arena, &key) == ERR_OK &&
		      keys_issue(here, &key, &arena, &session, &token) == ERR_OK &&
		      keys_find_session(there, session.id, strbuf_slice(&token), 0, &arena, &got) ==
			      ERR_OK;
	arena_reset(&arena);
	return shared;
}

static void keys_are_shared(struct two *two)
{
	struct gateway gateways[2] = {
		{.documents = documents_of(two->one)}, {.documents = documents_of(two->other)}};
	struct documents *command = open_own("keys");
	for (size_t i = 0; i < 2; i++)
		if (pthread_create(&gateways[i].thread, NULL, open_keys, &gateways[i]) != 0)
			exit(1);
	for (size_t i = 0; i < 2; i++)
		pthread_join(gateways[i].thread, NULL);
	struct keys *one = gateways[0].keys;
	struct keys *other = gateways[1].keys;
	OK(one && other && gateways[0].made + gateways[1].made == 1,
		"of two first starts at once one makes the keys");
	if (!one || !other)
		exit(tap_done());
	SCOPED_STRBUF(first, 256);
	struct secret secret = SECRET_INIT;
	OK(keys_first(one, &first, &secret) == ERR_OK && finds(other, first.ptr),
		"and the other has them");
	secret_release(&secret);
	OK(change(command, "added", true) == KEY_EDIT_DONE && finds(one, "added") &&
			finds(other, "added"),
		"a key that was added is at once with both");
	OK(session_is_shared(one, other, "added") && session_is_shared(other, one, "added"),
		"a temporary key of either is good at the other");
	OK(change(command, "added", false) == KEY_EDIT_DONE && !finds(one, "added") &&
			!finds(other, "added"),
		"one that was removed is at once with neither");
	OK(change(command, first.ptr, false) == KEY_EDIT_LAST, "the last stays");
	keys_free(one);
	keys_free(other);
	documents_close(command);
	documents_close(gateways[0].documents);
	documents_close(gateways[1].documents);
}

/* ---- Several writers ------------------------------------------------------------------------- */

static void *count_on(void *ctx)
{
	struct documents *d = open_own(ctx);
	for (unsigned i = 0; i < 10; i++)
		place_count(d, "counter");
	documents_close(d);
	return NULL;
}

static void nothing_is_lost(void)
{
	pthread_t threads[3];
	static char space[] = "counting";
	struct documents *d = open_own(space);
	OK(place_replaces(d, "counter", "", "0"), "a counter");
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		if (pthread_create(&threads[i], NULL, count_on, space) != 0)
			exit(1);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		pthread_join(threads[i], NULL);
	OK(place_is(d, "counter", "30"), "no change of several writers is lost");
	documents_close(d);
}

/* ---- Nobody says so -------------------------------------------------------------------------- */

/* Changes the row as one who dies before it notifies. */
static void write_silently(struct store *store, const char *name, const char *text)
{
	struct edit edit = edit_begin(rados_of(store)->index);
	edit_set(&edit, slice_str(name), slice_str(text));
	if (edit_run(&edit, RADOS_DOCUMENTS) != 0)
		exit(1);
}

static void wait_for(struct follower *follower, unsigned taken)
{
	while (atomic_load(&follower->taken) < taken)
		(void)usleep(10000);
}

static void a_change_without_word(struct two *two)
{
	struct documents *d = documents_of(two->one);
	struct follower follower = {.base = {.name = "quiet", .take = follower_take}};
	bool found;
	OK(place_replaces(d, "quiet", "", "one") &&
			documents_follow(d, &follower.base, &found) == ERR_OK && found,
		"a document is followed");
	write_silently(two->other, "quiet", "two");
	documents_look(d, true);
	wait_for(&follower, 2);
	OK(strcmp(follower.bytes, "two") == 0, "what was not told of is found by a look");
	write_silently(two->other, "quiet", "three");
	wait_for(&follower, 3);
	OK(strcmp(follower.bytes, "three") == 0, "or after a while by itself");
	struct edit edit = edit_begin(rados_of(two->other)->index);
	edit_remove(&edit, S("quiet"));
	OK(edit_run(&edit, RADOS_DOCUMENTS) == 0, "somebody removes it");
	documents_look(d, true);
	wait_for(&follower, 4);
	OK(follower.is_gone, "which is told, too");
	/* One that is told of nothing any more may be freed at any time. */
	documents_close(d);
	documents_unfollow(&follower.base);
}

/* ---- Marks ----------------------------------------------------------------------------------- */

static int64_t now_ms = (int64_t)3600000 * 1000;

static int64_t read_clock(const struct clock *clock UNUSED)
{
	return now_ms;
}

static enum mark_result mark(struct shared_marks *marks, char byte, int64_t time_ms)
{
	struct waiter waiter;
	struct shared_mark wait = {.time_ms = time_ms};
	memset(wait.mark, byte, sizeof(wait.mark));
	waiter_init(&waiter);
	wait.home = waiter_expect(&waiter, &wait.done);
	shared_marks_set(marks, &wait);
	waiter_wait(&waiter);
	waiter_release(&waiter);
	return wait.result;
}

/* Rows of the object of marks whose first byte is `byte`. */
static size_t marks_in(struct store *store, char byte)
{
	char object[32];
	struct fetch *fetch = fetch_new();
	(void)snprintf(object, sizeof(object), RADOS_MARKS "%x", (unsigned)byte % 16);
	size_t number = fetch_range(fetch, "", "", FETCH_ROWS_MAX);
	size_t count = fetch_run(fetch, rados_of(store)->index, object) == 0
			       ? fetch_rows(fetch, number)->count
			       : 0;
	fetch_free(fetch);
	return count;
}

static void marks_are_set_once(struct two *two)
{
	const struct clock clock = {.wall_ms = read_clock};
	struct shared_marks *one = NULL;
	struct shared_marks *other = NULL;
	if (marks_in_pool(rados_of(two->one)->index, &clock, &one) != ERR_OK ||
		marks_in_pool(rados_of(two->other)->index, &clock, &other) != ERR_OK)
		exit(1);
	OK(mark(one, 'a', now_ms) == MARK_NEW && mark(other, 'b', now_ms) == MARK_NEW,
		"each mark is new once");
	OK(mark(one, 'b', now_ms) == MARK_SET_BEFORE && mark(other, 'a', now_ms) == MARK_SET_BEFORE,
		"at all gateways");
	int64_t first_ms = now_ms;
	now_ms += MARK_KEPT_MS;
	OK(mark(other, 'q', now_ms) == MARK_NEW && mark(one, 'a', first_ms) == MARK_SET_BEFORE,
		"it is kept for an hour");
	now_ms += MARK_KEPT_MS;
	OK(mark(other, 'q', now_ms) == MARK_NEW && marks_in(two->one, 'q') == 2,
		"and is gone when another one has come after that");
	shared_marks_close(one);
	shared_marks_close(other);
}

/* ---- A log ----------------------------------------------------------------------------------- */

enum {
	RING = 4
};

static int64_t last_id;

static int64_t next_id(void *ctx UNUSED)
{
	return ++last_id;
}

static struct shared_log *log_of(struct store *store, uint64_t gateway)
{
	struct shared_log *log = NULL;
	const struct pool_log_options options = {.pool = rados_of(store)->index,
		.name = "log",
		.gateway = gateway,
		.entries = RING,
		.next_id = next_id};
	if (log_in_pool(&options, &log) != ERR_OK)
		exit(1);
	return log;
}

/* Adds an entry that says its id. */
static bool add(struct shared_log *log)
{
	char text[24];
	int64_t id = log->next_id(log);
	(void)snprintf(text, sizeof(text), "%d", (int)id);
	return log->add(log, id, slice_str(text)) == ERR_OK;
}

static bool take_entry(void *ctx, int64_t id, struct slice bytes)
{
	struct strbuf *out = ctx;
	char text[24];
	(void)snprintf(text, sizeof(text), "%d", (int)id);
	strbuf_addf(
		out, "%s%.*s", slice_eq(bytes, slice_str(text)) ? " " : " not ", SLICE_FMT(bytes));
	return true;
}

/* Whether that is what is read: " 3 2", and "..." if there is more. */
static bool reads(struct shared_log *log, int64_t before, size_t limit, const char *wanted)
{
	SCOPED_STRBUF(out, 1000);
	struct shared_log_query query = {
		.before = before, .limit = limit, .take = take_entry, .ctx = &out};
	enum err e = log->read(log, &query);
	strbuf_adds(&out, query.more ? "..." : "");
	if (e != ERR_OK || strcmp(out.ptr, wanted) != 0)
		printf("# %d: `%s`, not `%s`\n", (int)e, out.ptr, wanted);
	return e == ERR_OK && strcmp(out.ptr, wanted) == 0;
}

static void a_log_is_read_merged(struct two *two)
{
	struct shared_log *one = log_of(two->one, 1);
	struct shared_log *other = log_of(two->other, 2);
	OK(reads(one, INT64_MAX, 10, ""), "nothing is in it");
	OK(add(one) && add(other) && add(one) && add(other) && add(other), "five entries");
	OK(reads(one, INT64_MAX, 10, " 5 4 3 2 1") && reads(other, INT64_MAX, 10, " 5 4 3 2 1"),
		"each reads what both have written, the newest first");
	OK(reads(one, INT64_MAX, 2, " 5 4...") && reads(one, 4, 2, " 3 2...") &&
			reads(one, 2, 2, " 1") && reads(one, 1, 2, ""),
		"in pages");
	OK(add(one) && add(one) && add(one), "one writes more than it has room for");
	OK(reads(other, INT64_MAX, 10, " 8 7 6 5 4 3 2"), "its own oldest goes");
	/* A gateway that starts later, and has the ring of one that may still be there. */
	struct shared_log *heir = log_of(two->one, 1 + 16);
	OK(add(heir) && reads(heir, INT64_MAX, 10, " 9 8 7 6 5 4 2"),
		"who has a ring that was in use goes on in it");
	OK(add(one) && add(heir) && add(one) && reads(one, INT64_MAX, 10, " 12 11 10 9 5 4 2"),
		"and two at the same time share its room");
	one->close(one);
	other->close(other);
	heir->close(heir);
}

int main(void)
{
	if (!ceph_start(&ceph))
		return tap_done();
	struct documents *d = open_own("command");
	place_keeps(d, "in Ceph");
	documents_close(d);
	struct rados_options options = ceph_small("keys");
	options.look_ms = 500;
	struct two two = two_open(&ceph, options);
	keys_are_shared(&two);
	a_change_without_word(&two);
	marks_are_set_once(&two);
	a_log_is_read_merged(&two);
	two_close(&two);
	nothing_is_lost();
	ceph_stop(&ceph);
	return tap_done();
}
