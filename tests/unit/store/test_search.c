/* Search: a table of keys against a small folder. */
#include "support.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *text;
	uint32_t flags;
	int64_t idate_ms;
	int zone_min;
} mails[] = {
    /* 1 */ {"From: Anna Schmidt <anna@example.org>\r\nTo: bob@example.org\r\nSubject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?= aus Koeln\r\n"
	     "Date: Mon, 1 Nov 2010 23:30:00 -0500\r\n\r\nplain body text\r\n",
	STORE_FLAG_SEEN, 1288674000000, 0}, /* 2010-11-02 05:00 UTC */
    /* 2 */ {"From: Bob <bob@example.org>\r\nSubject: attachment\r\nMIME-Version: 1.0\r\n"
	     "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
	     "Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
	     "Stra=DFe und Caf=E9\r\n--b\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n"
	     "PGI+TmVlZGxlIGluIGJhc2U2NDwvYj4=\r\n--b\r\nContent-Type: application/octet-stream\r\n\r\n"
	     "binaryneedle\r\n--b--\r\n",
	STORE_FLAG_FLAGGED | STORE_FLAG_SEEN, 1288674000000, -600}, /* the day before, in its zone */
    /* 3 */ {"Subject: forwarded\r\nMIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n\r\n"
	     "Subject: inner subject\r\nFrom: deep@example.org\r\n\r\ninner text\r\n",
	0, 1290470400000, 60},
    /* 4 */ {"", 0, 1290470400000, 0},
};

static struct support support;
static struct store *store;
static struct folder_id inbox;
static int64_t saved_about_ms;

static int setup(void **state)
{
	struct support *s = &support;

	*state = s;
	support_begin(s);
	store = support_open(s, s->alice);
	inbox = support_folder(s, store, "INBOX");
	saved_about_ms = clock_wall_ms();
	for (size_t i = 0; i < sizeof mails / sizeof *mails; i++) {
		static const char *const work[] = {"work"};
		struct append_how how = {.folder = inbox, .flags = mails[i].flags,
		    .idate_ms = mails[i].idate_ms, .zone_min = mails[i].zone_min, .keywords = work,
		    .keywords_n = i == 2};
		struct append_done done;
		struct append *append;

		OK(append_begin(store, &append, &s->e));
		OK(append_write(append, mails[i].text, strlen(mails[i].text), &s->e));
		OK(append_commit(&append, &how, 1, &done, &s->e));
	}
	return 0;
}

static int teardown(void **state)
{
	support_close(&store);
	support_end(*state);
	return 0;
}

/* UIDs as text, "1 3", found in slices of the given size. */
static const char *run(struct support *s, const struct search_key *key, size_t slice_n)
{
	struct store_uid from = {1}, *found;
	struct str_buf out = {0};
	size_t n;
	char *text;

	do {
		OK(search_run(store, inbox, key, from, slice_n, &s->arena, &found, &n, &from, &s->e));
		for (size_t i = 0; i < n; i++)
			str_buf_printf(&out, "%s%u", out.n ? " " : "", found[i].n);
	} while (from.n);
	text = arena_strn(&s->arena, out.p ? out.p : "", out.n);
	str_buf_fini(&out);
	return text;
}

#define EXPECT(uids, ...)                                                                          \
	do {                                                                                       \
		const struct search_key key = {__VA_ARGS__};                                       \
                                                                                                   \
		assert_string_equal(run(s, &key, 100), uids);                                      \
		assert_string_equal(run(s, &key, 1), uids);                                        \
	} while (0)

static void keys_of_rows_match(void **state)
{
	struct support *s = *state;
	static const struct uid_range ranges[] = {{1, 1}, {3, 9}};

	EXPECT("1 2 3 4", .kind = SEARCH_ALL);
	EXPECT("1 3 4", .kind = SEARCH_UIDS, .ranges = ranges, .ranges_n = 2);
	EXPECT("1 2", .kind = SEARCH_FLAG, .flags = STORE_FLAG_SEEN);
	EXPECT("2", .kind = SEARCH_FLAG, .flags = STORE_FLAG_SEEN | STORE_FLAG_FLAGGED);
	EXPECT("3", .kind = SEARCH_KEYWORD, .text = SV("WORK"));
	EXPECT("", .kind = SEARCH_KEYWORD, .text = SV("nobody"));
	EXPECT("4", .kind = SEARCH_SMALLER, .number = 1);
	EXPECT("1 2 3", .kind = SEARCH_LARGER, .number = 0);
	EXPECT("3 4", .kind = SEARCH_MODSEQ, .number = 4);
}

static void the_content_s_number_is_the_email_s_id(void **state)
{
	struct support *s = *state;
	struct message_info m = support_message(s, store, inbox, 3);

	EXPECT("3", .kind = SEARCH_EMAILID, .number = m.content);
	EXPECT("", .kind = SEARCH_EMAILID, .number = 999);
}

/* RFC 5032 3: less (more) recent than or equal to the instant. */
static void older_and_younger_include_their_second(void **state)
{
	struct support *s = *state;

	EXPECT("1 2", .kind = SEARCH_OLDER, .at_s = 1288674000);
	EXPECT("", .kind = SEARCH_OLDER, .at_s = 1288673999);
	EXPECT("1 2 3 4", .kind = SEARCH_YOUNGER, .at_s = 1288674000);
	EXPECT("3 4", .kind = SEARCH_YOUNGER, .at_s = 1288674001);
	EXPECT("1 2 3 4", .kind = SEARCH_YOUNGER, .at_s = -1);
}

/* RFC 8514 5: the mails were given older dates, and were all saved just now. */
static void saved_days_are_those_of_the_arrival(void **state)
{
	struct support *s = *state;
	int32_t today = (int32_t)(saved_about_ms / 86400000);

	EXPECT("1 2 3 4", .kind = SEARCH_SAVED_SINCE, .day = today);
	EXPECT("", .kind = SEARCH_SAVED_BEFORE, .day = today);
	EXPECT("", .kind = SEARCH_SAVED_ON, .day = 14915);
	if ((saved_about_ms + 60000) / 86400000 == today) /* a minute before midnight it may be either */
		EXPECT("1 2 3 4", .kind = SEARCH_SAVED_ON, .day = today);
}

static void days_are_those_of_the_message_s_own_zone(void **state)
{
	struct support *s = *state;

	EXPECT("1", .kind = SEARCH_ON, .day = 14915);     /* 2010-11-02 */
	EXPECT("2", .kind = SEARCH_BEFORE, .day = 14915); /* 2010-11-01 19:00 -1000 */
	EXPECT("1 3 4", .kind = SEARCH_SINCE, .day = 14915);
	EXPECT("1", .kind = SEARCH_SENT_ON, .day = 14914); /* 1 Nov, although the 2nd in UTC */
	EXPECT("", .kind = SEARCH_SENT_BEFORE, .day = 14914);
	EXPECT("1", .kind = SEARCH_SENT_SINCE, .day = 14914);
}

static void header_fields_are_decoded_and_folded(void **state)
{
	struct support *s = *state;

	EXPECT("1", .kind = SEARCH_HEADER, .name = "Subject", .text = SV("GR\xc3\x9cSSE"));
	EXPECT("1 2 3", .kind = SEARCH_HEADER, .name = "subject", .text = SV(""));
	EXPECT("1", .kind = SEARCH_ADDRESS, .name = "from", .text = SV("schmidt"));
	EXPECT("2", .kind = SEARCH_ADDRESS, .name = "from", .text = SV("BOB"));
	EXPECT("1", .kind = SEARCH_ADDRESS, .name = "to", .text = SV("bob@"));
	EXPECT("", .kind = SEARCH_ADDRESS, .name = "cc", .text = SV(""));
}

static void bodies_are_decoded_and_folded(void **state)
{
	struct support *s = *state;

	EXPECT("1", .kind = SEARCH_BODY, .text = SV("Plain Body"));
	EXPECT("2", .kind = SEARCH_BODY, .text = SV("strasse"));
	EXPECT("2", .kind = SEARCH_BODY, .text = SV("CAF\xc3\x89"));
	EXPECT("2", .kind = SEARCH_BODY, .text = SV("needle in"));
	EXPECT("", .kind = SEARCH_BODY, .text = SV("binaryneedle"));
	EXPECT("3", .kind = SEARCH_BODY, .text = SV("inner text"));
	EXPECT("", .kind = SEARCH_BODY, .text = SV("inner subject")); /* a header, of whatever message */
	EXPECT("3", .kind = SEARCH_TEXT, .text = SV("inner subject"));
	EXPECT("2", .kind = SEARCH_TEXT, .text = SV("quoted-printable")); /* a MIME header field */
	EXPECT("", .kind = SEARCH_BODY, .text = SV("quoted-printable"));
	EXPECT("", .kind = SEARCH_BODY, .text = SV("aus koeln"));
	EXPECT("1", .kind = SEARCH_TEXT, .text = SV("aus koeln"));
	EXPECT("1 2 3 4", .kind = SEARCH_TEXT, .text = SV(""));
}

static void keys_combine(void **state)
{
	struct support *s = *state;
	struct search_key text = {.kind = SEARCH_BODY, .text = SV("text")};
	struct search_key seen = {.kind = SEARCH_FLAG, .flags = STORE_FLAG_SEEN, .next = &text};
	struct search_key strasse = {.kind = SEARCH_BODY, .text = SV("strasse")};

	EXPECT("1", .kind = SEARCH_AND, .children = &seen);
	EXPECT("1 2 3", .kind = SEARCH_OR, .children = &seen);
	EXPECT("3 4", .kind = SEARCH_NOT, .children = &(struct search_key){.kind = SEARCH_FLAG,
					      .flags = STORE_FLAG_SEEN});
	EXPECT("1 3 4", .kind = SEARCH_NOT, .children = &strasse);
	text.next = &strasse;
	EXPECT("", .kind = SEARCH_AND, .children = &seen);
}

static void nesting_without_end_is_refused(void **state)
{
	struct support *s = *state;
	static struct search_key keys[1000];
	struct store_uid *found, next;
	size_t n;

	for (size_t i = 0; i < 999; i++)
		keys[i] = (struct search_key){.kind = SEARCH_NOT, .children = &keys[i + 1]};
	FAILS(ERR_INVALID, search_run(store, inbox, keys, (struct store_uid){1}, 10, &s->arena, &found,
			       &n, &next, &s->e));
	FAILS(ERR_NOTFOUND, search_run(store, (struct folder_id){999}, &keys[999],
				(struct store_uid){1}, 10, &s->arena, &found, &n, &next, &s->e));
}

/* 3 MB of text in lines and in one line: the needle lies across the border of two windows. */
static void a_text_across_two_windows_is_found(void **state)
{
	struct support *s = *state;
	struct folder_id archive = support_folder(s, store, "Archive");
	struct str_buf mail = {0};
	struct store_uid *found, next;
	const struct search_key key = {.kind = SEARCH_BODY, .text = SV("needle-needle")};
	size_t n;

	str_buf_puts(&mail, "Subject: long\r\n\r\n");
	/* 64 KB are read at a time, so a window of one long line ends at 1 MB of body. */
	while (mail.n < 17 + 1048576 - 6)
		str_buf_putc(&mail, 'x');
	str_buf_puts(&mail, "needle-needle");
	while (mail.n < 3000000)
		str_buf_putc(&mail, 'y');
	support_append_n(s, store, archive, mail.p, mail.n, 0);
	OK(search_run(store, archive, &key, (struct store_uid){1}, 10, &s->arena, &found, &n, &next,
	    &s->e));
	assert_int_equal(n, 1);
	str_buf_fini(&mail);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(keys_of_rows_match),
	    cmocka_unit_test(the_content_s_number_is_the_email_s_id),
	    cmocka_unit_test(older_and_younger_include_their_second),
	    cmocka_unit_test(saved_days_are_those_of_the_arrival),
	    cmocka_unit_test(days_are_those_of_the_message_s_own_zone),
	    cmocka_unit_test(header_fields_are_decoded_and_folded),
	    cmocka_unit_test(bodies_are_decoded_and_folded),
	    cmocka_unit_test(keys_combine),
	    cmocka_unit_test(nesting_without_end_is_refused),
	    cmocka_unit_test(a_text_across_two_windows_is_found),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
