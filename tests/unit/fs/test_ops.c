/* tests/unit/fs/test_ops.c - each operation of the mount as the kernel asks for it, and each refusal. */
#include "kernel.h"

#include "fs/name.h"

#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define TEXT "Subject: first\n\nHello\n"
#define TEXT_CRLF "Subject: wire\r\n\r\nHello\r\n"

static struct kernel kernel;
static uint64_t inbox, top;
static struct store *store; /* what another process would use */

static int begin(void **state)
{
	*state = &kernel;
	kernel_begin(&kernel);
	store = support_open(&kernel.site, kernel.site.alice);
	top = kernel_node(&kernel, "mail/alice");
	inbox = kernel_node(&kernel, "mail/alice/INBOX");
	return 0;
}

static int end(void **state)
{
	(void)state;
	support_check(&kernel.site, store);
	support_close(&store);
	kernel_end(&kernel);
	return 0;
}

static uint32_t append(struct kernel *k, const char *text)
{
	return support_append(&k->site, store, support_folder(&k->site, store, "INBOX"), text, 0);
}

/* "INBOX" or "view/x": the names in it, as lines. */
static void assert_names(struct kernel *k, uint64_t node, const char *want)
{
	struct str_buf plain = {0}, plus = {0};

	assert_int_equal(kernel_list(k, node, false, &plain), 0);
	assert_int_equal(kernel_list(k, node, true, &plus), 0);
	assert_string_equal(plain.n ? plain.p : "", want);
	assert_string_equal(plus.n ? plus.p : "", want);
	str_buf_fini(&plain);
	str_buf_fini(&plus);
}

static void assert_text(struct kernel *k, uint64_t node, const char *want)
{
	struct str_buf text = {0};

	assert_int_equal(kernel_cat(k, node, &text), 0);
	assert_string_equal(text.n ? text.p : "", want);
	str_buf_fini(&text);
}

static int mkdir_in(struct kernel *k, uint64_t dir, const char *name)
{
	struct fuse_mkdir_in in = {.mode = 0700};

	return kernel_ask(k, FUSE_MKDIR, dir, &in, sizeof in, name, NULL, 0);
}

static int name_op(struct kernel *k, uint32_t opcode, uint64_t dir, const char *name)
{
	return kernel_ask(k, opcode, dir, NULL, 0, name, NULL, 0);
}

static unsigned held(struct kernel *k)
{
	struct session_counts counts;
	struct err e;

	support_ok(session_count(k->site.site, k->site.alice, &counts, &e), &e, "session_count", __FILE__,
	    __LINE__);
	return counts.all - 1; /* the store's */
}

/* ---- names and attributes ---------------------------------------------------------------------------- */

static void the_root_shows_the_trees_and_mail_its_users(void **state)
{
	struct kernel *k = *state;
	struct fuse_entry_out entry;
	struct fuse_attr attr;

	assert_int_equal(kernel_attr(k, FUSE_ROOT_ID, &attr), 0);
	assert_int_equal(attr.mode, S_IFDIR | 0755);
	assert_int_equal(kernel_lookup(k, FUSE_ROOT_ID, "nothing", &entry), ENOENT);
	assert_int_equal(kernel_attr(k, kernel_node(k, "mail"), &attr), 0);
	assert_int_equal(attr.mode, S_IFDIR | 0711);
	assert_names(k, kernel_node(k, "mail"), "alice\nbob\n");
	assert_int_equal(kernel_lookup(k, kernel_node(k, "mail"), "nobody", &entry), ENOENT);
	assert_int_equal(kernel_attr(k, top, &attr), 0);
	assert_int_equal(attr.mode, S_IFDIR | 0700);
}

static void a_message_is_a_file_of_true_size_that_reads_as_it_should(void **state)
{
	struct kernel *k = *state;
	struct fuse_entry_out entry, alias;

	append(k, TEXT_CRLF);
	assert_int_equal(kernel_lookup(k, inbox, "1.eml", &alias), 0);
	assert_int_equal(alias.entry_valid, 0); /* an alias is not kept */
	assert_int_equal(alias.attr.mode, S_IFREG | 0600);
	assert_int_equal(alias.attr.size, strlen("Subject: wire\n\nHello\n"));
	assert_int_equal(kernel_lookup(k, inbox, "00000001.eml", &entry), 0);
	assert_int_equal(entry.nodeid, alias.nodeid);
	assert_text(k, entry.nodeid, "Subject: wire\n\nHello\n");
	assert_int_equal(kernel_lookup(k, inbox, "2.eml", &entry), ENOENT);
	assert_int_equal(kernel_lookup(k, inbox, "0.eml", &entry), ENOENT);
	/* Another comes, and is there at once. */
	append(k, TEXT_CRLF);
	assert_int_equal(kernel_lookup(k, inbox, "2.eml", &entry), 0);
}

static void names_that_are_too_long_are_told_so(void **state)
{
	struct kernel *k = *state;
	struct fuse_entry_out entry;
	struct fuse_open_out open;
	char name[300];

	memset(name, 'x', sizeof name);
	memcpy(name + 256, ".eml", 5);
	assert_int_equal(kernel_lookup(k, inbox, name, &entry), ENAMETOOLONG);
	assert_int_equal(kernel_create(k, inbox, name, &entry, &open), ENAMETOOLONG);
	assert_int_equal(mkdir_in(k, inbox, name), ENAMETOOLONG);
}

static void a_node_that_never_was_is_stale(void **state)
{
	struct kernel *k = *state;
	struct fuse_entry_out entry;
	struct fuse_open_out open;
	struct fuse_attr attr;
	uint64_t odd[] = {2, 12345, (uint64_t)NODE_message << 58 | 77ull << 32 | 5, (uint64_t)63 << 58,
	    (uint64_t)NODE_folder << 58 | 9999ull << 32, (uint64_t)NODE_draft << 58 | 3ull << 32 | 1};

	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
		assert_int_not_equal(kernel_attr(k, odd[i], &attr), 0);
		assert_int_not_equal(kernel_open(k, odd[i], O_RDONLY, &open), 0);
		assert_int_not_equal(kernel_opendir(k, odd[i], &open), 0);
		assert_int_not_equal(kernel_lookup(k, odd[i], "x", &entry), 0);
		assert_int_not_equal(name_op(k, FUSE_UNLINK, odd[i], "x"), 0);
		assert_int_not_equal(mkdir_in(k, odd[i], "x"), 0);
		assert_int_not_equal(kernel_rename(k, odd[i], "x", inbox, "y", 0), 0);
		assert_int_not_equal(kernel_getxattr(k, odd[i], "user.flags"), 0);
	}
	assert_int_equal(held(k), 0);
}

static void times_and_owners_of_a_message_are_settled(void **state)
{
	struct kernel *k = *state;
	struct fuse_setattr_in same = {.valid = FATTR_MODE | FATTR_UID, .mode = 0644},
	    other = {.valid = FATTR_UID, .uid = 12345}, size = {.valid = FATTR_SIZE},
	    mtime = {.valid = FATTR_MTIME, .mtime = 1};
	uint64_t message;
	struct fuse_attr attr;

	append(k, TEXT_CRLF);
	message = kernel_node(k, "mail/alice/INBOX/1.eml");
	assert_int_equal(kernel_attr(k, message, &attr), 0);
	same.uid = attr.uid;
	assert_int_equal(kernel_setattr(k, message, &same), 0);
	assert_int_equal(kernel_setattr(k, message, &other), EPERM);
	assert_int_equal(kernel_setattr(k, message, &size), EPERM);
	assert_int_equal(kernel_setattr(k, message, &mtime), EPERM);
	assert_int_equal(kernel_setattr(k, inbox, &other), EPERM);
	assert_int_equal(kernel_setattr(k, inbox, &same), 0);
}

static void the_file_system_is_told_with_the_length_of_names(void **state)
{
	struct kernel *k = *state;
	struct fuse_statfs_out out;

	assert_int_equal(kernel_ask(k, FUSE_STATFS, inbox, NULL, 0, NULL, NULL, 0), 0);
	assert_int_equal(k->reply_n, sizeof out);
	memcpy(&out, k->reply, sizeof out);
	assert_int_equal(out.st.namelen, NAME_MAX_BYTES);
	assert_true(out.st.blocks > 0);
}

/* ---- files become messages ------------------------------------------------------------------------- */

static void a_closed_file_is_a_message_under_its_name(void **state)
{
	struct kernel *k = *state;
	struct fuse_entry_out entry;

	assert_int_equal(kernel_put(k, inbox, "a letter.eml", TEXT), 0);
	assert_names(k, inbox, "a letter.eml\n");
	assert_int_equal(kernel_lookup(k, inbox, "a letter.eml", &entry), 0);
	assert_text(k, entry.nodeid, TEXT);
	assert_int_equal(held(k), 0);
	/* It is the same after the mount came again. */
	kernel_remount(k);
	assert_text(k, kernel_node(k, "mail/alice/INBOX/a letter.eml"), TEXT);
}

static void a_message_appears_when_the_last_writer_closes_and_not_at_a_flush(void **state)
{
	struct kernel *k = *state;
	struct fuse_entry_out entry;
	struct fuse_open_out open;

	assert_int_equal(kernel_create(k, inbox, "x.eml", &entry, &open), 0);
	assert_int_equal(kernel_flush(k, entry.nodeid, open.fh), 0);
	assert_int_equal(kernel_write(k, entry.nodeid, open.fh, 0, TEXT, 10), 0);
	assert_int_equal(kernel_flush(k, entry.nodeid, open.fh), 0);
	assert_int_equal(kernel_write(k, entry.nodeid, open.fh, 10, TEXT + 10, strlen(TEXT) - 10), 0);
	assert_int_equal(kernel_flush(k, entry.nodeid, open.fh), 0);
	assert_int_equal(held(k), 1);
	assert_int_equal(support_folder(&k->site, store, "INBOX").n > 0, 1);
	assert_int_equal(kernel_release(k, entry.nodeid, open.fh), 0);
	assert_names(k, inbox, "x.eml\n");
	assert_text(k, kernel_node(k, "mail/alice/INBOX/x.eml"), TEXT);
}

/* The mailbox as another process holds it that writes: what is closed meanwhile waits. */
static int hold_writer(struct kernel *k)
{
	char path[128];
	int fd;

	snprintf(path, sizeof path, "mail/%02x/%016llx/mail.lock", (unsigned)(k->site.alice.n >> 56),
	    (unsigned long long)k->site.alice.n);
	fd = openat(site_dir_fd(k->site.site), path, O_RDWR | O_CLOEXEC);
	assert_int_equal(io_lock_wait(fd, 0, 1), 0);
	return fd;
}

static char *modseq_of(struct kernel *k, const char *path)
{
	assert_int_equal(kernel_getxattr(k, kernel_node(k, path), "user.modseq"), 0);
	return strdup(k->reply);
}

static void files_closed_while_the_store_is_busy_become_messages_in_one_commit(void **state)
{
	struct kernel *k = *state;
	struct fuse_entry_out entry;
	struct fuse_setattr_in when = {.valid = FATTR_MTIME, .mtime = 1000000000};
	struct fuse_getxattr_in list = {.size = 100};
	uint64_t asked, set;
	int fd = hold_writer(k);
	char *first, *second, *third;

	assert_int_equal(kernel_put(k, inbox, "0.a.eml", TEXT), 0); /* the lane waits with it */
	assert_int_equal(kernel_put(k, inbox, "1.a.eml", TEXT), 0);
	assert_int_equal(kernel_put(k, inbox, "2.a.eml", TEXT), 0);
	assert_int_equal(kernel_put(k, kernel_node(k, "mail/alice/Sent"), "3.a.eml", TEXT), 0);
	/* Who asks for names, or makes one, does not wait for them; he sees the file. */
	assert_int_equal(kernel_lookup(k, inbox, "4.a.eml", &entry), ENOENT);
	assert_int_equal(kernel_lookup(k, inbox, "2.a.eml", &entry), 0);
	assert_int_equal(entry.attr.size, strlen(TEXT));
	assert_int_equal(entry.entry_valid, 0);
	/* Who asks for what only the message has waits, and is told to look again. */
	asked = kernel_send(k, FUSE_LISTXATTR, entry.nodeid, &list, sizeof list, NULL, NULL, 0);
	set = kernel_send(k, FUSE_SETATTR, entry.nodeid, &when, sizeof when, NULL, NULL, 0);
	close(fd);
	assert_int_equal(kernel_wait(k, asked), ESTALE);
	assert_int_equal(kernel_wait(k, set), ESTALE);
	assert_names(k, inbox, "0.a.eml\n1.a.eml\n2.a.eml\n");
	first = modseq_of(k, "mail/alice/INBOX/1.a.eml");
	second = modseq_of(k, "mail/alice/INBOX/2.a.eml");
	third = modseq_of(k, "mail/alice/Sent/3.a.eml");
	assert_string_equal(first, second);
	assert_string_equal(first, third);
	assert_text(k, kernel_node(k, "mail/alice/INBOX/2.a.eml"), TEXT);
	free(first);
	free(second);
	free(third);
}

static void one_that_cannot_be_as_it_is_keeps_none_of_the_others_from_being(void **state)
{
	struct kernel *k = *state;
	struct append_how how = {.folder = support_folder(&k->site, store, "INBOX"), .idate_ms = INT64_MIN, .name = "1.a.eml"};
	struct fuse_setattr_in when = {.valid = FATTR_MTIME, .mtime = 1000000000};
	struct fuse_entry_out entries[3];
	struct fuse_open_out opens[3];
	struct append *append;
	struct append_done done;
	struct err *e = &k->site.e;
	int fd;

	for (int i = 0; i < 3; i++) {
		char name[] = "0.a.eml";

		name[0] = (char)(name[0] + i);
		assert_int_equal(kernel_create(k, inbox, name, &entries[i], &opens[i]), 0);
		assert_int_equal(kernel_write(k, entries[i].nodeid, opens[i].fh, 0, TEXT, strlen(TEXT)), 0);
		assert_int_equal(kernel_setattr(k, entries[i].nodeid, &when), 0);
		assert_int_equal(kernel_flush(k, entries[i].nodeid, opens[i].fh), 0);
	}
	/* Somebody else gives the name of one of them away. */
	assert_int_equal(append_begin(store, &append, e), 0);
	assert_int_equal(append_write(append, TEXT_CRLF, strlen(TEXT_CRLF), e), 0);
	assert_int_equal(append_commit(&append, &how, 1, &done, e), 0);
	fd = hold_writer(k);
	for (int i = 0; i < 3; i++)
		assert_int_equal(kernel_release(k, entries[i].nodeid, opens[i].fh), 0);
	close(fd);
	assert_names(k, inbox, "1.a.eml\n0.a.eml\n20010909-014640.00000003.first.eml\n2.a.eml\n");
	assert_text(k, kernel_node(k, "mail/alice/INBOX/3.eml"), TEXT);
	assert_text(k, kernel_node(k, "mail/alice/INBOX/2.a.eml"), TEXT);
}

static void an_empty_file_is_no_message_and_no_error(void **state)
{
	struct kernel *k = *state;
	struct fuse_entry_out entry;
	struct fuse_open_out open;

	assert_int_equal(kernel_create(k, inbox, "empty.eml", &entry, &open), 0);
	assert_int_equal(kernel_flush(k, entry.nodeid, open.fh), 0);
	assert_int_equal(kernel_release(k, entry.nodeid, open.fh), 0);
	assert_names(k, inbox, "");
}

static void other_names_are_refused_where_they_are_made(void **state)
{
	struct kernel *k = *state;
	struct fuse_entry_out entry;
	struct fuse_open_out open;

	assert_int_equal(kernel_create(k, inbox, "notes.txt", &entry, &open), EINVAL);
	assert_int_equal(kernel_create(k, inbox, "\xff.eml", &entry, &open), EILSEQ);
	assert_int_equal(kernel_create(k, top, "x.eml", &entry, &open), EPERM);
	assert_int_equal(kernel_create(k, FUSE_ROOT_ID, "x.eml", &entry, &open), EPERM);
	assert_int_equal(kernel_put(k, inbox, "x.eml", TEXT), 0);
	assert_int_equal(kernel_create(k, inbox, "x.eml", &entry, &open), EEXIST);
	assert_int_equal(held(k), 0);
}

static void messages_are_not_opened_for_writing(void **state)
{
	struct kernel *k = *state;
	struct fuse_open_out open;
	uint64_t message;

	append(k, TEXT_CRLF);
	message = kernel_node(k, "mail/alice/INBOX/1.eml");
	assert_int_equal(kernel_open(k, message, O_WRONLY, &open), EPERM);
	assert_int_equal(kernel_open(k, message, O_RDWR, &open), EPERM);
	assert_int_equal(kernel_open(k, message, O_RDONLY | O_TRUNC, &open), EPERM);
	assert_int_equal(kernel_open(k, message, O_RDONLY, &open), 0);
	assert_int_equal(kernel_write(k, message, open.fh, 0, "x", 1), EBADF);
	assert_int_equal(kernel_release(k, message, open.fh), 0);
	assert_int_equal(held(k), 0);
}

static void scratch_is_kept_aside_until_it_is_renamed(void **state)
{
	struct kernel *k = *state;
	struct fuse_entry_out entry;

	assert_int_equal(kernel_put(k, inbox, ".x.eml.AbC123", TEXT), 0);
	assert_names(k, inbox, ".x.eml.AbC123\n");
	assert_int_equal(kernel_rename(k, inbox, ".x.eml.AbC123", inbox, "x.eml", 0), 0);
	assert_names(k, inbox, "x.eml\n");
	assert_text(k, kernel_node(k, "mail/alice/INBOX/x.eml"), TEXT);
	assert_int_equal(kernel_put(k, inbox, "draft~", TEXT), 0);
	assert_int_equal(name_op(k, FUSE_UNLINK, inbox, "draft~"), 0);
	assert_int_equal(kernel_lookup(k, inbox, "draft~", &entry), ENOENT);
}

static void a_time_set_before_the_close_is_the_arrival_time(void **state)
{
	struct kernel *k = *state;
	struct fuse_setattr_in when = {.valid = FATTR_MTIME, .mtime = 1000000000};
	struct fuse_entry_out entry;
	struct fuse_open_out open;

	assert_int_equal(kernel_create(k, inbox, "x.eml", &entry, &open), 0);
	assert_int_equal(kernel_write(k, entry.nodeid, open.fh, 0, TEXT, strlen(TEXT)), 0);
	assert_int_equal(kernel_setattr(k, entry.nodeid, &when), 0);
	assert_int_equal(kernel_release(k, entry.nodeid, open.fh), 0);
	assert_int_equal(kernel_lookup(k, inbox, "x.eml", &entry), 0);
	assert_int_equal(entry.attr.mtime, 1000000000);
	assert_names(k, inbox, "x.eml\n");
	assert_int_equal(kernel_lookup(k, inbox, "x.eml", &entry), 0);
	assert_int_equal(entry.attr.mtime, 1000000000);
	assert_int_equal(kernel_getxattr(k, entry.nodeid, "user.internaldate"), 0);
	assert_string_equal(k->reply, "2001-09-09T01:46:40.000Z");
}

/* ---- messages go, move, are named --------------------------------------------------------------------- */

static void rm_moves_to_trash_and_expunges_there(void **state)
{
	struct kernel *k = *state;

	assert_int_equal(kernel_put(k, inbox, "x.eml", TEXT), 0);
	assert_int_equal(name_op(k, FUSE_UNLINK, inbox, "x.eml"), 0);
	assert_names(k, inbox, "");
	assert_int_equal(name_op(k, FUSE_UNLINK, inbox, "x.eml"), ENOENT);
	assert_int_equal(name_op(k, FUSE_UNLINK, kernel_node(k, "mail/alice/Trash"), "1.eml"), 0);
	assert_names(k, kernel_node(k, "mail/alice/Trash"), "");
}

static void who_has_it_open_goes_on_reading(void **state)
{
	struct kernel *k = *state;
	struct fuse_open_out open;
	struct fuse_attr attr;
	uint64_t message;

	append(k, TEXT_CRLF);
	message = kernel_node(k, "mail/alice/INBOX/1.eml");
	assert_int_equal(kernel_open(k, message, O_RDONLY, &open), 0);
	assert_int_equal(name_op(k, FUSE_UNLINK, inbox, "1.eml"), 0);
	assert_int_equal(kernel_read(k, message, open.fh, 0, 4096), 0);
	assert_string_equal(k->reply, "Subject: wire\n\nHello\n");
	assert_int_equal(kernel_attr(k, message, &attr), 0);
	assert_int_equal(attr.nlink, 0);
	assert_int_equal(kernel_release(k, message, open.fh), 0);
	assert_int_equal(kernel_attr(k, message, &attr), ESTALE);
}

static void mv_names_and_moves_and_replaces(void **state)
{
	struct kernel *k = *state;
	uint64_t work, message;

	assert_int_equal(mkdir_in(k, top, "Work"), 0);
	work = kernel_node(k, "mail/alice/Work");
	assert_int_equal(kernel_put(k, inbox, "x.eml", TEXT), 0);
	assert_names(k, inbox, "x.eml\n");
	message = kernel_node(k, "mail/alice/INBOX/x.eml");
	assert_int_equal(kernel_rename(k, inbox, "x.eml", inbox, "y.eml", 0), 0);
	assert_int_equal(kernel_node(k, "mail/alice/INBOX/y.eml"), message); /* the same UID */
	assert_int_equal(kernel_rename(k, inbox, "y.eml", inbox, "y.txt", 0), EINVAL);
	assert_int_equal(kernel_rename(k, inbox, "y.eml", work, "y.eml", 0), 0);
	assert_names(k, inbox, "");
	assert_names(k, work, "y.eml\n");
	assert_int_equal(kernel_rename(k, inbox, "y.eml", work, "z.eml", 0), ENOENT);
	/* Over another: that one goes to Trash. */
	assert_int_equal(kernel_put(k, work, "z.eml", "Subject: second\n\n"), 0);
	assert_int_equal(kernel_rename(k, work, "y.eml", work, "z.eml", RENAME_NOREPLACE), EEXIST);
	assert_int_equal(kernel_rename(k, work, "y.eml", work, "z.eml", 0), 0);
	assert_names(k, work, "z.eml\n");
	assert_text(k, kernel_node(k, "mail/alice/Work/z.eml"), TEXT);
	assert_text(k, kernel_node(k, "mail/alice/Trash/1.eml"), "Subject: second\n\n");
	assert_int_equal(kernel_rename(k, work, "z.eml", work, "a.eml", RENAME_EXCHANGE), EINVAL);
}

static void another_users_tree_is_another_device(void **state)
{
	struct kernel *k = *state;
	uint64_t his = kernel_node(k, "mail/bob/INBOX");

	assert_int_equal(kernel_put(k, inbox, "x.eml", TEXT), 0);
	assert_int_equal(kernel_rename(k, inbox, "x.eml", his, "x.eml", 0), EXDEV);
	assert_int_equal(kernel_rename(k, inbox, "x.eml", FUSE_ROOT_ID, "x.eml", 0), EXDEV);
	assert_names(k, inbox, "x.eml\n");
}

/* ---- folders -------------------------------------------------------------------------------------------- */

static void folders_are_made_removed_and_renamed(void **state)
{
	struct kernel *k = *state;
	struct fuse_entry_out entry;
	uint64_t a;

	assert_int_equal(mkdir_in(k, top, "A"), 0);
	assert_int_equal(mkdir_in(k, top, "A"), EEXIST);
	assert_int_equal(mkdir_in(k, top, "inbox"), EEXIST);
	assert_int_equal(mkdir_in(k, top, "\xff"), EILSEQ);
	assert_int_equal(mkdir_in(k, top, "x.eml"), EINVAL);
	assert_int_equal(mkdir_in(k, FUSE_ROOT_ID, "A"), EPERM);
	a = kernel_node(k, "mail/alice/A");
	assert_int_equal(mkdir_in(k, a, "B"), 0);
	assert_int_equal(name_op(k, FUSE_RMDIR, top, "A"), ENOTEMPTY);
	assert_int_equal(kernel_put(k, kernel_node(k, "mail/alice/A/B"), "x.eml", TEXT), 0);
	assert_int_equal(name_op(k, FUSE_RMDIR, a, "B"), ENOTEMPTY);
	assert_int_equal(kernel_rename(k, top, "A", top, "C", 0), 0);
	assert_int_equal(kernel_lookup(k, top, "A", &entry), ENOENT);
	assert_text(k, kernel_node(k, "mail/alice/C/B/x.eml"), TEXT);
	assert_int_equal(name_op(k, FUSE_UNLINK, kernel_node(k, "mail/alice/C/B"), "x.eml"), 0);
	assert_int_equal(name_op(k, FUSE_RMDIR, kernel_node(k, "mail/alice/C"), "B"), 0);
	assert_int_equal(name_op(k, FUSE_RMDIR, top, "C"), 0);
	assert_int_equal(name_op(k, FUSE_RMDIR, top, "C"), ENOENT);
	assert_int_equal(name_op(k, FUSE_RMDIR, top, "INBOX"), EBUSY);
	assert_int_equal(name_op(k, FUSE_RMDIR, top, "Trash"), EBUSY);
	assert_int_equal(kernel_rename(k, top, "INBOX", top, "Other", 0), EBUSY);
}

static void a_folder_takes_the_name_of_one_that_went(void **state)
{
	struct kernel *k = *state;
	struct support *s = &k->site;
	struct folder_id id;

	OK(folder_create(store, "New", FOLDER_NO_USE, &id, &s->e));
	kernel_node(k, "mail/alice/New");
	OK(folder_create(store, "Old/Below", FOLDER_NO_USE, &id, &s->e));
	kernel_node(k, "mail/alice/Old/Below");
	/* Both in one look of the mount at the store, or in two: it is there once. */
	OK(folder_delete_empty(store, "New", &s->e));
	OK(folder_rename(store, "Old", "New", &s->e));
	assert_names(k, top, "Archive\nDrafts\nINBOX\nJunk\nSent\nTrash\nNew\n");
	assert_names(k, kernel_node(k, "mail/alice/New"), "Below\n");
}

static void there_are_no_links_and_no_devices(void **state)
{
	struct kernel *k = *state;
	struct fuse_link_in link;
	struct fuse_mknod_in node = {.mode = S_IFREG | 0600};

	append(k, TEXT_CRLF);
	link.oldnodeid = kernel_node(k, "mail/alice/INBOX/1.eml");
	assert_int_equal(kernel_ask(k, FUSE_LINK, inbox, &link, sizeof link, "x.eml", NULL, 0), EPERM);
	assert_int_equal(kernel_ask(k, FUSE_SYMLINK, inbox, NULL, 0, "x.eml", "there", 6), EPERM);
	assert_int_equal(kernel_ask(k, FUSE_MKNOD, inbox, &node, sizeof node, "x.eml", NULL, 0), EPERM);
	assert_int_equal(kernel_ask(k, FUSE_READLINK, link.oldnodeid, NULL, 0, NULL, NULL, 0), EINVAL);
}

/* ---- attributes ----------------------------------------------------------------------------------------- */

static void flags_are_an_attribute(void **state)
{
	struct kernel *k = *state;
	uint64_t message;

	append(k, TEXT_CRLF);
	message = kernel_node(k, "mail/alice/INBOX/1.eml");
	assert_int_equal(kernel_getxattr(k, message, "user.flags"), 0);
	assert_string_equal(k->reply, "");
	assert_int_equal(kernel_setxattr(k, message, "user.flags", "flagged seen $label"), 0);
	assert_int_equal(kernel_getxattr(k, message, "user.flags"), 0);
	assert_string_equal(k->reply, "seen flagged $label");
	assert_int_equal(kernel_setxattr(k, message, "user.flags", "no such flag"), EINVAL);
	assert_int_equal(kernel_setxattr(k, message, "user.uid", "5"), EPERM);
	assert_int_equal(kernel_setxattr(k, message, "security.x", "5"), EOPNOTSUPP);
	assert_int_equal(kernel_getxattr(k, message, "user.uid"), 0);
	assert_string_equal(k->reply, "1");
	assert_int_equal(kernel_getxattr(k, message, "user.nothing"), ENODATA);
	assert_int_equal(kernel_getxattr(k, message, "security.selinux"), EOPNOTSUPP);
	assert_int_equal(kernel_getxattr(k, message, "system.posix_acl_access"), EOPNOTSUPP);
	assert_int_equal(name_op(k, FUSE_REMOVEXATTR, message, "user.flags"), EPERM);
	assert_int_equal(name_op(k, FUSE_REMOVEXATTR, message, "trusted.x"), EOPNOTSUPP);
	assert_int_equal(held(k), 0);
}

/* ---- sessions ------------------------------------------------------------------------------------------- */

static void set_limit(struct kernel *k, uint32_t n)
{
	support_ok(registry_set_dword(k->site.site, REGISTRY_PARAMETERS_SYSTEM,
	               "Maximum Allowed Sessions Per User", n, &k->site.e),
	    &k->site.e, "limit", __FILE__, __LINE__);
}

static void an_open_over_the_limit_is_refused_and_a_release_makes_room(void **state)
{
	struct kernel *k = *state;
	struct fuse_open_out opens[3], more;
	struct fuse_entry_out entry;
	struct fuse_attr attr;
	uint64_t message;

	append(k, TEXT_CRLF);
	message = kernel_node(k, "mail/alice/INBOX/1.eml");
	set_limit(k, 4); /* the store's, and three */
	for (int i = 0; i < 3; i++)
		assert_int_equal(kernel_open(k, message, O_RDONLY, &opens[i]), 0);
	assert_int_equal(kernel_open(k, message, O_RDONLY, &more), EUSERS);
	assert_int_equal(kernel_opendir(k, inbox, &more), EUSERS);
	assert_int_equal(kernel_create(k, inbox, "x.eml", &entry, &more), EUSERS);
	/* What needs none. */
	assert_int_equal(kernel_lookup(k, inbox, "1.eml", &entry), 0);
	assert_int_equal(kernel_attr(k, message, &attr), 0);
	assert_int_equal(kernel_getxattr(k, message, "user.flags"), 0);
	assert_int_equal(kernel_setxattr(k, message, "user.flags", "seen"), 0);
	assert_int_equal(kernel_ask(k, FUSE_STATFS, inbox, NULL, 0, NULL, NULL, 0), 0);
	assert_int_equal(mkdir_in(k, top, "A"), 0);
	assert_int_equal(kernel_rename(k, inbox, "1.eml", inbox, "one.eml", 0), 0);
	assert_int_equal(name_op(k, FUSE_UNLINK, inbox, "one.eml"), 0);
	assert_int_equal(name_op(k, FUSE_RMDIR, top, "A"), 0);
	/* RELEASE and the next OPEN, both on their way before either is answered: in order. */
	for (int round = 0; round < 200; round++) {
		struct fuse_release_in release = {.fh = opens[0].fh};
		struct fuse_open_in open = {.flags = O_RDONLY | O_DIRECTORY};
		uint64_t released = kernel_send(k, round ? FUSE_RELEASEDIR : FUSE_RELEASE, round ? inbox : message,
		    &release, sizeof release, NULL, NULL, 0);
		uint64_t opened = kernel_send(k, FUSE_OPENDIR, inbox, &open, sizeof open, NULL, NULL, 0);

		assert_int_equal(kernel_wait(k, opened), 0);
		memcpy(&opens[0], k->reply, sizeof opens[0]);
		assert_int_equal(kernel_wait(k, released), 0);
	}
	assert_int_equal(held(k), 3);
	kernel_releasedir(k, inbox, opens[0].fh);
	kernel_release(k, message, opens[1].fh);
	kernel_release(k, message, opens[2].fh);
	assert_int_equal(held(k), 0);
}

static void sys_says_who_holds_and_ends_it(void **state)
{
	struct kernel *k = *state;
	struct fuse_open_out open, ctl_open;
	struct str_buf text = {0};
	uint64_t message, ctl;
	char command[128];

	append(k, TEXT_CRLF);
	message = kernel_node(k, "mail/alice/INBOX/1.eml");
	set_limit(k, 2);
	assert_int_equal(kernel_open(k, message, O_RDONLY, &open), 0);
	assert_int_equal(kernel_open(k, message, O_RDONLY, &ctl_open), EUSERS);
	assert_int_equal(kernel_cat(k, kernel_node(k, "sys/log"), &text), 0);
	assert_non_null(strstr(text.p, " refused user=alice "));
	str_buf_clear(&text);
	assert_int_equal(kernel_cat(k, kernel_node(k, "sys/users/alice/limits"), &text), 0);
	assert_non_null(strstr(text.p, "held 2  full"));
	assert_non_null(strstr(text.p, "  fs         refused: "));
	str_buf_clear(&text);
	assert_int_equal(kernel_cat(k, kernel_node(k, "sys/users/alice/sessions"), &text), 0);
	/* The second line is the store's, which can't be ended; the third ours. */
	snprintf(command, sizeof command, "end %.*s\n",
	    (int)strcspn(strchr(strchr(text.p, '\n') + 1, '\n') + 1, " "),
	    strchr(strchr(text.p, '\n') + 1, '\n') + 1);
	ctl = kernel_node(k, "sys/users/alice/ctl");
	assert_int_equal(kernel_open(k, ctl, O_WRONLY, &ctl_open), 0);
	assert_int_equal(kernel_write(k, ctl, ctl_open.fh, 0, "end", 3), EINVAL);
	assert_int_equal(kernel_write(k, ctl, ctl_open.fh, 0, "end nobody", 10), ENOENT);
	assert_int_equal(kernel_write(k, ctl, ctl_open.fh, 0, command, strlen(command)), 0);
	assert_int_equal(kernel_release(k, ctl, ctl_open.fh), 0);
	assert_int_equal(held(k), 0);
	assert_int_equal(kernel_read(k, message, open.fh, 0, 100), ESTALE);
	assert_int_equal(kernel_release(k, message, open.fh), 0);
	str_buf_fini(&text);
}

/* ---- what the kernel is told ------------------------------------------------------------------------------- */

static void a_change_from_elsewhere_is_told(void **state)
{
	struct kernel *k = *state;
	struct folder_id folder = support_folder(&k->site, store, "INBOX");
	struct uid_range one = {1, 1};
	struct store_uid *gone;
	struct str_buf names = {0};
	uint64_t message;
	size_t n;

	append(k, TEXT_CRLF);
	message = kernel_node(k, "mail/alice/INBOX/1.eml");
	assert_int_equal(kernel_list(k, inbox, true, &names), 0);
	names.p[names.n - 1] = '\0'; /* one line */
	k->notices_n = 0;
	append(k, TEXT_CRLF);
	kernel_wait_notice(k, FUSE_NOTIFY_INVAL_INODE, inbox, NULL);
	support_ok(message_expunge(store, folder, &one, 1, false, &k->site.arena, &gone, &n, &k->site.e), &k->site.e,
	    "message_expunge", __FILE__, __LINE__);
	kernel_wait_notice(k, FUSE_NOTIFY_INVAL_ENTRY, inbox, names.p);
	kernel_wait_notice(k, FUSE_NOTIFY_INVAL_INODE, message, NULL);
	str_buf_fini(&names);
}

static void changes_are_read_when_they_come(void **state)
{
	struct kernel *k = *state;
	uint64_t changes = kernel_node(k, "sys/users/alice/changes"), waiting;
	struct fuse_poll_in poll = {.kh = 7, .flags = FUSE_POLL_SCHEDULE_NOTIFY, .events = POLLIN};
	struct fuse_read_in read = {.size = 4096};
	struct fuse_interrupt_in interrupt;
	struct fuse_poll_out polled;
	struct fuse_open_out open;
	struct str_buf names = {0};

	assert_int_equal(kernel_list(k, inbox, true, &names), 0);
	str_buf_fini(&names);
	assert_int_equal(kernel_open(k, changes, O_RDONLY, &open), 0);
	read.fh = poll.fh = open.fh;
	/* One that waits, interrupted. */
	waiting = kernel_send(k, FUSE_READ, changes, &read, sizeof read, NULL, NULL, 0);
	interrupt.unique = waiting;
	kernel_send(k, FUSE_INTERRUPT, 0, &interrupt, sizeof interrupt, NULL, NULL, 0);
	assert_int_equal(kernel_wait(k, waiting), EINTR);
	/* One that must not wait. */
	read.flags = O_NONBLOCK;
	assert_int_equal(kernel_ask(k, FUSE_READ, changes, &read, sizeof read, NULL, NULL, 0), EAGAIN);
	/* One that is told. */
	assert_int_equal(kernel_ask(k, FUSE_POLL, changes, &poll, sizeof poll, NULL, NULL, 0), 0);
	memcpy(&polled, k->reply, sizeof polled);
	assert_int_equal(polled.revents, 0);
	append(k, TEXT_CRLF);
	kernel_wait_notice(k, FUSE_NOTIFY_POLL, 7, NULL);
	read.flags = 0;
	assert_int_equal(kernel_ask(k, FUSE_READ, changes, &read, sizeof read, NULL, NULL, 0), 0);
	assert_non_null(strstr(k->reply, " new mail/alice/INBOX/"));
	/* One that waits, and gets it. */
	waiting = kernel_send(k, FUSE_READ, changes, &read, sizeof read, NULL, NULL, 0);
	append(k, TEXT_CRLF);
	assert_int_equal(kernel_wait(k, waiting), 0);
	assert_non_null(strstr(k->reply, ".00000002."));
	assert_int_equal(kernel_release(k, changes, open.fh), 0);
	assert_int_equal(held(k), 0);
}

static void what_waits_ends_with_the_mount(void **state)
{
	struct kernel *k = *state;
	uint64_t changes = kernel_node(k, "sys/users/alice/changes");
	struct fuse_read_in read = {.size = 4096};
	struct fuse_open_out open;

	assert_int_equal(kernel_open(k, changes, O_RDONLY, &open), 0);
	read.fh = open.fh;
	kernel_send(k, FUSE_READ, changes, &read, sizeof read, NULL, NULL, 0);
	kernel_remount(k);
	assert_names(k, kernel_node(k, "mail/alice/INBOX"), "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_root_shows_the_trees_and_mail_its_users),
	    TEST(a_message_is_a_file_of_true_size_that_reads_as_it_should),
	    TEST(names_that_are_too_long_are_told_so),
	    TEST(a_node_that_never_was_is_stale),
	    TEST(times_and_owners_of_a_message_are_settled),
	    TEST(the_file_system_is_told_with_the_length_of_names),
	    TEST(a_closed_file_is_a_message_under_its_name),
	    TEST(a_message_appears_when_the_last_writer_closes_and_not_at_a_flush),
	    TEST(files_closed_while_the_store_is_busy_become_messages_in_one_commit),
	    TEST(one_that_cannot_be_as_it_is_keeps_none_of_the_others_from_being),
	    TEST(an_empty_file_is_no_message_and_no_error),
	    TEST(other_names_are_refused_where_they_are_made),
	    TEST(messages_are_not_opened_for_writing),
	    TEST(scratch_is_kept_aside_until_it_is_renamed),
	    TEST(a_time_set_before_the_close_is_the_arrival_time),
	    TEST(rm_moves_to_trash_and_expunges_there),
	    TEST(who_has_it_open_goes_on_reading),
	    TEST(mv_names_and_moves_and_replaces),
	    TEST(another_users_tree_is_another_device),
	    TEST(folders_are_made_removed_and_renamed),
	    TEST(a_folder_takes_the_name_of_one_that_went),
	    TEST(there_are_no_links_and_no_devices),
	    TEST(flags_are_an_attribute),
	    TEST(an_open_over_the_limit_is_refused_and_a_release_makes_room),
	    TEST(sys_says_who_holds_and_ends_it),
	    TEST(a_change_from_elsewhere_is_told),
	    TEST(changes_are_read_when_they_come),
	    TEST(what_waits_ends_with_the_mount),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
