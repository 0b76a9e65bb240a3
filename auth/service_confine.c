/*
 * auth/service_confine.c - [security] of store.conf: what a door gives up before it serves.
 *
 * It is done when sockets are bound and files read that may be root's alone, and before there are threads.
 */
#include "auth/service_priv.h"
#include "auth/token.h"
#include "base/arena.h"
#include "base/io.h"
#include "base/log.h"
#include "confine/confine.h"
#include "net/tls.h"

#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_MAX 1024

enum confining { CONFINING_NO, CONFINING_YES, CONFINING_REQUIRE };

static int read_setting(const struct site *site, const char *section, enum confining *confining_r, struct err *e)
{
	static const char *const words[] = {"no", "yes", "require"};
	const char *word = site_conf(site, section, "confine", site_conf(site, "security", "confine", "yes"));

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(word, words[i]) == 0) {
			*confining_r = (enum confining)i;
			return 0;
		}
	return err_set(e, ERR_INVALID, "store.conf: [security] confine is yes, no or require");
}

/* The folder a file is in, so that another one may take its place; at the top it's the file alone. */
static const char *folder_of(struct arena *arena, const char *path)
{
	const char *folder = dirname(arena_strn(arena, path, strlen(path)));

	return strcmp(folder, "/") == 0 ? path : folder;
}

/* Where a file is, and where it is in truth: a renewal changes links. */
static size_t add_file(struct arena *arena, const char *path, const char *read_r[READ_MAX], size_t n)
{
	char real[PATH_MAX];

	if (n + 2 >= READ_MAX)
		return n;
	read_r[n++] = folder_of(arena, path);
	if (realpath(path, real))
		read_r[n++] = folder_of(arena, real);
	return n;
}

/* Certificates and their keys, from the nth on; how many there are then. */
static size_t add_certificates(struct arena *arena, const struct net_tls *tls, const char *read_r[READ_MAX], size_t n)
{
	const char *path;

	for (size_t i = 0; tls && (path = net_tls_path(tls, i)); i++)
		n = add_file(arena, path, read_r, n);
	read_r[n] = NULL;
	return n;
}

/* What is read again when it changes. */
static void add_files(struct arena *arena, const struct site *site, const struct net_tls *tls, const char *read_r[READ_MAX])
{
	const char *path = token_keys_path(site, arena);

	add_certificates(arena, tls, read_r, path ? add_file(arena, path, read_r, 0) : 0);
}

/* The folder's path, as it is now. */
static const char *path_of(struct arena *arena, int folder_fd)
{
	char path[PATH_MAX];

	return io_path_of(folder_fd, path) > 0 ? arena_str(arena, path) : NULL;
}

static int confine_to_site(const struct site *site, const struct net_tls *tls, int folder_fd, bool whole, struct err *e)
{
	struct arena arena = {0};
	const char *read[READ_MAX], *write[] = {path_of(&arena, site_dir_fd(site)),
	    path_of(&arena, site_runtime_fd(site)), folder_fd < 0 ? NULL : path_of(&arena, folder_fd), NULL};
	const struct confine c = {.role = CONFINE_DOOR, .read = read, .write = write};
	struct confine_got got;
	int result = 0;

	add_files(&arena, site, tls, read);
	/* What SQLite sorts on the disk goes where it may write. */
	if (write[0])
		setenv("SQLITE_TMPDIR", write[0], 1);
	got = confine(&c);
	if (whole && !confine_is_whole(&c, &got))
		result = err_set(e, ERR_UNAVAILABLE,
		    "store.conf: [security] confine = require, but that isn't all of it");
	arena_fini(&arena);
	return result;
}

/* Before it is the account: folders that it may be unable to look into are known now. */
static int start_keeper(const struct net_tls *tls, struct err *e)
{
	struct arena arena = {0};
	const char *folders[READ_MAX];
	int result;

	if (!tls || geteuid() != 0)
		return 0;
	add_certificates(&arena, tls, folders, 0);
	result = service_keeper_start(tls, folders, e);
	arena_fini(&arena);
	return result;
}

int service_confine(const struct site *site, const char *section, struct net_tls *tls, int folder_fd, struct err *e)
{
	const char *account = site_conf(site, section, "account", site_conf(site, "security", "account", NULL));
	enum confining confining = CONFINING_YES;

	if (read_setting(site, section, &confining, e) < 0 || start_keeper(tls, e) < 0 ||
	    confine_account(account, site_dir_fd(site), e) < 0)
		return -1;
	service_keeper_use(tls);
	if (confining == CONFINING_NO) {
		log_warn("not-confined", "store.conf: [security] confine = no");
		return 0;
	}
	return confine_to_site(site, tls, folder_fd, confining == CONFINING_REQUIRE, e);
}
