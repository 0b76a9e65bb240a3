/* An append between its first octet and its commit. */
#ifndef STORE_APPEND_PRIV_H
#define STORE_APPEND_PRIV_H

#include "store/message.h"
#include "store/spool.h"

struct append {
	struct store *store;
	uint64_t size_max;
	struct eol_in eol;
	struct mime_scan *scan;
	struct str_buf fed;    /* one slice in CRLF form */
	struct spool spool;    /* the CRLF form */
	bool is_finished;
	/* once finished: */
	struct arena arena;
	struct mime_message mime;
	struct str_buf parts;
};

#endif
