/* SPDX-License-Identifier: Apache-2.0 */
#include "app/checks/clamd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define ANSWER_BYTES_MAX 1024
/* How soon a stop is noticed. */
#define LOOK_MS 200

/* ---- The address ------------------------------------------------------------------------------
 */

static bool parse_unix(struct slice path, struct clamd_address *ret)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	if (!slice_starts(path, S("/")) || path.len >= sizeof(name.sun_path))
		return false;
	memcpy(name.sun_path, path.ptr, path.len);
	memcpy(&ret->socket, &name, sizeof(name));
	ret->length = sizeof(name);
	return true;
}

static bool parse_host(struct slice host, uint16_t port, struct clamd_address *ret)
{
	char text[INET6_ADDRSTRLEN];
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	bool is_v6 = host.len >= 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']';
	if (is_v6)
		host = slice_of(host.ptr + 1, host.len - 2);
	if (host.len >= sizeof(text))
		return false;
	(void)snprintf(text, sizeof(text), "%.*s", SLICE_FMT(host));
	if (is_v6 && inet_pton(AF_INET6, text, &v6.sin6_addr) == 1) {
		memcpy(&ret->socket, &v6, sizeof(v6));
		ret->length = sizeof(v6);
		return true;
	}
	if (is_v6 || inet_pton(AF_INET, text, &v4.sin_addr) != 1)
		return false;
	memcpy(&ret->socket, &v4, sizeof(v4));
	ret->length = sizeof(v4);
	return true;
}

static bool parse_tcp(struct slice text, struct clamd_address *ret)
{
	uint64_t port = 0;
	size_t colon = text.len;
	while (colon > 0 && text.ptr[colon - 1] != ':')
		colon--;
	return colon > 1 && slice_to_u64(slice_from(text, colon), &port) && port > 0 &&
	       port <= UINT16_MAX && parse_host(slice_head(text, colon - 1), (uint16_t)port, ret);
}

bool clamd_address_parse(struct slice text, struct clamd_address *ret)
{
	*ret = (struct clamd_address){.length = 0};
	if (slice_starts(text, S("unix:")))
		return parse_unix(slice_from(text, S("unix:").len), ret);
	return slice_starts(text, S("tcp:")) && parse_tcp(slice_from(text, S("tcp:").len), ret);
}

/* ---- The answer -------------------------------------------------------------------------------
 */

enum clamd_verdict clamd_answer_parse(struct slice answer, struct slice *ret_name)
{
	struct slice text = slice_trim(slice_head(answer, slice_find(answer, '\0')));
	*ret_name = S("");
	if (!slice_starts(text, S("stream: ")))
		return CLAMD_UNKNOWN;
	text = slice_from(text, S("stream: ").len);
	if (slice_eq(text, S("OK")))
		return CLAMD_CLEAN;
	if (!slice_ends(text, S(" FOUND")))
		return CLAMD_UNKNOWN;
	*ret_name = slice_head(text, text.len - S(" FOUND").len);
	return CLAMD_FOUND;
}

/* ---- The connection ---------------------------------------------------------------------------
 */

void clamd_give_up(struct clamd *clamd)
{
	if (clamd->fd >= 0)
		(void)close(clamd->fd);
	clamd->fd = -1;
}

/* False when the time is over, or it is to stop. */
static bool wait_for(const struct clamd *clamd, short events)
{
	while (!atomic_load(clamd->stopping)) {
		int64_t left = clamd->deadline_ms - clock_monotonic_ms();
		struct pollfd entry = {.fd = clamd->fd, .events = events};
		if (left <= 0)
			return false;
		int ready = poll(&entry, 1, (int)(left < LOOK_MS ? left : LOOK_MS));
		if (ready > 0)
			return true;
		if (ready < 0 && errno != EINTR)
			return false;
	}
	return false;
}

static bool send_all(struct clamd *clamd, const void *bytes, size_t len)
{
	const char *at = bytes;
	while (len > 0) {
		ssize_t sent = send(clamd->fd, at, len, MSG_NOSIGNAL);
		if (sent > 0) {
			at += sent;
			len -= (size_t)sent;
		} else if (sent < 0 && errno == EAGAIN) {
			if (!wait_for(clamd, POLLOUT))
				return false;
		} else if (sent == 0 || errno != EINTR) {
			return false;
		}
	}
	return true;
}

static bool connected(struct clamd *clamd, const struct clamd_address *address)
{
	int fault = 0;
	socklen_t size = sizeof(fault);
	if (connect(clamd->fd, (const struct sockaddr *)&address->socket, address->length) == 0)
		return true;
	/* EAGAIN is a Unix socket whose queue is full. */
	return errno == EINPROGRESS && wait_for(clamd, POLLOUT) &&
	       getsockopt(clamd->fd, SOL_SOCKET, SO_ERROR, &fault, &size) == 0 && fault == 0;
}

/* Sends a command with the NUL that ends it; errno says why not. */
static bool begin(struct clamd *clamd, const struct clamd_address *address, const char *command)
{
	clamd->name[0] = '\0';
	clamd->fd =
		socket(address->socket.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (clamd->fd >= 0 && connected(clamd, address) &&
		send_all(clamd, command, strlen(command) + 1))
		return true;
	int fault = errno;
	clamd_give_up(clamd);
	errno = fault;
	return false;
}

bool clamd_begin(struct clamd *clamd, const struct clamd_address *address)
{
	bool ok = begin(clamd, address, "zINSTREAM");
	if (!ok)
		log_error("clamd cannot be reached: %s", strerror(errno));
	return ok;
}

bool clamd_send(struct clamd *clamd, struct slice bytes)
{
	uint32_t len = htonl((uint32_t)bytes.len);
	return bytes.len == 0 ||
	       (send_all(clamd, &len, sizeof(len)) && send_all(clamd, bytes.ptr, bytes.len));
}

/* Until the NUL, or the end. */
static size_t receive(struct clamd *clamd, char *answer, size_t size)
{
	size_t len = 0;
	while (len < size && !memchr(answer, '\0', len)) {
		ssize_t got = recv(clamd->fd, answer + len, size - len, 0);
		if (got > 0)
			len += (size_t)got;
		else if (got == 0 || (errno != EAGAIN && errno != EINTR))
			break;
		else if (errno == EAGAIN && !wait_for(clamd, POLLIN))
			break;
	}
	return len;
}

enum clamd_verdict clamd_end(struct clamd *clamd)
{
	static const char end[4];
	char answer[ANSWER_BYTES_MAX], quoted[200];
	struct slice name;
	if (clamd->fd < 0)
		return CLAMD_UNKNOWN;
	/* Where it wants no more, it may have said why. */
	(void)send_all(clamd, end, sizeof(end));
	struct slice text = slice_of(answer, receive(clamd, answer, sizeof(answer)));
	enum clamd_verdict verdict = clamd_answer_parse(text, &name);
	(void)snprintf(clamd->name, sizeof(clamd->name), "%.*s", SLICE_FMT(name));
	if (verdict == CLAMD_UNKNOWN)
		log_error("clamd did not judge: %s", log_quoted(text, quoted, sizeof(quoted)));
	clamd_give_up(clamd);
	return verdict;
}

bool clamd_version(struct clamd *clamd, const struct clamd_address *address, char *ret, size_t size)
{
	char answer[ANSWER_BYTES_MAX];
	if (!begin(clamd, address, "zVERSION")) {
		(void)snprintf(ret, size, "%s", strerror(errno));
		return false;
	}
	struct slice text = slice_of(answer, receive(clamd, answer, sizeof(answer)));
	clamd_give_up(clamd);
	text = slice_trim(slice_head(text, slice_find(text, '\0')));
	bool ok = slice_starts(text, S("ClamAV "));
	/* It is shown. */
	char quoted[128];
	(void)log_quoted(text, quoted, sizeof(quoted));
	(void)snprintf(ret, size, "%s",
		ok             ? quoted
		: text.len > 0 ? "what answers there is no clamd"
			       : "it did not answer in time");
	return ok;
}
