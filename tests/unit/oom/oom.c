/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/oom/oom.h"

#include <dirent.h>
#include <errno.h>
#include <execinfo.h>
#include <expat.h>
#include <inttypes.h>
#include <jansson.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "oss/text/json_load.h"
#include "tap.h"

enum {
	FRAMES = 16, /* of who asked for what failed */
	BLOCKS_MAX = 1 << 16,
	STORE_RUNS = 12,   /* of a case that opens a store, in the short form */
	RUN_SECONDS = 120, /* after which a run hangs */
};

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *ptr, size_t size);
void __real_free(void *ptr);
DIR *__real_fdopendir(int fd);
FILE *__real_fdopen(int fd, const char *mode);
ssize_t __real_getline(char **line, size_t *size, FILE *file);
char *__real_realpath(const char *path, char *to);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *ptr, size_t size);
void __wrap_free(void *ptr);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t len);
DIR *__wrap_fdopendir(int fd);
FILE *__wrap_fdopen(int fd, const char *mode);
ssize_t __wrap_getline(char **line, size_t *size, FILE *file);
char *__wrap_realpath(const char *path, char *to);
XML_Parser __wrap_XML_ParserCreate(const XML_Char *encoding);

/* ---- What fails ------------------------------------------------------------------------------ */

/* Of what follows. Nobody waits while holding it. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool paused;
static uint64_t made;   /* allocations since the case began */
static uint64_t fail_1; /* which of them fails; 0: none */
static uint64_t fail_2; /* another one */
static bool fail_rest;  /* and all behind `fail_1` */
static bool failed;
static void *who[FRAMES]; /* asked for the first that failed */
static int who_count;

static bool fails_now(void)
{
	if (paused)
		return false;
	made++;
	if (!fail_1 || !(made == fail_1 || made == fail_2 || (fail_rest && made > fail_1)))
		return false;
	if (!failed)
		who_count = backtrace(who, FRAMES);
	failed = true;
	return true;
}

static bool fails(void)
{
	(void)pthread_mutex_lock(&lock);
	bool now = fails_now();
	(void)pthread_mutex_unlock(&lock);
	if (now)
		errno = ENOMEM;
	return now;
}

/* ---- What is allocated ----------------------------------------------------------------------- */

/*
 * What our code frees may be what a library has allocated for it, of which nothing is known here.
 * The blocks that are, by their address: each in the first free slot from that of its own on.
 */
static void *blocks[BLOCKS_MAX];
static size_t live;

static size_t slot_of(const void *ptr)
{
	return (size_t)(((uintptr_t)ptr >> 4) * 11400714819323198485U >> 48) % BLOCKS_MAX;
}

static void *add(void *ptr)
{
	if (!ptr)
		return NULL;
	(void)pthread_mutex_lock(&lock);
	size_t i = slot_of(ptr);
	while (blocks[i])
		i = (i + 1) % BLOCKS_MAX;
	blocks[i] = ptr;
	if (++live > BLOCKS_MAX / 2)
		abort();
	(void)pthread_mutex_unlock(&lock);
	return ptr;
}

static void take(const void *ptr)
{
	if (!ptr)
		return;
	(void)pthread_mutex_lock(&lock);
	size_t i = slot_of(ptr);
	while (blocks[i] && blocks[i] != ptr)
		i = (i + 1) % BLOCKS_MAX;
	live -= blocks[i] != NULL;
	/* Those that follow move up, if their own slot is not behind the one that is free now. */
	for (size_t at = i; blocks[i]; i = at) {
		blocks[i] = NULL;
		do {
			at = (at + 1) % BLOCKS_MAX;
		} while (blocks[at] &&
			 (at - slot_of(blocks[at])) % BLOCKS_MAX < (at - i) % BLOCKS_MAX);
		blocks[i] = blocks[at];
	}
	(void)pthread_mutex_unlock(&lock);
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : add(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : add(__real_calloc(count, size));
}

void *__wrap_realloc(void *before, size_t size)
{
	if (fails())
		return NULL;
	take(before);
	return add(__real_realloc(before, size));
}

void __wrap_free(void *ptr)
{
	take(ptr);
	__real_free(ptr);
}

char *__wrap_strndup(const char *text, size_t len)
{
	len = strnlen(text, len);
	char *copy = __wrap_malloc(len + 1);
	if (!copy)
		return NULL;
	memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

char *__wrap_strdup(const char *text)
{
	return __wrap_strndup(text, strlen(text));
}

/* The memory of these is the C library's. */
DIR *__wrap_fdopendir(int fd)
{
	return fails() ? NULL : __real_fdopendir(fd);
}

FILE *__wrap_fdopen(int fd, const char *mode)
{
	return fails() ? NULL : __real_fdopen(fd, mode);
}

ssize_t __wrap_getline(char **line, size_t *size, FILE *file)
{
	return fails() ? -1 : __real_getline(line, size, file);
}

char *__wrap_realpath(const char *path, char *to)
{
	return fails() ? NULL : __real_realpath(path, to);
}

XML_Parser __wrap_XML_ParserCreate(const XML_Char *encoding)
{
	static const XML_Memory_Handling_Suite memory = {
		__wrap_malloc, __wrap_realloc, __wrap_free};
	return XML_ParserCreate_MM(encoding, &memory, NULL);
}

/* ---- SQLite's -------------------------------------------------------------------------------- */

static void *sqlite_malloc(int size)
{
	return __wrap_malloc((size_t)size);
}

static void *sqlite_realloc(void *ptr, int size)
{
	return __wrap_realloc(ptr, (size_t)size);
}

static int sqlite_size(void *ptr)
{
	return (int)malloc_usable_size(ptr);
}

static int sqlite_round_up(int size)
{
	return (size + 7) & ~7;
}

static int sqlite_begin(void *data)
{
	(void)data;
	return SQLITE_OK;
}

static void sqlite_end(void *data)
{
	(void)data;
}

static void use_for_sqlite(void)
{
	static const struct sqlite3_mem_methods methods = {.xMalloc = sqlite_malloc,
		.xFree = __wrap_free,
		.xRealloc = sqlite_realloc,
		.xSize = sqlite_size,
		.xRoundup = sqlite_round_up,
		.xInit = sqlite_begin,
		.xShutdown = sqlite_end};
	if (sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) != SQLITE_OK ||
		sqlite3_initialize() != SQLITE_OK)
		abort();
}

/* ---- What a case says ------------------------------------------------------------------------ */

void oom_say(struct oom_answer *answer, const char *fmt, ...)
{
	va_list ap;
	size_t room = sizeof(answer->text) - answer->len;
	va_start(ap, fmt);
	int n = vsnprintf(answer->text + answer->len, room, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= room)
		abort(); /* a case says less */
	answer->len += (size_t)n;
}

bool oom_err(struct oom_answer *answer, enum err e)
{
	answer->no_memory = answer->no_memory || e == ERR_UNAVAILABLE;
	oom_say(answer, "%s ", err_info(e)->code);
	return e == ERR_OK;
}

static void set_paused(bool now)
{
	(void)pthread_mutex_lock(&lock);
	paused = now;
	(void)pthread_mutex_unlock(&lock);
}

void oom_pause(void)
{
	set_paused(true);
}

void oom_resume(void)
{
	set_paused(false);
}

bool oom_failed(void)
{
	(void)pthread_mutex_lock(&lock);
	bool result = failed;
	(void)pthread_mutex_unlock(&lock);
	return result;
}

bool oom_done(struct oom_answer *answer, const char *what, enum err e)
{
	if (e != ERR_OK && oom_failed())
		answer->no_memory = true;
	oom_say(answer, "%s: %s\n", what, err_info(e)->code);
	return e == ERR_OK;
}

void oom_check(struct oom_answer *answer, bool condition, const char *what)
{
	if (condition)
		return;
	answer->wrong = true;
	oom_say(answer, "NOT: %s\n", what);
}

/* ---- All of them ----------------------------------------------------------------------------- */

static struct oom_answer right;
static struct oom_answer got;

static void hangs(int signal)
{
	static const char text[] = "hangs when the allocation failed that was asked for by\n";
	(void)signal;
	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	backtrace_symbols_fd(who, who_count, STDERR_FILENO);
	abort();
}

static void run(const struct oom_case *c, struct oom_answer *answer)
{
	*answer = (struct oom_answer){.len = 0};
	made = 0;
	failed = false;
	paused = false;
	(void)alarm(RUN_SECONDS);
	c->run(answer);
	(void)alarm(0);
	fail_1 = fail_2 = 0;
}

/* Runs the case with what fails set; false if it is wrong, and said so. */
static bool run_once(const struct oom_case *c)
{
	size_t before = live;
	run(c, &got);
	bool is_right = !got.wrong && (got.no_memory || slice_eq(slice_of(got.text, got.len),
								slice_of(right.text, right.len)));
	if (is_right && live == before)
		return true;
	if (!is_right)
		printf("# wrong answer [%s]\n", got.text);
	if (live != before)
		printf("# %zd blocks stay allocated\n", (ssize_t)(live - before));
	printf("# asked for by\n");
	(void)fflush(stdout);
	backtrace_symbols_fd(who, who_count, STDOUT_FILENO);
	return false;
}

/* How many of the runs were wrong in which allocation `a` fails. */
static unsigned run_failing(const struct oom_case *c, uint64_t a, uint64_t b, bool rest)
{
	fail_1 = a;
	fail_2 = b;
	fail_rest = rest;
	if (run_once(c))
		return 0;
	printf("# when allocation %" PRIu64 " failed%s (and %" PRIu64 ")\n", a,
		rest ? " and all behind it" : "", b);
	return 1;
}

static unsigned run_each(const struct oom_case *c, uint64_t count)
{
	unsigned wrong = 0;
	for (uint64_t n = 1; n <= count; n++)
		wrong += run_failing(c, n, 0, false) + run_failing(c, n, 0, true);
	return wrong;
}

static unsigned run_pairs(const struct oom_case *c, uint64_t count)
{
	unsigned wrong = run_each(c, count);
	for (uint64_t n = 1; n <= count; n++)
		for (uint64_t m = n + 1; m <= count + 1; m++)
			wrong += run_failing(c, n, m, false);
	return wrong;
}

/* Of each Kth, one alone and one with all behind it. */
static unsigned run_some(const struct oom_case *c, uint64_t count)
{
	unsigned wrong = 0;
	uint64_t step = count / STORE_RUNS + 1;
	for (uint64_t n = 1; n <= count; n += step)
		wrong += run_failing(c, n, 0, n / step % 2);
	return wrong;
}

/* How many runs of a case were wrong. */
typedef unsigned run_all(const struct oom_case *c, uint64_t count);

static void run_case(const struct oom_case *c, run_all *all)
{
	run(c, &got); /* what is made once and kept is there from now on */
	size_t before = live;
	run(c, &right);
	uint64_t count = made;
	OK(!right.no_memory && !right.wrong && count > 0, "%s: %" PRIu64 " allocations", c->name,
		count);
	if (right.wrong)
		printf("# %s\n", right.text);
	IS_INT(live - before, 0, "none of them stays");
	(void)fflush(stdout);
	IS_INT(all(c, count), 0,
		"each fails once, and the answer is right or that there is no memory");
	(void)fflush(stdout);
}

void oom_begin(void)
{
	static bool begun;
	if (begun)
		return;
	begun = true;
	json_load_init();
	json_object_seed(1); /* else it is drawn at the first object, at another place each time */
	use_for_sqlite();
	(void)signal(SIGALRM, hangs);
}

static int run_cases(const struct oom_case *cases, size_t count, run_all *all)
{
	oom_begin();
	for (size_t i = 0; i < count; i++)
		run_case(&cases[i], all);
	return tap_done();
}

static bool is_long(void)
{
	const char *text = getenv("OOM_LONG");
	return text && *text;
}

int oom_run(const struct oom_case *cases, size_t count)
{
	return run_cases(cases, count, is_long() ? run_pairs : run_each);
}

int oom_run_store(const struct oom_case *cases, size_t count)
{
	return run_cases(cases, count, is_long() ? run_each : run_some);
}
