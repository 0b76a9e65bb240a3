/* tests/unit/ctl/test_export.c */
#include "cmocka_all.h"

#include "ctl/export.h"

#include <string.h>

static void folder_names_become_paths_that_stay_inside(void **state)
{
	static const struct {
		const char *folder, *path;
	} cases[] = {
	    {"INBOX", "INBOX"},
	    {"A/B/C", "A/B/C"},
	    {"..", "%2E."},
	    {"A/../..", "A/%2E./%2E."},
	    {".hidden", "%2Ehidden"},
	    {"cur", "%63ur"},
	    {"A/new/tmp", "A/%6Eew/%74mp"},
	    {"curious", "curious"},
	    {"\xc3\xa9t\xc3\xa9", "\xc3\xa9t\xc3\xa9"},
	    {"100%25", "100%25"},
	    {"%", "%"},
	    {"%2E.", "%252E."},
	    {"%252Ex", "%25252Ex"},
	    {"%63ur", "%2563ur"},
	    {"%63urious", "%63urious"},
	    {"%25", "%25"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct str_buf path = {0};

		export_path(cases[i].folder, &path);
		assert_string_equal(path.p, cases[i].path);
		if (!strchr(cases[i].folder, '/')) {
			struct str_buf back = {0};

			export_component_read(path.p, &back);
			assert_string_equal(back.p, cases[i].folder);
			str_buf_fini(&back);
		}
		str_buf_fini(&path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(folder_names_become_paths_that_stay_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
