/* SPDX-License-Identifier: Apache-2.0 */
/* Telling of bytes that were read and are not what was stored. */
#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "store/local/large/large.h"
#include "store/local/read/read.h"
#include "store/local/state/local_internal.h"

enum {
	FILE_TEXT_BYTES = 64,
	KEY_TEXT_BYTES = 3 * 1024,
	BUCKET_TEXT_BYTES = 80,
	VERSION_TEXT_BYTES = 24,
};

struct search {
	uint64_t id;
	char *name;
};

static void note_name(const struct store_bucket *bucket, void *ctx)
{
	struct search *search = ctx;
	if (bucket->id == search->id)
		(void)snprintf(search->name, BUCKET_TEXT_BYTES, "%.*s", SLICE_FMT(bucket->name));
}

/* Below the data folder. */
static void file_name(const struct store_blob *blob, char *to)
{
	if (blob->in_log)
		(void)snprintf(to, FILE_TEXT_BYTES, "segments/%016" PRIx64 ".seg", blob->number);
	else
		large_files_path(blob->number, to, FILE_TEXT_BYTES);
}

/* As it is in a request. */
static void version_id(const struct store_object *object, char *to)
{
	if (object->is_null || object->version == 0)
		(void)snprintf(to, VERSION_TEXT_BYTES, "null");
	else
		(void)snprintf(to, VERSION_TEXT_BYTES, "%016" PRIX64, object->version);
}

void read_damaged(struct store *store, const struct store_damage *damage)
{
	struct local *local = local_of(store);
	char file[FILE_TEXT_BYTES];
	char key[KEY_TEXT_BYTES];
	char bucket[BUCKET_TEXT_BYTES] = "";
	char version[VERSION_TEXT_BYTES];
	struct search search = {damage->get->bucket_id, bucket};
	(void)atomic_fetch_add_explicit(&local->damaged_reads, 1, memory_order_relaxed);
	buckets_each(local->buckets, note_name, &search);
	file_name(damage->blob, file);
	version_id(&damage->get->object, version);
	log_error("store: an object is damaged: bucket=%s key=%s version=%s file=%s offset=%" PRIu64
		  "%s%.*s",
		bucket, log_quoted(damage->get->key, key, sizeof(key)), version, file,
		damage->offset, damage->request.len ? " request=" : "", SLICE_FMT(damage->request));
}
