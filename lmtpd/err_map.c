/*
 * lmtpd/err_map.c - every meaning as an answer.  A 4xx has the mail wait in the client's queue, a 5xx returns it
 * to its sender: so whatever an administrator can mend is a 4xx.
 */
#include "lmtpd/err_map.h"

#pragma GCC diagnostic error "-Wswitch"

#define ANSWER(code, enhanced, words) ((struct lmtp_answer){code, enhanced, words})

struct lmtp_answer lmtp_err_answer(enum err_code code, bool over_quota_defers)
{
	switch (code) {
	case ERR_NONE:
	case ERR_BUG:
		return ANSWER(451, "4.3.0", "a defect of this server");
	case ERR_INVALID:
		return ANSWER(554, "5.6.0", "a message has no NUL in it");
	case ERR_NOTFOUND:
		return ANSWER(550, "5.1.1", "there is no such user here");
	case ERR_EXISTS:
		return ANSWER(451, "4.3.0", "it exists already; try again later");
	case ERR_PERM:
		return ANSWER(550, "5.2.1", "the mailbox is disabled");
	case ERR_AUTH:
		return ANSWER(451, "4.3.0", "not allowed now; try again later");
	case ERR_BUSY:
		return ANSWER(451, "4.3.0", "somebody else writes this mailbox; try again later");
	case ERR_LIMIT:
		return ANSWER(451, "4.3.2", "a limit is reached; try again later");
	case ERR_QUOTA:
		return over_quota_defers ? ANSWER(452, "4.2.2", "the mailbox is full")
					 : ANSWER(552, "5.2.2", "the mailbox is full");
	case ERR_TOOBIG:
		return ANSWER(552, "5.3.4", "the message is larger than this server takes");
	case ERR_EXPUNGED:
		return ANSWER(451, "4.3.0", "it is gone; try again later");
	case ERR_UNSUPPORTED:
		return ANSWER(451, "4.3.0", "the mailbox is of a newer version; try again later");
	case ERR_CORRUPT:
		return ANSWER(451, "4.3.0", "the mailbox is damaged; try again later");
	case ERR_UNAVAILABLE:
		return ANSWER(451, "4.3.0", "the mailbox can't be reached now; try again later");
	case ERR_TEMP:
		return ANSWER(451, "4.3.0", "try again later");
	case ERR_NOSPACE:
		return ANSWER(452, "4.3.1", "no space is left on this server; try again later");
	case ERR_IO:
		return ANSWER(451, "4.3.0", "this server can't read or write; try again later");
	}
	return ANSWER(451, "4.3.0", "a defect of this server");
}
