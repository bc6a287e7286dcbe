/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A key of which something looked wrong. Its rows are read again, and what they say is checked;
 * then they are read once more. If they are still the same they were so all the while, and what is
 * wrong with them, or with the data that they name, is no change that was under way.
 */
#include "store/rados/fsck/survey.h"

enum {
	ATTEMPTS_MAX = 100
};

/* The version or part that a fault is about. `entry` is room. */
static struct subject subject_of(
	const struct fault *fault, const struct gathered *g, struct entry *entry)
{
	struct subject about = {.bucket = g->place.bucket, .key = g->group.key};
	const struct rows *rows = &g->group.kinds[fault->kind];
	struct row_name name;
	about.row = fault->index < rows->count ? rows->rows[fault->index].key : S("");
	about.moves = true;
	if (fault->index >= rows->count || !row_key_parse(rows->rows[fault->index].key, &name))
		return about;
	*entry = (struct entry){.object.version = name.number};
	switch (fault->kind) {
	case KIND_OBJECT:
		about.version =
			entry_read(rows->rows[fault->index].value, entry) ? &entry->object : NULL;
		break;
	case KIND_VERSION:
		if (!entry_read(rows->rows[fault->index].value, entry))
			entry->object = (struct store_object){.version = name.number};
		about.version = &entry->object;
		break;
	case KIND_BYTES:
	case KIND_EXTENTS:
		about.version = &entry->object;
		break;
	case KIND_PART:
		about.part = name.part;
		break;
	case KIND_HIDDEN:
	case KIND_UPLOAD:
	case KINDS:
		break;
	}
	return about;
}

static enum survey_fate fate_of(enum cure cure)
{
	switch (cure) {
	case CURE_VERSION:
	case CURE_UPLOAD:
	case CURE_MARKER:
		return FATE_LOST;
	case CURE_ROW:
	case CURE_HIDDEN:
		return FATE_CORRECTED;
	case CURE_NONE:
		break;
	}
	return FATE_STAYS;
}

static void tell_all(
	struct survey *f, const struct gathered *g, const struct key_check *c, bool is_mended)
{
	char tablet[SURVEY_OBJECT_BYTES];
	survey_object(f, f->r->index, g->place.name, tablet);
	for (size_t i = 0; i < c->fault_count; i++) {
		const struct fault *fault = &c->faults[i];
		struct entry entry;
		const struct subject about = subject_of(fault, g, &entry);
		survey_tell(f, is_mended ? fate_of(fault->cure) : FATE_STAYS, &about,
			fault->object[0] ? fault->object : tablet, fault->what);
	}
}

/* True: that was all. After the last attempt it is so in any case. */
static bool attempt(struct survey *f, const struct place *place, struct slice key, bool is_last,
	bool *ret_moving)
{
	struct gathered first;
	struct gathered again = {.fetch_count = 0};
	struct key_check c = {.f = f};
	bool done = true;
	enum gathering gathering = gather(f, place, key, &first);
	*ret_moving = gathering == GATHER_MOVING;
	if (gathering == GATHERED) {
		c.place = &first.place;
		key_check(&c, &first.group);
	}
	if (c.fault_count) {
		gathering = gather(f, &first.place, key, &again);
		*ret_moving = gathering == GATHER_MOVING;
		done = gathering != GATHERED || group_eq(&first.group, &again.group);
		bool holds = gathering == GATHERED && done && f->err == ERR_OK;
		enum mended mended = MEND_CANNOT;
		if (holds && f->options->repairs)
			mended = mend_key(f, &again, &c);
		if (mended == MEND_AGAIN && !is_last)
			done = false;
		else if (holds)
			tell_all(f, &again, &c, mended == MENDED);
	}
	key_check_free(&c);
	gathered_free(&again);
	gathered_free(&first);
	return done;
}

void confirm(struct survey *f, const struct place *place, struct slice key)
{
	bool moving = false;
	for (unsigned i = 0; i < ATTEMPTS_MAX && f->err == ERR_OK; i++)
		if (attempt(f, place, key, i + 1 == ATTEMPTS_MAX, &moving)) {
			f->result->moving += moving;
			return;
		}
	if (f->err == ERR_OK)
		f->result->moving++;
}
