/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Posts forms as fast as a server takes them, over kept connections on the loopback:
 *
 *	upload_load PORT PATH FORM SIZE CONNECTIONS SECONDS [REQUESTS [KEY]]
 *
 * FORM is a file with the form up to and including the header of its file part, whose boundary is
 * BOUNDARY below. The sixteen characters `################` in it become a number that no other
 * request of this run has; the run is named by KEY, a number below 2^16. The file's SIZE bytes are
 * never built: they are sent from one MiB in memory by sendfile. No request begins after SECONDS,
 * or after REQUESTS have.
 *
 * Prints `requests N seconds S bytes B p50_us P p99_us Q`; an answer other than 2xx is shown and
 * ends the run with status 1.
 */
#include <arpa/inet.h>
#include <assert.h>
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
#include "base/slice.h"
#include "base/strbuf.h"

#define MARK "################"
#define END "\r\n--postern-bench-boundary--\r\n"
#define BOUNDARY "postern-bench-boundary"

enum {
	CONTENT_BYTES = 1 << 20,
	WHOLE_BYTES = 64 << 10, /* smaller files are sent in one call with the form around them */
	ANSWER_BYTES = 8192,
};

struct load;

struct connection {
	struct load *load;
	int fd;
	struct strbuf head; /* request head and form; all of the request if the file is small */
	size_t mark;        /* where in `head` the number stands */
	uint64_t at;        /* bytes of this request sent */
	int64_t began_ns;
	char answer[ANSWER_BYTES];
	size_t answer_len;
};

struct load {
	const char *path;
	uint16_t port;
	struct strbuf form;
	uint64_t size;
	uint64_t key;
	uint64_t count;
	int64_t ends_ns;
	bool whole;
	int content;
	int epoll;
	uint64_t begun;
	uint64_t done;
	uint64_t idle; /* connections that send no more */
	uint32_t *micros;
	size_t micros_size;
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

/* Incompressible, and without the boundary. */
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

static void read_form(const char *name, struct strbuf *out)
{
	char bytes[4096];
	size_t n;
	FILE *file = fopen(name, "r");
	if (!file)
		fail(name);
	while ((n = fread(bytes, 1, sizeof(bytes), file)) > 0)
		strbuf_add(out, bytes, n);
	(void)fclose(file);
}

static int make_content_file(const char *bytes)
{
	int fd = memfd_create("content", MFD_CLOEXEC);
	if (fd < 0 || write(fd, bytes, CONTENT_BYTES) != CONTENT_BYTES)
		fail("memfd");
	return fd;
}

static void build_request(struct connection *c, const char *content)
{
	struct load *load = c->load;
	strbuf_init(&c->head, MIB(1));
	strbuf_addf(&c->head,
		"POST %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n"
		"Content-Type: multipart/form-data; boundary=" BOUNDARY "\r\n"
		"Content-Length: %llu\r\n\r\n",
		load->path, load->port,
		(unsigned long long)(load->form.len + load->size + strlen(END)));
	strbuf_add_slice(&c->head, strbuf_slice(&load->form));
	c->mark = slice_find_slice(strbuf_slice(&c->head), S(MARK));
	if (load->whole) {
		strbuf_add(&c->head, content, (size_t)load->size);
		strbuf_adds(&c->head, END);
	}
	assert(!strbuf_broken(&c->head));
}

/* ---- Sending ----------------------------------------------------------------------------------
 */

/* Sends the next piece of the request; what send() and sendfile() return. 0: all is sent. */
static ssize_t send_piece(struct connection *c)
{
	const struct load *load = c->load;
	size_t more = load->whole ? 0 : MSG_MORE;
	if (c->at < c->head.len)
		return send(
			c->fd, c->head.ptr + c->at, c->head.len - c->at, MSG_NOSIGNAL | (int)more);
	if (load->whole)
		return 0;
	uint64_t at = c->at - c->head.len;
	if (at < load->size) {
		off_t from = (off_t)(at % CONTENT_BYTES);
		uint64_t left = load->size - at;
		uint64_t len = CONTENT_BYTES - (uint64_t)from;
		return sendfile(c->fd, load->content, &from, len < left ? len : left);
	}
	at -= load->size;
	return send(c->fd, &END[at], strlen(END) - at, MSG_NOSIGNAL);
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
	struct load *load = c->load;
	c->began_ns = now_ns();
	c->answer_len = 0;
	c->at = 0;
	if (load->begun == load->count || c->began_ns >= load->ends_ns) {
		load->idle++;
		return;
	}
	char number[sizeof(MARK)];
	load->begun++;
	(void)snprintf(number, sizeof(number), "%04x%012llx", (unsigned)(load->key & 0xffff),
		(unsigned long long)load->begun);
	if (c->mark < c->head.len)
		memcpy(c->head.ptr + c->mark, number, strlen(MARK));
	send_on(c);
}

/* ---- Answers ----------------------------------------------------------------------------------
 */

static void refused(const struct connection *c)
{
	fprintf(stderr, "upload_load: %.*s\n", (int)c->answer_len, c->answer);
	exit(1);
}

static bool answer_complete(struct connection *c)
{
	struct slice text = slice_of(c->answer, c->answer_len);
	size_t head = slice_find_slice(text, S("\r\n\r\n"));
	if (head == text.len)
		return false;
	if (!slice_starts(text, S("HTTP/1.1 2")))
		refused(c);
	struct slice length = slice_head(text, head + 2);
	size_t at = slice_find_slice(length, S("\r\nContent-Length: "));
	if (at == length.len)
		return true;
	uint64_t bytes;
	length = slice_from(length, at + strlen("\r\nContent-Length: "));
	length = slice_head(length, slice_find(length, '\r'));
	if (!slice_to_u64(length, &bytes))
		refused(c);
	return text.len >= head + 4 + bytes;
}

static void record(struct load *load, int64_t ns)
{
	if (load->done == load->micros_size) {
		load->micros_size = load->micros_size ? load->micros_size * 2 : 65536;
		load->micros = realloc(load->micros, load->micros_size * sizeof(*load->micros));
		if (!load->micros)
			fail("realloc");
	}
	load->micros[load->done++] = (uint32_t)(ns / 1000);
}

static void receive(struct connection *c)
{
	ssize_t n = recv(c->fd, c->answer + c->answer_len, ANSWER_BYTES - c->answer_len, 0);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0)
		fail("the server closed a connection");
	c->answer_len += (size_t)n;
	if (!answer_complete(c))
		return;
	record(c->load, now_ns() - c->began_ns);
	next_request(c);
}

/* ---- The run ----------------------------------------------------------------------------------
 */

static void open_connection(struct load *load, struct connection *c, const char *content)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
		.sin_port = htons(load->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int on = 1;
	c->load = load;
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		fail("connect");
	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)fcntl(c->fd, F_SETFL, O_NONBLOCK);
	build_request(c, content);
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};
	if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, c->fd, &event) != 0)
		fail("epoll_ctl");
}

static void run(struct load *load, size_t connections)
{
	struct epoll_event events[64];
	while (load->idle < connections) {
		int n = epoll_wait(load->epoll, events, 64, 30000);
		if (n == 0) {
			fprintf(stderr, "upload_load: nothing happened for 30 s\n");
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

static void print(struct load *load, int64_t ns)
{
	if (load->done == 0)
		return;
	qsort(load->micros, load->done, sizeof(*load->micros), compare);
	printf("requests %llu seconds %.4f bytes %llu p50_us %u p99_us %u\n",
		(unsigned long long)load->done, (double)ns / 1e9,
		(unsigned long long)(load->done * load->size), load->micros[load->done / 2],
		load->micros[load->done * 99 / 100]);
}

static uint64_t number(int argc, char **argv, int at, uint64_t otherwise)
{
	uint64_t value;
	if (at >= argc)
		return otherwise;
	if (slice_to_u64(slice_str(argv[at]), &value))
		return value;
	fprintf(stderr, "upload_load: %s is not a number\n", argv[at]);
	exit(2);
}

int main(int argc, char **argv)
{
	if (argc < 7) {
		fprintf(stderr, "usage: upload_load PORT PATH FORM SIZE CONNECTIONS SECONDS "
				"[REQUESTS [KEY]]\n");
		return 2;
	}
	struct load load = {
		.port = (uint16_t)number(argc, argv, 1, 0),
		.path = argv[2],
		.size = number(argc, argv, 4, 0),
		.count = number(argc, argv, 7, UINT64_MAX),
		.key = number(argc, argv, 8, 0),
		.epoll = epoll_create1(EPOLL_CLOEXEC),
	};
	size_t connections = (size_t)number(argc, argv, 5, 1);
	char *content = make_content();
	struct connection *all = calloc(connections, sizeof(*all));
	if (!all || load.epoll < 0)
		fail("upload_load");
	strbuf_init(&load.form, KIB(64));
	read_form(argv[3], &load.form);
	load.whole = load.size <= WHOLE_BYTES;
	load.content = make_content_file(content);
	for (size_t i = 0; i < connections; i++)
		open_connection(&load, &all[i], content);
	int64_t start = now_ns();
	load.ends_ns = start + (int64_t)number(argc, argv, 6, 1) * 1000000000;
	for (size_t i = 0; i < connections; i++)
		next_request(&all[i]);
	run(&load, connections);
	print(&load, now_ns() - start);
	return 0;
}
