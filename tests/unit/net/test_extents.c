/* SPDX-License-Identifier: Apache-2.0 */
/* Answers whose bytes lie in memory, or in several places, over real connections. */
#include <semaphore.h>
#include <unistd.h>

#include "base/limits.h"
#include "loopback.h"
#include "net/server.h"
#include "tap.h"

enum {
	PLACES = 7
};

/* Lengths of the places; in the file they lie in the opposite order. */
static const uint64_t lengths[PLACES] = {1, 65536, 2, 3000000, 65537, 300, 1048576};
static uint64_t total;
static char *content; /* as a client sees it */
static int file;
static sem_t event; /* an exchange has gone, or a silent one was asked */

/* One request; its path says how `next` answers. */
struct answer {
	struct task task;
	struct exchange *x;
	uint64_t at;
	bool later;   /* from a task */
	bool silent;  /* never */
	bool memory;  /* each second place is in memory */
	int64_t fail; /* instead of the place of that number */
};

static uint64_t place_of(uint64_t at, int *ret_place)
{
	uint64_t begins = 0;
	int i = 0;
	while (at >= begins + lengths[i])
		begins += lengths[i++];
	*ret_place = i;
	return at - begins;
}

static void say(struct answer *a)
{
	int place;
	uint64_t skip = place_of(a->at, &place);
	uint64_t behind = 0;
	for (int i = place + 1; i < PLACES; i++)
		behind += lengths[i];
	if (a->fail == place)
		exchange_extent_failed(a->x);
	else if (a->memory && place % 2)
		exchange_extent_memory(
			a->x, slice_of(content + a->at, (size_t)(lengths[place] - skip)));
	else
		exchange_extent(a->x, &(struct exchange_bytes){.fd = file,
					      .offset = behind + skip,
					      .size = lengths[place] - skip});
}

static void say_later(struct task *task)
{
	say(CONTAINER_OF(task, struct answer, task));
}

static void next(struct exchange *x, void *ctx, uint64_t at)
{
	struct answer *a = ctx;
	a->at = at;
	if (a->silent)
		sem_post(&event);
	else if (a->later)
		executor_post(exchange_home(x), &a->task);
	else
		say(a);
}

static void ignore_body(struct exchange *x UNUSED, void *state UNUSED, struct slice piece UNUSED)
{
}

static void ignore_end(struct exchange *x UNUSED, void *state UNUSED)
{
}

static void gone(struct exchange *x UNUSED, void *state)
{
	free(state);
	sem_post(&event);
}

static void begin(void *ctx UNUSED, struct exchange *x)
{
	static const struct exchange_handler handler = {
		.body = ignore_body, .end = ignore_end, .gone = gone};
	struct slice path = exchange_head(x)->path;
	struct answer *a = calloc(1, sizeof(*a));
	if (!a)
		abort();
	*a = (struct answer){.task.run = say_later, .x = x, .fail = -1};
	a->later = slice_starts(path, S("/later"));
	a->silent = slice_starts(path, S("/silent"));
	if (slice_ends(path, S("/fail")))
		a->fail = 3;
	a->memory = slice_ends(path, S("/memory"));
	exchange_attach(x, &handler, a);
	if (slice_starts(path, S("/whole"))) {
		size_t size = slice_ends(path, S("/small")) ? KIB(64) : total;
		exchange_send_memory(x, 200, slice_of(content, size));
		return;
	}
	exchange_send_extents(x, 200, slice_ends(path, S("/empty")) ? 0 : total, next, a);
}

static void make_content(void)
{
	char name[] = "/tmp/postern-extents-XXXXXX";
	uint64_t begins = 0, behind;
	for (int i = 0; i < PLACES; i++)
		total += lengths[i];
	content = malloc(total);
	file = mkstemp(name);
	if (!content || file < 0 || unlink(name) != 0)
		abort();
	for (uint64_t i = 0; i < total; i++)
		content[i] = (char)(i * 2654435761U >> 13);
	behind = total;
	for (int i = 0; i < PLACES; i++) {
		behind -= lengths[i];
		if (pwrite(file, content + begins, lengths[i], (off_t)behind) !=
			(ssize_t)lengths[i])
			abort();
		begins += lengths[i];
	}
}

static int port;

/* What comes back, and the part of it behind the head. */
static struct slice ask(const char *method, const char *path, struct strbuf *answer)
{
	SCOPED_STRBUF(request, 1024);
	strbuf_addf(
		&request, "%s %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", method, path);
	loopback_ask(port, strbuf_slice(&request), answer);
	sem_wait(&event);
	struct slice all = strbuf_slice(answer);
	return slice_from(all, slice_find_slice(all, S("\r\n\r\n")) + 4);
}

static void test_whole(const char *path)
{
	SCOPED_STRBUF(answer, 16 << 20);
	struct slice body = ask("GET", path, &answer);
	OK(slice_eq(body, slice_of(content, total)), "%s: all bytes in order", path);
	strbuf_clear(&answer);
	body = ask("HEAD", path, &answer);
	OK(body.len == 0 && slice_find_slice(strbuf_slice(&answer), S("\r\nContent-Length: ")) <
				    answer.len,
		"HEAD %s: the length alone", path);
}

static void test_small(void)
{
	SCOPED_STRBUF(answer, 16 << 20);
	OK(slice_eq(ask("GET", "/whole/small", &answer), slice_of(content, KIB(64))),
		"a little that lies in memory");
}

static void test_failing(const char *path)
{
	SCOPED_STRBUF(answer, 16 << 20);
	struct slice body = ask("GET", path, &answer);
	size_t sent = lengths[0] + lengths[1] + lengths[2];
	OK(slice_eq(body, slice_of(content, sent)), "%s: cut off where the failure is", path);
}

/* The client goes away while the service looks for the bytes. */
static void test_going_away(void)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)port)};
	const struct linger reset = {.l_onoff = 1};
	struct slice request = S("GET /silent HTTP/1.1\r\nHost: a\r\n\r\n");
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&in, sizeof(in)) < 0 ||
		send(fd, request.ptr, request.len, MSG_NOSIGNAL) < 0)
		abort();
	sem_wait(&event); /* `next` was called */
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(fd);
	sem_wait(&event);
	OK(true, "a client that goes away between next and its answer");
}

int main(void)
{
	static const struct service service = {.name = "test", .begin = begin};
	uint16_t bound;
	SCOPED_STRBUF(answer, 1024);
	make_content();
	sem_init(&event, 0, 0);
	struct server *server = server_new(1, 0);
	if (!server || !server_listen(server, "127.0.0.1:0", &service, NULL, &bound) ||
		!server_start(server))
		abort();
	port = bound;
	test_whole("/now");
	test_whole("/later");
	test_whole("/whole");
	test_whole("/now/memory");
	test_whole("/later/memory");
	test_small();
	test_failing("/now/fail");
	test_failing("/later/fail");
	IS_INT(ask("GET", "/now/empty", &answer).len, 0, "no bytes: next is not asked");
	test_going_away();
	server_stop(server, NULL);
	server_drain(server, NULL, 10000);
	server_free(server);
	sem_destroy(&event);
	close(file);
	free(content);
	return tap_done();
}
