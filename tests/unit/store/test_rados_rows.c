/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of the store on RADOS: keys in the order of what they name, and values, there and back.
 */
#include "store/rados/rows/entry.h"
#include "store/rados/rows/gateway_row.h"
#include "store/rados/rows/key.h"
#include "store/rados/rows/tablet_rows.h"
#include "tap.h"

enum {
	ROUNDS = 20000,
	KEY_MAX = 6,
};

static uint32_t random_state = 7;

static uint32_t random_below(uint32_t below)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (random_state >> 8) % below;
}

/* Bytes that are escaped, and their neighbours. */
static struct slice random_key(char *to)
{
	static const unsigned char bytes[] = {0, 1, 2, 3, 'a', 0xfd, 0xfe, 0xff};
	size_t len = 1 + random_below(KEY_MAX - 1);
	for (size_t i = 0; i < len; i++)
		to[i] = (char)bytes[random_below(sizeof(bytes))];
	return slice_of(to, len);
}

static int sign(int order)
{
	return (order > 0) - (order < 0);
}

static int compare(const struct row_key *a, const struct row_key *b)
{
	return sign(slice_cmp(row_key_slice(a), row_key_slice(b)));
}

static bool has_no_nul(const struct row_key *key)
{
	return strlen(key->bytes) == key->len;
}

static bool names(const struct row_key *row, struct slice key, uint64_t number, uint32_t part)
{
	struct row_name name;
	return row_key_parse(row_key_slice(row), &name) && slice_eq(row_name_key(&name), key) &&
	       name.number == number && name.part == part;
}

static void keys_are_ordered(void)
{
	bool ordered = true;
	bool prefixed = true;
	bool parsed = true;
	for (unsigned i = 0; i < ROUNDS; i++) {
		char bytes[2][KEY_MAX];
		struct slice a = random_key(bytes[0]);
		struct slice b = random_key(bytes[1]);
		int order = sign(slice_cmp(a, b));
		struct row_key rows[] = {row_key_of(ROW_OBJECT, a), row_key_of(ROW_OBJECT, b)};
		struct row_key past = row_key_past(&rows[0]);
		ordered = ordered && compare(&rows[0], &rows[1]) == order;
		/* All that begins with a key is before what is behind it, and all else is not. */
		bool begins = slice_starts(b, a);
		prefixed =
			prefixed &&
			slice_starts(row_key_slice(&rows[1]), row_key_slice(&rows[0])) == begins &&
			(order > 0 || (compare(&rows[1], &past) < 0) == begins);
		uint64_t one = random_below(4) ? random_below(3) : UINT64_MAX - random_below(3);
		uint64_t two = random_below(4) ? random_below(3) : UINT64_MAX - random_below(3);
		struct row_key versions[] = {
			row_key_version(ROW_VERSION, a, one), row_key_version(ROW_VERSION, b, two)};
		struct row_key uploads[] = {row_key_upload(a, one), row_key_upload(b, two)};
		int numbers = (one > two) - (one < two);
		ordered = ordered &&
			  compare(&versions[0], &versions[1]) == (order ? order : -numbers) &&
			  compare(&uploads[0], &uploads[1]) == (order ? order : numbers);
		uint32_t part = random_below(ROW_PART_MAX + 1);
		struct row_key piece = row_key_part(a, one, part);
		struct row_key pieces = row_key_parts(a, one);
		struct row_key pieces_past = row_key_past(&pieces);
		ordered = ordered && compare(&pieces, &piece) < 0 &&
			  compare(&piece, &pieces_past) < 0;
		parsed = parsed && names(&rows[0], a, 0, 0) && names(&versions[0], a, one, 0) &&
			 names(&uploads[0], a, one, 0) && names(&piece, a, one, part) &&
			 has_no_nul(&rows[0]) && has_no_nul(&versions[0]) && has_no_nul(&piece);
	}
	OK(ordered, "rows are in the order of keys, then versions from the newest, or uploads");
	OK(prefixed, "prefixes stay prefixes, and what is behind them is behind all of them");
	OK(parsed, "what a key was made of is read from it, and no key has a NUL");
	char longest[LIMIT_KEY_BYTES];
	memset(longest, 0xff, sizeof(longest));
	struct slice key = slice_of(longest, sizeof(longest));
	struct row_key row = row_key_part(key, UINT64_MAX, ROW_PART_MAX);
	struct row_key past = row_key_past(&row);
	OK(names(&row, key, UINT64_MAX, ROW_PART_MAX) && past.len == ROW_KEY_BYTES_MAX,
		"the longest key fits");
}

static void wrong_keys(void)
{
	static const struct slice rows[] = {SLICE_LIT(""), SLICE_LIT("o"), SLICE_LIT("oa\x01"),
		SLICE_LIT("oa\x01\x01"), SLICE_LIT("oa\x01\x04"), SLICE_LIT("oa\xfe"),
		SLICE_LIT("oa\xfe\x03"), SLICE_LIT("oa\xff"), SLICE_LIT("oa\0b"), SLICE_LIT("va"),
		SLICE_LIT("va\x01\x01"),
		SLICE_LIT("va\x01\x01\x81\x80\x80\x80\x80\x80\x80\x80\x80"),
		SLICE_LIT("va\x01\x01\x82\x80\x80\x80\x80\x80\x80\x80\x80\x80"),
		SLICE_LIT("va\x01\x01\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80"),
		SLICE_LIT("xa\x01\x01\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80"),
		SLICE_LIT("v\x01\x01\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80"), SLICE_LIT("E"),
		SLICE_LIT("ka")};
	struct row_name name;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		OK(!row_key_parse(rows[i], &name), "what is no key is refused (%zu)", i);
}

/* ---- Values ---------------------------------------------------------------------------------- */

static const struct entry full = {
	.revision = UINT64_C(0x0102030405060708),
	.object = {.size = UINT64_C(1) << 40,
		.modified_ms = 1700000000123,
		.crc64 = UINT64_MAX,
		.md5 = "0123456789abcde",
		.acl = STORE_ACL_PUBLIC_READ,
		.type = STORE_MULTIPART,
		.parts = 10000,
		.version = UINT64_MAX - 1,
		.is_null = true,
		.headers = SLICE_LIT("A: b\r\n"),
		.tags = SLICE_LIT("a=b")},
	.place = ENTRY_EXTENTS,
};

static bool same(const struct entry *a, const struct entry *b)
{
	const struct store_object *x = &a->object;
	const struct store_object *y = &b->object;
	return a->revision == b->revision && a->place == b->place && a->data == b->data &&
	       x->size == y->size && x->modified_ms == y->modified_ms && x->crc64 == y->crc64 &&
	       memcmp(x->md5, y->md5, sizeof(x->md5)) == 0 && x->acl == y->acl &&
	       x->type == y->type && x->parts == y->parts && x->version == y->version &&
	       x->is_null == y->is_null && x->is_marker == y->is_marker &&
	       slice_eq(x->headers, y->headers) && slice_eq(x->tags, y->tags);
}

static bool returns(struct entry entry)
{
	struct entry got;
	SCOPED_STRBUF(value, ENTRY_BYTES_MAX);
	entry_write(&entry, &value);
	return entry_read(strbuf_slice(&value), &got) && same(&entry, &got);
}

static bool is_refused(struct entry entry)
{
	struct entry got;
	SCOPED_STRBUF(value, ENTRY_BYTES_MAX);
	entry_write(&entry, &value);
	return !entry_read(strbuf_slice(&value), &got);
}

static void entries(void)
{
	struct entry got;
	SCOPED_STRBUF(value, ENTRY_BYTES_MAX);
	entry_write(&full, &value);
	OK(returns(full), "an entry comes back as it was");
	struct entry data = full;
	data.place = ENTRY_DATA;
	data.data = 1;
	OK(returns(data), "with data, too");
	const struct entry marker = {.object = {.version = 5, .is_marker = true}};
	OK(returns(marker), "and a marker");
	bool cut = true;
	for (size_t len = 0; len < value.len; len++)
		cut = cut && !entry_read(slice_head(strbuf_slice(&value), len), &got);
	strbuf_addc(&value, 'x');
	OK(cut && !entry_read(strbuf_slice(&value), &got),
		"one that is cut, or longer, is refused");
	data.data = 0;
	OK(is_refused(data), "data has a number");
	data = full;
	data.object.size = 0;
	OK(is_refused(data), "what is nowhere has no size, and the other way about");
	data = full;
	data.place = ENTRY_PLACES;
	OK(is_refused(data), "there is no other place");
	data = full;
	data.object.acl = (enum store_acl)9;
	OK(is_refused(data), "nor another ACL");
	data = full;
	data.object.is_marker = true;
	OK(is_refused(data), "a marker has no bytes");
}

static void parts_and_extents(void)
{
	struct part_entry part = {
		.part = {.size = 5, .modified_ms = 7, .crc64 = 9, .md5 = "x"}, .data = 11};
	struct part_entry got;
	SCOPED_STRBUF(value, ENTRY_BYTES_MAX);
	part_format(&part, &value);
	OK(part_parse(strbuf_slice(&value), &got) && got.part.size == 5 && got.data == 11 &&
			got.part.modified_ms == 7 && got.part.crc64 == 9 && got.part.md5[0] == 'x',
		"a part comes back as it was");
	OK(!part_parse(slice_head(strbuf_slice(&value), value.len - 1), &got), "but not cut");
	struct extents extents;
	strbuf_clear(&value);
	OK(!extents_parse(strbuf_slice(&value), &extents), "there are no extents in nothing");
	extents_add(&value, (struct extent){1, 2});
	extents_add(&value, (struct extent){3, UINT64_MAX - 2});
	OK(extents_parse(strbuf_slice(&value), &extents) && extents.count == 2 &&
			extents_at(&extents, 1).data == 3 &&
			extents_at(&extents, 1).size == UINT64_MAX - 2,
		"extents come back");
	extents_add(&value, (struct extent){4, 1});
	OK(!extents_parse(strbuf_slice(&value), &extents),
		"unless they are more than there can be");
	strbuf_clear(&value);
	extents_add(&value, (struct extent){0, 1});
	OK(!extents_parse(strbuf_slice(&value), &extents), "or one has no number");
}

static void tablets(void)
{
	SCOPED_STRBUF(value, ENTRY_BYTES_MAX);
	struct epoch epoch;
	epoch_format(&(struct epoch){.epoch = 3, .tablet = 4}, &value);
	OK(epoch_parse(strbuf_slice(&value), &epoch) && epoch.epoch == 3 && epoch.tablet == 4,
		"an epoch");
	struct head head;
	strbuf_clear(&value);
	head_format(&(struct head){.state = HEAD_FROZEN,
			    .versioning = STORE_VERSIONING_SUSPENDED,
			    .bucket = 5,
			    .low = S("b"),
			    .high = S("cd"),
			    .right = 6},
		&value);
	OK(head_parse(strbuf_slice(&value), &head) && head.state == HEAD_FROZEN &&
			head.versioning == STORE_VERSIONING_SUSPENDED && head.bucket == 5 &&
			slice_eq(head.low, S("b")) && slice_eq(head.high, S("cd")) &&
			head.right == 6 && head.copying == 0,
		"a head");
	OK(!head_is_behind(&head, S("cc")) && head_is_behind(&head, S("cd")),
		"a key where a tablet ends is behind it");
	value.ptr[0] = 3;
	OK(!head_parse(strbuf_slice(&value), &head), "but none of a later format");
	struct gateway_row gateway;
	strbuf_clear(&value);
	gateway_row_format(&(struct gateway_row){.is_dead = true,
				   .format = 7,
				   .beats = 1,
				   .oldest = 2,
				   .low = 3,
				   .end = 4,
				   .open = {5, 6},
				   .open_count = 2},
		&value);
	OK(gateway_row_parse(strbuf_slice(&value), &gateway) && gateway.is_dead &&
			gateway.format == 7 && gateway.beats == 1 && gateway.oldest == 2 &&
			gateway.low == 3 && gateway.end == 4 && gateway.open_count == 2 &&
			gateway.open[1] == 6,
		"a gateway");
	OK(!gateway_row_parse(slice_head(strbuf_slice(&value), value.len - 1), &gateway),
		"but none that was cut");
	struct data_owner owner;
	strbuf_clear(&value);
	data_owner_format(
		&(struct data_owner){.bucket = 1, .upload = 2, .part = 3, .key = S("k")}, &value);
	OK(data_owner_parse(strbuf_slice(&value), &owner) && owner.bucket == 1 &&
			owner.upload == 2 && owner.part == 3 && slice_eq(owner.key, S("k")),
		"whose data is");
	struct row_key key = row_key_garbage(7, 8);
	uint64_t epoch_number;
	uint64_t revision;
	OK(row_key_parse_garbage(row_key_slice(&key), &epoch_number, &revision) &&
			epoch_number == 7 && revision == 8,
		"garbage");
	struct own own;
	strbuf_clear(&value);
	own_format(&(struct own){.sequence = 6, .counts = {1, 2, 3, 4, 5, UINT64_MAX}}, &value);
	OK(own_parse(strbuf_slice(&value), &own) && own.sequence == 6 && own.counts.objects == 1 &&
			own.counts.old_bytes == 4 && own.counts.part_bytes == UINT64_MAX,
		"an own row");
	struct own sum = {.sequence = 9, .living = S("\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0\7")};
	strbuf_clear(&value);
	own_format(&sum, &value);
	OK(own_parse(strbuf_slice(&value), &own) && own_has_ended(&own, 1) &&
			!own_has_ended(&own, 3) && own_has_ended(&own, 6) &&
			!own_has_ended(&own, 7) && own_has_ended(&own, 8) &&
			!own_has_ended(&own, 9),
		"the sum of those that have ended");
	strbuf_addc(&value, '\0');
	OK(!own_parse(strbuf_slice(&value), &own), "none that is cut");
	struct hidden hidden;
	strbuf_clear(&value);
	hidden_format(&(struct hidden){1, 2, 3, true, false, 4}, &value);
	OK(hidden_parse(strbuf_slice(&value), &hidden) && hidden.newest == 2 &&
			hidden.newest_ms == 3 && hidden.newest_is_marker &&
			!hidden.newest_is_null && hidden.null == 4,
		"what is hidden");
	struct bucket_row row;
	strbuf_clear(&value);
	bucket_row_format(
		&(struct bucket_row){
			7, {.id = 1, .generation = 2, .created_ms = 3, .acl = STORE_ACL_PRIVATE}},
		&value);
	OK(bucket_row_parse(strbuf_slice(&value), &row) && row.deleting == 7 &&
			row.bucket.id == 1 && row.bucket.generation == 2 &&
			row.bucket.acl == STORE_ACL_PRIVATE,
		"and a bucket come back as they were");
}

int main(void)
{
	keys_are_ordered();
	wrong_keys();
	entries();
	parts_and_extents();
	tablets();
	return tap_done();
}
