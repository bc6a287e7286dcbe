/* SPDX-License-Identifier: Apache-2.0 */
/* What changes mean, without a store: store/rules alone. */
#include "store/rules/rules.h"

#include "base/limits.h"
#include "crypto/crc64.h"
#include "crypto/digest.h"
#include "tap.h"

enum {
	VERSION = 100,
	NOW = 5000,
};

static struct rules_effects effects;

/* Decides with what is in the view alone. */
static enum err decide(const struct rules_view *view, const struct rules_mutation *mutation)
{
	return rules_decide(view, mutation, NOW, VERSION, &effects);
}

/* ---- New versions ---------------------------------------------------------------------------- */

static const struct store_object kept = {.size = 10, .version = 7, .acl = STORE_ACL_PRIVATE};
static const struct store_object null_one = {.size = 20, .version = 5, .is_null = true};
static const struct store_object marker = {.version = 9, .is_marker = true};
static const struct store_object brought = {.size = 3};

/* What a put and a plain delete do to what is there. */
static const struct {
	const char *name;
	enum store_versioning versioning;
	const struct store_object *current;
	const struct store_object *null; /* an older version */
	enum rules_fate current_fate;
	enum rules_fate null_fate;
	struct store_bucket_stats put;
	struct store_bucket_stats deleted;
} ways[] = {
	{"nothing there", STORE_UNVERSIONED, NULL, NULL, RULES_STAYS, RULES_STAYS,
		{1, 3, 0, 0, 0, 0}, {0, 0, 0, 0, 0, 0}},
	{"replaced", STORE_UNVERSIONED, &null_one, NULL, RULES_GOES, RULES_STAYS,
		{0, (uint64_t)-17, 0, 0, 0, 0}, {(uint64_t)-1, (uint64_t)-20, 0, 0, 0, 0}},
	{"first version", STORE_VERSIONED, NULL, NULL, RULES_STAYS, RULES_STAYS, {1, 3, 0, 0, 0, 0},
		{0, 0, 1, 0, 0, 0}},
	{"kept", STORE_VERSIONED, &kept, NULL, RULES_BECOMES_OLDER, RULES_STAYS,
		{0, (uint64_t)-7, 1, 10, 0, 0}, {(uint64_t)-1, (uint64_t)-10, 2, 10, 0, 0}},
	{"null kept", STORE_VERSIONED, &null_one, NULL, RULES_BECOMES_OLDER, RULES_STAYS,
		{0, (uint64_t)-17, 1, 20, 0, 0}, {(uint64_t)-1, (uint64_t)-20, 2, 20, 0, 0}},
	{"null replaced", STORE_VERSIONING_SUSPENDED, &null_one, NULL, RULES_GOES, RULES_STAYS,
		{0, (uint64_t)-17, 0, 0, 0, 0}, {(uint64_t)-1, (uint64_t)-20, 1, 0, 0, 0}},
	{"older null replaced", STORE_VERSIONING_SUSPENDED, &kept, &null_one, RULES_BECOMES_OLDER,
		RULES_GOES, {0, (uint64_t)-7, 0, (uint64_t)-10, 0, 0},
		{(uint64_t)-1, (uint64_t)-10, 1, (uint64_t)-10, 0, 0}},
	{"null replaced alone", STORE_VERSIONING_SUSPENDED, NULL, &null_one, RULES_STAYS,
		RULES_GOES, {1, 3, (uint64_t)-1, (uint64_t)-20, 0, 0},
		{0, 0, 0, (uint64_t)-20, 0, 0}},
};

static bool counts_are(const struct store_bucket_stats *want)
{
	return memcmp(&effects.counts, want, sizeof(*want)) == 0;
}

static void new_versions(void)
{
	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		struct rules_view view = {.versioning = ways[i].versioning};
		struct rules_mutation put = {.kind = RULES_PUT, .object = &brought};
		struct rules_mutation del = {.kind = RULES_DELETE};
		bool is_null = ways[i].versioning != STORE_VERSIONED;
		OK(decide(&view, &put) == ERR_OK && effects.needs == RULES_CURRENT,
			"%s: a put needs the current object", ways[i].name);
		view.known = RULES_CURRENT | RULES_NULL;
		view.current = ways[i].current;
		view.null = ways[i].null;
		OK(decide(&view, &put) == ERR_OK && effects.needs == 0 &&
				effects.current == ways[i].current_fate &&
				effects.null == ways[i].null_fate && counts_are(&ways[i].put),
			"%s: by a put", ways[i].name);
		OK(effects.made == RULES_MADE_CURRENT && effects.object.version == VERSION &&
				effects.object.modified_ms == NOW && effects.object.size == 3 &&
				effects.object.is_null == is_null,
			"%s: it is current", ways[i].name);
		OK(decide(&view, &del) == ERR_OK && effects.needs == 0 &&
				effects.existed == (ways[i].current != NULL) &&
				effects.current == ways[i].current_fate &&
				effects.null == ways[i].null_fate && counts_are(&ways[i].deleted),
			"%s: by a delete", ways[i].name);
		OK(ways[i].versioning == STORE_UNVERSIONED
				? effects.made == RULES_MADE_NOTHING
				: effects.made == RULES_MADE_MARKER && effects.object.is_marker &&
					  effects.object.version == VERSION &&
					  effects.object.is_null == is_null,
			"%s: a marker, where versions are kept", ways[i].name);
	}
	struct rules_view view = {
		.versioning = STORE_VERSIONING_SUSPENDED, .known = RULES_CURRENT, .current = &kept};
	struct rules_mutation put = {.kind = RULES_PUT, .object = &brought};
	OK(decide(&view, &put) == ERR_OK && effects.needs == RULES_NULL,
		"a version \"null\" has to be looked for");
}

static void conditions(void)
{
	struct rules_view view = {.known = RULES_CURRENT, .current = &kept};
	struct rules_mutation put = {
		.kind = RULES_PUT, .object = &brought, .forbid_overwrite = true};
	IS_INT(decide(&view, &put), ERR_FILE_ALREADY_EXISTS, "not over an object");
	put.forbid_overwrite = false;
	put.caller = STORE_CALLER_PUBLIC_BUCKET;
	IS_INT(decide(&view, &put), ERR_ACCESS_DENIED, "nor over a private one by anybody");
	view.current = NULL;
	IS_INT(decide(&view, &put), ERR_OK, "but where there is none");
	put.caller = STORE_CALLER_PUBLIC_OBJECT;
	IS_INT(decide(&view, &put), ERR_ACCESS_DENIED, "unless the bucket lets nobody");
	struct rules_mutation del = {.kind = RULES_DELETE, .only_if = {true, 8}};
	IS_INT(decide(&view, &del), ERR_PRECONDITION_FAILED, "what is not there was not seen");
	view.current = &kept;
	IS_INT(decide(&view, &del), ERR_PRECONDITION_FAILED, "nor another version");
	del.only_if.version = 7;
	IS_INT(decide(&view, &del), ERR_OK, "but this one");
}

/* ---- One version ----------------------------------------------------------------------------- */

static void deleting_versions(void)
{
	struct rules_view view = {
		.versioning = STORE_VERSIONED, .known = RULES_CURRENT, .current = &kept};
	struct rules_mutation del = {.kind = RULES_DELETE, .version = {.number = 7}};
	OK(decide(&view, &del) == ERR_OK && effects.needs == RULES_NEWEST,
		"who follows the current one has to be looked up");
	view.known |= RULES_NEWEST;
	view.newest = &null_one;
	const struct store_bucket_stats promoted = {0, 10, (uint64_t)-1, (uint64_t)-20, 0, 0};
	OK(decide(&view, &del) == ERR_OK && effects.current == RULES_GOES && effects.existed &&
			effects.newest == RULES_BECOMES_CURRENT && counts_are(&promoted),
		"the next older becomes current");
	view.newest = &marker;
	OK(decide(&view, &del) == ERR_OK && effects.current == RULES_GOES &&
			effects.newest == RULES_STAYS,
		"but no marker");
	del.version = (struct store_version){.is_null = true};
	OK(decide(&view, &del) == ERR_OK && effects.needs == RULES_NULL, "an older one by name");
	view.known |= RULES_NULL;
	view.null = &null_one;
	OK(decide(&view, &del) == ERR_OK && effects.null == RULES_GOES &&
			effects.current == RULES_STAYS && effects.newest == RULES_STAYS,
		"goes alone");
	view.current = NULL;
	view.newest = &kept;
	view.known |= RULES_NAMED;
	view.named = &marker;
	del.version = (struct store_version){.number = 9};
	OK(decide(&view, &del) == ERR_OK && effects.named == RULES_GOES && effects.deleted_marker &&
			effects.newest == RULES_BECOMES_CURRENT,
		"without its marker an object is back");
	view.named = NULL;
	OK(decide(&view, &del) == ERR_OK && !effects.existed && effects.newest == RULES_STAYS,
		"deleting what is not there changes nothing");
}

static void changing(void)
{
	const struct store_metadata_update change = {
		.set_acl = true, .acl = STORE_ACL_PUBLIC_READ, .set_tags = true, .tags = S("a=b")};
	struct rules_mutation m = {.kind = RULES_CHANGE, .change = &change};
	struct rules_view view = {.known = RULES_CURRENT, .current = &kept};
	OK(decide(&view, &m) == ERR_OK && effects.current == RULES_IS_CHANGED &&
			effects.object.acl == STORE_ACL_PUBLIC_READ &&
			slice_eq(effects.object.tags, S("a=b")) && effects.object.version == 7 &&
			effects.object.modified_ms == 0 && effects.made == RULES_MADE_NOTHING,
		"a version is changed, and stays that version");
	view.current = NULL;
	OK(decide(&view, &m) == ERR_OK && effects.needs == RULES_NEWEST, "there may be a marker");
	view.known |= RULES_NEWEST;
	view.newest = &marker;
	OK(decide(&view, &m) == ERR_NO_SUCH_KEY && effects.reported.is_marker &&
			effects.reported.version == 9,
		"which is told of");
	view.known |= RULES_NAMED;
	view.named = &marker;
	m.version.number = 9;
	IS_INT(decide(&view, &m), ERR_METHOD_NOT_ALLOWED, "and is not changed");
	view.named = NULL;
	IS_INT(decide(&view, &m), ERR_NO_SUCH_VERSION, "no version, no change");
}

/* ---- Uploads --------------------------------------------------------------------------------- */

static const struct store_object began = {
	.acl = STORE_ACL_PRIVATE, .headers = SLICE_LIT("A: b\r\n"), .tags = SLICE_LIT("c=d")};

static void parts(void)
{
	struct rules_view view = {.known = RULES_UPLOAD};
	struct rules_mutation m = {.kind = RULES_UPLOAD_PART, .object = &brought};
	IS_INT(decide(&view, &m), ERR_NO_SUCH_UPLOAD, "no part without an upload");
	view.upload = &began;
	OK(decide(&view, &m) == ERR_OK && effects.needs == RULES_PART, "is there one already?");
	view.known |= RULES_PART;
	view.part = &kept;
	const struct store_bucket_stats replaced = {0, 0, 0, 0, 0, (uint64_t)-7};
	OK(decide(&view, &m) == ERR_OK && effects.part == RULES_GOES &&
			effects.made == RULES_MADE_PART && counts_are(&replaced),
		"it is replaced");
}

static void completing(void)
{
	const struct store_part parts[] = {{.number = 1, .size = 4, .md5 = {1}},
		{.number = 3, .size = 5, .md5 = {3}}, {.number = 6, .size = 2, .md5 = {6}}};
	struct store_part_named named[] = {{1, {1}}, {6, {6}}};
	struct store_multipart_complete asked = {
		.parts = named, .part_count = 2, .part_bytes_min = 4};
	struct rules_view view = {.known = RULES_UPLOAD | RULES_PARTS | RULES_CURRENT,
		.upload = &began,
		.parts = parts,
		.part_count = 3,
		.current = &null_one};
	struct rules_mutation m = {.kind = RULES_UPLOAD_COMPLETE, .complete = &asked};
	const struct store_bucket_stats want = {
		0, (uint64_t)-14, 0, 0, (uint64_t)-1, (uint64_t)-11};
	OK(decide(&view, &m) == ERR_OK && effects.needs == 0 &&
			effects.upload == RULES_IS_COMPLETE && effects.current == RULES_GOES &&
			effects.made == RULES_MADE_CURRENT && counts_are(&want),
		"an upload becomes the object");
	OK(effects.object.size == 6 && effects.object.parts == 2 &&
			effects.object.type == STORE_MULTIPART &&
			effects.object.acl == STORE_ACL_PRIVATE &&
			slice_eq(effects.object.headers, began.headers) &&
			slice_eq(effects.object.tags, began.tags),
		"as it was begun, of the parts that were named");
	OK(rules_takes_part(&asked, 1) && !rules_takes_part(&asked, 3) &&
			rules_takes_part(&asked, 6) && !rules_takes_part(&asked, 7),
		"which are taken");
	unsigned char md5[MD5_BYTES];
	md5_of(S("01000000000000000000000000000000"
		 "06000000000000000000000000000000"),
		md5);
	OK(memcmp(effects.object.md5, md5, MD5_BYTES) == 0, "its MD5 is of their MD5s");
	asked.part_bytes_min = 5;
	OK(decide(&view, &m) == ERR_ENTITY_TOO_SMALL && effects.bad_part == 1, "one is small");
	asked.part_bytes_min = 0;
	named[0].md5[5] = 1;
	OK(decide(&view, &m) == ERR_INVALID_PART && effects.bad_part == 1, "one is another");
	named[0].md5[5] = 0;
	named[1].number = 7;
	OK(decide(&view, &m) == ERR_INVALID_PART && effects.bad_part == 7, "one is not there");
	asked.parts = NULL;
	OK(decide(&view, &m) == ERR_OK && effects.object.size == 11 && effects.object.parts == 3,
		"all, if none is named");
	m.forbid_overwrite = true;
	IS_INT(decide(&view, &m), ERR_FILE_ALREADY_EXISTS, "conditions are those of a put");
}

static void appending(void)
{
	struct store_object grown = {
		.size = 4, .version = 7, .type = STORE_APPENDABLE, .headers = S("A: b\r\n")};
	struct store_object piece = {.size = 3, .headers = S("C: d\r\n")};
	struct rules_view view = {.versioning = STORE_VERSIONED, .known = RULES_CURRENT};
	struct rules_mutation m = {.kind = RULES_APPEND, .object = &piece};
	grown.crc64 = crc64_update(0, S("four"));
	piece.crc64 = crc64_update(0, S("two"));
	OK(decide(&view, &m) == ERR_OK && effects.made == RULES_MADE_CURRENT &&
			effects.object.type == STORE_APPENDABLE && effects.reported.size == 3,
		"the first piece makes an object");
	view.current = &grown;
	IS_INT(decide(&view, &m), ERR_POSITION_NOT_EQUAL_TO_LENGTH, "the next goes to its end");
	IS_INT(effects.reported.size, 4, "which is told");
	m.position = 4;
	OK(decide(&view, &m) == ERR_OK && effects.current == RULES_GROWS &&
			effects.made == RULES_MADE_NOTHING && effects.object.size == 7 &&
			effects.object.version == 7 &&
			effects.object.crc64 == crc64_update(0, S("fourtwo")) &&
			slice_eq(effects.object.headers, grown.headers),
		"there it grows");
	grown.type = STORE_NORMAL;
	IS_INT(decide(&view, &m), ERR_NOT_APPENDABLE, "a plain object does not");
}

/* ---- What is kept of another store ----------------------------------------------------------- */

/* What becomes of what is there, whatever the bucket's versioning. */
static const struct {
	const char *name;
	enum store_versioning versioning;
	bool is_null;
	const struct store_object *current;
	const struct store_object *null;
	enum rules_fate current_fate;
	enum rules_fate null_fate;
} keeps[] = {
	{"null, never kept", STORE_UNVERSIONED, true, &null_one, NULL, RULES_GOES, RULES_STAYS},
	{"numbered, kept", STORE_VERSIONED, false, &kept, &null_one, RULES_BECOMES_OLDER,
		RULES_STAYS},
	{"null, kept", STORE_VERSIONED, true, &kept, &null_one, RULES_BECOMES_OLDER, RULES_GOES},
	{"numbered, suspended", STORE_VERSIONING_SUSPENDED, false, &null_one, NULL,
		RULES_BECOMES_OLDER, RULES_STAYS},
	{"null, suspended", STORE_VERSIONING_SUSPENDED, true, &null_one, NULL, RULES_GOES,
		RULES_STAYS},
};

static void keeping(void)
{
	struct store_kept with = {
		.version = 50, .modified_ms = 60, .type = STORE_MULTIPART, .parts = 2};
	struct rules_mutation put = {.kind = RULES_PUT, .object = &brought, .kept = &with};
	for (size_t i = 0; i < ARRAY_LEN(keeps); i++) {
		const struct rules_view view = {.versioning = keeps[i].versioning,
			.known = RULES_CURRENT | RULES_NULL | RULES_NEWEST,
			.current = keeps[i].current,
			.null = keeps[i].null};
		with.is_null = keeps[i].is_null;
		OK(decide(&view, &put) == ERR_OK && effects.needs == 0 &&
				effects.current == keeps[i].current_fate &&
				effects.null == keeps[i].null_fate,
			"kept: %s", keeps[i].name);
		OK(effects.made == RULES_MADE_CURRENT && effects.object.version == 50 &&
				effects.object.modified_ms == 60 && effects.object.parts == 2 &&
				effects.object.type == STORE_MULTIPART &&
				effects.object.size == 3 &&
				effects.object.is_null == keeps[i].is_null,
			"kept: %s: it is as it was", keeps[i].name);
	}
	struct rules_view view = {.versioning = STORE_VERSIONED, .known = RULES_CURRENT};
	struct rules_mutation del = {.kind = RULES_DELETE, .kept = &with};
	OK(decide(&view, &put) == ERR_OK && effects.needs == RULES_NEWEST,
		"the newest has to be looked for");
	view.known |= RULES_NEWEST | RULES_NULL;
	OK(decide(&view, &del) == ERR_OK && effects.made == RULES_MADE_MARKER &&
			effects.object.version == 50 && effects.object.modified_ms == 60,
		"a marker is kept");
	with.version = marker.version;
	view.newest = &marker;
	IS_INT(decide(&view, &put), ERR_PRECONDITION_FAILED, "but not behind one as new");
	IS_INT(decide(&view, &del), ERR_PRECONDITION_FAILED, "nor is a marker");
}

int main(void)
{
	new_versions();
	conditions();
	deleting_versions();
	changing();
	parts();
	completing();
	appending();
	keeping();
	return tap_done();
}
