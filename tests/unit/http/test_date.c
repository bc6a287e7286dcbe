/* SPDX-License-Identifier: Apache-2.0 */
#include "http/date.h"
#include "tap.h"

#define BAD INT64_MIN

static const struct {
	struct slice text;
	int64_t seconds;
} rows[] = {
	{SLICE_LIT("Sun, 06 Nov 1994 08:49:37 GMT"), 784111777},
	{SLICE_LIT("Sunday, 06-Nov-94 08:49:37 GMT"), 784111777},
	{SLICE_LIT("Sun Nov  6 08:49:37 1994"), 784111777},
	{SLICE_LIT("Wed Nov 16 08:49:37 1994"), 784975777},
	{SLICE_LIT("Thu, 01 Jan 1970 00:00:00 GMT"), 0},
	{SLICE_LIT("Wed, 31 Dec 1969 23:59:59 GMT"), -1},
	{SLICE_LIT("Thu, 29 Feb 2024 12:00:00 GMT"), 1709208000},
	{SLICE_LIT("Tue, 29 Feb 2000 00:00:00 GMT"), 951782400},
	{SLICE_LIT("Tue, 19 Jan 2038 03:14:08 GMT"), 2147483648},
	{SLICE_LIT("Fri, 31 Dec 9999 23:59:59 GMT"), 253402300799},
	{SLICE_LIT("Sat, 01 Jan 0000 00:00:00 GMT"), -62167219200},
	{SLICE_LIT("Tue, 29 Feb 0000 00:00:00 GMT"), -62162121600},
	{SLICE_LIT("Mon, 06 Nov 1994 08:49:37 GMT"), 784111777},
	{SLICE_LIT("Sat, 31 Dec 2016 23:59:60 GMT"), 1483228800},
	{SLICE_LIT("Thursday, 01-Jan-70 00:00:00 GMT"), 0},
	{SLICE_LIT("Tuesday, 31-Dec-69 23:59:59 GMT"), 3155759999},

	{SLICE_LIT(""), BAD},
	{SLICE_LIT("Sun, 06 Nov 1994 08:49:37"), BAD},
	{SLICE_LIT("Sun, 06 Nov 1994 08:49:37 GMT "), BAD},
	{SLICE_LIT(" Sun, 06 Nov 1994 08:49:37 GMT"), BAD},
	{SLICE_LIT("Sun, 06 Nov 1994 08:49:37 UTC"), BAD},
	{SLICE_LIT("Sun, 06 Nov 1994 08:49:37 +0000"), BAD},
	{SLICE_LIT("sun, 06 Nov 1994 08:49:37 GMT"), BAD},
	{SLICE_LIT("Son, 06 Nov 1994 08:49:37 GMT"), BAD},
	{SLICE_LIT("Sun, 6 Nov 1994 08:49:37 GMT"), BAD},
	{SLICE_LIT("Sun, 06 nov 1994 08:49:37 GMT"), BAD},
	{SLICE_LIT("Sun, 06 Nov 94 08:49:37 GMT"), BAD},
	{SLICE_LIT("Sun, 00 Nov 1994 08:49:37 GMT"), BAD},
	{SLICE_LIT("Thu, 31 Nov 1994 08:49:37 GMT"), BAD},
	{SLICE_LIT("Wed, 29 Feb 2023 12:00:00 GMT"), BAD},
	{SLICE_LIT("Thu, 29 Feb 1900 12:00:00 GMT"), BAD},
	{SLICE_LIT("Sun, 06 Nov 1994 24:00:00 GMT"), BAD},
	{SLICE_LIT("Sun, 06 Nov 1994 08:60:00 GMT"), BAD},
	{SLICE_LIT("Sun, 06 Nov 1994 08:49:61 GMT"), BAD},
	{SLICE_LIT("Sun, 06 Nov 1994 8:49:37 GMT"), BAD},
	{SLICE_LIT("Sun, 06-Nov-94 08:49:37 GMT"), BAD},
	{SLICE_LIT("Sunday, 06-Nov-1994 08:49:37 GMT"), BAD},
	{SLICE_LIT("Sun Nov 6 08:49:37 1994"), BAD},
	{SLICE_LIT("Sun Nov  6 08:49:37 1994 GMT"), BAD},
	{SLICE_LIT("784111777"), BAD},
};

static void parsing(void)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t seconds = BAD;
		bool parsed = date_parse(rows[i].text, &seconds);
		OK(parsed == (rows[i].seconds != BAD) && seconds == rows[i].seconds, "[%.*s]",
			SLICE_FMT(rows[i].text));
	}
}

static void formatting(void)
{
	char text[DATE_SIZE];
	date_format(784111777, text);
	IS(slice_str(text), S("Sun, 06 Nov 1994 08:49:37 GMT"), "the example of the RFC");
	date_format(-1, text);
	IS(slice_str(text), S("Wed, 31 Dec 1969 23:59:59 GMT"), "before 1970");
	date_format(INT64_MIN, text);
	IS(slice_str(text), S("Sat, 01 Jan 0000 00:00:00 GMT"), "the first second there is");
	date_format(INT64_MAX, text);
	IS(slice_str(text), S("Fri, 31 Dec 9999 23:59:59 GMT"), "the last second there is");
}

/* Every day of the years 0 to 9999 follows the one before, and comes back as it went out. */
static void every_day(void)
{
	static const char weekdays[] = "SatSunMonTueWedThuFri";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int64_t seconds = -62167219200 + 45296; /* 12:34:56 of the first day */
	size_t wrong = 0, count = 0;
	for (int year = 0; year < 10000; year++) {
		bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
		for (int month = 0; month < 12; month++) {
			int days = lengths[month] + (month == 1 && leap);
			for (int day = 1; day <= days; day++, count++, seconds += 86400) {
				char want[64], got[DATE_SIZE];
				int64_t back = 0;
				(void)snprintf(want, sizeof want,
					"%.3s, %02d %.3s %04d 12:34:56 GMT",
					weekdays + 3 * (count % 7), day, months + 3 * month, year);
				date_format(seconds, got);
				wrong += strcmp(got, want) != 0 ||
					 !date_parse(slice_str(got), &back) || back != seconds;
			}
		}
	}
	IS_INT(count, 3652425, "ten thousand years of days");
	IS_INT(wrong, 0, "each is formatted and parsed back");
}

int main(void)
{
	parsing();
	formatting();
	every_day();
	return tap_done();
}
