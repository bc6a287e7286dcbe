/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/scrub/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "crypto/crc64.h"
#include "store/local/disk/bytes.h"
#include "store/local/disk/files.h"

static const char magic[8] = {'P', 's', 'S', 'c', 'r', 'u', 'b', '1'};
static const char name[] = "scrub";
static const char new_name[] = "scrub.new";

/* ---- Bytes ----------------------------------------------------------------------------------- */

static unsigned char *put(unsigned char *to, uint64_t number)
{
	le64_put(to, number);
	return to + 8;
}

size_t scrub_place_write(const struct scrub_place *place, unsigned char *to)
{
	unsigned char *at = to;
	memcpy(at, magic, sizeof(magic));
	at = put(at + sizeof(magic), place->pass);
	at = put(at, (uint64_t)place->begun_ms);
	at = put(at, (uint64_t)place->ended_ms);
	at = put(at, place->segment);
	at = put(at, place->offset);
	at = put(at, place->end_segment);
	at = put(at, place->end_offset);
	at = put(at, place->done);
	at = put(at, place->total);
	at = put(at, place->count);
	for (size_t i = 0; i < place->count; i++) {
		const struct damaged_place *damaged = &place->damaged[i];
		at = put(at, damaged->in_log);
		at = put(at, damaged->number);
		at = put(at, damaged->offset);
		at = put(at, damaged->pass);
	}
	size_t len = (size_t)(at - to);
	(void)put(at, crc64_update(0, slice_of((const char *)to, len)));
	return len + 8;
}

static uint64_t take(const char **from)
{
	uint64_t number = le64_get(*from);
	*from += 8;
	return number;
}

bool scrub_place_parse(struct slice bytes, struct scrub_place *ret)
{
	if (bytes.len < SCRUB_PLACE_BYTES || bytes.len > SCRUB_PLACE_MAX ||
		memcmp(bytes.ptr, magic, sizeof(magic)) != 0 ||
		le64_get(bytes.ptr + bytes.len - 8) !=
			crc64_update(0, slice_head(bytes, bytes.len - 8)))
		return false;
	const char *at = bytes.ptr + sizeof(magic);
	struct scrub_place place = {.pass = take(&at)};
	place.begun_ms = (int64_t)take(&at);
	place.ended_ms = (int64_t)take(&at);
	place.segment = take(&at);
	place.offset = take(&at);
	place.end_segment = take(&at);
	place.end_offset = take(&at);
	place.done = take(&at);
	place.total = take(&at);
	uint64_t count = take(&at);
	if (count > LIMIT_SCRUB_PLACES ||
		bytes.len != SCRUB_PLACE_BYTES + count * DAMAGED_PLACE_BYTES)
		return false;
	place.count = (size_t)count;
	for (size_t i = 0; i < place.count; i++) {
		struct damaged_place *damaged = &place.damaged[i];
		uint64_t in_log = take(&at);
		if (in_log > 1)
			return false;
		damaged->in_log = in_log == 1;
		damaged->number = take(&at);
		damaged->offset = take(&at);
		damaged->pass = take(&at);
	}
	*ret = place;
	return true;
}

/* ---- The file -------------------------------------------------------------------------------- */

void scrub_place_load(int dir, struct scrub_place *ret)
{
	char bytes[SCRUB_PLACE_MAX + 16];
	size_t got = 0;
	*ret = (struct scrub_place){.pass = 0};
	SCOPED_FD int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || files_read(fd, bytes, sizeof(bytes), 0, &got) != 0 ||
		!scrub_place_parse(slice_of(bytes, got), ret))
		*ret = (struct scrub_place){.pass = 0};
}

int scrub_place_save(int dir, const struct scrub_place *place)
{
	unsigned char bytes[SCRUB_PLACE_MAX];
	struct iovec iov = {.iov_base = bytes, .iov_len = scrub_place_write(place, bytes)};
	SCOPED_FD int fd =
		openat(dir, new_name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return errno;
	int e = files_write(fd, &iov, 1, 0);
	if (e == 0 && renameat(dir, new_name, dir, name) != 0)
		e = errno;
	return e;
}

/* ---- Damage ---------------------------------------------------------------------------------- */

bool scrub_place_knows(struct scrub_place *place, bool in_log, uint64_t number, uint64_t offset)
{
	for (size_t i = 0; i < place->count; i++) {
		struct damaged_place *damaged = &place->damaged[i];
		if (damaged->in_log == in_log && damaged->number == number &&
			damaged->offset == offset) {
			damaged->pass = place->pass;
			return true;
		}
	}
	return false;
}

bool scrub_place_add(struct scrub_place *place, bool in_log, uint64_t number, uint64_t offset)
{
	if (place->count == LIMIT_SCRUB_PLACES)
		return false;
	place->damaged[place->count++] = (struct damaged_place){
		.in_log = in_log, .number = number, .offset = offset, .pass = place->pass};
	return true;
}

void scrub_place_forget(struct scrub_place *place)
{
	size_t kept = 0;
	for (size_t i = 0; i < place->count; i++)
		if (place->damaged[i].pass == place->pass)
			place->damaged[kept++] = place->damaged[i];
	place->count = kept;
}
