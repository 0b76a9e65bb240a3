/*
 * store/check_sql.c - the invariants of a mailbox, and of the directory, each a query that finds what breaks it.
 *
 * Reads only, in one transaction, so it may run beside everybody.  A rule's query yields a line of
 * text for each finding.  What SQL can't see (packed parts, names) is checked row by row below.
 */
#include "store/directory_priv.h"
#include "store/folder_priv.h"
#include "store/message_priv.h"

#include "base/check.h"
#include "mime/scan.h"

#include <string.h>

/* A rule broken everywhere would fill the report: so many findings of one are written out. */
#define FINDINGS_SHOWN 20

struct rule {
	const char *name, *sql;
};

#define RULES_OF_ANY                                                                                                     \
	{"database", "SELECT integrity_check FROM pragma_integrity_check WHERE integrity_check <> 'ok'"},                \
	{"foreign-keys", "SELECT format('%s row %s', \"table\", rowid) FROM pragma_foreign_key_check"}

static const struct rule rules[] = {
    RULES_OF_ANY,
    {"rows-of-the-store",
	"SELECT 'the store''s own row is missing' WHERE NOT EXISTS (SELECT 1 FROM store) UNION ALL "
	"SELECT 'the sums are missing' WHERE NOT EXISTS (SELECT 1 FROM counter WHERE folder = 0) "
	"UNION ALL SELECT 'INBOX is missing' WHERE NOT EXISTS "
	"(SELECT 1 FROM folder WHERE name = 'INBOX')"},
    {"folder-has-counters",
	"SELECT format('folder %d', id) FROM folder WHERE id NOT IN (SELECT folder FROM counter) "
	"UNION ALL SELECT format('counters of no folder %d', folder) FROM counter "
	"WHERE folder <> 0 AND folder NOT IN (SELECT id FROM folder)"},
    {"folder-ids",
	"SELECT format('folder %d, next %d, uidvalidity %d of %d', f.id, s.nextfolder, f.uidvalidity, "
	"s.uidvalidity) FROM folder f, store s "
	"WHERE f.id >= s.nextfolder OR f.uidvalidity > s.uidvalidity"},
    {"folder-counts",
	"SELECT format('folder %d: exists %d, counted %d; unseen %d, %d; deleted %d, %d; bytes %d, %d', "
	"c.folder, n_exists, ne, n_unseen, nu, n_deleted, nd, c.bytes, nb) FROM counter c JOIN "
	"(SELECT f.id, count(m.uid) ne, coalesce(sum(m.flags & 1 = 0), 0) nu, "
	"coalesce(sum(m.flags & 8 <> 0), 0) nd, coalesce(sum(m.size), 0) nb FROM folder f "
	"LEFT JOIN message m ON m.folder = f.id GROUP BY f.id) n ON n.id = c.folder "
	"WHERE n_exists <> ne OR n_unseen <> nu OR n_deleted <> nd OR c.bytes <> nb"},
    {"mailbox-sums",
	"SELECT format('exists %d, sum %d; bytes %d, sum %d', t.n_exists, sum(c.n_exists), t.bytes, "
	"sum(c.bytes)) FROM counter t, counter c WHERE t.folder = 0 AND c.folder <> 0 GROUP BY t.folder "
	"HAVING t.n_exists <> sum(c.n_exists) OR t.n_unseen <> sum(c.n_unseen) "
	"OR t.n_deleted <> sum(c.n_deleted) OR t.bytes <> sum(c.bytes)"},
    {"modseq-bounds",
	"SELECT format('folder %d: %d above the mailbox''s', c.folder, c.highestmodseq) "
	"FROM counter c, counter t WHERE t.folder = 0 AND c.highestmodseq > t.highestmodseq UNION ALL "
	"SELECT format('folder %d: made or renamed at %d', f.id, f.metamodseq) FROM folder f, counter t "
	"WHERE t.folder = 0 AND f.metamodseq > t.highestmodseq UNION ALL "
	"SELECT format('folder %d uid %d: %d', m.folder, m.uid, m.modseq) FROM message m "
	"JOIN counter c ON c.folder = m.folder WHERE m.modseq > c.highestmodseq UNION ALL "
	"SELECT format('tombstone in folder %d uid %d: %d', x.folder, x.uid, x.modseq) FROM expunged x "
	"JOIN counter c ON c.folder = x.folder WHERE x.modseq > c.highestmodseq UNION ALL "
	"SELECT format('annotation in folder %d %s: %d', a.folder, a.name, a.modseq) FROM annotation a, "
	"counter t WHERE t.folder = 0 AND a.modseq NOT BETWEEN 1 AND t.highestmodseq"},
    {"message-has-folder",
	"SELECT format('folder %d uid %d', folder, uid) FROM message "
	"WHERE folder NOT IN (SELECT id FROM folder)"},
    {"uid-below-next",
	"SELECT format('folder %d uid %d', m.folder, m.uid) FROM message m "
	"JOIN counter c ON c.folder = m.folder WHERE m.uid >= c.next UNION ALL "
	"SELECT format('tombstone in folder %d uid %d', x.folder, x.uid) FROM expunged x "
	"JOIN counter c ON c.folder = x.folder WHERE x.uid >= c.next"},
    {"born-in-order",
	"SELECT format('folder %d uid %d', folder, uid) FROM (SELECT folder, uid, born, "
	"lag(born) OVER (PARTITION BY folder ORDER BY uid) AS before FROM message) "
	"WHERE before > born"},
    {"change-is-in-the-feed",
	"SELECT format('folder %d uid %d modseq %d', m.folder, m.uid, m.modseq) FROM message m "
	"WHERE m.modseq > m.born AND NOT EXISTS (SELECT 1 FROM flag_change x WHERE x.folder = m.folder "
	"AND x.modseq = m.modseq AND m.uid BETWEEN x.uid_from AND x.uid_to)"},
    {"tombstone-is-no-message",
	"SELECT format('folder %d uid %d', x.folder, x.uid) FROM expunged x "
	"JOIN message m ON m.folder = x.folder AND m.uid = x.uid UNION ALL "
	"SELECT format('folder %d uid %d: content %d is gone', folder, uid, content) FROM expunged "
	"WHERE content IS NOT NULL AND content NOT IN (SELECT id FROM content)"},
    {"name-has-message",
	"SELECT format('folder %d uid %d', n.folder, n.uid) FROM message_name n WHERE NOT EXISTS "
	"(SELECT 1 FROM message m WHERE m.folder = n.folder AND m.uid = n.uid)"},
    {"maildir-has-message",
	"SELECT format('folder %d uid %d', x.folder, x.uid) FROM maildir_cur x WHERE NOT EXISTS "
	"(SELECT 1 FROM message m WHERE m.folder = x.folder AND m.uid = x.uid) UNION ALL "
	"SELECT format('folder %d: %s', folder, name) FROM sidecar "
	"WHERE folder NOT IN (SELECT id FROM folder)"},
    {"message-has-content",
	"SELECT format('folder %d uid %d content %d', m.folder, m.uid, m.content) FROM message m "
	"LEFT JOIN content c ON c.id = m.content WHERE c.id IS NULL OR c.size <> m.size"},
    {"content-refs",
	"SELECT format('content %d: %d messages, shared by %d, dead rows %d', c.id, "
	"coalesce(r.n, 0), coalesce(s.refs, 0), coalesce(d.n, 0)) FROM content c "
	"LEFT JOIN (SELECT content, count(*) n FROM message GROUP BY content) r ON r.content = c.id "
	"LEFT JOIN content_shared s ON s.id = c.id "
	"LEFT JOIN (SELECT id, count(*) n FROM content_dead GROUP BY id) d ON d.id = c.id "
	"WHERE coalesce(s.refs, 0) <> iif(coalesce(r.n, 0) > 1, r.n, 0) "
	"OR coalesce(d.n, 0) <> iif(coalesce(r.n, 0) = 0, 1, 0)"},
    {"content-orphans",
	"SELECT format('shared content %d', id) FROM content_shared WHERE id NOT IN "
	"(SELECT id FROM content) UNION ALL SELECT format('dead content %d', id) FROM content_dead "
	"WHERE id NOT IN (SELECT id FROM content) UNION ALL "
	"SELECT format('octets of content %d', id / 4096) FROM content_data "
	"WHERE id / 4096 NOT IN (SELECT id FROM content)"},
    {"content-id-below-next",
	"SELECT format('content %d', c.id) FROM content c, counter t WHERE t.folder = 0 "
	"AND c.id >= t.next"},
    {"content-size",
	"SELECT format('content %d: size %d, octets %d in %d rows', c.id, c.size, sum(length(d.data)), "
	"count(d.id)) FROM content c LEFT JOIN content_data d "
	"ON d.id BETWEEN c.id * 4096 AND c.id * 4096 + 4095 GROUP BY c.id "
	"HAVING coalesce(sum(length(d.data)), -1) <> c.size "
	"OR count(d.id) <> max(1, (c.size + 262143) / 262144) "
	"OR max(d.id) <> c.id * 4096 + count(d.id) - 1"},
    {"line-ends",
	"SELECT format('content %d', c.id) FROM content c LEFT JOIN content_ends x ON x.id = c.id "
	"WHERE (c.lineends = 2) <> (x.id IS NOT NULL)"},
    {"annotation-has-folder",
	"SELECT format('folder %d: %s', folder, name) FROM annotation "
	"WHERE folder <> 0 AND folder NOT IN (SELECT id FROM folder)"},
    {"annotation-name",
	"SELECT format('folder %d: %s', folder, name) FROM annotation "
	"WHERE NOT (lower(name) GLOB '/private/?*' OR lower(name) GLOB '/shared/?*') "
	"OR name GLOB '*[^!-~]*' OR name GLOB '*/' OR name GLOB '*//*'"},
    {"annotation-change-is-in-the-feed",
	"SELECT format('folder %d %s: %d above the folder''s', a.folder, a.name, a.modseq) "
	"FROM annotation a JOIN folder f ON f.id = a.folder WHERE a.modseq > f.metamodseq"},
    {"quota",
	"SELECT format('octets %d, messages %d', quota_bytes, quota_messages) FROM store "
	"WHERE quota_bytes < 0 OR quota_messages < 0"},
    {"search-signatures",
	"SELECT format('content %d: %d octets', id, length(sig)) FROM content_search "
	"WHERE length(sig) NOT IN (64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768)"},
    {"keywords",
	"SELECT format('folder %d uid %d: bits %x', folder, uid, keywords) FROM message "
	"WHERE keywords <> 0 AND keywords & ~(SELECT coalesce(sum(1 << bit), 0) FROM keyword) <> 0"},
};

static const struct rule rules_of_directory[] = {
    RULES_OF_ANY,
    {"name-key",
	"SELECT format('user %s', name) FROM user WHERE folded <> name_key(name) UNION ALL "
	"SELECT format('alias %s', name) FROM alias WHERE folded <> name_key(name)"},
    {"name-is-one's", "SELECT format('%s is a user and an alias', a.name) FROM alias a JOIN user u ON u.folded = a.folded"},
};

struct report {
	struct db *db;
	struct str_buf *out;
	size_t findings;
};

/* One line: "rule: text". */
static void find(struct report *report, const char *rule, struct str_view text)
{
	str_buf_puts(report->out, rule);
	str_buf_puts(report->out, ": ");
	str_buf_put(report->out, text.p, text.n);
	str_buf_putc(report->out, '\n');
}

/* What the database can't even be asked is a finding; the other rules go on. */
static void find_error(struct report *report, const char *rule, const struct err *e)
{
	report->findings++;
	find(report, rule, str_view(e->what, strlen(e->what)));
}

static void check_rule(struct report *report, const struct rule *rule)
{
	size_t n = 0;
	struct query q;
	struct err e;
	int r = query_begin(&q, report->db, rule->sql, &e);

	if (r == 0) {
		while ((r = query_step(&q, &e)) > 0)
			if (n++ < FINDINGS_SHOWN)
				find(report, rule->name, query_get_view(&q, 0));
		query_end(&q);
	}
	report->findings += n;
	if (n > FINDINGS_SHOWN)
		str_buf_printf(report->out, "%s: and %zu more\n", rule->name, n - FINDINGS_SHOWN);
	if (r < 0)
		find_error(report, rule->name, &e);
}

static bool parts_are_sound(struct str_view blob, uint64_t size, struct err *e)
{
	struct arena arena = {0};
	struct mime_part *parts;
	size_t n;
	bool sound = mime_parts_unpack(blob, &arena, &parts, &n, e) == 0;

	for (size_t i = 0; sound && i < n; i++)
		sound = parts[i].parent <= i && parts[i].header_at <= size &&
			parts[i].header_n <= size - parts[i].header_at && parts[i].body_at <= size &&
			parts[i].body_n <= size - parts[i].body_at;
	arena_fini(&arena);
	return sound;
}

static void check_parts(struct report *report)
{
	struct query q;
	struct err e;
	int r = query_begin(&q, report->db, "SELECT id, size, parts FROM content", &e);

	if (r == 0) {
		while ((r = query_step(&q, &e)) > 0) {
			char text[64];
			struct err why;

			if (parts_are_sound(query_get_view(&q, 2), (uint64_t)query_get_int(&q, 1), &why))
				continue;
			sqlite3_snprintf(sizeof text, text, "content %lld", query_get_int(&q, 0));
			report->findings++;
			find(report, "parts", str_view(text, strlen(text)));
		}
		query_end(&q);
	}
	if (r < 0)
		find_error(report, "parts", &e);
}

static void check_names(struct report *report)
{
	struct str_buf checked = {0};
	struct query q;
	struct err e;
	int r = query_begin(&q, report->db, "SELECT name FROM folder", &e);

	if (r == 0) {
		while ((r = query_step(&q, &e)) > 0) {
			struct str_view name = query_get_view(&q, 0);
			struct err why;

			str_buf_clear(&checked);
			if (folder_name_check(name, &checked, &why) == 0 &&
			    str_equal(str_buf_view(&checked), name))
				continue;
			report->findings++;
			find(report, "folder-name", name);
		}
		query_end(&q);
	}
	if (r < 0)
		find_error(report, "folder-name", &e);
	str_buf_fini(&checked);
}

/* A user's domain is one of the store's, and not the default, which is not said; an alias may be in a further name of that. */
static void check_domain(struct report *report, bool is_user, const char *name, const char *domain, enum domain_kind kind)
{
	struct str_buf text = {0};

	if (kind == DOMAIN_OURS || (kind == DOMAIN_DEFAULT && !is_user))
		return;
	str_buf_printf(&text, "%s %s: %s is %s", is_user ? "user" : "alias", name, domain,
	    kind == DOMAIN_DEFAULT ? "a name of the default domain" : "no domain of this store; `postern domain add` makes it one");
	report->findings++;
	find(report, "domain", str_buf_view(&text));
	str_buf_fini(&text);
}

static void check_domains(struct report *report, const struct directory *d)
{
	struct query q;
	struct err e;
	int r = query_begin(&q, report->db,
	    "SELECT 1, name, domain FROM user WHERE domain IS NOT NULL UNION ALL "
	    "SELECT 0, name, domain FROM alias WHERE domain IS NOT NULL", &e);

	if (r == 0) {
		while ((r = query_step(&q, &e)) > 0)
			check_domain(report, query_get_int(&q, 0) != 0, query_get_text(&q, 1), query_get_text(&q, 2),
			    domain_kind_known(d, query_get_text(&q, 2)));
		query_end(&q);
	}
	if (r < 0)
		find_error(report, "domain", &e);
}

/* Domains first: to read them is to open the database anew where a rule found it doubtful. */
static int check_directory(struct directory *d, struct report *report, struct err *e)
{
	if (directory_open_db(d, e) < 0 || db_know_names(d->db, e) < 0 || db_read_begin(d->db, e) < 0)
		return -1;
	report->db = d->db;
	if (domains_know(d, e) < 0) {
		db_read_end(d->db);
		return -1;
	}
	check_domains(report, d);
	for (size_t i = 0; i < sizeof rules_of_directory / sizeof *rules_of_directory; i++)
		check_rule(report, &rules_of_directory[i]);
	db_read_end(d->db);
	return 0;
}

int directory_check(struct site *site, struct str_buf *report_out, size_t *findings_r, struct err *e)
{
	struct report report = {.out = report_out};
	struct directory *d;
	int r;

	if (directory_enter(site, &d, e) < 0)
		return -1;
	r = check_directory(d, &report, e);
	directory_leave(d);
	*findings_r = report.findings;
	return r;
}

int store_check(struct store *store, struct str_buf *report_out, size_t *findings_r, struct err *e)
{
	struct report report = {.out = report_out};
	struct txn t;

	if (txn_read(store, &t, e) < 0)
		return -1;
	report.db = t.db;
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
		check_rule(&report, &rules[i]);
	check_parts(&report);
	check_names(&report);
	txn_read_end(&t);
	*findings_r = report.findings;
	return 0;
}
