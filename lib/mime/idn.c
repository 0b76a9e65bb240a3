/* mime/idn.c - see idn.h.  ASCII without an A-label needs no library. */
#include "mime/idn.h"

#include "mime/decode.h"

#include <idn2.h>
#include <string.h>

#define LABEL_MAX 63
#define NAME_MAX_OCTETS 253

/* RFC 5321 4.1.2, and the underscore that some networks have. */
static bool is_label_octet(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-' || c == '_';
}

static bool is_name(const char *ascii)
{
	size_t n = strlen(ascii), label_n = 0;

	if (n == 0 || n > NAME_MAX_OCTETS)
		return false;
	for (size_t i = 0; i < n; i++) {
		bool ends = ascii[i] == '.';

		if (ends ? label_n == 0 || ascii[i - 1] == '-' : !is_label_octet(ascii[i]) || (label_n == 0 && ascii[i] == '-'))
			return false;
		label_n = ends ? 0 : label_n + 1;
		if (label_n > LABEL_MAX)
			return false;
	}
	return label_n > 0 && ascii[n - 1] != '-';
}

static bool has_a_label(const char *ascii)
{
	return strncmp(ascii, "xn--", 4) == 0 || strstr(ascii, ".xn--");
}

bool idn_ascii(struct str_view domain, struct str_buf *out)
{
	struct str_buf plain = {0};
	uint8_t *found = NULL;
	const char *ascii;
	bool good = mime_utf8_valid(domain) && domain.n <= 4 * NAME_MAX_OCTETS && !memchr(domain.p, '\0', domain.n);

	for (size_t i = 0; good && i < domain.n; i++)
		str_buf_putc(&plain, (char)(domain.p[i] + (domain.p[i] >= 'A' && domain.p[i] <= 'Z' ? 32 : 0)));
	ascii = plain.p;
	good = good && ascii;
	if (good && (mime_ascii_n(domain) < domain.n || has_a_label(ascii))) {
		good = idn2_lookup_u8((const uint8_t *)plain.p, &found, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) == IDN2_OK;
		ascii = (const char *)found;
	}
	good = good && is_name(ascii);
	if (good)
		str_buf_puts(out, ascii);
	idn2_free(found);
	str_buf_fini(&plain);
	return good;
}

void idn_display(const char *ascii, struct str_buf *out)
{
	char *utf8 = NULL;

	if (has_a_label(ascii) && idn2_to_unicode_8z8z(ascii, &utf8, 0) == IDN2_OK)
		str_buf_puts(out, utf8);
	else
		str_buf_puts(out, ascii);
	idn2_free(utf8);
}
