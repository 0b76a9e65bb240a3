/* store/domain_sql.c - domains, in the directory: which there are, and whose names say which.  Changes: domain_change_sql.c. */
#include "store/directory_priv.h"

#include "mime/decode.h"
#include "mime/idn.h"
#include "store/db_priv.h"

#include <stdlib.h>
#include <string.h>

/* ---- which there are ---- */

static void kind_row(struct query *q, struct arena *arena, void *element)
{
	struct str_view name = query_get_view(q, 0);

	*(struct domain_row *)element = (struct domain_row){arena_strn(arena, name.p, name.n), query_get_int(q, 1) != 0};
}

void domains_fini(struct domains *domains)
{
	arena_fini(&domains->arena);
	*domains = (struct domains){0};
}

/* They are few beside users: read again as a whole where anything in the directory changed. */
int domains_know(struct directory *d, struct err *e)
{
	uint64_t generation = generation_read(&d->generation);
	struct domains fresh = {.generation = generation, .is_known = generation_is_settled(generation)};
	void *rows = NULL;

	if (d->domains.is_known && d->domains.generation == generation && fresh.is_known)
		return 0;
	if (directory_rows(d, "SELECT name, is_default FROM domain ORDER BY name", sizeof *fresh.rows, kind_row, &fresh.arena, &rows, &fresh.n, e) < 0) {
		arena_fini(&fresh.arena);
		return -1;
	}
	fresh.rows = rows;
	for (size_t i = 0; i < fresh.n; i++)
		if (fresh.rows[i].is_default)
			fresh.default_name = fresh.rows[i].name;
	fresh.is_known = fresh.is_known && generation_read(&d->generation) == generation;
	domains_fini(&d->domains);
	d->domains = fresh;
	return 0;
}

static int compare(const void *name, const void *row)
{
	return strcmp(name, ((const struct domain_row *)row)->name);
}

static bool is_said_by_conf(struct site *site, const char *ascii)
{
	const char *host = site_host_name(site), *domains = site_conf(site, "server", "domains", "");
	struct str_view rest = str_view(domains, strlen(domains)), next = str_view(host, strlen(host));
	bool is_said = strcmp(ascii, "localhost") == 0;

	for (; !is_said && next.n; next = str_word(&rest)) {
		struct str_buf said = {0};

		is_said = idn_ascii(next, &said) && strcmp(said.p, ascii) == 0;
		str_buf_fini(&said);
	}
	return is_said;
}

enum domain_kind domain_kind_known(const struct directory *d, const char *ascii)
{
	const struct domain_row *row = d->domains.n ? bsearch(ascii, d->domains.rows, d->domains.n, sizeof *row, compare) : NULL;

	if (row)
		return row->is_default ? DOMAIN_DEFAULT : DOMAIN_OURS;
	return is_said_by_conf(d->site->site, ascii) ? DOMAIN_DEFAULT : DOMAIN_FOREIGN;
}

int domain_kind_of(struct directory *d, const char *ascii, enum domain_kind *kind_r, struct err *e)
{
	if (domains_know(d, e) < 0)
		return -1;
	*kind_r = domain_kind_known(d, ascii);
	return 0;
}

int domain_kind(struct site *site, struct str_view domain, enum domain_kind *kind_r, struct err *e)
{
	struct str_buf ascii = {0};
	struct directory *d;
	int r = 0;

	*kind_r = DOMAIN_FOREIGN;
	if (idn_ascii(domain, &ascii)) {
		r = directory_enter(site, &d, e);
		if (r == 0) {
			r = domain_kind_of(d, ascii.p, kind_r, e);
			directory_leave(d);
		}
	}
	str_buf_fini(&ascii);
	return r;
}

/* ---- names ---- */

/* People and files have it in its script; an address whose local part is ASCII goes where only ASCII does. */
static const char *name_in(const char *local, const char *ascii, bool for_mail, struct arena *arena)
{
	struct str_buf shown = {0};
	const char *name;

	if (for_mail && mime_ascii_n(str_view(local, strlen(local))) == strlen(local))
		str_buf_puts(&shown, ascii);
	else
		idn_display(ascii, &shown);
	name = arena_printf(arena, "%s@%s", local, shown.p);
	str_buf_fini(&shown);
	return name;
}

int domain_name_canonical(struct directory *d, const struct directory_name *name, bool as_alias, struct arena *arena, const char **name_r,
    struct err *e)
{
	enum domain_kind kind = DOMAIN_DEFAULT;
	bool is_further;

	if (name->domain && domain_kind_of(d, name->domain, &kind, e) < 0)
		return -1;
	if (kind == DOMAIN_FOREIGN)
		return err_set(e, ERR_INVALID, "%s is no domain of this store; `postern domain add %s` makes it one", name->domain, name->domain);
	is_further = name->domain && !(d->domains.default_name && strcmp(d->domains.default_name, name->domain) == 0);
	if (kind == DOMAIN_OURS || (as_alias && is_further))
		*name_r = name_in(name->local, name->domain, false, arena);
	else
		*name_r = name->local;
	if (strlen(*name_r) > DIRECTORY_NAME_OCTETS)
		return err_set(e, ERR_INVALID, "a name has at most %d octets", DIRECTORY_NAME_OCTETS);
	return 0;
}

static int default_name(struct directory *d, struct arena *arena, const char **ascii_r, struct err *e)
{
	const char *host = site_host_name(d->site->site);

	if (domains_know(d, e) < 0)
		return -1;
	*ascii_r = arena_str(arena, d->domains.default_name ? d->domains.default_name : host);
	return 0;
}

int domain_address(struct site *site, const char *user, const char *asked, struct arena *arena, const char **address_r, struct err *e)
{
	const char *at = strrchr(user, '@'), *ascii = NULL;
	struct str_view said = at ? str_view(at + 1, strlen(at + 1)) : str_view(asked ? asked : "", asked ? strlen(asked) : 0);
	enum domain_kind kind = DOMAIN_FOREIGN;
	struct str_buf buf = {0};
	struct directory *d;
	int r = 0;

	if (!at && domain_kind(site, said, &kind, e) < 0)
		return -1;
	if ((at || kind == DOMAIN_DEFAULT) && idn_ascii(said, &buf)) {
		ascii = buf.p;
	} else {
		r = directory_enter(site, &d, e);
		if (r == 0) {
			r = default_name(d, arena, &ascii, e);
			directory_leave(d);
		}
	}
	if (r == 0)
		*address_r = name_in(at ? arena_strn(arena, user, (size_t)(at - user)) : user, ascii, true, arena);
	str_buf_fini(&buf);
	return r;
}

/* ---- listing ---- */

static void list_row(struct query *q, struct arena *arena, void *element)
{
	struct str_view name = query_get_view(q, 0);

	*(struct directory_domain *)element = (struct directory_domain){
	    .name = query_get_null(q, 0) ? NULL : arena_strn(arena, name.p, name.n),
	    .is_default = query_get_int(q, 1) != 0,
	    .users_n = (uint64_t)query_get_int(q, 2),
	    .aliases_n = (uint64_t)query_get_int(q, 3),
	};
}

int domain_list(struct site *site, struct arena *arena, struct directory_domain **list_r, size_t *n_r, struct err *e)
{
	struct directory_domain *list;
	struct directory *d;
	void *rows = NULL;
	int r;

	if (directory_enter(site, &d, e) < 0)
		return -1;
	/* Without a name: the default one that nobody named. */
	r = directory_rows(d,
	    "SELECT name, is_default, (SELECT count(*) FROM user u WHERE u.domain IS CASE is_default WHEN 0 THEN d.name END), "
	    "(SELECT count(*) FROM alias a WHERE a.domain IS CASE is_default WHEN 0 THEN d.name END) FROM "
	    "(SELECT name, is_default FROM domain UNION ALL "
	    "SELECT NULL, 1 WHERE NOT EXISTS (SELECT 1 FROM domain WHERE is_default = 1)) d ORDER BY name",
	    sizeof *list, list_row, arena, &rows, n_r, e);
	directory_leave(d);
	if (r < 0)
		return -1;
	list = rows;
	for (size_t i = 0; i < *n_r; i++)
		if (!list[i].name)
			list[i].name = site_host_name(site);
	*list_r = list;
	return 0;
}
