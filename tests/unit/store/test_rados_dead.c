/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gateways on Ceph that stand still or are killed: what they have left goes, nothing else does, and
 * should they wake they change nothing.
 */
#include <signal.h>

#include "store/rados/gateways/gateways.h"
#include "tap.h"
#include "unit/store/ceph_clean.h"
#include "unit/store/versions.h"

static struct ceph ceph;
static char large[1000000];
static char small[3000];

#define LARGE slice_of(large, sizeof(large))
#define SMALL slice_of(small, sizeof(small))

enum {
	NEVER_MS = 3600000
};

static bool put(struct store *s, uint64_t id, struct slice key, struct slice bytes)
{
	return put_object(s, id, key, bytes, NULL) == ERR_OK;
}

/* ---- Who stands still ------------------------------------------------------------------------ */

/* Says in its row that a gateway is dead. */
static bool declare_dead(struct rados *by, uint64_t instance)
{
	struct gateway_list list;
	int result = -ESRCH;
	if (gateways_read(by, &list) == 0 && gateway_find(&list, instance)) {
		const struct gateway *found = gateway_find(&list, instance);
		struct gateway_row row = found->row;
		row.is_dead = true;
		result = gateway_change(by, found, &row);
	}
	gateway_list_free(&list);
	return result == 0;
}

static struct store_put *begin_put(struct store *s, uint64_t id, struct slice key)
{
	struct store_put_spec spec = {.bucket_id = id, .key = key};
	struct store_put *put;
	if (store_put_begin(s, &spec, &put) != ERR_OK || put_pieces(s, put, LARGE, 0) != ERR_OK)
		abort();
	return put;
}

/*
 * A gateway has sent the bytes of two objects, and one of them is complete. It stands still, is
 * taken for dead, and goes on.
 */
static void a_zombie_wakes(void)
{
	struct rados_options slow = ceph_quick("zombie");
	/* It does not find out by itself. */
	slow.beat_ms = NEVER_MS;
	struct store *zombie = ceph_open_or_end(&ceph, slow);
	struct store *other = ceph_open_or_end(&ceph, ceph_quick("zombie"));
	uint64_t id = bucket_made(other, S("b"));
	struct put_how how = {.piece = 0};
	struct store_put *late = begin_put(zombie, id, S("late"));
	bool ok = put(other, id, S("late"), S("is here")) && put(zombie, id, S("whole"), LARGE) &&
		  !is_clean(&ceph, other, "zombie");
	ok = ok && declare_dead(rados_of(other), rados_of(zombie)->instance);
	OK(ok && becomes_clean(&ceph, other, "zombie"), "what a dead gateway was writing goes");
	OK(object_is(other, id, S("whole"), LARGE), "what it had written stays");
	OK(put_finish(zombie, late, &how) == ERR_UNAVAILABLE &&
			object_is(other, id, S("late"), S("is here")),
		"should it wake, it cannot end what it was doing");
	OK(put_object(zombie, id, S("new"), SMALL, NULL) == ERR_UNAVAILABLE &&
			head_object(zombie, id, S("whole")) == ERR_UNAVAILABLE,
		"and serves nobody any more");
	struct store_stats stats;
	store_stats(zombie, &stats);
	OK(stats.is_over && stats.silent, "which it says");
	store_stats(other, &stats);
	OK(!stats.is_over && !stats.silent && stats.cluster.removed > 0, "the other goes on");
	store_close(zombie);
	OK(becomes_clean(&ceph, other, "zombie"), "it leaves nothing");
	store_close(other);
}

static void one_that_does_not_move_is_dead(void)
{
	struct rados_options slow = ceph_quick("still");
	struct rados_options quick = ceph_quick("still");
	slow.beat_ms = NEVER_MS;
	quick.dead_beats = 20;
	struct store *still = ceph_open_or_end(&ceph, slow);
	struct store *other = ceph_open_or_end(&ceph, quick);
	uint64_t id = bucket_made(other, S("b"));
	struct store_put *late = begin_put(still, id, S("late"));
	struct put_how how = {.piece = 0};
	OK(becomes_clean(&ceph, other, "still"), "one that does not move is taken for dead");
	OK(put_finish(still, late, &how) == ERR_UNAVAILABLE &&
			head_object(other, id, S("late")) == ERR_NO_SUCH_KEY,
		"and can complete nothing");
	store_close(still);
	store_close(other);
}

/* ---- Who is killed --------------------------------------------------------------------------- */

enum {
	ROUNDS = 5,
	CHILDREN = 2,
	KEYS = 12,
	NAME_BYTES = 32,
	ACKNOWLEDGED_MAX = 100000,
	RUN_US_MAX = 500000,
};

static struct rados_options killed_options(void)
{
	struct rados_options options = ceph_quick("killed");
	options.dead_beats = 25;
	/* Some are killed in the middle of that. */
	options.split = 8;
	options.frozen_ms = 500;
	return options;
}

/* Some change of an object that others change, too; whether it succeeds or not. */
static void change_something(struct store *s, uint64_t id, unsigned *seed)
{
	unsigned what = (unsigned)rand_r(seed);
	char text[NAME_BYTES];
	uint64_t upload;
	int len = snprintf(text, sizeof(text), "k%u", what / 8 % KEYS);
	struct slice key = slice_of(text, (size_t)len);
	struct slice bytes = what / 1024 % 2 ? LARGE : SMALL;
	switch (what % 8) {
	case 0:
		(void)delete_object(s, id, key, NULL);
		break;
	case 1:
		(void)put_and_abort(s, id, key, bytes);
		break;
	case 2:
		if (upload_begin(s, id, key, S(""), &upload) == ERR_OK &&
			put_part(s, id, key, upload, 1, bytes, NULL) == ERR_OK &&
			put_part(s, id, key, upload, 2, SMALL, NULL) == ERR_OK) {
			struct store_multipart_complete complete = {
				.bucket_id = id, .key = key, .upload = upload};
			if (what / 2048 % 2)
				(void)upload_complete(s, &complete);
			else
				(void)upload_abort(s, id, key, upload);
		}
		break;
	case 3:
		(void)append(s, id, key, what / 2048 % 2 ? sizeof(small) : 0, SMALL, NULL);
		break;
	default:
		(void)put(s, id, key, bytes);
		break;
	}
}

/* Writes until it is killed; the names of what was acknowledged to stdout. */
static int child(const char *config, unsigned seed)
{
	(void)snprintf(ceph.config, sizeof(ceph.config), "%s", config);
	struct store *s = ceph_open(&ceph, killed_options());
	uint64_t id = s ? bucket_id(s, S("b")) : 0;
	if (!id)
		return 1;
	for (unsigned i = 0;; i++) {
		char name[NAME_BYTES] = {0};
		int len = snprintf(name, sizeof(name), "mine-%d-%u", (int)getpid(), i);
		if (put(s, id, slice_of(name, (size_t)len), i % 2 ? LARGE : SMALL) &&
			write(STDOUT_FILENO, name, sizeof(name)) != (ssize_t)sizeof(name))
			return 1;
		change_something(s, id, &seed);
	}
}

static pid_t start_child(unsigned seed, int *ret_fd)
{
	int ends[2];
	char number[16];
	(void)snprintf(number, sizeof(number), "%u", seed);
	pid_t pid = pipe2(ends, O_CLOEXEC) == 0 ? fork() : -1;
	if (pid == 0) {
		(void)dup2(ends[1], STDOUT_FILENO);
		(void)execl("/proc/self/exe", "test_rados_dead", ceph.config, number, (char *)NULL);
		_exit(1);
	}
	if (pid < 0)
		abort();
	(void)close(ends[1]);
	*ret_fd = ends[0];
	return pid;
}

static char acknowledged[ACKNOWLEDGED_MAX][NAME_BYTES];
static size_t acknowledged_count;

/* One name; false at the end. */
static bool take_name(int fd)
{
	size_t got = 0;
	char *to = acknowledged[acknowledged_count];
	while (got < NAME_BYTES) {
		ssize_t n = read(fd, to + got, NAME_BYTES - got);
		if (n <= 0)
			return false;
		got += (size_t)n;
	}
	acknowledged_count += acknowledged_count + 1 < ACKNOWLEDGED_MAX;
	return true;
}

/* Children write, and collect, until they are killed. False if one did not get so far. */
static bool kill_children(unsigned *seed)
{
	pid_t pids[CHILDREN];
	int fds[CHILDREN];
	bool ok = true;
	for (unsigned i = 0; i < CHILDREN; i++)
		pids[i] = start_child((unsigned)rand_r(seed), &fds[i]);
	for (unsigned i = 0; i < CHILDREN; i++)
		ok = take_name(fds[i]) && ok;
	for (unsigned i = 0; i < CHILDREN; i++) {
		(void)usleep((useconds_t)rand_r(seed) % RUN_US_MAX);
		(void)kill(pids[i], SIGKILL);
		(void)waitpid(pids[i], NULL, 0);
		while (take_name(fds[i]))
			continue;
		(void)close(fds[i]);
	}
	return ok;
}

static bool all_whole(struct store *s, uint64_t id, size_t *ret_count)
{
	struct store_list list = {.bucket_id = id, .max_entries = LIMIT_LIST_KEYS};
	bool ok = true;
	for (;;) {
		char marker[LIMIT_KEY_BYTES];
		if (list_objects(s, &list) != ERR_OK)
			return false;
		for (uint32_t i = 0; ok && i < list.count; i++) {
			struct store_get get;
			ok = get_begin(s, id, list.entries[i].key, false, &get) == ERR_OK;
			char *bytes = ok ? get_bytes(s, &get, 0) : NULL;
			ok = bytes != NULL;
			free(bytes);
			if (ok)
				store_get_release(s, &get);
		}
		bool more = ok && list.truncated;
		*ret_count += list.count;
		struct slice last = list.count ? list.entries[list.count - 1].key : S("");
		memcpy(marker, last.ptr, last.len);
		store_list_release(s, &list);
		if (!more)
			return ok;
		list.marker = slice_of(marker, last.len);
	}
}

static void gateways_are_killed(void)
{
	unsigned seed = (unsigned)getpid();
	struct store *s = ceph_open_or_end(&ceph, killed_options());
	bool ok = bucket_made(s, S("b")) != 0;
	store_close(s);
	printf("# seed %u\n", seed);
	for (unsigned i = 0; ok && i < ROUNDS; i++)
		ok = kill_children(&seed);
	OK(ok && acknowledged_count > 0, "gateways that write and collect are killed");
	s = ceph_open_or_end(&ceph, killed_options());
	uint64_t id = bucket_id(s, S("b"));
	/* Whoever wants to change a tablet that is not split to the end undoes that. */
	for (size_t i = 0; i < acknowledged_count; i++) {
		char name[NAME_BYTES + 2];
		int len = snprintf(name, sizeof(name), "%s-", acknowledged[i]);
		/* On a slow machine it may not serve for a while. */
		while (delete_object(s, id, slice_of(name, (size_t)len), NULL) == ERR_UNAVAILABLE)
			(void)usleep(10000);
	}
	OK(becomes_clean(&ceph, s, "killed"), "the next one removes all that they have left");
	store_close(s);
	/* One that goes on serving when it has not told of itself for a while. */
	s = ceph_open_or_end(&ceph, ceph_quick("killed"));
	size_t there = 0;
	for (size_t i = 0; i < acknowledged_count; i++)
		there += head_object(s, id, slice_of(acknowledged[i], strlen(acknowledged[i]))) ==
			 ERR_OK;
	OK(there == acknowledged_count, "all %zu that were acknowledged are there",
		acknowledged_count);
	size_t count = 0;
	OK(all_whole(s, id, &count), "and every object is whole");
	struct store_bucket_stats stats;
	bucket_stats(s, id, &stats);
	OK(stats.objects == count, "the counts are right");
	store_close(s);
}

int main(int argc, char **argv)
{
	memset(large, 'l', sizeof(large));
	memset(small, 's', sizeof(small));
	if (argc == 3)
		return child(argv[1], (unsigned)strtoul(argv[2], NULL, 10));
	if (!ceph_start(&ceph))
		return tap_done();
	a_zombie_wakes();
	one_that_does_not_move_is_dead();
	gateways_are_killed();
	ceph_stop(&ceph);
	return tap_done();
}
