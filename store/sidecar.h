/*
 * Sidecars: the small files that Maildir tools keep beside a folder's messages (what mbsync synchronised,
 * say).  Read and written whole; no other door shows them, so nobody is told of a change.
 */
#ifndef STORE_SIDECAR_H
#define STORE_SIDECAR_H

#include "store/folder.h"
#include "store/store.h"

struct sidecar {
	const char *name;
	uint64_t octets;
	int64_t written_ms; /* wall */
	struct str_view data;
};

/* Of a folder, by name; without data. */
WARN_UNUSED int sidecar_list(struct store *store, struct folder_id folder, struct arena *arena,
    struct sidecar **list_r, size_t *n_r, struct err *e);
/* NOTFOUND. */
WARN_UNUSED int sidecar_get(struct store *store, struct folder_id folder, const char *name,
    struct arena *arena, struct sidecar *sidecar_r, struct err *e);
/* Writes all of it.  NOTFOUND (the folder), QUOTA (SidecarFiles), TOOBIG (SidecarOctets). */
WARN_UNUSED int sidecar_put(struct store *store, struct folder_id folder, const char *name,
    struct str_view data, struct err *e);
/* NOTFOUND. */
WARN_UNUSED int sidecar_remove(struct store *store, struct folder_id folder, const char *name,
    struct err *e);
/* In the place of the one that has the new name; NOTFOUND. */
WARN_UNUSED int sidecar_rename(struct store *store, struct folder_id folder, const char *name,
    const char *new_name, struct err *e);

#endif
