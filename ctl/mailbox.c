/* ctl/mailbox.c - a mailbox opened for administration. */
#include "ctl/mailbox.h"

#include "auth/login.h"

int ctl_mailbox_open_quietly(struct ctl *ctl, const char *user, struct mailbox *m, struct err *e)
{
	struct session_refusal why = {0};

	*m = (struct mailbox){0};
	if (auth_open(ctl->site, SESSION_ADMIN, user, NULL, NULL, &m->session, &why, e) < 0) {
		if (e->code == ERR_LIMIT)
			err_set(e, ERR_LIMIT, "%s", why.explain);
		return -1;
	}
	if (store_open(m->session, &m->store, e) == 0)
		return 0;
	session_release(&m->session);
	return err_context(e, "mailbox of %s", user);
}

int ctl_mailbox_open(struct ctl *ctl, const char *user, struct mailbox *m)
{
	struct err e;

	if (ctl_mailbox_open_quietly(ctl, user, m, &e) == 0)
		return 0;
	if (e.code == ERR_NOTFOUND)
		ctl_no_user(user);
	else
		ctl_fail_err(&e);
	return -1;
}

void ctl_mailbox_close(struct mailbox *m)
{
	if (m->store)
		store_close(&m->store);
	if (m->session)
		session_release(&m->session);
}
