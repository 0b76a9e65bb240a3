/* Does one thing after the other to a mailbox, each announced by a write to descriptor 9, so that a
 * tracer can tell whose syncs are whose.  For sync.py. */
#include "../unit/store/support.h"

#include "base/check.h"
#include "store/delivery.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void announce(const char *what)
{
	CHECK(write(9, what, strlen(what)) == (ssize_t)strlen(what));
}

static void flag(struct support *s, struct store *store, struct folder_id inbox, uint32_t flags)
{
	const struct flags_change change = {.how = FLAGS_REPLACE, .flags = flags};
	struct message_info *now;
	struct store_uid *failed;
	size_t n, failed_n;

	OK(flags_store(store, inbox, &support_all, 1, &change, &s->arena, &now, &n, &failed, &failed_n,
	    &s->e));
}

static void append_ten(struct support *s, struct store *store, struct folder_id inbox)
{
	struct append *appends[10];
	struct append_how how[10];
	struct append_done done[10];

	for (int i = 0; i < 10; i++) {
		how[i] = (struct append_how){.folder = inbox, .idate_ms = INT64_MIN};
		OK(append_begin(store, &appends[i], &s->e));
		OK(append_write(appends[i], "x\r\n", 3, &s->e));
	}
	announce("append-10");
	OK(append_commit(appends, how, 10, done, &s->e));
}

/* The octets and what makes a retry known. */
static void deliver(struct support *s, struct store *store)
{
	const struct append_how how = {.folder_name = "INBOX", .idate_ms = INT64_MIN};
	const struct delivery_key key = {{1}};
	struct delivery_done done;
	struct append *append;

	OK(append_begin(store, &append, &s->e));
	OK(append_write(append, "x\r\n", 3, &s->e));
	OK(append_deliver(&append, &how, &key, 1, &done, &s->e));
}

/* The first append of a process, to a mailbox whose last handle was closed. */
static void append_cold(struct support *s, struct store **store, struct folder_id inbox)
{
	support_close(store);
	support_reopen(s);
	*store = support_open(s, s->alice);
	announce("append-cold");
	support_append(s, *store, inbox, "x\r\n", 0);
	announce("end");
}

static void everything(void **state)
{
	struct support support, *s = &support;
	const struct uid_range one = {1, 1}, two = {2, 2};
	struct message_copied copied;
	struct folder_id inbox, sent, made;
	struct store *store;
	struct store_uid *gone;
	size_t n;

	(void)state;
	support_begin(s);
	store = support_open(s, s->alice);
	inbox = support_folder(s, store, "INBOX");
	sent = support_folder(s, store, "Sent");
	support_append(s, store, inbox, "warm\r\n", 0);
	flag(s, store, inbox, STORE_FLAG_SEEN);
	announce("append");
	support_append(s, store, inbox, "x\r\n", 0);
	append_ten(s, store, inbox);
	announce("deliver");
	deliver(s, store);
	announce("deliver-again");
	deliver(s, store);
	announce("flags");
	flag(s, store, inbox, STORE_FLAG_FLAGGED);
	announce("flags-unchanged");
	flag(s, store, inbox, STORE_FLAG_FLAGGED);
	announce("setting");
	OK(registry_set_dword(s->site, REGISTRY_STORE, "FlagsDurable", 1, &s->e));
	announce("flags-durable");
	flag(s, store, inbox, STORE_FLAG_SEEN);
	announce("copy");
	OK(message_copy(store, inbox, &one, 1, sent, &s->arena, &copied, &s->e));
	announce("move");
	OK(message_move(store, inbox, &two, 1, sent, &s->arena, &copied, &s->e));
	announce("expunge");
	OK(message_expunge(store, inbox, &one, 1, false, &s->arena, &gone, &n, &s->e));
	announce("folder");
	OK(folder_create(store, "new", FOLDER_NO_USE, &made, &s->e));
	announce("end");
	append_cold(s, &store, inbox);
	support_close(&store);
	support_end(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(everything)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
