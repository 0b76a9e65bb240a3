/*
 * Telling a supervisor (systemd's Type=notify, or `postern serve`) how a program is: one datagram
 * to the socket that $NOTIFY_SOCKET names, as sd_notify(3) sends it.  Without one, nothing.
 */
#ifndef BASE_NOTIFY_H
#define BASE_NOTIFY_H

/* The program serves now. */
void notify_ready(void);
/* It was told to end, and is about to. */
void notify_stopping(void);

#endif
