/* The directory between its files: what is cached, the handle, one user looked up. */
#ifndef STORE_DIRECTORY_PRIV_H
#define STORE_DIRECTORY_PRIV_H

#include "store/directory.h"
#include "store/domain.h"
#include "store/generation.h"
#include "store/mailbox_priv.h"

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

struct db;
struct query;

/* What a user is looked up by; the first letter of a cache key. */
enum lookup { BY_NAME = 'n', BY_ID = 'i', BY_ACCOUNT = 'u' };

#define DIRECTORY_BUCKETS 1024
#define DIRECTORY_NOBODIES 4096 /* names that were looked up and are nobody's */

/* The site's domains as of a generation. */
struct domains {
	struct arena arena;
	struct domain_row {
		const char *name;
		bool is_default;
	} *rows; /* by name */
	size_t n;
	const char *default_name; /* NULL: none was named */
	uint64_t generation;
	bool is_known;
};

struct directory {
	struct store_site *site;
	pthread_mutex_t lock; /* all below */
	struct db *db;
	int lock_fd; /* directory.lock: every commit and checkpoint */
	struct generation generation;
	uint64_t cached_at; /* generation */
	size_t cached_n;
	struct cached *buckets[DIRECTORY_BUCKETS];
	uint64_t nobodies[DIRECTORY_NOBODIES]; /* hashes of keys; 0: none */
	struct domains domains;
};

/* The cache, of one generation. */
void directory_cache_clear(struct directory *d);
const struct directory_user *directory_cache_find(struct directory *d, const char *key);
void directory_cache_put(struct directory *d, const char *key, const struct directory_user *user);
bool directory_cache_is_nobody(const struct directory *d, const char *key);
void directory_cache_put_nobody(struct directory *d, const char *key);
void directory_user_copy(struct arena *arena, const struct directory_user *from,
    struct directory_user *to);

/* The site's directory, locked; the handle is opened only by those who need it. */
WARN_UNUSED int directory_enter(struct site *site, struct directory **d_r, struct err *e);
void directory_leave(struct directory *d);
WARN_UNUSED int directory_open_db(struct directory *d, struct err *e);
WARN_UNUSED int directory_writer_lock(struct directory *d, struct err *e);
void directory_writer_unlock(struct directory *d);

/* One user; 1, 0 (there is none), -1.  query: past the cache. */
WARN_UNUSED int directory_user_query(struct directory *d, enum lookup by, const char *value,
    struct arena *arena, struct directory_user *user, struct err *e);
WARN_UNUSED int directory_find_named(struct directory *d, const char *name, struct arena *arena,
    struct directory_user *user_r, struct err *e);
/* The 1, 0, -1 of those as 0 or -1 with NOTFOUND. */
int directory_lookup_done(int r, struct err *e);

/* A change: begun, and ended with what came of it.  The generation is even again in either case, and higher. */
WARN_UNUSED int directory_write_begin(struct directory *d, struct err *e);
int directory_write_end(struct directory *d, int r, struct err *e);
/* All rows, as an array of elements of this size in the arena; NULL: there are none. */
WARN_UNUSED int directory_rows(struct directory *d, const char *sql, size_t size, void (*get)(struct query *q, struct arena *arena, void *element),
    struct arena *arena, void **list_r, size_t *n_r, struct err *e);

/* d->domains is as the directory is now. */
WARN_UNUSED int domains_know(struct directory *d, struct err *e);
/* What a domain is as of d->domains, by its A-labels. */
enum domain_kind domain_kind_known(const struct directory *d, const char *ascii);
/* The same as of now.  -1: the directory can't be read. */
WARN_UNUSED int domain_kind_of(struct directory *d, const char *ascii, enum domain_kind *kind_r, struct err *e);
/* What name is kept as: without a domain that is the default's.  as_alias: only where that is the default's own name.  INVALID. */
WARN_UNUSED int domain_name_canonical(struct directory *d, const struct directory_name *name, bool as_alias, struct arena *arena, const char **name_r,
    struct err *e);
void domains_fini(struct domains *domains);

#endif
