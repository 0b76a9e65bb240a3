/* What an LMTP client is told for a meaning of lib/base/err.tbl.h: RFC 5321 4.2, RFC 3463. */
#ifndef LMTPD_ERR_MAP_H
#define LMTPD_ERR_MAP_H

#include "base/err.h"

#include <stdbool.h>

struct lmtp_answer {
	unsigned code;
	const char *enhanced, *words;
};

/* over_quota_defers: the sender's server is to try again, rather than to return the mail. */
struct lmtp_answer lmtp_err_answer(enum err_code code, bool over_quota_defers);

#endif
