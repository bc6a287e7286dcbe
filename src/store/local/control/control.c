/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/control/control.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/thread.h"
#include "store/local/disk/files.h"
#include "store/local/state/local_internal.h"

enum {
	QUESTION_MS = 5000, /* for a question to come */
	PAUSE_MS = 1000,    /* between two: each flushes the index */
};

struct control {
	struct local *local;
	pthread_t thread;
	bool runs;
	int listening;
	int stop; /* an eventfd */
};

void control_address(int dir, struct sockaddr_un *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->sun_family = AF_UNIX;
	(void)snprintf(ret->sun_path, sizeof(ret->sun_path), "/proc/self/fd/%d/control", dir);
}

/* ---- The copy -------------------------------------------------------------------------------- */

/* A folder of files, if it is there. */
static void remove_folder(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;
	while (dir && (entry = readdir(dir)) != NULL)
		(void)unlinkat(fd, entry->d_name, 0);
	if (dir)
		(void)closedir(dir);
	else if (fd >= 0)
		(void)close(fd);
	if (fd >= 0 && unlinkat(at, name, AT_REMOVEDIR) != 0)
		log_error("store: cannot remove %s: %s", name, files_text(errno));
}

static void remove_copy(const struct control *control)
{
	remove_folder(control->local->dir, CONTROL_FOLDER ".tmp");
	remove_folder(control->local->dir, CONTROL_FOLDER);
}

/* ---- One connection -------------------------------------------------------------------------- */

/* Waits for something to come, or the end of it; false if the thread is to stop, or after `ms`. */
static bool wait_for(const struct control *control, int fd, int ms)
{
	struct pollfd both[] = {
		{.fd = control->stop, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
	int n;
	do {
		n = poll(both, 2, ms);
	} while (n < 0 && errno == EINTR);
	return n > 0 && !both[0].revents;
}

/* The user that we are, or root. */
static bool may_ask(int fd)
{
	struct ucred who;
	socklen_t len = sizeof(who);
	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 &&
	       (who.uid == geteuid() || who.uid == 0);
}

static bool is_question(const struct control *control, int fd)
{
	static const char expected[] = CONTROL_CHECKPOINT;
	char question[sizeof(expected)] = "";
	size_t got = 0;
	while (got < sizeof(expected) - 1 && wait_for(control, fd, QUESTION_MS)) {
		ssize_t n = recv(fd, question + got, sizeof(expected) - 1 - got, MSG_DONTWAIT);
		if (n <= 0)
			return false;
		got += (size_t)n;
	}
	return strcmp(question, expected) == 0;
}

static void serve(const struct control *control, int fd)
{
	static const char done[] = CONTROL_DONE;
	char end;
	if (!may_ask(fd)) {
		log_error("store: a user who may not ask for the index was refused");
		return;
	}
	if (!is_question(control, fd))
		return;
	remove_copy(control);
	if (index_copy(control->local->index, CONTROL_FOLDER) == ERR_OK &&
		send(fd, done, sizeof(done) - 1, MSG_NOSIGNAL) == sizeof(done) - 1)
		while (wait_for(control, fd, -1) && recv(fd, &end, 1, MSG_DONTWAIT) > 0)
			;
	remove_copy(control);
}

static void *run(void *arg)
{
	struct control *control = arg;
	while (wait_for(control, control->listening, -1)) {
		int fd = accept4(control->listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd >= 0) {
			serve(control, fd);
			(void)close(fd);
		}
		struct pollfd stop = {.fd = control->stop, .events = POLLIN};
		(void)poll(&stop, 1, PAUSE_MS);
	}
	return NULL;
}

/* ---- Starting -------------------------------------------------------------------------------- */

/* An errno value. */
static int listen_in_folder(struct control *control)
{
	struct sockaddr_un address;
	int dir = control->local->dir;
	control_address(dir, &address);
	/* Of a process that was killed; the folder's lock is ours. */
	if (unlinkat(dir, "control", 0) != 0 && errno != ENOENT)
		return errno;
	control->listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* The name that bind() makes has the mode of the socket. */
	if (control->listening < 0 || fchmod(control->listening, S_IRUSR | S_IWUSR) != 0 ||
		bind(control->listening, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
		listen(control->listening, 1) != 0)
		return errno;
	return 0;
}

enum err control_new(struct local *local, struct control **ret)
{
	struct control *control = calloc(1, sizeof(*control));
	*ret = NULL;
	if (!control)
		return ERR_UNAVAILABLE;
	control->local = local;
	control->listening = -1;
	control->stop = -1;
	remove_copy(control);
	int e = listen_in_folder(control);
	if (e == 0) {
		control->stop = eventfd(0, EFD_CLOEXEC);
		e = control->stop < 0 ? errno : 0;
	}
	if (e) {
		log_info("store: there can be no socket in the data folder, so `postern fsck` "
			 "cannot check the index while postern runs: %s",
			files_text(e));
		control_free(control);
		return ERR_OK;
	}
	control->runs = thread_start(&control->thread, "control", THREAD_ANY, run, control);
	if (!control->runs) {
		control_free(control);
		return ERR_UNAVAILABLE;
	}
	*ret = control;
	return ERR_OK;
}

void control_free(struct control *control)
{
	const uint64_t one = 1;
	if (!control)
		return;
	if (control->runs) {
		ssize_t ignored = write(control->stop, &one, sizeof(one));
		(void)ignored;
		(void)pthread_join(control->thread, NULL);
	}
	if (control->listening >= 0) {
		(void)close(control->listening);
		(void)unlinkat(control->local->dir, "control", 0);
	}
	if (control->stop >= 0)
		(void)close(control->stop);
	free(control);
}
