/* tests/unit/store/support.c - see support.h. */
#include "support.h"

#include "base/check.h"
#include "store/credential.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

const struct uid_range support_all = {1, UINT32_MAX};

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

void support_begin(struct support *s)
{
	const char *tmp = getenv("TMPDIR");

	*s = (struct support){0};
	snprintf(s->dir, sizeof s->dir, "%.90s/postern-store-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(s->dir))
		fail_msg("no temporary folder");
	strcat(s->dir, "/s");
	credential_permit();
	OK(site_create(s->dir, "run", &s->e));
	OK(site_open(s->dir, "test", &s->site, &s->e));
	OK(directory_user_add(s->site, "alice", NULL, &s->alice, &s->e));
	OK(directory_user_add(s->site, "bob", NULL, &s->bob, &s->e));
}

void support_end(struct support *s)
{
	arena_fini(&s->arena);
	if (s->site)
		site_close(&s->site);
	*strrchr(s->dir, '/') = '\0';
	nftw(s->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void support_reopen(struct support *s)
{
	site_close(&s->site);
	OK(site_open(s->dir, "test", &s->site, &s->e));
}

struct store *support_open(struct support *s, struct user_id user)
{
	struct session_request request = {.service = SESSION_FS, .actor = user, .mailbox = user,
	    .actor_name = "test", .mailbox_name = "test"};
	struct session_refusal why;
	struct session *session;
	struct store *store;

	OK(session_acquire(s->site, &request, &session, &why, &s->e));
	OK(store_open(session, &store, &s->e));
	return store;
}

void support_close(struct store **store)
{
	struct session *session = store_session(*store);

	store_close(store);
	session_release(&session);
}

void support_ok(int r, const struct err *e, const char *what, const char *file, int line)
{
	if (r == 0)
		return;
	print_error("%s: %s: %s\n", what, err_name(e->code), e->what);
	_fail(file, line);
}

void support_fails(int r, enum err_code code, struct err *e, const char *what, const char *file,
    int line)
{
	if (r == -1 && e->code == code)
		return;
	print_error("%s: %s expected, got %d %s: %s\n", what, err_name(code), r,
	    r < 0 ? err_name(e->code) : "", r < 0 ? e->what : "");
	_fail(file, line);
}

struct folder_id support_folder(struct support *s, struct store *store, const char *name)
{
	struct folder_info f;

	OK(folder_by_name(store, name, &s->arena, &f, &s->e));
	return f.id;
}

uint32_t support_append_n(struct support *s, struct store *store, struct folder_id folder,
    const char *octets, size_t n, uint32_t flags)
{
	struct append_how how = {.folder = folder, .flags = flags, .idate_ms = INT64_MIN};
	struct append_done done;
	struct append *append;

	OK(append_begin(store, &append, &s->e));
	OK(append_write(append, octets, n, &s->e));
	OK(append_commit(&append, &how, 1, &done, &s->e));
	assert_null(append);
	return done.uid.n;
}

uint32_t support_append(struct support *s, struct store *store, struct folder_id folder,
    const char *text, uint32_t flags)
{
	return support_append_n(s, store, folder, text, strlen(text), flags);
}

struct str_view support_read(struct support *s, struct store *store, uint64_t content)
{
	struct str_buf all = {0};
	size_t got;

	do {
		OK(content_read(store, content, all.n, str_buf_room(&all, 70000), 70000, &got, &s->e));
		all.n += got;
	} while (got == 70000);
	char *copy = arena_strn(&s->arena, all.p, all.n);
	size_t n = all.n;

	str_buf_fini(&all);
	return str_view(copy, n);
}

struct message_info support_message(struct support *s, struct store *store, struct folder_id folder,
    uint32_t uid)
{
	const struct uid_range range = {uid, uid};
	struct message_info *list;
	size_t n;

	OK(message_list(store, folder, &range, 1, MESSAGE_BASIC | MESSAGE_ENVELOPE |
	    MESSAGE_BODYSTRUCTURE | MESSAGE_PARTS | MESSAGE_NAME, 10, &s->arena, &list, &n, &s->e));
	assert_int_equal(n, 1);
	return list[0];
}

void support_check(struct support *s, struct store *store)
{
	struct str_buf report = {0};
	size_t findings;

	OK(store_check(store, &report, &findings, &s->e));
	if (findings)
		fail_msg("store_check: %zu findings\n%s", findings, report.p);
	str_buf_fini(&report);
}

int support_setup(void **state, struct store **store_r)
{
	static struct support s;

	support_begin(&s);
	*store_r = support_open(&s, s.alice);
	*state = &s;
	return 0;
}

int support_teardown(void **state, struct store **store)
{
	support_check(*state, *store);
	support_close(store);
	support_end(*state);
	return 0;
}
