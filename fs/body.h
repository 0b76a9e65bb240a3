/*
 * A message's octets as they are served, at any offset.  The store keeps CRLF form; a message that is
 * served otherwise is converted on the way.  Small ones are taken whole at the first READ; of large
 * ones marks are kept, one per stretch, from which the conversion can go on: memory stays small, and
 * no READ converts more than what it skips.
 */
#ifndef FS_BODY_H
#define FS_BODY_H

#include "mime/eol.h"

struct body_source {
	/* Up to n octets of the CRLF form from at; fewer only at its end. */
	int (*read)(void *arg, uint64_t at, void *octets, size_t n, size_t *n_r, struct err *e);
	void *arg;
};

/* Whole in memory up to here. */
#define BODY_WHOLE_MAX 1048576u

struct body;
/* to EOL_CRLF: as the store keeps it.  exceptions are taken. */
struct body *body_new(uint64_t size_crlf, enum eol_kind to, struct str_buf *exceptions);
void body_free(struct body **body);
/* Fewer than n only at the end.  The source may be another at every call, for the same octets. */
WARN_UNUSED int body_read(struct body *body, const struct body_source *source, uint64_t at,
    char *octets, size_t n, size_t *n_r, struct err *e);

#endif
