/*
 * fs/loop.c - requests are received one at a time, and run many at a time.
 *
 * Why not libfuse's loop: it hands requests out of order, so that an OPEN may be judged before the
 * RELEASE that stood in front of it, and a user at his limit is refused wrongly (up to 2 % of opens,
 * measured).  Here the thread that receives holds the lead (lead.h) until it has freed what a RELEASE
 * frees, or taken what an OPEN takes; /dev/fuse is FIFO, so the count is exact.  It keeps the lead while it
 * answers what is answered from memory: a colleague would have to be woken first, twice the work.
 *
 * An OPEN that finds the ledger's lock taken is parked: judged again, and answered, in its mailbox's lane.
 */
#include "fs/loop.h"

#include "fs/grant.h"
#include "fs/lead.h"
#include "fs/only.h"

#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct loop {
	struct fs *fs;
	pthread_mutex_t lead;
	pthread_t *threads;
	unsigned threads_n;
	pid_t main_pid;
	atomic_bool has_ended;
};

struct parked {
	struct loop *loop;
	struct fuse_buf buf;
};

static void run_parked(void *arg)
{
	struct parked *p = arg;
	const struct fuse_in_header *in = p->buf.mem;
	struct caller who = caller_of(&p->loop->fs->tree, in->uid, in->gid, (pid_t)in->pid);
	struct handle *h = NULL;
	int err = grant_open(&p->loop->fs->tree, node_of_ino(in->nodeid), &who, &h);

	fs_ops_granted(err, h);
	fuse_session_process_buf(p->loop->fs->se, &p->buf);
	free(p->buf.mem);
	free(p);
}

static void park(struct loop *loop, const struct fuse_buf *buf, struct lane *lane)
{
	struct parked *p = mem_alloc(sizeof *p);

	p->loop = loop;
	p->buf.size = buf->size;
	p->buf.mem = mem_alloc(buf->size);
	memcpy(p->buf.mem, buf->mem, buf->size);
	pool_put(loop->fs->tree.pool, lane, run_parked, p);
}

/* With the lead.  False: the request is parked. */
static bool judge(struct loop *loop, const struct fuse_buf *buf)
{
	const struct fuse_in_header *in = buf->mem;
	const struct fuse_release_in *release = (const void *)(in + 1);
	struct caller who = caller_of(&loop->fs->tree, in->uid, in->gid, (pid_t)in->pid);
	struct lane *busy = NULL;
	struct handle *h = NULL;
	int err;

	switch (in->opcode) {
	case FUSE_OPEN:
	case FUSE_OPENDIR:
	case FUSE_CREATE:
		err = grant_try_open(&loop->fs->tree, node_of_ino(in->nodeid), &who, &h, &busy);
		if (busy)
			park(loop, buf, busy);
		else
			fs_ops_granted(err, h);
		break;
	case FUSE_RELEASE:
	case FUSE_RELEASEDIR:
		if (buf->size >= sizeof *in + sizeof *release &&
		    (h = handle_of(&loop->fs->tree, release->fh)))
			grant_close(&loop->fs->tree, h);
		break;
	default:
		break;
	}
	return !busy;
}

/* A file that grows by more is worth a colleague's waking. */
#define WRITE_QUICK_BYTES 65536u

/* Whether it is answered from memory, or lets the lead go itself before it asks the store. */
static bool is_quick(const struct fuse_buf *buf)
{
	const struct fuse_in_header *in = buf->mem;
	struct node n = node_of_ino(in->nodeid);
	const struct node_row *row = node_rows[n.kind];

	switch (in->opcode) {
	case FUSE_LOOKUP:
	case FUSE_GETATTR:
	case FUSE_CREATE:
		return row && row->has_quick_names;
	case FUSE_WRITE:
		return n.kind == NODE_draft && buf->size <= WRITE_QUICK_BYTES;
	case FUSE_FLUSH:
		return n.kind == NODE_draft;
	case FUSE_OPEN:
	case FUSE_OPENDIR:
		return row && row->is_quick;
	case FUSE_RELEASE:
	case FUSE_RELEASEDIR:
		return row && (row->is_quick || n.kind == NODE_draft);
	default:
		return false;
	}
}

/* One request received: its size, 0 at the end, or -errno. */
static int receive(struct loop *loop, struct fuse_buf *buf)
{
	int rc;

	lead_take(&loop->lead);
	do
		rc = fuse_session_exited(loop->fs->se) ? 0 : fuse_session_receive_buf(loop->fs->se, buf);
	while (rc == -EINTR);
	return rc;
}

static void *run(void *arg)
{
	struct loop *loop = arg;
	struct fuse_buf buf = {0};
	int rc;

	while ((rc = receive(loop, &buf)) > 0) {
		if (rc >= (int)sizeof(struct fuse_in_header) && !judge(loop, &buf))
			continue;
		if (rc < (int)sizeof(struct fuse_in_header) || !is_quick(&buf))
			lead_let_go();
		fuse_session_process_buf(loop->fs->se, &buf);
	}
	lead_let_go();
	if (rc < 0)
		log_error("receive-failed", "errno=%d", -rc);
	free(buf.mem);
	/* Whoever comes to the end first tells the main thread, which waits for signals. */
	if (!atomic_exchange(&loop->has_ended, true))
		kill(loop->main_pid, SIGTERM);
	return NULL;
}

static void nothing(int sig)
{
	(void)sig; /* only to make read(2) return */
}

struct loop *loop_start(struct fs *fs, unsigned threads_n)
{
	struct loop *loop = mem_alloc(sizeof *loop);
	struct sigaction sa = {.sa_handler = nothing};

	sigaction(SIGUSR1, &sa, NULL);
	loop->fs = fs;
	loop->main_pid = getpid();
	loop->threads_n = threads_n;
	loop->threads = mem_alloc(threads_n * sizeof *loop->threads);
	pthread_mutex_init(&loop->lead, NULL);
	for (unsigned i = 0; i < threads_n; i++)
		CHECK(pthread_create(&loop->threads[i], NULL, run, loop) == 0);
	return loop;
}

bool loop_has_ended(const struct loop *loop)
{
	return atomic_load(&loop->has_ended);
}

void loop_stop(struct loop *loop)
{
	fuse_session_exit(loop->fs->se);
}

/* A signal that comes just before read(2) is lost, and who receives changes: all are told, again and
 * again. */
static void wake_all(struct loop *loop, const bool *ended)
{
	for (unsigned i = 0; i < loop->threads_n; i++)
		if (!ended[i])
			pthread_kill(loop->threads[i], SIGUSR1);
}

void loop_wait(struct loop **lp)
{
	struct loop *loop = *lp;
	bool *ended = mem_alloc(loop->threads_n * sizeof *ended);
	struct timespec soon;

	for (unsigned i = 0; i < loop->threads_n; i++)
		while (!ended[i]) {
			wake_all(loop, ended);
			clock_gettime(CLOCK_MONOTONIC, &soon);
			soon.tv_nsec += 20000000;
			soon.tv_sec += soon.tv_nsec / 1000000000;
			soon.tv_nsec %= 1000000000;
			ended[i] = pthread_clockjoin_np(loop->threads[i], NULL, CLOCK_MONOTONIC, &soon) == 0;
		}
	free(ended);
	pthread_mutex_destroy(&loop->lead);
	free(loop->threads);
	mem_free(lp);
}
