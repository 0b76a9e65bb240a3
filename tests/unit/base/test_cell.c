/* tests/unit/base/test_cell.c - a number in a file, read with a load. */
#include "base/cell.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static void write_number(int fd, uint64_t n)
{
	assert_int_equal(pwrite(fd, &n, sizeof n, 0), sizeof n);
}

static void a_number_is_read_as_it_was_last_written(void **state)
{
	char path[] = "/tmp/postern-cell-XXXXXX";
	struct cell cell = {0};
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(unlink(path), 0);
	/* An empty file is not mapped: to read behind its end would be a signal. */
	assert_int_equal(cell_read(&cell, fd), 0);
	assert_null(cell.at);
	write_number(fd, 7);
	assert_int_equal(cell_read(&cell, fd), 7);
	assert_non_null(cell.at);
	write_number(fd, UINT64_MAX);
	/* Mapped, it needs the file no more. */
	assert_int_equal(cell_read(&cell, -1), UINT64_MAX);
	cell_fini(&cell);
	assert_null(cell.at);
	assert_int_equal(cell_read(&cell, fd), UINT64_MAX);
	cell_fini(&cell);
	close(fd);
}

static void where_there_is_no_file_the_number_is_zero(void **state)
{
	struct cell cell = {0};

	(void)state;
	assert_int_equal(cell_read(&cell, -1), 0);
	cell_fini(&cell);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_number_is_read_as_it_was_last_written),
	    cmocka_unit_test(where_there_is_no_file_the_number_is_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
