/* The process in whose children PAM's modules run (auth/pam.h); authd's own program, started anew. */
#ifndef AUTHD_PAM_HELPER_H
#define AUTHD_PAM_HELPER_H

/* Until the daemon closes its end, or dies; the process's exit status. */
int pam_helper_main(void);

#endif
