/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/wal/segment.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/log.h"
#include "crypto/crc64.h"
#include "crypto/random.h"
#include "store/local/disk/bytes.h"
#include "store/local/disk/files.h"

enum {
	AT_ID = 16,
	AT_FIRST_SEQUENCE = 24,
	AT_SALT = 32,
	AT_PREVIOUS_END = 40,
	AT_FILES_NEXT = 48,
	AT_CRC = 56,
};

static const char magic[16] = "postern segment\n";

struct segments {
	int dir;
	pthread_mutex_t lock;   /* protects the table; a leaf */
	struct segment **table; /* by number, ascending */
	size_t count;
	size_t size;
	uint64_t used; /* segments up to this number had records when they were closed */
	bool damaged;
	bool reads_only;
};

void segment_name(uint64_t id, char *out)
{
	(void)snprintf(out, SEGMENT_NAME_BYTES, "%016" PRIx64 ".seg", id);
}

/* The index of the first segment whose number is at least `id`. Under the lock. */
static size_t position(const struct segments *segments, uint64_t id)
{
	size_t low = 0;
	size_t high = segments->count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (segments->table[middle]->id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool insert(struct segments *segments, struct segment *segment)
{
	(void)pthread_mutex_lock(&segments->lock);
	if (segments->count == segments->size) {
		size_t size = segments->size ? segments->size * 2 : 16;
		struct segment **table = realloc(segments->table, size * sizeof(*table));
		if (!table) {
			(void)pthread_mutex_unlock(&segments->lock);
			return false;
		}
		segments->table = table;
		segments->size = size;
	}
	size_t at = position(segments, segment->id);
	memmove(segments->table + at + 1, segments->table + at,
		(segments->count - at) * sizeof(segments->table[0]));
	segments->table[at] = segment;
	segments->count++;
	(void)pthread_mutex_unlock(&segments->lock);
	return true;
}

void location_write(char *to, const struct location *where)
{
	le64_put(to, where->segment);
	le64_put(to + 8, where->offset);
	le32_put(to + 16, where->length);
	le32_put(to + 20, where->data_offset);
}

void location_read(const char *from, struct location *ret)
{
	ret->segment = le64_get(from);
	ret->offset = le64_get(from + 8);
	ret->length = le32_get(from + 16);
	ret->data_offset = le32_get(from + 20);
}

static struct segment *segment_new(int fd, const struct segment_begin *begin, uint64_t salt)
{
	struct segment *segment = calloc(1, sizeof(*segment));
	if (!segment)
		return NULL;
	segment->id = begin->id;
	segment->first_sequence = begin->first_sequence;
	segment->salt = salt;
	segment->previous_end = begin->previous_end;
	segment->files_next = begin->files_next;
	segment->fd = fd;
	atomic_init(&segment->refs, 1);
	atomic_init(&segment->live, 0);
	return segment;
}

static void write_header(unsigned char *to, const struct segment *segment)
{
	memset(to, 0, SEGMENT_HEADER_BYTES);
	memcpy(to, magic, sizeof(magic));
	le64_put(to + AT_ID, segment->id);
	le64_put(to + AT_FIRST_SEQUENCE, segment->first_sequence);
	le64_put(to + AT_SALT, segment->salt);
	le64_put(to + AT_PREVIOUS_END, segment->previous_end);
	le64_put(to + AT_FILES_NEXT, segment->files_next);
	le64_put(to + AT_CRC, crc64_update(0, slice_of(to, AT_CRC)));
}

enum header {
	HEADER_GOOD,
	HEADER_DAMAGED,
	HEADER_ALONE,      /* damaged, and the file has nothing else */
	HEADER_UNREADABLE, /* the disk failed; logged */
};

static enum header unreadable(const struct segment *segment, int e)
{
	log_error("store: cannot read the header of segment %016" PRIx64 ": %s", segment->id,
		files_text(e));
	return HEADER_UNREADABLE;
}

static bool is_header(const unsigned char *head, uint64_t id)
{
	return memcmp(head, magic, sizeof(magic)) == 0 && le64_get(head + AT_ID) == id &&
	       le64_get(head + AT_CRC) == crc64_update(0, slice_of(head, AT_CRC));
}

/* If it was one bit that was flipped, the checksums of the records can be verified all the same. */
static void mend_header(unsigned char *head, uint64_t id)
{
	size_t bit;
	uint64_t difference = le64_get(head + AT_CRC) ^ crc64_update(0, slice_of(head, AT_CRC));
	if (!crc64_find_flip(difference, AT_CRC, &bit))
		return;
	unsigned char flipped = (unsigned char)(1 << bit % 8);
	head[bit / 8] ^= flipped;
	if (le64_get(head + AT_ID) != id)
		head[bit / 8] ^= flipped;
}

static enum header read_header(struct segment *segment)
{
	unsigned char head[SEGMENT_HEADER_BYTES];
	struct stat st;
	size_t got;
	int e = files_read(segment->fd, head, sizeof(head), 0, &got);
	if (e)
		return unreadable(segment, e);
	if (fstat(segment->fd, &st) != 0)
		return unreadable(segment, errno);
	if (got != sizeof(head))
		return HEADER_ALONE;
	bool is_good = is_header(head, segment->id);
	if (!is_good)
		mend_header(head, segment->id);
	segment->first_sequence = le64_get(head + AT_FIRST_SEQUENCE);
	segment->salt = le64_get(head + AT_SALT);
	segment->previous_end = le64_get(head + AT_PREVIOUS_END);
	segment->files_next = le64_get(head + AT_FILES_NEXT);
	if (is_good)
		return HEADER_GOOD;
	/* The header is on the disk before anything is written, or reserved, behind it. */
	return st.st_size > SEGMENT_HEADER_BYTES ? HEADER_DAMAGED : HEADER_ALONE;
}

uint64_t segment_number(const char *name)
{
	if (strlen(name) != 20 || memcmp(name + 16, ".seg", 5) != 0)
		return 0;
	uint64_t id = 0;
	for (size_t i = 0; i < 16; i++) {
		char c = name[i];
		if (!ascii_digit(c) && !(c >= 'a' && c <= 'f'))
			return 0;
		id = id << 4 | (uint64_t)(ascii_digit(c) ? c - '0' : c - 'a' + 10);
	}
	return id;
}

int segment_open(int dir, uint64_t id, enum segment_header *ret_header, struct segment **ret)
{
	char name[SEGMENT_NAME_BYTES];
	segment_name(id, name);
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	struct segment *segment = segment_new(fd, &(struct segment_begin){.id = id}, 0);
	if (!segment) {
		(void)close(fd);
		return ENOMEM;
	}
	enum header header = read_header(segment);
	*ret_header = header == HEADER_GOOD    ? SEGMENT_GOOD
		      : header == HEADER_ALONE ? SEGMENT_BEGINNING
					       : SEGMENT_DAMAGED;
	*ret = segment;
	return 0;
}

static enum err open_one(struct segments *segments, uint64_t id)
{
	char name[SEGMENT_NAME_BYTES];
	segment_name(id, name);
	int fd =
		openat(segments->dir, name, (segments->reads_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	if (fd < 0) {
		log_error("store: cannot open segment %s: %s", name, files_text(errno));
		return ERR_INTERNAL;
	}
	struct segment *segment = segment_new(fd, &(struct segment_begin){.id = id}, 0);
	if (!segment || !insert(segments, segment)) {
		free(segment);
		(void)close(fd);
		return ERR_UNAVAILABLE;
	}
	return ERR_OK;
}

static enum err open_all(struct segments *segments)
{
	int fd = openat(segments->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (!dir) {
		log_error("store: cannot list the segments: %s", files_text(errno));
		if (fd >= 0)
			(void)close(fd);
		return ERR_INTERNAL;
	}
	enum err e = ERR_OK;
	struct dirent *entry;
	while (e == ERR_OK && (entry = readdir(dir)) != NULL) {
		uint64_t id = segment_number(entry->d_name);
		if (id)
			e = open_one(segments, id);
	}
	(void)closedir(dir);
	return e;
}

static enum err check_header(struct segments *segments, struct segment *segment, bool last)
{
	enum header header = read_header(segment);
	if (header == HEADER_GOOD)
		return ERR_OK;
	if (header == HEADER_UNREADABLE && !segments->reads_only)
		return ERR_INTERNAL;
	if (last && header == HEADER_ALONE && segment->id > segments->used &&
		!segments->reads_only) {
		int e = segment_remove(segments, segment->id);
		return e ? files_err(e) : ERR_OK;
	}
	log_error("store: the header of segment %016" PRIx64 " is damaged", segment->id);
	segment->first_sequence = 0;
	segment->previous_end = 0;
	segment->files_next = 0;
	segments->damaged = true;
	return last && !segments->reads_only ? ERR_INTERNAL : ERR_OK;
}

/* Reads the headers. A damaged one is logged; its records can still be read through the index. */
static enum err check_headers(struct segments *segments)
{
	enum err e = ERR_OK;
	size_t count = segments->count;
	for (size_t i = 0; i < count && e == ERR_OK; i++)
		e = check_header(segments, segments->table[i], i + 1 == count);
	return e;
}

static enum err open_folder(int dir, uint64_t used, bool reads_only, struct segments **ret)
{
	struct segments *segments = calloc(1, sizeof(*segments));
	if (!segments) {
		(void)close(dir);
		return ERR_UNAVAILABLE;
	}
	segments->dir = dir;
	segments->used = used;
	segments->reads_only = reads_only;
	(void)pthread_mutex_init(&segments->lock, NULL);
	enum err e = open_all(segments);
	if (e == ERR_OK)
		e = check_headers(segments);
	if (e != ERR_OK) {
		segments_free(segments);
		return e;
	}
	*ret = segments;
	return ERR_OK;
}

enum err segments_open(int dir, uint64_t used, struct segments **ret)
{
	return open_folder(dir, used, false, ret);
}

enum err segments_open_to_read(int dir, struct segments **ret)
{
	return open_folder(dir, 0, true, ret);
}

bool segments_damaged(const struct segments *segments)
{
	return segments->damaged;
}

void segments_free(struct segments *segments)
{
	if (!segments)
		return;
	for (size_t i = 0; i < segments->count; i++) {
		assert(atomic_load(&segments->table[i]->refs) == 1);
		segment_unpin(segments->table[i]);
	}
	(void)close(segments->dir);
	(void)pthread_mutex_destroy(&segments->lock);
	free(segments->table);
	free(segments);
}

static struct segment *pin_at(struct segments *segments, uint64_t id, bool exactly)
{
	struct segment *found = NULL;
	(void)pthread_mutex_lock(&segments->lock);
	size_t at = position(segments, id);
	if (at < segments->count && (!exactly || segments->table[at]->id == id)) {
		found = segments->table[at];
		(void)atomic_fetch_add(&found->refs, 1);
	}
	(void)pthread_mutex_unlock(&segments->lock);
	return found;
}

struct segment *segment_pin(struct segments *segments, uint64_t id)
{
	return pin_at(segments, id, true);
}

struct segment *segment_pin_from(struct segments *segments, uint64_t id)
{
	return pin_at(segments, id, false);
}

void segment_unpin(struct segment *segment)
{
	if (!segment || atomic_fetch_sub(&segment->refs, 1) != 1)
		return;
	(void)close(segment->fd);
	free(segment);
}

/* Writes the header of a new file durably. */
static int begin_file(int dir, const struct segment *segment)
{
	unsigned char head[SEGMENT_HEADER_BYTES];
	write_header(head, segment);
	struct iovec iov = {.iov_base = head, .iov_len = sizeof(head)};
	int e = files_write(segment->fd, &iov, 1, 0);
	if (e)
		return e;
	if (fsync(segment->fd) != 0)
		return errno;
	return files_sync_dir(dir);
}

/* A file with that name is left of an attempt that failed: it is in no table, and has no record. */
static int open_new(int dir, const char *name)
{
	int flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC;
	int fd = openat(dir, name, flags, 0600);
	if (fd >= 0 || errno != EEXIST || unlinkat(dir, name, 0) != 0)
		return fd;
	return openat(dir, name, flags, 0600);
}

int segment_create(
	struct segments *segments, const struct segment_begin *begin, struct segment **ret)
{
	char name[SEGMENT_NAME_BYTES];
	segment_name(begin->id, name);
	int fd = open_new(segments->dir, name);
	if (fd < 0)
		return errno;
	uint64_t salt;
	random_bytes(&salt, sizeof(salt));
	struct segment *segment = segment_new(fd, begin, salt);
	int e = segment ? begin_file(segments->dir, segment) : ENOMEM;
	if (e == 0 && !insert(segments, segment))
		e = ENOMEM;
	if (e) {
		(void)unlinkat(segments->dir, name, 0);
		(void)close(fd);
		free(segment);
		return e;
	}
	(void)atomic_fetch_add(&segment->refs, 1);
	*ret = segment;
	return 0;
}

uint64_t segment_end(struct segments *segments, uint64_t id)
{
	/* That of another speaks of another. */
	struct segment *next = segment_pin(segments, id + 1);
	uint64_t end = next && next->previous_end ? next->previous_end : UINT64_MAX;
	segment_unpin(next);
	return end;
}

bool segment_exists(struct segments *segments, uint64_t id)
{
	struct segment *segment = segment_pin(segments, id);
	segment_unpin(segment);
	return segment != NULL;
}

bool segments_whole(struct segments *segments)
{
	bool whole = true;
	(void)pthread_mutex_lock(&segments->lock);
	for (size_t i = 0; i < segments->count && whole; i++)
		whole = segments->table[i]->id == i + 1;
	(void)pthread_mutex_unlock(&segments->lock);
	return whole;
}

bool segments_overlap(struct segments *segments, uint64_t from, uint64_t to, uint64_t except)
{
	bool found = false;
	(void)pthread_mutex_lock(&segments->lock);
	for (size_t i = 0; i < segments->count && !found; i++) {
		const struct segment *segment = segments->table[i];
		bool ends_before = i + 1 < segments->count &&
				   segments->table[i + 1]->first_sequence <= from &&
				   segments->table[i + 1]->first_sequence > 0;
		found = segment->id != except && segment->first_sequence <= to && !ends_before;
	}
	(void)pthread_mutex_unlock(&segments->lock);
	return found;
}

int segment_cut_before(struct segments *segments, const struct segment *segment)
{
	int e = 0;
	struct stat st;
	if (segment->previous_end == 0)
		return 0;
	struct segment *before = segment_pin(segments, segment->id - 1);
	if (!before)
		return 0;
	if (fstat(before->fd, &st) != 0)
		e = errno;
	else if ((uint64_t)st.st_size > segment->previous_end &&
		 ftruncate(before->fd, (off_t)segment->previous_end) != 0)
		e = errno;
	else if (fsync(before->fd) != 0)
		e = errno;
	segment_unpin(before);
	return e;
}

/* Out of the table; pins stay. */
static void forget(struct segments *segments, uint64_t id)
{
	struct segment *segment = NULL;
	(void)pthread_mutex_lock(&segments->lock);
	size_t at = position(segments, id);
	if (at < segments->count && segments->table[at]->id == id) {
		segment = segments->table[at];
		segments->count--;
		memmove(segments->table + at, segments->table + at + 1,
			(segments->count - at) * sizeof(segments->table[0]));
	}
	(void)pthread_mutex_unlock(&segments->lock);
	segment_unpin(segment);
}

int segment_discard(struct segments *segments, uint64_t id)
{
	char name[SEGMENT_NAME_BYTES];
	segment_name(id, name);
	forget(segments, id);
	return unlinkat(segments->dir, name, 0) == 0 || errno == ENOENT ? 0 : errno;
}

int segment_remove(struct segments *segments, uint64_t id)
{
	char name[SEGMENT_NAME_BYTES];
	segment_name(id, name);
	if (unlinkat(segments->dir, name, 0) != 0 && errno != ENOENT)
		return errno;
	forget(segments, id);
	return files_sync_dir(segments->dir);
}

uint64_t segments_disk_bytes(struct segments *segments)
{
	uint64_t sum = 0;
	struct stat st;
	(void)pthread_mutex_lock(&segments->lock);
	for (size_t i = 0; i < segments->count; i++)
		if (fstat(segments->table[i]->fd, &st) == 0)
			sum += (uint64_t)st.st_blocks * 512;
	(void)pthread_mutex_unlock(&segments->lock);
	return sum;
}

uint64_t segment_size(const struct segment *segment)
{
	struct stat st;
	return fstat(segment->fd, &st) == 0 ? (uint64_t)st.st_size : 0;
}
