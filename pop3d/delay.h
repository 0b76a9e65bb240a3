/*
 * Who logged in lately (LOGIN-DELAY, RFC 2449 6.5): a table of this process, of those for whom a delay
 * still runs; so it holds no more than users have logged in within it.  Any thread.
 */
#ifndef POP3D_DELAY_H
#define POP3D_DELAY_H

#include "limits/session.h"

/* A login of the user: false, and nothing, while the delay after the last one runs; else the next one has
 * to wait delay_s.  left_s_r: how long there is still to wait. */
bool pop3_delay_take(struct user_id user, uint32_t delay_s, uint32_t *left_s_r);
/* The login came to nothing. */
void pop3_delay_give_back(struct user_id user);

#endif
