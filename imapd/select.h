/* What SELECT and EXAMINE share. */
#ifndef IMAPD_SELECT_H
#define IMAPD_SELECT_H

#include "imapd/cmd.h"

bool select_check(struct imap_req *req);
enum imap_next select_run(struct imap_req *req, bool readonly, struct err *e);

#endif
