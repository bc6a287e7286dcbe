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
#include "net/descriptors.h"
#include "net/server_internal.h"

enum {
	ACCEPTS_PER_TURN = 64,
	BACKLOG = 1024,
	DRAIN_POLL_MS = 10,
	COMPLAINT_PAUSE_MS = 10000,
};

struct server {
	unsigned loops;
	bool started;
	struct prefetcher *prefetcher;
	struct net_thread *net_threads;
	uint64_t connections;
	struct port *ports;
};

/* ---- Accepting --------------------------------------------------------------------------------
 */

/* Other threads may have all of the port's places: each has one more, so that all can answer. */
static bool has_none(const struct listener *listener)
{
	return atomic_load_explicit(&listener->connection_count, memory_order_relaxed) == 0;
}

static bool room_for_more(struct listener *listener)
{
	const struct port *port = listener->port;
	return atomic_load_explicit(&port->connections, memory_order_relaxed) < port->limit ||
	       connection_drop_idle(listener) || has_none(listener);
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
	struct net_thread *net_thread = listener->net_thread;
	if (net_thread->loop.now_ms - net_thread->complained_ms >= COMPLAINT_PAUSE_MS) {
		net_thread->complained_ms = net_thread->loop.now_ms;
		log_error("no file descriptors for a connection; raise `ulimit -n`");
	}
	if (net_thread->spare_fd >= 0)
		close(net_thread->spare_fd);
	atomic_fetch_add_explicit(&listener->port->turned_away, 1, memory_order_relaxed);
	int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		close(fd);
	net_thread->spare_fd = open_spare();
	if (net_thread->spare_fd < 0 && connection_drop_idle(listener))
		net_thread->spare_fd = open_spare();
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

/* Connections point at their listener: it stays until the net thread is freed. */
static void close_listeners(struct net_thread *net_thread, const struct service *service)
{
	for (struct listener *l = net_thread->listeners; l; l = l->next) {
		if (l->fd < 0 || !is_for(l, service))
			continue;
		close(l->fd);
		l->fd = -1;
	}
}

/* ---- Making it --------------------------------------------------------------------------------
 */

static bool net_thread_init(struct net_thread *net_thread)
{
	net_thread->spare_fd = open_spare();
	net_thread->complained_ms = -COMPLAINT_PAUSE_MS;
	net_thread->checked = checked_new();
	if (!net_thread->checked || !loop_init(&net_thread->loop)) {
		checked_free(TAKE(net_thread->checked));
		return false;
	}
	net_thread->body_rate = (struct rate_rule){LIMIT_BODY_RATE_BYTES_PER_S, LIMIT_BODY_RATE_MS};
	net_thread->answer_rate =
		(struct rate_rule){LIMIT_ANSWER_RATE_BYTES_PER_S, LIMIT_ANSWER_RATE_MS};
	net_thread->patience_ms = LIMIT_MEMORY_PATIENCE_MS;
	net_thread->make_room.run = make_room_asked;
	net_thread->loop.timer_due = connection_timer_due;
	net_thread->loop.turn_end = batch_end;
	batch_init(&net_thread->batch);
	net_thread->connections.prev = &net_thread->connections;
	net_thread->connections.next = &net_thread->connections;
	return true;
}

static void net_thread_release(struct net_thread *net_thread)
{
	close_listeners(net_thread, NULL);
	if (net_thread->spare_fd >= 0)
		close(net_thread->spare_fd);
	while (net_thread->listeners) {
		struct listener *next = net_thread->listeners->next;
		free(net_thread->listeners);
		net_thread->listeners = next;
	}
	while (net_thread->free_exchanges) {
		struct exchange *next = net_thread->free_exchanges->next_free;
		strbuf_release(&net_thread->free_exchanges->lines);
		strbuf_release(&net_thread->free_exchanges->note);
		free(net_thread->free_exchanges);
		net_thread->free_exchanges = next;
	}
	checked_free(net_thread->checked);
	batch_release(&net_thread->batch);
	loop_release(&net_thread->loop);
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
	server->net_threads = calloc(wanted, sizeof(*server->net_threads));
	if (!server->net_threads) {
		server_free(server);
		return NULL;
	}
	for (; server->loops < wanted; server->loops++) {
		if (!net_thread_init(&server->net_threads[server->loops])) {
			net_thread_release(&server->net_threads[server->loops]);
			server_free(server);
			return NULL;
		}
	}
	for (unsigned i = 0; i < wanted; i++)
		server->net_threads[i].next = &server->net_threads[(i + 1) % wanted];
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
		there[BUDGET_CONSOLE], there[BUDGET_APP], there[BUDGET_UNASSIGNED]);
	for (struct port *port = server->ports; port; port = port->next)
		port->limit = port->service->pool == BUDGET_CONSOLE ? shares.operators
			      : port->service->pool == BUDGET_APP   ? shares.app
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
		struct net_thread *net_thread = &server->net_threads[i];
		struct listener *listener = calloc(1, sizeof(*listener));
		int fd = listener ? listen_on(&address, len) : -1;
		if (fd < 0) {
			log_error("cannot listen on %s: %s", text, strerror(errno));
			free(listener);
			return false;
		}
		*listener = (struct listener){
			.watch.ready = accept_ready,
			.net_thread = net_thread,
			.next = net_thread->listeners,
			.fd = fd,
			.service = service,
			.port = port,
			.tls = tls,
		};
		net_thread->listeners = listener;
	}
	*ret_port = ntohs(*port_of(&address));
	return true;
}

struct net_thread *server_net_thread(struct server *server, unsigned number)
{
	return number < server->loops ? &server->net_threads[number] : NULL;
}

bool server_start(struct server *server)
{
	share_connections(server);
	server->prefetcher = prefetcher_new();
	if (!server->prefetcher)
		return false;
	for (unsigned i = 0; i < server->loops; i++) {
		struct net_thread *net_thread = &server->net_threads[i];
		net_thread->prefetcher = server->prefetcher;
		for (struct listener *l = net_thread->listeners; l; l = l->next)
			if (!loop_watch_listener(&net_thread->loop, l->fd, &l->watch))
				return false;
	}
	for (unsigned i = 0; i < server->loops; i++)
		if (!loop_start(&server->net_threads[i].loop))
			return false;
	server->started = true;
	return true;
}

/* ---- Stopping ---------------------------------------------------------------------------------
 */

struct net_thread_task {
	struct task task;
	struct net_thread *net_thread;
	const struct service *service; /* NULL: all */
};

static void each_connection(const struct net_thread_task *own, void (*call)(struct connection *c))
{
	struct connection *c = own->net_thread->connections.next;
	while (c != &own->net_thread->connections) {
		struct connection *next = c->next;
		if (is_for(c->listener, own->service))
			call(c);
		c = next;
	}
}

static void on_stop_net_thread(struct task *task)
{
	struct net_thread_task *own = CONTAINER_OF(task, struct net_thread_task, task);
	close_listeners(own->net_thread, own->service);
	each_connection(own, connection_stop);
	free(own);
}

static void drop_connections(struct task *task)
{
	struct net_thread_task *own = CONTAINER_OF(task, struct net_thread_task, task);
	each_connection(own, connection_abort);
	free(own);
}

static void on_each_net_thread(
	struct server *server, const struct service *service, void (*run)(struct task *task))
{
	for (unsigned i = 0; i < server->loops; i++) {
		struct net_thread_task *own = calloc(1, sizeof(*own));
		if (!own)
			continue;
		*own = (struct net_thread_task){
			.task.run = run, .net_thread = &server->net_threads[i], .service = service};
		executor_post(&server->net_threads[i].loop.executor, &own->task);
	}
}

void server_stop(struct server *server, const struct service *service)
{
	if (server->started)
		on_each_net_thread(server, service, on_stop_net_thread);
}

static uint64_t count_connections(const struct server *server, const struct service *service)
{
	uint64_t count = 0;
	for (unsigned i = 0; i < server->loops; i++)
		for (const struct listener *l = server->net_threads[i].listeners; l; l = l->next)
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
	on_each_net_thread(server, service, drop_connections);
	(void)drained(server, service, clock_monotonic_ms() + 1000);
}

void server_free(struct server *server)
{
	if (!server)
		return;
	/* The loops outlive the prefetcher, whose last requests come back to them. */
	prefetcher_free(server->prefetcher);
	for (unsigned i = 0; i < server->loops; i++) {
		if (server->started)
			loop_join(&server->net_threads[i].loop);
		net_thread_release(&server->net_threads[i]);
	}
	while (server->ports) {
		struct port *port = server->ports;
		server->ports = port->next;
		free(port);
	}
	free(server->net_threads);
	free(server);
}

bool server_latency(const struct server *server, const char *service, struct histogram_sum *ret)
{
	bool found = false;
	*ret = (struct histogram_sum){.micros = 0};
	for (unsigned i = 0; i < server->loops; i++)
		for (const struct listener *l = server->net_threads[i].listeners; l; l = l->next)
			if (strcmp(l->service->name, service) == 0) {
				histogram_sum(&l->latency, ret);
				found = true;
			}
	return found;
}

void server_stats(const struct server *server, struct server_stats *ret)
{
	*ret = (struct server_stats){0};
	for (const struct port *port = server->ports; port; port = port->next)
		ret->turned_away += atomic_load(&port->turned_away);
	for (unsigned i = 0; i < server->loops; i++) {
		const struct net_thread *net_thread = &server->net_threads[i];
		ret->connections += atomic_load(&net_thread->connection_count);
		ret->requests += atomic_load(&net_thread->request_count);
		ret->made_room += atomic_load(&net_thread->made_room);
		ret->bytes_in += atomic_load(&net_thread->bytes_in);
		ret->bytes_out += atomic_load(&net_thread->bytes_out);
	}
}
