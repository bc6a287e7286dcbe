/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/refused.h"

#include <errno.h>
#include <inttypes.h>
#include <seccomp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <ucontext.h>

#include "base/log.h"
#include "base/slice.h"

enum {
	CALLS_MAX = 512, /* numbers of calls; the last row has all above */
	THREAD_NAME_BYTES = 16,
};

/* Written by the handler, so atomic: it may run in any thread at any moment. */
static struct {
	_Atomic uint64_t count;
	_Atomic uint64_t thread[THREAD_NAME_BYTES / sizeof(uint64_t)]; /* the last one's name */
	uint64_t said;                                                 /* refused_log() alone */
	bool is_new;                                                   /* has no name here */
} calls[CALLS_MAX];

static size_t row_of(int number)
{
	return number < 0 || number >= CALLS_MAX ? CALLS_MAX - 1 : (size_t)number;
}

/* Lets the call return `value`; nothing but registers is touched. */
static bool return_from_call(ucontext_t *context, long value)
{
#if defined(__x86_64__)
	context->uc_mcontext.gregs[REG_RAX] = value;
	return true;
#elif defined(__aarch64__)
	context->uc_mcontext.regs[0] = (unsigned long)value;
	return true;
#else
	(void)context;
	(void)value;
	return false;
#endif
}

/* Only what a signal handler may do. */
static void on_refused(int signal UNUSED, siginfo_t *info, void *context)
{
	union {
		char text[THREAD_NAME_BYTES];
		uint64_t words[THREAD_NAME_BYTES / sizeof(uint64_t)];
	} name = {.text = ""};
	int before = errno;
	size_t row = row_of(info->si_syscall);
	(void)prctl(PR_GET_NAME, name.text);
	for (size_t i = 0; i < ARRAY_LEN(name.words); i++)
		atomic_store_explicit(&calls[row].thread[i], name.words[i], memory_order_relaxed);
	atomic_fetch_add_explicit(&calls[row].count, 1, memory_order_relaxed);
	errno = before;
	(void)return_from_call(context, calls[row].is_new ? -ENOSYS : -EPERM);
}

static char *name_of(size_t number)
{
	return seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, (int)number);
}

bool refused_start(void)
{
	ucontext_t any;
	struct sigaction action = {.sa_sigaction = on_refused, .sa_flags = SA_SIGINFO};
	sigset_t set;
	if (!return_from_call(&any, 0))
		return false;
	for (size_t i = 0; i < CALLS_MAX; i++) {
		char *name = name_of(i);
		calls[i].is_new = !name;
		free(name);
	}
	(void)sigfillset(&action.sa_mask);
	(void)sigdelset(&action.sa_mask, SIGSYS);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGSYS);
	return sigaction(SIGSYS, &action, NULL) == 0 &&
	       pthread_sigmask(SIG_UNBLOCK, &set, NULL) == 0;
}

void refused_log(void)
{
	for (size_t i = 0; i < CALLS_MAX; i++) {
		char thread[THREAD_NAME_BYTES + 1] = "";
		uint64_t count = atomic_load(&calls[i].count);
		uint64_t since = count - calls[i].said;
		if (since == 0)
			continue;
		for (size_t word = 0; word < ARRAY_LEN(calls[i].thread); word++) {
			uint64_t part = atomic_load(&calls[i].thread[word]);
			memcpy(thread + word * sizeof(part), &part, sizeof(part));
		}
		char *name = name_of(i);
		log_error("sandbox: refused: call=%s number=%zu thread=%s count=%" PRIu64
			  " total=%" PRIu64,
			name ? name : "unknown", i, thread, since, count);
		free(name);
		calls[i].said = count;
	}
}

uint64_t refused_count(void)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < CALLS_MAX; i++)
		sum += atomic_load(&calls[i].count);
	return sum;
}
