/*
 * A set of daemons kept running: started together, restarted with growing pauses when they die, ended
 * by their process ids.
 */
#ifndef CTL_SUPERVISE_H
#define CTL_SUPERVISE_H

#include "base/err.h"
#include "base/notify.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define DAEMONS_MAX 8
#define DAEMON_ARGS_MAX 10

struct daemon {
	const char *name; /* "postern-imapd" */
	char path[PATH_MAX];
	const char *argv[DAEMON_ARGS_MAX];
	int log_fd;       /* its stderr; -1: ours */
	pid_t pid;        /* 0: not running */
	bool ready;       /* this process of it serves */
	bool was_ready;   /* some process of it did: from then on it is restarted */
	int64_t started_ms, again_ms, pause_ms;
};

struct supervisor {
	struct daemon daemons[DAEMONS_MAX];
	size_t n;
	struct notify_listener listener;
	int signals;      /* a signalfd */
	bool told;        /* all were ready, and it was said */
	bool stopping, failed;
	int64_t stop_by_ms;
};

/* Adds a daemon; its argv ends with NULL. */
struct daemon *supervisor_add(struct supervisor *s, const char *name);
/*
 * Runs them until SIGTERM or SIGINT, or until one ends before it ever was ready: -1 then, after all
 * are ended.  all_ready is called once.
 */
int supervisor_run(struct supervisor *s, void (*all_ready)(void));

#endif
