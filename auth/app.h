/* Application passwords: one for each program that should not know the user's own. */
#ifndef AUTH_APP_H
#define AUTH_APP_H

#include "base/err.h"
#include "limits/session.h"
#include "limits/site.h"

#define APP_PASSWORD_SIZE 24 /* "abcde-fghij-kmnpq-rstuv" */

/* Makes one, good for these doors (bits of enum account_door).  EXISTS, INVALID (the name), LIMIT. */
WARN_UNUSED int app_add(struct site *site, struct user_id user, const char *name, unsigned doors,
    char password_r[APP_PASSWORD_SIZE], struct err *e);

#endif
