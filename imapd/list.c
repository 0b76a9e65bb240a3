/* imapd/list.c - names against patterns, for LIST (RFC 9051 6.3.9) and LSUB (RFC 3501 6.3.9). */
#include "imapd/list.h"

#include "imapd/name.h"
#include "imapd/reply.h"
#include "limits/registry.h"

#include <stdlib.h>
#include <string.h>

/* The reference in front.  What can't be a name has p = NULL: it matches nothing, and neither does this. */
static struct str_view behind_reference(struct arena *arena, struct str_view reference,
    struct str_view pattern)
{
	char *whole;

	if (!pattern.p || !reference.p)
		return SV("\xff");
	whole = arena_printf(arena, "%.*s%.*s", (int)reference.n, reference.p, (int)pattern.n,
	    pattern.p);
	return str_view(whole, strlen(whole));
}

/* Every name is held against every pattern, so that their octets are bounded, not their number. */
static bool pattern_list(struct imap_req *req, struct list_patterns *patterns)
{
	struct parse *p = &req->args;
	uint32_t room = 4, octets_max = setting_get(req->client->site, SETTING_IMAP_PATTERNS_MAX);
	size_t octets = 0;

	do {
		struct str_view pattern;

		if (patterns->n == room) {
			struct str_view *more = ARENA_ARRAY(p->arena, struct str_view, 2 * room);

			memcpy(more, patterns->at, room * sizeof *more);
			patterns->at = more;
			room *= 2;
		}
		if (!parse_pattern(p, &pattern))
			return false;
		pattern = behind_reference(p->arena, patterns->reference, pattern);
		octets += pattern.n + 1;
		if (octets > octets_max)
			return parse_bad(p, "The patterns are too long");
		patterns->at[patterns->n++] = pattern;
	} while (parse_try(p, ' '));
	return parse_char(p, ')');
}

bool list_parse_patterns(struct imap_req *req, bool many_too, struct list_patterns *patterns)
{
	struct parse *p = &req->args;
	struct str_view pattern;

	patterns->at = ARENA_ARRAY(p->arena, struct str_view, 4);
	if (!parse_pattern(p, &patterns->reference) || !parse_space(p))
		return false;
	patterns->is_list = many_too && parse_try(p, '(');
	if (patterns->is_list)
		return pattern_list(req, patterns);
	if (!parse_pattern(p, &pattern))
		return false;
	/* Not behind the reference: RFC 3501 6.3.8 asks for the pattern alone. */
	if (!pattern.p || pattern.n > 0)
		pattern = behind_reference(p->arena, patterns->reference, pattern);
	patterns->at[patterns->n++] = pattern;
	return true;
}

bool list_is_root(const struct list_patterns *patterns)
{
	return patterns->n == 1 && patterns->at[0].p && patterns->at[0].n == 0;
}

/* What was found, growing.  Names come in order, and siblings have the same parents: those that were
 * put are remembered while they are the next name's too. */
struct found {
	struct arena *arena;
	struct list_entry *at;
	size_t n, room;
	struct str_view last;
	bool is_put[FOLDER_NAME_OCTETS]; /* the parent of that length */
};

static void put(struct found *found, struct list_entry entry)
{
	if (found->n == found->room) {
		size_t room = found->room ? 2 * found->room : 64;
		struct list_entry *more = ARENA_ARRAY(found->arena, struct list_entry, room);

		if (found->n)
			memcpy(more, found->at, found->n * sizeof *more);
		found->at = more;
		found->room = room;
	}
	found->at[found->n++] = entry;
}

static void enter_name(struct found *found, struct str_view name)
{
	size_t same = 0;

	while (same < name.n && same < found->last.n && name.p[same] == found->last.p[same])
		same++;
	memset(found->is_put + same, 0, name.n - same);
	found->last = name;
}

/* One name against all patterns; is_parent[n]: its first n octets are a parent that is to be told. */
static bool match_name(const struct list_patterns *patterns, enum list_parents parents,
    struct str_view name, bool *is_parent)
{
	size_t lengths[FOLDER_NAME_OCTETS], n;
	bool any = false;

	memset(is_parent, 0, name.n);
	for (size_t i = 0; i < patterns->n; i++) {
		bool matches = name_matches_parents(patterns->at[i], name, lengths, &n);

		any = any || matches;
		if (parents == LIST_NO_PARENTS || (parents == LIST_MISSING_PARENTS && matches))
			continue;
		while (n > 0)
			is_parent[lengths[--n]] = true;
	}
	return any;
}

static void match_entry(const struct list_patterns *patterns, enum list_parents parents,
    const struct list_entry *entry, struct found *found)
{
	struct str_view name = str_view(entry->name, strlen(entry->name));
	bool is_parent[FOLDER_NAME_OCTETS];

	enter_name(found, name);
	if (match_name(patterns, parents, name, is_parent))
		put(found, *entry);
	for (size_t n = 1; n < name.n; n++) {
		if (!is_parent[n] || found->is_put[n])
			continue;
		put(found, (struct list_entry){.name = arena_strn(found->arena, name.p, n),
		    .has_chosen_below = true});
		found->is_put[n] = true;
	}
}

static int by_name(const void *a, const void *b)
{
	const struct list_entry *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	/* An entry before what was made up for others, so that it is the one that stays. */
	return order ? order : y->is_chosen - x->is_chosen;
}

/* The first entry whose name does not stand before that one. */
static size_t lower_bound(const struct list_entry *all, size_t n, const char *name)
{
	size_t from = 0;

	while (from < n) {
		size_t middle = from + (n - from) / 2;

		if (strcmp(all[middle].name, name) < 0)
			from = middle + 1;
		else
			n = middle;
	}
	return from;
}

static bool has_folder_below(const struct list_entry *all, size_t all_n, const char *name,
    struct arena *arena)
{
	const char *below = arena_printf(arena, "%s/", name);
	size_t n = strlen(below);

	for (size_t i = lower_bound(all, all_n, below); i < all_n; i++) {
		if (strncmp(all[i].name, below, n) != 0)
			return false;
		if (all[i].folder)
			return true;
	}
	return false;
}

/* A parent that was put for others' sake may be an entry too, only not a chosen one. */
static void complete(struct list_entry *entry, const struct list_entry *all, size_t all_n,
    struct arena *arena)
{
	size_t at = lower_bound(all, all_n, entry->name);
	bool has_chosen_below = entry->has_chosen_below;

	if (!entry->is_chosen && at < all_n && strcmp(all[at].name, entry->name) == 0) {
		*entry = all[at];
		entry->has_chosen_below = has_chosen_below;
	}
	if (!entry->folder)
		entry->has_children = has_folder_below(all, all_n, entry->name, arena);
}

void list_match(const struct list_patterns *patterns, enum list_parents parents,
    const struct list_entry *all, size_t all_n, struct arena *arena, struct list_entry **found_r,
    size_t *n_r)
{
	struct found found = {.arena = arena};
	size_t kept = 0;

	for (size_t i = 0; i < all_n; i++)
		if (all[i].is_chosen)
			match_entry(patterns, parents, &all[i], &found);
	if (found.n)
		qsort(found.at, found.n, sizeof *found.at, by_name);
	for (size_t i = 0; i < found.n; i++) {
		if (kept > 0 && strcmp(found.at[kept - 1].name, found.at[i].name) == 0)
			found.at[kept - 1].has_chosen_below |= found.at[i].has_chosen_below;
		else
			found.at[kept++] = found.at[i];
	}
	for (size_t i = 0; i < kept; i++)
		complete(&found.at[i], all, all_n, arena);
	*found_r = found.at;
	*n_r = kept;
}

void list_put_name(struct client *client, const char *attribute, const char *name,
    struct str_view old)
{
	struct str_buf *out = conn_out(client->conn);

	str_buf_printf(out, "* LIST (%s) \"/\" ", attribute);
	reply_put_mailbox(out, client, name);
	if (!str_equal(old, str_view(name, strlen(name)))) {
		str_buf_puts(out, " (\"OLDNAME\" (");
		reply_put_mailbox(out, client, arena_strn(&client->arena, old.p, old.n));
		str_buf_puts(out, "))");
	}
	str_buf_put(out, "\r\n", 2);
}

void list_put_folder(struct client *client, const struct folder_info *folder, struct str_view old)
{
	list_put_name(client, folder->has_children ? "\\HasChildren" : "\\HasNoChildren", folder->name,
	    old);
}
