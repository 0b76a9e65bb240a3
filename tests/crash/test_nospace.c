/*
 * A full disk, which is a small tmpfs of the test's own: an append says NOSPACE, nothing of it is
 * stored, everything else goes on, and when there is room again so do appends.
 */
#include "../unit/store/support.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cmocka.h>

static char tmpfs[64] = "/tmp/postern-full-XXXXXX";

/* One append; ERR_NONE or why not. */
static enum err_code try_append(struct support *s, struct store *store, struct folder_id inbox,
    size_t octets)
{
	struct append_how how = {.folder = inbox, .idate_ms = INT64_MIN};
	struct append_done done;
	struct append *append;
	char kb[1024];

	memset(kb, 'x', sizeof kb);
	OK(append_begin(store, &append, &s->e));
	for (size_t at = 0; at < octets; at += sizeof kb)
		if (append_write(append, kb, sizeof kb, &s->e) < 0) {
			append_abort(&append);
			return s->e.code;
		}
	return append_commit(&append, &how, 1, &done, &s->e) < 0 ? s->e.code : ERR_NONE;
}

static void compare_all(struct support *s, struct store *store, struct folder_id inbox, uint32_t n)
{
	struct folder_info f;

	OK(folder_by_id(store, inbox, &s->arena, &f, &s->e));
	assert_int_equal(f.exists, n);
	for (uint32_t uid = 1; uid <= n; uid++) {
		struct message_info m = support_message(s, store, inbox, uid);

		assert_int_equal(support_read(s, store, m.content).n, m.size);
	}
	support_check(s, store);
}

/* With messages of a size: those in memory, and those that are spooled. */
static void fill_with(struct support *s, struct store *store, size_t octets, uint32_t *n)
{
	struct folder_id inbox = support_folder(s, store, "INBOX");
	enum err_code code;

	while ((code = try_append(s, store, inbox, octets)) == ERR_NONE)
		++*n;
	assert_int_equal(code, ERR_NOSPACE);
	for (int i = 0; i < 3; i++)
		assert_int_equal(try_append(s, store, inbox, octets), ERR_NOSPACE);
	compare_all(s, store, inbox, *n);
}

static void a_full_disk_stores_nothing_by_halves(void **state)
{
	struct support support, *s = &support;
	struct store *store;
	uint32_t n = 0;

	(void)state;
	support_begin(s);
	store = support_open(s, s->alice);
	fill_with(s, store, 1048576, &n);
	fill_with(s, store, 65536, &n);
	fill_with(s, store, 1024, &n);
	assert_int_equal(mount("tmpfs", tmpfs, NULL, MS_REMOUNT, "size=32m"), 0);
	assert_int_equal(try_append(s, store, support_folder(s, store, "INBOX"), 1048576), ERR_NONE);
	compare_all(s, store, support_folder(s, store, "INBOX"), n + 1);
	support_close(&store);
	support_end(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_full_disk_stores_nothing_by_halves),
	};
	int r;

	if (!mkdtemp(tmpfs))
		return 1;
	if (mount("tmpfs", tmpfs, "tmpfs", MS_NOSUID | MS_NODEV, "size=8m") < 0) {
		printf("SKIP: a tmpfs can't be mounted here: %s\n", strerror(errno));
		rmdir(tmpfs);
		return 77;
	}
	setenv("TMPDIR", tmpfs, 1);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	umount2(tmpfs, MNT_DETACH);
	rmdir(tmpfs);
	return r;
}
