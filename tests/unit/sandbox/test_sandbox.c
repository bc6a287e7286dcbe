/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What cannot be done in the sandbox: each case is a child that enters it, tries, and ends with
 * what became of it. Each case is tried outside as well, where it must work, so that it is the
 * sandbox that refuses.
 */
#include "sandbox/sandbox.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/thread.h"
#include "sandbox/refused.h"
#include "sandbox/user.h"
#include "tap.h"

enum {
	UNDER_SANITIZER = UNDER_ASAN || UNDER_TSAN,
	NOT_ENTERED = 120, /* exit status of a child: no errno value */
	NOT_STARTED,
	NOT_COUNTED,
	HAS_LANDLOCK = 1, /* what a child found */
	HAS_CALLS = 2,
	SOMEBODY = 65534, /* user and group */
};

static char folder[] = "/tmp/postern-sandbox-XXXXXX";
static char in_data[96];
static char in_reads[96];
static char in_neither[64];
static struct sandbox_path paths[8];
static struct sandbox_state state;

static bool make_file(const char *path)
{
	SCOPED_FD int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	return fd >= 0;
}

/* A case may have removed or moved them. */
static bool make_files(void)
{
	return make_file(in_data) && make_file(in_reads) && make_file(in_neither);
}

static bool make_folders(void)
{
	static char data[64], reads[64];
	char link[128];
	if (!mkdtemp(folder))
		return false;
	(void)snprintf(data, sizeof(data), "%s/data", folder);
	(void)snprintf(reads, sizeof(reads), "%s/reads", folder);
	(void)snprintf(in_data, sizeof(in_data), "%s/file", data);
	(void)snprintf(in_reads, sizeof(in_reads), "%s/file", reads);
	(void)snprintf(in_neither, sizeof(in_neither), "%s/neither", folder);
	(void)snprintf(link, sizeof(link), "%s/link", data);
	const struct sandbox_path list[] = {
		{data, true},
		{reads, false},
		{"/etc/hosts", false},
		{"/etc/nsswitch.conf", false},
		{"/usr/lib", false},
		{"/no such folder", false},
		{"/proc", false},
	};
	size_t count = ARRAY_LEN(list) - !UNDER_SANITIZER;
	for (size_t i = 0; i < count; i++)
		paths[i] = list[i];
	return mkdir(data, 0700) == 0 && mkdir(reads, 0700) == 0 && make_files() &&
	       symlink(in_neither, link) == 0;
}

static void remove_folders(void)
{
	char path[128];
	static const char *const names[] = {"data/file", "data/link", "data", "reads/file", "reads",
		"neither", "neither.new", "moved"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		(void)remove(path);
	}
	(void)remove(folder);
}

/* ---- What is tried: 0, or errno ----------------------------------------------------------------
 */

static int result_of(long result)
{
	return result < 0 ? errno : 0;
}

static int opened(const char *path, int flags)
{
	SCOPED_FD int fd = open(path, flags | O_CLOEXEC, 0600);
	return result_of(fd);
}

static int read_data(void)
{
	return opened(in_data, O_RDONLY);
}

static int write_data(void)
{
	return opened(in_data, O_RDWR);
}

static int make_in_data(void)
{
	char path[128];
	(void)snprintf(path, sizeof(path), "%s.new", in_data);
	int e = opened(path, O_WRONLY | O_CREAT | O_TRUNC);
	return e ? e : result_of(rename(path, in_data));
}

static int read_listed(void)
{
	return opened(in_reads, O_RDONLY);
}

static int write_listed(void)
{
	return opened(in_reads, O_WRONLY);
}

static int remove_listed(void)
{
	return result_of(unlink(in_reads));
}

static int read_outside(void)
{
	return opened(in_neither, O_RDONLY);
}

static int write_outside(void)
{
	return opened(in_neither, O_WRONLY);
}

static int make_outside(void)
{
	char path[128];
	(void)snprintf(path, sizeof(path), "%s.new", in_neither);
	return opened(path, O_WRONLY | O_CREAT);
}

static int out_by_a_link(void)
{
	char path[128];
	(void)snprintf(path, sizeof(path), "%s/data/link", folder);
	return opened(path, O_RDONLY);
}

static int out_by_dots(void)
{
	char path[128];
	(void)snprintf(path, sizeof(path), "%s/data/../neither", folder);
	return opened(path, O_RDONLY);
}

static int move_outside(void)
{
	char path[128];
	(void)snprintf(path, sizeof(path), "%s/moved", folder);
	return result_of(rename(in_data, path));
}

static int list_outside(void)
{
	return opened(folder, O_RDONLY | O_DIRECTORY);
}

static int start_program(void)
{
	char *const argv[] = {(char[]){"true"}, NULL};
	execv("/bin/true", argv);
	return errno;
}

static int start_program_at(void)
{
	char *const argv[] = {(char[]){"true"}, NULL};
	(void)syscall(SYS_execveat, AT_FDCWD, "/bin/true", argv, NULL, 0);
	return errno;
}

static int make_process(void)
{
	long pid = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
	if (pid == 0)
		_exit(0);
	return result_of(pid);
}

static int trace(void)
{
	return result_of(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static int signal_parent(void)
{
	return result_of(kill(getppid(), SIGCONT));
}

static int signal_thread_of_parent(void)
{
	return result_of(syscall(SYS_tgkill, getppid(), getppid(), SIGCONT));
}

static int open_port(void)
{
	SCOPED_FD int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	return result_of(listen(fd, 1));
}

static int raw_socket(void)
{
	SCOPED_FD int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return result_of(fd);
}

static int write_and_run(void)
{
	void *at = mmap(
		NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return at == MAP_FAILED ? errno : 0;
}

static int run_what_was_written(void)
{
	void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return at == MAP_FAILED ? errno : result_of(mprotect(at, 4096, PROT_READ | PROT_EXEC));
}

static int raise_limit(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_CORE, &limit) != 0)
		return errno;
	return result_of(syscall(SYS_prlimit64, 0, RLIMIT_CORE, &limit, NULL));
}

static int become_another(void)
{
	return result_of(syscall(SYS_setresuid, SOMEBODY, SOMEBODY, SOMEBODY));
}

static int change_root(void)
{
	return result_of(chroot(folder));
}

static int new_user_namespace(void)
{
	return result_of(syscall(SYS_unshare, 0));
}

static int push_to_terminal(void)
{
	/* An ioctl() that is made is refused as one for no such device. */
	SCOPED_FD int fd = open(in_data, O_RDONLY | O_CLOEXEC);
	int e = result_of(ioctl(fd, 0x5412 /* TIOCSTI */, "x"));
	return e == ENOTTY ? 0 : e;
}

static int names_are_resolved(void)
{
	struct addrinfo *found = NULL;
	int e = getaddrinfo("localhost", "80", NULL, &found);
	if (e == 0)
		freeaddrinfo(found);
	return e ? ENOENT : 0;
}

static int connect_and_accept(void)
{
	SCOPED_FD int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(1)};
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int e = result_of(connect(fd, (struct sockaddr *)&to, sizeof(to)));
	return e == ECONNREFUSED ? 0 : e;
}

static int memory_and_time(void)
{
	void *at = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct timespec now;
	return at == MAP_FAILED ? errno : result_of(clock_gettime(CLOCK_REALTIME, &now));
}

static int socket_at(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	SCOPED_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", path);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
		return errno;
	int e = result_of(listen(fd, 1));
	return unlink(address.sun_path) == 0 ? e : errno;
}

static int socket_in_data(void)
{
	char path[64];
	(void)snprintf(path, sizeof(path), "%s/data", folder);
	return socket_at(path);
}

static int socket_outside(void)
{
	return socket_at(folder);
}

/* ---- Threads -----------------------------------------------------------------------------------
 */

static int (*in_thread)(void);

static void *run_in_thread(void *arg)
{
	*(int *)arg = in_thread();
	return NULL;
}

static int with_duty(enum thread_duty duty, int (*what)(void))
{
	pthread_t thread;
	int result = NOT_STARTED;
	in_thread = what;
	if (!thread_start(&thread, "case", duty, run_in_thread, &result))
		return NOT_STARTED;
	(void)pthread_join(thread, NULL);
	return result;
}

static int make_socket(void)
{
	SCOPED_FD int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return result_of(fd);
}

static int any_socket(void)
{
	return with_duty(THREAD_ANY, make_socket);
}

static int disk_socket(void)
{
	return with_duty(THREAD_DISK, make_socket);
}

static int disk_write(void)
{
	return with_duty(THREAD_DISK, make_in_data);
}

static int accept_on_nothing(void)
{
	int e = result_of(accept4(-1, NULL, NULL, 0));
	return e == EBADF ? 0 : e;
}

static int disk_accept(void)
{
	return with_duty(THREAD_DISK, accept_on_nothing);
}

static int clients_socket(void)
{
	return with_duty(THREAD_CLIENTS, make_socket);
}

static int clients_accept(void)
{
	return with_duty(THREAD_CLIENTS, accept_on_nothing);
}

static int clients_write(void)
{
	return with_duty(THREAD_CLIENTS, write_data);
}

static int clients_make(void)
{
	return with_duty(THREAD_CLIENTS, make_in_data);
}

static int clients_read(void)
{
	return with_duty(THREAD_CLIENTS, read_data);
}

static int servers_connect(void)
{
	return with_duty(THREAD_SERVERS, connect_and_accept);
}

static int servers_accept(void)
{
	return with_duty(THREAD_SERVERS, accept_on_nothing);
}

static int servers_open_port(void)
{
	return with_duty(THREAD_SERVERS, open_port);
}

static int servers_write(void)
{
	return with_duty(THREAD_SERVERS, write_data);
}

static int remove_data(void)
{
	return result_of(unlink(in_data));
}

static int servers_remove(void)
{
	return with_duty(THREAD_SERVERS, remove_data);
}

static int servers_resolve(void)
{
	return with_duty(THREAD_SERVERS, names_are_resolved);
}

/* ---- Cases -------------------------------------------------------------------------------------
 */

enum part {
	BY_NONE,     /* it is allowed */
	BY_LANDLOCK, /* EACCES */
	BY_CALLS,    /* EPERM */
};

static const struct {
	const char *name;
	int (*run)(void);
	enum part part;
	bool sanitizer_needs; /* so it may be done there */
} cases[] = {
	{"read in the data folder", read_data, BY_NONE, false},
	{"write in the data folder", write_data, BY_NONE, false},
	{"make and rename in the data folder", make_in_data, BY_NONE, false},
	{"read what is listed", read_listed, BY_NONE, false},
	{"a socket in the data folder", socket_in_data, BY_NONE, false},
	{"resolve a name", names_are_resolved, BY_NONE, false},
	{"connect", connect_and_accept, BY_NONE, false},
	{"memory and time", memory_and_time, BY_NONE, false},
	{"write to what is only read", write_listed, BY_LANDLOCK, false},
	{"remove what is only read", remove_listed, BY_LANDLOCK, false},
	{"read outside", read_outside, BY_LANDLOCK, false},
	{"write outside", write_outside, BY_LANDLOCK, false},
	{"make a file outside", make_outside, BY_LANDLOCK, false},
	{"get out by a link", out_by_a_link, BY_LANDLOCK, false},
	{"get out by ..", out_by_dots, BY_LANDLOCK, false},
	{"move a file out", move_outside, BY_LANDLOCK, false},
	{"list a folder outside", list_outside, BY_LANDLOCK, false},
	{"start a program", start_program, BY_CALLS, false},
	{"start a program by execveat()", start_program_at, BY_CALLS, false},
	{"make a process", make_process, BY_CALLS, true},
	{"ptrace()", trace, BY_CALLS, true},
	{"send a signal", signal_parent, BY_CALLS, true},
	{"send a signal to a thread of another", signal_thread_of_parent, BY_CALLS, false},
	{"a socket in a folder outside", socket_outside, BY_LANDLOCK, false},
	{"a socket for packets", raw_socket, BY_CALLS, false},
	{"memory that can be written and run", write_and_run, BY_CALLS, false},
	{"run what was written", run_what_was_written, BY_CALLS, false},
	{"change a limit", raise_limit, BY_CALLS, false},
	{"become another user", become_another, BY_CALLS, false},
	{"chroot()", change_root, BY_CALLS, false},
	{"unshare()", new_user_namespace, BY_CALLS, false},
	{"type into a terminal", push_to_terminal, BY_CALLS, false},
	{"any thread: a socket", any_socket, BY_NONE, false},
	{"disk thread: write", disk_write, BY_NONE, false},
	{"disk thread: a socket", disk_socket, BY_CALLS, false},
	{"disk thread: accept", disk_accept, BY_CALLS, false},
	{"clients' thread: read", clients_read, BY_NONE, false},
	{"clients' thread: accept", clients_accept, BY_NONE, false},
	{"clients' thread: a socket", clients_socket, BY_CALLS, false},
	{"clients' thread: write", clients_write, BY_CALLS, false},
	{"clients' thread: make a file", clients_make, BY_CALLS, false},
	{"servers' thread: connect", servers_connect, BY_NONE, false},
	{"servers' thread: resolve a name", servers_resolve, BY_NONE, false},
	{"servers' thread: accept", servers_accept, BY_CALLS, false},
	{"servers' thread: open a port", servers_open_port, BY_CALLS, false},
	{"servers' thread: write", servers_write, BY_CALLS, false},
	{"servers' thread: remove", servers_remove, BY_CALLS, false},
};

/* ---- Running them ------------------------------------------------------------------------------
 */

static bool enter(void)
{
	return sandbox_enter(paths, &state);
}

/* In a child, since there is no way out. Its exit status. */
static int in_child(int (*run)(void))
{
	int status = -1;
	/* So that the child does not write it again. */
	(void)fflush(stdout);
	pid_t pid = fork();
	if (pid == 0)
		_exit(run());
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static size_t current;

static int run_outside(void)
{
	return cases[current].run();
}

static int run_inside(void)
{
	if (!enter())
		return NOT_ENTERED;
	int e = cases[current].run();
	/* What was refused was counted too. */
	return (cases[current].part == BY_CALLS) == (refused_count() > 0) ? e : NOT_COUNTED;
}

static int enter_alone(void)
{
	return enter() ? (state.landlock ? HAS_LANDLOCK : 0) | (state.calls ? HAS_CALLS : 0)
		       : NOT_ENTERED;
}

static void run_case(int there)
{
	static const int wanted[] = {[BY_NONE] = 0, [BY_LANDLOCK] = EACCES, [BY_CALLS] = EPERM};
	static const int needed[] = {
		[BY_NONE] = 0, [BY_LANDLOCK] = HAS_LANDLOCK, [BY_CALLS] = HAS_CALLS};
	const char *name = cases[current].name;
	enum part part = cases[current].part;
	if ((there & needed[part]) != needed[part]) {
		OK(true, "%s # SKIP the kernel or the container does not have it", name);
		return;
	}
	if (part == BY_CALLS && UNDER_SANITIZER && cases[current].sanitizer_needs) {
		OK(true, "%s # SKIP the sanitizer's runtime may do it", name);
		return;
	}
	int outside = in_child(run_outside);
	make_files();
	if (outside == EPERM && geteuid() != 0) {
		OK(true, "%s # SKIP only root may do it at all", name);
		return;
	}
	IS_INT(outside, 0, "outside: this can be done");
	IS_INT(in_child(run_inside), wanted[part], name);
	make_files();
}

/* ---- The log -----------------------------------------------------------------------------------
 */

static bool is_one_line(const char *text, const char *part)
{
	const char *end = strchr(text, '\n');
	return strstr(text, part) && end && end[1] == '\0';
}

static int count_in_log(void)
{
	char text[1024] = "";
	int ends[2];
	if (!enter())
		return NOT_ENTERED;
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0 || dup3(ends[1], STDERR_FILENO, 0) < 0)
		return 1;
	refused_log();
	if (read(ends[0], text, sizeof(text) - 1) > 0)
		return 2;
	for (int i = 0; i < 3; i++)
		(void)change_root();
	refused_log();
	refused_log();
	if (read(ends[0], text, sizeof(text) - 1) <= 0)
		return 3;
	if (!is_one_line(text, "sandbox: refused: call=chroot") || !strstr(text, "count=3 total=3"))
		return 4;
	(void)change_root();
	refused_log();
	memset(text, 0, sizeof(text));
	if (read(ends[0], text, sizeof(text) - 1) <= 0 || !strstr(text, "count=1 total=4"))
		return 5;
	return 0;
}

/* A call that is newer than postern is not there, so that the C library takes an older one. */
static int new_call(void)
{
	if (!enter())
		return NOT_ENTERED;
	return result_of(syscall(510)) == ENOSYS ? 0 : errno;
}

static void *do_nothing(void *arg)
{
	(void)pause();
	return arg;
}

static int enter_late(void)
{
	pthread_t thread;
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (null < 0 || dup3(null, STDERR_FILENO, 0) < 0 ||
		!thread_start(&thread, "early", THREAD_ANY, do_nothing, NULL))
		return 1;
	return enter() ? 2 : 0;
}

/* ---- Users -------------------------------------------------------------------------------------
 */

static int lose_rights(void)
{
	return user_drop_capabilities() ? result_of(chroot(folder)) : NOT_ENTERED;
}

static int change_user(void)
{
	struct user user;
	uid_t real, effective, saved;
	if (!user_find("65534", &user) || !user_become(&user))
		return 1;
	if (getresuid(&real, &effective, &saved) != 0 || real != SOMEBODY ||
		effective != SOMEBODY || saved != SOMEBODY || getegid() != user.group)
		return 2;
	if (getgroups(0, NULL) != (int)user.group_count)
		return 3;
	return setuid(0) == 0 || chroot(folder) == 0 ? 4 : 0;
}

static void users(void)
{
	struct user user;
	OK(user_find("root", &user) && user.id == 0 && strcmp(user.name, "root") == 0, "by name");
	OK(user_find("0", &user) && user.id == 0 && strcmp(user.name, "root") == 0, "by number");
	OK(user_find("3999999999", &user) && user.id == 3999999999 && user.group == 3999999999 &&
			strcmp(user.name, "3999999999") == 0,
		"a number without a name");
	static const char *const bad[] = {
		"", "no such user", "-1", "4294967295", "1x", "99999999999"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		OK(!user_find(bad[i], &user), "none: `%s`", bad[i]);
	user_find_self(&user);
	OK(user.id == geteuid(), "oneself");
	if (geteuid() != 0) {
		OK(true, "another user # SKIP only root can become one");
		return;
	}
	IS_INT(in_child(change_user), 0, "become another user, and not root again");
	IS_INT(in_child(lose_rights), EPERM, "root without capabilities");
}

int main(void)
{
	if (!make_folders())
		return 1;
	int there = in_child(enter_alone);
	OK(there != NOT_ENTERED && there >= 0, "it can be entered");
	for (current = 0; current < ARRAY_LEN(cases); current++)
		run_case(there);
	if (there & HAS_CALLS) {
		IS_INT(in_child(count_in_log), 0, "a line for each call, with how often");
		IS_INT(in_child(new_call), 0, "a call that nobody knows");
	}
	if (!UNDER_TSAN)
		IS_INT(in_child(enter_late), 0, "not beside other threads");
	users();
	remove_folders();
	return tap_done();
}
