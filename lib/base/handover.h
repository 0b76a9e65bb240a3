/*
 * A descriptor handed from one process to another over a Unix socket: messages of text, one of which may bring a
 * descriptor along.  Who the other is, is what the kernel says.
 */
#ifndef BASE_HANDOVER_H
#define BASE_HANDOVER_H

#include "base/err.h"

#include <stdint.h>
#include <sys/types.h>

#define HANDOVER_TEXT_MAX 512
#define HANDOVER_PATH_MAX 108

/* Where the one who serves a folder listens, by the folder alone: who asks may have no right to read in it. */
WARN_UNUSED int handover_path_of(const char *folder, char path_r[HANDOVER_PATH_MAX], struct err *e);

/* A socket at this path that everybody may connect to, in a folder (made where it is missing) that the caller alone
 * may write to.  What a dead process left there is replaced. */
WARN_UNUSED int handover_listen(const char *path, int *fd_r, struct err *e);
struct handover_peer {
	uid_t uid;
	pid_t pid;
};
/* -1 with errno, EAGAIN when nobody waits. */
int handover_accept(int fd, struct handover_peer *who_r);
/* NOTFOUND: nobody listens there. */
WARN_UNUSED int handover_connect(const char *path, int *fd_r, struct err *e);

/* Two ends, for a child that sends a descriptor up (fusermount3). */
WARN_UNUSED int handover_pair(int pair_r[2], struct err *e);

/* Two ends between processes of one program, for messages of octets. */
WARN_UNUSED int handover_packets(int pair_r[2], struct err *e);
/* Messages of octets; one is taken whole, and as long as it has to be. */
WARN_UNUSED int handover_put(int fd, const void *octets, size_t n, int passed, struct err *e);
WARN_UNUSED int handover_take(int fd, int64_t wait_ms, void *octets, size_t n, int *passed_r, struct err *e);
/* Both ends hear that it is over; the descriptor stays, for other threads may be using it. */
void handover_end(int fd);

/* passed: a descriptor to bring along, or -1. */
WARN_UNUSED int handover_send(int fd, const char *text, int passed, struct err *e);
/* Waits so long for a message; text ends with NUL.  passed_r (NULL: none is wanted) becomes -1 where none came.
 * TEMP: none came in time, or the other hung up. */
WARN_UNUSED int handover_receive(int fd, int64_t wait_ms, char text[HANDOVER_TEXT_MAX], int *passed_r,
    struct err *e);

#endif
