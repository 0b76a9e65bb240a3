/* imapd/view against a model: a plain array of UIDs, over random appends and removals. */
#include "imapd/view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MODEL_MAX 4000

struct model {
	uint32_t uids[MODEL_MAX];
	uint32_t n, last;
};

static uint32_t chance(uint64_t *seed, uint32_t below)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33) % below;
}

static void append_some(struct view *view, struct model *m, uint64_t *seed)
{
	for (uint32_t k = chance(seed, 30); k > 0 && m->n < MODEL_MAX; k--) {
		m->last += chance(seed, 4) ? 1 : 1 + chance(seed, 5);
		m->uids[m->n++] = m->last;
		view_append(view, m->last);
	}
}

/* Some that are there and some that are not, some twice. */
static void remove_some(struct view *view, struct model *m, uint64_t *seed)
{
	uint32_t gone[200] = {0};
	size_t n = 0;
	uint32_t uid = chance(seed, m->last + 1);

	for (uint32_t k = chance(seed, 40); k > 0; k--) {
		gone[n++] = uid;
		if (chance(seed, 5) == 0)
			gone[n++] = uid;
		uid += chance(seed, 3) ? 1 : chance(seed, 20);
	}
	view_remove(view, gone, n);
	for (size_t i = 0; i < n; i++) {
		for (uint32_t at = 0; at < m->n; at++) {
			if (m->uids[at] != gone[i])
				continue;
			memmove(&m->uids[at], &m->uids[at + 1], (m->n - at - 1) * sizeof *m->uids);
			m->n--;
		}
	}
}

static void compare(const struct view *view, const struct model *m)
{
	struct view_cursor cursor = {0};
	uint32_t at = 0;

	assert_int_equal(view->exists, m->n);
	assert_int_equal(view_last_uid(view), m->n ? m->uids[m->n - 1] : 0);
	assert_int_equal(view_uid(view, 0), 0);
	assert_int_equal(view_uid(view, m->n + 1), 0);
	for (uint32_t uid = 1; uid <= m->last + 2; uid++) {
		uint32_t seq = at < m->n && m->uids[at] == uid ? ++at : 0;

		assert_int_equal(view_seq(view, uid), seq);
		assert_int_equal(view_cursor_seq(view, &cursor, uid), seq);
		if (seq)
			assert_int_equal(view_uid(view, seq), uid);
	}
	for (size_t i = 1; i < view->n; i++)
		assert_true(view->runs[i - 1].uid + view->runs[i - 1].n < view->runs[i].uid);
}

static void a_view_is_what_a_plain_array_is(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 40; seed++) {
		uint64_t random = seed;
		struct view view = {0};
		struct model *m = calloc(1, sizeof *m);

		for (int round = 0; round < 60; round++) {
			append_some(&view, m, &random);
			if (chance(&random, 2))
				remove_some(&view, m, &random);
			compare(&view, m);
		}
		view_fini(&view);
		free(m);
	}
}

static void the_highest_uids_can_be_removed(void **state)
{
	const uint32_t gone[] = {UINT32_MAX - 1, UINT32_MAX};
	struct view view = {0};

	(void)state;
	view_append(&view, UINT32_MAX - 2);
	view_append(&view, UINT32_MAX - 1);
	view_append(&view, UINT32_MAX);
	assert_int_equal(view_seq(&view, UINT32_MAX), 3);
	view_remove(&view, gone + 1, 1);
	assert_int_equal(view.exists, 2);
	view_remove(&view, gone, 2);
	assert_int_equal(view.exists, 1);
	assert_int_equal(view_last_uid(&view), UINT32_MAX - 2);
	view_fini(&view);
}

static void sequence_numbers_become_ranges_of_uids(void **state)
{
	struct uid_range ranges[] = {{1, 2}, {4, 4}};
	struct seq_set set = {.ranges = ranges, .n = 2};
	struct view view = {0};

	(void)state;
	view_append(&view, 10);
	view_append(&view, 20);
	view_append(&view, 21);
	view_append(&view, 30);
	view_uids(&view, &set);
	assert_int_equal(ranges[0].from, 10);
	assert_int_equal(ranges[0].to, 20);
	assert_int_equal(ranges[1].from, 30);
	assert_int_equal(ranges[1].to, 30);
	view_fini(&view);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_view_is_what_a_plain_array_is),
		cmocka_unit_test(the_highest_uids_can_be_removed),
		cmocka_unit_test(sequence_numbers_become_ranges_of_uids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
