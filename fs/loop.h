/* The receive loop: threads that take turns at reading requests. */
#ifndef FS_LOOP_H
#define FS_LOOP_H

#include "fs/ops.h"

/* Serves until the session ends (unmounted, or loop_stop). */
struct loop;
struct loop *loop_start(struct fs *fs, unsigned threads_n);
/* Wakes whoever waits in loop_wait; async-signal-unsafe. */
void loop_stop(struct loop *loop);
/* Returns when all threads have ended; frees. */
void loop_wait(struct loop **loop);
/* Whether a thread has seen the end of the session by itself. */
bool loop_has_ended(const struct loop *loop);

#endif
