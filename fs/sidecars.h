/*
 * The files that Maildir tools keep beside cur, new and tmp: in memory while somebody knows them, as drafts
 * (fs/draft.h) that never become mail; otherwise in the store (store/sidecar.h).  0 or an errno value.
 */
#ifndef FS_SIDECARS_H
#define FS_SIDECARS_H

#include "fs/draft.h"

/* As the store has it now, unless somebody has it open; a reference. */
int sidecars_find(struct tree *t, struct fs_folder *f, const char *name, struct draft **d_r);
/* Writes what is new in it to the store. */
int sidecars_keep(struct tree *t, struct draft *d);
int sidecars_unlink(struct tree *t, struct fs_folder *f, const char *name);
int sidecars_rename(struct tree *t, struct fs_folder *f, const char *name, const char *to_name,
    bool noreplace);
/* Names that are in the store alone, or in memory: each once. */
int sidecars_list(struct tree *t, struct fs_folder *f, struct arena *arena, const char ***names_r,
    size_t *n_r);
/* The kernel has forgotten it: the store has it, and memory is given back. */
void sidecars_forgotten(struct draft *d);

#endif
