/*
 * Time.  Inside, times are milliseconds: monotonic for waiting, wall for what is shown or stored.
 * Tests move both with clock_advance; nothing sleeps to see a time-out.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

int64_t clock_mono_ms(void);
int64_t clock_wall_ms(void);
/* For tests only: moves both clocks of this process forward. */
void clock_advance(int64_t ms);

/* "2026-11-23T04:00:16.123Z" (RFC 3339), 25 bytes with the NUL. */
#define CLOCK_RFC3339_SIZE 32
const char *clock_rfc3339(int64_t wall_ms, char out[CLOCK_RFC3339_SIZE]);

#endif
