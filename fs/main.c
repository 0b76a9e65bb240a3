/*
 * fs/main.c - postern-fs: the mount.
 *
 *     postern-fs [--store DIR] [-o OPTION,...] [MOUNTPOINT]
 *
 * Stays in the foreground and unmounts at SIGTERM.
 */
#include "fs/bell.h"
#include "fs/loop.h"
#include "fs/mountpoint.h"
#include "fs/only.h"
#include "fs/ops.h"
#include "fs/options.h"
#include "fs/parked.h"
#include "fs/porter.h"
#include "fs/undertaker.h"

#include "base/log.h"
#include "base/log_journal.h"
#include "base/notify.h"
#include "base/process.h"
#include "confine/confine.h"
#include "limits/site.h"

#include <malloc.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define LOOP_THREADS 4u

static struct fuse_session *session_new(const struct options *o, struct fs *fs)
{
	struct str_buf options = {0};
	char *argv[] = {(char *)PROGRAM, (char *)"-o", NULL, NULL};
	struct fuse_args args = FUSE_ARGS_INIT(3, argv);
	struct fuse_session *se;

	/* Others than root may mount with fusermount3, but only for themselves. */
	str_buf_printf(&options, "fsname=%s,subtype=postern,default_permissions,nosuid,nodev,noexec%s%s",
	    o->fsname ? o->fsname : "postern", geteuid() == 0 ? ",allow_other" : "", o->read_only ? ",ro" : "");
	argv[2] = options.p;
	se = fuse_session_new(&args, &fs_ops, sizeof fs_ops, fs);
	fuse_opt_free_args(&args);
	str_buf_fini(&options);
	return se;
}

/* What libfuse has to say goes where the rest does. */
static void from_libfuse(enum fuse_log_level level, const char *fmt, va_list ap)
{
	char text[512];

	vsnprintf(text, sizeof text, fmt, ap);
	text[strcspn(text, "\n")] = '\0';
	log_write(level <= FUSE_LOG_ERR ? LOG_LEVEL_WARN : LOG_LEVEL_DEBUG, "libfuse", "text=\"%s\"", text);
}

/* Blocked in every thread; the main one waits for them. */
static void block_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, set, NULL);
}

/* Until somebody wants us to end, or somebody else unmounted. */
static void serve(struct fs *fs, const struct options *o, const sigset_t *set)
{
	struct loop *loop = loop_start(fs, LOOP_THREADS);
	struct porter *porter = o->only_uid < 0 ? porter_start(fs->tree.site) : NULL;
	int sig;

	bell_start(fs->tree.bell, o->mountpoint);
	log_info("serving", "mount=%s store=%s", LOG_Q(o->mountpoint), LOG_Q(site_dir(fs->tree.site)));
	notify_ready();
	sigwait(set, &sig);
	notify_stopping();
	porter_stop(&porter);
	bell_stop(fs->tree.bell);
	teller_stop(fs->tree.teller);
	parked_stop(fs->parked);
	loop_stop(loop);
	loop_wait(&loop);
	/* What is on its way is finished and answered; then who holds a file finds the mount gone. */
	tree_stop(&fs->tree);
	fuse_session_unmount(fs->se);
	log_info("stopped", "mount=%s", LOG_Q(o->mountpoint));
}

static int fail(const struct err *e)
{
	fprintf(stderr, PROGRAM ": %s\n", e->what);
	return 1;
}

/*
 * A folder's messages are many small pieces, and a heap of a thread's own grows by a page and a system call at a time: so
 * one heap for all, which grows by a megabyte.  Threads have a few pieces of each size at hand anyway.
 */
static void prepare_memory(void)
{
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_TOP_PAD, 1 << 20);
	mallopt(M_TRIM_THRESHOLD, 4 << 20);
	mallopt(M_MMAP_THRESHOLD, 1 << 20);
}

/* What the command line left to store.conf. */
static int settle(struct site *site, struct options *o, struct err *e)
{
	int level = log_level_parse(site_conf(site, "server", "log_level", "info"));

	if (o->level < 0 && level >= 0)
		log_init(PROGRAM, (enum log_level)level);
	if (log_journal_choose(site_conf(site, "server", "journal", "auto"), e) < 0)
		return -1;
	if (!o->mountpoint)
		o->mountpoint = site_conf(site, "mount", "at", NULL);
	if (!o->mountpoint || !o->mountpoint[0])
		return err_set(e, ERR_INVALID,
		    "where to mount? Name a folder, or set `at` in [mount] of store.conf; see --help");
	return 0;
}

/* Before there are threads, and after the children that unmount and ring, which need what they have. */
static void give_up(const struct site *site)
{
	const struct confine c = {.role = CONFINE_MOUNT};

	if (geteuid() != 0)
		log_info("not-confined", "fusermount3 mounts for who isn't root, and gains its privileges by exec");
	else if (strcmp(site_conf(site, "security", "confine", "yes"), "no") == 0)
		log_warn("not-confined", "store.conf: [security] confine = no");
	else
		confine(&c);
}

/* The store, and where to mount. */
static int open_all(struct options *o, struct tree *t, struct site **site_r, struct err *e)
{
	if (site_open(site_default_dir(o->store), PROGRAM, site_r, e) < 0 || settle(*site_r, o, e) < 0)
		return -1;
	if (o->only_uid >= 0)
		return only_set(t, *site_r, (uid_t)o->only_uid, e);
	return mountpoint_check(o->mountpoint, o->real, e);
}

int main(int argc, char **argv)
{
	static struct fs fs;
	static struct options o;
	struct teller_ops kernel = fs_teller_ops;
	struct undertaker undertaker = {0};
	struct site *site = NULL;
	sigset_t set;
	struct err e;
	int rc = 1;

	prepare_memory();
	options_parse(argc, argv, &o);
	/* Before there is anything a child must not hold.  Into a user's own mount nobody else may go. */
	fs.tree.bell = o.no_bell || o.only_uid >= 0 ? NULL : bell_new();
	log_init(PROGRAM, o.level >= 0 ? (enum log_level)o.level : LOG_LEVEL_INFO);
	process_harden();
	block_signals(&set);
	if (o.only_uid >= 0)
		prctl(PR_SET_PDEATHSIG, SIGTERM); /* the porter's thread */
	if (undertaker_start(&undertaker, o.keep_fd, &e) < 0)
		return fail(&e);
	if (open_all(&o, &fs.tree, &site, &e) < 0) {
		undertaker_end(&undertaker);
		if (site)
			site_close(&site);
		return fail(&e);
	}
	give_up(site);
	fs.tree.show = o.show;
	fs.tree.rm_expunges = o.rm_expunges;
	kernel.arg = &fs;
	fuse_set_log_func(from_libfuse);
	fs.parked = parked_new(&fs.tree);
	if (tree_init(&fs.tree, site, &kernel, &e) < 0) {
		fail(&e);
		goto out;
	}
	if (!(fs.se = session_new(&o, &fs)) || fuse_session_mount(fs.se, o.mountpoint) < 0) {
		fprintf(stderr, PROGRAM ": can't mount at %s\n", o.mountpoint);
		goto out;
	}
	if (o.only_uid < 0)
		undertaker_tell(&undertaker, o.real);
	serve(&fs, &o, &set);
	rc = 0;
out:
	tree_stop(&fs.tree);
	if (fs.se)
		fuse_session_destroy(fs.se);
	bell_free(&fs.tree.bell);
	parked_free(&fs.parked);
	tree_fini(&fs.tree);
	site_close(&site);
	undertaker_end(&undertaker);
	return rc;
}
