/* Dates as IMAP writes them (RFC 3501 9: date, date-time). */
#ifndef IMAPD_DATE_H
#define IMAPD_DATE_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* "1-Feb-1994" as days since 1970-01-01. */
bool date_parse_day(struct str_view text, int32_t *day_r);
/* "17-Jul-1996 02:44:25 -0700" (day may be " 7") as wall time and its zone. */
bool date_parse_time(struct str_view text, int64_t *ms_r, int *zone_min_r);
/* The same with its quotes, 28 octets. */
void date_put_time(struct str_buf *out, int64_t ms, int zone_min);

#endif
