/* How a meaning of base/err.h sounds in IMAP. */
#ifndef IMAPD_ERR_MAP_H
#define IMAPD_ERR_MAP_H

#include "base/err.h"

#include <stdbool.h>

struct err_words {
	const char *code, *text; /* behind NO; code without brackets (RFC 5530) */
	bool is_fault;           /* the world's fault, to be logged, and not what the client asked for */
};
struct err_words err_map(enum err_code code);

#endif
