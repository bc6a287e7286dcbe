/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/data/file_reader.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "tap.h"
#include "waiting.h"

enum {
	REQUESTS = 50, /* more than there are buffers */
	PIECE = 1000,
};

struct asked {
	struct read_request read;
	struct file_reader *reader;
	unsigned number;
	bool right;
	bool *last;
};

static unsigned came_back;

static void done(struct task *task)
{
	struct read_request *read = CONTAINER_OF(task, struct read_request, done);
	struct asked *asked = CONTAINER_OF(read, struct asked, read);
	asked->right = read->error == 0 && read->bytes.len == PIECE && came_back == asked->number;
	for (size_t i = 0; i < read->bytes.len; i++)
		asked->right = asked->right && read->bytes.ptr[i] == (char)('0' + asked->number);
	file_reader_give_back(asked->reader, read);
	*asked->last = ++came_back == REQUESTS;
}

/* A file of which each PIECE is full of a byte of its own; it has no name. */
static int make_file(void)
{
	char path[] = "/tmp/postern-reader-XXXXXX";
	char piece[PIECE];
	int fd = mkstemp(path);
	(void)unlink(path);
	for (int i = 0; i < REQUESTS; i++) {
		memset(piece, '0' + i, sizeof(piece));
		if (pwrite(fd, piece, sizeof(piece), (off_t)i * PIECE) != PIECE)
			return -1;
	}
	return fd;
}

static void in_turn(struct file_reader *reader, struct waiting *home, int fd)
{
	static struct asked asked[REQUESTS];
	bool last = false;
	bool all = true;
	for (unsigned i = 0; i < REQUESTS; i++) {
		asked[i] = (struct asked){
			.read = {.done.run = done,
				.home = &home->executor,
				.fd = fd,
				.offset = (uint64_t)i * PIECE,
				.size = PIECE},
			.reader = reader,
			.number = i,
			.last = &last,
		};
		file_reader_request(reader, &asked[i].read);
	}
	waiting_until(home, &last);
	for (unsigned i = 0; i < REQUESTS; i++)
		all = all && asked[i].right;
	OK(all, "all are served in turn, each with its own bytes");
}

struct single {
	struct read_request read;
	bool back;
};

static void is_back(struct task *task)
{
	struct read_request *read = CONTAINER_OF(task, struct read_request, done);
	CONTAINER_OF(read, struct single, read)->back = true;
}

static void faults(struct file_reader *reader, struct waiting *home, int fd)
{
	const struct {
		int fd;
		uint64_t offset;
		int want;
	} rows[] = {
		{fd, (uint64_t)REQUESTS * PIECE - PIECE / 2, ENODATA},
		{-1, 0, EBADF},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct single f = {.read = {.done.run = is_back,
					   .home = &home->executor,
					   .fd = rows[i].fd,
					   .offset = rows[i].offset,
					   .size = PIECE}};
		file_reader_request(reader, &f.read);
		waiting_until(home, &f.back);
		OK(f.read.error == rows[i].want && f.read.bytes.len == 0, "no bytes but errno %d",
			rows[i].want);
		file_reader_give_back(reader, &f.read);
	}
}

/* What is in memory takes no buffer: all of them come back though none is given back. */
static void from_memory(struct file_reader *reader, struct waiting *home)
{
	static const char bytes[] = "0123456789";
	struct single f[10] = {{.back = false}};
	bool ok = true;
	for (size_t i = 0; i < ARRAY_LEN(f); i++) {
		f[i].read = (struct read_request){.done.run = is_back,
			.home = &home->executor,
			.memory = bytes,
			.offset = i,
			.size = 1};
		file_reader_request(reader, &f[i].read);
	}
	for (size_t i = 0; i < ARRAY_LEN(f); i++) {
		waiting_until(home, &f[i].back);
		ok = f[i].read.error == 0 && f[i].read.bytes.ptr == bytes + i &&
		     f[i].read.bytes.len == 1 && ok;
	}
	for (size_t i = 0; i < ARRAY_LEN(f); i++)
		file_reader_give_back(reader, &f[i].read);
	OK(ok, "bytes in memory are handed out as they are");
}

int main(void)
{
	struct waiting home;
	struct file_reader *reader = file_reader_new();
	int fd = make_file();
	waiting_init(&home);
	OK(reader && fd >= 0, "a reader and a file");
	in_turn(reader, &home, fd);
	faults(reader, &home, fd);
	from_memory(reader, &home);
	came_back = 0;
	in_turn(reader, &home, fd);
	(void)close(fd);
	file_reader_free(reader);
	file_reader_free(NULL);
	return tap_done();
}
