/* store/view against a model: a plain array of UIDs, over random appends and removals. */
#include "store/view.h"

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
	struct store_uid gone[200] = {{0}};
	size_t n = 0;
	uint32_t uid = chance(seed, m->last + 1);

	for (uint32_t k = chance(seed, 40); k > 0; k--) {
		gone[n++].n = uid;
		if (chance(seed, 5) == 0)
			gone[n++].n = uid;
		uid += chance(seed, 3) ? 1 : chance(seed, 20);
	}
	view_remove(view, gone, n);
	for (size_t i = 0; i < n; i++) {
		for (uint32_t at = 0; at < m->n; at++) {
			if (m->uids[at] != gone[i].n)
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
		assert_int_equal(view_rank(view, uid), at);
		if (seq)
			assert_int_equal(view_uid(view, seq), uid);
	}
	for (uint32_t i = 1; i < view->n; i++)
		assert_true(view_run(view, i - 1, &at).to + 1 < view_run(view, i, &at).from);
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
	const struct store_uid gone[] = {{UINT32_MAX - 1}, {UINT32_MAX}};
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

/* What a view has and a later one has not, told by ranges; and the view stays what it was. */
static void a_shared_view_stays_and_the_difference_is_told(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 200; seed++) {
		uint64_t random = seed;
		struct view view = {0}, before;
		struct model *m = calloc(1, sizeof *m), *old = calloc(1, sizeof *m);
		struct arena arena = {0};
		uint32_t missing_n = 0;
		size_t n;

		append_some(&view, m, &random);
		append_some(&view, m, &random);
		before = view_share(&view);
		*old = *m;
		for (uint32_t k = chance(&random, 4); k > 0; k--)
			remove_some(&view, m, &random);
		append_some(&view, m, &random);
		compare(&view, m);
		compare(&before, old);
		struct uid_range *missing = view_missing(&before, &view, &arena, &n);

		for (size_t i = 0; i < n; i++) {
			assert_true(i == 0 || missing[i - 1].to < missing[i].from);
			for (uint32_t uid = missing[i].from; uid <= missing[i].to; uid++) {
				assert_int_not_equal(view_seq(&before, uid), 0);
				assert_int_equal(view_seq(&view, uid), 0);
				missing_n++;
			}
		}
		assert_int_equal(view_rank(&view, old->last) + missing_n, before.exists);
		view_fini(&view);
		compare(&before, old);
		view_fini(&before);
		arena_fini(&arena);
		free(m);
		free(old);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_view_is_what_a_plain_array_is),
		cmocka_unit_test(the_highest_uids_can_be_removed),
		cmocka_unit_test(a_shared_view_stays_and_the_difference_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
