/* imapd/search_parse.c - search-key of RFC 3501 9.  One row per key; nesting and number of keys
 * are bounded by settings. */
#include "imapd/search_parse.h"

#include "imapd/date.h"
#include "imapd/objectid.h"
#include "imapd/set.h"
#include "imapd/sync.h"
#include "base/clock.h"
#include "mime/decode.h"

#include <string.h>

struct search_row;
typedef bool take_function(struct imap_req *req, struct search_args *args,
    const struct search_row *row, uint32_t depth, struct search_key *key);

struct search_row {
	const char *name;
	take_function *take;
	enum search_kind kind;
	uint32_t flags;
	const char *field;
};

static bool take_key(struct imap_req *req, struct search_args *args, uint32_t depth,
    struct search_key *key);

static struct search_key *new_key(struct imap_req *req)
{
	return ARENA_NEW(&req->client->arena, struct search_key);
}

/* Turns key into NOT of what it was. */
static void negate(struct imap_req *req, struct search_key *key)
{
	struct search_key *child = new_key(req);

	*child = *key;
	child->next = NULL;
	*key = (struct search_key){.kind = SEARCH_NOT, .children = child, .next = key->next};
}

static bool take_plain(struct imap_req *req, struct search_args *args,
    const struct search_row *row, uint32_t depth, struct search_key *key)
{
	(void)req, (void)args, (void)depth;
	key->kind = row->kind;
	key->flags = row->flags;
	return true;
}

static bool take_not_flag(struct imap_req *req, struct search_args *args,
    const struct search_row *row, uint32_t depth, struct search_key *key)
{
	take_plain(req, args, row, depth, key);
	negate(req, key);
	return true;
}

/* An astring in the command's charset, as UTF-8. */
static bool take_text(struct imap_req *req, struct search_args *args, struct str_view *text_r)
{
	struct str_view text;
	struct str_buf utf8 = {0};

	if (!parse_space(&req->args) || !parse_astring(&req->args, &text))
		return false;
	if (!args->charset) {
		*text_r = text;
		return true;
	}
	mime_to_utf8(args->charset, text, &utf8);
	*text_r = str_view(arena_strn(&req->client->arena, utf8.p ? utf8.p : "", utf8.n), utf8.n);
	str_buf_fini(&utf8);
	return true;
}

static bool take_field(struct imap_req *req, struct search_args *args,
    const struct search_row *row, uint32_t depth, struct search_key *key)
{
	(void)depth;
	key->kind = row->kind;
	key->name = row->field;
	return take_text(req, args, &key->text);
}

static bool take_header(struct imap_req *req, struct search_args *args,
    const struct search_row *row, uint32_t depth, struct search_key *key)
{
	struct str_view name;

	(void)depth;
	if (!parse_space(&req->args) || !parse_astring(&req->args, &name))
		return false;
	key->kind = row->kind;
	key->name = arena_strn(&req->client->arena, name.p, name.n);
	return take_text(req, args, &key->text);
}

static bool take_keyword(struct imap_req *req, struct search_args *args,
    const struct search_row *row, uint32_t depth, struct search_key *key)
{
	(void)args, (void)depth;
	key->kind = SEARCH_KEYWORD;
	if (!parse_space(&req->args) || !parse_atom(&req->args, &key->text))
		return false;
	if (row->flags) /* UNKEYWORD */
		negate(req, key);
	return true;
}

static bool take_number(struct imap_req *req, struct search_args *args,
    const struct search_row *row, uint32_t depth, struct search_key *key)
{
	uint32_t n;

	(void)args, (void)depth;
	if (!parse_space(&req->args) || !parse_number(&req->args, &n))
		return false;
	key->kind = row->kind;
	key->number = n;
	return true;
}

static bool take_day(struct imap_req *req, struct search_args *args,
    const struct search_row *row, uint32_t depth, struct search_key *key)
{
	struct str_view text;

	(void)args, (void)depth;
	key->kind = row->kind;
	if (!parse_space(&req->args) || !parse_astring(&req->args, &text))
		return false;
	return date_parse_day(text, &key->day) || parse_bad(&req->args, "That is no date");
}

/* OLDER, YOUNGER: from now, once for all slices (RFC 5032 3). */
static bool take_interval(struct imap_req *req, struct search_args *args,
    const struct search_row *row, uint32_t depth, struct search_key *key)
{
	uint32_t n;

	(void)args, (void)depth;
	if (!parse_space(&req->args) || !parse_number(&req->args, &n))
		return false;
	if (n == 0)
		return parse_bad(&req->args, "An interval is a second at least");
	key->kind = row->kind;
	key->at_s = clock_wall_ms() / 1000 - n;
	return true;
}

/* The entry of a flag (RFC 7162 3.1.5) is read and not looked at: a message has one modseq. */
static bool take_entry(struct parse *p)
{
	static const char *const types[] = {"priv", "shared", "all"};
	struct str_view name;

	if (!parse_string(p, &name) || !parse_space(p))
		return false;
	if (name.n <= 7 || !str_begins_nocase(name, SV("/flags/")))
		return parse_bad(p, "An entry is \"/flags/\" and a flag");
	for (size_t i = 0; i < 3; i++)
		if (parse_try_word(p, types[i]))
			return parse_space(p);
	return parse_bad(p, "priv, shared or all must stand here");
}

static bool take_modseq(struct imap_req *req, struct search_args *args,
    const struct search_row *row, uint32_t depth, struct search_key *key)
{
	struct store_modseq modseq;

	(void)depth;
	if (!parse_space(&req->args))
		return false;
	if (parse_peek(&req->args) == '"' && !take_entry(&req->args))
		return false;
	if (!parse_modseq(&req->args, true, &modseq))
		return false;
	key->kind = row->kind;
	key->number = modseq.n;
	args->has_modseq = true;
	return true;
}

/* EMAILID, and THREADID, which no message here has (RFC 8474 5.2: it may be NIL for all). */
static bool take_objectid(struct imap_req *req, struct search_args *args,
    const struct search_row *row, uint32_t depth, struct search_key *key)
{
	struct str_view id;

	(void)args, (void)depth;
	if (!parse_space(&req->args) || !parse_objectid(&req->args, &id))
		return false;
	key->kind = SEARCH_EMAILID;
	key->number = row->kind == SEARCH_EMAILID ? objectid_email(id) : 0;
	return true;
}

static void add_set(struct imap_req *req, struct search_args *args, struct search_set set)
{
	struct search_set *kept = ARENA_NEW(&req->client->arena, struct search_set);

	*kept = set;
	for (size_t i = 0; i < set.set.n; i++) {
		const struct uid_range *r = &set.set.ranges[i];
		uint32_t from = r->to == SEQ_STAR ? r->from : r->from == SEQ_STAR ? r->to : 0;

		if (from && (!kept->open_from || from < kept->open_from))
			kept->open_from = from;
	}
	kept->next = args->sets;
	kept->key->kind = SEARCH_UIDS;
	args->sets = kept;
}

static bool take_uid(struct imap_req *req, struct search_args *args,
    const struct search_row *row, uint32_t depth, struct search_key *key)
{
	struct seq_set set;

	(void)row, (void)depth;
	if (!parse_space(&req->args) || !parse_set(&req->args, &set))
		return false;
	add_set(req, args, (struct search_set){.key = key, .set = set, .is_uid = true});
	return true;
}

/* \Recent is the session's own knowledge: UIDs (RECENT, and with a NOT before it OLD). */
static bool take_recent(struct imap_req *req, struct search_args *args,
    const struct search_row *row, uint32_t depth, struct search_key *key)
{
	struct search_key *recent = key;

	(void)depth;
	if (row->kind == SEARCH_NOT) {
		*key = (struct search_key){.kind = SEARCH_NOT, .children = new_key(req)};
		recent = key->children;
	}
	add_set(req, args, (struct search_set){.key = recent, .is_recent = true});
	return true;
}

/* NEW: recent and not seen. */
static bool take_new(struct imap_req *req, struct search_args *args,
    const struct search_row *row, uint32_t depth, struct search_key *key)
{
	struct search_key *recent = new_key(req), *unseen = new_key(req);

	(void)row, (void)depth;
	add_set(req, args, (struct search_set){.key = recent, .is_recent = true});
	*unseen = (struct search_key){.kind = SEARCH_FLAG, .flags = STORE_FLAG_SEEN};
	negate(req, unseen);
	recent->next = unseen;
	*key = (struct search_key){.kind = SEARCH_AND, .children = recent};
	return true;
}

static bool take_not(struct imap_req *req, struct search_args *args,
    const struct search_row *row, uint32_t depth, struct search_key *key)
{
	(void)row;
	key->kind = SEARCH_NOT;
	key->children = new_key(req);
	return parse_space(&req->args) && take_key(req, args, depth + 1, key->children);
}

static bool take_or(struct imap_req *req, struct search_args *args,
    const struct search_row *row, uint32_t depth, struct search_key *key)
{
	(void)row;
	key->kind = SEARCH_OR;
	key->children = new_key(req);
	key->children->next = new_key(req);
	return parse_space(&req->args) && take_key(req, args, depth + 1, key->children) &&
	    parse_space(&req->args) && take_key(req, args, depth + 1, key->children->next);
}

static const struct search_row rows[] = {
	{"ALL", take_plain, SEARCH_ALL, 0, NULL},
	{"ANSWERED", take_plain, SEARCH_FLAG, STORE_FLAG_ANSWERED, NULL},
	{"BCC", take_field, SEARCH_ADDRESS, 0, "bcc"},
	{"BEFORE", take_day, SEARCH_BEFORE, 0, NULL},
	{"BODY", take_field, SEARCH_BODY, 0, NULL},
	{"CC", take_field, SEARCH_ADDRESS, 0, "cc"},
	{"DELETED", take_plain, SEARCH_FLAG, STORE_FLAG_DELETED, NULL},
	{"DRAFT", take_plain, SEARCH_FLAG, STORE_FLAG_DRAFT, NULL},
	{"EMAILID", take_objectid, SEARCH_EMAILID, 0, NULL},
	{"FLAGGED", take_plain, SEARCH_FLAG, STORE_FLAG_FLAGGED, NULL},
	{"FROM", take_field, SEARCH_ADDRESS, 0, "from"},
	{"HEADER", take_header, SEARCH_HEADER, 0, NULL},
	{"KEYWORD", take_keyword, SEARCH_KEYWORD, 0, NULL},
	{"LARGER", take_number, SEARCH_LARGER, 0, NULL},
	{"MODSEQ", take_modseq, SEARCH_MODSEQ, 0, NULL},
	{"NEW", take_new, SEARCH_AND, 0, NULL},
	{"NOT", take_not, SEARCH_NOT, 0, NULL},
	{"OLD", take_recent, SEARCH_NOT, 0, NULL},
	{"OLDER", take_interval, SEARCH_OLDER, 0, NULL},
	{"ON", take_day, SEARCH_ON, 0, NULL},
	{"OR", take_or, SEARCH_OR, 0, NULL},
	{"RECENT", take_recent, SEARCH_UIDS, 0, NULL},
	{"SAVEDATESUPPORTED", take_plain, SEARCH_ALL, 0, NULL}, /* RFC 8514 4.3 */
	{"SAVEDBEFORE", take_day, SEARCH_SAVED_BEFORE, 0, NULL},
	{"SAVEDON", take_day, SEARCH_SAVED_ON, 0, NULL},
	{"SAVEDSINCE", take_day, SEARCH_SAVED_SINCE, 0, NULL},
	{"SEEN", take_plain, SEARCH_FLAG, STORE_FLAG_SEEN, NULL},
	{"SENTBEFORE", take_day, SEARCH_SENT_BEFORE, 0, NULL},
	{"SENTON", take_day, SEARCH_SENT_ON, 0, NULL},
	{"SENTSINCE", take_day, SEARCH_SENT_SINCE, 0, NULL},
	{"SINCE", take_day, SEARCH_SINCE, 0, NULL},
	{"SMALLER", take_number, SEARCH_SMALLER, 0, NULL},
	{"SUBJECT", take_field, SEARCH_HEADER, 0, "subject"},
	{"TEXT", take_field, SEARCH_TEXT, 0, NULL},
	{"THREADID", take_objectid, SEARCH_ALL, 0, NULL},
	{"TO", take_field, SEARCH_ADDRESS, 0, "to"},
	{"UID", take_uid, SEARCH_UIDS, 0, NULL},
	{"UNANSWERED", take_not_flag, SEARCH_FLAG, STORE_FLAG_ANSWERED, NULL},
	{"UNDELETED", take_not_flag, SEARCH_FLAG, STORE_FLAG_DELETED, NULL},
	{"UNDRAFT", take_not_flag, SEARCH_FLAG, STORE_FLAG_DRAFT, NULL},
	{"UNFLAGGED", take_not_flag, SEARCH_FLAG, STORE_FLAG_FLAGGED, NULL},
	{"UNKEYWORD", take_keyword, SEARCH_KEYWORD, 1, NULL},
	{"UNSEEN", take_not_flag, SEARCH_FLAG, STORE_FLAG_SEEN, NULL},
	{"YOUNGER", take_interval, SEARCH_YOUNGER, 0, NULL},
};

/* Keys one after the other are ANDed; ends before ')' or at the end. */
static bool take_keys(struct imap_req *req, struct search_args *args, uint32_t depth,
    struct search_key *all)
{
	struct search_key **last = &all->children;

	all->kind = SEARCH_AND;
	do {
		*last = new_key(req);
		if (!take_key(req, args, depth, *last))
			return false;
		last = &(*last)->next;
	} while (parse_try(&req->args, ' '));
	return true;
}

static bool take_key(struct imap_req *req, struct search_args *args, uint32_t depth,
    struct search_key *key)
{
	struct parse *p = &req->args;
	char c = parse_peek(p);

	if (depth > p->limits->nesting_max)
		return parse_bad(p, "Search keys are nested too deeply");
	if (++args->keys_n > p->limits->list_max)
		return parse_bad(p, "There are too many search keys");
	if (parse_try(p, '('))
		return take_keys(req, args, depth + 1, key) && parse_char(p, ')');
	if (c == '*' || c == '$' || (c >= '0' && c <= '9')) {
		struct seq_set set;

		if (!parse_set(p, &set))
			return false;
		if (!set.is_saved && (req->client->enabled & ENABLED_UIDONLY))
			return parse_bad(p, parse_uid_required);
		add_set(req, args, (struct search_set){.key = key, .set = set});
		return true;
	}
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (parse_try_word(p, rows[i].name))
			return rows[i].take(req, args, &rows[i], depth, key);
	return parse_bad(p, "There is no such search key");
}

bool search_parse_charset(struct imap_req *req, struct search_args *args)
{
	if (!parse_try_word(&req->args, "CHARSET"))
		return true;
	/* RFC 9755 3: there is one charset then. */
	if (req->client->enabled & ENABLED_UTF8)
		return parse_bad(&req->args, "With UTF8=ACCEPT no charset can be named");
	return parse_space(&req->args) && search_parse_charset_name(req, args);
}

bool search_parse_charset_name(struct imap_req *req, struct search_args *args)
{
	struct str_view charset;

	if (!parse_astring(&req->args, &charset) || !parse_space(&req->args))
		return false;
	if (str_equal_nocase(charset, SV("UTF-8")) || str_equal_nocase(charset, SV("US-ASCII")))
		return true;
	args->charset = arena_strn(&req->client->arena, charset.p, charset.n);
	args->bad_charset = !mime_charset_known(args->charset);
	return true;
}

bool search_parse(struct imap_req *req, struct search_args *args)
{
	args->key = new_key(req);
	return take_keys(req, args, 0, args->key);
}

/* "n:*" goes on behind what the client knows of: that is not told, but a live context wants it when it is
 * known (RFC 5267 4.3). */
static void leave_open(struct imap_req *req, struct search_set *set)
{
	const struct view *view = &req->client->selected->view;

	if (set->set.n == 0)
		set->set = (struct seq_set){.n = 1, .ranges = arena_copy(&req->client->arena,
		    &(struct uid_range){set->open_from, UINT32_MAX}, sizeof(struct uid_range))};
	else if (set->open_from <= (set->is_uid ? view_last_uid(view) : view->exists))
		set->set.ranges[set->set.n - 1].to = UINT32_MAX;
}

bool search_resolve(struct imap_req *req, struct search_args *args)
{
	const struct selected *s = req->client->selected;
	bool uid = req->uid, good = true;

	for (struct search_set *set = args->sets; set && good; set = set->next) {
		if (set->is_recent) {
			set->set = (struct seq_set){arena_copy(&req->client->arena, s->recent,
			    s->recent_n * sizeof *s->recent), s->recent_n, false};
		} else {
			/* Numbers are numbers in UID SEARCH too (RFC 3501 6.4.8). */
			req->uid = set->is_uid;
			good = set_resolve(req, &set->set);
		}
		if (good && set->open_from)
			leave_open(req, set);
		set->key->ranges = set->set.ranges;
		set->key->ranges_n = set->set.n;
	}
	req->uid = uid;
	return good;
}
