/*
 * Threads that a program starts for itself.  Signals are for the thread that runs main: all of them are blocked in
 * the others, from their first instruction on.
 */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>

/* 0, or why not (an errno value). */
int thread_start(pthread_t *thread_r, void *(*run)(void *), void *arg);
/* A condition whose time-outs are CLOCK_MONOTONIC's: a clock that is set neither wakes its waiters nor holds them. */
void thread_cond_init(pthread_cond_t *cond);

#endif
