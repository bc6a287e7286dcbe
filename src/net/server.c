/* SPDX-License-Identifier: Apache-2.0 */
#include "net/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <sched.h>
#include <sys/socket.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "net/connection.h"
#include "net/descriptors.h"

enum {
	ACCEPTS_PER_TURN = 64,
	BACKLOG = 1024,
	DRAIN_POLL_MS = 10,
	COMPLAINT_PAUSE_MS = 10000,
};

struct server {
	unsigned loops;
	bool started;
	struct warmer *warmer;
	struct shard *shards;
	uint64_t connections;
	struct port *ports;
};

/* ---- Accepting --------------------------------------------------------------------------------
 */

static bool room_for_more(struct listener *listener)
{
	const struct port *port = listener->port;
	return atomic_load_explicit(&port->connections, memory_order_relaxed) < port->limit ||
	       connection_drop_idle(listener);
}

static int open_spare(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/*
 * There is no descriptor for a connection that waits. Left waiting it would wake the loop for ever;
 * so it is taken with the spare one, and closed. False if that cannot be done either: another loop
 * was quicker to take what the spare one left. An idle connection then makes room for a new spare.
 */
static bool turn_away(struct listener *listener)
{
	struct shard *shard = listener->shard;
	if (shard->loop.now_ms - shard->complained_ms >= COMPLAINT_PAUSE_MS) {
		shard->complained_ms = shard->loop.now_ms;
		log_error("no file descriptors for a connection; raise `ulimit -n`");
	}
	if (shard->spare_fd >= 0)
		close(shard->spare_fd);
	atomic_fetch_add_explicit(&listener->port->turned_away, 1, memory_order_relaxed);
	int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		close(fd);
	shard->spare_fd = open_spare();
	if (shard->spare_fd < 0 && connection_drop_idle(listener))
		shard->spare_fd = open_spare();
	return fd >= 0;
}

static void accept_ready(struct loop_watch *watch, uint32_t events UNUSED)
{
	struct listener *listener = CONTAINER_OF(watch, struct listener, watch);
	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		struct sockaddr_storage peer;
		socklen_t len = sizeof(peer);
		int fd = accept4(listener->fd, (struct sockaddr *)(void *)&peer, &len,
			SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0) {
			if ((errno == EMFILE || errno == ENFILE) && turn_away(listener))
				continue;
			return;
		}
		if (room_for_more(listener)) {
			connection_open(listener, fd, (struct sockaddr *)(void *)&peer);
			continue;
		}
		atomic_fetch_add_explicit(&listener->port->turned_away, 1, memory_order_relaxed);
		close(fd);
	}
}

static bool is_for(const struct listener *listener, const struct service *service)
{
	return !service || listener->service == service;
}

/* Connections point at their listener: it stays until the shard is freed. */
static void close_listeners(struct shard *shard, const struct service *service)
{
	for (struct listener *l = shard->listeners; l; l = l->next) {
		if (l->fd < 0 || !is_for(l, service))
			continue;
		close(l->fd);
		l->fd = -1;
	}
}

/* ---- Making it --------------------------------------------------------------------------------
 */

static bool shard_init(struct shard *shard, struct warmer *warmer)
{
	shard->spare_fd = open_spare();
	shard->complained_ms = -COMPLAINT_PAUSE_MS;
	if (!loop_init(&shard->loop))
		return false;
	shard->warmer = warmer;
	shard->body_rate = (struct rate_rule){LIMIT_BODY_RATE_BYTES_PER_S, LIMIT_BODY_RATE_MS};
	shard->answer_rate =
		(struct rate_rule){LIMIT_ANSWER_RATE_BYTES_PER_S, LIMIT_ANSWER_RATE_MS};
	shard->loop.timer_due = connection_timer_due;
	shard->connections.prev = &shard->connections;
	shard->connections.next = &shard->connections;
	return true;
}

static void shard_release(struct shard *shard)
{
	close_listeners(shard, NULL);
	if (shard->spare_fd >= 0)
		close(shard->spare_fd);
	while (shard->listeners) {
		struct listener *next = shard->listeners->next;
		free(shard->listeners);
		shard->listeners = next;
	}
	while (shard->free_exchanges) {
		struct exchange *next = shard->free_exchanges->next_free;
		strbuf_release(&shard->free_exchanges->lines);
		strbuf_release(&shard->free_exchanges->note);
		free(shard->free_exchanges);
		shard->free_exchanges = next;
	}
	loop_release(&shard->loop);
}

static unsigned cores(void)
{
	cpu_set_t set;
	if (sched_getaffinity(0, sizeof(set), &set) != 0 || CPU_COUNT(&set) < 1)
		return 1;
	return (unsigned)CPU_COUNT(&set);
}

struct server *server_new(unsigned loops, uint64_t connections)
{
	struct server *server = calloc(1, sizeof(*server));
	if (!server)
		return NULL;
	unsigned wanted = loops ? loops : cores();
	server->connections = connections ? connections : LIMIT_CONNECTIONS;
	server->warmer = warmer_new();
	server->shards = calloc(wanted, sizeof(*server->shards));
	if (!server->warmer || !server->shards) {
		server_free(server);
		return NULL;
	}
	for (; server->loops < wanted; server->loops++) {
		if (!shard_init(&server->shards[server->loops], server->warmer)) {
			shard_release(&server->shards[server->loops]);
			server_free(server);
			return NULL;
		}
	}
	return server;
}

/* "127.0.0.1:80" or "[::1]:80" into a socket address. */
static bool address_parse(const char *text, struct sockaddr_storage *ret, socklen_t *ret_len)
{
	char host[256];
	const char *colon = strrchr(text, ':');
	if (!colon || (size_t)(colon - text) >= sizeof(host))
		return false;
	size_t len = (size_t)(colon - text);
	bool bracketed = len >= 2 && text[0] == '[' && text[len - 1] == ']';
	memcpy(host, text + bracketed, len - 2 * (size_t)bracketed);
	host[len - 2 * (size_t)bracketed] = '\0';
	struct addrinfo hints = {
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	if (getaddrinfo(host[0] ? host : NULL, colon + 1, &hints, &found) != 0)
		return false;
	memcpy(ret, found->ai_addr, found->ai_addrlen);
	*ret_len = found->ai_addrlen;
	freeaddrinfo(found);
	return true;
}

static uint16_t *port_of(struct sockaddr_storage *address)
{
	void *any = address;
	if (address->ss_family == AF_INET6)
		return &((struct sockaddr_in6 *)any)->sin6_port;
	return &((struct sockaddr_in *)any)->sin_port;
}

/* Binds and listens; fills in the port if it was 0. -1, with errno, on failure. */
static int listen_on(struct sockaddr_storage *address, socklen_t len)
{
	int one = 1;
	struct sockaddr *any = (struct sockaddr *)(void *)address;
	int fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) != 0 ||
		bind(fd, any, len) != 0 || getsockname(fd, any, &len) != 0 ||
		listen(fd, BACKLOG) != 0) {
		int saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

/* With SO_REUSEPORT a second server would share the port silently: find out whether one is there.
 */
static bool port_is_taken(const struct sockaddr_storage *address, socklen_t len)
{
	struct sockaddr_storage probe = *address;
	if (*port_of(&probe) == 0)
		return false;
	int one = 1;
	SCOPED_FD int fd = socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0)
		return false;
	return bind(fd, (struct sockaddr *)(void *)&probe, len) != 0 && errno == EADDRINUSE;
}

static struct port *port_of_service(struct server *server, const struct service *service)
{
	struct port *port = calloc(1, sizeof(*port));
	if (!port)
		return NULL;
	port->service = service;
	port->next = server->ports;
	server->ports = port;
	return port;
}

/* Whose a port is shows where the memory of its requests is counted. */
static void share_connections(struct server *server)
{
	bool there[BUDGET_POOLS] = {false};
	for (const struct port *port = server->ports; port; port = port->next)
		there[port->service->pool] = true;
	struct descriptors_ports shares = descriptors_ports(server->connections,
		there[BUDGET_OPERATOR], there[BUDGET_APP], there[BUDGET_UNASSIGNED]);
	for (struct port *port = server->ports; port; port = port->next)
		port->limit = port->service->pool == BUDGET_OPERATOR ? shares.operators
			      : port->service->pool == BUDGET_APP    ? shares.app
								     : shares.store;
}

bool server_listen(struct server *server, const char *text, const struct service *service,
	struct tls *tls, uint16_t *ret_port)
{
	struct sockaddr_storage address = {0};
	socklen_t len = 0;
	if (!address_parse(text, &address, &len)) {
		log_error("cannot listen on %s: write it as ADDRESS:PORT", text);
		return false;
	}
	if (port_is_taken(&address, len)) {
		log_error("cannot listen on %s: the port is in use; choose another, or 0 for any",
			text);
		return false;
	}
	struct port *port = port_of_service(server, service);
	if (!port)
		return false;
	for (unsigned i = 0; i < server->loops; i++) {
		struct shard *shard = &server->shards[i];
		struct listener *listener = calloc(1, sizeof(*listener));
		int fd = listener ? listen_on(&address, len) : -1;
		if (fd < 0) {
			log_error("cannot listen on %s: %s", text, strerror(errno));
			free(listener);
			return false;
		}
		*listener = (struct listener){
			.watch.ready = accept_ready,
			.shard = shard,
			.next = shard->listeners,
			.fd = fd,
			.service = service,
			.port = port,
			.tls = tls,
		};
		shard->listeners = listener;
	}
	*ret_port = ntohs(*port_of(&address));
	return true;
}

struct shard *server_shard(struct server *server, unsigned number)
{
	return number < server->loops ? &server->shards[number] : NULL;
}

bool server_start(struct server *server)
{
	share_connections(server);
	for (unsigned i = 0; i < server->loops; i++) {
		struct shard *shard = &server->shards[i];
		for (struct listener *l = shard->listeners; l; l = l->next)
			if (!loop_watch_listener(&shard->loop, l->fd, &l->watch))
				return false;
	}
	for (unsigned i = 0; i < server->loops; i++)
		if (!loop_start(&server->shards[i].loop))
			return false;
	server->started = true;
	return true;
}

/* ---- Stopping ---------------------------------------------------------------------------------
 */

struct shard_task {
	struct task task;
	struct shard *shard;
	const struct service *service; /* NULL: all */
};

static void each_connection(const struct shard_task *own, void (*call)(struct connection *c))
{
	struct connection *c = own->shard->connections.next;
	while (c != &own->shard->connections) {
		struct connection *next = c->next;
		if (is_for(c->listener, own->service))
			call(c);
		c = next;
	}
}

static void stop_shard(struct task *task)
{
	struct shard_task *own = CONTAINER_OF(task, struct shard_task, task);
	close_listeners(own->shard, own->service);
	each_connection(own, connection_stop);
	free(own);
}

static void drop_connections(struct task *task)
{
	struct shard_task *own = CONTAINER_OF(task, struct shard_task, task);
	each_connection(own, connection_abort);
	free(own);
}

static void on_each_shard(
	struct server *server, const struct service *service, void (*run)(struct task *task))
{
	for (unsigned i = 0; i < server->loops; i++) {
		struct shard_task *own = calloc(1, sizeof(*own));
		if (!own)
			continue;
		*own = (struct shard_task){
			.task.run = run, .shard = &server->shards[i], .service = service};
		executor_post(&server->shards[i].loop.executor, &own->task);
	}
}

void server_stop(struct server *server, const struct service *service)
{
	if (server->started)
		on_each_shard(server, service, stop_shard);
}

static uint64_t count_connections(const struct server *server, const struct service *service)
{
	uint64_t count = 0;
	for (unsigned i = 0; i < server->loops; i++)
		for (const struct listener *l = server->shards[i].listeners; l; l = l->next)
			if (is_for(l, service))
				count += atomic_load(&l->connection_count);
	return count;
}

static bool drained(const struct server *server, const struct service *service, int64_t deadline_ms)
{
	const struct timespec pause = {.tv_nsec = DRAIN_POLL_MS * 1000000};
	while (count_connections(server, service) > 0) {
		if (clock_monotonic_ms() >= deadline_ms)
			return false;
		(void)nanosleep(&pause, NULL);
	}
	return true;
}

void server_drain(struct server *server, const struct service *service, int64_t timeout_ms)
{
	if (!server->started || drained(server, service, clock_monotonic_ms() + timeout_ms))
		return;
	on_each_shard(server, service, drop_connections);
	(void)drained(server, service, clock_monotonic_ms() + 1000);
}

void server_free(struct server *server)
{
	if (!server)
		return;
	/* The loops outlive the warmer, whose last requests come back to them. */
	warmer_free(server->warmer);
	for (unsigned i = 0; i < server->loops; i++) {
		if (server->started)
			loop_join(&server->shards[i].loop);
		shard_release(&server->shards[i]);
	}
	while (server->ports) {
		struct port *port = server->ports;
		server->ports = port->next;
		free(port);
	}
	free(server->shards);
	free(server);
}

void server_stats(const struct server *server, struct server_stats *ret)
{
	*ret = (struct server_stats){0};
	for (const struct port *port = server->ports; port; port = port->next)
		ret->turned_away += atomic_load(&port->turned_away);
	for (unsigned i = 0; i < server->loops; i++) {
		const struct shard *shard = &server->shards[i];
		ret->connections += atomic_load(&shard->connection_count);
		ret->requests += atomic_load(&shard->request_count);
		ret->bytes_in += atomic_load(&shard->bytes_in);
		ret->bytes_out += atomic_load(&shard->bytes_out);
	}
}
