/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/index/index.h"

#include "base/limits.h"
#include "base/log.h"
#include "store/local/disk/bytes.h"
#include "store/local/index/index_internal.h"

enum {
	STATE_BYTES = 56,
};

struct index_tx {
	struct index *index;
	rocksdb_writebatch_wi_t *batch;
};

struct index_snapshot {
	struct index *index;
	const rocksdb_snapshot_t *snapshot;
	rocksdb_readoptions_t *read;
};

struct index_cursor {
	struct index *index;
	rocksdb_readoptions_t *read;
	rocksdb_iterator_t *at;
	struct key prefix;
	struct key upper; /* the options borrow it */
};

/* ---- Values ---------------------------------------------------------------------------------- */

bool entry_parse(struct slice bytes, struct entry *ret)
{
	if (bytes.len < LOCATION_BYTES)
		return false;
	location_read(bytes.ptr, &ret->where);
	struct slice rest = slice_from(bytes, LOCATION_BYTES);
	struct slice meta = entry_meta(bytes);
	memset(&ret->stated, 0, sizeof(ret->stated));
	if (rest.len == meta.len + LOCATION_BYTES)
		location_read(rest.ptr + meta.len, &ret->stated);
	else if (rest.len != meta.len)
		return false;
	return object_meta_parse(meta, &ret->meta);
}

struct slice entry_meta(struct slice bytes)
{
	struct slice rest = slice_from(bytes, LOCATION_BYTES);
	return slice_head(rest, object_meta_len(rest));
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

/* ---- Reading --------------------------------------------------------------------------------- */

/* The caller's use of the index goes on as long as the value, or ends here if there is none. */
static enum index_found get(struct index *index, const rocksdb_readoptions_t *read,
	const struct key *key, struct index_value *ret)
{
	char *message = NULL;
	rocksdb_pinnableslice_t *value =
		rocksdb_get_pinned(index->db, read, key->bytes, key->len, &message);
	if (!value || message)
		gate_leave(&index->gate);
	if (message && read == index->read_cached &&
		strncmp(message, "Result incomplete", 17) == 0) {
		rocksdb_free(message);
		return INDEX_NOT_CACHED;
	}
	if (message) {
		(void)index_complain(index, DOING_READ, message);
		return INDEX_FAILED;
	}
	if (!value)
		return INDEX_ABSENT;
	ret->pin = value;
	ret->index = index;
	ret->bytes.ptr = rocksdb_pinnableslice_value(value, &ret->bytes.len);
	return INDEX_FOUND;
}

enum index_found index_get(
	struct index *index, const struct key *key, bool cached_only, struct index_value *ret)
{
	if (cached_only && !gate_try(&index->gate))
		return INDEX_NOT_CACHED;
	if (!cached_only && !gate_enter(&index->gate))
		return INDEX_FAILED;
	return get(index, cached_only ? index->read_cached : index->read, key, ret);
}

void index_value_release(struct index_value *value)
{
	rocksdb_pinnableslice_destroy(value->pin);
	gate_leave(&value->index->gate);
	value->pin = NULL;
}

enum err index_read_state(struct index *index, struct index_state *ret, bool *ret_found)
{
	struct index_value value;
	struct key key;
	key_kind(&key, KEY_STATE);
	enum index_found found = index_get(index, &key, false, &value);
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

enum index_found index_file(struct index *index, uint64_t file)
{
	struct index_value value;
	struct key key;
	key_number(&key, KEY_FILE, file);
	enum index_found found = index_get(index, &key, false, &value);
	if (found == INDEX_ABSENT) {
		key_number(&key, KEY_TRASH, file);
		found = index_get(index, &key, false, &value);
	}
	if (found == INDEX_FOUND)
		index_value_release(&value);
	return found;
}

enum err index_each_bucket(struct index *index,
	bool (*row)(struct slice name, struct slice meta, void *ctx), void *ctx)
{
	struct key prefix;
	struct slice name;
	struct slice meta;
	key_kind(&prefix, KEY_BUCKET);
	struct index_cursor *cursor = index_cursor_new(index, NULL, &prefix);
	if (!cursor)
		return ERR_UNAVAILABLE;
	index_cursor_seek(cursor, S(""));
	while (index_cursor_at(cursor, &name, &meta) && row(name, meta, ctx))
		index_cursor_next(cursor);
	enum err e = index_cursor_err(cursor);
	index_cursor_free(cursor);
	return e;
}

enum err index_each_number(struct index *index, enum key_kind kind,
	bool (*row)(uint64_t number, uint64_t value, void *ctx), void *ctx)
{
	struct key prefix;
	struct slice rest;
	struct slice value;
	key_kind(&prefix, kind);
	struct index_cursor *cursor = index_cursor_new(index, NULL, &prefix);
	if (!cursor)
		return ERR_UNAVAILABLE;
	index_cursor_seek(cursor, S(""));
	while (index_cursor_at(cursor, &rest, &value)) {
		if (rest.len == 8 && value.len == 8 &&
			!row(be64_get(rest.ptr), le64_get(value.ptr), ctx))
			break;
		index_cursor_next(cursor);
	}
	enum err e = index_cursor_err(cursor);
	index_cursor_free(cursor);
	return e;
}

enum err index_last_number(struct index *index, enum key_kind kind, uint64_t *ret)
{
	struct key prefix;
	struct slice rest;
	struct slice value;
	char greatest[8];
	*ret = 0;
	key_kind(&prefix, kind);
	struct index_cursor *cursor = index_cursor_new(index, NULL, &prefix);
	if (!cursor)
		return ERR_UNAVAILABLE;
	be64_put(greatest, UINT64_MAX);
	index_cursor_seek_back(cursor, slice_of(greatest, sizeof(greatest)));
	if (index_cursor_at(cursor, &rest, &value) && rest.len == 8)
		*ret = be64_get(rest.ptr);
	enum err e = index_cursor_err(cursor);
	index_cursor_free(cursor);
	return e;
}

/* ---- Snapshots ------------------------------------------------------------------------------- */

struct index_snapshot *index_snapshot_new(struct index *index)
{
	struct index_snapshot *snapshot = calloc(1, sizeof(*snapshot));
	if (!snapshot)
		return NULL;
	if (!gate_enter(&index->gate)) {
		free(snapshot);
		return NULL;
	}
	snapshot->index = index;
	snapshot->snapshot = rocksdb_create_snapshot(index->db);
	snapshot->read = rocksdb_readoptions_create();
	rocksdb_readoptions_set_snapshot(snapshot->read, snapshot->snapshot);
	return snapshot;
}

void index_snapshot_free(struct index_snapshot *snapshot)
{
	if (!snapshot)
		return;
	rocksdb_readoptions_destroy(snapshot->read);
	rocksdb_release_snapshot(snapshot->index->db, snapshot->snapshot);
	gate_leave(&snapshot->index->gate);
	free(snapshot);
}

enum index_found index_snapshot_get(
	struct index_snapshot *snapshot, const struct key *key, struct index_value *ret)
{
	gate_enter_again(&snapshot->index->gate);
	return get(snapshot->index, snapshot->read, key, ret);
}

/* ---- Walking --------------------------------------------------------------------------------- */

/* The caller's use of the index goes on with the cursor. */
static struct index_cursor *cursor_new(struct index *index, struct index_tx *tx,
	const rocksdb_snapshot_t *snapshot, const struct key *prefix)
{
	struct index_cursor *cursor = calloc(1, sizeof(*cursor));
	if (!cursor) {
		gate_leave(&index->gate);
		return NULL;
	}
	cursor->index = index;
	cursor->prefix = *prefix;
	cursor->upper = *prefix;
	key_past(&cursor->upper);
	cursor->read = rocksdb_readoptions_create();
	if (snapshot)
		rocksdb_readoptions_set_snapshot(cursor->read, snapshot);
	rocksdb_readoptions_set_iterate_upper_bound(
		cursor->read, cursor->upper.bytes, cursor->upper.len);
	cursor->at = rocksdb_create_iterator(index->db, cursor->read);
	if (tx) /* takes the other iterator over */
		cursor->at = rocksdb_writebatch_wi_create_iterator_with_base(tx->batch, cursor->at);
	return cursor;
}

struct index_cursor *index_cursor_new(
	struct index *index, struct index_tx *tx, const struct key *prefix)
{
	return gate_enter(&index->gate) ? cursor_new(index, tx, NULL, prefix) : NULL;
}

struct index_cursor *index_snapshot_cursor(
	struct index_snapshot *snapshot, const struct key *prefix)
{
	gate_enter_again(&snapshot->index->gate);
	return cursor_new(snapshot->index, NULL, snapshot->snapshot, prefix);
}

void index_cursor_free(struct index_cursor *cursor)
{
	if (!cursor)
		return;
	rocksdb_iter_destroy(cursor->at);
	rocksdb_readoptions_destroy(cursor->read);
	gate_leave(&cursor->index->gate);
	free(cursor);
}

void index_cursor_seek(struct index_cursor *cursor, struct slice rest)
{
	struct key key = cursor->prefix;
	key_append(&key, rest);
	rocksdb_iter_seek(cursor->at, key.bytes, key.len);
}

void index_cursor_seek_past(struct index_cursor *cursor, struct slice rest)
{
	struct key key = cursor->prefix;
	key_append(&key, rest);
	key_past(&key);
	rocksdb_iter_seek(cursor->at, key.bytes, key.len);
}

void index_cursor_seek_back(struct index_cursor *cursor, struct slice rest)
{
	struct key key = cursor->prefix;
	key_append(&key, rest);
	rocksdb_iter_seek_for_prev(cursor->at, key.bytes, key.len);
}

void index_cursor_next(struct index_cursor *cursor)
{
	rocksdb_iter_next(cursor->at);
}

bool index_cursor_at(
	const struct index_cursor *cursor, struct slice *ret_rest, struct slice *ret_value)
{
	if (!rocksdb_iter_valid(cursor->at))
		return false;
	struct slice key;
	key.ptr = rocksdb_iter_key(cursor->at, &key.len);
	if (!slice_starts(key, slice_of(cursor->prefix.bytes, cursor->prefix.len)))
		return false;
	*ret_rest = slice_from(key, cursor->prefix.len);
	ret_value->ptr = rocksdb_iter_value(cursor->at, &ret_value->len);
	return true;
}

enum err index_cursor_err(const struct index_cursor *cursor)
{
	char *message = NULL;
	rocksdb_iter_get_error(cursor->at, &message);
	return message ? index_complain(cursor->index, DOING_READ, message) : ERR_OK;
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
	if (!tx->index->db)
		return ERR_UNAVAILABLE;
	rocksdb_write_writebatch_wi(tx->index->db, tx->index->write, tx->batch, &message);
	return message ? index_complain(tx->index, DOING_WRITE, message) : ERR_OK;
}

enum err index_tx_get(struct index_tx *tx, const struct key *key, char **ret_bytes, size_t *ret_len)
{
	char *message = NULL;
	*ret_bytes = NULL;
	if (!tx->index->db)
		return ERR_UNAVAILABLE;
	*ret_bytes = rocksdb_writebatch_wi_get_from_batch_and_db(
		tx->batch, tx->index->db, tx->index->read, key->bytes, key->len, ret_len, &message);
	return message ? index_complain(tx->index, DOING_READ, message) : ERR_OK;
}

void index_tx_put(struct index_tx *tx, const struct key *key, struct slice value)
{
	rocksdb_writebatch_wi_put(tx->batch, key->bytes, key->len, value.ptr, value.len);
}

void index_tx_put_number(struct index_tx *tx, const struct key *key, uint64_t value)
{
	char bytes[8];
	le64_put(bytes, value);
	index_tx_put(tx, key, slice_of(bytes, sizeof(bytes)));
}

void index_tx_put_entry(struct index_tx *tx, const struct key *key, const struct location *where,
	const struct location *stated, struct slice meta)
{
	char location[LOCATION_BYTES];
	char later[LOCATION_BYTES];
	bool has_later = stated && stated->segment;
	location_write(location, where);
	if (has_later)
		location_write(later, stated);
	const char *key_parts[] = {key->bytes};
	const size_t key_sizes[] = {key->len};
	const char *parts[] = {location, meta.ptr, later};
	const size_t sizes[] = {sizeof(location), meta.len, sizeof(later)};
	rocksdb_writebatch_wi_putv(
		tx->batch, 1, key_parts, key_sizes, has_later ? 3 : 2, parts, sizes);
}

void index_tx_put_state(struct index_tx *tx, const struct index_state *state)
{
	struct key key;
	char bytes[STATE_BYTES];
	key_kind(&key, KEY_STATE);
	state_write(bytes, state);
	index_tx_put(tx, &key, slice_of(bytes, sizeof(bytes)));
}

void index_tx_delete(struct index_tx *tx, const struct key *key)
{
	rocksdb_writebatch_wi_delete(tx->batch, key->bytes, key->len);
}
