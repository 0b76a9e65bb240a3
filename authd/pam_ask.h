/* One question to PAM; blocks for as long as its modules do. */
#ifndef AUTHD_PAM_ASK_H
#define AUTHD_PAM_ASK_H

#include "auth/pam.h"

void pam_ask(const struct pam_question *question, struct pam_answer *answer_r);

#endif
