/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and closing the index, and what is done to it as a whole: flushing, copying, reading all.
 */
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "store/local/index/index_internal.h"

enum {
	READ_CACHE_ONLY = 1, /* rocksdb::kBlockCacheTier */
	TELL_MS = 60000,     /* not more than one line of the log about one thing in that time */
	SHUT_MS = 500,       /* how long it is waited for those who read */
};

#define MEMTABLE_BYTES MIB(32)
#define BLOCK_CACHE_BYTES MIB(64)
#define INDEX_BLOCK_BYTES KIB(16)

/* Whether it has not been told of for a while: a fault of the disk may be met by each request. */
static bool shall_tell(struct index *index, enum doing doing)
{
	int64_t now_ms = clock_monotonic_ms();
	int64_t told_ms = index->told_ms[doing];
	return (told_ms == 0 || now_ms - told_ms >= TELL_MS) &&
	       atomic_compare_exchange_strong(&index->told_ms[doing], &told_ms, now_ms);
}

/* What RocksDB says of a file that is not as it has written it, or is not there. */
static bool is_damage(const char *message)
{
	return strncmp(message, "Corruption", 10) == 0 || strstr(message, "No such file") != NULL;
}

enum err index_complain(struct index *index, enum doing doing, char *message)
{
	static const char *const names[] = {[DOING_OPEN] = "opened",
		[DOING_FLUSH] = "flushed",
		[DOING_READ] = "read",
		[DOING_WRITE] = "written"};
	bool full = strstr(message, "No space left") != NULL;
	if (index->told)
		index->told(message, index->told_ctx);
	else if (shall_tell(index, doing))
		log_error("store: the index cannot be %s: %s%s", names[doing], message,
			is_damage(message) ? "; if the disk is well, stop postern and run "
					     "`postern rebuild`: it makes the index anew from the "
					     "log"
					   : "");
	rocksdb_free(message);
	return full ? ERR_DISK_FULL : ERR_INTERNAL;
}

static void set_table_options(rocksdb_options_t *options)
{
	rocksdb_block_based_table_options_t *table = rocksdb_block_based_options_create();
	rocksdb_cache_t *cache = rocksdb_cache_create_lru(BLOCK_CACHE_BYTES);
	rocksdb_block_based_options_set_block_cache(table, cache);
	rocksdb_block_based_options_set_block_size(table, INDEX_BLOCK_BYTES);
	/* The filter is the table options' from here on. */
	rocksdb_block_based_options_set_filter_policy(
		table, rocksdb_filterpolicy_create_bloom_full(10));
	rocksdb_options_set_block_based_table_factory(options, table);
	rocksdb_cache_destroy(cache);
	rocksdb_block_based_options_destroy(table);
}

static rocksdb_options_t *make_options(void)
{
	rocksdb_options_t *options = rocksdb_options_create();
	rocksdb_options_set_create_if_missing(options, 1);
	rocksdb_options_set_write_buffer_size(options, MEMTABLE_BYTES);
	rocksdb_options_set_max_write_buffer_number(options, 3);
	rocksdb_options_set_max_background_jobs(options, 2);
	rocksdb_options_set_compression(options, rocksdb_no_compression);
	rocksdb_options_set_info_log_level(options, 4);
	rocksdb_options_set_keep_log_file_num(options, 1);
	rocksdb_options_set_max_manifest_file_size(options, MIB(4));
	rocksdb_options_set_manifest_preallocation_size(options, KIB(64));
	rocksdb_options_set_stats_dump_period_sec(options, 0);
	rocksdb_options_set_stats_persist_period_sec(options, 0);
	set_table_options(options);
	return options;
}

enum err index_open(const char *path, struct index **ret)
{
	return index_open_told(path, NULL, NULL, ret);
}

enum err index_open_told(const char *path, void (*told)(const char *message, void *ctx), void *ctx,
	struct index **ret)
{
	struct index *index = calloc(1, sizeof(*index));
	if (!index)
		return ERR_UNAVAILABLE;
	gate_init(&index->gate);
	index->path = strdup(path);
	index->told = told;
	index->told_ctx = ctx;
	index->options = make_options();
	index->read = rocksdb_readoptions_create();
	index->read_cached = rocksdb_readoptions_create();
	rocksdb_readoptions_set_read_tier(index->read_cached, READ_CACHE_ONLY);
	index->write = rocksdb_writeoptions_create();
	rocksdb_writeoptions_disable_WAL(index->write, 1);
	char *message = NULL;
	if (!index->path) {
		index_close(index);
		return ERR_UNAVAILABLE;
	}
	index->db = rocksdb_open(index->options, path, &message);
	if (message) {
		enum err e = index_complain(index, DOING_OPEN, message);
		index_close(index);
		return e;
	}
	*ret = index;
	return ERR_OK;
}

void index_close(struct index *index)
{
	if (!index)
		return;
	if (index->db)
		rocksdb_close(index->db);
	rocksdb_writeoptions_destroy(index->write);
	rocksdb_readoptions_destroy(index->read_cached);
	rocksdb_readoptions_destroy(index->read);
	rocksdb_options_destroy(index->options);
	gate_destroy(&index->gate);
	free(index->path);
	free(index);
}

bool index_shut(struct index *index)
{
	if (!index->db)
		return true;
	if (!gate_close(&index->gate, SHUT_MS))
		return false;
	rocksdb_close(TAKE(index->db));
	return true;
}

enum err index_open_again(struct index *index, struct index **ret)
{
	enum err e = index_open(index->path, ret);
	if (e != ERR_OK)
		gate_set_empty(&index->gate);
	return e;
}

void index_take(struct index *index, struct index *from)
{
	rocksdb_options_t *options = index->options;
	index->db = TAKE(from->db);
	index->options = from->options;
	from->options = options;
	index_close(from);
	gate_open(&index->gate);
}

void index_drop(struct index *index, struct index *from)
{
	index_close(from);
	gate_set_empty(&index->gate);
}

enum err index_flush(struct index *index)
{
	char *message = NULL;
	if (!gate_enter(&index->gate))
		return ERR_UNAVAILABLE;
	rocksdb_flushoptions_t *options = rocksdb_flushoptions_create();
	rocksdb_flushoptions_set_wait(options, 1);
	rocksdb_flush(index->db, options, &message);
	rocksdb_flushoptions_destroy(options);
	gate_leave(&index->gate);
	return message ? index_complain(index, DOING_FLUSH, message) : ERR_OK;
}

enum err index_copy(struct index *index, const char *name)
{
	char *message = NULL;
	SCOPED_STRBUF(path, KIB(8));
	const char *slash = strrchr(index->path, '/');
	size_t folder = slash ? (size_t)(slash + 1 - index->path) : 0;
	strbuf_addf(&path, "%.*s%s", (int)folder, index->path, name);
	if (strbuf_broken(&path) || !gate_enter(&index->gate))
		return ERR_UNAVAILABLE;
	rocksdb_checkpoint_t *checkpoint = rocksdb_checkpoint_object_create(index->db, &message);
	if (!message)
		rocksdb_checkpoint_create(checkpoint, path.ptr, 0, &message);
	if (checkpoint)
		rocksdb_checkpoint_object_destroy(checkpoint);
	gate_leave(&index->gate);
	return message ? index_complain(index, DOING_FLUSH, message) : ERR_OK;
}

enum err index_read_all(struct index *index)
{
	char *message = NULL;
	if (!gate_enter(&index->gate))
		return ERR_UNAVAILABLE;
	rocksdb_readoptions_t *read = rocksdb_readoptions_create();
	rocksdb_readoptions_set_fill_cache(read, 0);
	rocksdb_iterator_t *at = rocksdb_create_iterator(index->db, read);
	for (rocksdb_iter_seek_to_first(at); rocksdb_iter_valid(at); rocksdb_iter_next(at))
		;
	rocksdb_iter_get_error(at, &message);
	rocksdb_iter_destroy(at);
	rocksdb_readoptions_destroy(read);
	gate_leave(&index->gate);
	return message ? index_complain(index, DOING_READ, message) : ERR_OK;
}

static uint64_t property(struct index *index, const char *name)
{
	uint64_t value = 0;
	if (!gate_try(&index->gate))
		return 0;
	bool ok = rocksdb_property_int(index->db, name, &value) == 0;
	gate_leave(&index->gate);
	return ok ? value : 0;
}

uint64_t index_disk_bytes(struct index *index)
{
	return property(index, "rocksdb.total-sst-files-size");
}

uint64_t index_unflushed_bytes(struct index *index)
{
	return property(index, "rocksdb.cur-size-all-mem-tables");
}
