/* SPDX-License-Identifier: Apache-2.0 */
#include "oss/text/iso8601.h"

#define DAY_MS INT64_C(86400000)
#define YEAR_1_MS INT64_C(-62135596800000)        /* 0001-01-01T00:00:00.000Z */
#define YEAR_9999_END_MS INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */

struct civil {
	int year, month, day, hour, minute, second;
};

/*
 * Both conversions count in years that begin on 1 March, so that the day a leap year has more is
 * the last one, and in eras of 400 years, after which the calendar repeats.
 */
static int64_t days_from_civil(int year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year; /* never negative: the first year is 1 */
	int64_t era = y / 400;
	int64_t year_of_era = y - era * 400;
	int64_t month_from_march = (month + 9) % 12;
	int64_t day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
	return era * 146097 + day_of_era - 719468; /* 719468: 0000-03-01 to 1970-01-01 */
}

static struct civil civil_from_ms(int64_t time_ms)
{
	if (time_ms < YEAR_1_MS)
		time_ms = YEAR_1_MS;
	if (time_ms > YEAR_9999_END_MS)
		time_ms = YEAR_9999_END_MS;
	int64_t days = time_ms / DAY_MS - (time_ms % DAY_MS < 0);
	int second_of_day = (int)((time_ms - days * DAY_MS) / 1000);
	int64_t from_march = days + 719468;
	int64_t era = from_march / 146097;
	int64_t day_of_era = from_march - era * 146097;
	int64_t year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t month_from_march = (5 * day_of_year + 2) / 153;
	int month = (int)((month_from_march + 2) % 12) + 1;
	return (struct civil){
		.year = (int)(year_of_era + era * 400) + (month <= 2),
		.month = month,
		.day = (int)(day_of_year - (153 * month_from_march + 2) / 5) + 1,
		.hour = second_of_day / 3600,
		.minute = second_of_day / 60 % 60,
		.second = second_of_day % 60,
	};
}

static int days_in_month(int year, int month)
{
	static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	return month == 2 && leap ? 29 : days[month - 1];
}

static bool civil_to_ms(const struct civil *c, int64_t *ret_ms)
{
	if (c->year < 1 || c->month < 1 || c->month > 12 || c->day < 1 ||
		c->day > days_in_month(c->year, c->month) || c->hour > 23 || c->minute > 59 ||
		c->second > 59)
		return false;
	int64_t seconds = c->hour * 3600 + c->minute * 60 + c->second;
	*ret_ms = days_from_civil(c->year, c->month, c->day) * DAY_MS + seconds * 1000;
	return true;
}

/*
 * Reads `text` along `form`, in which Y M D h m s each stand for a digit of that number and
 * anything else for itself. The whole of both must be used up.
 */
static bool read_form(struct slice text, const char *form, struct civil *ret)
{
	*ret = (struct civil){.month = 0};
	if (text.len != strlen(form))
		return false;
	for (size_t i = 0; i < text.len; i++) {
		int *number = form[i] == 'Y'   ? &ret->year
			      : form[i] == 'M' ? &ret->month
			      : form[i] == 'D' ? &ret->day
			      : form[i] == 'h' ? &ret->hour
			      : form[i] == 'm' ? &ret->minute
			      : form[i] == 's' ? &ret->second
					       : NULL;
		if (number ? !ascii_digit(text.ptr[i]) : text.ptr[i] != form[i])
			return false;
		if (number)
			*number = *number * 10 + (text.ptr[i] - '0');
	}
	return true;
}

static void add_two(struct strbuf *out, int number)
{
	strbuf_addc(out, (char)('0' + number / 10));
	strbuf_addc(out, (char)('0' + number % 10));
}

/* The date and then the time, each of which may have separators between its numbers. */
static void add_date(struct strbuf *out, const struct civil *c, const char *separator)
{
	add_two(out, c->year / 100);
	add_two(out, c->year % 100);
	strbuf_adds(out, separator);
	add_two(out, c->month);
	strbuf_adds(out, separator);
	add_two(out, c->day);
}

static void add_time(struct strbuf *out, const struct civil *c, const char *separator)
{
	strbuf_addc(out, 'T');
	add_two(out, c->hour);
	strbuf_adds(out, separator);
	add_two(out, c->minute);
	strbuf_adds(out, separator);
	add_two(out, c->second);
}

void iso8601_add(struct strbuf *out, int64_t time_ms)
{
	struct civil c = civil_from_ms(time_ms);
	add_date(out, &c, "-");
	add_time(out, &c, ":");
	strbuf_adds(out, ".000Z");
}

void iso8601_add_basic(struct strbuf *out, int64_t time_ms)
{
	struct civil c = civil_from_ms(time_ms);
	add_date(out, &c, "");
	add_time(out, &c, "");
	strbuf_addc(out, 'Z');
}

void iso8601_add_basic_date(struct strbuf *out, int64_t time_ms)
{
	struct civil c = civil_from_ms(time_ms);
	add_date(out, &c, "");
}

bool iso8601_parse(struct slice text, int64_t *ret_ms)
{
	static const size_t whole = sizeof("YYYY-MM-DDThh:mm:ss") - 1;
	struct civil c;
	int64_t ms;
	if (!read_form(slice_head(text, whole), "YYYY-MM-DDThh:mm:ss", &c) || !civil_to_ms(&c, &ms))
		return false;
	struct slice end = slice_from(text, whole);
	if (end.len > 0 && end.ptr[0] == '.') {
		size_t digits = 0;
		int64_t weight = 100;
		for (; digits + 1 < end.len && ascii_digit(end.ptr[digits + 1]); digits++) {
			ms += weight * (end.ptr[digits + 1] - '0');
			weight /= 10;
		}
		if (digits < 1 || digits > 9)
			return false;
		end = slice_from(end, digits + 1);
	}
	if (!slice_eq(end, S("Z")))
		return false;
	*ret_ms = ms;
	return true;
}

bool iso8601_parse_basic(struct slice text, int64_t *ret_ms)
{
	struct civil c;
	return read_form(text, "YYYYMMDDThhmmssZ", &c) && civil_to_ms(&c, ret_ms);
}

bool iso8601_parse_basic_date(struct slice text, int64_t *ret_ms)
{
	struct civil c;
	return read_form(text, "YYYYMMDD", &c) && civil_to_ms(&c, ret_ms);
}
