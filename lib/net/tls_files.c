/*
 * net/tls_files.c - certificates and keys: read, read again while we run, chosen by name.
 *
 * Before a handshake, once a second at most, the files are looked at.  Each pair is renewed by itself, and
 * only by one that can be used; credentials that were replaced live on until the last session that began
 * with them is over.
 */
#include "net/tls_priv.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOK_EVERY_MS 1000
#define FILE_OCTETS_MAX 1048576
/* GnuTLS derives what seals a ticket from this key, and changes it every few hours; but who has the key can
 * derive all of them.  So it is made anew, and what was said with tickets of the day before stays secret. */
#define TICKET_KEY_MS ((int64_t)24 * 3600 * 1000)

enum file { FILE_CERTIFICATE, FILE_KEY, FILE_ALTERNATE_CERTIFICATE, FILE_ALTERNATE_KEY, FILE_CA, FILES };
#define OWN_FILES FILE_CA /* those before it are the pair's own */

/* What tells that a file is another one. */
struct file_sign {
	ino_t inode;
	off_t size;
	struct timespec changed;
};

struct pair {
	char *paths[FILES]; /* NULL: there is none; FILE_CA is the same for all */
	struct file_sign signs[FILES]; /* of the files as they were last tried */
	struct tls_credentials *current;
};

struct net_tls {
	gnutls_priority_t priority;
	enum net_tls_client client;
	char *client_ca;
	struct pair *pairs; /* each owns its paths but FILE_CA */
	size_t pairs_n;
	int (*open_file)(void *arg, const char *path);
	void *open_arg;

	pthread_mutex_t lock; /* of what follows, and of each pair's */
	gnutls_datum_t ticket_key;
	int64_t look_at, new_ticket_key_at;
};

/* --- credentials --------------------------------------------------------------------------- */

void credentials_drop(struct tls_credentials *credentials)
{
	if (!credentials || --credentials->refs)
		return;
	if (credentials->leaf)
		gnutls_x509_crt_deinit(credentials->leaf);
	if (credentials->gnutls)
		gnutls_certificate_free_credentials(credentials->gnutls);
	free(credentials);
}

/* The pair whose certificate has the name, wildcards included (RFC 6125 6.4.3); else the first. */
static const struct pair *pair_named(const struct net_tls *tls, const char *name)
{
	for (size_t i = 0; name && i < tls->pairs_n; i++)
		if (gnutls_x509_crt_check_hostname2(tls->pairs[i].current->leaf, name,
			GNUTLS_VERIFY_DO_NOT_ALLOW_IP_MATCHES))
			return &tls->pairs[i];
	return &tls->pairs[0];
}

struct tls_credentials *credentials_for(struct net_tls *tls, const char *name)
{
	struct tls_credentials *credentials;

	pthread_mutex_lock(&tls->lock);
	credentials = pair_named(tls, name)->current;
	credentials->refs++;
	pthread_mutex_unlock(&tls->lock);
	return credentials;
}

/* 0 with its sign, or -1 with errno. */
static int file_open(const struct net_tls *tls, const char *path, struct file_sign *sign_r)
{
	struct stat st;
	int fd = tls->open_file(tls->open_arg, path);

	*sign_r = (struct file_sign){0};
	if (fd >= 0 && fstat(fd, &st) == 0)
		*sign_r = (struct file_sign){st.st_ino, st.st_size, st.st_mtim};
	return fd;
}

static bool same_sign(struct file_sign a, struct file_sign b)
{
	return a.inode == b.inode && a.size == b.size && a.changed.tv_sec == b.changed.tv_sec &&
	       a.changed.tv_nsec == b.changed.tv_nsec;
}

static bool pair_changed(const struct net_tls *tls, const struct pair *pair)
{
	for (int i = 0; i < FILES; i++) {
		struct file_sign sign = {0};
		int fd = pair->paths[i] ? file_open(tls, pair->paths[i], &sign) : -1;

		if (fd >= 0)
			close(fd);
		if (!same_sign(pair->signs[i], sign))
			return true;
	}
	return false;
}

/* A file's octets, as they were under its sign; gnutls_free is the caller's.  0, or an errno value. */
static int file_read(const struct net_tls *tls, const char *path, struct file_sign *sign_r, gnutls_datum_t *octets_r)
{
	int fd = file_open(tls, path, sign_r), sys = fd < 0 ? errno : 0;
	ssize_t n;

	if (!sys && sign_r->size > FILE_OCTETS_MAX)
		sys = EFBIG;
	if (!sys && !(octets_r->data = gnutls_malloc((size_t)sign_r->size + 1)))
		sys = ENOMEM;
	if (!sys && (n = io_pread_all(fd, octets_r->data, (size_t)sign_r->size, 0)) < 0)
		sys = errno;
	else if (!sys)
		octets_r->size = (unsigned)n;
	if (fd >= 0)
		close(fd);
	return sys;
}

/* What was read may be a secret. */
static void contents_forget(gnutls_datum_t contents[FILES])
{
	for (int i = 0; i < FILES; i++)
		if (contents[i].data) {
			gnutls_memset(contents[i].data, 0, contents[i].size);
			gnutls_free(contents[i].data);
		}
}

static int read_contents(const struct net_tls *tls, struct pair *pair, gnutls_datum_t contents[FILES], struct err *e)
{
	int result = 0;

	for (int i = 0; i < FILES; i++) {
		int sys = pair->paths[i] ? file_read(tls, pair->paths[i], &pair->signs[i], &contents[i]) : 0;

		if (sys && result == 0)
			result = err_sys(e, sys == ENOENT ? ERR_NOTFOUND : ERR_INVALID, sys, "%s", pair->paths[i]);
	}
	return result;
}

/* GnuTLS chooses between two kinds of keys by what the client can check. */
static int use_key(struct tls_credentials *fresh, const struct pair *pair, const gnutls_datum_t contents[FILES],
    enum file certificate, struct err *e)
{
	int n = gnutls_certificate_set_x509_key_mem2(
	    fresh->gnutls, &contents[certificate], &contents[certificate + 1], GNUTLS_X509_FMT_PEM, NULL, 0);

	if (n >= 0)
		return 0;
	return err_set(e, ERR_INVALID, "certificate %s with key %s: %s", pair->paths[certificate],
	    pair->paths[certificate + 1], gnutls_strerror(n));
}

/* The certificate of the server itself, out of its chain. */
static int read_leaf(struct tls_credentials *fresh)
{
	gnutls_datum_t der;
	int n = gnutls_certificate_get_crt_raw(fresh->gnutls, 0, 0, &der);

	if (n < 0)
		return n;
	n = gnutls_x509_crt_init(&fresh->leaf);
	return n < 0 ? n : gnutls_x509_crt_import(fresh->leaf, &der, GNUTLS_X509_FMT_DER);
}

static int use_contents(struct tls_credentials *fresh, const struct pair *pair, const gnutls_datum_t contents[FILES],
    struct err *e)
{
	int n = gnutls_certificate_allocate_credentials(&fresh->gnutls);

	if (n < 0)
		return err_set(e, ERR_UNAVAILABLE, "GnuTLS: %s", gnutls_strerror(n));
	if (use_key(fresh, pair, contents, FILE_CERTIFICATE, e) < 0)
		return -1;
	if ((n = read_leaf(fresh)) < 0)
		return err_set(e, ERR_INVALID, "certificate %s: %s", pair->paths[FILE_CERTIFICATE], gnutls_strerror(n));
	if (pair->paths[FILE_ALTERNATE_CERTIFICATE] &&
	    use_key(fresh, pair, contents, FILE_ALTERNATE_CERTIFICATE, e) < 0)
		return -1;
	if (!pair->paths[FILE_CA])
		return 0;
	n = gnutls_certificate_set_x509_trust_mem(fresh->gnutls, &contents[FILE_CA], GNUTLS_X509_FMT_PEM);
	return n > 0 ? 0 : err_set(e, ERR_INVALID, "authorities of clients, %s: %s", pair->paths[FILE_CA],
			       n ? gnutls_strerror(n) : "there are none in it");
}

/* Under the lock, or before anybody else knows of the pair. */
static int pair_read(const struct net_tls *tls, struct pair *pair, struct err *e)
{
	struct tls_credentials *fresh = mem_alloc(sizeof(*fresh));
	gnutls_datum_t contents[FILES] = {{0}};
	int result;

	fresh->refs = 1;
	result = read_contents(tls, pair, contents, e);
	if (result == 0)
		result = use_contents(fresh, pair, contents, e);
	contents_forget(contents);
	if (result < 0) {
		credentials_drop(fresh);
		return -1;
	}
	credentials_drop(pair->current);
	pair->current = fresh;
	return 0;
}

static void pair_look(const struct net_tls *tls, struct pair *pair, bool now)
{
	struct err e;

	if (!now && !pair_changed(tls, pair))
		return;
	if (pair_read(tls, pair, &e) == 0)
		log_info("certificate-reread", "certificate=%s", LOG_Q(pair->paths[FILE_CERTIFICATE]));
	else /* half of a pair was replaced, perhaps: the next change is tried again */
		log_error("certificate-kept", "the one before stays in force: %s", log_err(&e));
}

/* --- tickets (RFC 5077, RFC 8446 4.6.1) ---------------------------------------------------- */

static void ticket_key_drop(struct net_tls *tls)
{
	if (tls->ticket_key.data) {
		gnutls_memset(tls->ticket_key.data, 0, tls->ticket_key.size);
		gnutls_free(tls->ticket_key.data);
	}
	tls->ticket_key = (gnutls_datum_t){0};
}

static int ticket_key_make(struct net_tls *tls)
{
	gnutls_datum_t fresh;
	int n = gnutls_session_ticket_key_generate(&fresh);

	if (n < 0)
		return n;
	CHECK(fresh.size == TLS_TICKET_KEY_OCTETS);
	ticket_key_drop(tls);
	tls->ticket_key = fresh;
	tls->new_ticket_key_at = clock_mono_ms() + TICKET_KEY_MS;
	return 0;
}

void tls_ticket_key(struct net_tls *tls, unsigned char key_r[TLS_TICKET_KEY_OCTETS])
{
	pthread_mutex_lock(&tls->lock);
	memcpy(key_r, tls->ticket_key.data, TLS_TICKET_KEY_OCTETS);
	pthread_mutex_unlock(&tls->lock);
}

/* --- all of it ----------------------------------------------------------------------------- */

gnutls_priority_t tls_priority(const struct net_tls *tls)
{
	return tls->priority;
}

enum net_tls_client tls_client(const struct net_tls *tls)
{
	return tls->client;
}

static void take_paths(struct net_tls *tls, const struct net_tls_config *config)
{
	tls->client = config->client;
	if (config->client != NET_TLS_CLIENT_NONE)
		tls->client_ca = mem_str(config->client_ca);
	tls->pairs = mem_alloc(config->pairs_n * sizeof(*tls->pairs));
	tls->pairs_n = config->pairs_n;
	for (size_t i = 0; i < tls->pairs_n; i++) {
		const struct net_tls_pair *from = &config->pairs[i];
		char **paths = tls->pairs[i].paths;

		paths[FILE_CERTIFICATE] = mem_str(from->certificate);
		paths[FILE_KEY] = mem_str(from->key);
		if (from->alternate_certificate) {
			paths[FILE_ALTERNATE_CERTIFICATE] = mem_str(from->alternate_certificate);
			paths[FILE_ALTERNATE_KEY] = mem_str(from->alternate_key);
		}
		paths[FILE_CA] = tls->client_ca;
	}
}

static int load(struct net_tls *tls, const char *priority, struct err *e)
{
	const char *wrong;
	int n = gnutls_priority_init(&tls->priority, priority, &wrong);

	if (n < 0)
		return err_set(e, ERR_INVALID, "TLS priority, from \"%s\" on: %s",
		    n == GNUTLS_E_INVALID_REQUEST ? wrong : priority, gnutls_strerror(n));
	if ((n = ticket_key_make(tls)) < 0)
		return err_set(e, ERR_UNAVAILABLE, "GnuTLS: %s", gnutls_strerror(n));
	for (size_t i = 0; i < tls->pairs_n; i++)
		if (pair_read(tls, &tls->pairs[i], e) < 0)
			return -1;
	return 0;
}

static int open_by_path(void *arg, const char *path)
{
	(void)arg;
	return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

void net_tls_open_by(struct net_tls *tls, int (*open_file)(void *arg, const char *path), void *arg)
{
	pthread_mutex_lock(&tls->lock);
	tls->open_file = open_file;
	tls->open_arg = arg;
	pthread_mutex_unlock(&tls->lock);
}

int net_tls_load(const struct net_tls_config *config, struct net_tls **tls_r, struct err *e)
{
	struct net_tls *tls = mem_alloc(sizeof(*tls));

	CHECK(config->pairs_n > 0);
	pthread_mutex_init(&tls->lock, NULL);
	tls->open_file = open_by_path;
	take_paths(tls, config);
	if (load(tls, config->priority, e) < 0) {
		net_tls_free(&tls);
		return -1;
	}
	*tls_r = tls;
	return 0;
}

void net_tls_free(struct net_tls **tls)
{
	struct net_tls *t = *tls;

	if (!t)
		return;
	for (size_t i = 0; i < t->pairs_n; i++) {
		credentials_drop(t->pairs[i].current);
		for (int file = 0; file < OWN_FILES; file++)
			free(t->pairs[i].paths[file]);
	}
	free(t->pairs);
	free(t->client_ca);
	if (t->priority)
		gnutls_priority_deinit(t->priority);
	ticket_key_drop(t);
	pthread_mutex_destroy(&t->lock);
	mem_free(tls);
}

const char *net_tls_path(const struct net_tls *tls, size_t i)
{
	for (size_t p = 0; p < tls->pairs_n; p++)
		for (int file = 0; file < OWN_FILES; file++)
			if (tls->pairs[p].paths[file] && i-- == 0)
				return tls->pairs[p].paths[file];
	return i == 0 ? tls->client_ca : NULL;
}

void net_tls_look(struct net_tls *tls, bool now)
{
	pthread_mutex_lock(&tls->lock);
	if (now || clock_mono_ms() >= tls->look_at) {
		tls->look_at = clock_mono_ms() + LOOK_EVERY_MS;
		for (size_t i = 0; i < tls->pairs_n; i++)
			pair_look(tls, &tls->pairs[i], now);
		if (clock_mono_ms() >= tls->new_ticket_key_at && ticket_key_make(tls) < 0)
			log_error("ticket-key", "no new one could be made; the one before stays");
	}
	pthread_mutex_unlock(&tls->lock);
}
