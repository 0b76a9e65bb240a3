/* fs/options.c - the command line of postern-fs. */
#include "fs/options.h"

#include "base/log.h"
#include "base/str.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

bool options_are_a_users(const char *list)
{
	static const char *const words[] = {"eol=lf", "eol=exact", "rm=trash", "rm=expunge", "names=full",
	    "names=uid", "bell=on", "bell=off", "ro", "rw", ""};

	for (size_t n; ; list += n + 1) {
		bool found = false;

		n = strcspn(list, ",");
		for (size_t i = 0; i < sizeof words / sizeof *words; i++)
			found = found || (strlen(words[i]) == n && strncmp(words[i], list, n) == 0);
		if (!found)
			return false;
		if (!list[n])
			return true;
	}
}

static uint64_t number(const char *text, uint64_t most)
{
	uint64_t n;

	if (!str_number(str_view(text, strlen(text)), most, &n)) {
		fprintf(stderr, PROGRAM ": %s is no number\n", text);
		exit(2);
	}
	return n;
}

void options_parse(int argc, char **argv, struct options *o)
{
	/* The last two are the porter's (porter.c). */
	static const struct option longs[] = {{"store", required_argument, NULL, 's'},
	    {"log-level", required_argument, NULL, 'l'}, {"help", no_argument, NULL, 'h'},
	    {"version", no_argument, NULL, 'v'}, {"only-uid", required_argument, NULL, 'u'},
	    {"keep-fd", required_argument, NULL, 'k'}, {0}};
	int c;

	*o = (struct options){.level = -1, .only_uid = -1, .keep_fd = -1};

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
		case 'u':
			o->only_uid = (long)number(optarg, UINT32_MAX - 1);
			break;
		case 'k':
			o->keep_fd = (int)number(optarg, 1023);
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
