/*
 * Where what users prove themselves with lies: in STORE/auth, a folder that nobody but its owner may enter (0700).
 * As a rule that is a link to a folder beside the store's: a door's confinement has all of the store's folder, since
 * Landlock knows no exception of a folder, and so that one must not be in it.  Where none can be made beside, it is a
 * folder in the store's, and its mode alone keeps others out.
 */
#ifndef STORE_CREDENTIAL_PLACE_H
#define STORE_CREDENTIAL_PLACE_H

#include "store/credential.h"

/* A file of it, 0600 and its owner's, made before SQLite sees it: so nobody else may ever have opened it. */
WARN_UNUSED int credential_place_make(struct site *site, int folder_fd, const char *name, struct err *e);
/* Brings in what an older store has beside its directory; killed at any instant, it is all in one of both. */
WARN_UNUSED int credential_move_in(struct site *site, int folder_fd, struct err *e);

#endif
