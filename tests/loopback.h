/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An HTTP server on 127.0.0.1 for tests: one thread, which reads each request whole, keeps its
 * bytes, and sends the bytes that a table has for its path. An answer of NULL is never sent: the
 * connection stays open, silent.
 */
#ifndef TESTS_LOOPBACK_H
#define TESTS_LOOPBACK_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/strbuf.h"

#define LOOPBACK_HELD 64

struct loopback_answer {
	const char *path; /* the request target begins with it; NULL ends the table */
	const char *bytes;
};

struct loopback {
	int fd, stop[2], port;
	pthread_t thread;
	pthread_mutex_t lock; /* protects what follows */
	const struct loopback_answer *answers;
	int connections;
	struct strbuf last; /* the last request, as it came */
	int held[LOOPBACK_HELD];
	int held_count;
};

static inline void loopback_read(int fd, struct strbuf *request)
{
	size_t want = 0;
	while (want == 0 || request->len < want) {
		char piece[4096];
		ssize_t n = recv(fd, piece, sizeof(piece), 0);
		if (n <= 0)
			return;
		strbuf_add(request, piece, (size_t)n);
		struct slice all = strbuf_slice(request);
		size_t end = slice_find_slice(all, S("\r\n\r\n"));
		if (want == 0 && end < all.len) {
			struct slice head = slice_head(all, end);
			uint64_t length = 0;
			struct slice rest = slice_from(
				head, slice_find_slice(head, S("Content-Length: ")) + 16);
			if (!slice_to_u64(slice_head(rest, slice_find(rest, '\r')), &length))
				length = 0;
			want = end + 4 + (size_t)length;
		}
	}
}

static inline const char *loopback_find(const struct loopback_answer *answers, struct slice request)
{
	struct slice method;
	(void)slice_cut(&request, ' ', &method);
	for (const struct loopback_answer *a = answers; a->path; a++)
		if (slice_starts(request, slice_str(a->path)))
			return a->bytes;
	return "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
}

static inline void loopback_serve(struct loopback *server, int fd)
{
	SCOPED_STRBUF(request, 1 << 24);
	loopback_read(fd, &request);
	pthread_mutex_lock(&server->lock);
	server->connections++;
	strbuf_clear(&server->last);
	strbuf_add_slice(&server->last, strbuf_slice(&request));
	const struct loopback_answer *answers = server->answers;
	pthread_mutex_unlock(&server->lock);
	const char *answer = loopback_find(answers, strbuf_slice(&request));
	if (!answer && server->held_count < LOOPBACK_HELD) {
		server->held[server->held_count++] = fd;
		return;
	}
	if (answer) {
		ssize_t sent = send(fd, answer, strlen(answer), MSG_NOSIGNAL);
		(void)sent;
		/* Let the other side close first, so that it never meets a reset. */
		shutdown(fd, SHUT_WR);
		char byte;
		while (recv(fd, &byte, 1, 0) > 0)
			;
	}
	close(fd);
}

static inline void *loopback_main(void *argument)
{
	struct loopback *server = argument;
	for (;;) {
		struct pollfd fds[2] = {{server->fd, POLLIN, 0}, {server->stop[0], POLLIN, 0}};
		if (poll(fds, 2, -1) < 0)
			continue;
		if (fds[1].revents)
			return NULL;
		int fd = accept(server->fd, NULL, NULL);
		if (fd >= 0)
			loopback_serve(server, fd);
	}
}

/* A socket that listens on a free port of 127.0.0.1. */
static inline int loopback_listen(int *ret_port)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&in, len) < 0 || listen(fd, 128) < 0 ||
		getsockname(fd, (struct sockaddr *)&in, &len) < 0)
		abort();
	*ret_port = ntohs(in.sin_port);
	return fd;
}

static inline void loopback_start(struct loopback *server, const struct loopback_answer *answers)
{
	*server = (struct loopback){.answers = answers};
	pthread_mutex_init(&server->lock, NULL);
	strbuf_init(&server->last, 1 << 24);
	server->fd = loopback_listen(&server->port);
	if (pipe(server->stop) < 0 ||
		pthread_create(&server->thread, NULL, loopback_main, server) != 0)
		abort();
}

/* From now on other answers. */
static inline void loopback_change(struct loopback *server, const struct loopback_answer *answers)
{
	pthread_mutex_lock(&server->lock);
	server->answers = answers;
	pthread_mutex_unlock(&server->lock);
}

static inline int loopback_connections(struct loopback *server)
{
	pthread_mutex_lock(&server->lock);
	int n = server->connections;
	pthread_mutex_unlock(&server->lock);
	return n;
}

static inline void loopback_stop(struct loopback *server)
{
	if (write(server->stop[1], "x", 1) != 1)
		abort();
	pthread_join(server->thread, NULL);
	for (int i = 0; i < server->held_count; i++)
		close(server->held[i]);
	close(server->fd);
	close(server->stop[0]);
	close(server->stop[1]);
	strbuf_release(&server->last);
}

/*
 * The other side: sends `request` to a port of 127.0.0.1 and appends all that comes back until the
 * connection is closed, so the request should ask for that.
 */
static inline void loopback_ask(int port, struct slice request, struct strbuf *answer)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)port)};
	char piece[4096];
	ssize_t n;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&in, sizeof(in)) < 0)
		abort();
	while (request.len > 0 && (n = send(fd, request.ptr, request.len, MSG_NOSIGNAL)) > 0)
		request = slice_from(request, (size_t)n);
	while ((n = recv(fd, piece, sizeof(piece), 0)) > 0)
		strbuf_add(answer, piece, (size_t)n);
	close(fd);
}

/* A port of 127.0.0.1 on which nothing listens. */
static inline int loopback_closed_port(void)
{
	int port;
	close(loopback_listen(&port));
	return port;
}

#endif
