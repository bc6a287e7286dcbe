/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sums for a file of an older version. They are on the disk before a record says that they are
 * there; that record is a change like any other, which is refused if the entry has changed.
 */
#include <errno.h>
#include <inttypes.h>

#include "base/log.h"
#include "base/waiter.h"
#include "store/local/commit/committer.h"
#include "store/local/disk/files.h"
#include "store/local/large/large.h"
#include "store/local/large/sums.h"
#include "store/local/scrub/scrub_internal.h"

/* The change, which the thread waits for. */
struct adding {
	struct mutation mutation;
	struct task task;
	struct executor *home;
	unsigned char head[RECORD_HEADER_BYTES + RECORD_NAME_MAX + OBJECT_META_MAX];
};

static void added(struct mutation *mutation)
{
	struct adding *adding = CONTAINER_OF(mutation, struct adding, mutation);
	executor_post(adding->home, &adding->task);
}

static enum err commit(struct scrub *scrub, struct adding *adding)
{
	struct waiter waiter;
	waiter_init(&waiter);
	adding->home = waiter_expect(&waiter, &adding->task);
	committer_add(scrub->local->committer, &adding->mutation);
	waiter_wait(&waiter);
	waiter_release(&waiter);
	return adding->mutation.err;
}

/* The record says all that is known of the entry, and that it has sums. */
static void fill(struct adding *adding, const struct record *record, const struct entry *entry,
	const struct location *stated, const char *where)
{
	struct mutation *mutation = &adding->mutation;
	struct object_meta meta = entry->meta;
	meta.has_sums = true;
	size_t meta_len = OBJECT_META_BYTES + meta.object.headers.len + meta.object.tags.len;
	unsigned char *to = adding->head + RECORD_HEADER_BYTES;
	record_head(adding->head, RECORD_METADATA, record->bucket_id, record->name.len, meta_len,
		LOCATION_BYTES);
	memcpy(to, record->name.ptr, record->name.len);
	object_meta_write(to + record->name.len, &meta);
	object_meta_write_text(to + record->name.len, &meta.object);
	*mutation = (struct mutation){.kind = MUTATION_ADD_SUMS,
		.head = adding->head,
		.head_len = RECORD_HEADER_BYTES + record->name.len + meta_len,
		.key_len = record->name.len,
		.bucket_id = record->bucket_id,
		.data = slice_of(where, LOCATION_BYTES),
		.moves_from = stated,
		.done = added};
}

/* The entry is looked at again, now with its headers and tags. */
static enum err tell_committer(struct scrub *scrub, const struct key *key,
	const struct record *record, const struct entry *expected)
{
	struct index_value value;
	struct entry entry;
	char where[LOCATION_BYTES];
	enum err e = ERR_PRECONDITION_FAILED;
	SCOPED_FREE struct adding *adding = calloc(1, sizeof(*adding));
	if (!adding)
		return ERR_UNAVAILABLE;
	if (index_get(scrub->local->index, key, false, &value) != INDEX_FOUND)
		return e;
	bool is_same = entry_parse(value.bytes, &entry) &&
		       location_eq(&entry.where, &expected->where) && !entry.meta.has_sums;
	if (is_same) {
		location_write(where, &entry.where);
		fill(adding, record, &entry, &entry.stated, where);
	}
	index_value_release(&value);
	return is_same ? commit(scrub, adding) : e;
}

void sums_add_to_file(struct scrub *scrub, const struct key *key, const struct record *record,
	const struct entry *entry, const struct sums *sums)
{
	uint64_t size = entry->meta.object.size;
	uint64_t bytes = (sums_pages(size) + 1) * SUMS_PAGE_BYTES + sizeof(struct adding);
	if (!find_again(scrub, key, &entry->where) || !space_claim(&scrub->local->space, bytes))
		return;
	int fault = large_files_add_sums(scrub->local->files, entry->meta.file, size, sums);
	enum err e = fault ? ERR_INTERNAL : tell_committer(scrub, key, record, entry);
	space_release(&scrub->local->space, bytes);
	if (fault && fault != ENOENT)
		log_error("store: cannot write the sums of large object %016" PRIx64 ": %s",
			entry->meta.file, files_text(fault));
	else if (e == ERR_OK)
		scrub_count(scrub, 0, 0, 1);
}
