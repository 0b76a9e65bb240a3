/* ctl/bar.c - a part of a whole as a bar. */
#include "ctl/bar.h"

#define BAR_WIDTH 32u

void bar_draw(uint32_t part, uint32_t whole, uint32_t width, struct str_buf *out)
{
	uint32_t filled = part >= whole ? width : (uint32_t)((uint64_t)part * width / whole);

	/* What is held is seen, however little of the whole it is. */
	if (part > 0 && filled == 0)
		filled = 1;
	str_buf_putc(out, '[');
	for (uint32_t i = 0; i < width; i++)
		str_buf_putc(out, i < filled ? '#' : '.');
	str_buf_printf(out, "] %u of %u", part, whole);
}

void bar_put(uint32_t part, uint32_t whole, struct str_buf *out)
{
	bar_draw(part, whole, BAR_WIDTH, out);
	str_buf_puts(out, part >= whole ? "  full" : "");
}
