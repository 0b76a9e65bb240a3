/* An append between its first octet and its commit. */
#ifndef STORE_APPEND_PRIV_H
#define STORE_APPEND_PRIV_H

#include "store/message.h"

struct append {
	struct store *store;
	uint64_t size_max;
	struct eol_in eol;
	struct mime_scan *scan;
	struct str_buf fed;    /* one slice in CRLF form */
	struct str_buf buffer; /* the CRLF form, or its end once there is a file */
	int fd;                /* -1: all is in the buffer */
	uint64_t in_file;
	bool is_finished;
	/* once finished: */
	struct arena arena;
	struct mime_message mime;
	struct str_buf parts;
};

/* The CRLF form from an offset; borrowed from the append, or read into room. */
WARN_UNUSED int append_peek(struct append *a, uint64_t at, size_t n, struct str_buf *room,
    struct str_view *octets_r, struct err *e);

#endif
