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
#include "fs/ops.h"
#include "fs/parked.h"
#include "fs/undertaker.h"

#include "base/log.h"
#include "base/notify.h"
#include "base/process.h"
#include "limits/site.h"

#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROGRAM "postern-fs"
#define LOOP_THREADS 4u

struct options {
	const char *store, *mountpoint, *fsname;
	char real[PATH_MAX]; /* the same without links */
	int level; /* -1: as store.conf says */
	struct fs_show show;
	bool rm_expunges, read_only, no_bell;
};

static const char usage[] =
    "usage: postern-fs [--store DIR] [-o OPTION,...] [MOUNTPOINT]\n"
    "\n"
    "Mounts the mailboxes of a store as files, and stays in the foreground; SIGTERM unmounts.\n"
    "Without MOUNTPOINT: at [mount] at= of the store's store.conf.\n"
    "\n"
    "  --store DIR      the store folder (else $POSTERN_STORE, else /var/lib/postern)\n"
    "  --log-level L    debug, info, warn or error\n"
    "  -o eol=lf        serve mail from the network with LF line ends (the default)\n"
    "  -o eol=exact     serve every message with the line ends it came with\n"
    "  -o rm=trash      rm moves to Trash (the default); in Trash it expunges\n"
    "  -o rm=expunge    rm expunges at once\n"
    "  -o names=full    sender and subject stand in the names of files (the default)\n"
    "  -o names=uid     they don't\n"
    "  -o bell=on       inotify watchers are told of mail that came from elsewhere (the default)\n"
    "  -o bell=off      they are not\n"
    "  -o ro            read-only\n"
    "  -o fsname=NAME   what mount(8) and df(1) show as mounted (postern)\n"
    "  --help, --version\n";

/* What mount(8) hands on for every file system means nothing here. */
static bool is_for_mount(const char *word)
{
	static const char *const words[] = {"rw", "exec", "noexec", "suid", "nosuid", "dev", "nodev", "atime",
	    "noatime", "relatime", "norelatime", "strictatime", "nostrictatime", "lazytime", "nolazytime",
	    "diratime", "nodiratime", "sync", "async", "dirsync", "auto", "noauto", "user", "nouser", "users",
	    "nousers", "owner", "group", "silent", "loud", "_netdev", "nofail", "defaults", "allow_other",
	    "default_permissions", ""};
	static const char *const beginnings[] = {"x-", "X-", "comment=", "user=", "helper=", "uhelper="};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(words[i], word) == 0)
			return true;
	for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
		if (strncmp(beginnings[i], word, strlen(beginnings[i])) == 0)
			return true;
	return false;
}

/* One word of -o. */
static bool set_option(struct options *o, const char *word)
{

	if (strcmp(word, "eol=lf") == 0 || strcmp(word, "eol=exact") == 0)
		o->show.exact = word[4] == 'e';
	else if (strcmp(word, "rm=trash") == 0 || strcmp(word, "rm=expunge") == 0)
		o->rm_expunges = word[3] == 'e';
	else if (strcmp(word, "names=full") == 0 || strcmp(word, "names=uid") == 0)
		o->show.plain = word[6] == 'u';
	else if (strcmp(word, "bell=on") == 0 || strcmp(word, "bell=off") == 0)
		o->no_bell = strcmp(word, "bell=off") == 0;
	else if (strcmp(word, "ro") == 0)
		o->read_only = true;
	else if (strncmp(word, "fsname=", 7) == 0)
		o->fsname = word + 7;
	else
		return is_for_mount(word);
	return true;
}

static void set_options(struct options *o, char *list)
{
	for (char *word; (word = strsep(&list, ",")) != NULL;)
		if (!set_option(o, word)) {
			fprintf(stderr, PROGRAM ": there is no mount option %s; see --help\n", word);
			exit(2);
		}
}

static void parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {{"store", required_argument, NULL, 's'},
	    {"log-level", required_argument, NULL, 'l'}, {"help", no_argument, NULL, 'h'},
	    {"version", no_argument, NULL, 'v'}, {0}};
	int c;

	while ((c = getopt_long(argc, argv, "o:fh", longs, NULL)) != -1)
		switch (c) {
		case 's':
			o->store = optarg;
			break;
		case 'l':
			if ((o->level = log_level_parse(optarg)) < 0) {
				fprintf(stderr, PROGRAM ": there is no log level %s\n", optarg);
				exit(2);
			}
			break;
		case 'o':
			set_options(o, optarg);
			break;
		case 'f': /* in the foreground: always */
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		case 'v':
			puts(PROGRAM " " POSTERN_VERSION);
			exit(0);
		default:
			fputs("try --help\n", stderr);
			exit(2);
		}
	if (argc - optind > 1) {
		fputs(usage, stderr);
		exit(2);
	}
	o->mountpoint = argv[optind]; /* NULL: as store.conf says */
}

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
	int sig;

	bell_start(fs->tree.bell, o->mountpoint);
	log_info("serving", "mount=%s store=%s", LOG_Q(o->mountpoint), LOG_Q(site_dir(fs->tree.site)));
	notify_ready();
	sigwait(set, &sig);
	notify_stopping();
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

/* What the command line left to store.conf. */
static int settle(struct site *site, struct options *o, struct err *e)
{
	int level = log_level_parse(site_conf(site, "server", "log_level", "info"));

	if (o->level < 0 && level >= 0)
		log_init(PROGRAM, (enum log_level)level);
	if (!o->mountpoint)
		o->mountpoint = site_conf(site, "mount", "at", NULL);
	if (!o->mountpoint || !o->mountpoint[0])
		return err_set(e, ERR_INVALID,
		    "where to mount? Name a folder, or set `at` in [mount] of store.conf; see --help");
	return 0;
}

int main(int argc, char **argv)
{
	static struct fs fs;
	struct options o = {.level = -1};
	struct teller_ops kernel = fs_teller_ops;
	struct undertaker undertaker = {0};
	struct site *site = NULL;
	sigset_t set;
	struct err e;
	int rc = 1;

	parse(argc, argv, &o);
	/* Before there is anything a child must not hold. */
	fs.tree.bell = o.no_bell ? NULL : bell_new();
	log_init(PROGRAM, o.level >= 0 ? (enum log_level)o.level : LOG_LEVEL_INFO);
	process_harden();
	block_signals(&set);
	if (undertaker_start(&undertaker, &e) < 0)
		return fail(&e);
	if (site_open(site_default_dir(o.store), PROGRAM, &site, &e) < 0 || settle(site, &o, &e) < 0 ||
	    mountpoint_check(o.mountpoint, o.real, &e) < 0) {
		undertaker_end(&undertaker);
		if (site)
			site_close(&site);
		return fail(&e);
	}
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
