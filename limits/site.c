/*
 * limits/site.c - a store folder and its runtime folder, opened by this process.
 *
 * Sites are kept in a list for fork's sake: a child must not keep the parent's locks alive (they
 * would outlive the parent), nor may it unlock them (they are the same locks).  So the child closes the
 * descriptors, and nothing else, and its copy of the site refuses every session.
 */
#include "limits/site.h"
#include "limits/event_priv.h"
#include "limits/ledger.h"
#include "limits/registry_priv.h"
#include "limits/roster.h"
#include "limits/runtime_priv.h"
#include "limits/session.h"
#include "limits/site_priv.h"
#include "limits/tally.h"
#include "base/check.h"
#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONF_FILE "store.conf"
#define DEFAULT_DIR "/var/lib/postern"

struct site {
	struct site *next;
	char *dir;
	const char *program;
	int dir_fd, runtime_fd, hold_fd;
	struct conf *conf;
	char host[256];
	struct ledger *ledger;
	struct roster *roster;
	struct registry *registry;
	struct event_log *event_log;
	struct tally *tally;
	void *store_state;
	void (*destroy_store_state)(void *);
	atomic_bool is_forked;
};

static pthread_mutex_t sites_lock = PTHREAD_MUTEX_INITIALIZER;
static struct site *sites;

const char *site_default_dir(const char *given)
{
	const char *from_env = getenv("POSTERN_STORE");

	if (given)
		return given;
	return from_env && *from_env ? from_env : DEFAULT_DIR;
}

/* ---- fork ---- */

static void before_fork(void)
{
	pthread_mutex_lock(&sites_lock);
	for (struct site *s = sites; s; s = s->next) {
		ledger_before_fork(s->ledger);
		roster_before_fork(s->roster);
	}
}

static void after_fork_in_parent(void)
{
	for (struct site *s = sites; s; s = s->next) {
		roster_after_fork(s->roster, false);
		ledger_after_fork(s->ledger, false);
	}
	pthread_mutex_unlock(&sites_lock);
}

static void after_fork_in_child(void)
{
	for (struct site *s = sites; s; s = s->next) {
		s->is_forked = true;
		roster_after_fork(s->roster, true);
		ledger_after_fork(s->ledger, true);
		close(s->hold_fd);
		s->hold_fd = -1;
	}
	pthread_mutex_unlock(&sites_lock);
}

static void watch_forks(void)
{
	CHECK(pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child) == 0);
}

static void remember(struct site *site)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, watch_forks);
	pthread_mutex_lock(&sites_lock);
	site->next = sites;
	sites = site;
	pthread_mutex_unlock(&sites_lock);
}

static void forget(struct site *site)
{
	pthread_mutex_lock(&sites_lock);
	for (struct site **at = &sites; *at; at = &(*at)->next)
		if (*at == site) {
			*at = site->next;
			break;
		}
	pthread_mutex_unlock(&sites_lock);
}

/* ---- making a store ---- */

static void put_conf(struct str_buf *out, uint64_t id, const char *token, const char *runtime)
{
	str_buf_printf(out,
	    "; What is fixed when the programs of this store start.  Settings that can change while\n"
	    "; they run are not here: see `postern reg` and `postern settings`.\n"
	    "\n"
	    "[store]\n"
	    "; Made with the store.  The token ties the runtime folder to it; leave both alone.\n"
	    "id = %016llx\n"
	    "token = %s\n"
	    "; Where locks and session counts live: on tmpfs, the same folder for every program, with\n"
	    "; nothing else in it.  Relative means relative to this folder.\n",
	    (unsigned long long)id, token);
	if (runtime)
		str_buf_printf(out, "runtime = %s\n", runtime);
	else
		str_buf_printf(out, "runtime = /run/postern/%016llx\n", (unsigned long long)id);
	str_buf_puts(out,
	    "\n"
	    "[server]\n"
	    "; The name in greetings and in the event log; the machine's own if absent.\n"
	    ";host = mail.example.org\n"
	    "; Further domains whose addresses are those of the users without one.\n"
	    ";domains = example.org example.net\n"
	    "; debug, info, warn or error.\n"
	    ";log_level = info\n"
	    "; Whether the log goes to systemd's journal as fields: auto (where standard error is the journal), yes, no.\n"
	    ";journal = auto\n"
	    "\n"
	    "; Addresses to listen on, separated by blanks.  listen_tls is TLS from the first byte, and\n"
	    "; needs [tls].\n"
	    "[imap]\n"
	    ";listen = 127.0.0.1:143\n"
	    ";listen_tls = 127.0.0.1:993\n"
	    "\n"
	    "[pop3]\n"
	    ";listen = 127.0.0.1:110\n"
	    ";listen_tls = 127.0.0.1:995\n"
	    "\n"
	    "; A Unix socket is unix:PATH; who may connect to it is said by socket_mode and socket_group.\n"
	    "[lmtp]\n"
	    ";listen = 127.0.0.1:24\n"
	    "\n"
	    "; OpenMetrics over HTTP; `postern serve` runs it where listen is set.\n"
	    "[metrics]\n"
	    ";listen = 127.0.0.1:9143\n"
	    "\n"
	    "; PEM files; relative means relative to this folder.\n"
	    "[tls]\n"
	    ";certificate = tls/cert.pem\n"
	    ";key = tls/key.pem\n"
	    "\n"
	    "; Where `postern serve` mounts the mailboxes; and where users are let in who mount their own\n"
	    "; (`none`: nobody).\n"
	    "[mount]\n"
	    ";at = /srv/mail\n"
	    ";socket = /run/postern-mount/main\n"
	    "\n"
	    "; Passwords without TLS: loopback (from this machine only), always or never.\n"
	    "[auth]\n"
	    ";plaintext = loopback\n");
}

/* store.conf appears whole or not at all, and never over another one: two makers, one wins. */
static int write_conf(int dir_fd, const char *runtime, struct err *e)
{
	unsigned char random[24];
	char token[33], beside[40];
	struct str_buf text = {0};
	uint64_t id;
	int r = -1;

	io_random(random, sizeof random);
	memcpy(&id, random, sizeof id);
	for (int i = 0; i < 16; i++)
		snprintf(token + 2 * i, 3, "%02x", random[8 + i]);
	snprintf(beside, sizeof beside, CONF_FILE ".%016llx", (unsigned long long)id);
	put_conf(&text, id, token, runtime);
	if (io_replace_file(dir_fd, beside, text.p, text.n, RUNTIME_FILE_MODE, e) < 0)
		goto out;
	if (linkat(dir_fd, beside, dir_fd, CONF_FILE, 0) < 0)
		err_sys(e, errno == EEXIST ? ERR_EXISTS : ERR_IO, errno, "make " CONF_FILE);
	else
		r = 0;
	unlinkat(dir_fd, beside, 0);
	if (r == 0 && fsync(dir_fd) < 0)
		r = err_sys(e, ERR_IO, errno, "fsync the store folder");
out:
	str_buf_fini(&text);
	return r;
}

static int make_mail_folder(int dir_fd, struct err *e)
{
	int fd, r;

	if (io_mkdir_all(dir_fd, "mail", 0770, e) < 0)
		return -1;
	fd = openat(dir_fd, "mail", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, ERR_IO, errno, "open mail");
	r = runtime_own_dir(fd, e);
	close(fd);
	return r;
}

static int check_runtime_path(const char *runtime, struct err *e)
{
	if (runtime && (*runtime == '\0' || strlen(runtime) > 1000 || strpbrk(runtime, "\r\n;")))
		return err_set(e, ERR_INVALID, "that path can't be written into " CONF_FILE);
	return 0;
}

int site_create(const char *dir, const char *runtime, struct err *e)
{
	int fd, r = -1;

	if (check_runtime_path(runtime, e) < 0 || io_mkdir_all(AT_FDCWD, dir, 0770, e) < 0)
		return -1;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, ERR_IO, errno, "open %s", dir);
	if (faccessat(fd, CONF_FILE, F_OK, 0) == 0) {
		err_set(e, ERR_EXISTS, "%s is a store already", dir);
		goto out;
	}
	if (runtime_check_fs(fd, dir, e) < 0 || runtime_own_dir(fd, e) < 0 ||
	    make_mail_folder(fd, e) < 0)
		goto out;
	r = write_conf(fd, runtime, e);
out:
	close(fd);
	return r;
}

/* ---- opening one ---- */

static int load_conf(struct site *site, struct err *e)
{
	if (conf_load(site->dir_fd, CONF_FILE, &site->conf, e) == 0)
		return 0;
	if (e->code == ERR_NOTFOUND)
		return err_set(e, ERR_NOTFOUND, "no store at %s: make one with `postern init %s`",
		    site->dir, site->dir);
	if (e->code == ERR_INVALID)
		e->code = ERR_CORRUPT;
	return -1;
}

static int open_dirs(struct site *site, struct err *e)
{
	const char *id, *token, *runtime;
	char path[64];

	site->dir_fd = open(site->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (site->dir_fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return err_set(e, ERR_NOTFOUND, "no store at %s: make one with `postern init %s`",
		    site->dir, site->dir);
	if (site->dir_fd < 0)
		return err_sys(e, errno == EACCES ? ERR_PERM : ERR_IO, errno, "open %s", site->dir);
	if (runtime_check_fs(site->dir_fd, site->dir, e) < 0 || load_conf(site, e) < 0)
		return -1;
	id = conf_get(site->conf, "store", "id");
	token = conf_get(site->conf, "store", "token");
	if (!id || strlen(id) != 16 || strspn(id, "0123456789abcdef") != 16 || !token ||
	    strlen(token) < 16 || strlen(token) > 64)
		return err_set(e, ERR_CORRUPT, "%s/" CONF_FILE ": [store] id and token are missing or "
		    "not as they were made", site->dir);
	runtime = conf_get(site->conf, "store", "runtime");
	if (!runtime || !*runtime) {
		snprintf(path, sizeof path, "/run/postern/%s", id);
		runtime = path;
	}
	return runtime_open(site->dir_fd, runtime, token, &site->runtime_fd, &site->hold_fd, e);
}

static void find_host(struct site *site)
{
	const char *host = conf_get(site->conf, "server", "host");

	if (host && *host)
		snprintf(site->host, sizeof site->host, "%s", host);
	else if (gethostname(site->host, sizeof site->host - 1) < 0)
		snprintf(site->host, sizeof site->host, "localhost");
}

static void close_all(struct site *site)
{
	tally_close(&site->tally);
	event_log_free(&site->event_log, site->is_forked);
	registry_free(&site->registry);
	roster_free(&site->roster);
	ledger_free(&site->ledger);
	if (site->hold_fd >= 0)
		close(site->hold_fd);
	if (site->runtime_fd >= 0)
		close(site->runtime_fd);
	if (site->dir_fd >= 0)
		close(site->dir_fd);
	conf_free(&site->conf);
	free(site->dir);
	free(site);
}

int site_open(const char *dir, const char *program, struct site **site_r, struct err *e)
{
	struct site *site = mem_alloc(sizeof *site);

	site->dir = mem_str(dir);
	site->program = program;
	site->dir_fd = site->runtime_fd = site->hold_fd = -1;
	if (open_dirs(site, e) < 0)
		goto fail;
	find_host(site);
	if (registry_new(site->dir_fd, site->runtime_fd, &site->registry, e) < 0)
		goto fail;
	site->event_log = event_log_new(site->dir_fd, site->runtime_fd);
	site->roster = roster_new(site->runtime_fd, program);
	site->ledger = ledger_new(site->runtime_fd, site->hold_fd);
	site->tally = tally_open(site->runtime_fd);
	session_wire(site);
	remember(site);
	*site_r = site;
	return 0;
fail:
	close_all(site);
	return -1;
}

void site_close(struct site **site)
{
	struct site *s = *site;

	if (!s)
		return;
	if (s->destroy_store_state)
		s->destroy_store_state(s->store_state);
	CHECK(s->is_forked || roster_is_empty(s->roster)); /* a child has only copies */
	forget(s);
	close_all(s);
	*site = NULL;
}

const char *site_dir(const struct site *site)
{
	return site->dir;
}

int site_dir_fd(const struct site *site)
{
	return site->dir_fd;
}

struct tally *site_tally(const struct site *site)
{
	return site->tally;
}

int site_runtime_fd(const struct site *site)
{
	return site->runtime_fd;
}

const char *site_program(const struct site *site)
{
	return site->program;
}

const char *site_host_name(const struct site *site)
{
	return site->host;
}

const char *site_conf(const struct site *site, const char *section, const char *key,
    const char *otherwise)
{
	const char *value = conf_get(site->conf, section, key);

	return value ? value : otherwise;
}

const struct conf *site_conf_all(const struct site *site)
{
	return site->conf;
}

void site_set_store_state(struct site *site, void *state, void (*destroy)(void *))
{
	site->store_state = state;
	site->destroy_store_state = destroy;
}

void *site_store_state(struct site *site)
{
	return site->store_state;
}

struct ledger *site_ledger(const struct site *site)
{
	return site->ledger;
}

struct roster *site_roster(const struct site *site)
{
	return site->roster;
}

struct registry *site_registry(const struct site *site)
{
	return site->registry;
}

struct event_log *site_event_log(const struct site *site)
{
	return site->event_log;
}

bool site_is_forked(const struct site *site)
{
	return site->is_forked;
}
