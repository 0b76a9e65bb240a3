/* Searches that are kept. */
#include "support.h"

#include "store/saved.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct store *store;

static int setup(void **state)
{
	return support_setup(state, &store);
}

static int teardown(void **state)
{
	return support_teardown(state, &store);
}

/* All of them, with a bar between. */
static const char *kept(struct support *s)
{
	const char *const *list;
	struct str_buf out = {0};
	char *text;
	size_t n;

	OK(saved_list(store, &s->arena, &list, &n, &s->e));
	for (size_t i = 0; i < n; i++)
		str_buf_printf(&out, "%s%s", i ? "|" : "", list[i]);
	text = arena_strn(&s->arena, out.p ? out.p : "", out.n);
	str_buf_fini(&out);
	return text;
}

static void a_search_is_kept_once_and_listed_by_its_text(void **state)
{
	struct support *s = *state;

	assert_string_equal(kept(s), "");
	OK(saved_add(store, "is:unread", &s->e));
	OK(saved_add(store, "from:a/b", &s->e));
	FAILS(ERR_EXISTS, saved_add(store, "is:unread", &s->e));
	assert_string_equal(kept(s), "from:a/b|is:unread");
}

static void a_search_that_is_forgotten_is_gone(void **state)
{
	struct support *s = *state;

	OK(saved_add(store, "a", &s->e));
	OK(saved_remove(store, "a", &s->e));
	FAILS(ERR_NOTFOUND, saved_remove(store, "a", &s->e));
	assert_string_equal(kept(s), "");
	OK(saved_add(store, "a", &s->e));
}

static void no_more_are_kept_than_may_be_and_none_too_long(void **state)
{
	struct support *s = *state;
	char text[300];

	FAILS(ERR_INVALID, saved_add(store, "", &s->e));
	memset(text, 'x', sizeof text);
	text[256] = '\0';
	FAILS(ERR_INVALID, saved_add(store, text, &s->e));
	for (int i = 0; i < 200; i++) {
		snprintf(text, sizeof text, "%d", i);
		OK(saved_add(store, text, &s->e));
	}
	FAILS(ERR_QUOTA, saved_add(store, "one more", &s->e));
	FAILS(ERR_EXISTS, saved_add(store, "7", &s->e));
	OK(saved_remove(store, "7", &s->e));
	OK(saved_add(store, "one more", &s->e));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(a_search_is_kept_once_and_listed_by_its_text),
	    T(a_search_that_is_forgotten_is_gone),
	    T(no_more_are_kept_than_may_be_and_none_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
