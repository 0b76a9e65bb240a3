/* Folders: names, making, renaming, deleting, subscriptions, \Recent. */
#include "support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
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

static const char *names(struct support *s)
{
	struct folder_info *list;
	struct str_buf out = {0};
	size_t n;
	char *text;

	OK(folder_list(store, &s->arena, &list, &n, &s->e));
	for (size_t i = 0; i < n; i++)
		str_buf_printf(&out, "%s%s%s%s", i ? " " : "", list[i].name,
		    list[i].has_children ? "+" : "", list[i].subscribed ? "" : "-");
	text = arena_strn(&s->arena, out.p, out.n);
	str_buf_fini(&out);
	return text;
}

static void a_new_mailbox_has_its_folders(void **state)
{
	struct support *s = *state;
	struct folder_info f;

	assert_string_equal(names(s), "Archive Drafts INBOX Junk Sent Trash");
	OK(folder_by_name(store, "Sent", &s->arena, &f, &s->e));
	assert_int_equal(f.use, FOLDER_SENT);
	assert_int_equal(f.uidnext, 1);
	OK(folder_by_name(store, "inbox", &s->arena, &f, &s->e));
	assert_string_equal(f.name, "INBOX");
}

static void a_use_means_one_folder(void **state)
{
	struct support *s = *state;
	struct folder_id id;

	FAILS(ERR_INVALID, folder_create(store, "Mine", FOLDER_DRAFTS, &id, &s->e));
	OK(folder_delete(store, "Drafts", &s->e));
	OK(folder_create(store, "Mine", FOLDER_DRAFTS, &id, &s->e));
	OK(folder_create(store, "Plain", FOLDER_NO_USE, &id, &s->e));
}

static void what_no_counter_holds_is_counted_when_it_is_asked_for(void **state)
{
	struct support *s = *state;
	struct folder_id inbox = support_folder(s, store, "INBOX");
	struct folder_info f, *list;
	struct store_uid from;
	size_t n;

	support_append(s, store, inbox, "Subject: a\r\n\r\n", STORE_FLAG_DELETED);
	OK(folder_claim_recent(store, inbox, &from, &s->e));
	support_append(s, store, inbox, "Subject: bc\r\n\r\n", STORE_FLAG_DELETED);
	support_append(s, store, inbox, "Subject: d\r\n\r\n", 0);
	OK(folder_by_name(store, "INBOX", &s->arena, &f, &s->e));
	assert_int_equal(f.recent, 0);
	assert_int_equal(f.deleted_bytes, 0);
	OK(folder_by_name_counted(store, "INBOX", FOLDER_COUNT_RECENT | FOLDER_COUNT_DELETED, &s->arena,
	    &f, &s->e));
	assert_int_equal(f.recent, 2);
	assert_int_equal(f.deleted_bytes, 29);
	OK(folder_list_counted(store, FOLDER_COUNT_DELETED, &s->arena, &list, &n, &s->e));
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(list[i].recent, 0);
		assert_int_equal(list[i].deleted_bytes, list[i].id.n == inbox.n ? 29 : 0);
	}
}

static void names_are_judged(void **state)
{
	static const struct {
		const char *name, *checked; /* NULL: refused */
	} cases[] = {
	    {"a", "a"}, {"inbox", "INBOX"}, {"InBox/x", "INBOX/x"}, {"inboxes", "inboxes"},
	    {"", NULL}, {"/a", NULL}, {"a/", NULL}, {"a//b", NULL}, {"a\tb", NULL}, {"\xff", NULL},
	    {"e\xcc\x81", "\xc3\xa9"}, {"..", ".."},
	};
	struct str_buf out = {0};
	char longest[1002];
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int r;

		str_buf_clear(&out);
		r = folder_name_check(str_view(cases[i].name, strlen(cases[i].name)), &out, &e);
		assert_int_equal(r, cases[i].checked ? 0 : -1);
		if (cases[i].checked)
			assert_string_equal(out.p, cases[i].checked);
	}
	memset(longest, 'x', sizeof longest);
	str_buf_clear(&out);
	assert_int_equal(folder_name_check(str_view(longest, 1000), &out, &e), 0);
	str_buf_clear(&out);
	assert_int_equal(folder_name_check(str_view(longest, 1001), &out, &e), -1);
	str_buf_fini(&out);
}

static void making_a_folder_makes_the_ones_above(void **state)
{
	struct support *s = *state;
	struct folder_id id;

	OK(folder_create(store, "a/b/c", FOLDER_NO_USE, &id, &s->e));
	assert_string_equal(names(s), "Archive Drafts INBOX Junk Sent Trash a+- a/b+- a/b/c-");
	FAILS(ERR_EXISTS, folder_create(store, "a/b", FOLDER_NO_USE, &id, &s->e));
	FAILS(ERR_EXISTS, folder_create(store, "inbox", FOLDER_NO_USE, &id, &s->e));
}

static void renaming_takes_the_folders_below_along(void **state)
{
	struct support *s = *state;
	struct folder_info before, after;
	struct folder_id id;

	OK(folder_create(store, "a/b/c", FOLDER_NO_USE, &id, &s->e));
	OK(folder_create(store, "ab", FOLDER_NO_USE, &id, &s->e));
	OK(folder_by_name(store, "a/b", &s->arena, &before, &s->e));
	OK(folder_rename(store, "a", "x/y", &s->e));
	assert_string_equal(names(s),
	    "Archive Drafts INBOX Junk Sent Trash ab- x+- x/y+- x/y/b+- x/y/b/c-");
	OK(folder_by_name(store, "x/y/b", &s->arena, &after, &s->e));
	assert_int_equal(after.id.n, before.id.n);
	assert_int_equal(after.uidvalidity, before.uidvalidity);
	FAILS(ERR_INVALID, folder_rename(store, "x", "x/z", &s->e));
	FAILS(ERR_EXISTS, folder_rename(store, "ab", "Sent", &s->e));
	FAILS(ERR_NOTFOUND, folder_rename(store, "nobody", "q", &s->e));
}

static void renaming_that_makes_a_name_too_long_is_refused(void **state)
{
	struct support *s = *state;
	char name[901] = {0}, to[201] = {0};
	struct folder_id id;

	memset(name, 'n', 900);
	name[1] = '/';
	memset(to, 't', 200);
	OK(folder_create(store, name, FOLDER_NO_USE, &id, &s->e));
	FAILS(ERR_INVALID, folder_rename(store, "n", to, &s->e));
}

static void renaming_inbox_moves_its_messages_and_leaves_it(void **state)
{
	struct support *s = *state;
	struct folder_info inbox, old;
	struct folder_id id;

	OK(folder_create(store, "INBOX/sub", FOLDER_NO_USE, &id, &s->e));
	support_append(s, store, support_folder(s, store, "INBOX"), "a\r\n", STORE_FLAG_SEEN);
	support_append(s, store, support_folder(s, store, "INBOX"), "b\r\n", 0);
	OK(folder_rename(store, "Inbox", "old", &s->e));
	OK(folder_by_name(store, "INBOX", &s->arena, &inbox, &s->e));
	OK(folder_by_name(store, "old", &s->arena, &old, &s->e));
	assert_int_equal(inbox.exists, 0);
	assert_int_equal(inbox.uidnext, 3);
	assert_true(inbox.has_children);
	assert_int_equal(old.exists, 2);
	assert_int_equal(old.unseen, 1);
}

static void deleting_leaves_the_folders_below_and_gives_no_uidvalidity_twice(void **state)
{
	struct support *s = *state;
	struct folder_info first, second;
	struct folder_id id;

	OK(folder_create(store, "a/b", FOLDER_NO_USE, &id, &s->e));
	OK(folder_by_name(store, "a", &s->arena, &first, &s->e));
	support_append(s, store, first.id, "x\r\n", 0);
	OK(folder_delete(store, "a", &s->e));
	FAILS(ERR_NOTFOUND, folder_by_name(store, "a", &s->arena, &second, &s->e));
	FAILS(ERR_NOTFOUND, folder_delete(store, "a", &s->e));
	OK(folder_by_name(store, "a/b", &s->arena, &second, &s->e));
	OK(folder_create(store, "a", FOLDER_NO_USE, &id, &s->e));
	OK(folder_by_name(store, "a", &s->arena, &second, &s->e));
	assert_true(second.uidvalidity > first.uidvalidity);
	assert_true(second.id.n > first.id.n);
	assert_int_equal(second.exists, 0);
	FAILS(ERR_PERM, folder_delete(store, "INBOX", &s->e));
}

static void only_an_empty_folder_is_deleted_where_that_is_asked(void **state)
{
	struct support *s = *state;
	struct folder_info f;
	struct folder_id id;

	OK(folder_create(store, "a/b", FOLDER_NO_USE, &id, &s->e));
	FAILS(ERR_EXISTS, folder_delete_empty(store, "a", &s->e));
	support_append(s, store, id, "x\r\n", 0);
	FAILS(ERR_EXISTS, folder_delete_empty(store, "a/b", &s->e));
	OK(folder_by_name(store, "a/b", &s->arena, &f, &s->e));
	assert_int_equal(f.exists, 1);
	OK(folder_delete(store, "a/b", &s->e));
	OK(folder_delete_empty(store, "a", &s->e));
	FAILS(ERR_NOTFOUND, folder_delete_empty(store, "a", &s->e));
	FAILS(ERR_PERM, folder_delete_empty(store, "INBOX", &s->e));
}

static void subscriptions_outlive_their_folder(void **state)
{
	struct support *s = *state;
	struct folder_id id;
	const char **list;
	size_t n;

	OK(folder_create(store, "a", FOLDER_NO_USE, &id, &s->e));
	OK(folder_subscribe(store, "a", true, &s->e));
	OK(folder_subscribe(store, "a", true, &s->e));
	OK(folder_subscribe(store, "nowhere", true, &s->e));
	OK(folder_subscribe(store, "Sent", false, &s->e));
	OK(folder_delete(store, "a", &s->e));
	OK(folder_subscriptions(store, &s->arena, &list, &n, &s->e));
	assert_int_equal(n, 7);
	assert_string_equal(list[5], "a");
	assert_string_equal(list[6], "nowhere");
}

static void recent_is_told_once(void **state)
{
	struct support *s = *state;
	struct folder_id inbox = support_folder(s, store, "INBOX");
	struct store_uid from;

	support_append(s, store, inbox, "a\r\n", 0);
	support_append(s, store, inbox, "b\r\n", 0);
	OK(folder_claim_recent(store, inbox, &from, &s->e));
	assert_int_equal(from.n, 1);
	OK(folder_claim_recent(store, inbox, &from, &s->e));
	assert_int_equal(from.n, 3);
	FAILS(ERR_NOTFOUND, folder_claim_recent(store, (struct folder_id){999}, &from, &s->e));
}

static void folders_are_bounded_by_a_setting(void **state)
{
	struct support *s = *state;
	struct folder_id id;

	OK(registry_set_dword(s->site, REGISTRY_STORE, "FoldersMax", 10, &s->e));
	OK(folder_create(store, "1/2/3", FOLDER_NO_USE, &id, &s->e));
	FAILS(ERR_LIMIT, folder_create(store, "1/2/x/y", FOLDER_NO_USE, &id, &s->e));
	assert_string_equal(names(s), "1+- 1/2+- 1/2/3- Archive Drafts INBOX Junk Sent Trash");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(a_new_mailbox_has_its_folders),
	    T(a_use_means_one_folder),
	    T(what_no_counter_holds_is_counted_when_it_is_asked_for),
	    T(names_are_judged),
	    T(making_a_folder_makes_the_ones_above),
	    T(renaming_takes_the_folders_below_along),
	    T(renaming_that_makes_a_name_too_long_is_refused),
	    T(renaming_inbox_moves_its_messages_and_leaves_it),
	    T(deleting_leaves_the_folders_below_and_gives_no_uidvalidity_twice),
	    T(only_an_empty_folder_is_deleted_where_that_is_asked),
	    T(subscriptions_outlive_their_folder),
	    T(recent_is_told_once),
	    T(folders_are_bounded_by_a_setting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
