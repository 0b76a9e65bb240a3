/* fs/name.c - names of files and folders in the mail tree. */
#include "fs/name.h"

#include "mime/decode.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* The whole name stays within this, so that a copy's suffix still fits elsewhere. */
#define NAME_MESSAGE_MAX 160
static const char eml[] = ".eml";

static bool ends_with(const char *name, size_t n, const char *tail)
{
	size_t m = strlen(tail);

	return n >= m && memcmp(name + n - m, tail, m) == 0;
}

/* Cuts at a character's border. */
static size_t utf8_cut(const char *s, size_t n, size_t max)
{
	if (n <= max)
		return n;
	while (max > 0 && ((unsigned char)s[max] & 0xc0) == 0x80)
		max--;
	return max;
}

/* n digits, with zeros in front. */
static char *put_digits(char *p, unsigned value, int n)
{
	for (int i = n - 1; i >= 0; i--, value /= 10)
		p[i] = (char)('0' + value % 10);
	return p + n;
}

static char *put_time(char *p, int64_t idate_ms)
{
	time_t seconds = (time_t)(idate_ms / 1000);
	struct tm tm;

	if (!gmtime_r(&seconds, &tm) || tm.tm_year < -1900 || tm.tm_year > 8099)
		memset(&tm, 0, sizeof tm), tm.tm_year = 70, tm.tm_mday = 1;
	p = put_digits(p, (unsigned)tm.tm_year + 1900, 4);
	p = put_digits(p, (unsigned)tm.tm_mon + 1, 2);
	p = put_digits(p, (unsigned)tm.tm_mday, 2);
	*p++ = '-';
	p = put_digits(p, (unsigned)tm.tm_hour, 2);
	p = put_digits(p, (unsigned)tm.tm_min, 2);
	return put_digits(p, (unsigned)tm.tm_sec, 2);
}

void name_of_message(int64_t idate_ms, uint32_t uid, const char *slug, struct str_buf *out)
{
	size_t n = strlen(slug);
	char *begin = str_buf_room(out, NAME_MESSAGE_MAX), *p = put_time(begin, idate_ms);

	*p++ = '.';
	p = put_digits(p, uid, uid < 100000000 ? 8 : uid < 1000000000 ? 9 : 10);
	if (n > 0) {
		*p++ = '.';
		n = utf8_cut(slug, n, NAME_MESSAGE_MAX - (size_t)(p - begin) - strlen(eml));
		for (size_t i = 0; i < n; i++)
			*p++ = (unsigned char)slug[i] < ' ' || slug[i] == '/' ? '_' : slug[i];
	}
	out->n += (size_t)(p - begin);
	str_buf_puts(out, eml);
}

/* n digits at p, as a UID; 0 if they are not. */
static uint32_t uid_at(const char *p, size_t n)
{
	uint64_t uid;

	return n > 0 && n <= 10 && str_number(str_view(p, n), UINT32_MAX, &uid) ? (uint32_t)uid : 0;
}

enum name_form name_parse(const char *name, uint32_t *uid_r)
{
	size_t n = strlen(name), digits = strspn(name, "0123456789");
	uint32_t uid;

	if (!ends_with(name, n, eml))
		return NAME_OTHER;
	if (digits == n - strlen(eml)) {
		if ((uid = uid_at(name, digits)) == 0)
			return NAME_OTHER;
		*uid_r = uid;
		return NAME_ALIAS;
	}
	if (digits != 8 || name[8] != '-' || strspn(name + 9, "0123456789") != 6 || name[15] != '.')
		return NAME_OTHER;
	digits = strspn(name + 16, "0123456789");
	if (digits < 8 || name[16 + digits] != '.' || (uid = uid_at(name + 16, digits)) == 0)
		return NAME_OTHER;
	*uid_r = uid;
	return NAME_FULL;
}

enum name_use name_use(const char *name)
{
	static const char *const scratch_tails[] = {"~", ".tmp", ".swp"};
	size_t n = strlen(name);

	if (name[0] == '.')
		return NAME_SCRATCH;
	if (n > strlen(eml) && ends_with(name, n, eml))
		return NAME_MAIL;
	for (size_t i = 0; i < sizeof scratch_tails / sizeof *scratch_tails; i++)
		if (ends_with(name, n, scratch_tails[i]))
			return NAME_SCRATCH;
	/* vim tries whether it may write with "4913"; sed -i writes "sed" and six characters. */
	if (strcmp(name, "4913") == 0 || (n == 9 && memcmp(name, "sed", 3) == 0))
		return NAME_SCRATCH;
	return NAME_REFUSED;
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
}

void name_folder_encode(struct str_view c, struct str_buf *out)
{
	for (size_t i = 0; i < c.n; i++) {
		unsigned char b = (unsigned char)c.p[i];
		bool encode = b < ' ' || b == 127 || b == '/' || (b == '.' && i == 0);

		if (b == '%' && i + 2 < c.n && is_hex(c.p[i + 1]) && is_hex(c.p[i + 2]))
			encode = true;
		/* Names that end in .eml are messages' only. */
		if (b == '.' && c.n - i == strlen(eml) && memcmp(c.p + i, eml, strlen(eml)) == 0)
			encode = true;
		if (encode)
			str_buf_printf(out, "%%%02X", b);
		else
			str_buf_putc(out, (char)b);
	}
}

static int hex_value(char c)
{
	return c <= '9' ? c - '0' : (c | 32) - 'a' + 10;
}

void name_text_decode(const char *name, struct str_buf *out)
{
	for (size_t i = 0, n = strlen(name); i < n; i++)
		if (name[i] == '%' && i + 2 < n && is_hex(name[i + 1]) && is_hex(name[i + 2])) {
			str_buf_putc(out, (char)(hex_value(name[i + 1]) << 4 | hex_value(name[i + 2])));
			i += 2;
		} else {
			str_buf_putc(out, name[i]);
		}
}

void name_text_encode(struct str_view text, struct str_buf *out)
{
	bool is_dots = text.n && text.n <= 2 && text.p[0] == '.' && text.p[text.n - 1] == '.';

	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		bool encode = c == '/' || c == '\0' || is_dots;

		if (c == '%' && i + 2 < text.n && is_hex(text.p[i + 1]) && is_hex(text.p[i + 2]))
			encode = true;
		if (encode)
			str_buf_printf(out, "%%%02X", (unsigned char)c);
		else
			str_buf_putc(out, c);
	}
}

int name_folder_decode(const char *name, struct str_buf *out)
{
	struct str_buf raw = {0}, again = {0};
	size_t n = strlen(name);
	int err = ENOENT;

	if (n > NAME_MAX_BYTES)
		return ENAMETOOLONG;
	name_text_decode(name, &raw);
	out->n = 0;
	if (raw.n == 0 || memchr(raw.p, '\0', raw.n) || memchr(raw.p, '/', raw.n))
		goto out;
	if (!mime_nfc(str_buf_view(&raw), out)) {
		err = EILSEQ;
		goto out;
	}
	/* One folder, one name: what would be shown otherwise is no name of it (but for NFD). */
	name_folder_encode(str_buf_view(&raw), &again);
	if (again.n == n && memcmp(again.p, name, n) == 0)
		err = 0;
out:
	str_buf_fini(&raw);
	str_buf_fini(&again);
	return err;
}

bool name_compose(const char *name, struct str_buf *out)
{
	out->n = 0;
	return mime_nfc(str_view(name, strlen(name)), out) && out->n > 0 && strcmp(out->p, name) != 0;
}
