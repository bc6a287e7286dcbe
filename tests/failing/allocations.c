/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes allocations of a running postern fail. build/VARIANT/tests/failing/postern is the real
 * server with these in the place of malloc() and its kin (the linker's --wrap): what it asks for
 * itself, and what the JSON and XML libraries ask for in its name, can fail. What other libraries
 * do without memory is theirs; RocksDB ends the process.
 *
 * A test tells by a small file, which both have mapped, which allocation is to fail: the Nth from
 * now, alone or with all behind it. FAIL_ALLOCATIONS=FILE in the environment names the file, of
 * the size of struct control. Who asked for what failed is written to standard error, for
 * addr2line.
 */
#include <errno.h>
#include <execinfo.h>
#include <expat.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *ptr, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *ptr, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t len);
XML_Parser __wrap_XML_ParserCreate(const XML_Char *encoding);

/* As tests/e2e/lib/allocations.js writes and reads it. */
struct control {
	_Atomic int64_t left;   /* the allocation that fails makes this 0; 0 before: none does */
	_Atomic int64_t behind; /* 1: those behind it fail too, until this is 0 again */
	_Atomic int64_t seen;   /* how many were asked for */
};

enum {
	FRAMES = 12 /* of who asked */
};

static struct control *control;
static atomic_bool failing;

__attribute__((constructor)) static void begin(void)
{
	const char *name = getenv("FAIL_ALLOCATIONS");
	int fd = name ? open(name, O_RDWR | O_CLOEXEC) : -1;
	if (fd < 0)
		return;
	void *map = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	(void)close(fd);
	if (map != MAP_FAILED)
		control = map;
}

static bool fails(void)
{
	if (!control)
		return false;
	atomic_fetch_add(&control->seen, 1);
	if (!atomic_load(&control->behind))
		atomic_store(&failing, false);
	bool now = atomic_load(&control->left) > 0 && atomic_fetch_sub(&control->left, 1) == 1;
	if (!now && !atomic_load(&failing))
		return false;
	atomic_store(&failing, atomic_load(&control->behind) == 1);
	void *frames[FRAMES];
	backtrace_symbols_fd(frames, backtrace(frames, FRAMES), STDERR_FILENO);
	errno = ENOMEM;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *ptr, size_t size)
{
	return fails() ? NULL : __real_realloc(ptr, size);
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
	static const XML_Memory_Handling_Suite memory = {__wrap_malloc, __wrap_realloc, free};
	return XML_ParserCreate_MM(encoding, &memory, NULL);
}
