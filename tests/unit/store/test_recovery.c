/* SPDX-License-Identifier: Apache-2.0 */
/* What is on the disk after a crash, and after faults of the disk. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "base/limits.h"
#include "store/local/disk/bytes.h"
#include "store/local/large/sums.h"
#include "store/local/local.h"
#include "store/local/wal/record.h"
#include "store/local/wal/segment.h"
#include "tap.h"
#include "unit/store/blocking.h"
#include "unit/store/folder.h"

/* ---- A disk that fails when told to: these take the place of the C library's ------------------
 */

static atomic_int sync_errno;
static atomic_int write_errno;

int fdatasync(int fd)
{
	int e = sync_errno;
	if (e) {
		errno = e;
		return -1;
	}
	return (int)syscall(SYS_fdatasync, fd);
}

ssize_t pwritev(int fd, const struct iovec *iov, int count, off_t offset)
{
	int e = write_errno;
	if (!e)
		return syscall(SYS_pwritev, fd, iov, count, offset, 0);
	/* Half of it arrives, as on a disk that runs full. */
	struct iovec half = *iov;
	half.iov_len /= 2;
	(void)syscall(SYS_pwritev, fd, &half, 1, offset, 0);
	errno = e;
	return -1;
}

/* ---- Helpers --------------------------------------------------------------------------------- */

static struct local_options options_for(const char *path)
{
	return (struct local_options){.path = path,
		.clock = &clock_system,
		.segment_bytes = MIB(4),
		.gc_interval_ms = 3600000};
}

static struct store *open_at(const char *path)
{
	struct local_options options = options_for(path);
	struct store *s;
	if (local_store_open(&options, &s) != ERR_OK) {
		OK(false, "the store opens");
		exit(1);
	}
	return s;
}

static bool put_text(struct store *s, uint64_t id, const char *key, const char *text)
{
	return put_object(s, id, slice_str(key), slice_str(text), NULL) == ERR_OK;
}

static bool is_text(struct store *s, uint64_t id, const char *key, const char *text)
{
	return object_is(s, id, slice_str(key), slice_str(text));
}

/* ---- The end of the log ---------------------------------------------------------------------- */

enum damage {
	CUT,     /* the file ends there */
	ZEROED,  /* zeros from there on */
	FLIPPED, /* a wrong byte: some of its bits */
	ONE_BIT,
};

static void damage_file(const char *path, off_t at, off_t end, enum damage damage)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	unsigned char byte = 0;
	bool ok = fd >= 0;
	if (damage == FLIPPED || damage == ONE_BIT) {
		/* The copy has lost the zeros behind. */
		ok = ok && ftruncate(fd, end + 4096) == 0;
		ok = ok && pread(fd, &byte, 1, at) == 1;
		byte ^= damage == ONE_BIT ? 0x40 : 0x55;
		ok = ok && pwrite(fd, &byte, 1, at) == 1;
	} else {
		ok = ok && ftruncate(fd, at) == 0;
		ok = ok && (damage == CUT || ftruncate(fd, end + 4096) == 0);
	}
	if (!ok || close(fd) != 0)
		abort();
}

/*
 * A crash in the middle of a store with objects a, b and c, each a commit of its own: a copy of the
 * folder while it is open, at rest. *ret_ends are the ends of the records of a, b, c.
 */
static void make_image(const char *image, off_t ret_ends[3])
{
	char path[FOLDER_PATH_MAX];
	folder_make(path);
	struct store *s = open_at(path);
	bool ok = bucket_create(s, S("bucket"), STORE_ACL_PRIVATE) == ERR_OK;
	uint64_t id = bucket_id(s, S("bucket"));
	ok = put_text(s, id, "a", "the first") && put_text(s, id, "b", "the second") &&
	     put_text(s, id, "c", "the third") && ok;
	struct store_get get;
	for (int i = 0; i < 3; i++) {
		char key[] = {(char)('a' + i)};
		ok = get_begin(s, id, slice_of(key, 1), false, &get) == ERR_OK && ok;
		size_t end = (size_t)(get.blob.offset + get.blob.size);
		ret_ends[i] = (off_t)((end + RECORD_ALIGN - 1) / RECORD_ALIGN * RECORD_ALIGN);
		store_get_release(s, &get);
	}
	OK(ok, "a store with three objects");
	folder_copy(path, image);
	store_close(s);
	folder_remove(path);
}

/* b is there, but its bytes are damaged. */
enum {
	B_DAMAGED = 0x10,
};

/*
 * Opens a copy of the image with damage done. Returns which of a, b, c are there, as bits, and
 * which are but cannot be read, as bits from 8 on; or -1.
 */
static int after_damage(const char *image, off_t at, off_t end, enum damage damage)
{
	static const char *const texts[] = {"the first", "the second", "the third"};
	char path[FOLDER_PATH_MAX];
	char segment[2 * FOLDER_PATH_MAX];
	folder_make(path);
	folder_remove(path);
	folder_copy(image, path);
	(void)snprintf(segment, sizeof(segment), "%s/segments/0000000000000001.seg", path);
	damage_file(segment, at, end, damage);
	struct store *s = open_at(path);
	uint64_t id = bucket_id(s, S("bucket"));
	int there = 0;
	for (int i = 0; i < 3; i++) {
		char key[] = {(char)('a' + i), 0};
		if (is_text(s, id, key, texts[i]))
			there |= 1 << i;
		else if (head_object(s, id, slice_str(key)) != ERR_NO_SUCH_KEY)
			there |= 8 << i;
	}
	/* It must be possible to go on, and to come back to that. */
	bool ok = put_text(s, id, "d", "more");
	store_close(s);
	s = open_at(path);
	ok = ok && is_text(s, id, "d", "more") &&
	     is_text(s, id, "a", texts[0]) == ((there & 1) != 0);
	store_close(s);
	folder_remove(path);
	return ok ? there : -1;
}

/* Makes the record at `at` of the image's segment one of the same group commit as that before. */
static void join_batches(const char *image, off_t at, off_t end)
{
	char path[2 * FOLDER_PATH_MAX];
	unsigned char salt[8];
	unsigned char record[512] = {0};
	size_t len = (size_t)(end - at);
	(void)snprintf(path, sizeof(path), "%s/segments/0000000000000001.seg", image);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	bool ok = fd >= 0 && len <= sizeof(record) && pread(fd, salt, sizeof(salt), 32) == 8 &&
		  pread(fd, record, len, at) > RECORD_HEADER_BYTES;
	uint64_t sequence = le64_get(record + 16);
	size_t before_data = RECORD_HEADER_BYTES + le16_get(record + 6) + le32_get(record + 8);
	struct slice data = slice_of(record + before_data, le32_get(record + 12));
	struct record parsed;
	record_seal(record, le64_get(salt), sequence, sequence - 1, data);
	ok = ok && record_parse(slice_of(record, len), le64_get(salt), &parsed) == RECORD_OK &&
	     parsed.batch == sequence - 1 && pwrite(fd, record, len, at) == (ssize_t)len;
	if (!ok || close(fd) != 0)
		abort();
}

static void torn_tails(void)
{
	char image[FOLDER_PATH_MAX];
	off_t ends[3];
	const off_t step = UNDER_TSAN ? 11 : UNDER_ASAN ? 3 : 1;
	folder_make(image);
	folder_remove(image);
	make_image(image, ends);
	IS_INT(after_damage(image, ends[2], ends[2], CUT), 7, "whole, all three are there");
	int wrong = 0;
	for (off_t at = ends[1]; at < ends[2]; at += step)
		if (after_damage(image, at, ends[2], CUT) != 3) {
			printf("# cut at %lld of %lld\n", (long long)at, (long long)ends[2]);
			wrong++;
		}
	OK(wrong == 0, "cut at any byte of the last record, the others are there");
	wrong = 0;
	off_t used = ends[2];
	for (off_t at = ends[1]; at < used; at += 7 * step)
		if (after_damage(image, at, used, ZEROED) != 3)
			wrong += used - at > RECORD_ALIGN;
	OK(wrong == 0, "zeroed from any byte of the last record, the others are there");
	wrong = 0;
	for (off_t at = ends[0]; at < ends[0] + RECORD_HEADER_BYTES; at += 3)
		wrong += after_damage(image, at, ends[2], FLIPPED) != 5;
	OK(wrong == 0, "a damaged record before the last costs that alone");
	wrong = 0;
	for (off_t at = ends[0]; at < ends[0] + RECORD_HEADER_BYTES; at += 3)
		wrong += after_damage(image, at, ends[2], ONE_BIT) != 7;
	OK(wrong == 0, "and nothing if it was one bit");
	off_t bytes = ends[0] + RECORD_HEADER_BYTES + OBJECT_META_BYTES + 3;
	IS_INT(after_damage(image, bytes, ends[2], FLIPPED), 5 | B_DAMAGED,
		"if it is the object's bytes, no older one is shown");
	bytes += ends[1] - ends[0];
	IS_INT(after_damage(image, bytes + 1, ends[2], FLIPPED), 3,
		"but the last record may not have been written whole");
	join_batches(image, ends[1], ends[2]);
	IS_INT(after_damage(image, ends[2], ends[2], CUT), 7, "with two in one group commit");
	IS_INT(after_damage(image, ends[0], ends[2], FLIPPED), 1,
		"a torn group commit goes whole: nobody was told of it");
	folder_remove(image);
}

/* ---- Faults ---------------------------------------------------------------------------------- */

static void failing_writes(void)
{
	char path[FOLDER_PATH_MAX];
	folder_make(path);
	struct store *s = open_at(path);
	(void)bucket_create(s, S("bucket"), STORE_ACL_PRIVATE);
	uint64_t id = bucket_id(s, S("bucket"));
	OK(put_text(s, id, "a", "before"), "an object");
	write_errno = ENOSPC;
	IS_INT(put_object(s, id, S("a"), S("during"), NULL), ERR_DISK_FULL,
		"a write that finds no room fails as that");
	IS_INT(put_object(s, id, S("new"), S("during"), NULL), ERR_DISK_FULL, "and the next");
	char *large = calloc(1, MIB(3));
	IS_INT(put_object(s, id, S("large"), slice_of(large, MIB(3)), NULL), ERR_DISK_FULL,
		"and a large one");
	write_errno = 0;
	OK(is_text(s, id, "a", "before"), "what was there is there");
	OK(put_text(s, id, "b", "after"), "when there is room again all is well");
	OK(put_object(s, id, S("large"), slice_of(large, MIB(3)), NULL) == ERR_OK,
		"also for large");
	store_close(s);
	s = open_at(path);
	OK(is_text(s, id, "a", "before") && is_text(s, id, "b", "after") &&
			head_object(s, id, S("new")) == ERR_NO_SUCH_KEY,
		"and after opening again");
	OK(folder_count(path, "large").files == 1, "nothing is left of the large one that failed");
	store_close(s);
	folder_remove(path);
	free(large);
}

static void failing_syncs(void)
{
	char path[FOLDER_PATH_MAX];
	folder_make(path);
	struct store *s = open_at(path);
	(void)bucket_create(s, S("bucket"), STORE_ACL_PRIVATE);
	uint64_t id = bucket_id(s, S("bucket"));
	OK(put_text(s, id, "a", "before"), "an object");
	sync_errno = EIO;
	IS_INT(put_object(s, id, S("a"), S("during"), NULL), ERR_INTERNAL,
		"a failed sync is not told as a success");
	sync_errno = 0;
	IS_INT(put_object(s, id, S("b"), S("after"), NULL), ERR_UNAVAILABLE,
		"and ends all changes, though the disk says that it is well");
	IS_INT(delete_object(s, id, S("a"), NULL), ERR_UNAVAILABLE, "also deletes");
	IS_INT(bucket_create(s, S("more"), STORE_ACL_PRIVATE), ERR_UNAVAILABLE, "and buckets");
	OK(is_text(s, id, "a", "before"), "reading goes on");
	store_close(s);
	s = open_at(path);
	OK(is_text(s, id, "a", "before") || is_text(s, id, "a", "during"),
		"after a new start the object is one of the two");
	OK(put_text(s, id, "b", "after"), "and changes are taken");
	store_close(s);
	folder_remove(path);
}

/* ---- Kills ----------------------------------------------------------------------------------- */

enum {
	KILL_ROUNDS = 12,
	KILL_THREADS = 6,
	KILL_KEYS = 5, /* of each thread */
};

/* What a thread is about to do to a key, and (done) has been told that it did. */
struct note {
	unsigned thread;
	unsigned key;
	unsigned seed; /* 0: deletes it */
	unsigned size;
	unsigned done;
};

struct writer {
	struct store *s;
	uint64_t id;
	unsigned thread;
	unsigned first_seed;
	int pipe;
};

static char *seeded(unsigned seed, size_t size)
{
	char *bytes = malloc(size);
	uint32_t x = seed;
	for (size_t i = 0; i < size; i++) {
		x = x * 1664525u + 1013904223u;
		bytes[i] = (char)(x >> 24);
	}
	return bytes;
}

static struct slice key_of(char *to, size_t size, unsigned thread, unsigned key)
{
	return slice_of(to, (size_t)snprintf(to, size, "t%u/k%u", thread, key));
}

static void tell(int fd, const struct note *note)
{
	if (write(fd, note, sizeof(*note)) != (ssize_t)sizeof(*note))
		_exit(1);
}

/* Begins a put and leaves it: an upload that the client cut off. */
static void abandon(struct writer *w, struct slice bytes)
{
	struct store_put_spec spec = {.bucket_id = w->id, .key = S("abandoned")};
	struct store_put *put;
	if (store_put_begin(w->s, &spec, &put) != ERR_OK)
		_exit(1);
	(void)put_pieces(w->s, put, bytes, 0);
	store_put_abort(w->s, put);
}

static void *write_for_ever(void *arg)
{
	struct writer *w = arg;
	char text[32];
	for (unsigned i = 0;; i++) {
		struct note note = {.thread = w->thread, .key = i % KILL_KEYS};
		note.seed = i % 7 == 6 ? 0 : w->first_seed + i;
		note.size = (i + w->thread) % 4 == 0 ? (unsigned)MIB(1) + 77 * (i % 9 + 1)
						     : 50 + i % 20000;
		struct slice key = key_of(text, sizeof(text), note.thread, note.key);
		char *bytes = seeded(note.seed, note.size);
		tell(w->pipe, &note);
		enum err e =
			note.seed ? put_object(w->s, w->id, key, slice_of(bytes, note.size), NULL)
				  : delete_object(w->s, w->id, key, NULL);
		if (e != ERR_OK)
			_exit(1);
		note.done = 1;
		tell(w->pipe, &note);
		if (i % 5 == 4)
			abandon(w, slice_of(bytes, note.size));
		free(bytes);
	}
	return NULL;
}

/* The program that is killed: `test_recovery child FOLDER ROUND`, notes to descriptor 3. */
static int child(const char *path, unsigned round)
{
	struct local_options options = options_for(path);
	options.gc_interval_ms = 5;
	options.gc_bytes_per_second = GIB(1);
	struct writer writers[KILL_THREADS];
	pthread_t threads[KILL_THREADS];
	struct store *s;
	if (local_store_open(&options, &s) != ERR_OK)
		return 1;
	for (unsigned i = 0; i < KILL_THREADS; i++) {
		writers[i] = (struct writer){
			s, bucket_id(s, S("bucket")), i, round * 1000000 + i * 100000 + 1, 3};
		if (pthread_create(&threads[i], NULL, write_for_ever, &writers[i]) != 0)
			return 1;
	}
	for (unsigned i = 0; i < KILL_THREADS; i++)
		(void)pthread_join(threads[i], NULL);
	return 1;
}

/* What a key may be: as last told, or as was being done. */
struct expected {
	struct note told;
	struct note begun;
	bool in_doubt;
};

static struct expected expected[KILL_THREADS][KILL_KEYS];

static void take_note(const struct note *note)
{
	struct expected *e = &expected[note->thread][note->key];
	if (note->done)
		e->told = *note;
	else
		e->begun = *note;
	e->in_doubt = !note->done;
}

static bool is_note(struct store *s, uint64_t id, struct slice key, const struct note *note)
{
	if (note->seed == 0)
		return head_object(s, id, key) == ERR_NO_SUCH_KEY;
	char *bytes = seeded(note->seed, note->size);
	bool same = object_is(s, id, key, slice_of(bytes, note->size));
	free(bytes);
	return same;
}

/* Checks all keys, and takes what is there as what was told from now on. */
static unsigned wrong_keys(
	struct store *s, uint64_t id, struct folder_count *ret_large, uint64_t *ret_objects)
{
	unsigned wrong = 0;
	*ret_large = (struct folder_count){.files = 0};
	*ret_objects = 0;
	for (unsigned t = 0; t < KILL_THREADS; t++)
		for (unsigned k = 0; k < KILL_KEYS; k++) {
			char text[32];
			struct slice key = key_of(text, sizeof(text), t, k);
			struct expected *e = &expected[t][k];
			if (e->in_doubt && is_note(s, id, key, &e->begun))
				e->told = e->begun;
			else if (!is_note(s, id, key, &e->told))
				wrong++;
			e->in_doubt = false;
			*ret_objects += e->told.seed != 0;
			if (e->told.seed && e->told.size > LIMIT_INLINE_BYTES) {
				ret_large->files++;
				ret_large->bytes += sums_offset(e->told.size) +
						    sums_pages(e->told.size) * SUMS_PAGE_BYTES;
			}
		}
	return wrong;
}

/* Starts the child and kills it after `notes` notes. Its notes are all taken. */
static void run_and_kill(const char *self, const char *path, unsigned round, unsigned notes)
{
	int pipe_fds[2];
	char number[16];
	(void)snprintf(number, sizeof(number), "%u", round);
	if (pipe2(pipe_fds, O_CLOEXEC) != 0)
		abort();
	pid_t pid = fork();
	if (pid == 0) {
		if (dup2(pipe_fds[1], 3) == 3)
			(void)execl(self, self, "child", path, number, (char *)NULL);
		_exit(127);
	}
	(void)close(pipe_fds[1]);
	struct note note;
	unsigned seen = 0;
	while (read(pipe_fds[0], &note, sizeof(note)) == (ssize_t)sizeof(note)) {
		take_note(&note);
		if (++seen == notes)
			(void)kill(pid, SIGKILL);
	}
	(void)close(pipe_fds[0]);
	int status;
	(void)waitpid(pid, &status, 0);
	if (!WIFSIGNALED(status))
		OK(false, "the child lives until it is killed (round %u)", round);
}

/* Files of replaced objects go in the background; waits for that. */
static bool large_settles(const char *path, const struct folder_count *want)
{
	for (int64_t end = clock_monotonic_ms() + 30000; clock_monotonic_ms() < end;) {
		struct folder_count have = folder_count(path, "large");
		if (have.files == want->files && have.bytes == want->bytes)
			return true;
		(void)usleep(2000);
	}
	return false;
}

static void kills(const char *self)
{
	char path[FOLDER_PATH_MAX];
	folder_make(path);
	struct store *s = open_at(path);
	(void)bucket_create(s, S("bucket"), STORE_ACL_PRIVATE);
	uint64_t id = bucket_id(s, S("bucket"));
	store_close(s);
	unsigned random = 12345;
	for (unsigned round = 1; round <= KILL_ROUNDS; round++) {
		random = random * 1103515245 + 12345;
		run_and_kill(self, path, round, 1 + (random >> 16) % 700);
		s = open_at(path);
		struct folder_count want;
		struct store_stats stats;
		uint64_t objects;
		OK(wrong_keys(s, id, &want, &objects) == 0,
			"after kill %u all that was told is whole", round);
		store_stats(s, &stats);
		IS_INT(stats.objects, objects, "the count of objects is right");
		OK(head_object(s, id, S("abandoned")) == ERR_NO_SUCH_KEY, "no part is visible");
		OK(large_settles(path, &want), "no file is left that is nobody's");
		store_close(s);
	}
	folder_remove(path);
}

int main(int argc, char **argv)
{
	uint64_t round;
	if (argc == 4 && slice_to_u64(slice_str(argv[3]), &round))
		return child(argv[2], (unsigned)round);
	torn_tails();
	failing_writes();
	failing_syncs();
	kills("/proc/self/exe");
	return tap_done();
}
