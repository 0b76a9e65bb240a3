/*
 * pop3d/err_map.c - every meaning in POP3's words.  [SYS/TEMP]: try again later; [SYS/PERM]: somebody
 * has to do something first; [AUTH]: the credentials are wrong (RFC 3206 4); [IN-USE]: RFC 2449 8.1.2.
 */
#include "pop3d/err_map.h"

#pragma GCC diagnostic error "-Wswitch"

const char *pop3_err_words(enum err_code code)
{
	switch (code) {
	case ERR_NONE:
	case ERR_BUG:
		return "[SYS/TEMP] a defect of this server";
	case ERR_INVALID:
		return "that makes no sense";
	case ERR_NOTFOUND:
		return "there is no such thing";
	case ERR_EXISTS:
		return "it exists already";
	case ERR_PERM:
		return "[SYS/PERM] not allowed";
	case ERR_AUTH:
		return "[AUTH] user name or password is wrong";
	case ERR_BUSY:
		return "[IN-USE] somebody else is changing this mailbox; try again";
	case ERR_LIMIT:
		return "[SYS/TEMP] a limit is reached; try again later";
	case ERR_QUOTA:
		return "[SYS/PERM] the mailbox is over its quota";
	case ERR_TOOBIG:
		return "[SYS/PERM] larger than this server allows";
	case ERR_EXPUNGED:
		return "the message is gone";
	case ERR_UNSUPPORTED:
		return "[SYS/PERM] this mailbox is of a newer version; ask your administrator";
	case ERR_CORRUPT:
		return "[SYS/PERM] the mailbox is damaged; ask your administrator";
	case ERR_UNAVAILABLE:
		return "[SYS/TEMP] the mailbox can't be reached now; try again later";
	case ERR_TEMP:
		return "[SYS/TEMP] try again later";
	case ERR_NOSPACE:
		return "[SYS/TEMP] no space is left on the server";
	case ERR_IO:
		return "[SYS/TEMP] the server can't read or write; try again later";
	}
	return "[SYS/TEMP] a defect of this server";
}
