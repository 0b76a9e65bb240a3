/*
 * Fuzz target for fs/viewquery.c: any name of a directory is a query or is refused with a reason at an octet of
 * it, and what is a query is a tree as the store wants it.
 */
#include "fs/name.h"
#include "fs/viewquery.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n);

static void demand(bool good, const char *what)
{
	if (!good) {
		fprintf(stderr, "fuzz_query: %s\n", what);
		abort();
	}
}

/* The tree is walked as the store would; few levels, since few are taken. */
static size_t check_key(const struct search_key *k, unsigned depth)
{
	size_t children = 0;

	demand(depth < 200, "a tree is too deep");
	for (const struct search_key *c = k->children; c; c = c->next)
		children += check_key(c, depth + 1);
	switch (k->kind) {
	case SEARCH_AND:
	case SEARCH_OR:
		demand(k->children && k->children->next, "one is no list");
		break;
	case SEARCH_NOT:
		demand(k->children && !k->children->next, "NOT is of one");
		break;
	case SEARCH_HEADER:
	case SEARCH_ADDRESS:
		demand(k->name && k->name[0], "a field has no name");
		break;
	case SEARCH_TEXT:
	case SEARCH_BODY:
	case SEARCH_KEYWORD:
		demand(k->text.n > 0, "a text is empty");
		break;
	case SEARCH_FLAG:
		demand(k->flags != 0, "no flag is asked for");
		break;
	default:
		break;
	}
	return children + 1;
}

static void fuzz_names(struct str_view text)
{
	struct str_buf name = {0}, back = {0};

	if (memchr(text.p, '\0', text.n))
		return;
	name_text_encode(text, &name);
	demand(!name.n || (!strchr(name.p, '/') && strcmp(name.p, ".") != 0 && strcmp(name.p, "..") != 0),
	    "a name is none");
	name_text_decode(name.p ? name.p : "", &back);
	demand(str_equal(str_buf_view(&back), text), "a text is another behind its name");
	str_buf_fini(&name);
	str_buf_fini(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	struct str_view text = str_view((const char *)octets, n);
	struct viewquery_fault fault = {0};
	struct viewquery query;
	struct arena arena = {0};

	if (viewquery_parse(text, 1700000000, &arena, &query, &fault)) {
		demand(query.key && check_key(query.key, 0) <= 2 * n + 4, "a tree is larger than its text");
		viewquery_covers(&query, "INBOX", false);
		viewquery_covers(&query, "Work/Old", true);
	} else {
		demand(fault.text && fault.at <= n, "it is refused without a reason");
	}
	arena_fini(&arena);
	fuzz_names(text);
	return 0;
}
