/*
 * Time.  Inside, times are milliseconds: monotonic for waiting, boot for ages that one process tells another
 * (it goes on while the machine sleeps, and nobody sets it), wall for what is shown or stored.
 * Tests move them; nothing sleeps to see a time-out.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

int64_t clock_mono_ms(void);
int64_t clock_boot_ms(void);
int64_t clock_wall_ms(void);
/* What the wall clock would have said then, as it is set now. */
int64_t clock_wall_of_boot(int64_t boot_ms);

/* For tests only, in this process: time passes; the wall clock is set; the machine sleeps. */
void clock_advance(int64_t ms);
void clock_jump(int64_t ms);
void clock_suspend(int64_t ms);

/* "2026-11-23T04:00:16.123Z" (RFC 3339), 25 bytes with the NUL. */
#define CLOCK_RFC3339_SIZE 32
const char *clock_rfc3339(int64_t wall_ms, char out[CLOCK_RFC3339_SIZE]);

#endif
