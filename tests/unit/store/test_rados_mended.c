/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a gateway left half done is done by whoever comes by; and one object that is damaged, or is
 * as large as it can be, keeps nobody from the others.
 */
#include "store/rados/garbage/garbage_internal.h"
#include "unit/store/checks.h"

/* ---- Versioning ------------------------------------------------------------------------------ */

static enum store_versioning versioning_of(struct two *two, uint64_t tablet)
{
	struct seen seen;
	if (tablet_see(rados_of(two->one), two->id, tablet, &seen) != ERR_OK)
		abort();
	enum store_versioning versioning = seen.head.versioning;
	seen_release(&seen);
	return versioning;
}

/* How often the tablet was changed. */
static uint64_t epoch_of(struct two *two, uint64_t tablet)
{
	struct seen seen;
	struct epoch epoch;
	if (tablet_see(rados_of(two->one), two->id, tablet, &seen) != ERR_OK ||
		!epoch_parse(seen.epoch, &epoch))
		abort();
	seen_release(&seen);
	return epoch.epoch;
}

/* As if whoever changed it had died before it came to this tablet. */
static void forget_versioning(struct two *two, uint64_t tablet)
{
	struct rados *r = rados_of(two->one);
	struct seen seen;
	if (tablet_see(r, two->id, tablet, &seen) != ERR_OK)
		abort();
	struct head head = seen.head;
	head.versioning = STORE_UNVERSIONED;
	if (head_set(r, seen.name, seen.epoch, &head) != 0)
		abort();
	seen_release(&seen);
}

/* So many tablets are told of, and that is no finding. */
static bool differs(const char *space, uint64_t tablets)
{
	struct told told = check(space, false);
	bool ok = told.done && told.result.findings == 0 && told.result.differing == tablets;
	told_free(&told, ok);
	return ok;
}

static void versioning_is_followed(void)
{
	struct two two = two_tablets(&ceph, ceph_small("versioning"));
	uint64_t right = right_of(&two, 0);
	struct store_object first;
	struct put_how how = {.object = &first};
	struct store_get get;
	OK(set_versioning(two.one, S("b"), STORE_VERSIONED) == ERR_OK &&
			versioning_of(&two, 0) == STORE_VERSIONED &&
			versioning_of(&two, right) == STORE_VERSIONED,
		"all tablets are told that versions are kept");
	forget_versioning(&two, right);
	OK(differs("versioning", 1), "fsck tells of one that was not");
	OK(garbage_collect(rados_of(two.other)) == 0 && versioning_of(&two, 0) == STORE_VERSIONED &&
			versioning_of(&two, right) == STORE_VERSIONED,
		"it is told when garbage is collected");
	OK(differs("versioning", 0), "and then nothing differs");
	struct row_key row = row_key_of(ROW_OBJECT, S("b"));
	row.bytes[0] = RADOS_BUCKET_ROW;
	uint64_t before = epoch_of(&two, right);
	OK(tablet_follow_versioning(rados_of(two.other), two.id, row_key_slice(&row)) == ERR_OK &&
			versioning_of(&two, right) == STORE_VERSIONED &&
			epoch_of(&two, right) == before + 1,
		"who has listed the bucket before it was changed undoes nothing, not for a moment "
		"either");
	bool ok = put_object(two.one, two.id, S("z"), S("2"), &how) == ERR_OK &&
		  put_object(two.one, two.id, S("z"), S("3"), NULL) == ERR_OK;
	struct store_version old = {.number = first.version};
	bool found = ok && get_version(two.one, two.id, S("z"), old, false, &get) == ERR_OK;
	OK(found, "and what is overwritten stays");
	if (found)
		store_get_release(two.one, &get);
	two_close(&two);
}

/* ---- An object of as many appends as there can be -------------------------------------------- */

static void set_extents(struct made *made, const struct store_object *object)
{
	char name[RADOS_NAME_BYTES];
	struct row_key row = row_key_version(ROW_EXTENTS, S("log"), object->version);
	struct edit edit = edit_begin(made->r->index);
	SCOPED_STRBUF(extents, LIMIT_RADOS_EXTENTS_BYTES);
	while (extents.len + EXTENT_BYTES <= LIMIT_RADOS_EXTENTS_BYTES)
		extents_add(&extents, (struct extent){made->other, 1});
	edit_set(&edit, row_key_slice(&row), strbuf_slice(&extents));
	if (strbuf_broken(&extents) || edit_run(&edit, rados_tablet_name(name, made->id, 0)) != 0)
		abort();
}

static void the_last_append_is_refused(void)
{
	struct made made = make("appended");
	struct store *s = ceph_open_or_end(&ceph, ceph_small("appended"));
	struct store_get get;
	if (get_begin(s, made.id, S("log"), true, &get) != ERR_OK)
		abort();
	struct store_object object = get.object;
	store_get_release(s, &get);
	set_extents(&made, &object);
	OK(append(s, made.id, S("log"), object.size, SMALL, NULL) == ERR_ENTITY_TOO_LARGE,
		"an object that was appended to as often as can be takes no more");
	OK(put_object(s, made.id, S("log"), TINY, NULL) == ERR_OK, "but can be replaced");
	store_close(s);
	rados_detach(made.r);
}

/* ---- A chunk that is lost -------------------------------------------------------------------- */

static void a_lost_chunk_is_damage(void)
{
	struct made made = make("lost");
	struct store *s = ceph_open_or_end(&ceph, ceph_small("lost"));
	struct store_get get;
	set_chunk(&made, "data", made.data, 0, S(""));
	OK(get_begin(s, made.id, S("large"), false, &get) == ERR_INTERNAL,
		"an object whose first chunk is lost is damaged: who asks again gets no other "
		"answer");
	OK(atomic_load(&rados_of(s)->damaged_reads) == 1, "and it is counted");
	store_close(s);
	rados_detach(made.r);
}

/* ---- A tablet that cannot be read ------------------------------------------------------------ */

static void damage_head(struct made *made)
{
	char name[RADOS_NAME_BYTES];
	struct edit edit = edit_begin(made->r->index);
	edit_set(&edit, S(ROW_HEAD), S("?"));
	if (edit_run(&edit, rados_tablet_name(name, made->versioned, 0)) != 0)
		abort();
}

static void one_bucket_keeps_nobody_from_the_others(void)
{
	struct made made = make("one");
	struct store_get get;
	damage_head(&made);
	struct store *s = ceph_open_or_end(&ceph, ceph_small("one"));
	bool found = get_begin(s, made.id, S("tiny"), false, &get) == ERR_OK;
	OK(found, "a gateway starts though a tablet cannot be read, and serves the others");
	if (found)
		store_get_release(s, &get);
	OK(put_object(s, made.versioned, S("v"), TINY, NULL) != ERR_OK, "and not that one");
	store_close(s);
	rados_detach(made.r);
}

/* ---- Memory ---------------------------------------------------------------------------------- */

static enum err list_prefix(struct store *s, uint64_t id, struct slice prefix)
{
	struct store_list list = {.bucket_id = id, .prefix = prefix, .pool = BUDGET_SIGNED};
	enum err e = list_objects(s, &list);
	if (e == ERR_OK)
		store_list_release(s, &list);
	return e;
}

/* While a list is made it is there twice: as Ceph has sent it, and as it is answered. */
static void rows_are_counted(void)
{
	static char headers[KIB(6)];
	enum {
		OBJECTS = 8
	};
	/* All in one tablet, which is not split meanwhile. */
	const struct rados_options options = {.space = "memory"};
	struct store *s = ceph_open_or_end(&ceph, options);
	struct put_how how = {.headers = slice_of(headers, sizeof(headers))};
	struct budget_account rest = {.pool = BUDGET_SIGNED};
	struct budget_stats stats;
	char key[16];
	bool ok = bucket_create(s, S("b"), STORE_ACL_PRIVATE) == ERR_OK;
	uint64_t id = bucket_id(s, S("b"));
	memset(headers, 'a', sizeof(headers));
	for (unsigned i = 0; ok && i < OBJECTS; i++) {
		(void)snprintf(key, sizeof(key), "big/%02u", i);
		ok = put_object(s, id, slice_str(key), S("1"), &how) == ERR_OK;
	}
	OK(ok, "objects with long headers");
	budget_set(MIB(16));
	while (budget_take(&rest, KIB(1)))
		continue;
	while (rest.bytes && list_prefix(s, id, S("none/")) != ERR_OK)
		budget_give(&rest, KIB(1));
	budget_give(&rest, OBJECTS * sizeof(headers) * 3 / 2);
	IS_INT(list_prefix(s, id, S("big/")), ERR_UNAVAILABLE, "there is no memory for both");
	budget_give(&rest, OBJECTS * sizeof(headers));
	IS_INT(list_prefix(s, id, S("big/")), ERR_OK, "there is");
	budget_close(&rest);
	budget_stats(&stats);
	IS_INT((int)stats.used[BUDGET_SIGNED], 0, "and all is given back");
	budget_set(0);
	store_close(s);
}

int main(void)
{
	if (!checks_start())
		return tap_done();
	versioning_is_followed();
	the_last_append_is_refused();
	a_lost_chunk_is_damage();
	one_bucket_keeps_nobody_from_the_others();
	rows_are_counted();
	ceph_stop(&ceph);
	return tap_done();
}
