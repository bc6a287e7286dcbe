/* SPDX-License-Identifier: Apache-2.0 */
#include "store/local/commit/decide.h"

#include "store/local/commit/empty_lists.h"
#include "store/local/state/local_internal.h"

static struct store_object without_text(const struct store_object *object)
{
	struct store_object copy = *object;
	copy.headers = S("");
	copy.tags = S("");
	return copy;
}

/* ---- What is asked for ----------------------------------------------------------------------- */

/* Of a mutation whose record is brought: what the record says. */
static enum err ask_brought(struct mutation *mutation, struct decision *d,
	struct rules_mutation *asked, int64_t *now_ms)
{
	struct object_meta *meta = &d->meta;
	if (!object_meta_parse(mutation_meta_slice(mutation), meta))
		return ERR_INTERNAL;
	asked->object = &meta->object;
	asked->position = meta->number;
	asked->forbid_overwrite = mutation->forbid_overwrite;
	asked->caller = mutation->caller;
	asked->kept = mutation->kept;
	*now_ms = meta->object.modified_ms;
	if (mutation->kind == MUTATION_PART || mutation->kind == MUTATION_MULTIPART_ABORT)
		d->rows.upload = meta->object.version;
	d->rows.part = meta->number;
	return ERR_OK;
}

static void ask_delete(struct mutation *mutation, struct decision *d, struct rules_mutation *asked)
{
	const struct store_delete *del = mutation->del;
	d->rows.object_key = del->key;
	d->rows.version = del->version;
	asked->version = del->version;
	asked->only_if = del->only_if;
	asked->caller = del->caller;
	asked->kept = del->kept;
}

static void ask_change(struct mutation *mutation, struct decision *d, struct rules_mutation *asked)
{
	const struct store_metadata_update *change = mutation->object_change;
	d->rows.object_key = change->key;
	d->rows.version = change->version;
	asked->version = change->version;
	asked->only_if = change->only_if;
	asked->change = change;
}

static void ask_complete(
	struct mutation *mutation, struct decision *d, struct rules_mutation *asked)
{
	const struct store_multipart_complete *complete = mutation->complete;
	d->rows.object_key = complete->key;
	d->rows.upload = complete->upload;
	asked->complete = complete;
	asked->forbid_overwrite = complete->forbid_overwrite;
	asked->caller = complete->caller;
}

/* The mutation in the words of the rules; *now_ms is when it happens. */
static enum err ask(struct local *local, struct mutation *mutation, struct decision *d,
	struct rules_mutation *asked, int64_t *now_ms)
{
	static const enum rules_kind kinds[] = {
		[MUTATION_OBJECT] = RULES_PUT,
		[MUTATION_OBJECT_DELETE] = RULES_DELETE,
		[MUTATION_METADATA] = RULES_CHANGE,
		[MUTATION_APPEND] = RULES_APPEND,
		[MUTATION_PART] = RULES_UPLOAD_PART,
		[MUTATION_MULTIPART] = RULES_UPLOAD_BEGIN,
		[MUTATION_MULTIPART_ABORT] = RULES_UPLOAD_ABORT,
		[MUTATION_COMPLETE] = RULES_UPLOAD_COMPLETE,
	};
	*asked = (struct rules_mutation){.kind = kinds[mutation->kind]};
	if (mutation->kind == MUTATION_OBJECT_DELETE)
		ask_delete(mutation, d, asked);
	else if (mutation->kind == MUTATION_METADATA)
		ask_change(mutation, d, asked);
	else if (mutation->kind == MUTATION_COMPLETE)
		ask_complete(mutation, d, asked);
	else
		return ask_brought(mutation, d, asked, now_ms);
	*now_ms = clock_wall_ms(local->options.clock);
	return ERR_OK;
}

/* ---- What the caller is told ----------------------------------------------------------------- */

static void report_delete(struct store_delete *del, const struct rules_effects *effects)
{
	del->deleted_marker = effects->deleted_marker;
	del->made_marker = effects->made == RULES_MADE_MARKER;
	if (!del->made_marker)
		return;
	del->marker = effects->object.version;
	del->marker_is_null = effects->object.is_null;
}

static void report(struct mutation *mutation, const struct rules_effects *effects, enum err e)
{
	struct store_object *object = mutation->object;
	mutation->existed = effects->existed;
	if (mutation->kind == MUTATION_METADATA)
		mutation->object_change->object = without_text(&effects->reported);
	else if (mutation->kind == MUTATION_COMPLETE)
		mutation->complete->bad_part = effects->bad_part;
	else if (mutation->kind == MUTATION_APPEND && object)
		*object = without_text(&effects->reported);
	if (e != ERR_OK)
		return;
	if (mutation->kind == MUTATION_OBJECT_DELETE) {
		report_delete(mutation->del, effects);
	} else if (mutation->kind == MUTATION_MULTIPART) {
		mutation->number = effects->object.version;
	} else if (mutation->kind == MUTATION_COMPLETE) {
		mutation->complete->object = without_text(&effects->object);
	} else if (mutation->kind == MUTATION_OBJECT && object) {
		object->version = effects->object.version;
		object->is_null = effects->object.is_null;
	}
}

/* ---- What it ends ---------------------------------------------------------------------------- */

static struct ended ended_of(const struct row *row)
{
	const struct entry *entry = &row->entry;
	return ended_entry(entry->meta.object.version, &entry->where);
}

/* Says in the record what must not come back, see struct ended. */
static void tell_ended(struct mutation *mutation, struct decision *d)
{
	const struct rules_effects *effects = &d->effects;
	struct ended *ended = d->meta.ended;
	memset(ended, 0, sizeof(d->meta.ended));
	if (effects->current == RULES_GOES)
		ended[0] = ended_of(&d->rows.current);
	else if (effects->null == RULES_GOES)
		ended[0] = ended_of(&d->rows.null);
	else if (effects->named == RULES_GOES)
		ended[0] = ended_of(&d->rows.named);
	if (effects->upload != RULES_STAYS)
		ended[1] = ended_of(&d->rows.begun);
	object_meta_set_ended(mutation_meta(mutation), ended);
}

/* ---- Deciding -------------------------------------------------------------------------------- */

/* What a mutation needs in any case: it need not be asked for. */
static unsigned first_need(enum rules_kind kind)
{
	switch (kind) {
	case RULES_PUT:
	case RULES_APPEND:
	case RULES_DELETE:
	case RULES_CHANGE:
		return RULES_CURRENT;
	case RULES_UPLOAD_PART:
	case RULES_UPLOAD_ABORT:
	case RULES_UPLOAD_COMPLETE:
		return RULES_UPLOAD;
	case RULES_UPLOAD_BEGIN:
		break;
	}
	return 0;
}

/* Looks at what the rules need, until they need no more. */
static enum err decide(
	struct decision *d, const struct rules_mutation *asked, int64_t now_ms, uint64_t sequence)
{
	enum err e = rows_look(&d->rows, first_need(asked->kind));
	if (e != ERR_OK)
		memset(&d->effects, 0, sizeof(d->effects));
	while (e == ERR_OK) {
		e = rules_decide(&d->rows.view, asked, now_ms, sequence, &d->effects);
		if (e != ERR_OK || d->effects.needs == 0)
			break;
		e = rows_look(&d->rows, d->effects.needs);
	}
	return e;
}

/* ---- What is kept of another store ----------------------------------------------------------- */

/* Whether a part list of that number is there, or is still being removed. */
static enum err look_for_list(struct local *local, uint64_t number, bool *ret)
{
	static const enum key_kind kinds[] = {KEY_PART, KEY_DEAD_PART_LIST};
	enum err e = ERR_OK;
	*ret = false;
	for (size_t i = 0; i < ARRAY_LEN(kinds) && e == ERR_OK && !*ret; i++) {
		struct key prefix;
		struct slice rest;
		struct slice value;
		key_number(&prefix, kinds[i], number);
		struct index_cursor *cursor = index_batch_cursor(local->batch, &prefix);
		if (!cursor)
			return ERR_UNAVAILABLE;
		index_cursor_seek(cursor, S(""));
		*ret = index_cursor_at(cursor, &rest, &value);
		e = *ret ? ERR_OK : index_cursor_err(cursor);
		index_cursor_free(cursor);
	}
	return e;
}

/*
 * Numbers that were given here are those of records, and in a bucket none is below its own. The
 * part list of an appendable object has the number of its version, whatever its key.
 */
static enum err check_kept(
	struct local *local, const struct mutation *mutation, const struct rules_mutation *asked)
{
	const struct store_kept *kept = asked->kept;
	bool is_taken = false;
	if (!kept)
		return ERR_OK;
	if (kept->version >= mutation->bucket_id)
		return ERR_INVALID_ARGUMENT;
	enum err e = ERR_OK;
	if (mutation->kind == MUTATION_APPEND)
		e = look_for_list(local, kept->version, &is_taken);
	if (mutation->kind == MUTATION_APPEND && e == ERR_OK && !is_taken)
		e = empty_lists_find(local, kept->version, &is_taken);
	return e == ERR_OK && is_taken ? ERR_INVALID_ARGUMENT : e;
}

/* ---- Objects and uploads --------------------------------------------------------------------- */

enum err decide_object(
	struct local *local, uint64_t sequence, struct mutation *mutation, struct decision *d)
{
	struct rules_mutation asked;
	int64_t now_ms;
	rows_begin(&d->rows, local->batch, mutation->bucket_id, mutation_key(mutation));
	enum err e = ask(local, mutation, d, &asked, &now_ms);
	if (e != ERR_OK)
		return e;
	/* There is nothing that could be looked at. */
	if (!buckets_find(local->buckets, mutation->bucket_id, &d->rows.view.versioning))
		return ERR_NO_SUCH_BUCKET;
	if (mutation->keeps && d->rows.view.versioning == STORE_VERSIONING_SUSPENDED)
		d->rows.view.versioning = STORE_VERSIONED;
	d->rows.view.versioning = rules_versioning(&d->rows.view, &asked);
	e = check_kept(local, mutation, &asked);
	if (e != ERR_OK)
		return e;
	e = decide(d, &asked, now_ms, sequence);
	if (e == ERR_OK && asked.kept && mutation->kind == MUTATION_APPEND &&
		asked.object->size == 0)
		e = empty_lists_add(local, asked.kept->version);
	report(mutation, &d->effects, e);
	if (e == ERR_OK)
		e = make_record(mutation, d);
	if (e == ERR_OK && !mutation->nothing && mutation->kind != MUTATION_METADATA)
		tell_ended(mutation, d);
	return e;
}
