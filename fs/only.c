/* fs/only.c - one user's own mount. */
#include "fs/only.h"

#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <pwd.h>

static int account_of(uid_t uid, struct arena *arena, struct passwd *pw_r, struct err *e)
{
	struct passwd *found = NULL;
	char *buf = arena_alloc(arena, 4096);

	if (getpwuid_r(uid, pw_r, buf, 4096, &found) != 0 || !found)
		return err_set(e, ERR_NOTFOUND, "there is no Unix account with the uid %u", (unsigned)uid);
	return 0;
}

int only_find(struct site *site, uid_t uid, struct arena *arena, struct directory_user *user_r, struct err *e)
{
	struct passwd pw;

	if (account_of(uid, arena, &pw, e) < 0)
		return -1;
	if (directory_user_by_account(site, pw.pw_name, arena, user_r, e) < 0) {
		if (e->code == ERR_NOTFOUND)
			err_set(e, ERR_NOTFOUND, "the Unix account %.64s has no mailbox here: an administrator gives it one "
				"with `postern user account NAME %.64s`", pw.pw_name, pw.pw_name);
		return -1;
	}
	if (user_r->disabled)
		return err_set(e, ERR_AUTH, "the user %.64s is disabled", user_r->name);
	return 0;
}

int only_set(struct tree *t, struct site *site, uid_t uid, struct err *e)
{
	struct directory_user user;
	struct arena arena = {0};
	struct passwd pw;
	int rc = -1;

	if (account_of(uid, &arena, &pw, e) == 0 && only_find(site, uid, &arena, &user, e) == 0) {
		t->only = (struct tree_only){.is_on = true, .uid = uid, .gid = pw.pw_gid, .user = user.id,
		    .name = mem_str(user.name), .generation = directory_generation(site), .is_his = true};
		rc = 0;
	}
	arena_fini(&arena);
	return rc;
}

int only_check(struct tree *t)
{
	uint64_t generation = directory_generation(t->site);
	struct directory_user user;
	struct arena arena = {0};
	struct err e;

	/* What was refused stays so until the directory says otherwise. */
	if (atomic_load(&t->only.generation) != generation) {
		atomic_store(&t->only.is_his,
		    only_find(t->site, t->only.uid, &arena, &user, &e) == 0 && user.id.n == t->only.user.n);
		atomic_store(&t->only.generation, generation);
		arena_fini(&arena);
		if (!t->only.is_his)
			log_warn("mount-not-his", "user=%s uid=%u", LOG_Q(t->only.name), (unsigned)t->only.uid);
	}
	return t->only.is_his ? 0 : EACCES;
}

struct caller caller_of(const struct tree *t, uid_t uid, gid_t gid, pid_t tid)
{
	return t->only.is_on ? (struct caller){t->only.uid, t->only.gid, tid} : (struct caller){uid, gid, tid};
}
