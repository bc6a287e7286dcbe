/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What has to be written again at the end of the log when a segment goes, so that the rest of the
 * log still makes the same index. Of each record that is what the index has from it, and what it
 * ended, as long as there is a segment from which that could come back.
 */
#include "store/local/disk/bytes.h"
#include "store/local/gc/gc_internal.h"

/* An entry that may be made by the record. */
struct looked {
	struct index_value value;
	struct entry entry;
	bool found;
};

static void looked_end(struct looked *looked)
{
	if (looked->found)
		index_value_release(&looked->value);
	looked->found = false;
}

static enum err look(struct gc *gc, const struct key *key, struct looked *ret)
{
	ret->found = false;
	enum index_found found = index_get(gc->local->index, key, false, &ret->value);
	if (found == INDEX_FAILED)
		return ERR_INTERNAL;
	if (found != INDEX_FOUND)
		return ERR_OK;
	ret->found = entry_parse(ret->value.bytes, &ret->entry);
	if (!ret->found)
		index_value_release(&ret->value);
	return ERR_OK;
}

static enum err look_at_version(
	struct gc *gc, const struct record *record, uint64_t version, struct looked *ret)
{
	struct key key;
	key_object(&key, record->bucket_id, record->name);
	enum err e = look(gc, &key, ret);
	if (e != ERR_OK || (ret->found && ret->entry.meta.object.version == version))
		return e;
	looked_end(ret);
	key_version(&key, record->bucket_id, record->name, version);
	return look(gc, &key, ret);
}

static enum err look_at_part(struct gc *gc, const struct object_meta *meta, struct looked *ret)
{
	struct key key;
	key_part(&key, meta->object.version, meta->number);
	return look(gc, &key, ret);
}

/* ---- Sending --------------------------------------------------------------------------------- */

/* A record at the end of the log. Data that is `brought` must stay until all is done. */
struct carried {
	enum mutation_kind kind;
	enum record_kind record;
	struct slice meta;
	struct slice data;
	bool brought;
	const struct location *from;
};

static enum err send(struct carry *carry, const struct record *record, const struct carried *how)
{
	struct gc *gc = carry->gc;
	size_t head_len = RECORD_HEADER_BYTES + record->name.len + how->meta.len;
	size_t copied = how->brought ? 0 : how->data.len;
	struct chore *chore = chore_new(gc, how->kind, head_len + copied);
	if (!chore)
		return ERR_UNAVAILABLE;
	struct mutation *mutation = &chore->mutation;
	mutation->head_len = head_len;
	mutation->key_len = record->name.len;
	mutation->bucket_id = record->bucket_id;
	mutation->data = how->data;
	if (how->from) {
		chore->from = *how->from;
		mutation->moves_from = &chore->from;
	}
	record_head(chore->head, how->record, record->bucket_id, record->name.len, how->meta.len,
		how->data.len);
	unsigned char *to = chore->head + RECORD_HEADER_BYTES;
	memcpy(to, record->name.ptr, record->name.len);
	to += record->name.len;
	if (how->meta.len)
		memcpy(to, how->meta.ptr, how->meta.len);
	if (copied) {
		memcpy(to + how->meta.len, how->data.ptr, copied);
		mutation->data = slice_of((const char *)to + how->meta.len, copied);
	}
	chore_send(gc, chore);
	carry->sent++;
	carry->bytes += head_len + how->data.len;
	return ERR_OK;
}

/* The entry, which the record at `where` makes, as it is now. */
static enum err send_move(struct carry *carry, const struct record *record,
	const struct looked *looked, const struct location *where)
{
	const struct object_meta *meta = &looked->entry.meta;
	/* The data of an object made of parts names the parts that were dropped. */
	bool has_data = meta->place == OBJECT_INLINE ||
			(meta->place == OBJECT_PART_LIST && record->kind != RECORD_APPEND);
	return send(carry, record,
		&(struct carried){.kind = MUTATION_MOVE,
			.record = RECORD_MOVE,
			.meta = entry_meta(looked->value.bytes),
			.data = has_data ? record->data : S(""),
			.brought = true,
			.from = where});
}

/* What is known of the entry, without its data. */
static enum err send_metadata(
	struct carry *carry, const struct record *record, const struct looked *looked)
{
	char data[LOCATION_BYTES];
	location_write(data, &looked->entry.where);
	return send(carry, record,
		&(struct carried){.kind = MUTATION_RESTATE,
			.record = RECORD_METADATA,
			.meta = entry_meta(looked->value.bytes),
			.data = slice_of(data, sizeof(data)),
			.from = &looked->entry.stated});
}

static enum err send_ended(
	struct carry *carry, const struct record *record, const struct ended_record *ended)
{
	unsigned char data[ENDED_BYTES];
	ended_write(data, ended);
	return send(carry, record,
		&(struct carried){.kind = MUTATION_ENDED,
			.record = RECORD_ENDED,
			.data = slice_of((const char *)data, sizeof(data))});
}

/* ---- What was ended -------------------------------------------------------------------------- */

/* Whether a rebuilt index might have it again. */
static bool may_come_back(struct carry *carry, const struct ended_record *ended)
{
	struct segments *segments = carry->gc->local->segments;
	if (ended->what.number == 0)
		return false;
	if (ended->what.segment == 0)
		return segments_overlap(segments, ended->what.number, ended->until, carry->segment);
	if (ended->what.segment == carry->segment)
		return carry->another != 0;
	return carry->another || segment_exists(segments, ended->what.segment);
}

/*
 * An end may be kept for the sake of carry->another alone, because the segment that it names goes
 * or has gone. Then its record names carry->another instead: so the index knows where the record
 * is, the record is not written again at each collection, and it goes with that segment.
 */
static void say_of_another(const struct carry *carry, struct ended_record *ended)
{
	bool there = ended->what.segment != carry->segment &&
		     segment_exists(carry->gc->local->segments, ended->what.segment);
	if (carry->another && !there && ended_version(&ended->what))
		ended->what.segment = carry->another;
}

/* Where the log has a record of this end already; zeros: nowhere that is known. */
static enum err look_at_ended(struct carry *carry, const struct record *record,
	const struct ended_record *ended, struct location *ret)
{
	struct key key;
	struct index_value value;
	memset(ret, 0, sizeof(*ret));
	key_ended(&key, ended->what.segment,
		ended_label(&ended->what, record->bucket_id, record->name));
	enum index_found found = index_get(carry->gc->local->index, &key, false, &value);
	if (found == INDEX_FAILED)
		return ERR_INTERNAL;
	if (found != INDEX_FOUND)
		return ERR_OK;
	if (value.bytes.len == LOCATION_BYTES)
		location_read(value.bytes.ptr, ret);
	index_value_release(&value);
	return ERR_OK;
}

static enum err carry_ended(
	struct carry *carry, const struct record *record, const struct object_meta *meta)
{
	enum err e = ERR_OK;
	if (record->sequence < carry->gc->local->log_since)
		return ERR_OK;
	for (size_t i = 0; i < OBJECT_ENDED_MAX && e == ERR_OK; i++) {
		struct ended_record ended = {meta->ended[i], record->sequence};
		struct location said = {.segment = 0};
		/* 0: nothing, as 0 is no segment of what has a number. */
		if (ended.what.segment == 0 || !may_come_back(carry, &ended))
			continue;
		say_of_another(carry, &ended);
		e = look_at_ended(carry, record, &ended, &said);
		if (e == ERR_OK && said.segment == 0)
			e = send_ended(carry, record, &ended);
	}
	return e;
}

static enum err carry_end_of_bucket(struct carry *carry, const struct record *record)
{
	struct ended_record ended = {{record->bucket_id, 0}, record->sequence};
	if (record->sequence < carry->gc->local->log_since || !may_come_back(carry, &ended))
		return ERR_OK;
	return send_ended(carry, record, &ended);
}

static enum err carry_again(
	struct carry *carry, const struct record *record, const struct location *where)
{
	struct ended_record ended;
	struct location said;
	if (!ended_parse(record->data, &ended) || !may_come_back(carry, &ended))
		return ERR_OK;
	say_of_another(carry, &ended);
	enum err e = look_at_ended(carry, record, &ended, &said);
	/* Another record of this end is enough. */
	if (e != ERR_OK || (said.segment && !location_eq(&said, where)))
		return e;
	return send_ended(carry, record, &ended);
}

/* ---- What there is --------------------------------------------------------------------------- */

static enum err carry_bucket(
	struct carry *carry, const struct record *record, const struct location *where)
{
	struct key key;
	struct index_value value;
	struct location now = {.segment = 0};
	key_number(&key, KEY_BUCKET_RECORD, record->bucket_id);
	enum index_found found = index_get(carry->gc->local->index, &key, false, &value);
	if (found == INDEX_FAILED)
		return ERR_INTERNAL;
	if (found != INDEX_FOUND)
		return ERR_OK;
	if (value.bytes.len == LOCATION_BYTES)
		location_read(value.bytes.ptr, &now);
	index_value_release(&value);
	if (!location_eq(&now, where))
		return ERR_OK;
	return send(carry, record,
		&(struct carried){.kind = MUTATION_MOVE_BUCKET,
			.record = RECORD_BUCKET,
			.meta = record->meta,
			.brought = true,
			.from = where});
}

/* Moves the entry if the record makes it; *ret says so. */
static enum err move_if_made(struct carry *carry, const struct record *record,
	const struct location *where, const struct looked *looked, bool *ret)
{
	*ret = looked->found && location_eq(&looked->entry.where, where);
	return *ret ? send_move(carry, record, looked, where) : ERR_OK;
}

static bool is_before(const struct location *a, const struct location *b)
{
	return a->segment < b->segment || (a->segment == b->segment && a->offset < b->offset);
}

/*
 * A piece of an appendable object goes from its place among the others: what these come to is said
 * behind all of them, unless it is already.
 */
static enum err carry_sum(struct carry *carry, const struct record *record,
	const struct location *where, const struct looked *object)
{
	const struct entry *entry = &object->entry;
	const struct location *said = entry->stated.segment ? &entry->stated : &entry->where;
	if (entry->where.segment == carry->segment || said->segment == carry->segment ||
		!is_before(said, where) || carry->said_last == entry->meta.object.version)
		return ERR_OK;
	carry->said_last = entry->meta.object.version;
	return send_metadata(carry, record, object);
}

static enum err carry_append(struct carry *carry, const struct record *record,
	const struct object_meta *meta, const struct location *where)
{
	struct looked piece;
	struct looked object = {.found = false};
	bool moved = false;
	enum err e = look_at_part(carry->gc, meta, &piece);
	if (e == ERR_OK)
		e = move_if_made(carry, record, where, &piece, &moved);
	looked_end(&piece);
	if (e == ERR_OK)
		e = look_at_version(carry->gc, record, meta->object.version, &object);
	moved = false;
	if (e == ERR_OK)
		e = move_if_made(carry, record, where, &object, &moved);
	if (e == ERR_OK && !moved && object.found)
		e = carry_sum(carry, record, where, &object);
	looked_end(&object);
	return e == ERR_OK && !moved ? carry_ended(carry, record, meta) : e;
}

static enum err carry_metadata(struct carry *carry, const struct record *record,
	const struct object_meta *meta, const struct location *where)
{
	struct looked looked;
	enum err e = meta->is_part
			     ? look_at_part(carry->gc, meta, &looked)
			     : look_at_version(carry->gc, record, meta->object.version, &looked);
	/* What lies in this segment is moved with all that is known of it. */
	if (e == ERR_OK && looked.found && location_eq(&looked.entry.stated, where) &&
		looked.entry.where.segment != carry->segment)
		e = send_metadata(carry, record, &looked);
	looked_end(&looked);
	return e;
}

/* The entry that the record makes, or made once. */
static enum err look_at_entry(struct gc *gc, const struct record *record,
	const struct object_meta *meta, struct looked *ret)
{
	struct key key;
	if (meta->is_part)
		return look_at_part(gc, meta, ret);
	if (meta->place != OBJECT_NONE || meta->object.is_marker)
		return look_at_version(gc, record, meta->object.version, ret);
	key_upload(&key, record->bucket_id, record->name, meta->object.version);
	return look(gc, &key, ret);
}

/* Whether the index has what look() finds, and from the record. */
static enum err see(enum err e, struct looked *looked, const struct location *where, bool *ret)
{
	*ret = e == ERR_OK && looked->found && location_eq(&looked->entry.where, where);
	looked_end(looked);
	return e;
}

enum err carry_are_bytes_live(
	struct gc *gc, const struct record *record, const struct location *where, bool *ret)
{
	struct object_meta meta;
	struct looked looked = {.found = false};
	*ret = false;
	if (!object_meta_parse(record->meta, &meta))
		return ERR_OK;
	enum err e = see(look_at_entry(gc, record, &meta, &looked), &looked, where, ret);
	if (e != ERR_OK || *ret || record->kind != RECORD_APPEND)
		return e;
	return see(look_at_part(gc, &meta, &looked), &looked, where, ret);
}

static enum err carry_entry(struct carry *carry, const struct record *record,
	const struct object_meta *meta, const struct location *where)
{
	struct looked looked;
	bool moved = false;
	enum err e = look_at_entry(carry->gc, record, meta, &looked);
	if (e == ERR_OK)
		e = move_if_made(carry, record, where, &looked, &moved);
	looked_end(&looked);
	return e == ERR_OK && !moved ? carry_ended(carry, record, meta) : e;
}

enum err carry_record(
	struct carry *carry, const struct record *record, const struct location *where)
{
	struct object_meta meta;
	if (record->kind == RECORD_BUCKET)
		return carry_bucket(carry, record, where);
	if (record->kind == RECORD_BUCKET_DELETE)
		return carry_end_of_bucket(carry, record);
	if (record->kind == RECORD_ENDED)
		return carry_again(carry, record, where);
	if (!object_meta_parse(record->meta, &meta))
		return ERR_OK; /* an OBJECT_DELETE of format 2 */
	switch (record->kind) {
	case RECORD_OBJECT:
	case RECORD_MOVE:
	case RECORD_MARKER:
	case RECORD_MULTIPART:
	case RECORD_PART:
	case RECORD_COMPLETE:
		return carry_entry(carry, record, &meta, where);
	case RECORD_APPEND:
		return carry_append(carry, record, &meta, where);
	case RECORD_METADATA:
		return carry_metadata(carry, record, &meta, where);
	case RECORD_OBJECT_DELETE:
	case RECORD_VERSION_DELETE:
	case RECORD_MULTIPART_ABORT:
		return carry_ended(carry, record, &meta);
	case RECORD_BUCKET:
	case RECORD_BUCKET_DELETE:
	case RECORD_ENDED:
		break;
	}
	return ERR_OK;
}

/* ---- What need not be carried any more ------------------------------------------------------- */

/* Forgets some of the records that say what was ended in `segment`; *ret_more if there are others.
 */
static enum err forget_some(struct gc *gc, uint64_t segment, bool *ret_more)
{
	struct key prefix;
	key_number(&prefix, KEY_ENDED, segment);
	return chores_for_numbers(gc, &prefix, MUTATION_FORGET_ENDED, segment, ret_more);
}

void carry_forget(struct gc *gc, uint64_t segment)
{
	bool more = true;
	enum err e = ERR_OK;
	while (more && e == ERR_OK)
		e = forget_some(gc, segment, &more);
	if (e == ERR_OK && chore_send_number(gc, MUTATION_FORGET_SEGMENT, segment, 0) == ERR_OK)
		(void)chore_finish(gc);
}

/* The first segment from `from` on that something in the index is about; 0: none. */
static uint64_t next_about(struct gc *gc, enum key_kind kind, uint64_t from)
{
	struct key prefix;
	struct slice rest;
	struct slice value;
	char seek[8];
	uint64_t found = 0;
	key_kind(&prefix, kind);
	be64_put(seek, from);
	struct index_cursor *cursor = index_cursor_new(gc->local->index, NULL, &prefix);
	if (!cursor)
		return 0;
	index_cursor_seek(cursor, slice_of(seek, sizeof(seek)));
	if (index_cursor_at(cursor, &rest, &value) && rest.len >= 8)
		found = be64_get(rest.ptr);
	index_cursor_free(cursor);
	return found;
}

/* Whether something should be in the segment: it is missing, and not removed. */
static bool is_missed(struct gc *gc, uint64_t segment)
{
	struct key key;
	struct index_value value;
	uint64_t live = 0;
	key_number(&key, KEY_SEGMENT, segment);
	if (index_get(gc->local->index, &key, false, &value) != INDEX_FOUND)
		return false;
	if (value.bytes.len == 8)
		live = le64_get(value.bytes.ptr);
	index_value_release(&value);
	return live > 0;
}

void carry_forget_removed(struct gc *gc)
{
	static const enum key_kind kinds[] = {KEY_ENDED, KEY_MOVED, KEY_SEGMENT};
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		uint64_t at = 1;
		while (!gc_stopping(gc) && (at = next_about(gc, kinds[i], at)) != 0) {
			if (!segment_exists(gc->local->segments, at) && !is_missed(gc, at))
				carry_forget(gc, at);
			at++;
		}
	}
}
