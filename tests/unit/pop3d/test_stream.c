/* Dots doubled, slices joined, lines cut: what RETR and TOP put on the wire. */
#include "auth/login.h"
#include "base/clock.h"
#include "pop3d/maildrop.h"
#include "pop3d/stream.h"
#include "store/directory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* --- dots ------------------------------------------------------------------------------------ */

static void dots_at_the_beginning_of_lines_are_doubled(void **state)
{
	static const struct {
		const char *in, *out;
		bool in_line;
	} cases[] = {
	    {"", "", false},
	    {".", "..", false},
	    {".", ".", true},
	    {"..", "...", false},
	    {".\r\n.\r\n", "..\r\n..\r\n", false},
	    {".\r\n.\r\n", ".\r\n..\r\n", true},
	    {"a.b\r\n...\r\nc.\r\n", "a.b\r\n....\r\nc.\r\n", false},
	    {"\r\n.\r\n", "\r\n..\r\n", true},
	    {"no dots at all\r\n", "no dots at all\r\n", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct str_buf out = {0};

		str_buf_puts(&out, "before.\r\n");
		str_buf_puts(&out, cases[i].in);
		pop3_stuff_dots(&out, 9, cases[i].in_line);
		assert_string_equal(out.p + 9, cases[i].out);
		assert_memory_equal(out.p, "before.\r\n", 9);
		assert_int_equal(out.n, 9 + strlen(cases[i].out));
		str_buf_fini(&out);
	}
}

/* --- a store --------------------------------------------------------------------------------- */

static char folder[64];
static struct site *site;
static struct session *session;
static struct store *store;

static void append(const char *text, size_t n)
{
	struct append_how how = {.idate_ms = INT64_MIN};
	struct append_done done;
	struct folder_info inbox;
	struct append *message;
	struct arena arena = {0};
	struct err e;

	assert_int_equal(folder_by_name(store, "INBOX", &arena, &inbox, &e), 0);
	how.folder = inbox.id;
	assert_int_equal(append_begin(store, &message, &e), 0);
	assert_int_equal(append_write(message, text, n, &e), 0);
	assert_int_equal(append_commit(&message, &how, 1, &done, &e), 0);
	arena_fini(&arena);
}

static int open_store(void **state)
{
	struct session_refusal why;
	struct user_id id;
	struct err e;

	(void)state;
	strcpy(folder, "/tmp/postern-pop3-XXXXXX");
	if (!mkdtemp(folder) || site_create(folder, "run", &e) < 0 ||
	    site_open(folder, "test", &site, &e) < 0 ||
	    directory_user_add(site, "alice", NULL, &id, &e) < 0 ||
	    auth_open(site, SESSION_ADMIN, "alice", NULL, NULL, &session, &why, &e) < 0 ||
	    store_open(session, &store, &e) < 0)
		return -1;
	return 0;
}

static int close_store(void **state)
{
	char command[128];

	(void)state;
	store_close(&store);
	session_release(&session);
	site_close(&site);
	snprintf(command, sizeof command, "rm -r %s", folder);
	return system(command); /* NOLINT: fixed words */
}

static void open_drop(struct maildrop *drop)
{
	struct err e;

	assert_int_equal(maildrop_open(store, 1000000, MAILDROP_UTF8_AS_IS, drop, &e), 0);
}

/* All of a message, however many slices it takes. */
static void read_out(const struct maildrop_message *message, uint64_t lines, struct str_buf *out)
{
	struct pop3_stream stream = {0};
	bool more = true;
	struct err e;

	assert_int_equal(pop3_stream_begin(&stream, store, message, lines, &e), 0);
	while (more)
		assert_int_equal(pop3_stream_slice(&stream, store, out, &more, &e), 0);
	pop3_stream_fini(&stream);
}

static void expect(const struct maildrop_message *message, uint64_t lines, const char *text)
{
	struct str_buf out = {0};

	read_out(message, lines, &out);
	assert_string_equal(out.p, text);
	str_buf_fini(&out);
}

static void message_without_body_or_end_is_whole(void **state)
{
	struct maildrop drop;

	(void)state;
	append("Subject: x\r\n\r\n", 14);
	append("Subject: x\r\n", 12);
	append("Subject: x\r\n\r\nno end", 20);
	append("", 0);
	open_drop(&drop);
	assert_int_equal(drop.n, 4);
	expect(&drop.messages[0], UINT64_MAX, "Subject: x\r\n\r\n.\r\n");
	expect(&drop.messages[0], 0, "Subject: x\r\n\r\n.\r\n");
	expect(&drop.messages[1], UINT64_MAX, "Subject: x\r\n.\r\n");
	expect(&drop.messages[1], 5, "Subject: x\r\n.\r\n");
	expect(&drop.messages[2], UINT64_MAX, "Subject: x\r\n\r\nno end\r\n.\r\n");
	expect(&drop.messages[2], 1, "Subject: x\r\n\r\nno end\r\n.\r\n");
	expect(&drop.messages[3], UINT64_MAX, ".\r\n");
	expect(&drop.messages[3], 1, ".\r\n");
	maildrop_fini(&drop);
}

#define UTF8_PART "--b\r\nContent-Type: text/plain; name=\"\xc3\xb6\"\r\n\r\n"
#define ASCII_PART "--b\r\nContent-Type: text/plain;\r\n\tname*=UTF-8''%C3%B6\r\n\r\n"

/* Bodies of several slices before, between and behind the headers that are told otherwise. */
static void headers_in_utf8_are_told_in_ascii_and_counted_so(void **state)
{
	static const char head[] = "Subject: \xc3\xb6\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n";
	struct str_buf text = {0}, wanted = {0}, out = {0};
	struct maildrop drop;
	struct err e;

	(void)state;
	str_buf_puts(&text, head);
	str_buf_puts(&wanted, "Subject: =?UTF-8?B?w7Y=?=\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n");
	for (int part = 0; part < 3; part++) {
		for (int i = 0; i < 20000; i++) {
			str_buf_puts(&text, "a line in a body\xc3\xb6\r\n");
			str_buf_puts(&wanted, "a line in a body\xc3\xb6\r\n");
		}
		str_buf_puts(&text, UTF8_PART);
		str_buf_puts(&wanted, ASCII_PART);
	}
	append(text.p, text.n);
	append("Subject: Gr\xfc\xdf" "e\r\n\r\n", 18);
	assert_int_equal(maildrop_open(store, 10, MAILDROP_UTF8_DOWNGRADED, &drop, &e), 0);
	assert_true(drop.messages[0].is_utf8);
	assert_int_equal(drop.messages[0].size, wanted.n);
	assert_false(drop.messages[1].is_utf8);
	assert_int_equal(drop.messages[1].size, 18);
	assert_int_equal(drop.left_octets, wanted.n + 18);
	str_buf_puts(&wanted, ".\r\n");
	read_out(&drop.messages[0], UINT64_MAX, &out);
	assert_true(str_equal(str_buf_view(&out), str_buf_view(&wanted)));
	maildrop_fini(&drop);
	assert_int_equal(maildrop_open(store, 10, MAILDROP_UTF8_REFUSED, &drop, &e), 0);
	assert_true(drop.messages[0].is_utf8);
	assert_int_equal(drop.messages[0].size, text.n);
	maildrop_fini(&drop);
	assert_int_equal(maildrop_open(store, 10, MAILDROP_UTF8_AS_IS, &drop, &e), 0);
	assert_false(drop.messages[0].is_utf8);
	maildrop_fini(&drop);
	str_buf_fini(&text);
	str_buf_fini(&wanted);
	str_buf_fini(&out);
}

/* Lines of 1 to 97 octets that all begin with a dot, over many slices. */
static void long_message_is_the_same_over_slices(void **state)
{
	struct str_buf text = {0}, wanted = {0}, out = {0};
	struct maildrop drop;

	(void)state;
	str_buf_puts(&text, "Subject: long\r\n\r\n");
	str_buf_puts(&wanted, "Subject: long\r\n\r\n");
	for (size_t i = 0; text.n < 1000000; i++) {
		size_t n = i % 97 + 1;

		str_buf_puts(&wanted, ".");
		for (size_t j = 0; j < n; j++) {
			str_buf_putc(&text, '.');
			str_buf_putc(&wanted, '.');
		}
		str_buf_puts(&text, "\r\n");
		str_buf_puts(&wanted, "\r\n");
	}
	str_buf_puts(&wanted, ".\r\n");
	append(text.p, text.n);
	open_drop(&drop);
	assert_int_equal(drop.messages[0].size, text.n);
	read_out(&drop.messages[0], UINT64_MAX, &out);
	assert_int_equal(out.n, wanted.n);
	assert_memory_equal(out.p, wanted.p, wanted.n);
	maildrop_fini(&drop);
	str_buf_fini(&text);
	str_buf_fini(&wanted);
	str_buf_fini(&out);
}

/* A header larger than a slice comes whole, and then so many lines that their slices are several. */
static void top_counts_lines_of_the_body_only(void **state)
{
	struct str_buf text = {0}, out = {0};
	size_t header_n, cut_n;
	struct maildrop drop;

	(void)state;
	while (text.n < 600000)
		str_buf_puts(&text, "X-Long: and one more line of it, and one more line of it\r\n");
	str_buf_puts(&text, "\r\n");
	header_n = text.n;
	for (int i = 0; i < 5000; i++)
		str_buf_printf(&text, "line %04d\r\n", i);
	cut_n = header_n + 4321 * 11;
	append(text.p, text.n);
	open_drop(&drop);
	read_out(&drop.messages[0], 4321, &out);
	assert_int_equal(out.n, cut_n + 3);
	assert_memory_equal(out.p, text.p, cut_n);
	assert_string_equal(out.p + cut_n, ".\r\n");
	str_buf_clear(&out);
	read_out(&drop.messages[0], 0, &out);
	assert_int_equal(out.n, header_n + 3);
	maildrop_fini(&drop);
	str_buf_fini(&text);
	str_buf_fini(&out);
}

/* --- the maildrop ---------------------------------------------------------------------------- */

static void maildrop_is_a_snapshot_and_commits_at_once(void **state)
{
	struct maildrop drop, other;
	size_t gone_n;
	struct err e;

	(void)state;
	for (int i = 0; i < 10; i++)
		append("Subject: x\r\n\r\nx\r\n", 17);
	open_drop(&drop);
	open_drop(&other);
	append("Subject: late\r\n\r\n", 17);
	assert_int_equal(drop.n, 10);
	maildrop_delete(&drop, &drop.messages[0]);
	maildrop_delete(&drop, &drop.messages[1]);
	maildrop_delete(&drop, &drop.messages[4]);
	maildrop_delete(&drop, &drop.messages[9]);
	assert_int_equal(drop.left_n, 6);
	assert_int_equal(drop.left_octets, 6 * 17);
	assert_int_equal(maildrop_commit(store, &drop, &gone_n, &e), 0);
	assert_int_equal(gone_n, 4);
	maildrop_fini(&drop);

	expect(&other.messages[4], UINT64_MAX, "Subject: x\r\n\r\nx\r\n.\r\n"); /* still read */
	maildrop_delete(&other, &other.messages[4]);
	maildrop_delete(&other, &other.messages[5]);
	assert_int_equal(maildrop_commit(store, &other, &gone_n, &e), 0);
	assert_int_equal(gone_n, 1);
	maildrop_fini(&other);

	open_drop(&drop);
	assert_int_equal(drop.n, 6); /* the late one among them: nobody deleted that */
	maildrop_fini(&drop);
}

static void large_maildrop_is_read_in_slices_up_to_its_bound(void **state)
{
	struct maildrop drop;
	struct err e;

	(void)state;
	for (int i = 0; i < 1203; i++)
		append("\r\n", 2);
	open_drop(&drop);
	assert_int_equal(drop.n, 1203);
	for (size_t i = 1; i < drop.n; i++)
		assert_true(drop.messages[i].uid > drop.messages[i - 1].uid);
	maildrop_fini(&drop);
	assert_int_equal(maildrop_open(store, 1001, MAILDROP_UTF8_AS_IS, &drop, &e), 0);
	assert_int_equal(drop.n, 1001);
	assert_int_equal(drop.left_octets, 2002);
	maildrop_fini(&drop);
}

/* The clock is this process's, and stays where the last test put it. */
static void what_is_over_its_time_goes_and_nothing_else(void **state)
{
	struct maildrop drop;
	size_t gone_n;
	struct err e;

	(void)state;
	for (int i = 0; i < 1203; i++)
		append("Subject: old\r\n\r\n", 16);
	clock_advance(INT64_C(20) * 86400000);
	append("Subject: young\r\n\r\n", 18);
	assert_int_equal(maildrop_expire(store, 30, &gone_n, &e), 0);
	assert_int_equal(gone_n, 0);
	clock_advance(INT64_C(11) * 86400000);
	assert_int_equal(maildrop_expire(store, 30, &gone_n, &e), 0);
	assert_int_equal(gone_n, 1203);
	assert_int_equal(maildrop_expire(store, 30, &gone_n, &e), 0);
	assert_int_equal(gone_n, 0);
	open_drop(&drop);
	assert_int_equal(drop.n, 1);
	expect(&drop.messages[0], UINT64_MAX, "Subject: young\r\n\r\n.\r\n");
	maildrop_fini(&drop);
}

/* Moved away and back it is another UID, and the same message (UIDL). */
static void content_is_the_same_after_a_move_and_back(void **state)
{
	const struct uid_range all = {1, UINT32_MAX};
	struct folder_info inbox, archive;
	struct message_copied moved;
	struct maildrop before, after;
	struct arena arena = {0};
	struct err e;

	(void)state;
	append("Subject: one\r\n\r\n", 16);
	append("Subject: two\r\n\r\n", 16);
	open_drop(&before);
	assert_int_equal(folder_by_name(store, "INBOX", &arena, &inbox, &e), 0);
	assert_int_equal(folder_by_name(store, "Archive", &arena, &archive, &e), 0);
	assert_int_equal(message_move(store, inbox.id, &all, 1, archive.id, &arena, &moved, &e), 0);
	expect(&before.messages[1], UINT64_MAX, "Subject: two\r\n\r\n.\r\n");
	assert_int_equal(message_copy(store, archive.id, &all, 1, inbox.id, &arena, &moved, &e), 0);
	open_drop(&after);
	assert_int_equal(after.n, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_true(after.messages[i].uid > before.messages[i].uid);
		assert_int_equal(after.messages[i].content, before.messages[i].content);
	}
	assert_int_equal(after.mailbox.n, before.mailbox.n);
	maildrop_fini(&before);
	maildrop_fini(&after);
	arena_fini(&arena);
}

/* Nobody reads it any more than its grace lasts (KeepDeleted); then it is gone, and says so. */
static void expunged_message_is_read_until_its_octets_go(void **state)
{
	struct str_buf out = {0};
	struct maildrop drop, other;
	struct pop3_stream stream;
	size_t gone_n;
	bool more;
	struct err e = {0};

	(void)state;
	append("Subject: one\r\n\r\n", 16);
	append("Subject: two\r\n\r\n", 16);
	open_drop(&drop);
	open_drop(&other);
	maildrop_delete(&other, &other.messages[0]);
	assert_int_equal(maildrop_commit(store, &other, &gone_n, &e), 0);
	maildrop_fini(&other);
	clock_advance(INT64_C(6) * 86400000);
	expect(&drop.messages[0], UINT64_MAX, "Subject: one\r\n\r\n.\r\n");
	clock_advance(INT64_C(2) * 86400000);
	for (int i = 0; i < 1000; i++) { /* the janitor comes once a second */
		str_buf_clear(&out);
		stream = (struct pop3_stream){.content = drop.messages[0].content,
		    .end = drop.messages[0].size, .lines_left = UINT64_MAX};
		if (pop3_stream_slice(&stream, store, &out, &more, &e) < 0)
			break;
		usleep(20000);
	}
	assert_int_equal(e.code, ERR_EXPUNGED);
	expect(&drop.messages[1], UINT64_MAX, "Subject: two\r\n\r\n.\r\n");
	maildrop_fini(&drop);
	str_buf_fini(&out);
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, open_store, close_store)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(dots_at_the_beginning_of_lines_are_doubled),
	    WITH_STORE(message_without_body_or_end_is_whole),
	    WITH_STORE(headers_in_utf8_are_told_in_ascii_and_counted_so),
	    WITH_STORE(long_message_is_the_same_over_slices),
	    WITH_STORE(top_counts_lines_of_the_body_only),
	    WITH_STORE(maildrop_is_a_snapshot_and_commits_at_once),
	    WITH_STORE(large_maildrop_is_read_in_slices_up_to_its_bound),
	    WITH_STORE(what_is_over_its_time_goes_and_nothing_else),
	    WITH_STORE(content_is_the_same_after_a_move_and_back),
	    WITH_STORE(expunged_message_is_read_until_its_octets_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
