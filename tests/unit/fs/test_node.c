/* tests/unit/fs/test_node.c - node numbers, and the table of kinds. */
#include "fs/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void a_number_says_all_there_is_to_know(void **state)
{
	static const struct node rows[] = {
	    {NODE_root, 0, 0}, {NODE_mail, 0, 0}, {NODE_folder, 1, 0}, {NODE_message, 1, 1},
	    {NODE_message, NODE_SLOT_MAX, 4294967295u}, {NODE_regvalue, 77, 88},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct node n = node_of_ino(node_ino(rows[i]));

		assert_int_equal(n.kind, rows[i].kind);
		assert_int_equal(n.slot, rows[i].slot);
		assert_int_equal(n.item, rows[i].item);
	}
	assert_int_equal(node_ino(rows[0]), 1);
}

static void a_number_that_is_none_of_ours_is_no_node(void **state)
{
	static const uint64_t rows[] = {0, 2, (uint64_t)63 << 58, UINT64_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_int_equal(node_of_ino(rows[i]).kind, NODE_NONE);
	assert_null(node_rows[NODE_NONE]);
}

/* What ops.c relies on without asking. */
static void every_kind_has_its_row(void **state)
{
	(void)state;
	for (int kind = NODE_NONE + 1; kind < NODE_KINDS_N; kind++) {
		const struct node_row *row = node_rows[kind];

		assert_non_null(row);
		assert_non_null(row->name);
		assert_non_null(row->attr);
		assert_true(row->is_dir == ((row->lookup != NULL) != (row->lookup_for != NULL)));
		assert_true(row->is_dir == ((row->list != NULL) != (row->list_open != NULL)));
		assert_true(((row->is_dir != 0) + (row->readlink != NULL)) <= 1);
		assert_true(row->is_dir || row->readlink || row->open);
		if (row->is_session)
			assert_non_null(row->folder);
		assert_true((row->remember != NULL) == (row->forget != NULL));
	}
}

static void inode_numbers_are_stable_and_apart(void **state)
{
	struct tree t = {.ino_key = {1, 2}};
	uint64_t a = tree_st_ino(&t, 1, NODE_message, 1, 1);

	(void)state;
	assert_true(a == tree_st_ino(&t, 1, NODE_message, 1, 1));
	assert_true(a != tree_st_ino(&t, 2, NODE_message, 1, 1));
	assert_true(a != tree_st_ino(&t, 1, NODE_folder, 1, 1));
	assert_true(a != tree_st_ino(&t, 1, NODE_message, 2, 1));
	assert_true(a != tree_st_ino(&t, 1, NODE_message, 1, 2));
	assert_true(tree_st_ino(&t, 1, NODE_message, 1, 2) != tree_st_ino(&t, 1, NODE_message, 2, 1));
}

static void slots_are_found_and_given_again(void **state)
{
	struct slots s = {0};
	int things[3000];

	(void)state;
	slots_init(&s);
	for (int i = 0; i < 3000; i++)
		assert_int_equal(slots_add(&s, &things[i]), i + 1);
	for (int i = 0; i < 3000; i++)
		assert_ptr_equal(slots_get(&s, (uint32_t)i + 1), &things[i]);
	assert_null(slots_get(&s, 0));
	assert_null(slots_get(&s, 3001));
	assert_null(slots_get(&s, NODE_SLOT_MAX));
	assert_null(slots_get(&s, UINT32_MAX));
	slots_drop(&s, 17);
	assert_null(slots_get(&s, 17));
	assert_int_equal(slots_add(&s, &things[0]), 17);
	slots_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_number_says_all_there_is_to_know),
	    cmocka_unit_test(a_number_that_is_none_of_ours_is_no_node),
	    cmocka_unit_test(every_kind_has_its_row),
	    cmocka_unit_test(inode_numbers_are_stable_and_apart),
	    cmocka_unit_test(slots_are_found_and_given_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
