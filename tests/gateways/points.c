/* SPDX-License-Identifier: Apache-2.0 */
#include "points.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define NAME_BYTES 32
#define POINTS_MAX 64
/* A prime, so that times differ from one to the next. */
#define LATE_STEP 7919

/* Those that do all of the first, and nothing of the second; README.md lists them. */
static const struct point {
	const char *name;
	uint64_t all;
	uint64_t none;
} points[] = {
#define F(name) FACT(name)
	/* Bytes. */
	{"chunk-written", F(ON_DATA) | F(WRITES), 0},
	{"chunk-removed", F(ON_DATA) | F(REMOVES), 0},
	/* Changes of objects. */
	{"put-inline", F(SETS_OWN) | F(SETS_OBJECT) | F(SETS_BYTES), 0},
	{"put-data", F(SETS_OWN) | F(SETS_OBJECT) | F(IS_IN_DATA),
		F(REMOVES_UPLOAD) | F(SETS_EXTENTS)},
	{"overwritten", F(SETS_OWN) | F(SETS_OBJECT) | F(SETS_GARBAGE), F(REMOVES_UPLOAD)},
	{"object-deleted", F(SETS_OWN) | F(REMOVES_OBJECT), F(SETS_OBJECT) | F(SETS_VERSION)},
	{"version-kept", F(SETS_OWN) | F(SETS_VERSION), 0},
	{"appended", F(SETS_OWN) | F(SETS_EXTENTS), F(REMOVES_UPLOAD)},
	{"upload-begun", F(SETS_OWN) | F(SETS_UPLOAD), F(SETS_PART)},
	{"part-put", F(SETS_OWN) | F(SETS_PART), 0},
	{"upload-completed", F(SETS_OWN) | F(REMOVES_UPLOAD) | F(SETS_OBJECT), 0},
	{"upload-aborted", F(SETS_OWN) | F(REMOVES_UPLOAD), F(SETS_OBJECT)},
	{"settled", F(SETS_OWN),
		F(CHANGES_KEYS) | F(SETS_SUM) | F(SETS_HEAD) | F(SETS_EPOCH) | F(IS_CLOSED)},
	/* Splits. */
	{"split-begun", F(IS_SPLITTING), F(IS_AGAIN)},
	{"split-made", F(ON_TABLET) | F(MAKES), F(ON_FIRST_TABLET)},
	{"split-copied", F(ON_TABLET) | F(CHANGES_KEYS), F(SETS_OWN) | F(SETS_SUM) | F(SETS_HEAD)},
	{"split-renewed", F(IS_SPLITTING) | F(IS_AGAIN), 0},
	{"split-counted", F(ON_TABLET) | F(SETS_SUM), F(SETS_HEAD)},
	{"split-done", F(IS_ACTIVE) | F(REMOVES_RANGE), 0},
	/* Merges. */
	{"merge-begun", F(IS_MERGING), 0},
	{"merge-moving", F(IS_MOVING), 0},
	{"merge-moved", F(IS_MOVED), 0},
	{"merge-done", F(IS_ACTIVE) | F(SETS_MERGED) | F(SETS_SUM), 0},
	{"tablet-removed", F(ON_TABLET) | F(REMOVES), F(COMPARES)},
	{"merge-forgotten", F(ON_TABLET) | F(REMOVES_MERGED), 0},
	{"undone", F(IS_ACTIVE), F(MAKES) | F(REMOVES_RANGE) | F(SETS_SUM)},
	/* Buckets. */
	{"bucket-tablet", F(ON_FIRST_TABLET) | F(MAKES), 0},
	{"bucket-made", F(ON_BUCKETS) | F(SETS_BUCKET) | F(SETS_NEXT), 0},
	{"bucket-changed", F(ON_BUCKETS) | F(SETS_BUCKET), F(SETS_NEXT) | F(IS_DELETING)},
	{"bucket-told", F(ON_BUCKETS) | F(NOTIFIES), 0},
	{"delete-begun", F(ON_BUCKETS) | F(IS_DELETING), 0},
	{"delete-frozen", F(IS_FROZEN), 0},
	{"delete-done", F(ON_BUCKETS) | F(REMOVES_BUCKET), 0},
	{"delete-ended", F(IS_ENDED), 0},
	{"delete-collected", F(ON_TABLET) | F(REMOVES) | F(COMPARES), 0},
	{"delete-forgotten", F(ON_BUCKETS) | F(REMOVES_DELETED), F(SETS_BUCKET)},
	/* Garbage. */
	{"garbage-dated", F(ON_TABLET) | F(REMOVES_GARBAGE) | F(SETS_GARBAGE), 0},
	{"garbage-removed", F(ON_TABLET) | F(REMOVES_GARBAGE), F(SETS_GARBAGE)},
	{"folded", F(IS_ACTIVE) | F(REMOVES_OWN), 0},
	/* Gateways. */
	{"joined", F(ON_GATEWAYS) | F(SETS_NEXT), 0},
	{"beat", F(ON_GATEWAYS) | F(SETS_GATEWAY), F(SETS_NEXT) | F(IS_DEAD)},
	{"epoch-counted", F(ON_GATEWAYS) | F(SETS_EPOCH), 0},
	{"dead-said", F(ON_GATEWAYS) | F(IS_DEAD), 0},
	{"dead-fenced", F(ON_TABLET) | F(IS_CLOSED) | F(SETS_EPOCH), F(MAKES) | F(SETS_HEAD)},
	{"dead-garbage", F(ON_TABLET) | F(SETS_GARBAGE) | F(SETS_EPOCH), 0},
	{"dead-gone", F(ON_GATEWAYS) | F(REMOVES_GATEWAY), 0},
#undef F
};

#define POINTS (sizeof(points) / sizeof(points[0]))

/* As lib/points.js reads and writes it; common to all gateways. */
static struct control {
	_Atomic int64_t armed; /* whether a gateway gets a signal at the next point that has one */
	_Atomic int64_t hit;   /* the process that has come to one */
	_Atomic int64_t point; /* the number of that point, from 1 on */
	_Atomic int64_t slow;  /* number of a point that takes longer, while `armed`; 0: none */
	_Atomic int64_t slow_ms;    /* so much */
	_Atomic int64_t late_every; /* of so many changes of tablets one is late; 0: none */
	_Atomic int64_t late_ms;    /* by this at most */
	_Atomic int64_t late;       /* how many were */
	_Atomic int64_t forgets;    /* whether a gateway does not compare its own counter */
	struct {
		char name[NAME_BYTES];
		_Atomic int64_t sent;
		_Atomic int64_t done;
		_Atomic int64_t before; /* the signal before it is sent; 0: none */
		_Atomic int64_t behind; /* and when it was done */
	} points[POINTS_MAX];
} * control;

_Static_assert(POINTS <= POINTS_MAX, "there is room for all");

__attribute__((constructor)) static void begin(void)
{
	const char *name = getenv("GATEWAYS_POINTS");
	int fd = name ? open(name, O_RDWR | O_CLOEXEC) : -1;
	if (fd < 0)
		return;
	void *map = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	(void)close(fd);
	if (map == MAP_FAILED)
		return;
	control = map;
	/* Each gateway writes the same. */
	for (size_t i = 0; i < POINTS; i++)
		memcpy(control->points[i].name, points[i].name, strlen(points[i].name));
}

uint64_t points_of(uint64_t facts)
{
	uint64_t found = 0;
	for (size_t i = 0; i < POINTS; i++)
		if ((facts & points[i].all) == points[i].all && !(facts & points[i].none))
			found |= (uint64_t)1 << i;
	return found;
}

bool points_is_late(uint64_t facts, int64_t *ret_ms)
{
	const uint64_t all = FACT(ON_TABLET) | FACT(SETS_OWN) | FACT(CHANGES_KEYS);
	static _Atomic int64_t changes;
	if (!control || !control->late_every || (facts & all) != all || (facts & FACT(SETS_SUM)))
		return false;
	if (++changes % control->late_every != 0)
		return false;
	*ret_ms = ++control->late * LATE_STEP % (control->late_ms + 1);
	return true;
}

bool points_forget_own(void)
{
	return control && control->forgets;
}

static bool has(uint64_t found, size_t point)
{
	return found >> point & 1;
}

/* The first gateway that comes there is the one. */
static void fall(size_t point, int64_t signal)
{
	int64_t armed = 1;
	if (!signal || !atomic_compare_exchange_strong(&control->armed, &armed, 0))
		return;
	control->point = (int64_t)point + 1;
	control->hit = getpid();
	(void)raise((int)signal);
}

void points_before(uint64_t found)
{
	if (!control)
		return;
	for (size_t i = 0; i < POINTS; i++)
		control->points[i].sent += has(found, i);
	if (control->armed && control->slow && has(found, (size_t)control->slow - 1))
		(void)usleep((useconds_t)control->slow_ms * 1000);
	for (size_t i = 0; i < POINTS; i++)
		if (has(found, i))
			fall(i, control->points[i].before);
}

void points_after(uint64_t found)
{
	if (!control)
		return;
	for (size_t i = 0; i < POINTS; i++)
		control->points[i].done += has(found, i);
	for (size_t i = 0; i < POINTS; i++)
		if (has(found, i))
			fall(i, control->points[i].behind);
}
