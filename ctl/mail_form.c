/* ctl/mail_form.c - the outer forms of mail files. */
#include "ctl/mail_form.h"

#include "base/arena.h"
#include "mime/scan.h"
#include "store/maildir_letters.h"

#include <string.h>
#include <time.h>

/* --- header lines -------------------------------------------------------------------------- */

/* Length of a field name in front of ':' (RFC 5322 3.6.8: printable but for the colon), 0: none. */
static size_t field_name(struct str_view line)
{
	size_t n = 0;

	while (n < line.n && line.p[n] > ' ' && line.p[n] < 127 && line.p[n] != ':')
		n++;
	if (n == 0)
		return 0;
	for (size_t i = n; i < line.n; i++) /* RFC 5322 4.5: blanks before the colon are obsolete */
		if (line.p[i] == ':')
			return n;
		else if (line.p[i] != ' ' && line.p[i] != '\t')
			break;
	return 0;
}

bool mail_begins_with_header(struct str_view octets)
{
	return field_name(octets) > 0;
}

static struct str_view next_line(struct str_view *rest)
{
	const char *end = memchr(rest->p, '\n', rest->n);
	size_t n = end ? (size_t)(end - rest->p) + 1 : rest->n;
	struct str_view line = str_view(rest->p, n);

	*rest = str_view(rest->p + n, rest->n - n);
	return line;
}

/* The Date: line and its folds, put into out in CRLF form. */
static bool date_field(struct str_view octets, struct str_buf *out)
{
	bool inside = false;

	while (octets.n > 0) {
		struct str_view line = next_line(&octets), text = str_trim(line);

		if (inside && line.p[0] != ' ' && line.p[0] != '\t')
			break;
		if (text.n == 0)
			break;
		inside = inside || (str_begins_nocase(line, SV("date")) && field_name(line) == 4);
		if (!inside)
			continue;
		str_buf_puts(out, out->n ? " " : "");
		str_buf_put(out, text.p, text.n);
	}
	str_buf_puts(out, "\r\n\r\n");
	return inside;
}

bool mail_header_date(struct str_view octets, int64_t *ms_r, int *zone_min_r)
{
	struct arena arena = {0};
	struct str_buf field = {0};
	struct mime_message message = {.sent_ms = INT64_MIN};

	if (date_field(octets, &field)) {
		struct mime_scan *scan = mime_scan_new(&mime_caps_default);

		mime_scan_feed(scan, field.p, field.n);
		mime_scan_finish(&scan, &arena, &message);
	}
	str_buf_fini(&field);
	arena_fini(&arena);
	if (message.sent_ms == INT64_MIN)
		return false;
	*ms_r = message.sent_ms;
	*zone_min_r = message.sent_zone_min;
	return true;
}

/* --- From_ lines --------------------------------------------------------------------------- */

/* What has been found of a date, -1 where nothing. */
struct date_words {
	int year, month, day, seconds, zone_min;
};

static int month_of(struct str_view word)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (int i = 0; word.n == 3 && i < 12; i++)
		if (memcmp(word.p, names + 3 * (size_t)i, 3) == 0)
			return i;
	return -1;
}

/* "04:25:51" or "04:25" in seconds; -1. */
static int time_of(struct str_view word)
{
	uint64_t h, m, s = 0;

	if ((word.n != 5 && word.n != 8) || word.p[2] != ':' || (word.n == 8 && word.p[5] != ':'))
		return -1;
	if (!str_number(str_view(word.p, 2), 23, &h) || !str_number(str_view(word.p + 3, 2), 59, &m) ||
	    (word.n == 8 && !str_number(str_view(word.p + 6, 2), 60, &s)))
		return -1;
	return (int)(h * 3600 + m * 60 + s);
}

static bool zone_of(struct str_view word, int *zone_min)
{
	uint64_t hours, minutes;

	if (word.n != 5 || (word.p[0] != '+' && word.p[0] != '-') ||
	    !str_number(str_view(word.p + 1, 2), 23, &hours) ||
	    !str_number(str_view(word.p + 3, 2), 59, &minutes))
		return false;
	*zone_min = (int)(hours * 60 + minutes) * (word.p[0] == '-' ? -1 : 1);
	return true;
}

static void date_word(struct date_words *d, struct str_view word)
{
	uint64_t n;

	if (month_of(word) >= 0)
		d->month = month_of(word);
	else if (time_of(word) >= 0)
		d->seconds = time_of(word);
	else if (word.n == 4 && str_number(word, 9999, &n))
		d->year = (int)n;
	else if (word.n <= 2 && str_number(word, 31, &n) && n > 0)
		d->day = (int)n;
	else
		zone_of(word, &d->zone_min);
}

bool mail_from_line(struct str_view line, int64_t *ms_r, int *zone_min_r)
{
	struct date_words d = {-1, -1, -1, -1, 0};
	struct str_view rest = str_trim(line);
	struct tm tm = {0};

	if (line.n < 5 || memcmp(line.p, "From ", 5) != 0)
		return false;
	rest = str_trim(str_view(rest.p + (rest.n < 5 ? rest.n : 5), rest.n < 5 ? 0 : rest.n - 5));
	str_word(&rest); /* the sender */
	for (int i = 0; i < 16 && (rest = str_trim(rest)).n > 0; i++)
		date_word(&d, str_word(&rest));
	if (d.year < 1900 || d.month < 0 || d.day < 0 || d.seconds < 0)
		return false;
	tm.tm_year = d.year - 1900;
	tm.tm_mon = d.month;
	tm.tm_mday = d.day;
	*ms_r = ((int64_t)timegm(&tm) + d.seconds - d.zone_min * 60) * 1000;
	*zone_min_r = d.zone_min;
	return true;
}

/* --- flags --------------------------------------------------------------------------------- */

static const struct flag_letter {
	char mbox;
	uint32_t flag;
} letters[] = {
    {'T', STORE_FLAG_DRAFT},
    {'F', STORE_FLAG_FLAGGED},
    {'A', STORE_FLAG_ANSWERED},
    {'R', STORE_FLAG_SEEN},
    {'D', STORE_FLAG_DELETED},
};
#define LETTERS_N (sizeof letters / sizeof *letters)

void mail_maildir_flags(const char *name, struct mail_about *about)
{
	/* ':' is not allowed in names on some file systems; ';' and '!' are its usual stand-ins. */
	const char *info = strstr(name, "2,");

	while (info && (info == name || !strchr(":;!", info[-1])))
		info = strstr(info + 1, "2,");
	if (info && maildir_letters_get(str_view(info + 2, strlen(info + 2)), &about->flags))
		about->forwarded = true;
}

void mail_maildir_info(uint32_t flags, bool forwarded, struct str_buf *out)
{
	str_buf_puts(out, ":2,");
	maildir_letters_put(flags, forwarded, out);
}

void mail_status_line(struct str_view line, uint32_t *flags)
{
	size_t n = field_name(line);
	struct str_view name = str_view(line.p, n);

	if (!str_equal_nocase(name, SV("Status")) && !str_equal_nocase(name, SV("X-Status")))
		return;
	for (size_t i = n; i < line.n; i++)
		for (size_t k = 0; k < LETTERS_N; k++)
			if (line.p[i] == letters[k].mbox)
				*flags |= letters[k].flag;
}
