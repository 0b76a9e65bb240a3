/* A password from the person or the script that runs `postern`: never from the command line, where
 * every process of the machine could read it. */
#ifndef CTL_PASSWORD_H
#define CTL_PASSWORD_H

#include <stdbool.h>
#include <stddef.h>

#define PASSWORD_SIZE 1024

/* One line of standard input, or (from_stdin false) asked for twice on the terminal.  -1 after saying
 * what is wrong.  The caller wipes it. */
int password_read(bool from_stdin, const char *user, char out[PASSWORD_SIZE]);

#endif
