/* Annotations and quotas; and a mailbox of version 1, which has neither table nor rows for them. */
#include "support.h"

#include "base/io.h"
#include "store/annotation.h"
#include "store/db_priv.h"
#include "store/quota.h"

#include <inttypes.h>
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

static struct annotation pair(const char *name, const char *value)
{
	return (struct annotation){.name = name,
	    .value = value ? str_view(value, strlen(value)) : (struct str_view){NULL, 0}};
}

/* "name=value ..." of what is there. */
static const char *told(struct support *s, struct folder_id folder, const char *name, uint32_t depth,
    uint64_t octets_max)
{
	struct annotation_query query = {&name, 1, depth, octets_max};
	struct annotation *list;
	struct str_buf out = {0};
	size_t n;
	char *text;

	OK(annotation_list(store, folder, &query, &s->arena, &list, &n, &s->e));
	for (size_t i = 0; i < n; i++)
		str_buf_printf(&out, "%s%s=%s", i ? " " : "", list[i].name,
		    list[i].value.p ? list[i].value.p : "?");
	text = arena_strn(&s->arena, out.p ? out.p : "", out.n);
	str_buf_fini(&out);
	return text;
}

static void names_of_annotations_are_judged(void **state)
{
	static const char *const good[] = {"/private/a", "/SHARED/a", "/shared/vendor/x/y.z-1"};
	static const char *const bad[] = {"", "/", "/private", "/private/", "/shared//a", "/other/a",
	    "private/a", "/private/a/", "/private/a*", "/private/%", "/private/\xc3\xa9", "/private/a b",
	    "/privatea"};
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		assert_int_equal(annotation_name_check(str_view(good[i], strlen(good[i])), &e), 0);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(annotation_name_check(str_view(bad[i], strlen(bad[i])), &e), -1);
}

static void annotations_are_read_by_name_and_depth(void **state)
{
	struct support *s = *state;
	struct folder_id inbox = support_folder(s, store, "INBOX");
	const struct annotation list[] = {pair("/private/a", "1"), pair("/private/a/b", "22"),
	    pair("/private/a/b/c", "3"), pair("/private/ab", "4"), pair("/private/a-b", "5")};

	OK(annotation_set(store, inbox, list, 5, &s->e));
	assert_string_equal(told(s, inbox, "/private/A", 0, UINT64_MAX), "/private/a=1");
	assert_string_equal(told(s, inbox, "/private/a", 1, UINT64_MAX), "/private/a=1 /private/a/b=22");
	assert_string_equal(told(s, inbox, "/private/a", UINT32_MAX, 1),
	    "/private/a=1 /private/a/b=? /private/a/b/c=3");
	assert_string_equal(told(s, inbox, "/shared", UINT32_MAX, UINT64_MAX), "");
	assert_string_equal(told(s, ANNOTATION_MAILBOX, "/private", UINT32_MAX, UINT64_MAX), "");
}

static void annotations_go_with_their_folder(void **state)
{
	struct support *s = *state;
	const struct annotation a = pair("/shared/comment", "x");
	struct folder_id work;

	OK(folder_create(store, "Work", FOLDER_NO_USE, &work, &s->e));
	OK(annotation_set(store, work, &a, 1, &s->e));
	OK(folder_rename(store, "Work", "Play", &s->e));
	assert_string_equal(told(s, work, "/shared/comment", 0, UINT64_MAX), "/shared/comment=x");
	OK(folder_delete(store, "Play", &s->e));
	FAILS(ERR_NOTFOUND, annotation_set(store, work, &a, 1, &s->e));
	support_check(s, store); /* no row of no folder */
}

static void all_annotations_are_set_or_none(void **state)
{
	struct support *s = *state;
	const struct annotation list[] = {pair("/private/a", "1"), pair("/private", "2")};

	FAILS(ERR_INVALID, annotation_set(store, ANNOTATION_MAILBOX, list, 2, &s->e));
	assert_string_equal(told(s, ANNOTATION_MAILBOX, "/private", UINT32_MAX, UINT64_MAX), "");
}

static void a_change_of_annotations_is_in_the_feed(void **state)
{
	struct support *s = *state;
	struct folder_id inbox = support_folder(s, store, "INBOX");
	const struct annotation a = pair("/shared/comment", "x");
	struct store_status before;
	struct store_changes changes;

	OK(store_status(store, &before, &s->e));
	OK(annotation_set(store, inbox, &a, 1, &s->e));
	OK(change_store(store, before.modseq, &s->arena, &changes, &s->e));
	assert_int_equal(changes.changed_n, 1);
	assert_int_equal(changes.changed[0].n, inbox.n);
}

/* "folder:name ..." of what changed. */
static const char *changed(struct support *s, struct store_modseq since, struct store_modseq until)
{
	struct annotation_change *list;
	struct str_buf out = {0};
	size_t n;
	char *text;

	OK(annotation_changes(store, since, until, &s->arena, &list, &n, &s->e));
	for (size_t i = 0; i < n; i++)
		str_buf_printf(&out, "%s%u:%s", i ? " " : "", list[i].folder.n, list[i].name);
	text = arena_strn(&s->arena, out.p ? out.p : "", out.n);
	str_buf_fini(&out);
	return text;
}

static struct store_modseq now(struct support *s)
{
	struct store_status status;

	OK(store_status(store, &status, &s->e));
	return status.modseq;
}

static void changes_of_annotations_are_told_by_name_removed_ones_too(void **state)
{
	struct support *s = *state;
	struct folder_id inbox = support_folder(s, store, "INBOX");
	const struct annotation set[] = {pair("/shared/b", "x"), pair("/shared/a", "y")},
	    same[] = {pair("/shared/b", "x"), pair("/shared/none", NULL)}, gone = pair("/SHARED/B", NULL);
	struct store_modseq before = now(s), between, after;

	OK(annotation_set(store, inbox, set, 2, &s->e));
	OK(annotation_set(store, ANNOTATION_MAILBOX, set, 1, &s->e));
	between = now(s);
	assert_string_equal(changed(s, before, between), "0:/shared/b 1:/shared/a 1:/shared/b");
	/* What is so already is no change. */
	OK(annotation_set(store, inbox, same, 2, &s->e));
	assert_int_equal(now(s).n, between.n);
	OK(annotation_set(store, inbox, &gone, 1, &s->e));
	after = now(s);
	assert_string_equal(changed(s, between, after), "1:/shared/b");
	assert_string_equal(changed(s, before, between), "0:/shared/b 1:/shared/a");
	assert_string_equal(told(s, inbox, "/shared", 1, UINT64_MAX), "/shared/a=y");
	OK(annotation_set(store, inbox, set, 1, &s->e));
	assert_string_equal(told(s, inbox, "/shared", 1, UINT64_MAX), "/shared/a=y /shared/b=x");
}

static void tombstones_of_annotations_are_bounded_and_cost_no_room(void **state)
{
	struct support *s = *state;
	struct folder_id inbox = support_folder(s, store, "INBOX");
	struct store_modseq before = now(s);

	OK(registry_set_dword(s->site, REGISTRY_STORE, "AnnotationsMax", 3, &s->e));
	for (int i = 0; i < 9; i++) {
		char name[32];
		struct annotation a = pair(name, "x");

		snprintf(name, sizeof name, "/private/%d", i);
		OK(annotation_set(store, inbox, &a, 1, &s->e));
		a.value.p = NULL;
		OK(annotation_set(store, inbox, &a, 1, &s->e));
	}
	assert_string_equal(changed(s, before, now(s)), "1:/private/6 1:/private/7 1:/private/8");
}

/* Behind the store's back. */
static void run_in_mailbox(struct support *s, const char *sql)
{
	char path[256];
	struct db *db;

	snprintf(path, sizeof path, "%s/mail/%02x/%016" PRIx64 "/mail.db", s->dir,
	    (unsigned)(s->alice.n >> 56), s->alice.n);
	OK(db_open(path, &db_schema_mailbox, true, true, &db, &s->e));
	db_allow_commit(db, true);
	OK(DB_RUN0(db, &s->e, sql));
	db_close(&db);
}

static void a_check_finds_annotations_that_the_feed_does_not_tell(void **state)
{
	struct support *s = *state;
	struct folder_id inbox = support_folder(s, store, "INBOX");
	const struct annotation a = pair("/shared/comment", "x");
	struct str_buf report = {0};
	size_t n;

	OK(annotation_set(store, inbox, &a, 1, &s->e));
	support_check(s, store);
	run_in_mailbox(s, "UPDATE annotation SET modseq = modseq + 1");
	OK(store_check(store, &report, &n, &s->e));
	assert_int_equal(n, 2);
	assert_non_null(strstr(report.p, "modseq-bounds: annotation in folder 1 /shared/comment: "));
	assert_non_null(strstr(report.p, "annotation-change-is-in-the-feed: folder 1 /shared/comment: "));
	run_in_mailbox(s, "UPDATE annotation SET modseq = modseq - 1");
	str_buf_fini(&report);
}

static void a_quota_holds_for_what_comes(void **state)
{
	struct support *s = *state;
	struct folder_id inbox = support_folder(s, store, "INBOX");
	struct quota q;

	support_append(s, store, inbox, "A: b\r\n\r\n", 0);
	OK(quota_get(store, &q, &s->e));
	assert_true(q.octets.most == 0 && !q.octets.is_own && q.octets_used == 8);
	assert_true(q.messages.most == 0 && !q.messages.is_own && q.messages_used == 1);
	OK(append_may(store, 1000000, UINT32_MAX, &s->e));
	OK(quota_set(store, (struct quota_limit){20, true}, (struct quota_limit){2, true}, &s->e));
	OK(append_may(store, 1, 12, &s->e));
	FAILS(ERR_QUOTA, append_may(store, 1, 13, &s->e));
	FAILS(ERR_QUOTA, append_may(store, 2, 0, &s->e));
	FAILS(ERR_QUOTA, append_may(store, 1, UINT64_MAX, &s->e));
	/* What is there stays, and nothing more comes. */
	OK(quota_set(store, (struct quota_limit){1, true}, (struct quota_limit){0, true}, &s->e));
	FAILS(ERR_QUOTA, append_may(store, 0, 1, &s->e));
	OK(quota_set(store, (struct quota_limit){0, true}, (struct quota_limit){0, false}, &s->e));
	OK(append_may(store, 1000, 1000, &s->e));
	OK(quota_get(store, &q, &s->e));
	assert_true(q.octets.is_own && !q.messages.is_own);
}

/* ---- a mailbox of version 1 ---- */

#define RUN(db, sql) OK(DB_RUN0((db), &s->e, sql))

static void version_1_make(struct support *s, struct user_id user)
{
	static const char *const steps[] = {schema_001_mailbox, NULL};
	const struct db_schema version_1 = {db_schema_mailbox.application_id, steps};
	char dir[64], path[256];
	struct db *db;

	snprintf(dir, sizeof dir, "mail/%02x/%016" PRIx64, (unsigned)(user.n >> 56), user.n);
	snprintf(path, sizeof path, "%s/%s/mail.db", s->dir, dir);
	OK(io_mkdir_all(site_dir_fd(s->site), dir, 02770, &s->e));
	OK(db_open(path, &version_1, true, true, &db, &s->e));
	db_allow_commit(db, true);
	RUN(db, "INSERT INTO store(id, boot_id, modseq_reserved, nextfolder, uidvalidity) "
	        "VALUES (1, 'then', 65536, 3, 9)");
	RUN(db, "INSERT INTO counter(folder, next, highestmodseq) VALUES (0, 1, 7), (1, 4, 6), (2, 1, 7)");
	RUN(db, "INSERT INTO folder(id, name, uidvalidity, metamodseq) VALUES (1, 'INBOX', 8, 1), "
	        "(2, 'Work', 9, 7)");
	db_close(&db);
}

static void a_mailbox_of_version_1_is_opened_and_keeps_what_it_had(void **state)
{
	struct support *s = *state;
	const struct annotation a = pair("/shared/comment", "new");
	/* Who has no mailbox yet: that of a user is made with him. */
	struct user_id old = {s->bob.n ^ 1};
	struct store *alices = store;
	struct folder_info f;

	version_1_make(s, old);
	store = support_open(s, old);
	OK(folder_by_name(store, "Work", &s->arena, &f, &s->e));
	assert_int_equal(f.uidvalidity, 9);
	OK(folder_by_name(store, "INBOX", &s->arena, &f, &s->e));
	assert_int_equal(f.uidnext, 4);
	OK(annotation_set(store, f.id, &a, 1, &s->e));
	assert_string_equal(told(s, f.id, "/shared", 1, UINT64_MAX), "/shared/comment=new");
	support_append(s, store, f.id, "A: b\r\n\r\n", 0);
	support_check(s, store);
	support_close(&store);
	store = alices;
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_of_annotations_are_judged),
	    T(annotations_are_read_by_name_and_depth),
	    T(annotations_go_with_their_folder),
	    T(all_annotations_are_set_or_none),
	    T(a_change_of_annotations_is_in_the_feed),
	    T(changes_of_annotations_are_told_by_name_removed_ones_too),
	    T(tombstones_of_annotations_are_bounded_and_cost_no_room),
	    T(a_check_finds_annotations_that_the_feed_does_not_tell),
	    T(a_quota_holds_for_what_comes),
	    T(a_mailbox_of_version_1_is_opened_and_keeps_what_it_had),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
