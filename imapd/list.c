/* imapd/list.c - LIST and LSUB (RFC 3501 6.3.8, 6.3.9). */
#include "imapd/list.h"

#include "imapd/name.h"

#include <stdlib.h>
#include <string.h>

struct list_args {
	struct str_view reference, pattern;
};

bool list_check(struct imap_req *req)
{
	struct list_args *args = req->data = ARENA_NEW(&req->client->arena, struct list_args);

	return parse_pattern(&req->args, &args->reference) && parse_space(&req->args) &&
	    parse_pattern(&req->args, &args->pattern);
}

bool list_pattern(struct imap_req *req, struct str_view *pattern_r)
{
	const struct list_args *args = req->data;
	struct arena *arena = &req->client->arena;

	if (args->pattern.p && args->pattern.n == 0)
		return false;
	/* What is no modified UTF-7 has p = NULL: it matches nothing, and neither does this. */
	*pattern_r = SV("\xff");
	if (args->pattern.p && args->reference.p) {
		char *whole = arena_printf(arena, "%.*s%.*s", (int)args->reference.n,
		    args->reference.p, (int)args->pattern.n, args->pattern.p);

		*pattern_r = str_view(whole, strlen(whole));
	}
	return true;
}

static int by_name(const void *a, const void *b)
{
	const struct list_entry *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	/* A folder before what was made up for its children, so that it is the one that stays. */
	return order ? order : (x->folder == NULL) - (y->folder == NULL);
}

/* The name if it matches, else its parents that do, shortest first. */
static size_t match_one(struct str_view pattern, const struct list_entry *entry,
    struct arena *arena, size_t *lengths, struct list_entry *found)
{
	size_t n;

	if (name_matches_parents(pattern, str_view(entry->name, strlen(entry->name)), lengths, &n)) {
		*found = *entry;
		return 1;
	}
	for (size_t i = 0; i < n; i++)
		found[i] = (struct list_entry){arena_strn(arena, entry->name, lengths[i]), NULL, true};
	return n;
}

static size_t depth(const char *name)
{
	size_t n = 0;

	for (; *name; name++)
		n += *name == '/';
	return n;
}

void list_match(struct str_view pattern, const struct list_entry *all, size_t all_n,
    struct arena *arena, struct list_entry **found_r, size_t *n_r)
{
	struct list_entry *found;
	size_t room = 0, n = 0, kept = 0, *lengths;

	for (size_t i = 0; i < all_n; i++)
		room += depth(all[i].name) + 1;
	found = ARENA_ARRAY(arena, struct list_entry, room + 1);
	lengths = ARENA_ARRAY(arena, size_t, room + 1);
	for (size_t i = 0; i < all_n; i++)
		n += match_one(pattern, &all[i], arena, lengths, found + n);
	qsort(found, n, sizeof *found, by_name);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || strcmp(found[kept - 1].name, found[i].name) != 0)
			found[kept++] = found[i];
	*found_r = found;
	*n_r = kept;
}
