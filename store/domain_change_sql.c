/*
 * store/domain_change_sql.c - domains come, go, and get other names.
 *
 * Names of users say which domain they are in, so that only a change of the default one, or of a domain's name, touches users
 * at all: each is one transaction, and all that is a user's goes by his id.
 */
#include "store/directory_priv.h"

#include "base/clock.h"
#include "mime/idn.h"
#include "store/db_priv.h"

#include <string.h>

/* A statement with up to three texts; NULL: no more. */
static int run(struct directory *d, const char *sql, const char *first, const char *second, const char *third, struct err *e)
{
	struct query q;
	int r = query_begin(&q, d->db, sql, e);

	if (r < 0)
		return -1;
	query_text(&q, 1, first);
	if (second)
		query_text(&q, 2, second);
	if (third)
		query_text(&q, 3, third);
	r = query_step(&q, e);
	query_end(&q);
	return r;
}

static int insert(struct directory *d, const char *ascii, struct err *e)
{
	struct query q;
	int r = query_begin(&q, d->db, "INSERT OR IGNORE INTO domain(name, added_ms) VALUES (?1, ?2)", e);

	if (r < 0)
		return -1;
	query_text(&q, 1, ascii);
	query_int(&q, 2, clock_wall_ms());
	r = query_step(&q, e);
	query_end(&q);
	return r;
}

static int add(struct directory *d, const char *ascii, struct err *e)
{
	enum domain_kind kind;

	if (domain_kind_of(d, ascii, &kind, e) < 0)
		return -1;
	if (kind == DOMAIN_OURS || (d->domains.default_name && strcmp(d->domains.default_name, ascii) == 0))
		return err_set(e, ERR_EXISTS, "%s is a domain of this store already", ascii);
	if (kind == DOMAIN_DEFAULT)
		return err_set(e, ERR_EXISTS, "%s is a name of the default domain (store.conf, [server]): `postern domain default %s` says so for good; "
		    "to be one of its own it has to go from there first", ascii, ascii);
	return insert(d, ascii, e);
}

static int remove_row(struct directory *d, const char *ascii, struct err *e)
{
	enum domain_kind kind;
	int r;

	if (domain_kind_of(d, ascii, &kind, e) < 0)
		return -1;
	if (kind == DOMAIN_DEFAULT)
		return err_set(e, ERR_EXISTS, "%s is the default domain, or a name of it", ascii);
	if (kind == DOMAIN_FOREIGN)
		return err_set(e, ERR_NOTFOUND, "%s is no domain of this store", ascii);
	r = run(d, "SELECT 1 FROM user WHERE domain = ?1 UNION ALL SELECT 1 FROM alias WHERE domain = ?1 LIMIT 1", ascii, NULL, NULL, e);
	if (r > 0)
		return err_set(e, ERR_EXISTS, "%s has users or aliases, which have to go first", ascii);
	return r < 0 ? -1 : run(d, "DELETE FROM domain WHERE name = ?1", ascii, NULL, NULL, e);
}

/* Who was written without a domain has the name of the one that was the default. */
static int spell_out(struct directory *d, const char *ascii, struct err *e)
{
	struct str_buf shown = {0};
	int r;

	idn_display(ascii, &shown);
	r = run(d, "UPDATE user SET name = name || '@' || ?2, folded = folded || '@' || ?1 WHERE domain IS NULL", ascii, shown.p, NULL, e);
	if (r == 0)
		r = run(d, "UPDATE alias SET name = name || '@' || ?2, folded = folded || '@' || ?1 WHERE domain IS NULL", ascii, shown.p, NULL, e);
	str_buf_fini(&shown);
	return r;
}

/* What is before the domain: rtrim of all that is no @ leaves what is before the last one, and it. */
#define LOCAL_SHOWN "substr(name, 1, length(rtrim(name, replace(name, '@', ''))) - 1)"
#define LOCAL_FOLDED "substr(folded, 1, length(folded) - length(domain) - 1)"
#define WITHOUT_DOMAIN "name = " LOCAL_SHOWN ", folded = " LOCAL_FOLDED

static int leave_out(struct directory *d, const char *ascii, struct err *e)
{
	int r = run(d,
	    "SELECT 1 FROM (SELECT folded, domain FROM user UNION ALL SELECT folded, domain FROM alias) "
	    "WHERE domain = ?1 AND " LOCAL_FOLDED " IN "
	    "(SELECT folded FROM user WHERE domain IS NULL UNION ALL SELECT folded FROM alias WHERE domain IS NULL) LIMIT 1",
	    ascii, NULL, NULL, e);

	if (r > 0)
		return err_set(e, ERR_EXISTS, "a name is there without a domain and in %s, and would be one", ascii);
	if (r == 0)
		r = run(d, "UPDATE user SET " WITHOUT_DOMAIN " WHERE domain = ?1", ascii, NULL, NULL, e);
	return r < 0 ? -1 : run(d, "UPDATE alias SET " WITHOUT_DOMAIN " WHERE domain = ?1", ascii, NULL, NULL, e);
}

static int set_default(struct directory *d, const char *ascii, struct err *e)
{
	if (domains_know(d, e) < 0)
		return -1;
	if (d->domains.default_name && strcmp(d->domains.default_name, ascii) == 0)
		return 0;
	if (d->domains.default_name && spell_out(d, d->domains.default_name, e) < 0)
		return -1;
	if (leave_out(d, ascii, e) < 0 || insert(d, ascii, e) < 0 || DB_RUN0(d->db, e, "UPDATE domain SET is_default = 0 WHERE is_default = 1") < 0)
		return -1;
	return run(d, "UPDATE domain SET is_default = 1 WHERE name = ?1", ascii, NULL, NULL, e);
}

#define WITH_NEW_DOMAIN "name = " LOCAL_SHOWN " || '@' || ?3, folded = " LOCAL_FOLDED " || '@' || ?2"

/* Who is in it has the new name in his; nobody has it yet. */
static int move_names(struct directory *d, const char *from, const char *to, struct err *e)
{
	struct str_buf shown = {0};
	int r = run(d, "SELECT 1 FROM user WHERE domain = ?1 UNION ALL SELECT 1 FROM alias WHERE domain = ?1 LIMIT 1", to, NULL, NULL, e);

	if (r > 0)
		return err_set(e, ERR_EXISTS, "there are names in %s already, from before: `postern check` says which", to);
	idn_display(to, &shown);
	if (r == 0)
		r = run(d, "UPDATE user SET " WITH_NEW_DOMAIN " WHERE domain = ?1", from, to, shown.p, e);
	if (r == 0)
		r = run(d, "UPDATE alias SET " WITH_NEW_DOMAIN " WHERE domain = ?1", from, to, shown.p, e);
	str_buf_fini(&shown);
	_Static_assert(DIRECTORY_NAME_OCTETS == 255, "it is in the statement below");
	if (r == 0)
		r = run(d, "SELECT 1 FROM (SELECT name, domain FROM user UNION ALL SELECT name, domain FROM alias) "
		    "WHERE domain = ?1 AND length(CAST(name AS BLOB)) > 255 LIMIT 1", to, NULL, NULL, e);
	return r <= 0 ? r : err_set(e, ERR_INVALID, "a name in it would have more than %d octets", DIRECTORY_NAME_OCTETS);
}

/* Whether there is such a domain to rename, and the new name is free: a further name of the default domain is so for that one alone. */
static int check_rename(struct directory *d, const char *from, const char *to, bool *is_default_r, struct err *e)
{
	enum domain_kind kind, kind_to;

	if (domain_kind_of(d, from, &kind, e) < 0 || domain_kind_of(d, to, &kind_to, e) < 0)
		return -1;
	*is_default_r = d->domains.default_name && strcmp(d->domains.default_name, from) == 0;
	if (kind == DOMAIN_FOREIGN)
		return err_set(e, ERR_NOTFOUND, "%s is no domain of this store", from);
	if (kind == DOMAIN_DEFAULT && !*is_default_r)
		return err_set(e, ERR_NOTFOUND, "%s is a further name of the default domain (the host's, or store.conf's): "
		    "`postern domain default` gives that another", from);
	if (kind_to == DOMAIN_OURS || (d->domains.default_name && strcmp(d->domains.default_name, to) == 0))
		return err_set(e, ERR_EXISTS, "%s is a domain of this store already", to);
	if (kind_to == DOMAIN_DEFAULT && !*is_default_r)
		return err_set(e, ERR_EXISTS, "%s is a name of the default domain", to);
	return 0;
}

static int rename_row(struct directory *d, const char *from, const char *to, struct err *e)
{
	bool is_default;
	int r;

	if (check_rename(d, from, to, &is_default, e) < 0)
		return -1;
	/* The default's names have no domain; an alias may have been in the further name that it gets. */
	r = is_default ? leave_out(d, to, e) : move_names(d, from, to, e);
	return r < 0 ? -1 : run(d, "UPDATE domain SET name = ?2 WHERE name = ?1", from, to, NULL, e);
}

static int take_name(const char *name, struct str_buf *ascii, struct err *e)
{
	return idn_ascii(str_view(name, strlen(name)), ascii) ? 0 : err_set(e, ERR_INVALID, "that is no domain's name");
}

/* One transaction of the directory, from begin to end, whatever comes of it. */
static int begin(struct site *site, struct directory **d_r, struct err *e)
{
	if (directory_enter(site, d_r, e) < 0)
		return -1;
	if (directory_write_begin(*d_r, e) == 0)
		return 0;
	directory_leave(*d_r);
	return -1;
}

static int end(struct directory *d, int r, struct err *e)
{
	r = directory_write_end(d, r, e);
	directory_leave(d);
	return r;
}

static int change(struct site *site, const char *name, int (*how)(struct directory *d, const char *ascii, struct err *e), struct err *e)
{
	struct str_buf ascii = {0};
	struct directory *d;
	int r = take_name(name, &ascii, e);

	if (r == 0 && (r = begin(site, &d, e)) == 0)
		r = end(d, how(d, ascii.p, e), e);
	str_buf_fini(&ascii);
	return r;
}

int domain_add(struct site *site, const char *name, struct err *e)
{
	return change(site, name, add, e);
}

int domain_remove(struct site *site, const char *name, struct err *e)
{
	return change(site, name, remove_row, e);
}

int domain_set_default(struct site *site, const char *name, struct err *e)
{
	return change(site, name, set_default, e);
}

int domain_rename(struct site *site, const char *from, const char *to, struct err *e)
{
	struct str_buf from_ascii = {0}, to_ascii = {0};
	struct directory *d;
	int r = take_name(from, &from_ascii, e);

	if (r == 0)
		r = take_name(to, &to_ascii, e);
	if (r == 0 && (r = begin(site, &d, e)) == 0)
		r = end(d, rename_row(d, from_ascii.p, to_ascii.p, e), e);
	str_buf_fini(&from_ascii);
	str_buf_fini(&to_ascii);
	return r;
}
