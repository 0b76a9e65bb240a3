/* What may be a dead mount is named without asking it. */
#include "base/mountinfo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void folder_of_a_path_is_resolved_and_its_name_is_not(void **state)
{
	char dir[] = "/tmp/postern-test-XXXXXX", real[PATH_MAX], want[PATH_MAX];

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chdir(dir), 0);
	assert_non_null(realpath(dir, want));
	strcat(want, "/mnt");
	assert_int_equal(symlink("/nowhere", "mnt"), 0);
	assert_true(mountinfo_real_path("mnt", real));
	assert_string_equal(real, want);
	assert_true(mountinfo_real_path("./mnt//", real));
	assert_string_equal(real, want);
	assert_true(mountinfo_real_path("../x", real));
	assert_string_equal(real, "/tmp/x");
	assert_true(mountinfo_real_path("/mnt", real));
	assert_string_equal(real, "/mnt");
	assert_true(mountinfo_real_path("/", real));
	assert_string_equal(real, "/");
	assert_true(mountinfo_real_path(".", real));
	*strrchr(want, '/') = '\0';
	assert_string_equal(real, want);
	assert_false(mountinfo_real_path("nowhere/mnt", real));
	unlink("mnt");
	rmdir(dir);
}

static void what_is_no_mount_of_ours_is_not_found(void **state)
{
	struct mountinfo mount;

	(void)state;
	assert_false(mountinfo_find("/proc", NULL, &mount));
	assert_false(mountinfo_find(NULL, "4095:4095", &mount));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(folder_of_a_path_is_resolved_and_its_name_is_not),
	    cmocka_unit_test(what_is_no_mount_of_ours_is_not_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
