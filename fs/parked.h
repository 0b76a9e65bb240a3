/*
 * Reads that wait, and polls.  A read of a file with nothing to say is parked until there is something, the
 * reader is interrupted (FUSE_INTERRUPT), or the mount ends.
 */
#ifndef FS_PARKED_H
#define FS_PARKED_H

#include "fs/op.h"

struct parked_reads;
struct parked_reads *parked_new(struct tree *t);
void parked_free(struct parked_reads **parked);

/* Answers op now or later. */
void parked_read(struct parked_reads *parked, struct op *op);
/* To be told once when the file may be read; takes ph, in place of what it had for that handle. */
void parked_poll(struct parked_reads *parked, struct handle *h, struct fuse_pollhandle *ph);
/* The handle is closed: nobody is to be told any more. */
void parked_forget(struct parked_reads *parked, uint64_t handle);
/* Something may be readable.  Not on a thread that a request waits for. */
void parked_wake(struct parked_reads *parked);
/* Everybody who waits gets an end of file, now and from now on. */
void parked_stop(struct parked_reads *parked);

#endif
