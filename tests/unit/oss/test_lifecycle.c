/* SPDX-License-Identifier: Apache-2.0 */
/* Lifecycle rules: what ends when, which prefixes are walked, which documents are valid. */
#include "oss/rules/lifecycle.h"

#include "base/limits.h"
#include "oss/text/iso8601.h"
#include "tap.h"

#define PROLOG "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define DOC(inside) "<LifecycleConfiguration>" inside "</LifecycleConfiguration>"
#define RULE(id, prefix, inside)                                                               \
	"<Rule><ID>" id "</ID><Prefix>" prefix "</Prefix><Status>Enabled</Status>" inside "</" \
	"Rule>"
#define EXPIRE(when) "<Expiration>" when "</Expiration>"
#define ABORT(when) "<AbortMultipartUpload>" when "</AbortMultipartUpload>"
#define OLD(days)                                                                \
	"<NoncurrentVersionExpiration><NoncurrentDays>" days "</NoncurrentDays>" \
	"</NoncurrentVersionExpiration>"
#define DAYS(n) "<Days>" n "</Days>"
#define BEFORE(day) "<CreatedBeforeDate>" day "T00:00:00.000Z</CreatedBeforeDate>"
#define DATE(day) "<Date>" day "T00:00:00.000Z</Date>"
#define MARKER "<ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker>"
#define TAG(key, value) "<Tag><Key>" key "</Key><Value>" value "</Value></Tag>"
#define FILTER(inside) "<Filter>" inside "</Filter>"
#define NOT(prefix, inside) "<Not><Prefix>" prefix "</Prefix>" inside "</Not>"

static struct lifecycle *parsed(const char *xml)
{
	struct lifecycle *lifecycle = NULL;
	SCOPED_STRBUF(reason, 1000);
	if (lifecycle_parse(slice_str(xml), false, &lifecycle, &reason) != ERR_OK)
		OK(false, "parses %s: %s", xml, reason.ptr);
	return lifecycle;
}

static int64_t ms_of(const char *time)
{
	int64_t ms = 0;
	if (!iso8601_parse(slice_str(time), &ms))
		OK(false, "%s is a time", time);
	return ms;
}

#define SINCE "2024-05-10T13:30:00Z"
#define MIDNIGHT "2024-05-10T00:00:00Z"

static const char two_rules[] = DOC(RULE("a", "logs/", EXPIRE(DAYS("10")))
		RULE("b", "tmp/", EXPIRE(DAYS("1")) ABORT(DAYS("2")) OLD("3")));
static const char whole[] =
	DOC(RULE("all", "", EXPIRE(BEFORE("2024-05-11")) ABORT(BEFORE("2024-05-10"))));
static const char from_date[] = DOC(RULE("d", "", EXPIRE(DATE("2024-06-01"))));
static const char markers[] = DOC(RULE("m", "logs/", EXPIRE(MARKER) OLD("5")));
static const char tagged[] = DOC(RULE("t", "", TAG("k", "v") TAG("a b", "1/2") EXPIRE(DAYS("1"))));
static const char not_prefix[] =
	DOC(RULE("n", "logs/", FILTER(NOT("logs/keep/", "")) EXPIRE(DAYS("1")) ABORT(DAYS("1"))));
static const char not_tag[] =
	DOC(RULE("n", "", FILTER(NOT("logs/", TAG("keep", "yes"))) EXPIRE(DAYS("1"))));
static const char sizes[] = DOC(RULE("s", "",
	FILTER("<ObjectSizeGreaterThan>100</ObjectSizeGreaterThan>"
	       "<ObjectSizeLessThan>200</ObjectSizeLessThan>") EXPIRE(DAYS("1"))));
static const char disabled[] =
	DOC("<Rule><ID>off</ID><Prefix/><Status>Disabled</Status>" EXPIRE(DAYS("1")) "</Rule>");

static const struct {
	const char *xml;
	enum lifecycle_subject subject;
	const char *key;
	uint64_t size;
	const char *tags;
	const char *since;
	const char *end; /* NULL: never */
	const char *rule;
} rows[] = {
	/* So many days later, at the next midnight. */
	{two_rules, LIFECYCLE_CURRENT, "logs/x", 1, "", SINCE, "2024-05-21T00:00:00Z", "a"},
	{two_rules, LIFECYCLE_CURRENT, "logs/x", 1, "", MIDNIGHT, "2024-05-20T00:00:00Z", "a"},
	{two_rules, LIFECYCLE_CURRENT, "tmp/x", 1, "", SINCE, "2024-05-12T00:00:00Z", "b"},
	{two_rules, LIFECYCLE_UPLOAD, "tmp/x", 0, "", SINCE, "2024-05-13T00:00:00Z", "b"},
	{two_rules, LIFECYCLE_NONCURRENT, "tmp/x", 1, "", SINCE, "2024-05-14T00:00:00Z", "b"},
	{two_rules, LIFECYCLE_UPLOAD, "logs/x", 0, "", SINCE, NULL, NULL},
	{two_rules, LIFECYCLE_NONCURRENT, "logs/x", 1, "", SINCE, NULL, NULL},
	{two_rules, LIFECYCLE_MARKER, "tmp/x", 0, "", SINCE, NULL, NULL},
	{two_rules, LIFECYCLE_CURRENT, "log", 1, "", SINCE, NULL, NULL},
	{two_rules, LIFECYCLE_CURRENT, "other", 1, "", SINCE, NULL, NULL},
	/* What is older than a date, at once; what is not, never. */
	{whole, LIFECYCLE_CURRENT, "x", 1, "", SINCE, SINCE, "all"},
	{whole, LIFECYCLE_CURRENT, "x", 1, "", "2024-05-10T23:59:59.999Z",
		"2024-05-10T23:59:59.999Z", "all"},
	{whole, LIFECYCLE_CURRENT, "x", 1, "", "2024-05-11T00:00:00Z", NULL, NULL},
	{whole, LIFECYCLE_UPLOAD, "x", 0, "", SINCE, NULL, NULL},
	{whole, LIFECYCLE_UPLOAD, "x", 0, "", "2024-05-09T00:00:00Z", "2024-05-09T00:00:00Z",
		"all"},
	/* Everything, from a date on. */
	{from_date, LIFECYCLE_CURRENT, "x", 1, "", SINCE, "2024-06-01T00:00:00Z", "d"},
	{from_date, LIFECYCLE_CURRENT, "x", 1, "", "2025-01-01T00:00:00Z", "2024-06-01T00:00:00Z",
		"d"},
	{from_date, LIFECYCLE_UPLOAD, "x", 1, "", SINCE, NULL, NULL},
	/* A marker that is alone, but no object. */
	{markers, LIFECYCLE_MARKER, "logs/x", 0, "", SINCE, SINCE, "m"},
	{markers, LIFECYCLE_MARKER, "x", 0, "", SINCE, NULL, NULL},
	{markers, LIFECYCLE_CURRENT, "logs/x", 1, "", SINCE, NULL, NULL},
	{markers, LIFECYCLE_NONCURRENT, "logs/x", 1, "", SINCE, "2024-05-16T00:00:00Z", "m"},
	/* All tags have to be there. */
	{tagged, LIFECYCLE_CURRENT, "x", 1, "k=v&a b=1/2", SINCE, "2024-05-12T00:00:00Z", "t"},
	{tagged, LIFECYCLE_CURRENT, "x", 1, "z=1&a b=1/2&k=v", SINCE, "2024-05-12T00:00:00Z", "t"},
	{tagged, LIFECYCLE_CURRENT, "x", 1, "k=v", SINCE, NULL, NULL},
	{tagged, LIFECYCLE_CURRENT, "x", 1, "k=w&a b=1/2", SINCE, NULL, NULL},
	{tagged, LIFECYCLE_CURRENT, "x", 1, "", SINCE, NULL, NULL},
	/* Not. */
	{not_prefix, LIFECYCLE_CURRENT, "logs/x", 1, "", SINCE, "2024-05-12T00:00:00Z", "n"},
	{not_prefix, LIFECYCLE_CURRENT, "logs/keep/x", 1, "", SINCE, NULL, NULL},
	{not_prefix, LIFECYCLE_UPLOAD, "logs/keep/x", 0, "", SINCE, NULL, NULL},
	{not_prefix, LIFECYCLE_UPLOAD, "logs/x", 0, "", SINCE, "2024-05-12T00:00:00Z", "n"},
	{not_tag, LIFECYCLE_CURRENT, "logs/x", 1, "keep=yes", SINCE, NULL, NULL},
	{not_tag, LIFECYCLE_CURRENT, "logs/x", 1, "keep=no", SINCE, "2024-05-12T00:00:00Z", "n"},
	{not_tag, LIFECYCLE_CURRENT, "x", 1, "keep=yes", SINCE, "2024-05-12T00:00:00Z", "n"},
	/* Sizes between two others. */
	{sizes, LIFECYCLE_CURRENT, "x", 100, "", SINCE, NULL, NULL},
	{sizes, LIFECYCLE_CURRENT, "x", 101, "", SINCE, "2024-05-12T00:00:00Z", "s"},
	{sizes, LIFECYCLE_CURRENT, "x", 199, "", SINCE, "2024-05-12T00:00:00Z", "s"},
	{sizes, LIFECYCLE_CURRENT, "x", 200, "", SINCE, NULL, NULL},
	{disabled, LIFECYCLE_CURRENT, "x", 1, "", SINCE, NULL, NULL},
};

static void ends(void)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct lifecycle *lifecycle = parsed(rows[i].xml);
		const struct lifecycle_facts facts = {
			.subject = rows[i].subject,
			.key = slice_str(rows[i].key),
			.size = rows[i].size,
			.tags = slice_str(rows[i].tags),
			.since_ms = ms_of(rows[i].since),
		};
		int64_t end_ms = -1;
		struct slice rule = S("");
		bool found = lifecycle_find(lifecycle, &facts, &end_ms, &rule);
		OK(found == (rows[i].end != NULL), "row %zu, %s: ends or not", i, rows[i].key);
		if (rows[i].end) {
			IS_INT(end_ms, ms_of(rows[i].end), "its end");
			IS(rule, slice_str(rows[i].rule), "its rule");
		}
		lifecycle_free(lifecycle);
	}
}

static void earliest(void)
{
	static const char xml[] = DOC(RULE("late", "", EXPIRE(DAYS("9"))) RULE(
		"early", "a", EXPIRE(DAYS("3"))) RULE("middle", "ab", EXPIRE(DAYS("5"))));
	struct lifecycle *lifecycle = NULL;
	SCOPED_STRBUF(reason, 1000);
	OK(lifecycle_parse(slice_str(xml), false, &lifecycle, &reason) == ERR_INVALID_REQUEST,
		"overlapping rules are refused");
	IS(strbuf_slice(&reason), S("Overlap for same action type Expiration"), "with OSS's words");
	strbuf_clear(&reason);
	OK(lifecycle_parse(slice_str(xml), true, &lifecycle, &reason) == ERR_OK,
		"unless they are asked for");
	struct lifecycle_facts facts = {.key = S("abc"), .since_ms = ms_of(MIDNIGHT)};
	int64_t end_ms = -1;
	struct slice rule = S("");
	OK(lifecycle_find(lifecycle, &facts, &end_ms, &rule), "all three fit");
	IS(rule, S("early"), "the earliest end counts");
	IS_INT(end_ms, ms_of("2024-05-13T00:00:00Z"), "and is told");
	lifecycle_free(lifecycle);
}

static void walks(void)
{
	static const char xml[] = DOC(RULE("1", "b/c/", EXPIRE(DAYS("1"))) RULE(
		"2", "x", ABORT(DAYS("1"))) RULE("3", "b/", EXPIRE(MARKER)) RULE("4", "a", OLD("1"))
			RULE("5", "b", OLD("1")) RULE("6", "c",
				EXPIRE(DAYS("1"))) "<Rule><ID>7</ID><Prefix/><Status>Disabled</"
						   "Status>" EXPIRE(DAYS("1")) "</Rule>");
	struct lifecycle *lifecycle = NULL;
	SCOPED_STRBUF(reason, 1000);
	if (!OK(lifecycle_parse(slice_str(xml), true, &lifecycle, &reason) == ERR_OK, "%s",
		    reason.ptr))
		return;
	static const struct {
		unsigned subjects;
		const char *want;
	} wanted[] = {
		{LIFECYCLE_BIT(LIFECYCLE_UPLOAD), "x"},
		{LIFECYCLE_BIT(LIFECYCLE_CURRENT), "b/c/ c"},
		{LIFECYCLE_BIT(LIFECYCLE_MARKER), "b/"},
		{LIFECYCLE_BIT(LIFECYCLE_CURRENT) | LIFECYCLE_BIT(LIFECYCLE_MARKER), "b/ c"},
		{LIFECYCLE_BIT(LIFECYCLE_CURRENT) | LIFECYCLE_BIT(LIFECYCLE_NONCURRENT), "a b c"},
		{0, ""},
	};
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		struct slice prefix = {NULL, 0};
		SCOPED_STRBUF(got, 100);
		while (lifecycle_next_prefix(lifecycle, wanted[i].subjects, &prefix))
			strbuf_addf(&got, "%s%.*s", got.len ? " " : "", SLICE_FMT(prefix));
		IS(strbuf_slice(&got), slice_str(wanted[i].want), "the prefixes that are walked");
	}
	lifecycle_free(lifecycle);
	lifecycle = parsed(whole);
	struct slice prefix = {NULL, 0};
	OK(lifecycle_next_prefix(lifecycle, LIFECYCLE_BIT(LIFECYCLE_CURRENT), &prefix) &&
			prefix.len == 0,
		"the empty prefix is one");
	OK(!lifecycle_next_prefix(lifecycle, LIFECYCLE_BIT(LIFECYCLE_CURRENT), &prefix),
		"and the only one");
	lifecycle_free(lifecycle);
}

static void round_trips(void)
{
	static const char *const documents[] = {two_rules, whole, from_date, markers, tagged,
		not_prefix, not_tag, sizes, DOC(RULE("a", "", EXPIRE(DAYS("2147483647")))),
		DOC(RULE("&lt;&amp;", "&lt;", FILTER("") EXPIRE(DAYS("1")))),
		DOC(RULE("a\x01", "\x02\xef\xbf\xbe", TAG("k\x03", "\x04") EXPIRE(DAYS("1"))))};
	for (size_t i = 0; i < ARRAY_LEN(documents); i++) {
		struct lifecycle *lifecycle = parsed(documents[i]);
		SCOPED_STRBUF(out, 100000);
		SCOPED_STRBUF(want, 100000);
		lifecycle_format(lifecycle, &out);
		strbuf_addf(&want, PROLOG "%s", documents[i]);
		IS(strbuf_slice(&out), strbuf_slice(&want), "the same document comes out");
		lifecycle_free(lifecycle);
	}
	struct lifecycle *unknown = parsed(DOC(
		"<Rule><Days>7</Days><ID>a</ID><Prefix></Prefix>"
		"<More><ID>b</ID><Transition/><More>x</More></More><Status>Enabled</Status>" EXPIRE(
			"<Unit>Day</Unit>" DAYS("7")) ABORT("<X/>" DAYS("1")) "</Rule>"));
	SCOPED_STRBUF(known, 100000);
	lifecycle_format(unknown, &known);
	IS(strbuf_slice(&known), S(PROLOG DOC(RULE("a", "", EXPIRE(DAYS("7")) ABORT(DAYS("1"))))),
		"what is not known in a rule is passed over");
	lifecycle_free(unknown);
	struct lifecycle *lifecycle = parsed(
		"<LifecycleConfiguration>\n <Rule>\n <ID/>\n"
		" <Expiration>\n <ExpiredObjectDeleteMarker>false</ExpiredObjectDeleteMarker>\n"
		" <Days> 3\n</Days></Expiration>\n <Status>\n Enabled</Status></Rule>\n"
		"</LifecycleConfiguration>");
	SCOPED_STRBUF(out, 100000);
	lifecycle_format(lifecycle, &out);
	struct slice text = strbuf_slice(&out);
	struct slice open = S(PROLOG "<LifecycleConfiguration><Rule><ID>");
	OK(slice_starts(text, open) && slice_find(slice_from(text, open.len), '<') == 32,
		"a rule without an ID gets one");
	OK(slice_ends(text, S("</ID><Prefix></Prefix><Status>Enabled</Status>" EXPIRE(
				    DAYS("3")) "</Rule></LifecycleConfiguration>")),
		"white space around words does not count");
	lifecycle_free(lifecycle);
	lifecycle_free(NULL);
}

static void fails(const char *xml, enum err want)
{
	struct lifecycle *lifecycle = NULL;
	SCOPED_STRBUF(reason, 1000);
	enum err e = lifecycle_parse(slice_str(xml), false, &lifecycle, &reason);
	OK(e == want && !lifecycle && reason.len, "%s for %.200s: %s", err_info(want)->name, xml,
		reason.ptr);
}

static void refusals(void)
{
	static const char *const malformed_xml[] = {"", "<Lifecycle/>", DOC(""), DOC("<Else/>"),
		DOC(RULE("a", "", "")), DOC(RULE("a", "", EXPIRE(""))),
		DOC(RULE("a", "", ABORT(""))), DOC(RULE("a", "", "<NoncurrentVersionExpiration/>")),
		DOC("<Rule>" EXPIRE(DAYS("1")) "</Rule>"),
		DOC("<Rule><Status>enabled</Status>" EXPIRE(DAYS("1")) "</Rule>"),
		DOC(RULE("a", "", "<Status>Enabled</Status>" EXPIRE(DAYS("1")))),
		DOC(RULE("a", "", "<Prefix>x</Prefix>" EXPIRE(DAYS("1")))),
		DOC(RULE("a", "", "<ID>x</ID>" EXPIRE(DAYS("1")))),
		DOC(RULE("a", "", EXPIRE(DAYS("1") DAYS("2")))),
		DOC(RULE("a", "", EXPIRE(DAYS("1") BEFORE("2024-01-01")))),
		DOC(RULE("a", "", EXPIRE(DAYS("1")) EXPIRE(DAYS("2")))),
		DOC(RULE("a", "", EXPIRE(MARKER DAYS("1")))),
		DOC(RULE("a", "",
			EXPIRE("<ExpiredObjectDeleteMarker>false"
			       "</ExpiredObjectDeleteMarker>"))),
		DOC(RULE("a", "", "<Tag><Key>k</Key></Tag>" EXPIRE(DAYS("1")))),
		DOC(RULE("a", "", "<Tag><Value>k</Value></Tag>" EXPIRE(DAYS("1")))),
		DOC(RULE("a", "", "<Tag><Key>a</Key><Key>a</Key><Value/></Tag>" EXPIRE(DAYS("1")))),
		DOC(RULE("a", "", FILTER("<More/>") EXPIRE(DAYS("1")))),
		DOC(RULE("a", "", "<Tag><More/><Key>a</Key><Value/></Tag>" EXPIRE(DAYS("1")))),
		DOC(RULE("a", "", "<More/>")), DOC("<More/>" RULE("a", "", EXPIRE(DAYS("1")))),
		/* What would restrict the rule is not passed over, however it is spelt. */
		DOC("<Rule><prefix>x/</prefix><Status>Enabled</Status>" EXPIRE(
			DAYS("1")) "</Rule>"),
		DOC(RULE("a", "",
			"<filter><Not><Prefix>x</Prefix></Not></filter>" EXPIRE(DAYS("1")))),
		DOC(RULE("a", "", "<TAG><Key>a</Key><Value/></TAG>" EXPIRE(DAYS("1")))),
		DOC(RULE("a", "", "<Tags><Tag/></Tags>" EXPIRE(DAYS("1")))),
		DOC(RULE("a", "", "<And><Prefix>x</Prefix></And>" EXPIRE(DAYS("1")))),
		DOC(RULE("a", "", "<Not><Prefix>x</Prefix></Not>" EXPIRE(DAYS("1")))),
		DOC(RULE("a", "", "<status>Disabled</status>" EXPIRE(DAYS("1")))),
		DOC(RULE("a", "",
			"<ObjectSizeGreaterThan>9</ObjectSizeGreaterThan>" EXPIRE(DAYS("1")))),
		DOC(RULE("a", "", EXPIRE(DAYS("1") "<Prefix>x</Prefix>"))),
		DOC(RULE("a", "", ABORT(DAYS("1") "<prefix>x</prefix>"))),
		DOC(RULE("a", "",
			"<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays>"
			"<NewerNoncurrentVersions>5</NewerNoncurrentVersions>"
			"</NoncurrentVersionExpiration>")),
		DOC(RULE("a", "", FILTER("") FILTER("") EXPIRE(DAYS("1")))),
		DOC(RULE("a", "", FILTER("<Prefix>x</Prefix>") EXPIRE(DAYS("1")))),
		DOC(RULE("a", "", FILTER(NOT("a", "") NOT("b", "")) EXPIRE(DAYS("1")))),
		DOC(RULE("a", "", FILTER("<Not/>") EXPIRE(DAYS("1")))),
		DOC(RULE(
			"a", "", FILTER(NOT("a", TAG("a", "b") TAG("c", "d"))) EXPIRE(DAYS("1"))))};
	static const char *const invalid[] = {DOC(RULE("a", "", EXPIRE(DAYS("0")))),
		DOC(RULE("a", "", EXPIRE(DAYS("-1")))),
		DOC(RULE("a", "", EXPIRE(DAYS("2147483648")))),
		DOC(RULE("a", "", EXPIRE("<CreatedBeforeDate>2024-01-01</CreatedBeforeDate>"))),
		DOC(RULE("a", "", EXPIRE("<Date>2024-01-01T00:00:01.000Z</Date>"))),
		DOC(RULE("a", "",
			EXPIRE("<ExpiredObjectDeleteMarker>x</ExpiredObjectDeleteMarker>"))),
		DOC(RULE("a", "", TAG("a", "b") ABORT(DAYS("1")))),
		DOC(RULE("a", "", TAG("a", "b") EXPIRE(MARKER))),
		DOC(RULE("a", "x", EXPIRE(DAYS("1"))) RULE("a", "y", EXPIRE(DAYS("1")))),
		DOC(RULE("a", "dir/", FILTER(NOT("other", "")) EXPIRE(DAYS("1")))),
		DOC(RULE("a", "dir/", FILTER(NOT("dir/", "")) EXPIRE(DAYS("1")))),
		DOC(RULE("a", "",
			FILTER("<ObjectSizeLessThan>x</ObjectSizeLessThan>") EXPIRE(DAYS("1")))),
		DOC(RULE("a", "",
			FILTER("<ObjectSizeGreaterThan>5</ObjectSizeGreaterThan>"
			       "<ObjectSizeLessThan>5</ObjectSizeLessThan>") EXPIRE(DAYS("1"))))};
	for (size_t i = 0; i < ARRAY_LEN(malformed_xml); i++)
		fails(malformed_xml[i], ERR_MALFORMED_XML);
	for (size_t i = 0; i < ARRAY_LEN(invalid); i++)
		fails(invalid[i], ERR_INVALID_ARGUMENT);
	fails(DOC(RULE("a", "",
		      "<Transition><Days>3</Days><StorageClass>IA</StorageClass></Transition>")),
		ERR_NOT_IMPLEMENTED);
	fails(DOC(RULE("a", "", EXPIRE(DAYS("1")) "<NoncurrentVersionTransition/>")),
		ERR_NOT_IMPLEMENTED);
}

static void overlaps(void)
{
	static const struct {
		const char *xml;
		bool overlap;
	} pairs[] = {
		{DOC(RULE("a", "x", EXPIRE(DAYS("1"))) RULE("b", "xy", EXPIRE(DAYS("2")))), true},
		{DOC(RULE("a", "xy", EXPIRE(DAYS("1"))) RULE("b", "", EXPIRE(DAYS("2")))), true},
		{DOC(RULE("a", "x", EXPIRE(DAYS("1"))) RULE("b", "y", EXPIRE(DAYS("2")))), false},
		{DOC(RULE("a", "x", EXPIRE(DAYS("1"))) RULE("b", "x", ABORT(DAYS("2")))), false},
		{DOC(RULE("a", "x", ABORT(DAYS("1"))) RULE("b", "x", ABORT(DAYS("2")))), true},
		{DOC(RULE("a", "x", OLD("1")) RULE("b", "x", OLD("2"))), true},
		{DOC(RULE("a", "x", TAG("k", "1") EXPIRE(DAYS("1")))
				 RULE("b", "x", TAG("k", "2") EXPIRE(DAYS("2")))),
			false},
		{DOC(RULE("a", "x", TAG("k", "1") EXPIRE(DAYS("1")))
				 RULE("b", "x", EXPIRE(DAYS("2")))),
			true},
		{DOC(RULE("a", "x", FILTER(NOT("xy", "")) EXPIRE(DAYS("1")))
				 RULE("b", "xyz", EXPIRE(DAYS("2")))),
			false},
		{DOC(RULE("a", "x", FILTER(NOT("xy", TAG("k", "v"))) EXPIRE(DAYS("1")))
				 RULE("b", "xyz", EXPIRE(DAYS("2")))),
			true},
	};
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		struct lifecycle *lifecycle = NULL;
		SCOPED_STRBUF(reason, 1000);
		enum err e = lifecycle_parse(slice_str(pairs[i].xml), false, &lifecycle, &reason);
		OK(e == (pairs[i].overlap ? ERR_INVALID_REQUEST : ERR_OK), "overlap or not: %s",
			pairs[i].xml);
		lifecycle_free(lifecycle);
	}
}

static void limits(void)
{
	SCOPED_STRBUF(xml, MIB(1));
	strbuf_adds(&xml, "<LifecycleConfiguration>");
	for (int i = 0; i < LIMIT_LIFECYCLE_RULES; i++)
		strbuf_addf(
			&xml, RULE("a rule with a number: %04d", "%04d/", EXPIRE(DAYS("1"))), i, i);
	size_t len = xml.len;
	strbuf_adds(&xml, "</LifecycleConfiguration>");
	struct lifecycle *lifecycle = parsed(xml.ptr);
	SCOPED_STRBUF(out, LIMIT_SETTING_BYTES);
	lifecycle_format(lifecycle, &out);
	OK(!strbuf_broken(&out), "a thousand rules can be kept");
	lifecycle_free(lifecycle);
	strbuf_truncate(&xml, len);
	strbuf_adds(&xml, RULE("x", "x", EXPIRE(DAYS("1"))) "</LifecycleConfiguration>");
	fails(xml.ptr, ERR_INVALID_ARGUMENT);
	strbuf_clear(&xml);
	strbuf_adds(&xml, "<LifecycleConfiguration><Rule><ID>");
	for (int i = 0; i < 256; i++)
		strbuf_addc(&xml, 'i');
	strbuf_adds(&xml, "</ID></Rule></LifecycleConfiguration>");
	fails(xml.ptr, ERR_INVALID_ARGUMENT);
}

int main(void)
{
	ends();
	earliest();
	walks();
	round_trips();
	refusals();
	overlaps();
	limits();
	return tap_done();
}
