/* imapd/err_map.c - meanings to response codes (RFC 5530).  The switch has no default: a new meaning
 * does not build until it has its words here. */
#include "imapd/err_map.h"

struct err_words err_map(enum err_code code)
{
	switch (code) {
	case ERR_INVALID:
		return (struct err_words){"CANNOT", "That can't be done", false};
	case ERR_NOTFOUND:
		return (struct err_words){"NONEXISTENT", "There is no such folder", false};
	case ERR_EXISTS:
		return (struct err_words){"ALREADYEXISTS", "There is such a folder already", false};
	case ERR_PERM:
		return (struct err_words){"NOPERM", "That is not allowed", false};
	case ERR_AUTH:
		return (struct err_words){"AUTHENTICATIONFAILED",
		    "User name or password is wrong", false};
	case ERR_BUSY:
		return (struct err_words){"INUSE", "The mailbox is busy; please try again", true};
	case ERR_LIMIT:
		return (struct err_words){"LIMIT", "A limit of the server is reached", false};
	case ERR_QUOTA:
		return (struct err_words){"OVERQUOTA", "The mailbox is over its quota", false};
	case ERR_TOOBIG:
		return (struct err_words){"TOOBIG", "The message is larger than the server takes",
		    false};
	case ERR_EXPUNGED:
		return (struct err_words){"EXPUNGEISSUED", "Some of the messages are gone", false};
	case ERR_UNSUPPORTED:
		return (struct err_words){"CONTACTADMIN",
		    "This server can't work with the mailbox as it is; please tell its administrator",
		    true};
	case ERR_CORRUPT:
		return (struct err_words){"CONTACTADMIN",
		    "The mailbox is damaged; please tell the administrator", true};
	case ERR_UNAVAILABLE:
	case ERR_TEMP:
		return (struct err_words){"UNAVAILABLE",
		    "The mailbox can't be used now; please try again later", true};
	case ERR_NOSPACE:
		return (struct err_words){"UNAVAILABLE",
		    "No space is left on the server; nothing was stored", true};
	case ERR_IO:
		return (struct err_words){"UNAVAILABLE",
		    "The server could not read or write its data; refer to its log", true};
	case ERR_NONE:
	case ERR_BUG:
		break;
	}
	return (struct err_words){"SERVERBUG", "A defect of the server; refer to its log", true};
}
