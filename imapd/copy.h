/* What COPY and MOVE share. */
#ifndef IMAPD_COPY_H
#define IMAPD_COPY_H

#include "imapd/cmd.h"
#include "store/message.h"

/* message_copy or message_move. */
typedef int copy_function(struct store *store, struct folder_id from,
    const struct uid_range *ranges, size_t ranges_n, struct folder_id to, struct arena *arena,
    struct message_copied *copied_r, struct err *e);

bool copy_check(struct imap_req *req);
/*
 * Does it.  *code_r: "COPYUID ..." (RFC 4315 3), NULL where no message was left to copy.  IMAP_DONE with
 * the reply set where it could not be; IMAP_WAIT stands for "done, now reply".
 */
enum imap_next copy_run(struct imap_req *req, copy_function *copy, const char **code_r,
    struct err *e);

#endif
