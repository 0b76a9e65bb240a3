/* metrics/text.c - see text.h. */
#include "metrics/text.h"
#include "limits/text.h"

#include <inttypes.h>
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

static void put_value(struct str_buf *out, const char *value)
{
	size_t n = strlen(value);

	str_buf_putc(out, '"');
	for (const char *p = value; n > 0;) {
		size_t length = text_utf8_size(p, n);

		if (length == 0)
			str_buf_puts(out, "\xef\xbf\xbd");
		else if (*p == '\n')
			str_buf_puts(out, "\\n");
		else if (*p == '"' || *p == '\\')
			str_buf_printf(out, "\\%c", *p);
		else
			str_buf_put(out, p, length);
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
