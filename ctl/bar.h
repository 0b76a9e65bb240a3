/* A part of a whole as a bar, for people. */
#ifndef CTL_BAR_H
#define CTL_BAR_H

#include "base/str.h"

#include <stdint.h>

/* "[########........] 16 of 32", and "full" behind it where it is.  Of a whole that is hundreds the bar shows parts too. */
void bar_put(uint32_t part, uint32_t whole, struct str_buf *out);
/* The same of another width, and without a word about its being full. */
void bar_draw(uint32_t part, uint32_t whole, uint32_t width, struct str_buf *out);

#endif
