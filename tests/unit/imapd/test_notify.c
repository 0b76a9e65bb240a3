/* tests/unit/imapd/test_notify.c - what NOTIFY SET asks for, and which folders that means. */
#include "imapd/notify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct parse_limits limits = {.nesting_max = 10, .list_max = 10, .keyword_max = 100};
static struct client client;
static struct notify_set set;

static const char *complaint(const char *text)
{
	struct imap_req req = {.client = &client};

	req.args.p = text;
	req.args.end = text + strlen(text);
	req.args.arena = &client.arena;
	req.args.limits = &limits;
	return notify_parse(&req, &set) && parse_end(&req.args) ? NULL : req.args.bad;
}

static int teardown(void **state)
{
	(void)state;
	arena_fini(&client.arena);
	return 0;
}

static void selected_and_others_are_apart(void **state)
{
	(void)state;
	assert_null(complaint("SET STATUS (Selected (MessageNew (UID BODY.PEEK[HEADER.FIELDS (To)]) "
	                      "MessageExpunge)) (personal (MessageNew MessageExpunge FlagChange))"));
	assert_true(set.status && set.is_selected_set && !set.is_delayed);
	assert_int_equal(set.selected_events, NOTIFY_NEW | NOTIFY_EXPUNGE);
	assert_int_equal(set.items.n, strlen("(UID BODY.PEEK[HEADER.FIELDS (To)])"));
	assert_int_equal(set.groups_n, 1);
	assert_int_equal(notify_events_of(&set, "any", false), NOTIFY_OF_MESSAGES);
	assert_null(complaint("NONE"));
	assert_int_equal(set.groups_n + set.selected_events, 0);
	assert_int_equal(notify_events_of(&set, "any", true), 0);
}

static void groups_add_up(void **state)
{
	(void)state;
	assert_null(complaint("SET (mailboxes (a \"b c\") (MailboxName)) (subtree x/y (MessageNew MessageExpunge)) "
	                      "(subtree-one z (SubscriptionChange)) (subscribed (MailboxName)) (mailboxes a NONE)"));
	assert_int_equal(notify_events_of(&set, "a", false), NOTIFY_NAME);
	assert_int_equal(notify_events_of(&set, "a/b", false), 0);
	assert_int_equal(notify_events_of(&set, "b c", false), NOTIFY_NAME);
	assert_int_equal(notify_events_of(&set, "x/y", false), NOTIFY_NEW | NOTIFY_EXPUNGE);
	assert_int_equal(notify_events_of(&set, "x/y/z/q", false), NOTIFY_NEW | NOTIFY_EXPUNGE);
	assert_int_equal(notify_events_of(&set, "x/yz", false), 0);
	assert_int_equal(notify_events_of(&set, "x/y", true),
	    NOTIFY_NEW | NOTIFY_EXPUNGE | NOTIFY_NAME);
	assert_int_equal(notify_events_of(&set, "z/1", false), NOTIFY_SUBSCRIPTION);
	assert_int_equal(notify_events_of(&set, "z/1/2", false), 0);
}

static void events_that_are_not_served_are_no_mistake_of_syntax(void **state)
{
	(void)state;
	assert_null(complaint("SET (personal (AnnotationChange MessageNew MessageExpunge))"));
	assert_true(set.has_bad_event);
	assert_null(complaint("SET (selected (MessageNew MessageExpunge AnnotationChange))"));
	assert_true(set.has_bad_event);
	assert_null(complaint("SET (personal (MailboxName))"));
	assert_false(set.has_bad_event);
}

static void the_server_s_metadata_are_of_no_folder(void **state)
{
	(void)state;
	assert_null(complaint("SET (mailboxes a (ServerMetadataChange MailboxMetadataChange)) (personal NONE)"));
	assert_true(set.has_server && !set.has_bad_event);
	assert_int_equal(notify_events_of(&set, "a", false), NOTIFY_METADATA);
	assert_null(complaint("SET (mailboxes a (ServerMetadataChange))"));
	assert_int_equal(notify_events_of(&set, "a", false), 0);
	assert_null(complaint("SET (mailboxes a (MailboxMetadataChange))"));
	assert_false(set.has_server);
	assert_string_equal(complaint("SET (selected (ServerMetadataChange))"),
	    "SELECTED is for events of messages");
}

static void lists_are_bounded(void **state)
{
	(void)state;
	assert_null(complaint("SET (mailboxes (1 2 3 4 5 6 7 8) NONE) (mailboxes (9 10) NONE)"));
	assert_string_equal(complaint("SET (mailboxes (1 2 3 4 5 6 7 8) NONE) (mailboxes (9 10 11) NONE)"),
	    "The list is too long");
	assert_string_equal(complaint("SET (personal NONE) (personal NONE) (personal NONE) (personal NONE) "
	    "(personal NONE) (personal NONE) (personal NONE) (personal NONE) (personal NONE) (personal NONE) "
	    "(personal NONE)"), "The list is too long");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(selected_and_others_are_apart, teardown),
	    cmocka_unit_test_teardown(groups_add_up, teardown),
	    cmocka_unit_test_teardown(events_that_are_not_served_are_no_mistake_of_syntax, teardown),
	    cmocka_unit_test_teardown(the_server_s_metadata_are_of_no_folder, teardown),
	    cmocka_unit_test_teardown(lists_are_bounded, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
