/* ctl/simulation_draw.c - a simulation as a picture: SVG that needs no font, script or style of others. */
#include "ctl/simulation.h"
#include "limits/text.h"

#include <inttypes.h>
#include <stdio.h>

#define WIDTH 960
#define LEFT 72
#define RIGHT 24
#define PLOT_W (WIDTH - LEFT - RIGHT)
#define TOP 88
#define HELD_H 270
#define GAP 62
#define REFUSED_H 130
#define LEGEND_ROW 22

/* Colours that people tell apart who see fewer of them (Okabe and Ito). */
static const char *const colours[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"};
#define COLOURS_N (sizeof colours / sizeof *colours)

struct axis {
	int top, height;
	uint32_t most, step; /* most: the highest line, a multiple of step */
};

static uint32_t nice_step(uint32_t most)
{
	static const uint32_t fine[] = {1, 2, 5};
	uint64_t power = 1;

	for (;; power *= 10)
		for (int i = 0; i < 3; i++)
			if (power * fine[i] * 5 >= most)
				return (uint32_t)(power * fine[i]);
}

static struct axis axis_for(uint32_t most, int top, int height)
{
	uint32_t step = nice_step(most = most ? most : 1);

	return (struct axis){top, height, (most + step - 1) / step * step, step};
}

static double y_of(const struct axis *axis, uint32_t value)
{
	return axis->top + axis->height - (double)value * axis->height / axis->most;
}

static double x_of(size_t column)
{
	return LEFT + (double)column * PLOT_W / SIMULATION_COLUMNS;
}

/* "12,345" */
static void put_thousands(struct str_buf *out, uint64_t n)
{
	char digits[32];
	int length = snprintf(digits, sizeof digits, "%" PRIu64, n);

	for (int i = 0; i < length; i++) {
		if (i > 0 && (length - i) % 3 == 0)
			str_buf_putc(out, ',');
		str_buf_putc(out, digits[i]);
	}
}

static void put_axis(struct str_buf *out, const struct axis *axis, const char *title)
{
	str_buf_printf(out, "<text x=\"%d\" y=\"%d\" class=\"t\">%s</text>\n", LEFT, axis->top - 12, title);
	for (uint32_t value = 0; value <= axis->most; value += axis->step) {
		double y = y_of(axis, value);

		str_buf_printf(out, "<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" class=\"%s\"/><text x=\"%d\" y=\"%.1f\" class=\"n e\">",
		    LEFT, WIDTH - RIGHT, y, y, value ? "g" : "b", LEFT - 8, y + 4);
		put_thousands(out, value);
		str_buf_puts(out, "</text>\n");
	}
}

/* A mark for every so many minutes, twelve at most. */
static void put_times(struct str_buf *out, int64_t end_ms, int y)
{
	static const int64_t steps_s[] = {1, 5, 15, 60, 300, 900, 1800, 3600, 7200, 14400, 28800, 86400};
	size_t i = 0;
	int64_t step_ms;

	while (i < sizeof steps_s / sizeof *steps_s - 1 && end_ms / (steps_s[i] * 1000) > 12)
		i++;
	step_ms = steps_s[i] * 1000;
	while (end_ms / step_ms > 12)
		step_ms *= 2;
	for (int64_t at_ms = 0; at_ms <= end_ms; at_ms += step_ms) {
		double x = LEFT + (end_ms ? (double)at_ms * PLOT_W / (double)end_ms : 0);
		int64_t s = at_ms / 1000;

		str_buf_printf(out, "<text x=\"%.1f\" y=\"%d\" class=\"n m\">", x, y);
		if (step_ms < 60000)
			str_buf_printf(out, "%" PRId64 " s</text>\n", s);
		else
			str_buf_printf(out, "%" PRId64 ":%02" PRId64 "</text>\n", s / 3600, s / 60 % 60);
	}
}

static void put_held(struct str_buf *out, const struct simulation *s, const struct axis *axis, size_t colour)
{
	str_buf_printf(out, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"%s\" stroke-linejoin=\"round\" d=\"", colours[colour],
	    colour ? "1.6" : "2.2");
	for (size_t i = 0; i < SIMULATION_COLUMNS; i++)
		str_buf_printf(out, "%c%.1f %.1f", i ? 'L' : 'M', x_of(i), y_of(axis, s->held[i]));
	str_buf_puts(out, "\"/>\n");
}

/* Bars of all pairs stand behind each other, the tallest first: limits that refuse more are seen behind those that refuse less. */
static void put_refused(struct str_buf *out, const struct simulation *s, const struct axis *axis, size_t colour)
{
	str_buf_printf(out, "<path fill=\"%s\" fill-opacity=\"0.85\" d=\"", colours[colour]);
	for (size_t i = 0; i < SIMULATION_COLUMNS; i++)
		if (s->refusals[i])
			str_buf_printf(out, "M%.1f %dV%.1fH%.1fV%dZ", x_of(i), axis->top + axis->height, y_of(axis, s->refusals[i]),
			    x_of(i + 1) - 0.4, axis->top + axis->height);
	str_buf_puts(out, "\"/>\n");
}

static void put_legend(struct str_buf *out, const struct simulation *s, size_t at, int y)
{
	struct session_cost cost = simulation_cost(s);
	size_t opens = s->granted + s->refused;

	str_buf_printf(out, "<rect x=\"%d\" y=\"%d\" width=\"14\" height=\"14\" rx=\"3\" fill=\"%s\"/><text x=\"%d\" y=\"%d\" class=\"l\">"
	    "%" PRIu32 " sessions, %" PRIu32 " of them service: ", LEFT, y - 12, colours[at % COLOURS_N], LEFT + 22, y, s->limits.total, s->limits.service);
	put_thousands(out, s->refused);
	str_buf_printf(out, " refused (%.2f %%), of ", opens ? 100.0 * (double)s->refused / (double)opens : 0.0);
	put_thousands(out, s->users_refused);
	str_buf_puts(out, " users; ");
	put_thousands(out, s->peak);
	str_buf_printf(out, " held at peak, %.1f MB</text>\n", (double)cost.bytes / 1e6);
}

static uint32_t highest(const uint32_t *values)
{
	uint32_t most = 0;

	for (size_t i = 0; i < SIMULATION_COLUMNS; i++)
		most = values[i] > most ? values[i] : most;
	return most;
}

static size_t most_refused_left(const struct simulation *list, size_t n, size_t drawn)
{
	size_t best = 0;

	for (size_t i = 1; i < n; i++)
		if (!(drawn & (size_t)1 << i) && ((drawn & (size_t)1 << best) || list[i].refused > list[best].refused))
			best = i;
	return best;
}

void simulation_draw(const struct trace *trace, const struct simulation *list, size_t n, const char *title, const char *subtitle,
    struct str_buf *out)
{
	uint32_t held = 0, refused = 0;
	struct axis top, bottom;
	size_t drawn = 0;
	int legend = TOP + HELD_H + GAP + REFUSED_H + 50, height = legend + (int)n * LEGEND_ROW + 8;

	for (size_t i = 0; i < n; i++) {
		held = highest(list[i].held) > held ? highest(list[i].held) : held;
		refused = highest(list[i].refusals) > refused ? highest(list[i].refusals) : refused;
	}
	top = axis_for(held, TOP, HELD_H);
	bottom = axis_for(refused, TOP + HELD_H + GAP, REFUSED_H);
	str_buf_printf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\">\n<title>", WIDTH, height, WIDTH, height);
	text_put_xml(out, title);
	str_buf_puts(out, "</title>\n<style>text{font-family:system-ui,'DejaVu Sans',Helvetica,Arial,sans-serif;fill:#24292f}"
	    ".h{font-size:17px;font-weight:600}.t{font-size:13px;font-weight:600}.n{font-size:11.5px;fill:#57606a}.l{font-size:13px}"
	    ".e{text-anchor:end}.m{text-anchor:middle}.g{stroke:#d8dee4}.b{stroke:#8c959f}</style>\n");
	str_buf_printf(out, "<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n<text x=\"%d\" y=\"28\" class=\"h\">", WIDTH, height, LEFT);
	text_put_xml(out, title);
	str_buf_printf(out, "</text>\n<text x=\"%d\" y=\"48\" class=\"l\">", LEFT);
	text_put_xml(out, subtitle);
	str_buf_puts(out, "</text>\n");
	put_axis(out, &top, "Sessions held");
	put_axis(out, &bottom, "Opens refused");
	put_times(out, trace->end_ms, bottom.top + bottom.height + 20);
	for (size_t i = n; i-- > 0;)
		put_held(out, &list[i], &top, i % COLOURS_N);
	for (size_t i = 0; i < n; i++) {
		size_t at = most_refused_left(list, n, drawn);

		drawn |= (size_t)1 << at;
		put_refused(out, &list[at], &bottom, at % COLOURS_N);
	}
	for (size_t i = 0; i < n; i++)
		put_legend(out, &list[i], i, legend + (int)i * LEGEND_ROW);
	str_buf_puts(out, "</svg>\n");
}
