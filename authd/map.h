/*
 * Tables for Postfix, as socketmap_table(5) asks for them: a netstring "MAP KEY", answered by a netstring that
 * begins with OK, NOTFOUND, TEMP, TIMEOUT or PERM.  The maps:
 *
 *   domains    a domain of ours                       the domain
 *   mailboxes  an address that lmtpd would deliver to the user's name
 *   aliases    an address that is another user's      the user's own address
 *   senders    an address                             the login that may send from it
 *   quota      an address                             DUNNO, or an SMTP reply where the mailbox is full
 */
#ifndef AUTHD_MAP_H
#define AUTHD_MAP_H

#include "base/str.h"
#include "limits/site.h"
#include "net/conn.h"

extern const struct net_door map_door;

enum map_parsed { MAP_WHOLE, MAP_PART, MAP_MALFORMED };
/* Cuts a netstring off the front of *in; it is borrowed.  One of more than most octets is malformed. */
enum map_parsed map_netstring(struct str_view *in, size_t most, struct str_view *text_r);
/* What is answered to "MAP KEY", without the netstring around it; replaces out. */
void map_answer(struct site *site, struct str_view question, struct str_buf *out);

#endif
