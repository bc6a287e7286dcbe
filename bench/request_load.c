/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends requests that were made before (app_requests), as fast as a server takes them (load.h):
 *
 *	request_load PORT FILE CONNECTIONS SECONDS [REQUESTS [FIRST]]
 *
 * FILE has the requests one after the other, each behind its length, decimal, and a line feed. They
 * are sent in their order from number FIRST (0) on, from the beginning again after the last.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "load.h"

struct requests {
	struct slice *list;
	size_t count, first;
};

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static struct slice map(const char *name)
{
	struct stat about;
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &about) != 0)
		fail(name);
	void *at = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (at == MAP_FAILED)
		fail(name);
	(void)close(fd);
	return slice_of(at, (size_t)about.st_size);
}

static void read_requests(struct slice file, struct requests *ret)
{
	struct slice number;
	size_t room = 0;
	uint64_t len;
	while (slice_cut(&file, '\n', &number)) {
		if (!slice_to_u64(number, &len) || len > file.len) {
			errno = EINVAL;
			fail("request_load");
		}
		if (ret->count == room) {
			room = room ? 2 * room : 1024;
			ret->list = realloc(ret->list, room * sizeof(*ret->list));
			if (!ret->list)
				fail("request_load");
		}
		ret->list[ret->count++] = slice_head(file, (size_t)len);
		file = slice_from(file, (size_t)len);
	}
}

static void compose(void *ctx, uint64_t number, struct strbuf *out)
{
	const struct requests *requests = ctx;
	strbuf_add_slice(out, requests->list[(requests->first + number - 1) % requests->count]);
}

int main(int argc, char **argv)
{
	struct requests requests = {.first = (size_t)load_argument(argc, argv, 6, 0)};
	if (argc < 5) {
		fprintf(stderr,
			"usage: request_load PORT FILE CONNECTIONS SECONDS [REQUESTS [FIRST]]\n");
		return 2;
	}
	read_requests(map(argv[2]), &requests);
	const struct load load = {
		.program = "request_load",
		.port = (uint16_t)load_argument(argc, argv, 1, 0),
		.connections = (size_t)load_argument(argc, argv, 3, 1),
		.seconds = (int64_t)load_argument(argc, argv, 4, 1),
		.count = load_argument(argc, argv, 5, UINT64_MAX),
		.compose = compose,
		.ctx = &requests,
	};
	if (requests.count == 0) {
		fprintf(stderr, "request_load: there are no requests\n");
		return 1;
	}
	load_run(&load);
	return 0;
}
