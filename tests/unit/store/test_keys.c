/* Keys of SORT and THREAD: what is made of messages, cold and from the cache. */
#include "support.h"

#include "mime/decode.h"
#include "store/keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct support support;
static struct store *store;
static struct folder_id inbox;

static int setup(void **state)
{
	struct support *s = &support;

	*state = s;
	support_begin(s);
	store = support_open(s, s->alice);
	inbox = support_folder(s, store, "INBOX");
	return 0;
}

static int teardown(void **state)
{
	support_close(&store);
	support_end(*state);
	return 0;
}

static struct message_keys *keys_of(struct support *s, enum keys_what what, size_t *n_r)
{
	struct message_keys *list;

	OK(message_keys_list(store, inbox, &support_all, 1, what, 500, &s->arena, &list, n_r, &s->e));
	return list;
}

#define IS(view, text) (assert_int_equal((view).n, strlen(text)), assert_memory_equal((view).p, (text), (view).n))

static struct str_view folded(struct support *s, const char *text)
{
	struct str_buf out = {0};
	struct str_view kept;

	mime_casemap(str_view(text, strlen(text)), &out);
	kept = str_view(arena_strn(&s->arena, out.n ? out.p : "", out.n), out.n);
	str_buf_fini(&out);
	return kept;
}

#define IS_FOLDED(view, text) assert_true(str_equal((view), folded(s, (text))))

static void keys_are_what_the_header_says(void **state)
{
	struct support *s = *state;
	struct message_keys *list;
	size_t n;

	support_append(s, store, inbox, "From: \"Zoe Adams\" <Bob@example.org>\r\nTo: Team: x@y;\r\n"
	    "Cc: Carl@example.org\r\nSubject: Re: [list] =?utf-8?q?=C3=84pfel?=\r\n"
	    "Date: Mon, 1 Nov 2010 23:30:00 -0500\r\nMessage-ID: <one@x>\r\n\r\nbody\r\n", 0);
	support_append(s, store, inbox, "From: bob@example.org\r\nMessage-ID: <two@x>\r\n"
	    "References: <zero@x>\r\n <one@x>\r\nIn-Reply-To: <other@x>\r\n\r\nbody\r\n", 0);
	support_append(s, store, inbox, "References: none\r\nIn-Reply-To: \"one\" <one@x> <zero@x>\r\n\r\n", 0);
	for (int again = 0; again < 2; again++) {
		list = keys_of(s, KEYS_SORT, &n);
		assert_int_equal(n, 3);
		IS_FOLDED(list[0].subject, "\xc3\x84pfel");
		assert_true(list[0].is_reply);
		IS_FOLDED(list[0].from, "bob");
		IS_FOLDED(list[0].to, "team");
		IS_FOLDED(list[0].cc, "carl");
		IS_FOLDED(list[0].display_from, "zoe adams");
		IS_FOLDED(list[0].display_to, "team");
		assert_int_equal(list[0].sent_ms, INT64_C(1288672200000));
		IS_FOLDED(list[1].display_from, "bob@example.org");
		IS(list[1].subject, "");
		assert_int_equal(list[1].sent_ms, list[1].arrival_ms);
		list = keys_of(s, KEYS_THREAD, &n);
		assert_int_equal(n, 3);
		IS_FOLDED(list[0].subject, "\xc3\x84pfel");
		assert_true(list[0].id && list[1].id && list[0].id != list[1].id);
		assert_int_equal(list[0].refs_n, 0);
		assert_int_equal(list[1].refs_n, 2);
		assert_true(list[1].refs[1] == list[0].id);
		assert_int_equal(list[2].refs_n, 1);
		assert_true(list[2].refs[0] == list[0].id);
		assert_true(list[2].id == 0);
	}
	list = keys_of(s, KEYS_ROW, &n);
	assert_int_equal(n, 3);
	assert_true(list[0].size > list[2].size);
}

static void texts_and_references_are_bounded(void **state)
{
	struct support *s = *state;
	struct str_buf text = {0};
	struct message_keys *list;
	size_t n;

	str_buf_puts(&text, "Subject: ");
	for (int i = 0; i < 20000; i++)
		str_buf_puts(&text, "wide ");
	str_buf_puts(&text, "\r\nReferences:");
	for (int i = 0; i < 5000; i++)
		str_buf_printf(&text, "\r\n <%d@x>", i);
	str_buf_puts(&text, "\r\n\r\n");
	support_append_n(s, store, inbox, text.p, text.n, 0);
	support_append(s, store, inbox, "Message-ID: <4999@x>\r\n\r\n", 0);
	support_append(s, store, inbox, "Message-ID: <4000@x>\r\n\r\n", 0);
	list = keys_of(s, KEYS_THREAD, &n);
	assert_int_equal(n, 3);
	assert_int_equal(list[0].subject.n, KEYS_TEXT_OCTETS_MAX);
	assert_int_equal(list[0].refs_n, KEYS_REFS_MAX);
	assert_true(list[0].refs[KEYS_REFS_MAX - 1] == list[1].id);
	assert_true(list[0].refs[0] == list[2].id);
	str_buf_fini(&text);
}

static void a_folder_that_is_gone_has_no_keys(void **state)
{
	struct support *s = *state;
	struct message_keys *list;
	size_t n;

	FAILS(ERR_NOTFOUND, message_keys_list(store, (struct folder_id){99}, &support_all, 1, KEYS_ROW, 500,
		&s->arena, &list, &n, &s->e));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(keys_are_what_the_header_says, setup, teardown),
	    cmocka_unit_test_setup_teardown(texts_and_references_are_bounded, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_folder_that_is_gone_has_no_keys, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
