/*
 * ctl/supervise.c - daemons kept running.  One thread, one poll: signals by signalfd, readiness by the
 * notification socket.
 */
#include "ctl/supervise.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "ctl/program.h"
#include "ctl/verb.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAUSE_LEAST_MS 100
#define PAUSE_MOST_MS 30000
#define STEADY_MS 60000 /* a daemon that ran so long starts at the least pause again */
#define STOP_MS 15000   /* then SIGKILL */
#define READY_MS 90000

struct daemon *supervisor_add(struct supervisor *s, const char *name)
{
	struct daemon *d = &s->daemons[s->n++];

	CHECK(s->n <= DAEMONS_MAX);
	*d = (struct daemon){.name = name, .log_fd = -1, .pause_ms = PAUSE_LEAST_MS};
	d->argv[0] = name;
	return d;
}

static void stop_begin(struct supervisor *s)
{
	if (s->stopping)
		return;
	s->stopping = true;
	s->stop_by_ms = clock_mono_ms() + STOP_MS;
	notify_stopping();
	for (size_t i = 0; i < s->n; i++)
		if (s->daemons[i].pid)
			kill(s->daemons[i].pid, SIGTERM);
}

static void daemon_start(struct supervisor *s, struct daemon *d)
{
	struct program_start how = {
	    .path = d->path,
	    .argv = (char *const *)d->argv,
	    .notify_address = s->listener.address,
	    .stderr_fd = d->log_fd,
	    .ends_with_us = true,
	};
	struct err e;

	d->ready = false;
	d->again_ms = 0;
	d->started_ms = clock_mono_ms();
	if (program_start(&how, &d->pid, &e) == 0) {
		log_info("started", "daemon=%s pid=%d", d->name, (int)d->pid);
		return;
	}
	log_error("start", "daemon=%s %s", d->name, log_err(&e));
	d->pid = 0;
	d->again_ms = d->started_ms + PAUSE_MOST_MS;
}

/* --- what happens -------------------------------------------------------------------------- */

static void daemon_ended(struct supervisor *s, struct daemon *d, int status)
{
	int64_t now_ms = clock_mono_ms();
	char text[64];

	d->pid = 0;
	d->ready = false;
	program_end_text(status, text);
	if (s->stopping) {
		log_info("stopped", "daemon=%s end=\"%s\"", d->name, text);
		return;
	}
	if (!d->was_ready) {
		ctl_say("%s ended before it was ready (%s): its lines above, or its log, say why",
		    d->name, text);
		s->failed = true;
		stop_begin(s);
		return;
	}
	if (now_ms - d->started_ms >= STEADY_MS)
		d->pause_ms = PAUSE_LEAST_MS;
	d->again_ms = now_ms + d->pause_ms;
	log_warn("restart", "daemon=%s end=\"%s\" pause_ms=%" PRId64, d->name, text, d->pause_ms);
	d->pause_ms = d->pause_ms * 2 < PAUSE_MOST_MS ? d->pause_ms * 2 : PAUSE_MOST_MS;
}

static void children_reap(struct supervisor *s)
{
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (size_t i = 0; i < s->n; i++)
			if (s->daemons[i].pid == pid)
				daemon_ended(s, &s->daemons[i], status);
}

static void signals_take(struct supervisor *s)
{
	struct signalfd_siginfo info;

	while (read(s->signals, &info, sizeof info) == sizeof info)
		if (info.ssi_signo == SIGCHLD)
			children_reap(s);
		else
			stop_begin(s);
}

static void messages_take(struct supervisor *s)
{
	pid_t from;
	bool ready;

	while (notify_take(&s->listener, &from, &ready))
		for (size_t i = 0; ready && i < s->n; i++)
			if (s->daemons[i].pid == from)
				s->daemons[i].ready = s->daemons[i].was_ready = true;
}

/* --- what is due --------------------------------------------------------------------------- */

static bool all_ready(const struct supervisor *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (!s->daemons[i].ready)
			return false;
	return true;
}

static void due_check(struct supervisor *s, int64_t now_ms)
{
	for (size_t i = 0; i < s->n; i++) {
		struct daemon *d = &s->daemons[i];

		if (s->stopping) {
			if (d->pid && now_ms >= s->stop_by_ms) {
				log_error("kill", "daemon=%s pid=%d", d->name, (int)d->pid);
				kill(d->pid, SIGKILL);
			}
		} else if (!d->pid && now_ms >= d->again_ms) {
			daemon_start(s, d);
		} else if (d->pid && !d->was_ready && now_ms - d->started_ms >= READY_MS) {
			ctl_say("%s is not ready after %d seconds", d->name, READY_MS / 1000);
			s->failed = true;
			stop_begin(s);
		}
	}
}

/* How long poll may sleep: to the next restart or deadline. */
static int due_in_ms(const struct supervisor *s, int64_t now_ms)
{
	int64_t due_ms = s->stopping ? s->stop_by_ms : now_ms + 60000;

	if (s->stopping && now_ms >= due_ms)
		due_ms = now_ms + 100; /* after SIGKILL: until they are reaped */
	for (size_t i = 0; i < s->n && !s->stopping; i++) {
		const struct daemon *d = &s->daemons[i];

		if (!d->pid && d->again_ms < due_ms)
			due_ms = d->again_ms;
		else if (d->pid && !d->was_ready && d->started_ms + READY_MS < due_ms)
			due_ms = d->started_ms + READY_MS;
	}
	return due_ms > now_ms ? (int)(due_ms - now_ms) : 0;
}

static bool any_runs(const struct supervisor *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->daemons[i].pid)
			return true;
	return false;
}

static int supervisor_begin(struct supervisor *s, struct err *e)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	s->listener.fd = -1;
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->signals < 0)
		return err_sys(e, ERR_TEMP, errno, "signalfd");
	return notify_listen(&s->listener, e);
}

int supervisor_run(struct supervisor *s, void (*tell)(void))
{
	struct err e;

	if (supervisor_begin(s, &e) < 0)
		return ctl_fail_err(&e), -1;
	while (!s->stopping || any_runs(s)) {
		struct pollfd in[] = {{s->signals, POLLIN, 0}, {s->listener.fd, POLLIN, 0}};
		int64_t now_ms = clock_mono_ms();

		due_check(s, now_ms);
		poll(in, 2, due_in_ms(s, now_ms));
		messages_take(s); /* before a death is seen: READY=1 of who has just died counts */
		signals_take(s);
		if (!s->told && !s->stopping && all_ready(s)) {
			s->told = true;
			tell();
		}
	}
	notify_listen_fini(&s->listener);
	close(s->signals);
	return s->failed ? -1 : 0;
}
