/* SPDX-License-Identifier: Apache-2.0 */
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "scramble.h"

enum {
	CONTENT_BYTES = 1 << 20,
	WHOLE_BYTES = 64 << 10, /* smaller contents are sent in one call with what is around them */
	RECEIVE_BYTES = 256 << 10,
	HEAD_BYTES = 8192, /* of an answer */
};

#define CHUNKS_END "\r\n0\r\n\r\n"

struct run;

struct connection {
	struct run *run;
	int fd;
	struct strbuf head; /* up to the content; all of the request if that is small */
	uint64_t at;        /* bytes of this request sent */
	int64_t began_ns;
	/* The answer: its head until that is complete, then how much of the body is to come. */
	char answer[HEAD_BYTES];
	size_t answer_len;
	bool in_body;
	bool chunked; /* then it ends with CHUNKS_END, else: */
	uint64_t body_left;
	char tail[sizeof(CHUNKS_END) - 1]; /* the last bytes that came */
};

struct run {
	const struct load *load;
	const char *content; /* CONTENT_BYTES */
	int content_file;    /* the same */
	int epoll;
	int64_t ends_ns;
	uint64_t begun;
	uint64_t done;
	uint64_t idle; /* connections that send no more */
	uint64_t received;
	uint32_t *micros;
	size_t micros_size;
	char *room; /* RECEIVE_BYTES */
};

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static int64_t now_ns(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* ---- What is sent -----------------------------------------------------------------------------
 */

/* Incompressible. */
static char *make_content(void)
{
	char *bytes = malloc(CONTENT_BYTES);
	uint64_t x = 88172645463325252u;
	if (!bytes)
		fail("malloc");
	for (size_t i = 0; i < CONTENT_BYTES; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		bytes[i] = (char)(x >> 24);
	}
	return bytes;
}

static int make_content_file(const char *bytes)
{
	int fd = memfd_create("content", MFD_CLOEXEC);
	if (fd < 0 || write(fd, bytes, CONTENT_BYTES) != CONTENT_BYTES)
		fail("memfd");
	return fd;
}

void load_mark(char *at, uint64_t run, uint64_t number)
{
	char text[sizeof(LOAD_MARK)];
	(void)snprintf(text, sizeof(text), "%04x%012llx", (unsigned)(run & 0xffff),
		(unsigned long long)number);
	memcpy(at, text, sizeof(text) - 1);
}

void load_random_mark(char *at, uint64_t run, uint64_t number)
{
	uint64_t mixed = scramble(run << 48 | number);
	load_mark(at, mixed >> 48, mixed & 0xffffffffffffu);
}

static bool is_whole(const struct load *load)
{
	return load->size <= WHOLE_BYTES;
}

static void compose(struct connection *c, uint64_t number)
{
	const struct load *load = c->run->load;
	strbuf_clear(&c->head);
	load->compose(load->ctx, number, &c->head);
	if (is_whole(load)) {
		strbuf_add(&c->head, c->run->content, (size_t)load->size);
		strbuf_add_slice(&c->head, load->trailer);
	}
	if (strbuf_broken(&c->head))
		fail("a request is too long");
}

/* Sends the next piece of the request; what send() and sendfile() return. 0: all is sent. */
static ssize_t send_piece(struct connection *c)
{
	const struct load *load = c->run->load;
	bool whole = is_whole(load);
	if (c->at < c->head.len)
		return send(c->fd, c->head.ptr + c->at, c->head.len - c->at,
			MSG_NOSIGNAL | (whole ? 0 : MSG_MORE));
	if (whole)
		return 0;
	uint64_t at = c->at - c->head.len;
	if (at < load->size) {
		off_t from = (off_t)(at % CONTENT_BYTES);
		uint64_t left = load->size - at;
		uint64_t len = CONTENT_BYTES - (uint64_t)from;
		return sendfile(c->fd, c->run->content_file, &from, len < left ? len : left);
	}
	struct slice rest = slice_from(load->trailer, (size_t)(at - load->size));
	return rest.len ? send(c->fd, rest.ptr, rest.len, MSG_NOSIGNAL) : 0;
}

static void send_on(struct connection *c)
{
	ssize_t n;
	while ((n = send_piece(c)) > 0)
		c->at += (uint64_t)n;
	if (n < 0 && errno != EAGAIN)
		fail("send");
}

static void next_request(struct connection *c)
{
	struct run *run = c->run;
	c->began_ns = now_ns();
	c->answer_len = 0;
	c->in_body = false;
	c->at = 0;
	if (run->begun == run->load->count || c->began_ns >= run->ends_ns) {
		run->idle++;
		return;
	}
	compose(c, ++run->begun);
	send_on(c);
}

/* ---- Answers ----------------------------------------------------------------------------------
 */

static void refused(const struct connection *c)
{
	fprintf(stderr, "%s: %.*s\n", c->run->load->program, (int)c->answer_len, c->answer);
	exit(1);
}

/* The value of Content-Length in the head of an answer. */
static uint64_t content_length(struct connection *c, struct slice head)
{
	static const char name[] = "\r\nContent-Length: ";
	uint64_t bytes;
	size_t at = slice_find_slice(head, slice_str(name));
	if (at == head.len)
		return 0;
	struct slice value = slice_from(head, at + strlen(name));
	if (!slice_to_u64(slice_head(value, slice_find(value, '\r')), &bytes))
		refused(c);
	return bytes;
}

/* Takes bytes for the head of the answer; what is left of them belongs to the body. */
static struct slice take_head(struct connection *c, struct slice bytes)
{
	struct slice piece = slice_head(bytes, HEAD_BYTES - c->answer_len);
	size_t before = c->answer_len;
	memcpy(c->answer + before, piece.ptr, piece.len);
	c->answer_len += piece.len;
	struct slice text = slice_of(c->answer, c->answer_len);
	size_t end = slice_find_slice(text, S("\r\n\r\n"));
	if (end == text.len) {
		if (c->answer_len == HEAD_BYTES)
			refused(c);
		return S("");
	}
	if (!slice_starts(text, S("HTTP/1.1 2")))
		refused(c);
	struct slice head = slice_head(text, end + 2);
	c->in_body = true;
	c->chunked = slice_find_slice(head, S("\r\nTransfer-Encoding: chunked")) < head.len;
	c->body_left = c->chunked ? 0 : content_length(c, head);
	memset(c->tail, 0, sizeof(c->tail));
	return slice_from(bytes, end + 4 - before);
}

/* Takes bytes of the body; true if that was its end. */
static bool take_body(struct connection *c, struct slice bytes)
{
	c->run->received += bytes.len;
	if (!c->chunked) {
		c->body_left -= bytes.len;
		return c->body_left == 0;
	}
	size_t len = bytes.len < sizeof(c->tail) ? bytes.len : sizeof(c->tail);
	memmove(c->tail, c->tail + len, sizeof(c->tail) - len);
	memcpy(c->tail + sizeof(c->tail) - len, bytes.ptr + bytes.len - len, len);
	return memcmp(c->tail, CHUNKS_END, sizeof(c->tail)) == 0;
}

static void record(struct run *run, int64_t ns)
{
	if (run->done == run->micros_size) {
		run->micros_size = run->micros_size ? run->micros_size * 2 : 65536;
		run->micros = realloc(run->micros, run->micros_size * sizeof(*run->micros));
		if (!run->micros)
			fail("realloc");
	}
	run->micros[run->done++] = (uint32_t)(ns / 1000);
}

static void receive(struct connection *c)
{
	struct run *run = c->run;
	ssize_t n;
	while ((n = recv(c->fd, run->room, RECEIVE_BYTES, 0)) > 0) {
		struct slice bytes = slice_of(run->room, (size_t)n);
		if (!c->in_body)
			bytes = take_head(c, bytes);
		if (!c->in_body)
			continue;
		if (take_body(c, bytes)) {
			record(run, now_ns() - c->began_ns);
			next_request(c);
			return;
		}
	}
	if (n == 0 || errno != EAGAIN)
		fail("the server closed a connection");
}

/* ---- The run ----------------------------------------------------------------------------------
 */

static void open_connection(struct run *run, struct connection *c)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
		.sin_port = htons(run->load->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int on = 1;
	c->run = run;
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		fail("connect");
	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)fcntl(c->fd, F_SETFL, O_NONBLOCK);
	strbuf_init(&c->head, MIB(1));
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};
	if (epoll_ctl(run->epoll, EPOLL_CTL_ADD, c->fd, &event) != 0)
		fail("epoll_ctl");
}

static void work(struct run *run)
{
	struct epoll_event events[64];
	while (run->idle < run->load->connections) {
		int n = epoll_wait(run->epoll, events, 64, 30000);
		if (n == 0) {
			fprintf(stderr, "%s: nothing happened for 30 s\n", run->load->program);
			exit(1);
		}
		for (int i = 0; i < n; i++) {
			struct connection *c = events[i].data.ptr;
			if (events[i].events & EPOLLIN)
				receive(c);
			if (events[i].events & EPOLLOUT && c->at)
				send_on(c);
		}
	}
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a;
	uint32_t y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

static void print(struct run *run, int64_t ns)
{
	if (run->done == 0)
		return;
	qsort(run->micros, run->done, sizeof(*run->micros), compare);
	printf("requests %llu seconds %.4f bytes %llu p50_us %u p99_us %u\n",
		(unsigned long long)run->done, (double)ns / 1e9,
		(unsigned long long)(run->done * run->load->size + run->received),
		run->micros[run->done / 2], run->micros[run->done * 99 / 100]);
}

void load_run(const struct load *load)
{
	char *content = make_content();
	struct run run = {
		.load = load,
		.content = content,
		.content_file = make_content_file(content),
		.epoll = epoll_create1(EPOLL_CLOEXEC),
		.room = malloc(RECEIVE_BYTES),
	};
	struct connection *all = calloc(load->connections, sizeof(*all));
	if (!all || !run.room || run.epoll < 0)
		fail(load->program);
	for (size_t i = 0; i < load->connections; i++)
		open_connection(&run, &all[i]);
	int64_t start = now_ns();
	run.ends_ns = start + load->seconds * 1000000000;
	for (size_t i = 0; i < load->connections; i++)
		next_request(&all[i]);
	work(&run);
	print(&run, now_ns() - start);
}

uint64_t load_argument(int argc, char **argv, int at, uint64_t otherwise)
{
	uint64_t value;
	if (at >= argc)
		return otherwise;
	if (slice_to_u64(slice_str(argv[at]), &value))
		return value;
	fprintf(stderr, "%s: %s is not a number\n", argv[0], argv[at]);
	exit(2);
}
