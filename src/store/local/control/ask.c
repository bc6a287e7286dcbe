/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/control/ask.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "store/local/control/control.h"

enum {
	ANSWER_SECONDS = 60, /* the index is flushed for it */
};

static int ask(int fd, int dir)
{
	static const char question[] = CONTROL_CHECKPOINT;
	static const char done[] = CONTROL_DONE;
	char answer[sizeof(done)] = "";
	struct sockaddr_un address;
	const struct timeval patience = {.tv_sec = ANSWER_SECONDS};
	control_address(dir, &address);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) != 0 ||
		connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
		send(fd, question, sizeof(question) - 1, MSG_NOSIGNAL) < 0)
		return errno;
	ssize_t got = recv(fd, answer, sizeof(done) - 1, MSG_WAITALL);
	if (got < 0)
		return errno == EAGAIN ? ETIMEDOUT : errno;
	return strcmp(answer, done) == 0 ? 0 : EPROTO;
}

void control_end(int connection)
{
	char end;
	if (shutdown(connection, SHUT_WR) == 0) {
		ssize_t ignored = recv(connection, &end, 1, 0);
		(void)ignored;
	}
	(void)close(connection);
}

int control_ask(int dir, int *ret)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	int e = ask(fd, dir);
	if (e)
		(void)close(fd);
	else
		*ret = fd;
	return e;
}
