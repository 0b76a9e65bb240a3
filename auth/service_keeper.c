/*
 * auth/service_keeper.c - a renewed key that root alone may read, for a door that is no longer root.
 *
 * Programs that renew certificates leave the key to root (mode 0600, in a folder of 0700), and a door reads it before it
 * becomes its account.  So that it can read the next one too, it leaves a child behind that goes on being root, has nothing
 * but the right to read (CAP_DAC_READ_SEARCH) in the folders of these files, and opens one when it is told its number in
 * [tls]: no path ever comes from the door.  It ends with the door, and at once where the account can read all by itself.
 */
#include "auth/service_priv.h"
#include "base/handover.h"
#include "base/log.h"
#include "confine/confine.h"
#include "net/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define ANSWER_MS 2000 /* opening a file takes microseconds; a door that serves does not wait longer */

struct service_keeper {
	const struct net_tls *tls;
	pid_t pid;
	int fd; /* -1: there is none, or it answers no more */
};

/* One: a door is a process. */
static struct service_keeper keeper = {.fd = -1};

/* --- the child ----------------------------------------------------------------------------- */

static void answer(int fd, const struct net_tls *tls, const char *number)
{
	const char *path = net_tls_path(tls, strtoul(number, NULL, 10));
	int file = path ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
	char text[16];
	struct err e;

	snprintf(text, sizeof text, "%d", file < 0 ? errno : 0);
	if (handover_send(fd, text, file, &e) < 0)
		_exit(0);
	if (file >= 0)
		close(file);
}

_Noreturn static void keep(int fd, const struct net_tls *tls, const char *const *folders)
{
	static const char *const nothing[] = {NULL};
	const struct confine c = {.role = CONFINE_KEEPER, .read = folders, .write = nothing};
	char number[HANDOVER_TEXT_MAX];
	struct err e;

	prctl(PR_SET_NAME, "postern-keys", 0, 0, 0);
	if (fd > 3)
		close_range(3, (unsigned)fd - 1, 0);
	close_range((unsigned)fd + 1, ~0U, 0);
	confine(&c);
	while (handover_receive(fd, -1, number, NULL, &e) == 0)
		answer(fd, tls, number);
	_exit(0);
}

/* --- the door ------------------------------------------------------------------------------ */

static int ask(struct service_keeper *k, size_t number)
{
	char text[HANDOVER_TEXT_MAX];
	int file = -1, sys;
	struct err e;

	snprintf(text, sizeof text, "%zu", number);
	if (k->fd < 0 || handover_send(k->fd, text, -1, &e) < 0 ||
	    handover_receive(k->fd, ANSWER_MS, text, &file, &e) < 0) {
		if (k->fd >= 0) {
			log_error("key-keeper-gone", "a renewed certificate needs a restart now: %s", log_err(&e));
			close(k->fd); /* an answer that came late would be taken for the next one's */
			k->fd = -1;
		}
		errno = EIO;
		return -1;
	}
	sys = (int)strtol(text, NULL, 10);
	if (file < 0)
		errno = sys ? sys : EIO;
	return file;
}

static int open_by_keeper(void *arg, const char *path)
{
	struct service_keeper *k = arg;
	const char *known;

	for (size_t i = 0; (known = net_tls_path(k->tls, i)); i++)
		if (strcmp(known, path) == 0)
			return ask(k, i);
	errno = ENOENT;
	return -1;
}

static bool can_read_all(const struct net_tls *tls)
{
	const char *path;

	for (size_t i = 0; (path = net_tls_path(tls, i)); i++)
		if (eaccess(path, R_OK) < 0)
			return false;
	return true;
}

int service_keeper_start(const struct net_tls *tls, const char *const *folders, struct err *e)
{
	int pair[2];
	pid_t child;

	if (handover_pair(pair, e) < 0)
		return -1;
	child = fork();
	if (child < 0) {
		close(pair[0]);
		close(pair[1]);
		return err_sys(e, ERR_TEMP, errno, "fork");
	}
	if (child == 0)
		keep(pair[1], tls, folders);
	close(pair[1]);
	keeper = (struct service_keeper){tls, child, pair[0]};
	return 0;
}

void service_keeper_use(struct net_tls *tls)
{
	if (keeper.fd < 0) /* never root, or no TLS */
		return;
	if (can_read_all(tls)) {
		close(keeper.fd);
		keeper.fd = -1;
		waitpid(keeper.pid, NULL, 0);
	} else {
		net_tls_open_by(tls, open_by_keeper, &keeper);
	}
}
