/* What searches keep: signatures of texts, and header fields as they are remembered. */
#include "support.h"

#include "base/clock.h"
#include "store/mailbox_priv.h"
#include "store/search_priv.h"
#include "store/txn_priv.h"

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
	*state = &support;
	support_begin(&support);
	store = support_open(&support, support.alice);
	inbox = support_folder(&support, store, "INBOX");
	return 0;
}

static int teardown(void **state)
{
	support_close(&store);
	support_end(*state);
	return 0;
}

/* ---- signatures ---- */

static uint32_t rnd(uint32_t n)
{
	static uint32_t seed = 7;

	seed = seed * 1103515245u + 12345u;
	return (seed >> 8) % n;
}

static void put_words(struct str_buf *out, size_t octets, char first)
{
	while (out->n < octets) {
		for (uint32_t i = 0, n = 2 + rnd(8); i < n; i++)
			str_buf_putc(out, (char)(first + (int)rnd(24)));
		str_buf_putc(out, ' ');
	}
}

static struct str_view sig_of(struct search_sig *set, struct str_view text, struct str_buf *out)
{
	str_buf_clear(out);
	search_sig_add(set, text);
	search_sig_put(set, out);
	return str_buf_view(out);
}

static void a_signature_never_denies_what_the_text_holds(void **state)
{
	static const size_t sizes[] = {0, 1, 2, 3, 50, 3000, 40000, 2000000};
	struct search_sig *set = calloc(1, sizeof *set);
	struct str_buf sig = {0};

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct str_buf text = {0};

		put_words(&text, sizes[i], 'A');
		text.n = sizes[i] < text.n ? sizes[i] : text.n;
		sig_of(set, str_buf_view(&text), &sig);
		assert_true(sig.n >= 64 && sig.n <= 32768 && (sig.n & (sig.n - 1)) == 0);
		for (int round = 0; round < 2000 && text.n; round++) {
			size_t at = rnd((uint32_t)text.n), n = rnd(20);

			n = n < text.n - at ? n : text.n - at;
			assert_true(search_sig_may_hold(str_buf_view(&sig), str_view(text.p + at, n)));
		}
		str_buf_fini(&text);
	}
	str_buf_fini(&sig);
	free(set);
}

static void a_signature_denies_nearly_all_that_it_does_not(void **state)
{
	struct search_sig *set = calloc(1, sizeof *set);
	struct str_buf text = {0}, others = {0}, sig = {0};
	int passed = 0;

	(void)state;
	put_words(&text, 20000, 'A');
	put_words(&others, 20000, 'a'); /* no run of three is in both */
	sig_of(set, str_buf_view(&text), &sig);
	for (int round = 0; round < 10000; round++)
		passed += search_sig_may_hold(
		    str_buf_view(&sig), str_view(others.p + rnd((uint32_t)others.n - 10), 8));
	assert_true(passed < 100); /* of 10,000 words of 8 letters; a third of the bits in the worst case: 14 */
	str_buf_fini(&text);
	str_buf_fini(&others);
	str_buf_fini(&sig);
	free(set);
}

static void a_damaged_signature_decides_nothing(void **state)
{
	char zeros[96] = {0};

	(void)state;
	assert_false(search_sig_may_hold(str_view(zeros, 64), SV("ABC")));
	assert_true(search_sig_may_hold(str_view(zeros, 64), SV("AB")));
	assert_true(search_sig_may_hold(str_view(zeros, 96), SV("ABC")));
	assert_true(search_sig_may_hold(str_view(zeros, 32), SV("ABC")));
	assert_true(search_sig_may_hold(SV(""), SV("ABC")));
}

/* ---- keeping them ---- */

static bool has_signature(struct support *s, uint32_t uid)
{
	struct message_info m = support_message(s, store, inbox, uid);
	struct str_buf sig = {0};
	struct txn t;
	bool found;

	OK(txn_read(store, &t, &s->e));
	OK(search_sig_read(t.db, m.content, &sig, &s->e));
	txn_read_end(&t);
	found = sig.n > 0;
	str_buf_fini(&sig);
	return found;
}

static size_t search(struct support *s, struct search_key key)
{
	struct store_uid *found, next;
	size_t n;

	OK(search_run(store, inbox, &key, (struct store_uid){1}, 1000, &s->arena, &found, &n, &next, &s->e));
	return n;
}

static void a_signature_waits_until_nobody_writes(void **state)
{
	struct support *s = *state;
	const struct search_key key = {.kind = SEARCH_TEXT, .text = SV("needle")};
	uint32_t uid = support_append(s, store, inbox, "Subject: a\r\n\r\nneedle\r\n", 0);
	int64_t begun = clock_mono_ms();

	OK(mailbox_lock_writer(store->mailbox, &s->e));
	assert_int_equal(search(s, key), 1);
	mailbox_unlock_writer(store->mailbox);
	assert_true(clock_mono_ms() - begun < 9000); /* WriteWait is 10 s */
	assert_false(has_signature(s, uid));
	assert_int_equal(search(s, key), 1);
	assert_true(has_signature(s, uid));
	support_check(s, store);
}

static void short_texts_and_headers_alone_make_no_signature(void **state)
{
	struct support *s = *state;
	uint32_t uid = support_append(s, store, inbox, "Subject: b\r\nX-Y: zzz\r\n\r\ntext\r\n", 0);

	search(s, (struct search_key){.kind = SEARCH_BODY, .text = SV("te")});
	search(s, (struct search_key){.kind = SEARCH_HEADER, .name = "x-y", .text = SV("zzz")});
	search(s, (struct search_key){.kind = SEARCH_TEXT, .text = SV("")});
	assert_false(has_signature(s, uid));
}

static void a_signature_goes_with_its_content(void **state)
{
	struct support *s = *state;
	struct search_made made = {0};

	/* A content that is gone when its signature is to be kept. */
	search_made_add(&made, 123456, SV("0123456789012345678901234567890123456789012345678901234567890123"));
	search_made_keep(&made, store->mailbox);
	search_made_fini(&made);
	support_check(s, store);
}

/* ---- header fields ---- */

static void fields_are_those_of_the_header(void **state)
{
	struct str_buf out = {0};
	const struct search_fields *f;

	(void)state;
	search_fields_make(SV("to: a\r\nSubject: =?utf-8?q?=C3=A9?=\r\n x\r\nTo: B\r\nCc:\r\nX: y\r\n\r\nFrom: z"), &out);
	f = (const struct search_fields *)(const void *)out.p;
	assert_true(str_equal(search_fields_get(f, search_field_of(SV("SUBJECT"))), SV("E\xcc\x81 X\xff")));
	assert_true(str_equal(search_fields_get(f, search_field_of(SV("to"))), SV("A\xff" "B\xff")));
	assert_true(str_equal(search_fields_get(f, search_field_of(SV("cc"))), SV("\xff")));
	assert_int_equal(search_fields_get(f, search_field_of(SV("from"))).n, 0);
	assert_int_equal(search_field_of(SV("x")), SEARCH_FIELDS_N);
	str_buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_signature_never_denies_what_the_text_holds),
	    cmocka_unit_test(a_signature_denies_nearly_all_that_it_does_not),
	    cmocka_unit_test(a_damaged_signature_decides_nothing),
	    cmocka_unit_test(a_signature_waits_until_nobody_writes),
	    cmocka_unit_test(short_texts_and_headers_alone_make_no_signature),
	    cmocka_unit_test(a_signature_goes_with_its_content),
	    cmocka_unit_test(fields_are_those_of_the_header),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
