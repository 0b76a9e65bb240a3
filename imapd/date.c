/* imapd/date.c - RFC 3501 9.  Calendar arithmetic of its own: no locale, no time zone files. */
#include "imapd/date.h"

#include <string.h>

static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep",
    "Oct", "Nov", "Dec"};

/* Days since 1970-01-01 of a day of the proleptic Gregorian calendar; years begin in March here,
 * so that a leap day is a year's last. */
static int64_t days_of(int64_t year, unsigned month, unsigned day)
{
	year -= month <= 2;
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	int64_t of_era = year - era * 400;
	int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void civil_of(int64_t days, int *year_r, unsigned *month_r, unsigned *day_r)
{
	days += 719468;
	int64_t era = (days >= 0 ? days : days - 146096) / 146097;
	int64_t of_era = days - era * 146097;
	int64_t year_n = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year_n + year_n / 4 - year_n / 100);
	int64_t month = (5 * of_year + 2) / 153;

	*day_r = (unsigned)(of_year - (153 * month + 2) / 5 + 1);
	*month_r = (unsigned)(month < 10 ? month + 3 : month - 9);
	*year_r = (int)(year_n + era * 400 + (*month_r <= 2));
}

static bool days_in_month_ok(unsigned year, unsigned month, unsigned day)
{
	static const unsigned char days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return day >= 1 && day <= days[month - 1] + (unsigned)(month == 2 && leap);
}

/* n digits exactly. */
static bool digits(const char **p, const char *end, int n, unsigned *value_r)
{
	unsigned value = 0;

	if (end - *p < n)
		return false;
	for (; n > 0; n--, (*p)++) {
		if (**p < '0' || **p > '9')
			return false;
		value = value * 10 + (unsigned)(**p - '0');
	}
	*value_r = value;
	return true;
}

static bool eat(const char **p, const char *end, char c)
{
	if (*p == end || **p != c)
		return false;
	(*p)++;
	return true;
}

/* "-Feb-1994" behind a day's number. */
static bool month_year(const char **p, const char *end, unsigned day, int64_t *days_r)
{
	unsigned month = 0, year;

	if (!eat(p, end, '-') || end - *p < 3)
		return false;
	while (month < 12 && strncasecmp(*p, months[month], 3) != 0)
		month++;
	*p += 3;
	if (month == 12 || !eat(p, end, '-') || !digits(p, end, 4, &year))
		return false;
	if (!days_in_month_ok(year, month + 1, day))
		return false;
	*days_r = days_of(year, month + 1, day);
	return true;
}

bool date_parse_day(struct str_view text, int32_t *day_r)
{
	const char *p = text.p, *end = text.p + text.n;
	unsigned day;
	int64_t days;
	int width = text.n > 1 && text.p[1] != '-' ? 2 : 1;

	if (!digits(&p, end, width, &day) || !month_year(&p, end, day, &days) || p != end)
		return false;
	*day_r = (int32_t)days;
	return true;
}

static bool clock_time(const char **p, const char *end, int64_t *s_r)
{
	unsigned h, m, s;

	if (!digits(p, end, 2, &h) || !eat(p, end, ':') || !digits(p, end, 2, &m) ||
	    !eat(p, end, ':') || !digits(p, end, 2, &s))
		return false;
	*s_r = h * 3600 + m * 60 + s;
	return h < 24 && m < 60 && s <= 60; /* a leap second is a second of the next minute */
}

static bool zone(const char **p, const char *end, int *min_r)
{
	unsigned h, m;
	bool west = *p < end && **p == '-';

	if (!west && (*p == end || **p != '+'))
		return false;
	(*p)++;
	if (!digits(p, end, 2, &h) || !digits(p, end, 2, &m) || h > 23 || m > 59)
		return false;
	*min_r = (int)(h * 60 + m) * (west ? -1 : 1);
	return true;
}

bool date_parse_time(struct str_view text, int64_t *ms_r, int *zone_min_r)
{
	const char *p = text.p, *end = text.p + text.n;
	unsigned day;
	int64_t days, s;
	int zone_min;
	bool blank = eat(&p, end, ' ');

	if (!digits(&p, end, blank ? 1 : 2, &day) || !month_year(&p, end, day, &days) ||
	    !eat(&p, end, ' ') || !clock_time(&p, end, &s) || !eat(&p, end, ' ') ||
	    !zone(&p, end, &zone_min) || p != end)
		return false;
	*ms_r = (days * 86400 + s - zone_min * 60) * 1000;
	*zone_min_r = zone_min;
	return true;
}

static void put2(char *to, unsigned n)
{
	to[0] = (char)('0' + n / 10 % 10);
	to[1] = (char)('0' + n % 10);
}

void date_put_time(struct str_buf *out, int64_t ms, int zone_min)
{
	int64_t s = (ms >= 0 ? ms : ms - 999) / 1000 + zone_min * 60;
	int64_t days = (s >= 0 ? s : s - 86399) / 86400;
	unsigned of_day = (unsigned)(s - days * 86400);
	unsigned away = (unsigned)(zone_min < 0 ? -zone_min : zone_min);
	int year;
	unsigned month, day;
	char *to = str_buf_room(out, 28);

	civil_of(days, &year, &month, &day);
	unsigned y = year < 0 ? 0 : (unsigned)year % 10000;

	memcpy(to, "\"00-Jan-0000 00:00:00 +0000\"", 28);
	put2(to + 1, day);
	memcpy(to + 4, months[month - 1], 3);
	put2(to + 8, y / 100);
	put2(to + 10, y % 100);
	put2(to + 13, of_day / 3600);
	put2(to + 16, of_day / 60 % 60);
	put2(to + 19, of_day % 60);
	to[22] = zone_min < 0 ? '-' : '+';
	put2(to + 23, away / 60);
	put2(to + 25, away % 60);
	out->n += 28;
	out->p[out->n] = '\0';
}
