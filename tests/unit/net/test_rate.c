/* SPDX-License-Identifier: Apache-2.0 */
/* The least rate, and clients that read their answers, or send their bodies, more slowly. */
#include "net/rate.h"

#include <semaphore.h>
#include <time.h>

#include "loopback.h"
#include "net/server.h"
#include "net/server_internal.h"
#include "tap.h"

static void counting(void)
{
	static const struct rate_rule rule = {.bytes_per_s = 100, .window_ms = 10000};
	struct rate rate;
	rate_begin(&rate, 5000);
	OK(rate_count(&rate, &rule, 1, 14999), "nothing is judged before the window ends");
	OK(rate_count(&rate, &rule, 999, 15000), "just enough");
	OK(!rate_count(&rate, &rule, 999, 25000),
		"a byte too few: what came before does not count");
	OK(rate_count(&rate, &rule, 0, 25001), "a new window after that");
	OK(!rate_count(&rate, &rule, 1500, 45000), "a longer window has to bring more");
}

static sem_t gone;
static char *body;

static void on_gone(struct exchange *x, void *state)
{
	(void)x;
	(void)state;
	sem_post(&gone);
}

static const struct exchange_handler handler = {.gone = on_gone};

enum {
	ANSWER_BYTES = 15 << 20, /* more than the kernel takes */
	BUFFER_BYTES = 4096,
};

static void begin(void *ctx, struct exchange *x)
{
	(void)ctx;
	exchange_attach(x, &handler, NULL);
	exchange_send(x, 200, slice_of(body, ANSWER_BYTES));
}

static int ask(uint16_t port)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(port)};
	static const int small = BUFFER_BYTES;
	struct slice request = S("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)) != 0 ||
		connect(fd, (const struct sockaddr *)&in, sizeof(in)) < 0 ||
		send(fd, request.ptr, request.len, MSG_NOSIGNAL) < 0)
		abort();
	return fd;
}

/* Reads `step` bytes and pauses, until the connection ends; whether all came. */
static bool read_all(int fd, size_t step)
{
	static char buffer[1 << 20];
	const struct timespec pause = {.tv_nsec = 2000000};
	size_t total = 0;
	for (;;) {
		ssize_t got = recv(fd, buffer, step, 0);
		if (got > 0)
			total += (size_t)got;
		if (got <= 0 || total > ANSWER_BYTES)
			break;
		if (step < sizeof(buffer))
			(void)nanosleep(&pause, NULL);
	}
	close(fd);
	return total > ANSWER_BYTES;
}

static void slow_reader(void)
{
	static const struct service service = {.name = "test", .begin = begin};
	uint16_t port;
	struct server *server = server_new(1, 0);
	if (!server || !server_listen(server, "127.0.0.1:0", &service, NULL, &port))
		abort();
	/* Some 2 MB a second are read below; ten times that are asked for. */
	server_net_thread(server, 0)->answer_rate =
		(struct rate_rule){.bytes_per_s = 20000000, .window_ms = 200};
	OK(server_net_thread(server, 1) == NULL, "one loop");
	if (!server_start(server))
		abort();
	OK(!read_all(ask(port), BUFFER_BYTES), "who reads too slowly is dropped");
	sem_wait(&gone);
	server_stop(server, NULL);
	server_drain(server, NULL, 10000);
	server_free(server);

	server = server_new(1, 0);
	if (!server || !server_listen(server, "127.0.0.1:0", &service, NULL, &port) ||
		!server_start(server))
		abort();
	OK(read_all(ask(port), 1 << 20), "who reads as it comes gets all");
	sem_wait(&gone);
	server_stop(server, NULL);
	server_drain(server, NULL, 10000);
	server_free(server);
}

int main(void)
{
	counting();
	body = calloc(1, ANSWER_BYTES);
	if (!body || sem_init(&gone, 0, 0) != 0)
		abort();
	slow_reader();
	free(body);
	return tap_done();
}
