/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/index.h"

#include <rocksdb/c.h>

#include "base/limits.h"
#include "base/log.h"
#include "store/local/bytes.h"

/* The first byte of a key says what it is about. */
enum {
	KEY_BUCKET = 'b',
	KEY_FILE = 'f',
	KEY_OBJECT = 'o',
	KEY_STATE = 'p',
	KEY_SEGMENT = 's',
	KEY_TRASH = 't',
};

enum {
	NUMBER_KEY_BYTES = 9,
	OBJECT_KEY_MAX = NUMBER_KEY_BYTES + RECORD_NAME_MAX,
	LOCATION_BYTES = 24,
	STATE_BYTES = 56,
	VALUE_MAX = LOCATION_BYTES + OBJECT_META_BYTES + OBJECT_HEADERS_MAX,
	READ_CACHE_ONLY = 1, /* rocksdb::kBlockCacheTier */
};

#define MEMTABLE_BYTES MIB(32)
#define BLOCK_CACHE_BYTES MIB(64)

struct index {
	rocksdb_t *db;
	rocksdb_options_t *options;
	rocksdb_readoptions_t *read;
	rocksdb_readoptions_t *read_cached;
	rocksdb_writeoptions_t *write;
};

struct index_tx {
	struct index *index;
	rocksdb_writebatch_wi_t *batch;
};

struct index_cursor {
	rocksdb_readoptions_t *read;
	rocksdb_iterator_t *at;
	char upper[NUMBER_KEY_BYTES]; /* the options borrow it */
	uint64_t bucket_id;
};

struct key {
	size_t len;
	char bytes[OBJECT_KEY_MAX];
};

/* ---- Keys and values ------------------------------------------------------------------------- */

static void number_key(char *to, char kind, uint64_t number)
{
	to[0] = kind;
	be64_put(to + 1, number);
}

static void object_key(struct key *ret, uint64_t bucket_id, struct slice key)
{
	size_t len = key.len <= RECORD_NAME_MAX ? key.len : RECORD_NAME_MAX;
	number_key(ret->bytes, KEY_OBJECT, bucket_id);
	if (len)
		memcpy(ret->bytes + NUMBER_KEY_BYTES, key.ptr, len);
	ret->len = NUMBER_KEY_BYTES + len;
}

static void bucket_key(struct key *ret, struct slice name)
{
	size_t len = name.len <= RECORD_NAME_MAX ? name.len : RECORD_NAME_MAX;
	ret->bytes[0] = KEY_BUCKET;
	memcpy(ret->bytes + 1, name.ptr, len);
	ret->len = 1 + len;
}

static void location_write(char *to, const struct location *where)
{
	le64_put(to, where->segment);
	le64_put(to + 8, where->offset);
	le32_put(to + 16, where->length);
	le32_put(to + 20, where->data_offset);
}

bool entry_parse(struct slice bytes, struct entry *ret)
{
	if (bytes.len < LOCATION_BYTES)
		return false;
	ret->where.segment = le64_get(bytes.ptr);
	ret->where.offset = le64_get(bytes.ptr + 8);
	ret->where.length = le32_get(bytes.ptr + 16);
	ret->where.data_offset = le32_get(bytes.ptr + 20);
	return object_meta_parse(slice_from(bytes, LOCATION_BYTES), &ret->meta);
}

static void state_write(char *to, const struct index_state *state)
{
	le64_put(to, state->segment);
	le64_put(to + 8, state->offset);
	le64_put(to + 16, state->sequence);
	le64_put(to + 24, state->objects);
	le64_put(to + 32, state->bytes);
	le64_put(to + 40, state->file_bytes);
	le64_put(to + 48, state->file_mark);
}

static bool state_parse(struct slice bytes, struct index_state *ret)
{
	if (bytes.len != STATE_BYTES)
		return false;
	ret->segment = le64_get(bytes.ptr);
	ret->offset = le64_get(bytes.ptr + 8);
	ret->sequence = le64_get(bytes.ptr + 16);
	ret->objects = le64_get(bytes.ptr + 24);
	ret->bytes = le64_get(bytes.ptr + 32);
	ret->file_bytes = le64_get(bytes.ptr + 40);
	ret->file_mark = le64_get(bytes.ptr + 48);
	return true;
}

/* ---- Opening --------------------------------------------------------------------------------- */

/* Logs what RocksDB said, frees it, and says what it is to a client. */
static enum err complain(const char *doing, char *message)
{
	bool full = strstr(message, "No space left") != NULL;
	log_error("store: the index cannot %s: %s", doing, message);
	rocksdb_free(message);
	return full ? ERR_DISK_FULL : ERR_INTERNAL;
}

static void set_table_options(rocksdb_options_t *options)
{
	rocksdb_block_based_table_options_t *table = rocksdb_block_based_options_create();
	rocksdb_cache_t *cache = rocksdb_cache_create_lru(BLOCK_CACHE_BYTES);
	rocksdb_block_based_options_set_block_cache(table, cache);
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
	rocksdb_options_set_stats_dump_period_sec(options, 0);
	rocksdb_options_set_stats_persist_period_sec(options, 0);
	set_table_options(options);
	return options;
}

enum err index_open(const char *path, struct index **ret)
{
	struct index *index = calloc(1, sizeof(*index));
	if (!index)
		return ERR_UNAVAILABLE;
	index->options = make_options();
	index->read = rocksdb_readoptions_create();
	index->read_cached = rocksdb_readoptions_create();
	rocksdb_readoptions_set_read_tier(index->read_cached, READ_CACHE_ONLY);
	index->write = rocksdb_writeoptions_create();
	rocksdb_writeoptions_disable_WAL(index->write, 1);
	char *message = NULL;
	index->db = rocksdb_open(index->options, path, &message);
	if (message) {
		enum err e = complain("be opened", message);
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
	free(index);
}

enum err index_flush(struct index *index)
{
	char *message = NULL;
	rocksdb_flushoptions_t *options = rocksdb_flushoptions_create();
	rocksdb_flushoptions_set_wait(options, 1);
	rocksdb_flush(index->db, options, &message);
	rocksdb_flushoptions_destroy(options);
	return message ? complain("be flushed", message) : ERR_OK;
}

static uint64_t property(struct index *index, const char *name)
{
	uint64_t value = 0;
	return rocksdb_property_int(index->db, name, &value) == 0 ? value : 0;
}

uint64_t index_disk_bytes(struct index *index)
{
	return property(index, "rocksdb.total-sst-files-size");
}

uint64_t index_unflushed_bytes(struct index *index)
{
	return property(index, "rocksdb.cur-size-all-mem-tables");
}

/* ---- Reading --------------------------------------------------------------------------------- */

static enum index_found get(
	struct index *index, const char *key, size_t len, bool cached_only, struct index_value *ret)
{
	char *message = NULL;
	rocksdb_pinnableslice_t *value = rocksdb_get_pinned(
		index->db, cached_only ? index->read_cached : index->read, key, len, &message);
	if (message && cached_only && strncmp(message, "Result incomplete", 17) == 0) {
		rocksdb_free(message);
		return INDEX_COLD;
	}
	if (message) {
		(void)complain("be read", message);
		return INDEX_FAILED;
	}
	if (!value)
		return INDEX_ABSENT;
	ret->pin = value;
	ret->bytes.ptr = rocksdb_pinnableslice_value(value, &ret->bytes.len);
	return INDEX_FOUND;
}

void index_value_release(struct index_value *value)
{
	rocksdb_pinnableslice_destroy(value->pin);
	value->pin = NULL;
}

enum err index_read_state(struct index *index, struct index_state *ret, bool *ret_found)
{
	struct index_value value;
	char key = KEY_STATE;
	enum index_found found = get(index, &key, 1, false, &value);
	if (found == INDEX_FAILED)
		return ERR_INTERNAL;
	*ret_found = found == INDEX_FOUND;
	if (!*ret_found)
		return ERR_OK;
	bool ok = state_parse(value.bytes, ret);
	index_value_release(&value);
	if (!ok)
		log_error("store: the state in the index is damaged");
	return ok ? ERR_OK : ERR_INTERNAL;
}

enum index_found index_object(struct index *index, uint64_t bucket_id, struct slice key,
	bool cached_only, struct index_value *ret)
{
	struct key k;
	object_key(&k, bucket_id, key);
	return get(index, k.bytes, k.len, cached_only, ret);
}

enum index_found index_file(struct index *index, uint64_t file)
{
	struct index_value value;
	char key[NUMBER_KEY_BYTES];
	number_key(key, KEY_FILE, file);
	enum index_found found = get(index, key, sizeof(key), false, &value);
	if (found == INDEX_ABSENT) {
		number_key(key, KEY_TRASH, file);
		found = get(index, key, sizeof(key), false, &value);
	}
	if (found == INDEX_FOUND)
		index_value_release(&value);
	return found;
}

/* Calls `row` for each key of a kind. */
static enum err scan(struct index *index, char kind,
	bool (*row)(struct slice key, struct slice value, const void *how, void *ctx),
	const void *how, void *ctx)
{
	rocksdb_iterator_t *at = rocksdb_create_iterator(index->db, index->read);
	rocksdb_iter_seek(at, &kind, 1);
	while (rocksdb_iter_valid(at)) {
		struct slice key;
		struct slice value;
		key.ptr = rocksdb_iter_key(at, &key.len);
		value.ptr = rocksdb_iter_value(at, &value.len);
		if (key.ptr[0] != kind || !row(slice_from(key, 1), value, how, ctx))
			break;
		rocksdb_iter_next(at);
	}
	char *message = NULL;
	rocksdb_iter_get_error(at, &message);
	rocksdb_iter_destroy(at);
	return message ? complain("be read", message) : ERR_OK;
}

struct bucket_row {
	bool (*row)(struct slice name, struct slice meta, void *ctx);
};

static bool bucket_row(struct slice key, struct slice value, const void *how, void *ctx)
{
	const struct bucket_row *to = how;
	return to->row(key, value, ctx);
}

struct number_row {
	bool (*row)(uint64_t number, uint64_t value, void *ctx);
};

static bool number_row(struct slice key, struct slice value, const void *how, void *ctx)
{
	const struct number_row *to = how;
	if (key.len != 8 || value.len != 8)
		return true;
	return to->row(be64_get(key.ptr), le64_get(value.ptr), ctx);
}

enum err index_each_bucket(struct index *index,
	bool (*row)(struct slice name, struct slice meta, void *ctx), void *ctx)
{
	struct bucket_row how = {row};
	return scan(index, KEY_BUCKET, bucket_row, &how, ctx);
}

enum err index_each_segment(
	struct index *index, bool (*row)(uint64_t id, uint64_t live, void *ctx), void *ctx)
{
	struct number_row how = {row};
	return scan(index, KEY_SEGMENT, number_row, &how, ctx);
}

enum err index_each_trash(
	struct index *index, bool (*row)(uint64_t file, uint64_t size, void *ctx), void *ctx)
{
	struct number_row how = {row};
	return scan(index, KEY_TRASH, number_row, &how, ctx);
}

/* ---- Walking --------------------------------------------------------------------------------- */

struct index_cursor *index_cursor_new(struct index *index, uint64_t bucket_id)
{
	struct index_cursor *cursor = calloc(1, sizeof(*cursor));
	if (!cursor)
		return NULL;
	cursor->bucket_id = bucket_id;
	number_key(cursor->upper, KEY_OBJECT, bucket_id + 1);
	cursor->read = rocksdb_readoptions_create();
	rocksdb_readoptions_set_iterate_upper_bound(
		cursor->read, cursor->upper, sizeof(cursor->upper));
	cursor->at = rocksdb_create_iterator(index->db, cursor->read);
	return cursor;
}

void index_cursor_free(struct index_cursor *cursor)
{
	if (!cursor)
		return;
	rocksdb_iter_destroy(cursor->at);
	rocksdb_readoptions_destroy(cursor->read);
	free(cursor);
}

void index_cursor_seek(struct index_cursor *cursor, struct slice key)
{
	struct key k;
	object_key(&k, cursor->bucket_id, key);
	rocksdb_iter_seek(cursor->at, k.bytes, k.len);
}

void index_cursor_seek_past(struct index_cursor *cursor, struct slice key)
{
	struct key k;
	object_key(&k, cursor->bucket_id, key);
	/* The next string that does not begin with the key: count up its last byte. */
	while (k.len > 0 && (unsigned char)k.bytes[k.len - 1] == 0xff)
		k.len--;
	k.bytes[k.len - 1] = (char)((unsigned char)k.bytes[k.len - 1] + 1);
	rocksdb_iter_seek(cursor->at, k.bytes, k.len);
}

void index_cursor_next(struct index_cursor *cursor)
{
	rocksdb_iter_next(cursor->at);
}

bool index_cursor_at(
	const struct index_cursor *cursor, struct slice *ret_key, struct slice *ret_value)
{
	if (!rocksdb_iter_valid(cursor->at))
		return false;
	struct slice key;
	key.ptr = rocksdb_iter_key(cursor->at, &key.len);
	*ret_key = slice_from(key, NUMBER_KEY_BYTES);
	ret_value->ptr = rocksdb_iter_value(cursor->at, &ret_value->len);
	return true;
}

enum err index_cursor_err(const struct index_cursor *cursor)
{
	char *message = NULL;
	rocksdb_iter_get_error(cursor->at, &message);
	return message ? complain("be read", message) : ERR_OK;
}

/* ---- Changes --------------------------------------------------------------------------------- */

struct index_tx *index_tx_new(struct index *index)
{
	struct index_tx *tx = calloc(1, sizeof(*tx));
	if (!tx)
		return NULL;
	tx->index = index;
	tx->batch = rocksdb_writebatch_wi_create(KIB(64), 1);
	return tx;
}

void index_tx_free(struct index_tx *tx)
{
	if (!tx)
		return;
	rocksdb_writebatch_wi_destroy(tx->batch);
	free(tx);
}

void index_tx_clear(struct index_tx *tx)
{
	rocksdb_writebatch_wi_clear(tx->batch);
}

enum err index_tx_write(struct index_tx *tx)
{
	char *message = NULL;
	rocksdb_write_writebatch_wi(tx->index->db, tx->index->write, tx->batch, &message);
	return message ? complain("be written", message) : ERR_OK;
}

enum err index_tx_object(struct index_tx *tx, uint64_t bucket_id, struct slice key,
	char **ret_bytes, size_t *ret_len)
{
	struct key k;
	char *message = NULL;
	object_key(&k, bucket_id, key);
	char *bytes = rocksdb_writebatch_wi_get_from_batch_and_db(
		tx->batch, tx->index->db, tx->index->read, k.bytes, k.len, ret_len, &message);
	if (message)
		return complain("be read", message);
	*ret_bytes = bytes;
	return ERR_OK;
}

void index_tx_put_object(struct index_tx *tx, uint64_t bucket_id, struct slice key,
	const struct location *where, struct slice meta)
{
	struct key k;
	char location[LOCATION_BYTES];
	object_key(&k, bucket_id, key);
	location_write(location, where);
	const char *key_parts[] = {k.bytes};
	const size_t key_sizes[] = {k.len};
	const char *parts[] = {location, meta.ptr};
	const size_t sizes[] = {sizeof(location), meta.len};
	rocksdb_writebatch_wi_putv(tx->batch, 1, key_parts, key_sizes, 2, parts, sizes);
}

void index_tx_delete_object(struct index_tx *tx, uint64_t bucket_id, struct slice key)
{
	struct key k;
	object_key(&k, bucket_id, key);
	rocksdb_writebatch_wi_delete(tx->batch, k.bytes, k.len);
}

void index_tx_put_bucket(struct index_tx *tx, struct slice name, struct slice meta)
{
	struct key k;
	bucket_key(&k, name);
	rocksdb_writebatch_wi_put(tx->batch, k.bytes, k.len, meta.ptr, meta.len);
}

void index_tx_delete_bucket(struct index_tx *tx, struct slice name)
{
	struct key k;
	bucket_key(&k, name);
	rocksdb_writebatch_wi_delete(tx->batch, k.bytes, k.len);
}

static void put_number(struct index_tx *tx, char kind, uint64_t number, uint64_t value)
{
	char key[NUMBER_KEY_BYTES];
	char bytes[8];
	number_key(key, kind, number);
	le64_put(bytes, value);
	rocksdb_writebatch_wi_put(tx->batch, key, sizeof(key), bytes, sizeof(bytes));
}

static void delete_number(struct index_tx *tx, char kind, uint64_t number)
{
	char key[NUMBER_KEY_BYTES];
	number_key(key, kind, number);
	rocksdb_writebatch_wi_delete(tx->batch, key, sizeof(key));
}

void index_tx_put_file(struct index_tx *tx, uint64_t file, uint64_t size)
{
	put_number(tx, KEY_FILE, file, size);
}

void index_tx_trash_file(struct index_tx *tx, uint64_t file, uint64_t size)
{
	delete_number(tx, KEY_FILE, file);
	put_number(tx, KEY_TRASH, file, size);
}

void index_tx_forget_file(struct index_tx *tx, uint64_t file)
{
	delete_number(tx, KEY_TRASH, file);
}

void index_tx_put_segment(struct index_tx *tx, uint64_t id, uint64_t live)
{
	put_number(tx, KEY_SEGMENT, id, live);
}

void index_tx_forget_segment(struct index_tx *tx, uint64_t id)
{
	delete_number(tx, KEY_SEGMENT, id);
}

void index_tx_put_state(struct index_tx *tx, const struct index_state *state)
{
	char bytes[STATE_BYTES];
	char key = KEY_STATE;
	state_write(bytes, state);
	rocksdb_writebatch_wi_put(tx->batch, &key, 1, bytes, sizeof(bytes));
}
