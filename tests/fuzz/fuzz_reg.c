/*
 * Fuzz target for limits/registry_text.c, registry_tree.c, setting.c and text.c: `.reg` text of any form.
 *
 * Whatever the bytes are, they are refused with a reason or make a tree; a tree's text makes the same
 * tree again, so that what was imported once survives every later change.
 */
#include "limits/registry_page.h"
#include "limits/registry_tree.h"
#include "base/check.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n);

static int apply(void *arg, const struct reg_step *step, struct err *e)
{
	(void)e;
	reg_tree_apply(arg, step);
	return 0;
}

static int parse(struct str_view text, struct reg_tree *tree)
{
	struct err e = {0};

	if (reg_text_parse(text, tree->arena, apply, tree, &e) == 0)
		return 0;
	CHECK((e.code == ERR_INVALID || e.code == ERR_TOOBIG) && *e.what);
	return -1;
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	struct arena arena = {0};
	struct reg_tree tree = {.arena = &arena}, again = {.arena = &arena};
	struct str_buf once = {0}, twice = {0};
	struct page_slot *slot;

	if (parse(str_view((const char *)octets, n), &tree) == 0) {
		reg_text_print(&tree, &once);
		CHECK(parse(str_buf_view(&once), &again) == 0);
		reg_text_print(&again, &twice);
		CHECK(str_equal(str_buf_view(&once), str_buf_view(&twice)));
		slot = malloc(sizeof *slot);
		CHECK(slot);
		page_fill(slot, &tree, (struct page_stamp){0});
		for (int i = 0; i < SETTINGS_N; i++)
			CHECK(slot->values[i] >= setting_rows[i].min && slot->values[i] <= setting_rows[i].max);
		free(slot);
	}
	str_buf_fini(&once);
	str_buf_fini(&twice);
	arena_fini(&arena);
	return 0;
}
