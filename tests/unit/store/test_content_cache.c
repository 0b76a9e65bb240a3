/* What a process remembers of contents, and messages that are listed from it. */
#include "support.h"

#include "store/content_cache_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct store *store;
static struct folder_id inbox;

static int setup(void **state)
{
	if (support_setup(state, &store) != 0)
		return -1;
	inbox = support_folder(*state, store, "INBOX");
	return 0;
}

static int teardown(void **state)
{
	return support_teardown(state, &store);
}

static void forget(void)
{
	struct store_site *ss = store->mailbox->site;

	pthread_mutex_lock(&ss->lock);
	content_caches_trim(ss, INT64_MAX);
	pthread_mutex_unlock(&ss->lock);
}

static void a_record_is_found_under_its_kind_and_number_alone(void **state)
{
	struct content_cache *cache;
	struct str_view record;

	(void)state;
	assert_null(content_cache_borrow_made(store->mailbox));
	cache = content_cache_borrow(store->mailbox);
	assert_false(content_cache_find(cache, CONTENT_SORT, 7, &record));
	assert_true(content_cache_first(cache, CONTENT_SORT) == UINT64_MAX);
	content_cache_keep(cache, CONTENT_SORT, 7, SV("seven"));
	content_cache_keep(cache, CONTENT_SORT, 7, SV("again"));
	content_cache_keep(cache, CONTENT_SORT, UINT64_MAX, SV(""));
	content_cache_keep(cache, CONTENT_THREAD, 3, SV("three"));
	assert_true(content_cache_find(cache, CONTENT_SORT, 7, &record));
	assert_true(str_equal(record, SV("seven")));
	assert_true((uintptr_t)record.p % sizeof(void *) == 0);
	assert_true(content_cache_find(cache, CONTENT_SORT, UINT64_MAX, &record));
	assert_int_equal(record.n, 0);
	assert_false(content_cache_find(cache, CONTENT_THREAD, 7, &record));
	assert_false(content_cache_find(cache, CONTENT_SORT, 3, &record));
	assert_int_equal(content_cache_first(cache, CONTENT_SORT), 7);
	assert_int_equal(content_cache_first(cache, CONTENT_THREAD), 3);
	content_cache_return(store->mailbox, cache);
}

static void each_of_many_is_found(void **state)
{
	/* In a row; one of many; and all that a table of any size puts side by side. */
	static const uint64_t steps[] = {1, 512, 1 << 20, (uint64_t)1 << 50};
	struct content_cache *cache = content_cache_borrow(store->mailbox);
	struct str_view record;

	(void)state;
	for (size_t s = 0; s < 4; s++) {
		for (uint64_t i = 1; i <= 2000; i++)
			content_cache_keep(cache, (enum content_kind)s, i * steps[s],
			    str_view((const char *)&i, sizeof i));
		for (uint64_t i = 1; i <= 2000; i++) {
			assert_true(content_cache_find(cache, (enum content_kind)s, i * steps[s], &record));
			assert_int_equal(record.n, sizeof i);
			assert_memory_equal(record.p, &i, sizeof i);
		}
		assert_false(content_cache_find(cache, (enum content_kind)s, 2001 * steps[s], &record));
	}
	content_cache_return(store->mailbox, cache);
}

static void what_is_remembered_is_bounded_and_forgotten(void **state)
{
	struct support *s = *state;
	struct mailbox *mb = store->mailbox;
	struct content_cache *cache = content_cache_borrow(mb);
	struct str_view record;
	size_t kept = 0;

	OK(registry_set_dword(s->site, REGISTRY_STORE, "ContentCacheMax", 100000, &s->e));
	for (uint64_t content = 1; content <= 1000; content++) {
		char octets[1024];

		memset(octets, (int)content & 127, sizeof octets);
		content_cache_keep(cache, CONTENT_FIELDS, content, str_view(octets, sizeof octets));
		kept += content_cache_find(cache, CONTENT_FIELDS, content, &record);
	}
	assert_true(kept > 20 && kept < 100);
	assert_true(mb->site->content_bytes <= 100000);
	assert_true(content_cache_find(cache, CONTENT_FIELDS, 7, &record));
	assert_int_equal(record.p[1000], 7);

	forget();
	assert_true(content_cache_find(cache, CONTENT_FIELDS, 7, &record)); /* borrowed */
	content_cache_return(mb, cache);
	forget();
	assert_null(mb->contents);
	assert_int_equal(mb->site->content_bytes, 0);
}

/* ---- listing ---- */

static uint32_t append(struct support *s, const char *text, bool is_awaited)
{
	struct append_how how = {.folder = inbox, .idate_ms = 1700000000000, .zone_min = 60,
	    .is_awaited = is_awaited};
	struct append_done done;
	struct append *a;

	OK(append_begin(store, &a, &s->e));
	OK(append_write(a, text, strlen(text), &s->e));
	OK(append_commit(&a, &how, 1, &done, &s->e));
	return done.uid.n;
}

static bool is_remembered(uint64_t content)
{
	struct content_cache *cache = content_cache_borrow_made(store->mailbox);
	struct str_view record;
	bool is = cache && content_cache_find(cache, CONTENT_LISTING, content, &record);

	content_cache_return(store->mailbox, cache);
	return is;
}

static void assert_same(const struct message_info *a, const struct message_info *b)
{
	assert_int_equal(a->uid.n, b->uid.n);
	assert_int_equal(a->modseq.n, b->modseq.n);
	assert_int_equal(a->flags, b->flags);
	assert_int_equal(a->idate_ms, b->idate_ms);
	assert_int_equal(a->zone_min, b->zone_min);
	assert_int_equal(a->saved_ms, b->saved_ms);
	assert_int_equal(a->content, b->content);
	assert_int_equal(a->size, b->size);
	assert_int_equal(a->size_lf, b->size_lf);
	assert_int_equal(a->size_in, b->size_in);
	assert_int_equal(a->header_n, b->header_n);
	assert_int_equal(a->lineends, b->lineends);
	assert_int_equal(a->header_8bit, b->header_8bit);
	assert_int_equal(a->sent_ms, b->sent_ms);
	assert_int_equal(a->sent_zone_min, b->sent_zone_min);
	assert_true(str_equal(a->envelope, b->envelope));
	assert_true(str_equal(a->bodystructure, b->bodystructure));
}

/* Texts of each kind of line ends, with a date and without, appended for a listing and not. */
static void append_some(struct support *s)
{
	static const char *const texts[] = {
	    "Date: Mon, 3 Mar 2025 10:01:00 +0130\r\nSubject: CRLF\r\n\r\na\r\nb",
	    "Subject: LF\nFrom: Ann <ann@example.org>\n\na\nb\n",
	    "Subject: both\r\nContent-Type: multipart/mixed; boundary=b\n\n--b\r\n\na\n--b--\n",
	    "",
	};

	for (size_t i = 0; i < 12; i++)
		append(s, texts[i % 4], i > 1 && i % 3);
}

static void a_message_that_was_just_appended_is_listed_as_the_database_has_it(void **state)
{
	static const unsigned whats[] = {MESSAGE_BASIC, MESSAGE_ENVELOPE, MESSAGE_BODYSTRUCTURE,
	    MESSAGE_ROW | MESSAGE_ENVELOPE | MESSAGE_BODYSTRUCTURE};
	struct message_info *remembered[4], *read;
	struct support *s = *state;
	size_t n;

	append_some(s);
	for (size_t w = 0; w < 4; w++) {
		OK(message_list(store, inbox, &support_all, 1, whats[w], 100, &s->arena, &remembered[w],
		    &n, &s->e));
		assert_int_equal(n, 12);
	}
	for (size_t i = 0; i < 12; i++)
		assert_true(is_remembered(remembered[0][i].content) == (i > 1 && i % 3));
	forget();
	for (size_t w = 0; w < 4; w++) {
		OK(message_list(store, inbox, &support_all, 1, whats[w], 100, &s->arena, &read, &n,
		    &s->e));
		for (size_t i = 0; i < n; i++)
			assert_same(&remembered[w][i], &read[i]);
	}
	assert_true(read[0].envelope.n && read[11].bodystructure.n);
}

static void of_a_row_alone_there_is_what_the_narrow_table_has(void **state)
{
	struct message_info *row, *basic;
	struct support *s = *state;
	size_t n;

	append_some(s);
	OK(message_list(store, inbox, &support_all, 1, MESSAGE_ROW, 100, &s->arena, &row, &n, &s->e));
	OK(message_list(store, inbox, &support_all, 1, MESSAGE_BASIC, 100, &s->arena, &basic, &n, &s->e));
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(row[i].size, basic[i].size);
		assert_int_equal(row[i].idate_ms, basic[i].idate_ms);
		assert_int_equal(row[i].content, basic[i].content);
		assert_int_equal(row[i].header_n, 0);
	}
}

static void a_copy_is_listed_from_what_its_content_left(void **state)
{
	struct support *s = *state;
	struct message_copied copied;
	struct message_info *list;
	size_t n;

	append(s, "Subject: once\r\n\r\nx", true);
	OK(message_copy(store, inbox, &support_all, 1, support_folder(s, store, "Archive"), &s->arena,
	    &copied, &s->e));
	OK(message_list(store, support_folder(s, store, "Archive"), &support_all, 1, MESSAGE_ENVELOPE, 9,
	    &s->arena, &list, &n, &s->e));
	assert_int_equal(n, 1);
	assert_true(is_remembered(list[0].content));
	assert_non_null(memmem(list[0].envelope.p, list[0].envelope.n, "once", 4));
}

static void a_structure_without_measure_is_not_remembered(void **state)
{
	struct support *s = *state;
	struct str_buf text = {0};
	struct message_info *list;
	size_t n;

	str_buf_puts(&text, "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
	for (int i = 0; i < 1000; i++)
		str_buf_puts(&text, "--b\r\n\r\nx\r\n");
	append(s, text.p, true);
	OK(message_list(store, inbox, &support_all, 1, MESSAGE_BODYSTRUCTURE, 9, &s->arena, &list, &n,
	    &s->e));
	assert_true(list[0].bodystructure.n > 20000);
	assert_false(is_remembered(list[0].content));
	str_buf_fini(&text);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(a_record_is_found_under_its_kind_and_number_alone),
	    T(each_of_many_is_found),
	    T(what_is_remembered_is_bounded_and_forgotten),
	    T(a_message_that_was_just_appended_is_listed_as_the_database_has_it),
	    T(of_a_row_alone_there_is_what_the_narrow_table_has),
	    T(a_copy_is_listed_from_what_its_content_left),
	    T(a_structure_without_measure_is_not_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
