/*
 * The floor under an append: a bare SQLite transaction that writes the same rows of the same schema
 * into another user's mail.db, opened here directly with the store's pragmas, without writer lock,
 * doorbell, line ends or MIME.  Shared by the benches that are held against it.
 */
#ifndef BENCH_BARE_H
#define BENCH_BARE_H

#include "store/message.h"

#include <stddef.h>

#define BARE_MAIL_OCTETS 4096
extern char bare_mail[BARE_MAIL_OCTETS]; /* the message that everybody appends */
void bare_mail_make(void);

struct bare;
/* Rows will be copies of the first message in the mailbox's INBOX, which must be bare_mail.  dir holds the
 * store folder `s`.  Errors end the program. */
struct bare *bare_open(struct store *mailbox, const char *dir, struct user_id user);
void bare_close(struct bare **bare);
/* Appends n times; microseconds each. */
double bare_round(struct bare *bare, int n);

double bench_now_us(void);
double bench_median(double *values, size_t n); /* sorts them */

#endif
