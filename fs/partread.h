/* Reading an open file under parts/. */
#ifndef FS_PARTREAD_H
#define FS_PARTREAD_H

#include "fs/partlist.h"

struct handle;

struct partread;
/* list is taken. */
struct partread *partread_new(struct partlist *list, const struct partfile *file);
void partread_free(struct partread **part);
/* Handle locked, its store open, its body made. */
WARN_UNUSED int partread_at(struct handle *h, const struct body_source *source, uint64_t at,
    char *octets, size_t n, size_t *n_r, struct err *e);

#endif
