/*
 * Where logins are worked on: a bounded number of threads that check passwords (hashing is slow on purpose,
 * and takes memory), and one that keeps time for answers that are held back and peers that are awaited.
 */
#ifndef AUTHD_WORK_H
#define AUTHD_WORK_H

#include "authd/guard.h"
#include "authd/request.h"
#include "limits/site.h"

/* Starts the threads, which the settings number.  One a process. */
WARN_UNUSED int work_begin(struct site *site, struct err *e);
/* Ends them, and every request that is left; after the server has ended. */
void work_end(void);

/* One request more; false: there are MaxRequests.  work_refund: it was not made after all. */
bool work_admit(void);
void work_refund(void);
/* The request is over, whatever it waited for. */
void work_drop(struct request *request);
/* It is answered now, where that takes no hash; else it waits for a thread.  It is not the caller's any more. */
void work_begin_request(struct request *request);
/* The request waits for a thread; it is not the caller's any more. */
void work_submit(struct request *request);
/* Its peer is awaited until then, and told off. */
void work_rest(struct request *request, int64_t due_ms);
/* A request of a client whose lock the caller holds: true, if it was resting; it is the caller's then. */
bool work_take(struct request *request);

struct guard *work_guard(void);
struct guard_rules work_guard_rules(struct site *site);

#endif
