/*
 * authd/pam_helper.c - starts a process for each check, ends it when its time is up, and all of them when the daemon is
 * gone.  It reads nothing but whole questions of the daemon's, and no answer: a child has its asker's descriptor, and
 * whoever dies with it is understood to have no answer.  When the helper itself dies, the next one is begun.
 */
#include "authd/pam_helper.h"
#include "authd/pam_ask.h"
#include "base/clock.h"
#include "base/handover.h"
#include "base/log.h"
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* As many as the setting PamChecksMax may ask for. */
#define CHILDREN_MAX 64
/* Between two that can't live. */
#define RESTART_MS 1000

struct child {
	pid_t pid; /* 0: none */
	int64_t due_ms;
};

static struct child children[CHILDREN_MAX];
static size_t children_n, children_max = CHILDREN_MAX;

/* --- one check ----------------------------------------------------------------------------- */

/* A session of its own, so that what it starts ends with it; nothing to read from, nothing to write to. */
static void become_child(pid_t parent)
{
	sigset_t none;
	int null;

	setsid();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	prctl(PR_SET_NAME, "postern-pam-ask");
	for (int signal_n = 1; signal_n < NSIG; signal_n++)
		signal(signal_n, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if ((null = open("/dev/null", O_RDWR)) < 0)
		_exit(1);
	for (int fd = 0; fd <= 2; fd++)
		dup2(null, fd);
	close(null);
	close(PAM_HELPER_FD);
}

static _Noreturn void be_child(pid_t parent, struct pam_question *question, int answer_fd)
{
	struct pam_answer answer = {.verdict = PAM_VERDICT_UNKNOWN};
	struct err e;

	become_child(parent);
	pam_ask(question, &answer);
	explicit_bzero(question, sizeof *question);
	_exit(handover_put(answer_fd, &answer, sizeof answer, -1, &e) == 0 ? 0 : 1);
}

static void start(struct pam_question *question, int answer_fd)
{
	struct child *child = children;
	pid_t parent = getpid(), pid = fork();

	if (pid == 0)
		be_child(parent, question, answer_fd);
	if (pid < 0) {
		log_error("pam-fork", "%s", strerror(errno));
		return;
	}
	while (child->pid)
		child++;
	*child = (struct child){pid, clock_mono_ms() + question->timeout_ms};
	children_n++;
}

/* --- all of them --------------------------------------------------------------------------- */

static void kill_child(const struct child *child)
{
	kill(-child->pid, SIGKILL);
	kill(child->pid, SIGKILL); /* it may not have its session yet */
}

static struct child *find_child(pid_t pid)
{
	for (size_t i = 0; i < CHILDREN_MAX; i++)
		if (children[i].pid == pid)
			return &children[i];
	return NULL;
}

/* What a child left running ends with it; its number is not another's before it is waited for. */
static void reap(void)
{
	siginfo_t info = {0};
	struct child *child;

	while (children_n && waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid) {
		if ((child = find_child(info.si_pid))) {
			kill_child(child);
			child->pid = 0;
			children_n--;
		}
		if (info.si_code != CLD_EXITED && info.si_status != SIGKILL)
			log_error("pam-crashed", "signal=%d", info.si_status);
		waitpid(info.si_pid, NULL, 0);
		info.si_pid = 0;
	}
}

/* Milliseconds until the next one's time is up; those whose is are ended. */
static int end_late(void)
{
	int64_t now = clock_mono_ms(), next = INT64_MAX;

	for (size_t i = 0; i < CHILDREN_MAX; i++) {
		struct child *child = &children[i];

		if (child->pid && child->due_ms <= now) {
			log_warn("pam-timeout", "pid=%d limit=PamTimeout", (int)child->pid);
			kill_child(child);
			child->due_ms = INT64_MAX; /* it is dead, or the kernel has it */
		}
		if (child->pid && child->due_ms < next)
			next = child->due_ms;
	}
	return next == INT64_MAX ? -1 : (int)(next - now);
}

static void end_all(void)
{
	for (size_t i = 0; i < CHILDREN_MAX; i++)
		if (children[i].pid)
			kill_child(&children[i]);
}

/* False: the daemon is gone. */
static bool take_question(void)
{
	struct pam_question question;
	struct err e;
	int answer_fd = -1;

	if (handover_take(PAM_HELPER_FD, 0, &question, sizeof question, &answer_fd, &e) < 0)
		return false;
	if (question.checks_max && question.checks_max <= CHILDREN_MAX)
		children_max = question.checks_max;
	if (answer_fd >= 0) {
		start(&question, answer_fd);
		close(answer_fd);
	}
	explicit_bzero(&question, sizeof question);
	return true;
}

static int serve(void)
{
	struct signalfd_siginfo info;
	sigset_t child;
	int signals;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals < 0)
		return 1;
	for (;;) {
		struct pollfd fds[] = {
		    {.fd = signals, .events = POLLIN},
		    {.fd = children_n < children_max ? PAM_HELPER_FD : -1, .events = POLLIN},
		};

		if (poll(fds, 2, end_late()) < 0 && errno != EINTR)
			break;
		while (read(signals, &info, sizeof info) > 0)
			continue;
		reap();
		if (fds[1].revents && !take_question())
			break;
	}
	end_all();
	return 0;
}

/* --- one after another --------------------------------------------------------------------- */

/* Signals that end services end the daemon, and it ends us. */
static void prepare(void)
{
	sigset_t set;

	process_harden();
	log_init("postern-pam", LOG_LEVEL_INFO);
	close_range(PAM_HELPER_FD + 1, ~0U, 0);
	fcntl(PAM_HELPER_FD, F_SETFD, FD_CLOEXEC);
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_SETMASK, &set, NULL);
}

/* The daemon's end is closed, at once or within this time. */
static bool is_over(int wait_ms)
{
	struct pollfd fd = {.fd = PAM_HELPER_FD};

	return poll(&fd, 1, wait_ms) > 0;
}

/* Returns when it is dead. */
static void run_one(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_NAME, "postern-pam-run");
		_exit(serve());
	}
	if (pid < 0)
		log_error("pam-fork", "%s", strerror(errno));
	else if (waitpid(pid, NULL, 0) == pid && !is_over(0))
		log_error("pam-helper-died", "pid=%d; the next one is begun", (int)pid);
}

/*
 * The daemon is confined, and can start no other.  So the process that it started only waits, does nothing that could
 * fail, and has a child do all of this; the next one goes on with the questions that are in the socket.
 */
int pam_helper_main(void)
{
	int64_t begun_ms;

	prepare();
	do {
		begun_ms = clock_mono_ms();
		run_one();
	} while (!is_over(clock_mono_ms() - begun_ms < RESTART_MS ? RESTART_MS : 0));
	return 0;
}
