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

/* The parents of a name that match, shortest first. */
static size_t match_parents(struct str_view pattern, const struct list_entry *entry,
    struct arena *arena, struct list_entry *found)
{
	size_t n = 0;

	for (const char *slash = strchr(entry->name, '/'); slash; slash = strchr(slash + 1, '/')) {
		size_t length = (size_t)(slash - entry->name);

		if (name_matches(pattern, str_view(entry->name, length)))
			found[n++] = (struct list_entry){arena_strn(arena, entry->name, length),
			    NULL, true};
	}
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
	size_t room = 0, n = 0, kept = 0;

	for (size_t i = 0; i < all_n; i++)
		room += depth(all[i].name) + 1;
	found = ARENA_ARRAY(arena, struct list_entry, room + 1);
	for (size_t i = 0; i < all_n; i++) {
		if (name_matches(pattern, str_view(all[i].name, strlen(all[i].name))))
			found[n++] = all[i];
		else
			n += match_parents(pattern, &all[i], arena, found + n);
	}
	qsort(found, n, sizeof *found, by_name);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || strcmp(found[kept - 1].name, found[i].name) != 0)
			found[kept++] = found[i];
	*found_r = found;
	*n_r = kept;
}
