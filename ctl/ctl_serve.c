/* ctl/ctl_serve.c - postern serve [--mount DIR] [--log-dir DIR] [--log-level LEVEL] */
#include "base/log.h"
#include "base/notify.h"
#include "ctl/program.h"
#include "ctl/supervise.h"
#include "ctl/verb.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

static const char *mount_at, *log_dir, *log_level;

/* The doors, and what each needs to be one here. */
enum door_when { ALWAYS, WITH_MOUNT, WITH_METRICS };
static const struct door {
	const char *program;
	enum door_when when;
} doors[] = {
    {"postern-authd", ALWAYS},
    {"postern-imapd", ALWAYS},
    {"postern-pop3d", ALWAYS},
    {"postern-lmtpd", ALWAYS},
    {"postern-metrics", WITH_METRICS},
    {"postern-fs", WITH_MOUNT},
};
static bool with_metrics; /* store.conf says where it listens */

static int log_open(struct daemon *d)
{
	char path[PATH_MAX];

	if (!log_dir)
		return 0;
	snprintf(path, sizeof path, "%s/%s.log", log_dir, d->name);
	d->log_fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0660);
	if (d->log_fd < 0)
		return ctl_fail("%s: %s", path, strerror(errno)), -1;
	return 0;
}

/* A door that is not installed is left out, and named. */
static int door_add(struct ctl *ctl, struct supervisor *s, const struct door *door)
{
	struct daemon *d;
	char path[PATH_MAX];
	struct err e;
	int n = 1;

	if ((door->when == WITH_MOUNT && !mount_at) || (door->when == WITH_METRICS && !with_metrics))
		return 0;
	if (program_find(door->program, path, &e) < 0) {
		ctl_say("%s: left out", e.what);
		return 0;
	}
	d = supervisor_add(s, door->program);
	memcpy(d->path, path, sizeof path);
	d->argv[n++] = "--store";
	d->argv[n++] = ctl_store_dir(ctl);
	if (log_level) {
		d->argv[n++] = "--log-level";
		d->argv[n++] = log_level;
	}
	if (door->when == WITH_MOUNT)
		d->argv[n++] = mount_at;
	return log_open(d);
}

/* [mount] at, relative to the store's folder; the site is closed again before anything is started. */
static int conf_read(struct ctl *ctl, char at[PATH_MAX])
{
	const char *conf;

	if (ctl_site_open(ctl) < 0)
		return -1;
	conf = site_conf(ctl->site, "mount", "at", "");
	if (!mount_at && *conf) {
		snprintf(at, PATH_MAX, "%s%s%s", *conf == '/' ? "" : site_dir(ctl->site),
		    *conf == '/' ? "" : "/", conf);
		mount_at = at;
	}
	with_metrics = *site_conf(ctl->site, "metrics", "listen", "") != '\0';
	if (!log_level) {
		conf = site_conf(ctl->site, "server", "log_level", "");
		log_init("postern", *conf && log_level_parse(conf) >= 0
					? (enum log_level)log_level_parse(conf)
					: LOG_LEVEL_INFO);
	}
	ctl_site_close(ctl);
	return 0;
}

static void tell_ready(void)
{
	puts("ready");
	fflush(stdout);
	notify_ready();
}

/* A mount that its daemon could not take away: it was killed. */
static void mount_clear(void)
{
	struct statfs fs; /* stat(2) may be answered from what the kernel keeps of the top */

	if (mount_at && statfs(mount_at, &fs) < 0 && (errno == ENOTCONN || errno == ECONNABORTED))
		umount2(mount_at, MNT_FORCE | MNT_DETACH);
}

static int serve_run(struct ctl *ctl, char **operands, int n)
{
	static struct supervisor s;
	char at[PATH_MAX];
	int r;

	(void)operands, (void)n;
	if (log_level && log_level_parse(log_level) < 0)
		return ctl_usage(ctl, "there is no log level `%s`: debug, info, warn, error", log_level);
	if (log_level)
		log_init("postern", (enum log_level)log_level_parse(log_level));
	if (conf_read(ctl, at) < 0)
		return CTL_FAILED;
	if (log_dir && mkdir(log_dir, 0770) < 0 && errno != EEXIST)
		return ctl_fail("%s: %s", log_dir, strerror(errno));
	for (size_t i = 0; i < sizeof doors / sizeof *doors; i++)
		if (door_add(ctl, &s, &doors[i]) < 0)
			return CTL_FAILED;
	if (s.n == 0)
		return ctl_fail("there is nothing to serve with");
	r = supervisor_run(&s, tell_ready);
	mount_clear();
	return r == 0 ? CTL_OK : CTL_FAILED;
}

static const struct verb_option options[] = {
    {'m', "mount", "DIR", &mount_at, "show the mailboxes as files at DIR"},
    {0, "log-dir", "DIR", &log_dir, "a log file for each daemon (else all on stderr)"},
    {0, "log-level", "LEVEL", &log_level, "debug, info, warn or error"},
    {0},
};

const struct verb ctl_verb_serve = {
    .name = "serve",
    .summary = "run the doors: IMAP4, POP3, LMTP, the mount",
    .help = "Stays in the foreground, prints `ready` once all doors answer, restarts what dies, and ends\n"
	    "everything at SIGTERM or Ctrl-C. Where the doors listen is in the store's store.conf. On a\n"
	    "server systemd does the same: see contrib/systemd.",
    .actions =
	(const struct verb_action[]){
	    {NULL, "", 0, 0, options, serve_run, NULL},
	    {0},
	},
};
