/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lists become programs for the kernel by libseccomp, once, at start; a thread then only hands
 * its program over.
 */
#include "sandbox/calls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "base/slice.h"
#include "sandbox/refused.h"

#if !defined(__has_feature)
#define __has_feature(name) 0
#endif
#if !defined(PR_SET_VMA)
#define PR_SET_VMA 0x53564d41
#endif

enum {
	SOCKET_TYPE = 0xf, /* of the second argument of socket(); the rest are flags */
	BINARY_TREE = 2,   /* of SCMP_FLTATR_CTL_OPTIMIZE */
	HAS_SANITIZER = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer),
};

static const char no_memory[] = "there is no memory for its list of calls";

/* What a refused call does: counted where that is possible. */
static uint32_t refusal = SCMP_ACT_ERRNO(EPERM);
static struct sock_fprog thread_programs[THREAD_DUTIES];

/* ---- Lists ----------------------------------------------------------------------------------- */

struct list {
	scmp_filter_ctx context;
	const char *last; /* the call of the row before: its rows are together */
	size_t count;
	bool failed;
};

/* A call that this machine does not have need not be ruled on. */
static void add(struct list *list, uint32_t action, const char *name, unsigned count,
	const struct scmp_arg_cmp *conditions)
{
	int number = seccomp_syscall_resolve_name(name);
	if (number < 0)
		return;
	if (seccomp_rule_add_array(list->context, action, number, count, conditions) != 0)
		list->failed = true;
	if (action == SCMP_ACT_ALLOW && (!list->last || strcmp(list->last, name) != 0))
		list->count++;
	list->last = name;
}

#define IS(argument, value)                                     \
	{                                                       \
		argument, SCMP_CMP_EQ, (scmp_datum_t)(value), 0 \
	}
#define NOT(argument, value)                                    \
	{                                                       \
		argument, SCMP_CMP_NE, (scmp_datum_t)(value), 0 \
	}
#define HAS(argument, mask, value)                                                        \
	{                                                                                 \
		argument, SCMP_CMP_MASKED_EQ, (scmp_datum_t)(mask), (scmp_datum_t)(value) \
	}
#define ADD_IF(list, action, name, ...)                                      \
	do {                                                                 \
		const struct scmp_arg_cmp conditions[] = {__VA_ARGS__};      \
		add(list, action, #name, ARRAY_LEN(conditions), conditions); \
	} while (0)

static void add_calls(struct list *list)
{
	const pid_t own_process = getpid();
#define CALL(name) add(list, SCMP_ACT_ALLOW, #name, 0, NULL);
#define CALL_IF(name, ...) ADD_IF(list, SCMP_ACT_ALLOW, name, __VA_ARGS__);
#define SANITIZER(name)    \
	if (HAS_SANITIZER) \
		add(list, SCMP_ACT_ALLOW, #name, 0, NULL);
#include "sandbox/calls.def"
	/* Its flags are in memory, where they cannot be seen; without it clone() is used. */
	add(list, SCMP_ACT_ERRNO(ENOSYS), "clone3", 0, NULL);
}

/* Opening for writing: by the flags. The second argument of open(), the third of openat(). */
static void add_writing(struct list *list)
{
	static const unsigned flags[] = {O_WRONLY, O_RDWR, O_CREAT, O_TRUNC};
	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		ADD_IF(list, refusal, open, HAS(1, flags[i], flags[i]));
		ADD_IF(list, refusal, openat, HAS(2, flags[i], flags[i]));
	}
}

static void add_thread_calls(struct list *list, enum thread_duty duty)
{
#define NO(who, name)    \
	if (duty == who) \
		add(list, refusal, #name, 0, NULL);
#define NO_IF(who, name, ...) \
	if (duty == who)      \
		ADD_IF(list, refusal, name, __VA_ARGS__);
#define NO_OPEN_FOR_WRITING(who) \
	if (duty == who)         \
		add_writing(list);
#include "sandbox/thread_calls.def"
}

static bool begin_list(struct list *list, uint32_t otherwise)
{
	*list = (struct list){.context = seccomp_init(otherwise)};
	if (!list->context)
		return false;
	/* Calls of another architecture have other numbers: who makes one is ended. */
	list->failed = seccomp_attr_set(
			       list->context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) != 0;
	(void)seccomp_attr_set(list->context, SCMP_FLTATR_CTL_OPTIMIZE, BINARY_TREE);
	return true;
}

/* ---- Programs -------------------------------------------------------------------------------- */

static bool read_program(int fd, struct sock_fprog *ret)
{
	struct stat st;
	if (fstat(fd, &st) != 0 || st.st_size <= 0 ||
		st.st_size / (off_t)sizeof(struct sock_filter) > UINT16_MAX)
		return false;
	size_t bytes = (size_t)st.st_size;
	struct sock_filter *filter = malloc(bytes);
	if (!filter)
		return false;
	if (pread(fd, filter, bytes, 0) != st.st_size) {
		free(filter);
		return false;
	}
	ret->filter = filter;
	ret->len = (unsigned short)(bytes / sizeof(*filter));
	return true;
}

/* The program of a list, which ends here. The caller frees ret->filter. */
static bool end_list(struct list *list, struct sock_fprog *ret)
{
	SCOPED_FD int fd = memfd_create("calls", MFD_CLOEXEC);
	bool ok = !list->failed && fd >= 0 && seccomp_export_bpf(list->context, fd) == 0 &&
		  read_program(fd, ret);
	seccomp_release(list->context);
	return ok;
}

static bool install(const struct sock_fprog *program, unsigned flags)
{
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, program) == 0;
}

static bool make_thread_program(enum thread_duty duty)
{
	struct list list;
	if (!begin_list(&list, SCMP_ACT_ALLOW))
		return false;
	add_thread_calls(&list, duty);
	return end_list(&list, &thread_programs[duty]);
}

bool calls_restrict(size_t *ret, const char **ret_why)
{
	struct list list;
	struct sock_fprog program;
	*ret_why = no_memory;
	if (refused_start())
		refusal = SCMP_ACT_TRAP;
	for (int duty = THREAD_ANY + 1; duty < THREAD_DUTIES; duty++)
		if (!make_thread_program((enum thread_duty)duty))
			return false;
	if (!begin_list(&list, refusal))
		return false;
	add_calls(&list);
	*ret = list.count;
	if (!end_list(&list, &program))
		return false;
	bool ok = install(&program, SECCOMP_FILTER_FLAG_TSYNC);
	free(program.filter);
	*ret_why = "the kernel or the container does not let it choose its system calls";
	return ok;
}

void calls_restrict_thread(enum thread_duty duty)
{
	if (duty == THREAD_ANY || install(&thread_programs[duty], 0))
		return;
	log_error("sandbox: a thread could not be restricted further: %s", strerror(errno));
}
