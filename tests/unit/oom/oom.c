/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/oom/oom.h"

#include <expat.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "oss/text/json_load.h"
#include "tap.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *ptr, size_t size);
void __real_free(void *ptr);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *ptr, size_t size);
void __wrap_free(void *ptr);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t len);
XML_Parser __wrap_XML_ParserCreate(const XML_Char *encoding);

static uint64_t made;   /* allocations since the case began */
static int64_t live;    /* that were not freed */
static uint64_t fail_1; /* which of them fails; 0: none */
static uint64_t fail_2; /* another one */
static bool fail_rest;  /* and all behind `fail_1` */

static bool fails(void)
{
	made++;
	return fail_1 && (made == fail_1 || made == fail_2 || (fail_rest && made > fail_1));
}

void *__wrap_malloc(size_t size)
{
	void *ptr = fails() ? NULL : __real_malloc(size);
	live += ptr != NULL;
	return ptr;
}

void *__wrap_calloc(size_t count, size_t size)
{
	void *ptr = fails() ? NULL : __real_calloc(count, size);
	live += ptr != NULL;
	return ptr;
}

void *__wrap_realloc(void *before, size_t size)
{
	void *ptr = fails() ? NULL : __real_realloc(before, size);
	live += ptr && !before;
	return ptr;
}

void __wrap_free(void *ptr)
{
	live -= ptr != NULL;
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

XML_Parser __wrap_XML_ParserCreate(const XML_Char *encoding)
{
	static const XML_Memory_Handling_Suite memory = {
		__wrap_malloc, __wrap_realloc, __wrap_free};
	return XML_ParserCreate_MM(encoding, &memory, NULL);
}

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

static struct oom_answer right;
static struct oom_answer got;

/* Runs the case with what fails set; false if it is wrong, and said so. */
static bool run_once(const struct oom_case *c)
{
	int64_t before = live;
	got = (struct oom_answer){.len = 0};
	made = 0;
	c->run(&got);
	fail_1 = fail_2 = 0;
	bool is_right = got.no_memory ||
			slice_eq(slice_of(got.text, got.len), slice_of(right.text, right.len));
	if (!is_right)
		printf("# wrong answer [%s]\n", got.text);
	if (live != before)
		printf("# %" PRId64 " blocks stay allocated\n", live - before);
	return is_right && live == before;
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

static void run_case(const struct oom_case *c, bool pairs)
{
	unsigned wrong = 0;
	c->run(&got); /* what is made once and kept is there from now on */
	right = (struct oom_answer){.len = 0};
	got = right;
	made = 0;
	int64_t before = live;
	c->run(&right);
	uint64_t count = made;
	OK(!right.no_memory && count > 0, "%s: %" PRIu64 " allocations", c->name, count);
	IS_INT(live - before, 0, "none of them stays");
	for (uint64_t n = 1; n <= count; n++)
		wrong += run_failing(c, n, 0, false) + run_failing(c, n, 0, true);
	for (uint64_t n = 1; pairs && n <= count; n++)
		for (uint64_t m = n + 1; m <= count + 1; m++)
			wrong += run_failing(c, n, m, false);
	IS_INT(wrong, 0, "each fails once, and the answer is right or that there is no memory");
}

int oom_run(const struct oom_case *cases, size_t count)
{
	const char *pairs = getenv("OOM_LONG");
	json_load_init();
	json_object_seed(1); /* else it is drawn at the first object, at another place each time */
	for (size_t i = 0; i < count; i++)
		run_case(&cases[i], pairs && *pairs);
	return tap_done();
}
