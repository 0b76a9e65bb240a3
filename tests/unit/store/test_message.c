/* Messages: append, list, read, flags, copy, move, expunge. */
#include "support.h"

#include "base/clock.h"
#include "base/io.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static const char mail[] = "From: Anna <anna@example.org>\r\nSubject: Hello\r\n"
			   "Date: Mon, 23 Nov 2026 04:00:00 +0100\r\n\r\nHi.\r\n";

static int setup(void **state)
{
	static struct support s;

	support_begin(&s);
	*state = &s;
	return 0;
}

static int teardown(void **state)
{
	support_end(*state);
	return 0;
}

static void append_is_listed_and_read_back(void **state)
{
	struct support *s = *state;
	struct store *store = support_open(s, s->alice);
	struct folder_id inbox = support_folder(s, store, "INBOX");
	uint32_t uid = support_append(s, store, inbox, mail, STORE_FLAG_FLAGGED);
	struct message_info m = support_message(s, store, inbox, uid);
	struct str_view octets = support_read(s, store, m.content);
	struct folder_info f;

	assert_int_equal(uid, 1);
	assert_int_equal(m.flags, STORE_FLAG_FLAGGED);
	assert_int_equal(m.size, sizeof mail - 1);
	assert_int_equal(m.size_lf, sizeof mail - 1 - 5);
	assert_int_equal(m.lineends, EOL_CRLF);
	assert_int_equal(m.sent_ms, INT64_C(1795402800000));
	assert_int_equal(octets.n, sizeof mail - 1);
	assert_memory_equal(octets.p, mail, octets.n);
	assert_non_null(memmem(m.envelope.p, m.envelope.n, "\"Hello\"", 7));
	OK(folder_by_id(store, inbox, &s->arena, &f, &s->e));
	assert_int_equal(f.exists, 1);
	assert_int_equal(f.unseen, 1);
	assert_int_equal(f.uidnext, 2);
	assert_int_equal(f.bytes, sizeof mail - 1);
	support_close(&store);
}


static struct append *begin(struct support *s, struct store *store, const char *text)
{
	struct append *append;

	OK(append_begin(store, &append, &s->e));
	OK(append_write(append, text, strlen(text), &s->e));
	return append;
}

static void a_batch_is_all_or_nothing(void **state)
{
	struct support *s = *state;
	struct store *store = support_open(s, s->alice);
	struct folder_id inbox = support_folder(s, store, "INBOX");
	struct append *appends[3] = {begin(s, store, "a\r\n"), begin(s, store, "b\r\n"),
	    begin(s, store, "c\r\n")};
	struct append_how how[3] = {{.folder = inbox, .idate_ms = INT64_MIN, .name = "x.eml"},
	    {.folder = support_folder(s, store, "Sent"), .idate_ms = INT64_MIN},
	    {.folder = inbox, .idate_ms = INT64_MIN, .name = "x.eml"}};
	struct store_status before, after;
	struct append_done done[3];

	OK(store_status(store, &before, &s->e));
	FAILS(ERR_EXISTS, append_commit(appends, how, 3, done, &s->e));
	for (int i = 0; i < 3; i++)
		assert_null(appends[i]);
	OK(store_status(store, &after, &s->e));
	assert_memory_equal(&before, &after, sizeof before);

	appends[0] = begin(s, store, "a\r\n");
	how[0].folder.n = 4711;
	FAILS(ERR_NOTFOUND, append_commit(appends, how, 1, done, &s->e));
	appends[0] = begin(s, store, "a\r\n");
	how[0].flags = 32;
	FAILS(ERR_INVALID, append_commit(appends, how, 1, done, &s->e));
	support_check(s, store);
	support_close(&store);
}

static void appends_by_name_go_where_the_name_is_at_the_commit(void **state)
{
	struct support *s = *state;
	struct store *store = support_open(s, s->alice);
	struct folder_id inbox = support_folder(s, store, "INBOX");
	struct append *appends[4] = {begin(s, store, "a\r\n"), begin(s, store, "b\r\n"),
	    begin(s, store, "c\r\n"), begin(s, store, "d\r\n")};
	const struct append_how how[4] = {
	    {.folder_name = "inbox", .idate_ms = INT64_MIN, .name = "x.eml"},
	    {.folder = inbox, .idate_ms = INT64_MIN},
	    {.folder_name = "Sent", .idate_ms = INT64_MIN},
	    {.folder_name = "INBOX", .idate_ms = INT64_MIN}};
	struct append_how none = {.folder_name = "nowhere", .idate_ms = INT64_MIN};
	struct append_done done[4];
	struct store_uid uid;

	OK(append_commit(appends, how, 4, done, &s->e));
	assert_int_equal(done[0].uid.n, 1);
	assert_int_equal(done[1].uid.n, 2);
	assert_int_equal(done[2].uid.n, 1);
	assert_int_equal(done[3].uid.n, 3);
	OK(message_by_name(store, inbox, "x.eml", &uid, &s->e));
	assert_int_equal(uid.n, 1);

	for (int i = 0; i < 3; i++) {
		none.folder_name = ((const char *[]){"nowhere", "a\001", NULL})[i];
		appends[0] = begin(s, store, "a\r\n");
		FAILS(ERR_NOTFOUND, append_commit(appends, &none, 1, done, &s->e));
	}
	support_check(s, store);
	support_close(&store);
}

static void a_replacement_comes_and_what_it_replaces_goes_at_once(void **state)
{
	struct support *s = *state;
	struct store *store = support_open(s, s->alice);
	struct folder_id inbox = support_folder(s, store, "INBOX");
	struct folder_id drafts = support_folder(s, store, "Drafts");
	struct store_uid old = {support_append(s, store, inbox, mail, STORE_FLAG_DRAFT)};
	struct append *append = begin(s, store, "new\n");
	struct append_how how = {.folder = drafts, .idate_ms = INT64_MIN};
	struct append_done done;
	struct folder_info f;

	OK(append_replace(&append, &how, inbox, old, &done, &s->e));
	assert_null(append);
	assert_int_equal(done.uid.n, 1);
	OK(folder_by_id(store, inbox, &s->arena, &f, &s->e));
	assert_int_equal(f.exists, 0);
	assert_int_equal(f.bytes, 0);
	OK(folder_by_id(store, drafts, &s->arena, &f, &s->e));
	assert_int_equal(f.exists, 1);

	/* Nothing comes in the place of what is gone. */
	append = begin(s, store, "newer\n");
	how.folder = inbox;
	assert_int_equal(append_replace(&append, &how, inbox, old, &done, &s->e), -1);
	assert_int_equal(s->e.code, ERR_EXPUNGED);
	assert_null(append);
	append = begin(s, store, "newer\n");
	how.folder.n = 9999;
	assert_int_equal(append_replace(&append, &how, drafts, (struct store_uid){1}, &done, &s->e), -1);
	assert_int_equal(s->e.code, ERR_NOTFOUND);
	OK(folder_by_id(store, inbox, &s->arena, &f, &s->e));
	assert_int_equal(f.exists, 0);
	OK(folder_by_id(store, drafts, &s->arena, &f, &s->e));
	assert_int_equal(f.exists, 1);
	support_close(&store);
}

static void a_message_over_the_limit_is_refused_while_it_comes(void **state)
{
	struct support *s = *state;
	struct store *store = support_open(s, s->alice);
	struct append *append;
	char kb[1024];
	int n = 0;

	memset(kb, 'x', sizeof kb);
	OK(registry_set_dword(s->site, REGISTRY_STORE, "MessageSizeMax", 102400, &s->e));
	OK(append_begin(store, &append, &s->e));
	while (append_write(append, kb, sizeof kb, &s->e) == 0)
		n++;
	assert_int_equal(s->e.code, ERR_TOOBIG);
	assert_int_equal(n, 100);
	append_abort(&append);
	support_close(&store);
}

static void a_large_message_is_kept_in_rows_and_read_in_ranges(void **state)
{
	struct support *s = *state;
	struct store *store = support_open(s, s->alice);
	struct folder_id inbox = support_folder(s, store, "INBOX");
	struct str_buf text = {0};
	char slice[5000];
	size_t got;

	str_buf_puts(&text, "Subject: large\r\n\r\n");
	for (unsigned i = 0; text.n < 3000000; i++)
		str_buf_printf(&text, "line %u\r\n", i);
	struct message_info m = support_message(s, store, inbox,
	    support_append_n(s, store, inbox, text.p, text.n, 0));
	assert_int_equal(m.size, text.n);
	for (size_t at = 0; at <= text.n; at += 262144 / 2 - 100) {
		size_t want = text.n - at < sizeof slice ? text.n - at : sizeof slice;

		OK(content_read(store, m.content, at, slice, sizeof slice, &got, &s->e));
		assert_int_equal(got, want);
		assert_memory_equal(slice, text.p + at, got);
	}
	OK(content_read(store, m.content, text.n + 10000000, slice, sizeof slice, &got, &s->e));
	assert_int_equal(got, 0);
	FAILS(ERR_EXPUNGED, content_read(store, 999, 0, slice, sizeof slice, &got, &s->e));
	support_check(s, store);
	support_close(&store);
	str_buf_fini(&text);
}

static void an_empty_message_is_a_message(void **state)
{
	struct support *s = *state;
	struct store *store = support_open(s, s->alice);
	struct folder_id inbox = support_folder(s, store, "INBOX");
	struct message_info m = support_message(s, store, inbox, support_append(s, store, inbox, "", 0));

	assert_int_equal(m.size, 0);
	assert_int_equal(support_read(s, store, m.content).n, 0);
	support_check(s, store);
	support_close(&store);
}

static void copies_share_their_octets(void **state)
{
	struct support *s = *state;
	struct store *store = support_open(s, s->alice);
	struct folder_id inbox = support_folder(s, store, "INBOX"),
			 sent = support_folder(s, store, "Sent");
	uint32_t uid = support_append(s, store, inbox, mail, STORE_FLAG_ANSWERED);
	struct message_info first = support_message(s, store, inbox, uid), second;
	struct message_copied copied;
	struct store_uid *gone;
	size_t n;

	OK(message_copy(store, inbox, &support_all, 1, sent, &s->arena, &copied, &s->e));
	assert_int_equal(copied.n, 1);
	second = support_message(s, store, sent, copied.to[0].n);
	assert_true(second.content == first.content);
	assert_int_equal(second.flags, STORE_FLAG_ANSWERED);
	assert_true(second.idate_ms == first.idate_ms);
	OK(message_expunge(store, inbox, &support_all, 1, false, &s->arena, &gone, &n, &s->e));
	support_check(s, store);
	OK(message_move(store, sent, &support_all, 1, inbox, &s->arena, &copied, &s->e));
	assert_int_equal(copied.to[0].n, 2); /* a UID never comes back */
	support_check(s, store);
	OK(message_expunge(store, inbox, &support_all, 1, false, &s->arena, &gone, &n, &s->e));
	support_check(s, store);
	/* Nobody refers to it, and whoever still reads it may. */
	assert_int_equal(support_read(s, store, first.content).n, first.size);
	FAILS(ERR_NOTFOUND,
	    message_copy(store, inbox, &support_all, 1, (struct folder_id){77}, &s->arena, &copied, &s->e));
	support_close(&store);
}

/* Waits for the janitor, who goes round once a second. */
static void wait_until_swept(struct support *s, struct store *store, uint64_t content)
{
	for (int i = 0; i < 200; i++) {
		char c;
		size_t got;

		if (content_read(store, content, 0, &c, 1, &got, &s->e) < 0) {
			assert_int_equal(s->e.code, ERR_EXPUNGED);
			return;
		}
		usleep(50000);
	}
	fail_msg("the content is still there");
}

static void what_is_expunged_is_reclaimed_after_its_grace(void **state)
{
	struct support *s = *state;
	struct store *store = support_open(s, s->alice);
	struct folder_id inbox = support_folder(s, store, "INBOX");
	const struct uid_range one = {1, 1};
	struct message_info gone, kept;
	struct store_uid *list;
	size_t n;

	for (int i = 0; i < 2; i++)
		support_append(s, store, inbox, mail, 0);
	gone = support_message(s, store, inbox, 1);
	kept = support_message(s, store, inbox, 2);
	OK(message_expunge(store, inbox, &one, 1, false, &s->arena, &list, &n, &s->e));
	clock_advance(INT64_C(8) * 86400000);
	wait_until_swept(s, store, gone.content);
	assert_int_equal(support_read(s, store, kept.content).n, kept.size);
	support_check(s, store);
	support_close(&store);
}

/* Changes octets of alice's database file while nobody has it open. */
static void mail_db(const struct support *s, char path[256])
{
	snprintf(path, 256, "%s/mail/%02x/%016llx/mail.db", s->dir, (unsigned)(s->alice.n >> 56),
	    (unsigned long long)s->alice.n);
}

static void damage(struct support *s, off_t at, const void *octets, size_t n)
{
	char path[256];
	int fd;

	site_close(&s->site);
	mail_db(s, path);
	fd = open(path, O_WRONLY);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, octets, n, at), (ssize_t)n);
	close(fd);
	OK(site_open(s->dir, "test", &s->site, &s->e));
}

static void open_fails(struct support *s, enum err_code code)
{
	struct session_request request = {.service = SESSION_FS, .actor = s->alice,
	    .mailbox = s->alice, .actor_name = "alice", .mailbox_name = "alice"};
	struct session_refusal why;
	struct session *session;
	struct store *store;

	OK(session_acquire(s->site, &request, &session, &why, &s->e));
	FAILS(code, store_open(session, &store, &s->e));
	session_release(&session);
	store = support_open(s, s->bob);
	support_append(s, store, support_folder(s, store, "INBOX"), mail, 0);
	support_close(&store);
}

static void a_newer_schema_is_refused(void **state)
{
	static const unsigned char version[] = {0, 0, 0, 99}; /* user_version in the file's header */

	damage(*state, 60, version, sizeof version);
	open_fails(*state, ERR_UNSUPPORTED);
}

static void a_corrupt_mailbox_is_refused_and_no_other(void **state)
{
	char garbage[4096];

	memset(garbage, 0xa5, sizeof garbage);
	damage(*state, 0, garbage, sizeof garbage);
	open_fails(*state, ERR_CORRUPT);
}

static void a_mailbox_that_was_emptied_or_lost_is_not_made_anew(void **state)
{
	struct support *s = *state;
	char path[256];

	mail_db(s, path);
	site_close(&s->site);
	assert_int_equal(truncate(path, 0), 0);
	OK(site_open(s->dir, "test", &s->site, &s->e));
	open_fails(s, ERR_CORRUPT);
	assert_int_equal(unlink(path), 0);
	open_fails(s, ERR_CORRUPT);
}

static void damage_inside_is_found_by_check(void **state)
{
	struct support *s = *state;
	struct str_buf report = {0};
	struct store *store = support_open(s, s->alice);
	char garbage[4096];
	size_t findings;

	for (int i = 0; i < 20; i++)
		support_append(s, store, support_folder(s, store, "INBOX"), mail, 0);
	support_close(&store);
	memset(garbage, 0xa5, sizeof garbage);
	damage(s, 4096 * 9, garbage, sizeof garbage);
	store = support_open(s, s->alice);
	OK(store_check(store, &report, &findings, &s->e));
	assert_true(findings > 0);
	assert_int_equal(report.p[report.n - 1], '\n');
	support_close(&store);
	str_buf_fini(&report);
}

static void a_held_writer_lock_ends_in_busy_and_readers_go_on(void **state)
{
	struct support *s = *state;
	struct store *store = support_open(s, s->alice);
	struct folder_id inbox = support_folder(s, store, "INBOX");
	struct append_how how = {.folder = inbox, .idate_ms = INT64_MIN};
	struct append *append = begin(s, store, mail);
	struct append_done done;
	char path[256];
	int fd;

	OK(registry_set_dword(s->site, REGISTRY_STORE, "WriteWait", 50, &s->e));
	snprintf(path, sizeof path, "%s/mail/%02x/%016llx/mail.lock", s->dir,
	    (unsigned)(s->alice.n >> 56), (unsigned long long)s->alice.n);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(io_try_lock(fd, 0, 1), 0);
	FAILS(ERR_BUSY, append_commit(&append, &how, 1, &done, &s->e));
	assert_int_equal(support_folder(s, store, "INBOX").n, inbox.n);
	close(fd);
	support_append(s, store, inbox, mail, 0);
	support_close(&store);
}

static void names_of_files_are_unique_in_their_folder(void **state)
{
	struct support *s = *state;
	struct store *store = support_open(s, s->alice);
	struct folder_id inbox = support_folder(s, store, "INBOX"),
			 trash = support_folder(s, store, "Trash");
	struct message_copied moved;
	struct store_uid uid;

	for (int i = 0; i < 2; i++)
		support_append(s, store, inbox, mail, 0);
	OK(message_set_name(store, inbox, (struct store_uid){1}, "a.eml", &s->e));
	FAILS(ERR_EXISTS, message_set_name(store, inbox, (struct store_uid){2}, "a.eml", &s->e));
	OK(message_set_name(store, inbox, (struct store_uid){2}, "b.eml", &s->e));
	OK(message_set_name(store, inbox, (struct store_uid){2}, "c.eml", &s->e));
	FAILS(ERR_NOTFOUND, message_by_name(store, inbox, "b.eml", &uid, &s->e));
	OK(message_by_name(store, inbox, "c.eml", &uid, &s->e));
	assert_int_equal(uid.n, 2);
	FAILS(ERR_EXPUNGED, message_set_name(store, inbox, (struct store_uid){3}, "d.eml", &s->e));
	OK(message_move(store, inbox, &support_all, 1, trash, &s->arena, &moved, &s->e));
	OK(message_by_name(store, trash, "a.eml", &uid, &s->e));
	FAILS(ERR_NOTFOUND, message_by_name(store, inbox, "a.eml", &uid, &s->e));
	support_check(s, store);
	support_close(&store);
}

/* What the mount calls a message that was given no name (fs/name.h). */
static const char *usual_name(struct support *s, const struct message_info *m, const char *slug)
{
	time_t sent = (time_t)(m->idate_ms / 1000);
	char day[32];
	struct tm tm;

	strftime(day, sizeof day, "%Y%m%d-%H%M%S", gmtime_r(&sent, &tm));
	return arena_printf(&s->arena, "%s.%08u%s%s.eml", day, (unsigned)m->uid.n, *slug ? "." : "", slug);
}

static void a_moved_message_is_not_called_as_another_is_anyway(void **state)
{
	struct support *s = *state;
	struct store *store = support_open(s, s->alice);
	struct folder_id inbox = support_folder(s, store, "INBOX"),
			 trash = support_folder(s, store, "Trash");
	struct message_copied moved;
	struct message_info there;
	const char *names[4];
	struct store_uid uid;

	support_append(s, store, trash, mail, 0);
	there = support_message(s, store, trash, 1);
	assert_non_null(there.slug);
	names[0] = usual_name(s, &there, there.slug);
	names[1] = usual_name(s, &there, "");
	names[2] = usual_name(s, &there, "somebody.else");
	there.uid.n = 77; /* nobody's */
	names[3] = usual_name(s, &there, there.slug);
	for (uint32_t i = 0; i < 4; i++) {
		support_append(s, store, inbox, mail, 0);
		OK(message_set_name(store, inbox, (struct store_uid){i + 1}, names[i], &s->e));
	}
	OK(message_move(store, inbox, &support_all, 1, trash, &s->arena, &moved, &s->e));
	for (uint32_t i = 0; i < 2; i++)
		FAILS(ERR_NOTFOUND, message_by_name(store, trash, names[i], &uid, &s->e));
	for (uint32_t i = 2; i < 4; i++) {
		OK(message_by_name(store, trash, names[i], &uid, &s->e));
		assert_int_equal(uid.n, i + 2);
	}
	support_check(s, store);
	support_close(&store);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

struct shown {
	uint32_t uids[8];
	size_t n, max;
	bool has_envelope;
};

static bool show(void *arg, const struct message_info *m)
{
	struct shown *shown = arg;

	shown->uids[shown->n++] = m->uid.n;
	shown->has_envelope = m->envelope.n && memmem(m->envelope.p, m->envelope.n, "\"Hello\"", 7) != NULL;
	return shown->n < shown->max;
}

static void messages_are_shown_until_who_looks_has_enough(void **state)
{
	static const struct uid_range ranges[] = {{1, 1}, {3, 5}, {7, 9}};
	struct support *s = *state;
	struct store *store = support_open(s, s->alice);
	struct folder_id inbox = support_folder(s, store, "INBOX");
	struct shown all = {.max = 8}, some = {.max = 2};

	for (int i = 0; i < 5; i++)
		support_append(s, store, inbox, mail, 0);
	OK(message_each(store, inbox, ranges, 3, MESSAGE_ENVELOPE, show, &all, &s->e));
	assert_int_equal(all.n, 4);
	assert_int_equal(all.uids[0], 1);
	assert_int_equal(all.uids[1], 3);
	assert_int_equal(all.uids[3], 5);
	assert_true(all.has_envelope);
	OK(message_each(store, inbox, ranges, 3, MESSAGE_BASIC, show, &some, &s->e));
	assert_int_equal(some.n, 2);
	assert_int_equal(some.uids[1], 3);
	assert_int_equal(message_each(store, (struct folder_id){77}, ranges, 3, MESSAGE_FLAGS, show,
	                     &some, &s->e), -1);
	assert_int_equal(s->e.code, ERR_NOTFOUND);
	support_close(&store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(append_is_listed_and_read_back),
	    T(messages_are_shown_until_who_looks_has_enough),
	    T(a_batch_is_all_or_nothing),
	    T(appends_by_name_go_where_the_name_is_at_the_commit),
	    T(a_replacement_comes_and_what_it_replaces_goes_at_once),
	    T(a_message_over_the_limit_is_refused_while_it_comes),
	    T(a_large_message_is_kept_in_rows_and_read_in_ranges),
	    T(an_empty_message_is_a_message),
	    T(copies_share_their_octets),
	    T(what_is_expunged_is_reclaimed_after_its_grace),
	    T(a_newer_schema_is_refused),
	    T(a_corrupt_mailbox_is_refused_and_no_other),
	    T(a_mailbox_that_was_emptied_or_lost_is_not_made_anew),
	    T(damage_inside_is_found_by_check),
	    T(a_held_writer_lock_ends_in_busy_and_readers_go_on),
	    T(names_of_files_are_unique_in_their_folder),
	    T(a_moved_message_is_not_called_as_another_is_anyway),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
