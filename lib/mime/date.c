/*
 * mime/date.c - the Date: field (RFC 5322 3.3, with the obsolete forms of 4.3), and what
 * programs write instead: asctime's order, hyphens, years of two digits, no zone, ISO 8601.
 */
#include "mime/date_priv.h"
#include "mime/header_priv.h"

#include <string.h>

/* What has been read so far; -1: not yet. */
struct date {
	int year, month, day, hour, minute, second, zone_min;
};

static const char months[] = "janfebmaraprmayjunjulaugsepoctnovdec";

/* Zones of RFC 5322 4.3; any other name means -0000 there: UTC. */
static const struct {
	const char name[4];
	int hours;
} zones[] = {
    {"est", -5},
    {"edt", -4},
    {"cst", -6},
    {"cdt", -5},
    {"mst", -7},
    {"mdt", -6},
    {"pst", -8},
    {"pdt", -7},
};

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

/* A number of at most nine digits. */
static int number(struct lex *l, int *digits_n)
{
	int n = 0, count = 0;

	for (; l->p < l->end && digit(*l->p) && count < 9; l->p++, count++)
		n = n * 10 + (*l->p - '0');
	*digits_n = count;
	return n;
}

static void read_word(struct lex *l, struct date *d)
{
	char word[4] = "";
	size_t n = 0;

	for (; l->p < l->end && ((*l->p | 0x20) >= 'a' && (*l->p | 0x20) <= 'z'); l->p++, n++)
		if (n < 3)
			word[n] = (char)(*l->p | 0x20);
	for (int m = 0; m < 12 && n >= 3; m++)
		if (strncmp(months + 3 * m, word, 3) == 0 && d->month < 0)
			d->month = m + 1;
	for (size_t i = 0; i < sizeof zones / sizeof zones[0] && n == 3; i++)
		if (memcmp(zones[i].name, word, 4) == 0)
			d->zone_min = zones[i].hours * 60;
}

/* hh:mm[:ss[.fraction]], behind the first number. */
static void read_time(struct lex *l, int hour, struct date *d)
{
	int digits_n;

	l->p++;
	d->hour = hour;
	d->minute = number(l, &digits_n);
	d->second = 0;
	if (l->p < l->end && (*l->p == ':' || *l->p == '.')) {
		l->p++;
		d->second = number(l, &digits_n);
		if (l->p < l->end && *l->p == '.') {
			l->p++;
			number(l, &digits_n);
		}
	}
}

/* "+0130", "-8:00" */
static void read_zone(struct lex *l, struct date *d)
{
	int sign = *l->p++ == '-' ? -1 : 1, digits_n, n = number(l, &digits_n);

	if (digits_n <= 2) {
		n *= 100;
		if (l->p < l->end && *l->p == ':') {
			l->p++;
			n += number(l, &digits_n);
		}
	}
	if (n / 100 < 24 && n % 100 < 60)
		d->zone_min = sign * (n / 100 * 60 + n % 100);
}

/* A number that is no time: the day comes before the year, unless it can't be a day. */
static void read_number(int n, int digits_n, struct date *d)
{
	if (d->day < 0 && digits_n <= 2 && n >= 1 && n <= 31) {
		d->day = n;
	} else if (d->year < 0 && digits_n >= 2) {
		/* RFC 5322 4.3 */
		if (digits_n == 2)
			n += n < 50 ? 2000 : 1900;
		else if (digits_n == 3)
			n += 1900;
		d->year = n;
	}
}

/* "2026-11-23", at its year: true if it was one. */
static bool read_iso(struct lex *l, int year, struct date *d)
{
	const char *p = l->p;

	if (l->end - p < 6 || p[0] != '-' || !digit(p[1]) || !digit(p[2]) || p[3] != '-' ||
	    !digit(p[4]) || !digit(p[5]))
		return false;
	d->year = year;
	d->month = (p[1] - '0') * 10 + p[2] - '0';
	d->day = (p[4] - '0') * 10 + p[5] - '0';
	l->p = p + 6;
	return true;
}

/* Days from 1970-01-01 in the Gregorian calendar; years begin in March, so a leap day is the
 * last. */
static int64_t days_of(int year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year, era = y / 400, of_era = y - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool complete(const struct date *d)
{
	return d->year >= 1 && d->year <= 9999 && d->month >= 1 && d->month <= 12 &&
	       d->day >= 1 && d->day <= 31 && d->hour >= 0 && d->hour <= 24 && d->minute >= 0 &&
	       d->minute < 60 && d->second <= 60;
}

bool date_parse(struct str_view value, int64_t *wall_ms_r, int *zone_min_r)
{
	struct date d = {-1, -1, -1, -1, -1, 0, 0};
	struct lex l = lex_of(value);

	while (lex_skip(&l), l.p < l.end) {
		int digits_n;

		if (digit(*l.p)) {
			int n = number(&l, &digits_n);

			if (l.p < l.end && *l.p == ':' && d.hour < 0)
				read_time(&l, n, &d);
			else if (digits_n != 4 || !read_iso(&l, n, &d))
				read_number(n, digits_n, &d);
		} else if ((*l.p == '+' || *l.p == '-') && l.end - l.p > 1 && digit(l.p[1]) &&
			   d.hour >= 0) {
			read_zone(&l, &d);
		} else if ((*l.p | 0x20) >= 'a' && (*l.p | 0x20) <= 'z') {
			read_word(&l, &d);
		} else {
			l.p++;
		}
	}
	if (d.hour < 0)
		d.hour = d.minute = 0; /* a day is better than nothing */
	if (!complete(&d))
		return false;
	int64_t minutes = days_of(d.year, d.month, d.day) * 1440 + d.hour * 60 + d.minute;

	*wall_ms_r = ((minutes - d.zone_min) * 60 + d.second) * 1000;
	*zone_min_r = d.zone_min;
	return true;
}
