/* net/daemon.c - options, limits and signals of a daemon. */
#include "net/daemon.h"
#include "base/notify.h"

#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sysinfo.h>

static struct net_server *served;

static void help(const char *program, const char *summary)
{
	printf("%s - %s\n\n"
	       "usage: %s [--store DIR] [--log-level debug|info|warn|error]\n\n"
	       "  --store DIR        the store folder (else $POSTERN_STORE, else /var/lib/postern)\n"
	       "  --log-level LEVEL  the least that is logged, on standard error (info)\n"
	       "  --help             this text\n"
	       "  --version          the version\n\n"
	       "It runs in the foreground, and ends on SIGTERM or SIGINT; SIGHUP rereads the certificate.\n",
	    program, summary, program);
}

static int level_or_exit(const char *program, const char *name)
{
	int level = log_level_parse(name);

	if (level >= 0)
		return level;
	fprintf(stderr, "%s: --log-level is debug, info, warn or error\n", program);
	exit(2);
}

void daemon_options(const char *program, const char *summary, int argc, char **argv,
    struct daemon_options *options_r)
{
	static const struct option known[] = {
	    {"store", required_argument, NULL, 's'},
	    {"log-level", required_argument, NULL, 'l'},
	    {"help", no_argument, NULL, 'h'},
	    {"version", no_argument, NULL, 'v'},
	    {0},
	};
	struct daemon_options options = {.log_level = -1};

	for (int c; (c = getopt_long(argc, argv, "", known, NULL)) != -1;) {
		switch (c) {
		case 's':
			options.store = optarg;
			break;
		case 'l':
			options.log_level = level_or_exit(program, optarg);
			break;
		case 'h':
			help(program, summary);
			exit(0);
		case 'v':
			printf("%s %s\n", program, POSTERN_VERSION);
			exit(0);
		default:
			fprintf(stderr, "%s: try --help\n", program);
			exit(2);
		}
	}
	if (optind < argc) {
		fprintf(stderr, "%s: \"%s\" is no option; try --help\n", program, argv[optind]);
		exit(2);
	}
	*options_r = options;
}

void daemon_prepare(void)
{
	/* By default malloc makes 8 arenas for each processor, and what is free in one is of no use to
	 * the others: memory for no speed, since small pieces come from a thread's own cache. */
	mallopt(M_ARENA_MAX, get_nprocs() + 1);
}

static void stop(int signal_number)
{
	(void)signal_number;
	net_server_stop(served);
}

static void reread(int signal_number)
{
	(void)signal_number;
	net_server_reread(served);
}

void daemon_serve(struct net_server *server)
{
	struct sigaction on_reread = {.sa_handler = reread, .sa_flags = SA_RESTART};
	struct sigaction on_stop = {.sa_handler = stop, .sa_flags = SA_RESTART};

	served = server;
	sigaction(SIGTERM, &on_stop, NULL);
	sigaction(SIGINT, &on_stop, NULL);
	sigaction(SIGHUP, &on_reread, NULL);
	notify_ready();
	net_server_run(server);
	notify_stopping();
}
