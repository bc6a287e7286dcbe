/* SPDX-License-Identifier: Apache-2.0 */
#include "http/date.h"

#define DAY_SECONDS 86400
#define FIRST_SECOND INT64_C(-62167219200) /* 0000-01-01 00:00:00 */
#define LAST_SECOND INT64_C(253402300799)  /* 9999-12-31 23:59:59 */

static const char weekdays[7][10] = {
	"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
static const char months[12][4] = {
	"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct civil {
	unsigned year, month, day; /* month 0..11, day from 1 */
	unsigned hour, minute, second;
};

/*
 * Days between 0000-03-01 and the first of a month. Years are counted from March, so that the leap
 * day is the last of its year and the months before it have fixed offsets: (153 m + 2) / 5.
 */
static int64_t days_before_month(unsigned year, unsigned month)
{
	int64_t y = (int64_t)year - (month < 2);
	int64_t m = (month + 10) % 12;
	int64_t leap_days = y < 0 ? -1 : y / 4 - y / 100 + y / 400;
	return y * 365 + leap_days + (153 * m + 2) / 5;
}

#define EPOCH_DAYS 719468 /* from 0000-03-01 to 1970-01-01 */

static bool is_leap(unsigned year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static unsigned days_in_month(unsigned year, unsigned month)
{
	static const unsigned char days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	return days[month] + (month == 1 && is_leap(year) ? 1u : 0u);
}

/* The inverse of days_before_month(), for `days` from 0000-01-01 on. */
static void civil_from_days(int64_t days_since_epoch, struct civil *ret)
{
	/* One era of 400 years earlier, so that January and February of year 0 stay positive. */
	int64_t days = days_since_epoch + EPOCH_DAYS + 146097;
	int64_t era = days / 146097;
	int64_t day_of_era = days % 146097;
	int64_t year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t month_from_march = (5 * day_of_year + 2) / 153;
	ret->day = (unsigned)(day_of_year - (153 * month_from_march + 2) / 5 + 1);
	ret->month = (unsigned)((month_from_march + 2) % 12);
	ret->year = (unsigned)(year_of_era + (era - 1) * 400 + (ret->month < 2));
}

static void put2(char *at, unsigned value)
{
	at[0] = (char)('0' + value / 10);
	at[1] = (char)('0' + value % 10);
}

void date_format(int64_t seconds, char ret[DATE_SIZE])
{
	if (seconds < FIRST_SECOND)
		seconds = FIRST_SECOND;
	if (seconds > LAST_SECOND)
		seconds = LAST_SECOND;
	int64_t from_first = seconds - FIRST_SECOND;
	int64_t day = from_first / DAY_SECONDS;
	unsigned rest = (unsigned)(from_first % DAY_SECONDS);
	struct civil c;
	civil_from_days(day + FIRST_SECOND / DAY_SECONDS, &c);

	memcpy(ret, "Www, DD Mmm YYYY hh:mm:ss GMT", DATE_SIZE);
	memcpy(ret, weekdays[(day + 6) % 7], 3); /* 0000-01-01 was a Saturday */
	put2(ret + 5, c.day);
	memcpy(ret + 8, months[c.month], 3);
	put2(ret + 12, c.year / 100);
	put2(ret + 14, c.year % 100);
	put2(ret + 17, rest / 3600);
	put2(ret + 20, rest / 60 % 60);
	put2(ret + 23, rest % 60);
}

/* The cursor functions take their text off the front of *s and say whether it was there. */

static bool take(struct slice *s, struct slice text)
{
	if (!slice_starts(*s, text))
		return false;
	*s = slice_from(*s, text.len);
	return true;
}

static bool take_digits(struct slice *s, size_t count, unsigned *ret)
{
	if (s->len < count)
		return false;
	unsigned value = 0;
	for (size_t i = 0; i < count; i++) {
		if (!ascii_digit(s->ptr[i]))
			return false;
		value = value * 10 + (unsigned)(s->ptr[i] - '0');
	}
	*s = slice_from(*s, count);
	*ret = value;
	return true;
}

static bool take_month(struct slice *s, unsigned *ret)
{
	for (unsigned i = 0; i < 12; i++) {
		if (take(s, slice_of(months[i], 3))) {
			*ret = i;
			return true;
		}
	}
	return false;
}

/* The name of a weekday: its first three letters, or all of it. */
static bool take_weekday(struct slice *s, bool whole)
{
	for (unsigned i = 0; i < 7; i++) {
		if (take(s, slice_of(weekdays[i], whole ? strlen(weekdays[i]) : 3)))
			return true;
	}
	return false;
}

static bool take_time(struct slice *s, struct civil *ret)
{
	return take_digits(s, 2, &ret->hour) && take(s, S(":")) &&
	       take_digits(s, 2, &ret->minute) && take(s, S(":")) &&
	       take_digits(s, 2, &ret->second);
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
static bool imf_fixdate(struct slice s, struct civil *ret)
{
	return take_weekday(&s, false) && take(&s, S(", ")) && take_digits(&s, 2, &ret->day) &&
	       take(&s, S(" ")) && take_month(&s, &ret->month) && take(&s, S(" ")) &&
	       take_digits(&s, 4, &ret->year) && take(&s, S(" ")) && take_time(&s, ret) &&
	       take(&s, S(" GMT")) && s.len == 0;
}

/* "Sunday, 06-Nov-94 08:49:37 GMT" */
static bool rfc850_date(struct slice s, struct civil *ret)
{
	if (!(take_weekday(&s, true) && take(&s, S(", ")) && take_digits(&s, 2, &ret->day) &&
		    take(&s, S("-")) && take_month(&s, &ret->month) && take(&s, S("-")) &&
		    take_digits(&s, 2, &ret->year) && take(&s, S(" ")) && take_time(&s, ret) &&
		    take(&s, S(" GMT")) && s.len == 0))
		return false;
	ret->year += ret->year < 70 ? 2000 : 1900;
	return true;
}

/* "Sun Nov  6 08:49:37 1994" */
static bool asctime_date(struct slice s, struct civil *ret)
{
	if (!(take_weekday(&s, false) && take(&s, S(" ")) && take_month(&s, &ret->month) &&
		    take(&s, S(" "))))
		return false;
	bool day = take(&s, S(" ")) ? take_digits(&s, 1, &ret->day) : take_digits(&s, 2, &ret->day);
	return day && take(&s, S(" ")) && take_time(&s, ret) && take(&s, S(" ")) &&
	       take_digits(&s, 4, &ret->year) && s.len == 0;
}

static bool is_possible(const struct civil *c)
{
	/* A minute may have a leap second. */
	return c->day >= 1 && c->day <= days_in_month(c->year, c->month) && c->hour <= 23 &&
	       c->minute <= 59 && c->second <= 60;
}

bool date_parse(struct slice text, int64_t *ret)
{
	struct civil c;
	if (!imf_fixdate(text, &c) && !rfc850_date(text, &c) && !asctime_date(text, &c))
		return false;
	if (!is_possible(&c))
		return false;
	int64_t days = days_before_month(c.year, c.month) + c.day - 1 - EPOCH_DAYS;
	*ret = days * DAY_SECONDS + c.hour * 3600 + c.minute * 60 + c.second;
	return true;
}
