/* auth/token.c - tokens by the keys that store.conf names, as of when their file last changed. */
#include "auth/token.h"
#include "auth/jwt.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "limits/registry.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define KEYS_OCTETS_MAX (1u << 20)

/* What tells one file from the next of the same name. */
struct version {
	dev_t device;
	ino_t inode;
	off_t octets;
	struct timespec changed, written;
};

/* One file a process: sites that are open together mostly have the same. */
static struct {
	pthread_mutex_t lock;
	char path[4096];
	bool is_tried;
	struct version version; /* of what was tried last */
	struct jwt_keys *keys;  /* NULL: none could be read yet */
} held = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct jwt_rules rules_of(struct site *site, unsigned door)
{
	return (struct jwt_rules){
	    .issuer = token_conf(site, "issuer"),
	    .audience = token_conf(site, "audience"),
	    .scope = token_scope(site, door),
	    .user_claim = site_conf(site, "token", "user_claim", "email"),
	    .skew_s = setting_get(site, SETTING_TOKEN_CLOCK_SKEW),
	    .octets_max = setting_get(site, SETTING_TOKEN_OCTETS_MAX),
	};
}

/* --- the keys ------------------------------------------------------------------------------ */

static void look(const char *path, struct version *version_r)
{
	struct stat st;

	memset(version_r, 0, sizeof *version_r);
	if (stat(path, &st) < 0)
		return; /* it is gone: that is a version too */
	version_r->device = st.st_dev;
	version_r->inode = st.st_ino;
	version_r->octets = st.st_size;
	version_r->changed = st.st_ctim;
	version_r->written = st.st_mtim;
}

static int load(const char *path, struct jwt_keys **keys_r, struct err *e)
{
	struct str_buf text = {0};
	int r = io_read_file(AT_FDCWD, path, KEYS_OCTETS_MAX, &text, e);

	if (r == 0)
		r = jwt_keys_parse(str_buf_view(&text), keys_r, e);
	str_buf_fini(&text);
	return r;
}

static void reload(void)
{
	struct jwt_keys *keys;
	struct err e;

	if (load(held.path, &keys, &e) < 0) {
		log_error("token-keys", "file=%s keys=%zu kept: %s", LOG_Q(held.path), held.keys ? jwt_keys_n(held.keys) : 0,
		    log_err(&e));
		return;
	}
	log_info("token-keys", "file=%s keys=%zu", LOG_Q(held.path), jwt_keys_n(keys));
	jwt_keys_free(&held.keys);
	held.keys = keys;
}

static void begin_path(const char *path)
{
	if (strcmp(path, held.path) == 0)
		return;
	snprintf(held.path, sizeof held.path, "%s", path);
	held.is_tried = false;
	jwt_keys_free(&held.keys);
}

/* A reference, to be given back; NULL: there are none.  Of a file that is gone, those that it held. */
static struct jwt_keys *keys_of(const struct site *site)
{
	struct jwt_keys *keys = NULL;
	struct arena arena = {0};
	const char *path = token_keys_path(site, &arena);
	struct version version;

	if (path && strlen(path) < sizeof held.path) {
		pthread_mutex_lock(&held.lock);
		begin_path(path);
		look(path, &version);
		if (!held.is_tried || memcmp(&version, &held.version, sizeof version) != 0) {
			held.is_tried = true;
			held.version = version;
			reload();
		}
		keys = held.keys ? jwt_keys_ref(held.keys) : NULL;
		pthread_mutex_unlock(&held.lock);
	}
	arena_fini(&arena);
	return keys;
}

/* --- tokens -------------------------------------------------------------------------------- */

static bool is_configured(struct site *site)
{
	static atomic_flag told = ATOMIC_FLAG_INIT;

	if (!token_conf(site, "keys"))
		return false;
	if (token_conf(site, "issuer") && token_conf(site, "audience"))
		return true;
	/* Without them any token of the provider's would do, for whatever it was made. */
	if (!atomic_flag_test_and_set(&told))
		log_error("token-not-taken", "store.conf: [token] needs keys, issuer and audience");
	return false;
}

bool token_is_able(struct site *site)
{
	struct jwt_keys *keys = is_configured(site) ? keys_of(site) : NULL;
	bool is_able = keys != NULL;

	jwt_keys_free(&keys);
	return is_able;
}

int token_verify(struct site *site, unsigned door, const char *token, char name_r[ACCOUNT_NAME_SIZE], struct err *e)
{
	struct jwt_keys *keys = is_configured(site) ? keys_of(site) : NULL;
	const struct jwt_rules rules = rules_of(site, door);
	int r;

	if (!keys)
		return err_set(e, ERR_UNSUPPORTED, "tokens are not taken here");
	r = jwt_verify(keys, &rules, token, clock_wall_ms() / 1000, name_r, e);
	jwt_keys_free(&keys);
	return r;
}

bool token_says(struct site *site, const char *token, char name_r[ACCOUNT_NAME_SIZE])
{
	const struct jwt_rules rules = rules_of(site, 0);

	return jwt_says(&rules, token, name_r);
}
