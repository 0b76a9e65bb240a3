/* auth/service.c - what the network doors' programs have in common. */
#include "auth/service.h"
#include "auth/reap.h"
#include "auth/service_priv.h"
#include "base/arena.h"
#include "base/log.h"
#include "base/log_journal.h"
#include "base/process.h"
#include "net/daemon.h"
#include "net/tls.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LISTENS_MAX 32

struct served {
	const struct service *service;
	struct site *site;
	struct net_door door;
	struct net_listen listens[LISTENS_MAX];
	size_t listens_n;
	struct net_tls *tls;
	int folder_fd; /* -1: it has none */
	struct arena arena;
};

static const char *listen_address(struct served *served, struct str_view address)
{
	const struct str_view prefix = SV(NET_UNIX);
	const char *text = arena_strn(&served->arena, address.p, address.n);

	if (!str_begins_nocase(address, prefix))
		return text;
	return arena_printf(&served->arena, NET_UNIX "%s", service_path(&served->arena, served->site, text + prefix.n));
}

/* A key of the service's section; of further sockets, with their name in front. */
static const char *conf(struct served *served, const char *name, const char *key, const char *otherwise)
{
	if (name)
		key = arena_printf(&served->arena, "%s_%s", name, key);
	return site_conf(served->site, served->service->section, key, otherwise);
}

static int wrong(const struct served *served, const char *key, const char *what, struct err *e)
{
	return err_set(e, ERR_INVALID, "store.conf: [%s] %s: %s", served->service->section, key, what);
}

/* Who may connect to Unix sockets: socket_mode, in octal, socket_owner and socket_group. */
static int read_socket_owner(struct served *served, const char *name, struct net_listen *listen, struct err *e)
{
	const char *mode = conf(served, name, "socket_mode", "0660");
	const char *user_name = conf(served, name, "socket_owner", NULL);
	const char *group_name = conf(served, name, "socket_group", NULL);
	const struct passwd *user = user_name ? getpwnam(user_name) : NULL;
	const struct group *group = group_name ? getgrnam(group_name) : NULL;
	char *end;
	unsigned long n = strtoul(mode, &end, 8);

	if (*end || n == 0 || n > 0777)
		return wrong(served, "socket_mode", "that is no mode", e);
	if (user_name && !user)
		return wrong(served, "socket_owner", "there is no such user", e);
	if (group_name && !group)
		return wrong(served, "socket_group", "there is no such group", e);
	listen->mode = (mode_t)n;
	listen->owner = user ? user->pw_uid : 0;
	listen->group = group ? group->gr_gid : 0;
	return 0;
}

/* like has the door, and who may connect. */
static int add_listen(struct served *served, const char *address, const struct net_listen *like, struct err *e)
{
	struct net_listen *listen = &served->listens[served->listens_n];

	if (served->listens_n == LISTENS_MAX)
		return err_set(e, ERR_INVALID, "store.conf: more than %d addresses to listen on", LISTENS_MAX);
	*listen = *like;
	listen->address = address;
	listen->door_arg = served->site;
	served->listens_n++;
	return 0;
}

/* "ADDR:PORT unix:PATH ..." */
static int add_listens(struct served *served, const char *addresses, const struct net_listen *like, struct err *e)
{
	struct str_view rest = str_view(addresses, strlen(addresses)), address;

	while ((address = str_word(&rest)).n)
		if (add_listen(served, listen_address(served, address), like, e) < 0)
			return -1;
	return 0;
}

/* Its path may be longer than an address has room for, so it goes by the folder's descriptor. */
static int add_runtime_socket(struct served *served, struct net_listen like, struct err *e)
{
	like.mode = 0660;
	return add_listen(served, arena_printf(&served->arena, NET_UNIX "/proc/self/fd/%d/%s",
	    site_runtime_fd(served->site), served->service->runtime_socket), &like, e);
}

static int add_more_sockets(struct served *served, const struct service_sockets *sockets, struct err *e)
{
	for (; sockets && sockets->name; sockets++) {
		struct net_listen like = {.door = sockets->door};

		if (read_socket_owner(served, sockets->name, &like, e) < 0 ||
		    add_listens(served, conf(served, sockets->name, "listen", ""), &like, e) < 0)
			return -1;
	}
	return 0;
}

static int configure(struct served *served, struct err *e)
{
	const struct service *service = served->service;
	struct net_listen like = {.door = &served->door}, like_tls;

	served->door = service->door;
	if (!served->door.admit)
		served->door.admit = service_admit;
	if (service->runtime_socket)
		return add_runtime_socket(served, like, e) < 0 ? -1 : add_more_sockets(served, service->sockets, e);
	if (read_socket_owner(served, NULL, &like, e) < 0)
		return -1;
	like_tls = like;
	like_tls.tls = true;
	if (add_listens(served, conf(served, NULL, "listen", service->listen), &like, e) < 0 ||
	    add_listens(served, conf(served, NULL, "listen_tls", served->tls ? service->listen_tls : ""),
		&like_tls, e) < 0 ||
	    add_more_sockets(served, service->sockets, e) < 0)
		return -1;
	if (served->listens_n == 0)
		return err_set(e, ERR_INVALID, "store.conf: [%s] listens nowhere", service->section);
	return 0;
}

static struct net_limits read_limits(struct site *site)
{
	struct net_limits limits = net_limits_default;

	limits.workers_max = setting_get(site, SETTING_WORKERS_MAX);
	limits.worker_max_per_user = setting_get(site, SETTING_WORKERS_PER_USER);
	limits.preauth_octets = setting_get(site, SETTING_PREAUTH_OCTETS);
	limits.preauth_ms = setting_get(site, SETTING_PREAUTH_TIME) * 1000;
	limits.handshake_ms = setting_get(site, SETTING_TLS_HANDSHAKE_TIME) * 1000;
	limits.handshakes_max = setting_get(site, SETTING_TLS_HANDSHAKES_MAX);
	limits.send_timeout_ms = setting_get(site, SETTING_SEND_TIMEOUT) * 1000;
	limits.keepalive_s = setting_get(site, SETTING_KEEPALIVE_TIME);
	limits.deflate_level = setting_get(site, SETTING_COMPRESSION_LEVEL);
	limits.deflate_window_bits = setting_get(site, SETTING_COMPRESSION_WINDOW);
	limits.deflate_memory_level = setting_get(site, SETTING_COMPRESSION_MEMORY);
	limits.stop_ms = setting_get(site, SETTING_STOP_TIME) * 1000;
	return limits;
}

static int log_level(const struct daemon_options *options, const struct site *site, struct err *e)
{
	const char *name = site_conf(site, "server", "log_level", "info");
	int level = options->log_level >= 0 ? options->log_level : log_level_parse(name);

	if (level < 0)
		return err_set(e, ERR_INVALID, "store.conf: [server] log_level is no level");
	return level;
}

/* Sockets that are open already are closed by the process's end, which is near. */
static int serve_by_itself(struct served *served, struct err *e)
{
	int fds[LISTENS_MAX];

	if (configure(served, e) < 0)
		return -1;
	for (size_t i = 0; i < served->listens_n; i++) {
		if (net_listen_open(&served->listens[i], &fds[i], e) < 0)
			return -1;
		log_info("listening", "address=%s", served->listens[i].address);
	}
	if (service_confine(served->site, served->service->section, NULL, served->folder_fd, e) < 0 ||
	    served->service->serve(served->site, fds, served->listens_n, e) < 0)
		return -1;
	log_info("stopped", "store=%s", site_dir(served->site));
	return 0;
}

static int serve(struct served *served, struct err *e)
{
	struct net_limits limits = read_limits(served->site);
	struct net_server *server;

	/* Who listens for this machine alone needs no key, nor may read it. */
	if ((served->service->prepare && served->service->prepare(served->site, e) < 0) ||
	    (!served->service->runtime_socket && service_tls_load(served->site, &served->tls, e) < 0) ||
	    configure(served, e) < 0 ||
	    (served->service->folder && served->service->folder(served->site, &served->folder_fd, e) < 0) ||
	    net_server_new(served->listens, served->listens_n, served->tls, &limits, &server, e) < 0)
		return -1;
	for (size_t i = 0; i < served->listens_n; i++)
		log_info("listening", "address=%s port=%u tls=%d", served->listens[i].address,
		    (unsigned)net_server_port(server, i), served->listens[i].tls);
	/* Threads that it begins are confined as well. */
	if (service_confine(served->site, served->service->section, served->tls, served->folder_fd, e) < 0 ||
	    (served->service->takes_sessions && reaping_begin(served->site, server, e) < 0) ||
	    (served->service->begin && served->service->begin(served->site, e) < 0)) {
		reaping_end();
		net_server_free(&server);
		return -1;
	}
	daemon_serve(server);
	reaping_end();
	net_server_free(&server);
	if (served->service->end)
		served->service->end();
	log_info("stopped", "store=%s", site_dir(served->site));
	return 0;
}

int service_main(int argc, char **argv, const struct service *service)
{
	struct served served = {.service = service, .folder_fd = -1};
	struct daemon_options options;
	struct err e;
	int level, result = -1;

	daemon_options(service->program, service->summary, argc, argv, &options);
	process_harden();
	daemon_prepare();
	log_init(service->program,
	    options.log_level >= 0 ? (enum log_level)options.log_level : LOG_LEVEL_INFO);
	service_admit_by(service);
	if (site_open(site_default_dir(options.store), service->program, &served.site, &e) == 0 &&
	    (level = log_level(&options, served.site, &e)) >= 0 &&
	    log_journal_choose(site_conf(served.site, "server", "journal", "auto"), &e) == 0) {
		log_init(service->program, (enum log_level)level);
		result = service->serve ? serve_by_itself(&served, &e) : serve(&served, &e);
	}
	if (result < 0)
		log_error("not-serving", "%s", log_err(&e));
	net_tls_free(&served.tls);
	if (served.folder_fd >= 0)
		close(served.folder_fd);
	if (served.site)
		site_close(&served.site);
	arena_fini(&served.arena);
	return result < 0 ? 1 : 0;
}
