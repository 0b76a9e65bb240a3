/* What the files of the service share. */
#ifndef AUTH_SERVICE_PRIV_H
#define AUTH_SERVICE_PRIV_H

#include "base/arena.h"
#include "limits/site.h"

struct net_tls;
struct service;

/* Whose limits service_admit judges by. */
void service_admit_by(const struct service *service);
/* A path of store.conf is relative to the store folder. */
const char *service_path(struct arena *arena, const struct site *site, const char *path);
/* As [tls] says; *tls_r is left alone where there is no certificate. */
WARN_UNUSED int service_tls_load(const struct site *site, struct net_tls **tls_r, struct err *e);
/* As root, before it becomes another: leaves a child that can read these files when they are renewed, in the folders and
 * nowhere else. */
WARN_UNUSED int service_keeper_start(const struct net_tls *tls, const char *const *folders, struct err *e);
/* As the account: has them opened by it, where that is needed. */
void service_keeper_use(struct net_tls *tls);
/* Becomes the account that [SECTION] or [security] names, and gives up all that a door does not need.  folder_fd: what
 * it may write beside the site's folders; -1: nothing. */
WARN_UNUSED int service_confine(const struct site *site, const char *section, struct net_tls *tls, int folder_fd,
    struct err *e);

#endif
