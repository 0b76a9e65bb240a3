/* The Date: field. */
#ifndef MIME_DATE_PRIV_H
#define MIME_DATE_PRIV_H

#include "base/str.h"

/* The instant as wall time and the zone it was told in; false if it can't be read. */
bool date_parse(struct str_view value, int64_t *wall_ms_r, int *zone_min_r);

#endif
