/* imapd/set: sets against a view: resolved, counted, taken in slices. */
#include "imapd/set.h"

#include "imapd/sync.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
	struct client client;
	struct selected selected;
	struct imap_req req;
};

/* UIDs 10..19, 30..34 and 50. */
static void begin(struct fixture *f, bool uid)
{
	memset(f, 0, sizeof *f);
	f->client.selected = &f->selected;
	f->req = (struct imap_req){.client = &f->client, .uid = uid};
	for (uint32_t u = 10; u < 20; u++)
		view_append(&f->selected.view, u);
	for (uint32_t u = 30; u < 35; u++)
		view_append(&f->selected.view, u);
	view_append(&f->selected.view, 50);
}

static void end(struct fixture *f)
{
	view_fini(&f->selected.view);
	arena_fini(&f->client.arena);
}

static bool resolved(struct fixture *f, const char *text, struct seq_set *set)
{
	assert_int_equal(seq_parse(str_view(text, strlen(text)), &f->client.arena, set), strlen(text));
	return set_resolve(&f->req, set);
}

static void sequence_numbers_must_be_there(void **state)
{
	struct fixture f;
	struct seq_set set;

	(void)state;
	begin(&f, false);
	assert_true(resolved(&f, "1:*", &set));
	assert_int_equal(set.n, 1);
	assert_int_equal(set.ranges[0].from, 10);
	assert_int_equal(set.ranges[0].to, 50);
	assert_int_equal(set_count(&f.req, &set), 16);
	assert_true(resolved(&f, "11,16", &set));
	assert_int_equal(set.ranges[0].from, 30);
	assert_int_equal(set.ranges[1].from, 50);
	assert_false(resolved(&f, "17", &set));
	assert_false(resolved(&f, "1,17:20", &set));
	view_fini(&f.selected.view);
	assert_false(resolved(&f, "*", &set));
	assert_false(resolved(&f, "1", &set));
	end(&f);
}

static void uids_end_where_the_client_knows_no_more(void **state)
{
	struct fixture f;
	struct seq_set set;

	(void)state;
	begin(&f, true);
	assert_true(resolved(&f, "15:4294967295", &set));
	assert_int_equal(set.ranges[0].to, 50);
	assert_int_equal(set_count(&f.req, &set), 11);
	assert_true(resolved(&f, "51:60,99", &set));
	assert_int_equal(set.n, 0);
	assert_true(resolved(&f, "99:*", &set)); /* '*' is in it whatever stands before */
	assert_int_equal(set_count(&f.req, &set), 1);
	assert_true(resolved(&f, "20:29", &set));
	assert_int_equal(set_count(&f.req, &set), 0);
	view_fini(&f.selected.view);
	assert_true(resolved(&f, "1:*", &set));
	assert_int_equal(set.n, 0);
	end(&f);
}

static void slices_hold_every_message_once(void **state)
{
	struct fixture f;

	(void)state;
	for (uint32_t n_max = 1; n_max < 20; n_max++) {
		struct seq_set set, front;
		uint32_t seen = 0;

		begin(&f, true);
		assert_true(resolved(&f, "1:12,18:31,33:60", &set));
		while ((front = set_front(&f.req, &set, n_max, &f.client.arena)).n) {
			uint32_t n = set_count(&f.req, &front);

			assert_true(n <= n_max);
			seen += n;
		}
		assert_int_equal(seen, 3 + 4 + 3);
		assert_int_equal(set.n, 0);
		end(&f);
	}
}

static void a_set_is_advanced_behind_a_uid(void **state)
{
	struct uid_range ranges[] = {{1, 5}, {7, 7}, {9, 12}};
	struct seq_set set = {.ranges = ranges, .n = 3};

	(void)state;
	set_advance(&set, 3);
	assert_int_equal(set.n, 3);
	assert_int_equal(set.ranges[0].from, 4);
	set_advance(&set, 10);
	assert_int_equal(set.n, 1);
	assert_int_equal(set.ranges[0].from, 11);
	set_advance(&set, 12);
	assert_int_equal(set.n, 0);
}

/* UIDs 10..19, 30..34 and 50: positions are messages', not UIDs'. */
static void a_partial_range_counts_messages(void **state)
{
	static const struct {
		const char *set;
		struct partial partial;
		const char *is;
	} cases[] = {
		{"1:*", {.from = 1, .to = 3}, "10:12"},
		{"1:*", {.from = 9, .to = 12}, "18:19,30:31"},
		{"1:*", {.from = 1, .to = 2, .from_end = true}, "34,50"},
		{"1:*", {.from = 15, .to = 900, .from_end = true}, "10:11"},
		{"12:14,31:60", {.from = 3, .to = 5}, "14,31:32"},
		{"12:14,31:60", {.from = 9, .to = 10}, ""},
		{"20:29", {.from = 1, .to = 10}, ""},
	};
	struct str_buf out = {0};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct seq_writer w = {.out = &out};
		struct fixture f;
		struct seq_set set;

		begin(&f, true);
		str_buf_clear(&out);
		assert_true(resolved(&f, cases[i].set, &set));
		set_take_partial(&f.req, &set, &cases[i].partial);
		for (size_t k = 0; k < set.n; k++)
			for (uint32_t uid = set.ranges[k].from; uid <= set.ranges[k].to; uid++)
				if (view_seq(&f.selected.view, uid))
					seq_write(&w, uid);
		seq_write_end(&w);
		assert_string_equal(out.n ? out.p : "", cases[i].is);
		end(&f);
	}
	str_buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sequence_numbers_must_be_there),
		cmocka_unit_test(uids_end_where_the_client_knows_no_more),
		cmocka_unit_test(slices_hold_every_message_once),
		cmocka_unit_test(a_set_is_advanced_behind_a_uid),
		cmocka_unit_test(a_partial_range_counts_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
