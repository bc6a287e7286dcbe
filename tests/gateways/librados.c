/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions of librados that change something: each is handed on to the real one, and what the
 * operation does is noted, so that points.c knows it. The library has the name of librados and
 * needs the real one, which the test calls librados.real.so; what is not here is found there.
 */
#include "store/rados/cluster/librados.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "points.h"
#include "store/rados/rows/key.h"
#include "store/rados/rows/tablet_rows.h"

#define REAL_LIBRARY "librados.real.so"

enum {
	ROW_BUCKET = 'b', /* in the object `buckets` */
	ROW_NEXT = 'n',
	ROW_GATEWAY = 'i', /* in the object `gateways` */
	STATE_AT = 1,      /* of a head; whether an own row is closed, and a gateway dead */
	DELETING_AT = 32,  /* in the row of a bucket */
	NUMBER_BYTES = 8,
	PLACE_AT = 67, /* in an entry */
	PLACE_DATA = 2,
	TABLET_NAME_BYTES = 2 + 16 + 1 + 16,
};

/* What is here; the prototypes are those that postern calls. */
#define FUNCTIONS(X)               \
	X(create_write_op)         \
	X(release_write_op)        \
	X(write_op_create)         \
	X(write_op_write_full)     \
	X(write_op_setxattr)       \
	X(write_op_remove)         \
	X(write_op_omap_cmp2)      \
	X(write_op_omap_set2)      \
	X(write_op_omap_rm_keys2)  \
	X(write_op_omap_rm_range2) \
	X(write_op_operate)        \
	X(aio_create_completion2)  \
	X(aio_get_return_value)    \
	X(aio_release)             \
	X(aio_write_op_operate)    \
	X(notify2)                 \
	X(ioctx_destroy)

static struct librados real;

#define DECLARE(name) __typeof__(*real.name) rados_##name;
FUNCTIONS(DECLARE)
#undef DECLARE

/* A tablet is split by one thread; the head that it has set last says of which. */
static _Thread_local char splitting[TABLET_NAME_BYTES + 1];

/* Instead of librados's. */
struct write_op {
	void *op; /* NULL: it is sent later, and released then */
	uint64_t facts;
};

/* What is sent later. */
struct late {
	void *op;
	void *io;
	char *object;
	int flags;
	int64_t ms;
};

struct completion {
	void *completion;
	void (*done)(void *completion, void *ctx);
	void *ctx;
	uint64_t points;
};

__attribute__((constructor)) static void begin(void)
{
	void *library = dlopen(REAL_LIBRARY, RTLD_NOW | RTLD_NOLOAD);
	if (!library)
		abort();
#define LOAD(name) *(void **)&real.name = dlsym(library, "rados_" #name);
	FUNCTIONS(LOAD)
#undef LOAD
}

/* ---- What is done ---------------------------------------------------------------------------- */

static uint64_t facts_of_object(const char *object)
{
	static const char first[] = ".0000000000000000";
	size_t len = strlen(object);
	if (strcmp(object, "buckets") == 0)
		return FACT(ON_BUCKETS);
	if (strcmp(object, "gateways") == 0)
		return FACT(ON_GATEWAYS);
	if (len == TABLET_NAME_BYTES && strncmp(object, "t.", 2) == 0)
		return FACT(ON_TABLET) |
		       (strcmp(object + len + 1 - sizeof(first), first) == 0 ? FACT(ON_FIRST_TABLET)
									     : 0);
	/* Numbers of data and of a chunk. */
	return strspn(object, "0123456789abcdef") == 16 && object[16] == '.' ? FACT(ON_DATA) : 0;
}

static bool is_key_row(char kind)
{
	return memchr("ohvdeux", kind, 7) != NULL;
}

static bool is_sum(const char *key, size_t len)
{
	static const char zeros[ROW_NUMBER_BYTES] = {
		'\x80', '\x80', '\x80', '\x80', '\x80', '\x80', '\x80', '\x80', '\x80', '\x80'};
	return len >= sizeof(zeros) && memcmp(key + len - sizeof(zeros), zeros, sizeof(zeros)) == 0;
}

static bool byte_at(const char *value, size_t len, size_t at, char byte)
{
	return at < len && value[at] == byte;
}

static uint64_t facts_of_head(const char *value, size_t len)
{
	static const struct {
		char state;
		enum fact fact;
	} states[] = {{HEAD_ACTIVE, IS_ACTIVE}, {HEAD_FROZEN, IS_FROZEN}, {HEAD_DEAD, IS_ENDED},
		{HEAD_SPLITTING, IS_SPLITTING}, {HEAD_MERGING, IS_MERGING},
		{HEAD_MOVING, IS_MOVING}, {HEAD_MOVED, IS_MOVED}};
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (byte_at(value, len, STATE_AT, states[i].state))
			return FACT(SETS_HEAD) | FACT(states[i].fact);
	return FACT(SETS_HEAD);
}

static bool is_deleting(const char *value, size_t len)
{
	static const char zeros[NUMBER_BYTES];
	return len == DELETING_AT + NUMBER_BYTES &&
	       memcmp(value + DELETING_AT, zeros, sizeof(zeros)) != 0;
}

/* Of a row that is set. Its object is not known yet: some letters are in two of them. */
static uint64_t facts_of_row(const char *key, size_t key_len, const char *value, size_t len)
{
	uint64_t facts = is_key_row(key[0]) ? FACT(CHANGES_KEYS) : 0;
	switch (key[0]) {
	case 'E':
		return FACT(SETS_EPOCH);
	case 'H':
		return facts_of_head(value, len);
	case ROW_OWN:
		return FACT(is_sum(key, key_len) ? SETS_SUM : SETS_OWN) |
		       (byte_at(value, len, STATE_AT, 1) ? FACT(IS_CLOSED) : 0);
	case ROW_OBJECT:
		return facts | FACT(SETS_OBJECT) |
		       (byte_at(value, len, PLACE_AT, PLACE_DATA) ? FACT(IS_IN_DATA) : 0);
	case ROW_VERSION:
		return facts | FACT(SETS_VERSION);
	case ROW_BYTES:
		return facts | FACT(SETS_BYTES);
	case ROW_EXTENTS:
		return facts | FACT(SETS_EXTENTS);
	case ROW_UPLOAD:
		return facts | FACT(SETS_UPLOAD);
	case ROW_PART:
		return facts | FACT(SETS_PART);
	case ROW_GARBAGE:
		return FACT(SETS_GARBAGE);
	case ROW_MERGED:
		return FACT(SETS_MERGED);
	case ROW_NEXT:
		return FACT(SETS_NEXT);
	case ROW_BUCKET:
		return FACT(SETS_BUCKET) | (is_deleting(value, len) ? FACT(IS_DELETING) : 0);
	case ROW_GATEWAY:
		return FACT(SETS_GATEWAY) | (byte_at(value, len, STATE_AT, 1) ? FACT(IS_DEAD) : 0);
	default:
		return facts;
	}
}

static uint64_t facts_of_removed(char kind)
{
	uint64_t facts = is_key_row(kind) ? FACT(CHANGES_KEYS) : 0;
	switch (kind) {
	case ROW_OBJECT:
		return facts | FACT(REMOVES_OBJECT);
	case ROW_UPLOAD:
		return facts | FACT(REMOVES_UPLOAD);
	case ROW_GARBAGE:
		return FACT(REMOVES_GARBAGE);
	case ROW_MERGED:
		return FACT(REMOVES_MERGED);
	case ROW_OWN:
		return FACT(REMOVES_OWN);
	case ROW_BUCKET:
		return FACT(REMOVES_BUCKET);
	case ROW_PART:
		return facts | FACT(REMOVES_DELETED);
	case ROW_GATEWAY:
		return FACT(REMOVES_GATEWAY);
	default:
		return facts;
	}
}

static uint64_t look_at(const struct write_op *op, const char *object)
{
	uint64_t facts = op->facts | facts_of_object(object);
	if (facts & FACT(IS_SPLITTING)) {
		if (strcmp(splitting, object) == 0)
			facts |= FACT(IS_AGAIN);
		memcpy(splitting, object, TABLET_NAME_BYTES);
	} else if (facts & FACT(SETS_HEAD)) {
		splitting[0] = '\0';
	}
	return points_of(facts);
}

/* ---- Operations ------------------------------------------------------------------------------ */

void *rados_create_write_op(void)
{
	struct write_op *op = calloc(1, sizeof(*op));
	if (!op)
		abort();
	op->op = real.create_write_op();
	return op;
}

void rados_release_write_op(void *from)
{
	struct write_op *op = from;
	if (op->op)
		real.release_write_op(op->op);
	free(op);
}

void rados_write_op_create(void *from, int exclusive, const char *category)
{
	struct write_op *op = from;
	/* With one that may be there already it is no step of its own. */
	op->facts |= exclusive ? FACT(MAKES) : 0;
	real.write_op_create(op->op, exclusive, category);
}

void rados_write_op_write_full(void *from, const char *bytes, size_t len)
{
	struct write_op *op = from;
	op->facts |= FACT(WRITES);
	real.write_op_write_full(op->op, bytes, len);
}

void rados_write_op_setxattr(void *from, const char *name, const char *value, size_t len)
{
	struct write_op *op = from;
	real.write_op_setxattr(op->op, name, value, len);
}

void rados_write_op_remove(void *from)
{
	struct write_op *op = from;
	op->facts |= FACT(REMOVES);
	real.write_op_remove(op->op);
}

void rados_write_op_omap_cmp2(void *from, const char *key, uint8_t how, const char *value,
	size_t key_len, size_t value_len, int *ret)
{
	struct write_op *op = from;
	op->facts |= FACT(COMPARES);
	if (key[0] == ROW_OWN && !is_sum(key, key_len) && points_forget_own())
		return;
	real.write_op_omap_cmp2(op->op, key, how, value, key_len, value_len, ret);
}

void rados_write_op_omap_set2(void *from, const char *const *keys, const char *const *values,
	const size_t *key_lens, const size_t *value_lens, size_t count)
{
	struct write_op *op = from;
	for (size_t i = 0; i < count; i++)
		op->facts |= facts_of_row(keys[i], key_lens[i], values[i], value_lens[i]);
	real.write_op_omap_set2(op->op, keys, values, key_lens, value_lens, count);
}

void rados_write_op_omap_rm_keys2(
	void *from, const char *const *keys, const size_t *key_lens, size_t count)
{
	struct write_op *op = from;
	for (size_t i = 0; i < count; i++)
		op->facts |= facts_of_removed(keys[i][0]);
	real.write_op_omap_rm_keys2(op->op, keys, key_lens, count);
}

void rados_write_op_omap_rm_range2(
	void *from, const char *begin, size_t begin_len, const char *end, size_t end_len)
{
	struct write_op *op = from;
	op->facts |= FACT(REMOVES_RANGE) | (is_key_row(begin[0]) ? FACT(CHANGES_KEYS) : 0);
	real.write_op_omap_rm_range2(op->op, begin, begin_len, end, end_len);
}

/* What is sent later needs the pools; once they are let go of, nothing is sent any more. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t fewer;
	unsigned sending;
	bool ended;
} lates = {.lock = PTHREAD_MUTEX_INITIALIZER, .fewer = PTHREAD_COND_INITIALIZER};

static bool begin_sending(void)
{
	(void)pthread_mutex_lock(&lates.lock);
	bool may = !lates.ended;
	lates.sending += may;
	(void)pthread_mutex_unlock(&lates.lock);
	return may;
}

static void end_sending(void)
{
	(void)pthread_mutex_lock(&lates.lock);
	lates.sending--;
	(void)pthread_cond_signal(&lates.fewer);
	(void)pthread_mutex_unlock(&lates.lock);
}

void rados_ioctx_destroy(void *io)
{
	(void)pthread_mutex_lock(&lates.lock);
	lates.ended = true;
	while (lates.sending > 0)
		(void)pthread_cond_wait(&lates.fewer, &lates.lock);
	(void)pthread_mutex_unlock(&lates.lock);
	real.ioctx_destroy(io);
}

static void *send_later(void *from)
{
	struct late *late = from;
	(void)usleep((useconds_t)late->ms * 1000);
	if (begin_sending()) {
		(void)real.write_op_operate(late->op, late->io, late->object, NULL, late->flags);
		end_sending();
	}
	real.release_write_op(late->op);
	free(late->object);
	free(late);
	return NULL;
}

/* As if the answer had not come in time. */
static int lose(struct write_op *op, void *io, const char *object, int flags, int64_t ms)
{
	pthread_t thread;
	struct late *late = malloc(sizeof(*late));
	if (!late)
		abort();
	*late = (struct late){op->op, io, strdup(object), flags, ms};
	op->op = NULL;
	if (!late->object || pthread_create(&thread, NULL, send_later, late) != 0)
		abort();
	(void)pthread_detach(thread);
	return -ETIMEDOUT;
}

int rados_write_op_operate(void *from, void *io, const char *object, time_t *mtime, int flags)
{
	struct write_op *op = from;
	uint64_t points = look_at(op, object);
	int64_t ms;
	if (points_is_late(op->facts | facts_of_object(object), &ms))
		return lose(op, io, object, flags, ms);
	points_before(points);
	int result = real.write_op_operate(op->op, io, object, mtime, flags);
	if (result == 0)
		points_after(points);
	return result;
}

/* ---- Those that nobody waits for ------------------------------------------------------------- */

static void end(void *real_completion, void *ctx)
{
	struct completion *completion = ctx;
	if (real.aio_get_return_value(real_completion) == 0)
		points_after(completion->points);
	completion->done(completion, completion->ctx);
}

int rados_aio_create_completion2(void *ctx, void (*done)(void *completion, void *ctx), void **ret)
{
	struct completion *completion = calloc(1, sizeof(*completion));
	if (!completion)
		abort();
	*completion = (struct completion){.done = done, .ctx = ctx};
	*ret = completion;
	return real.aio_create_completion2(completion, end, &completion->completion);
}

int rados_aio_get_return_value(void *from)
{
	struct completion *completion = from;
	return real.aio_get_return_value(completion->completion);
}

void rados_aio_release(void *from)
{
	struct completion *completion = from;
	real.aio_release(completion->completion);
	free(completion);
}

int rados_aio_write_op_operate(
	void *from, void *io, void *to, const char *object, time_t *mtime, int flags)
{
	struct write_op *op = from;
	struct completion *completion = to;
	completion->points = look_at(op, object);
	points_before(completion->points);
	return real.aio_write_op_operate(op->op, io, completion->completion, object, mtime, flags);
}

int rados_notify2(void *io, const char *object, const char *bytes, int len, uint64_t timeout_ms,
	char **ret_replies, size_t *ret_len)
{
	uint64_t points = points_of(facts_of_object(object) | FACT(NOTIFIES));
	points_before(points);
	int result = real.notify2(io, object, bytes, len, timeout_ms, ret_replies, ret_len);
	if (result == 0)
		points_after(points);
	return result;
}
