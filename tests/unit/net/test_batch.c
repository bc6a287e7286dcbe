/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers that go out at the end of a loop's turn: those of many connections that ask at once,
 * short and long, with clients that are gone before.
 */
#include <poll.h>
#include <semaphore.h>
#include <sys/socket.h>

#include "loopback.h"
#include "net/server.h"
#include "net/server_internal.h"
#include "tap.h"

enum {
	CLIENTS = 100,
	LONG_BYTES = 100000, /* not kept for the end of the turn */
	HEAD_BYTES_MAX = 4096,
};

static sem_t held, go_on;
static char body[LONG_BYTES];
static atomic_int begun, gone;

static void on_gone(struct exchange *x, void *state)
{
	(void)x;
	(void)state;
	gone++;
}

static const struct exchange_handler handler = {.gone = on_gone};

/*
 * /hold stands still until the test has written more, which the next turn finds together. /SIZE is
 * answered with so many bytes.
 */
static void begin(void *ctx, struct exchange *x)
{
	(void)ctx;
	begun++;
	struct slice path = slice_from(exchange_head(x)->path, 1);
	uint64_t size = 0;
	if (slice_eq(path, S("hold"))) {
		sem_post(&held);
		sem_wait(&go_on);
	} else if (!slice_to_u64(path, &size) || size > sizeof(body)) {
		abort();
	}
	exchange_attach(x, &handler, NULL);
	exchange_send(x, 200, slice_of(body, (size_t)size));
}

static const struct service service = {.name = "test", .begin = begin};

static void ask(int fd, const char *what)
{
	char text[64];
	int len = snprintf(text, sizeof(text), "GET /%s HTTP/1.1\r\nHost: a\r\n\r\n", what);
	if (send(fd, text, (size_t)len, MSG_NOSIGNAL) != len)
		abort();
}

static int64_t read_answer(int fd);

/* A connection that the loop knows: it has answered there. */
static int open_client(uint16_t port)
{
	static const struct timeval patience = {.tv_sec = 60};
	struct sockaddr_in in = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) != 0 ||
		connect(fd, (const struct sockaddr *)&in, sizeof(in)) < 0)
		abort();
	ask(fd, "0");
	if (read_answer(fd) != 0)
		abort();
	return fd;
}

/* The length of the body that comes, or -1. */
static int64_t read_answer(int fd)
{
	char head[HEAD_BYTES_MAX + 1];
	size_t len = 0;
	uint64_t size = 0;
	while (len < HEAD_BYTES_MAX && (len < 4 || memcmp(head + len - 4, "\r\n\r\n", 4) != 0)) {
		if (recv(fd, head + len, 1, 0) != 1)
			return -1;
		len++;
	}
	head[len] = '\0';
	const char *line = strstr(head, "Content-Length: ");
	struct slice rest = line ? slice_str(line + strlen("Content-Length: ")) : S("");
	struct slice number;
	if (memcmp(head, "HTTP/1.1 200", 12) != 0 || !slice_cut(&rest, '\r', &number) ||
		!slice_to_u64(number, &size) || size > sizeof(body))
		return -1;
	static char got[LONG_BYTES];
	if (size > 0 && recv(fd, got, (size_t)size, MSG_WAITALL) != (ssize_t)size)
		return -1;
	return memcmp(got, body, (size_t)size) == 0 ? (int64_t)size : -1;
}

/* The loop stands still on this connection until let_go(). */
static void hold(int fd)
{
	ask(fd, "hold");
	sem_wait(&held);
}

static void let_go(int fd)
{
	sem_post(&go_on);
	OK(read_answer(fd) == 0, "who was held is answered");
}

static void many_at_once(uint16_t port)
{
	int fds[CLIENTS];
	for (int i = 0; i < CLIENTS; i++)
		fds[i] = open_client(port);
	/* 12 KB each: more than a batch has room for. Each seventh is long. */
	int holding = open_client(port);
	hold(holding);
	for (int i = 0; i < CLIENTS; i++)
		ask(fds[i], i % 7 ? "12000" : "100000");
	let_go(holding);
	close(holding);
	bool all = true;
	for (int i = 0; i < CLIENTS; i++)
		all = all && read_answer(fds[i]) == (i % 7 ? 12000 : 100000);
	OK(all, "each of a hundred that ask at once is answered with its own");
	for (int i = 0; i < CLIENTS; i++)
		close(fds[i]);
}

static void one_after_the_other(uint16_t port)
{
	int fd = open_client(port);
	int holding = open_client(port);
	hold(holding);
	for (int i = 0; i < CLIENTS; i++)
		ask(fd, i % 3 ? "5" : "100000");
	let_go(holding);
	close(holding);
	bool all = true;
	for (int i = 0; i < CLIENTS; i++)
		all = all && read_answer(fd) == (i % 3 ? 5 : 100000);
	OK(all, "a hundred requests that one has sent ahead are answered in their order");
	close(fd);
}

/* Closes at once, and what is on its way with it. */
static void reset(int fd)
{
	static const struct linger now = {.l_onoff = 1};
	if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)) != 0)
		abort();
	close(fd);
}

static void some_are_gone(uint16_t port)
{
	int fds[CLIENTS], first = open_client(port), last = open_client(port);
	for (int i = 0; i < CLIENTS; i++)
		fds[i] = open_client(port);
	hold(first);
	for (int i = 0; i < CLIENTS; i++)
		ask(fds[i], "700");
	ask(last, "hold"); /* of the same turn, behind them */
	sem_post(&go_on);
	sem_wait(&held);
	int answered = 0;
	for (int i = 0; i < CLIENTS; i++) {
		struct pollfd fd = {.fd = fds[i], .events = POLLIN};
		answered += poll(&fd, 1, 0);
		if (i % 2)
			reset(fds[i]);
	}
	OK(answered == 0, "while the turn lasts nobody has an answer");
	let_go(last);
	OK(read_answer(first) == 0, "who was held before is answered");
	bool all = true;
	for (int i = 0; i < CLIENTS; i += 2) {
		all = all && read_answer(fds[i]) == 700;
		ask(fds[i], "3");
		all = all && read_answer(fds[i]) == 3;
		close(fds[i]);
	}
	OK(all, "others are answered when some are gone, and go on");
	close(first);
	close(last);
}

static void stops_meanwhile(struct server *server, uint16_t port)
{
	int holding = open_client(port), fd = open_client(port);
	hold(holding);
	ask(fd, "5");
	server_stop(server, NULL);
	let_go(holding);
	OK(read_answer(fd) == 5, "who asked before the stop is answered");
	OK(read_answer(fd) == -1, "and the connection ends");
	close(holding);
	close(fd);
}

int main(void)
{
	uint16_t port;
	for (size_t i = 0; i < sizeof(body); i++)
		body[i] = (char)('a' + i % 26);
	if (sem_init(&held, 0, 0) != 0 || sem_init(&go_on, 0, 0) != 0)
		abort();
	struct server *server = server_new(1, 0);
	if (!server || !server_listen(server, "127.0.0.1:0", &service, NULL, &port) ||
		!server_start(server))
		abort();
	many_at_once(port);
	one_after_the_other(port);
	some_are_gone(port);
	stops_meanwhile(server, port);
	server_drain(server, NULL, 10000);
	OK(server_net_thread(server, 0)->connection_count == 0, "nothing is left");
	server_free(server);
	OK(gone == begun, "of each request the end was told once");
	return tap_done();
}
