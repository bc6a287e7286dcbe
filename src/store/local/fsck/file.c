/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a large file, and compares its bytes with the checksums of its blocks. */
#include <errno.h>
#include <fcntl.h>

#include "store/local/disk/files.h"
#include "store/local/fsck/fsck_internal.h"
#include "store/local/large/large.h"
#include "store/local/large/verify.h"

_Static_assert(FSCK_BLOCK_BYTES == VERIFY_BLOCK_BYTES, "f->block is one");

struct checking {
	struct fsck *f;
	const struct subject *about;
	char name[FSCK_FILE_MAX];
};

static void bad(uint64_t offset, const char *what, void *ctx)
{
	struct checking *c = ctx;
	fsck_tell(c->f, c->about, c->name, offset, what);
}

static bool was_read(uint64_t offset UNUSED, uint64_t bytes, void *ctx)
{
	struct checking *c = ctx;
	return fsck_progress(c->f, bytes);
}

bool file_check(struct fsck *f, const struct object_meta *meta, const struct subject *about)
{
	struct checking c = {.f = f, .about = about};
	large_files_path(meta->file, c.name, sizeof(c.name));
	SCOPED_FD int fd = openat(f->dir, c.name, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		bad(FSCK_NOWHERE, errno == ENOENT ? "the file is missing" : files_text(errno), &c);
		return false;
	}
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	enum verify_result result = verify_file(&(struct verify){.fd = fd,
		.meta = meta,
		.block = f->block,
		.bad = bad,
		.read = was_read,
		.ctx = &c});
	if (!meta->has_sums && meta->object.size)
		f->result->unchecked_ranges++;
	f->result->bytes += meta->object.size;
	return result == VERIFY_GOOD || result == VERIFY_BROKEN_OFF;
}
