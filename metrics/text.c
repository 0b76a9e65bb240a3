/* metrics/text.c - see text.h. */
#include "metrics/text.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

static const char *const type_names[] = {
    [METRIC_GAUGE] = "gauge", [METRIC_COUNTER] = "counter", [METRIC_HISTOGRAM] = "histogram", [METRIC_INFO] = "info"};

void metric_family(struct str_buf *out, const char *name, enum metric_type type, const char *unit, const char *help)
{
	str_buf_printf(out, "# TYPE %s %s\n", name, type_names[type]);
	if (unit)
		str_buf_printf(out, "# UNIT %s %s\n", name, unit);
	str_buf_printf(out, "# HELP %s %s\n", name, help);
}

/* How long the character at p is, of n octets; 0: it is none (RFC 3629 4). */
static size_t utf8_length(const unsigned char *p, size_t n)
{
	static const struct {
		unsigned char mask, lead, least;
	} forms[] = {{0x80, 0, 0}, {0xe0, 0xc0, 0xc2}, {0xf0, 0xe0, 0}, {0xf8, 0xf0, 0}};

	for (size_t length = 1; length <= 4 && length <= n; length++) {
		if ((p[0] & forms[length - 1].mask) != forms[length - 1].lead || p[0] < forms[length - 1].least)
			continue;
		for (size_t i = 1; i < length; i++)
			if ((p[i] & 0xc0) != 0x80)
				return 0;
		if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) ||
		    (p[0] == 0xf4 && p[1] > 0x8f) || p[0] > 0xf4)
			return 0;
		return length;
	}
	return 0;
}

static void put_value(struct str_buf *out, const char *value)
{
	size_t n = strlen(value);

	str_buf_putc(out, '"');
	for (const char *p = value; n > 0;) {
		size_t length = utf8_length((const unsigned char *)p, n);

		if (length == 0)
			str_buf_puts(out, "\xef\xbf\xbd");
		else if (*p == '\n')
			str_buf_puts(out, "\\n");
		else if (*p == '"' || *p == '\\')
			str_buf_printf(out, "\\%c", *p);
		else
			str_buf_printf(out, "%.*s", (int)length, p);
		length += length == 0;
		p += length;
		n -= length;
	}
	str_buf_putc(out, '"');
}

static void put_name(struct str_buf *out, const char *name, const char *suffix, const struct metric_label *labels)
{
	str_buf_printf(out, "%s%s", name, suffix);
	for (const struct metric_label *l = labels; l && l->name; l++) {
		str_buf_printf(out, "%c%s=", l == labels ? '{' : ',', l->name);
		put_value(out, l->value);
	}
	if (labels && labels->name)
		str_buf_putc(out, '}');
	str_buf_putc(out, ' ');
}

void metric_sample(struct str_buf *out, const char *name, const char *suffix, const struct metric_label *labels, uint64_t value)
{
	put_name(out, name, suffix, labels);
	str_buf_printf(out, "%" PRIu64 "\n", value);
}

void metric_seconds(struct str_buf *out, const char *name, const char *suffix, const struct metric_label *labels, uint64_t ns)
{
	put_name(out, name, suffix, labels);
	str_buf_printf(out, "%" PRIu64 ".%09" PRIu64 "\n", ns / 1000000000, ns % 1000000000);
}

void metric_end(struct str_buf *out)
{
	str_buf_puts(out, "# EOF\n");
}
