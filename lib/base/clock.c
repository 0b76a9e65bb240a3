/* base/clock.c - the clocks, each with an offset that tests move. */
#include "base/clock.h"

#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

static struct {
	_Atomic int64_t mono, boot, wall;
} offsets_ms;

static int64_t read_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t clock_mono_ms(void)
{
	return read_ns(CLOCK_MONOTONIC) / 1000000 + offsets_ms.mono;
}

int64_t clock_boot_ms(void)
{
	return read_ns(CLOCK_BOOTTIME) / 1000000 + offsets_ms.boot;
}

int64_t clock_wall_ms(void)
{
	return read_ns(CLOCK_REALTIME) / 1000000 + offsets_ms.wall;
}

/* The difference before it is cut to milliseconds, so that it is the same from one call to the next. */
int64_t clock_wall_of_boot(int64_t boot_ms)
{
	int64_t apart_ns = read_ns(CLOCK_REALTIME) - read_ns(CLOCK_BOOTTIME);

	return boot_ms + apart_ns / 1000000 + offsets_ms.wall - offsets_ms.boot;
}

void clock_advance(int64_t ms)
{
	offsets_ms.mono += ms;
	clock_suspend(ms);
}

void clock_jump(int64_t ms)
{
	offsets_ms.wall += ms;
}

void clock_suspend(int64_t ms)
{
	offsets_ms.boot += ms;
	offsets_ms.wall += ms;
}

const char *clock_rfc3339(int64_t wall_ms, char out[CLOCK_RFC3339_SIZE])
{
	time_t s = (time_t)(wall_ms / 1000);
	struct tm tm;
	char day[24];

	gmtime_r(&s, &tm);
	strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out, CLOCK_RFC3339_SIZE, "%s.%03dZ", day, (int)(wall_ms % 1000));
	return out;
}
