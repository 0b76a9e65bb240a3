/*
 * A site: one store folder and its runtime folder, opened by this process.  It is the root of
 * everything: sessions, settings, events and mailboxes are reached through a struct site.
 *
 * A store is a folder.  STORE/store.conf (ini) holds what is fixed at start; it is the only source
 * for the runtime folder: no environment variable, no fallback, since two processes that guess
 * differently are two lock domains.  The runtime folder holds the boot id and a token that the
 * store holds too; a mismatch refuses to open.  Nothing in it is unlinked while the host is up.
 *
 * Two sites may be open in one process (tests do); all functions are safe from any thread.
 */
#ifndef LIMITS_SITE_H
#define LIMITS_SITE_H

#include "base/conf.h"
#include "base/err.h"

struct site;

/* `--store DIR` if given (not NULL), else $POSTERN_STORE, else /var/lib/postern. */
const char *site_default_dir(const char *given);

/*
 * Makes a store folder: store.conf with a random id, tokens, mail/, 2770, files 0660.  runtime NULL:
 * /run/postern/<id>; relative means relative to the store folder.  Errors: EXISTS, IO, NOSPACE.
 */
WARN_UNUSED int site_create(const char *dir, const char *runtime, struct err *e);

/*
 * Opens a store folder.  program ("postern-imapd") is kept by reference; it names this process in
 * rosters and logs.  The runtime folder is made when it is missing, and emptied under a lock when
 * the host has booted since.  Call after fork, not before: a forked child loses the parent's sessions.
 * Errors: NOTFOUND (no store there), CORRUPT (token mismatch, bad store.conf), UNSUPPORTED (a network
 * file system), PERM, IO.
 */
WARN_UNUSED int site_open(const char *dir, const char *program, struct site **site_r,
    struct err *e);
/* Every session of this process must have been released; CHECKed. */
void site_close(struct site **site);

/* Borrowed until site_close. */
const char *site_dir(const struct site *site);
int site_dir_fd(const struct site *site);
int site_runtime_fd(const struct site *site);
const char *site_program(const struct site *site);
const char *site_host_name(const struct site *site); /* store.conf [server] host, else the machine's */
/* A key of store.conf, or the default given: site_conf(site, "imap", "listen", "127.0.0.1:143"). */
const char *site_conf(const struct site *site, const char *section, const char *key,
    const char *otherwise);
/* The whole of store.conf. */
const struct conf *site_conf_all(const struct site *site);

/* A place where the store layer keeps what it holds per site (handle caches).  Set once; the
 * destructor runs at the start of site_close. */
void site_set_store_state(struct site *site, void *state, void (*destroy)(void *));
void *site_store_state(struct site *site);

#endif
