/* SPDX-License-Identifier: Apache-2.0 */
/* Checking a store on Ceph: what is damaged is found, and repaired. */
#include "store/rados/rows/tablet_rows.h"
#include "unit/store/checks.h"

/* ---- Damage ---------------------------------------------------------------------------------- */

static void set_row(struct made *made, uint64_t bucket, struct row_key row, struct slice value)
{
	char name[RADOS_NAME_BYTES];
	struct edit edit = edit_begin(made->r->index);
	if (value.len)
		edit_set(&edit, row_key_slice(&row), value);
	else
		edit_remove(&edit, row_key_slice(&row));
	if (edit_run(&edit, rados_tablet_name(name, bucket, 0)) != 0)
		abort();
}

static char *row_of(struct made *made, uint64_t bucket, char kind, size_t at, struct row_key *ret,
	struct slice *ret_value)
{
	char name[RADOS_NAME_BYTES];
	const char prefix[] = {kind, '\0'};
	struct fetch *fetch = fetch_new();
	size_t number = fetch_range(fetch, "", prefix, 100);
	if (fetch_run(fetch, made->r->index, rados_tablet_name(name, bucket, 0)) != 0 ||
		fetch_rows(fetch, number)->count <= at)
		abort();
	const struct row *row = &fetch_rows(fetch, number)->rows[at];
	char *copy = malloc(row->value.len);
	if (!copy)
		abort();
	memcpy(copy, row->value.ptr, row->value.len);
	memcpy(ret->bytes, row->key.ptr, row->key.len);
	ret->bytes[row->key.len] = '\0';
	ret->len = row->key.len;
	*ret_value = slice_of(copy, row->value.len);
	fetch_free(fetch);
	return copy;
}

/* The first row of that kind goes, or becomes what it was with one byte changed. */
static void damage_row(struct made *made, uint64_t bucket, char kind, bool removes)
{
	struct row_key key;
	struct slice value;
	char *bytes = row_of(made, bucket, kind, 0, &key, &value);
	bytes[value.len - 1] ^= 1;
	set_row(made, bucket, key, removes ? S("") : slice_of(bytes, value.len));
	free(bytes);
}

static void data_is_looked_at(void)
{
	struct made made = make("data");
	OK(is_clean("data"), "a store is found to be whole");
	set_chunk(&made, "data", made.data, 1, S(""));
	OK(finds("data", 1, 0, "bucket=b key=large version="), "a chunk that is missing is found");
	set_chunk(&made, "data", made.data, 1, LARGE);
	OK(finds("data", 1, 0, "too long"), "so is one that is too long");
	set_chunk(&made, "small", made.other, 0, SMALL);
	OK(finds("data", 2, 0, "too short"), "one that is too short");
	char whole[sizeof(small) + 8];
	memset(whole, 'x', sizeof(whole));
	set_chunk(&made, "small", made.other, 0, slice_of(whole, sizeof(whole)));
	OK(finds("data", 2, 0, "a block of 64 KiB is damaged"), "and one with other bytes");
	set_chunk(&made, "small", made.other, 7, SMALL);
	set_chunk(&made, "data", 0x123456789, 0, SMALL);
	OK(finds("data", 2, 2, "harmless bucket= key= version= part=0 object=data/"),
		"objects that nothing refers to are told, and are no damage");
	rados_detach(made.r);
}

static void rows_are_looked_at(void)
{
	struct made made = make("rows");
	struct row_key key;
	struct slice value;
	char *bytes = row_of(&made, made.id, ROW_EXTENTS, 0, &key, &value);
	set_row(&made, made.id, key, S(""));
	OK(finds("rows", 1, 2, "key=log version=null part=0 object=index/t."),
		"a list of data that is missing is found");
	set_row(&made, made.id, key, value);
	free(bytes);
	bytes = row_of(&made, made.id, ROW_BYTES, 0, &key, &value);
	set_row(&made, made.id, key, S("tinY"));
	OK(finds("rows", 1, 0, "CRC-64"), "bytes in the tablet that are others");
	set_row(&made, made.id, key, value);
	free(bytes);
	set_row(&made, made.id, row_key_version(ROW_BYTES, S("tiny"), 5), TINY);
	OK(finds("rows", 1, 0, "bytes of a version that is not there"), "bytes of no version");
	set_row(&made, made.id, row_key_version(ROW_BYTES, S("tiny"), 5), S(""));
	bytes = row_of(&made, made.versioned, ROW_HIDDEN, 0, &key, &value);
	set_row(&made, made.versioned, key, S(""));
	OK(finds("rows", 1, 0, "older versions is missing"),
		"what says which are the older versions");
	set_row(&made, made.versioned, key, value);
	free(bytes);
	set_row(&made, made.id, row_key_of('q', S("a")), S("x"));
	set_row(&made, made.id, row_key_all_of(ROW_OBJECT, S("a")), S("x"));
	OK(finds("rows", 2, 0, "a row of no kind that is known"), "and rows that are none of ours");
	set_row(&made, made.id, row_key_of('q', S("a")), S(""));
	set_row(&made, made.id, row_key_all_of(ROW_OBJECT, S("a")), S(""));
	bytes = row_of(&made, made.id, ROW_UPLOAD, 0, &key, &value);
	set_row(&made, made.id, key, S(""));
	OK(finds("rows", 2, 0, "a part of no upload"), "parts without an upload, and wrong counts");
	set_row(&made, made.id, key, value);
	free(bytes);
	OK(is_clean("rows"), "what was put back is whole again");
	rados_detach(made.r);
}

static void counts_are_looked_at(void)
{
	struct made made = make("counts");
	damage_row(&made, made.id, ROW_OWN, false);
	OK(finds("counts", 1, 0, "bytes of parts, not 3001"), "counts that are wrong are found");
	struct told told = check("counts", true);
	bool ok = told.done && told.result.corrected == 1 && told.result.findings == 0 &&
		  told.result.lost == 0;
	told_free(&told, ok);
	OK(ok && is_clean("counts"), "and corrected");
	struct edit edit = edit_begin(made.r->index);
	edit_set(&edit, S(RADOS_BUCKET_COUNT), S("\0\0\0\0\0\0\0\7"));
	if (edit_run(&edit, RADOS_BUCKETS) != 0)
		abort();
	OK(finds("counts", 1, 0, "there are 2 buckets"), "so is the number of buckets");
	struct row_key setting = row_key_version(RADOS_SETTING_ROW, S("none"), 0);
	edit = edit_begin(made.r->index);
	edit_set(&edit, row_key_slice(&setting), S("x"));
	if (edit_run(&edit, RADOS_BUCKETS) != 0)
		abort();
	OK(finds("counts", 2, 0, "a setting of a bucket that is not there"), "and a lone setting");
	rados_detach(made.r);
}

static void references_are_looked_at(void)
{
	struct made made = make("references");
	struct row_key key;
	struct slice value;
	struct entry entry;
	/* `copy` has the data of `small`. */
	char *bytes = row_of(&made, made.id, ROW_OBJECT, 2, &key, &value);
	if (!entry_read(value, &entry) || entry.data != made.other)
		abort();
	set_row(&made, made.id, row_key_of(ROW_OBJECT, S("copy")), value);
	OK(finds("references", 3, 0, "is also another one's"),
		"data that two refer to is found, at both");
	set_row(&made, made.id, row_key_of(ROW_OBJECT, S("copy")), S(""));
	SCOPED_STRBUF(extents, 64);
	extents_add(&extents, (struct extent){made.other, sizeof(small)});
	set_row(&made, made.id, row_key_garbage(1000000, 1), strbuf_slice(&extents));
	OK(finds("references", 1, 0, "is also garbage"), "so is garbage that somebody needs");
	free(bytes);
	rados_detach(made.r);
}

/* ---- Tablets --------------------------------------------------------------------------------- */

/* A bucket of several tablets; *ret_right is the second one. */
static struct made make_split(const char *space, uint64_t *ret_right, struct strbuf *ret_head)
{
	struct rados_options options = ceph_small(space);
	struct made made = {.space = space};
	struct store *s = ceph_open_or_end(&ceph, options);
	made.id = bucket_made(s, S("b"));
	for (unsigned i = 0; i < 60; i++) {
		char key[16];
		int len = snprintf(key, sizeof(key), "k%02u", i * 7 % 60);
		if (put_object(s, made.id, slice_of(key, (size_t)len), TINY, NULL) != ERR_OK)
			abort();
	}
	store_close(s);
	options.clock = &clock_system;
	options.config = ceph.config;
	options.id = "admin";
	if (rados_attach(&options, &made.r) != ERR_OK)
		abort();
	struct row_key key;
	struct slice value;
	struct head head;
	char *bytes = row_of(&made, made.id, 'H', 0, &key, &value);
	if (!head_parse(value, &head) || !head.right)
		abort();
	*ret_right = head.right;
	strbuf_add_slice(ret_head, value);
	free(bytes);
	return made;
}

static struct row_key head_key(void)
{
	return (struct row_key){.len = 1, .bytes = ROW_HEAD};
}

static void tablets_are_looked_at(void)
{
	uint64_t right;
	SCOPED_STRBUF(whole, 4096);
	SCOPED_STRBUF(cut, 4096);
	struct made made = make_split("tablets", &right, &whole);
	struct head head;
	char name[RADOS_NAME_BYTES];
	if (!head_parse(strbuf_slice(&whole), &head))
		abort();
	OK(is_clean("tablets"), "a bucket that was split is whole");
	struct head other = head;
	other.high = S("");
	other.right = 0;
	head_format(&other, &cut);
	set_row(&made, made.id, head_key(), strbuf_slice(&cut));
	struct told told = check("tablets", false);
	bool ok = told.done && told.result.findings > 0 && told.result.leaked == 0 &&
		  strstr(told.text.ptr, "no tablet leads to it, and it has rows");
	told_free(&told, ok);
	OK(ok, "tablets that no other one leads to are found");
	strbuf_clear(&cut);
	other = head;
	other.high = S("k00");
	head_format(&other, &cut);
	set_row(&made, made.id, head_key(), strbuf_slice(&cut));
	told = check("tablets", false);
	ok = told.done && told.result.findings > 2 &&
	     strstr(told.text.ptr, "it begins behind the end of the tablet in front of it") &&
	     strstr(told.text.ptr, "a row is outside of its tablet's range");
	told_free(&told, ok);
	OK(ok, "so are keys between two tablets, and rows outside of theirs");
	set_row(&made, made.id, head_key(), strbuf_slice(&whole));
	set_row(&made, made.id, row_key_of(ROW_OBJECT, S("zzz")), S("x"));
	OK(finds("tablets", 1, 0, "a row is outside of its tablet's range"), "one such row");
	told = check("tablets", true);
	ok = told.done && told.result.corrected == 1 && told.result.findings == 0;
	told_free(&told, ok);
	OK(ok && is_clean("tablets"), "which a repair moves aside");
	rados_tablet_name(name, made.id, right);
	struct edit edit = edit_begin(made.r->index);
	edit_remove_object(&edit);
	if (edit_run(&edit, name) != 0)
		abort();
	told = check("tablets", false);
	ok = told.done && strstr(told.text.ptr, "a tablet of the bucket is missing");
	told_free(&told, ok);
	OK(ok, "a tablet that is missing is found");
	rados_detach(made.r);
}

/* ---- Repairing ------------------------------------------------------------------------------- */

static void what_is_lost_is_moved_aside(void)
{
	struct made made = make("mend");
	struct row_key key;
	struct slice value;
	uint64_t current = data_of(made.r, made.id, S("small"));
	set_chunk(&made, "small", current, 0, S("damaged"));
	char *bytes = row_of(&made, made.versioned, ROW_BYTES, 0, &key, &value);
	set_row(&made, made.versioned, key, S("tinY"));
	free(bytes);
	bytes = row_of(&made, made.id, ROW_PART, 0, &key, &value);
	set_row(&made, made.id, key, S("damaged"));
	free(bytes);
	struct told told = check("mend", true);
	bool ok = told.done && told.result.lost == 3 && told.result.findings == 0 &&
		  strstr(told.text.ptr, "lost bucket=b key=small") &&
		  strstr(told.text.ptr, "lost bucket=versions key=v version=") &&
		  strstr(told.text.ptr, "lost bucket=b key=u");
	told_free(&told, ok);
	OK(ok, "what is lost is told");
	OK(finds("mend", 0, 1, "small/"), "and then the store is whole, but for what was a part's");
	struct store *s = ceph_open_or_end(&ceph, ceph_small("mend"));
	OK(head_object(s, made.id, S("small")) == ERR_NO_SUCH_KEY &&
			object_is(s, made.id, S("large"), LARGE) &&
			object_is(s, made.id, S("tiny"), TINY),
		"a lost object is not there, and the others are");
	OK(head_object(s, made.versioned, S("v")) == ERR_NO_SUCH_KEY &&
			version_is(s, made.versioned, S("v"), version_number(made.first.version),
				SMALL),
		"no older version takes its place, but it can be read");
	OK(put_object(s, made.versioned, S("v"), LARGE, NULL) == ERR_OK &&
			put_object(s, made.id, S("small"), LARGE, NULL) == ERR_OK &&
			object_is(s, made.versioned, S("v"), LARGE),
		"and may be put again");
	store_close(s);
	OK(finds("mend", 0, 1, "small/"), "which changes nothing of that");
	rados_detach(made.r);
}

/* ---- Many rows ------------------------------------------------------------------------------- */

struct busy {
	struct store *s;
	uint64_t id;
	atomic_bool ends;
	bool failed;
};

static void *be_busy(void *arg)
{
	struct busy *busy = arg;
	for (unsigned i = 0; !atomic_load(&busy->ends) && !busy->failed; i++) {
		char key[16];
		int len = snprintf(key, sizeof(key), "m%04ub", i * 37 % MANY_KEYS);
		struct slice name = slice_of(key, (size_t)len);
		busy->failed = put_object(busy->s, busy->id, name, TINY, NULL) != ERR_OK ||
			       (i % 2 && delete_object(busy->s, busy->id, name, NULL) != ERR_OK);
	}
	return NULL;
}

static void many_rows_are_looked_at(void)
{
	struct rados_options options = ceph_small("many");
	struct busy busy = {.ends = false};
	char name[RADOS_NAME_BYTES];
	pthread_t thread;
	options.split = 1000000;
	busy.s = ceph_open_or_end(&ceph, options);
	busy.id = bucket_made(busy.s, S("b"));
	rados_tablet_name(name, busy.id, 0);
	struct rados *r = rados_of(busy.s);
	add_many(r, name);
	struct told told = check("many", false);
	bool ok = told.done && told.result.findings == 0 && told.result.moving == 0 &&
		  told.result.tally.objects == MANY_KEYS &&
		  told.result.tally.versions == MANY_VERSIONS;
	told_free(&told, ok);
	OK(ok, "a tablet of many pages, and a key of more rows than a page, are whole");
	if (pthread_create(&thread, NULL, be_busy, &busy) != 0)
		abort();
	for (unsigned i = 0; i < 5; i++) {
		told = check("many", false);
		bool same = told.done && told.result.findings == 0 && told.result.moving == 0;
		told_free(&told, same);
		ok = ok && same;
	}
	OK(ok, "also while it changes all the time");
	struct edit edit = edit_begin(r->index);
	set_sum(&edit, MANY_KEYS + 1);
	if (edit_run(&edit, name) != 0)
		abort();
	OK(finds("many", 1, 0, "its counts are wrong"), "then, too, wrong counts are found");
	told = check("many", true);
	ok = told.done && told.result.corrected == 1 && told.result.findings == 0;
	told_free(&told, ok);
	OK(ok && is_clean("many"), "and corrected");
	atomic_store(&busy.ends, true);
	(void)pthread_join(thread, NULL);
	OK(!busy.failed && is_clean("many"), "and nobody noticed");
	store_close(busy.s);
}

int main(void)
{
	if (!checks_start())
		return tap_done();
	data_is_looked_at();
	rows_are_looked_at();
	counts_are_looked_at();
	references_are_looked_at();
	tablets_are_looked_at();
	what_is_lost_is_moved_aside();
	many_rows_are_looked_at();
	ceph_stop(&ceph);
	return tap_done();
}
