/* Searches that a user keeps: their text, which is their name too; what it means is for who asks. */
#ifndef STORE_SAVED_H
#define STORE_SAVED_H

#include "store/store.h"

#define SAVED_OCTETS_MAX 255

/* All of them by their text; in the arena. */
WARN_UNUSED int saved_list(struct store *store, struct arena *arena, const char *const **list_r,
    size_t *n_r, struct err *e);
/* Errors: EXISTS, QUOTA (SavedSearchesMax), INVALID (none, or a longer one than there may be). */
WARN_UNUSED int saved_add(struct store *store, const char *text, struct err *e);
/* NOTFOUND. */
WARN_UNUSED int saved_remove(struct store *store, const char *text, struct err *e);

#endif
