/* SPDX-License-Identifier: Apache-2.0 */
/* Times of XML, policies and V4 signatures: known values, every day of 2,000 years, refusals. */
#include "oss/text/iso8601.h"
#include "tap.h"

static void known_values(void)
{
	static const struct {
		int64_t ms;
		const char *text, *basic, *date;
	} rows[] = {
		{0, "1970-01-01T00:00:00.000Z", "19700101T000000Z", "19700101"},
		{-1, "1969-12-31T23:59:59.000Z", "19691231T235959Z", "19691231"},
		{951782400000, "2000-02-29T00:00:00.000Z", "20000229T000000Z", "20000229"},
		{1417435200999, "2014-12-01T12:00:00.000Z", "20141201T120000Z", "20141201"},
		{1702743657000, "2023-12-16T16:20:57.000Z", "20231216T162057Z", "20231216"},
		{4107542399000, "2100-02-28T23:59:59.000Z", "21000228T235959Z", "21000228"},
		{4107542400000, "2100-03-01T00:00:00.000Z", "21000301T000000Z", "21000301"},
		{INT64_MAX, "9999-12-31T23:59:59.000Z", "99991231T235959Z", "99991231"},
		{INT64_MIN, "0001-01-01T00:00:00.000Z", "00010101T000000Z", "00010101"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		SCOPED_STRBUF(sb, 100);
		iso8601_add(&sb, rows[i].ms);
		IS(strbuf_slice(&sb), slice_str(rows[i].text), "extended form");
		strbuf_clear(&sb);
		iso8601_add_basic(&sb, rows[i].ms);
		IS(strbuf_slice(&sb), slice_str(rows[i].basic), "basic form");
		strbuf_clear(&sb);
		iso8601_add_basic_date(&sb, rows[i].ms);
		IS(strbuf_slice(&sb), slice_str(rows[i].date), "basic date");
	}
}

/* Every midnight and the last second before it, from 1600 to 3600, there and back. */
static void round_trips(void)
{
	int bad = 0;
	SCOPED_STRBUF(sb, 100);
	for (int64_t day = -135140; day < 595345; day++) {
		int64_t rows[] = {day * 86400000, day * 86400000 - 1000};
		for (size_t i = 0; i < 2; i++) {
			int64_t got = 0;
			strbuf_clear(&sb);
			iso8601_add(&sb, rows[i]);
			bad += !iso8601_parse(strbuf_slice(&sb), &got) || got != rows[i];
			strbuf_clear(&sb);
			iso8601_add_basic(&sb, rows[i]);
			bad += !iso8601_parse_basic(strbuf_slice(&sb), &got) || got != rows[i];
		}
	}
	IS_INT(bad, 0, "what is written reads as the same time");
}

static void fractions(void)
{
	int64_t ms = 0;
	OK(iso8601_parse(S("2015-11-05T20:52:29Z"), &ms) && ms == 1446756749000, "no fraction");
	OK(iso8601_parse(S("2015-11-05T20:52:29.5Z"), &ms) && ms == 1446756749500, "tenths");
	OK(iso8601_parse(S("2015-11-05T20:52:29.476Z"), &ms) && ms == 1446756749476, "thousandths");
	OK(iso8601_parse(S("2015-11-05T20:52:29.047999999Z"), &ms) && ms == 1446756749047,
		"finer digits do not count");
	OK(iso8601_parse_basic_date(S("20231216"), &ms) && ms == 1702684800000,
		"a date is midnight");
}

static void refusals(void)
{
	static const char *const bad[] = {"", "2015-11-05", "2015-11-05T20:52:29",
		"2015-11-05T20:52:29z", "2015-11-05t20:52:29Z", "2015-11-05 20:52:29Z",
		"2015-11-05T20:52:29.Z", "2015-11-05T20:52:29.1234567890Z",
		"2015-11-05T20:52:29,5Z", "2015-11-05T20:52:29.5", "2015-11-05T20:52:29+00:00",
		"2015-11-05T20:52:29ZZ", " 2015-11-05T20:52:29Z", "2015-11-05T20:52:29Z ",
		"0000-01-01T00:00:00Z", "2015-00-05T20:52:29Z", "2015-13-05T20:52:29Z",
		"2015-11-00T20:52:29Z", "2015-11-31T20:52:29Z", "2015-02-29T20:52:29Z",
		"2100-02-29T20:52:29Z", "2015-11-05T24:00:00Z", "2015-11-05T20:60:29Z",
		"2015-11-05T20:52:60Z", "2015-1-05T20:52:29Z", "+015-11-05T20:52:29Z",
		"2015-11-05T20:5a:29Z", "20151105T205229Z", "2015-11-05T20:52Z"};
	int64_t ms = 7;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		OK(!iso8601_parse(slice_str(bad[i]), &ms) && ms == 7, "refuses \"%s\"", bad[i]);
	static const char *const bad_basic[] = {"", "20151105T205229", "20151105T205229.0Z",
		"20151105 205229Z", "20151305T205229Z", "20151105T245229Z", "2015-11-05T20:52:29Z",
		"20151105T205229ZZ", "20151105"};
	for (size_t i = 0; i < ARRAY_LEN(bad_basic); i++)
		OK(!iso8601_parse_basic(slice_str(bad_basic[i]), &ms) && ms == 7,
			"refuses basic \"%s\"", bad_basic[i]);
	OK(!iso8601_parse_basic_date(S("20150229"), &ms) &&
			!iso8601_parse_basic_date(S("2015022"), &ms) &&
			!iso8601_parse_basic_date(S("2015-02-2"), &ms),
		"refuses dates");
}

int main(void)
{
	known_values();
	round_trips();
	fractions();
	refusals();
	return tap_done();
}
