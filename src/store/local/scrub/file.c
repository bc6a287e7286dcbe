/* SPDX-License-Identifier: Apache-2.0 */
/* A large file, when the scrub meets the record that names it. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>

#include "base/log.h"
#include "store/local/disk/files.h"
#include "store/local/large/large.h"
#include "store/local/large/verify.h"
#include "store/local/scrub/scrub_internal.h"

/* A file that is being read. */
struct reading {
	struct scrub *scrub;
	const struct record *record;
	const struct location *where;
	const struct key *key;
	const struct entry *entry;
	int fd;
};

/* What belongs to nobody any more is not told of. */
static void tell(const struct reading *r, uint64_t offset)
{
	const struct object_meta *meta = &r->entry->meta;
	char key[KEY_MAX];
	struct owner owner = {
		.bucket_id = r->record->bucket_id, .key = r->record->name, .object = meta->object};
	if (!find_again(r->scrub, r->key, r->where))
		return;
	if (meta->is_part)
		find_owner(r->scrub, meta->object.version, key, &owner);
	tell_object(r->scrub, &owner, false, meta->file, offset);
}

static void is_bad(uint64_t offset, const char *what UNUSED, void *ctx)
{
	tell(ctx, offset);
}

/* Others need the memory more; and what is read next is to come from the disk. */
static void drop_pages(int fd, uint64_t at, uint64_t bytes)
{
	(void)posix_fadvise(fd, (off_t)at, (off_t)bytes, POSIX_FADV_DONTNEED);
}

static bool was_read(uint64_t offset, uint64_t bytes, void *ctx)
{
	struct reading *r = ctx;
	drop_pages(r->fd, offset, 2 * VERIFY_BLOCK_BYTES);
	return scrub_rest(r->scrub, bytes);
}

static void read_file(struct reading *r)
{
	struct sums sums = {.each = NULL};
	bool lacks_sums = !r->entry->meta.has_sums && r->entry->meta.object.size > 0;
	(void)posix_fadvise(r->fd, 0, 0, POSIX_FADV_RANDOM);
	drop_pages(r->fd, 0, VERIFY_BLOCK_BYTES);
	enum verify_result result = verify_file(&(struct verify){.fd = r->fd,
		.meta = &r->entry->meta,
		.block = r->scrub->block,
		.gather = lacks_sums ? &sums : NULL,
		.bad = is_bad,
		.read = was_read,
		.ctx = r});
	if (result == VERIFY_GOOD || result == VERIFY_SUMS_DAMAGED || result == VERIFY_DAMAGED)
		scrub_count(r->scrub, 0, 1, 0);
	if (result == VERIFY_GOOD && lacks_sums)
		sums_add_to_file(r->scrub, r->key, r->record, r->entry, &sums);
	sums_release(&sums);
}

void file_scrub(struct scrub *scrub, const struct record *record, const struct location *where)
{
	struct key key;
	struct entry entry;
	int fd;
	if (!find_entry(scrub, record, where, &key, &entry))
		return;
	struct reading r = {
		.scrub = scrub, .record = record, .where = where, .key = &key, .entry = &entry};
	int e = large_files_read(scrub->local->files, entry.meta.file, &fd);
	if (e == 0) {
		r.fd = fd;
		read_file(&r);
		(void)close(fd);
	} else if (e == ENOENT || e == EIO) {
		tell(&r, 0);
	} else {
		log_error("store: cannot open large object %016" PRIx64 ": %s", entry.meta.file,
			files_text(e));
	}
}
