/*
 * store/directory_write_sql.c - changes of the directory: users come, go, and get other values.
 *
 * Each is one transaction under directory.lock, with the generation odd meanwhile.
 */
#include "store/directory_priv.h"

#include "base/clock.h"
#include "base/io.h"
#include "store/credential.h"
#include "store/db_priv.h"

#include <errno.h>
#include <string.h>

int directory_write_begin(struct directory *d, struct err *e)
{
	struct err ended;

	if (directory_open_db(d, e) < 0 || directory_writer_lock(d, e) < 0)
		return -1;
	if (generation_begin(&d->generation, e) == 0) {
		db_allow_commit(d->db, true);
		if (db_write_begin(d->db, e) == 0)
			return 0;
		db_allow_commit(d->db, false);
		(void)!generation_end(&d->generation, &ended);
	}
	directory_writer_unlock(d);
	return -1;
}

/* r says whether all went well so far. */
int directory_write_end(struct directory *d, int r, struct err *e)
{
	struct err ended;

	if (r == 0)
		r = DB_RUN0(d->db, e, "UPDATE directory SET generation = generation + 1");
	if (r == 0)
		r = db_write_commit(d->db, e);
	if (r < 0)
		db_write_abort(d->db);
	db_allow_commit(d->db, false);
	if (generation_end(&d->generation, r == 0 ? e : &ended) < 0)
		r = -1;
	directory_writer_unlock(d);
	return r;
}

/* An account acts as one user: it can't be a second one's. */
static int check_account(struct directory *d, const char *unix_account, struct user_id except,
    struct err *e)
{
	struct arena arena = {0};
	struct directory_user user;
	int r = unix_account ? directory_user_query(d, BY_ACCOUNT, unix_account, &arena, &user, e) : 0;

	if (r > 0 && user.id.n == except.n)
		r = 0;
	if (r > 0)
		err_set(e, ERR_EXISTS, "that Unix account is user %s", user.name);
	arena_fini(&arena);
	return r == 0 ? 0 : -1;
}

/* One value of one user, found within the transaction; check, if not NULL, may refuse it there. */
static int update_user(struct site *site, const char *name, const char *sql, const char *text,
    int64_t bit,
    int (*check)(struct directory *d, const char *text, struct user_id user, struct err *e),
    struct err *e)
{
	struct directory_user user;
	struct arena arena = {0};
	struct directory *d;
	struct query q;
	int r;

	if (directory_enter(site, &d, e) < 0)
		return -1;
	r = directory_write_begin(d, e);
	if (r == 0) {
		r = directory_lookup_done(directory_find_named(d, name, &arena, &user, e), e);
		if (r == 0 && check)
			r = check(d, text, user.id, e);
		if (r == 0)
			r = query_begin(&q, d->db, sql, e);
		if (r == 0) {
			query_int(&q, 1, (int64_t)user.id.n);
			query_text(&q, 2, text);
			if (bit)
				query_int(&q, 2, bit);
			r = query_step(&q, e);
			query_end(&q);
		}
		r = directory_write_end(d, r, e);
	}
	directory_leave(d);
	arena_fini(&arena);
	return r;
}

int directory_set_disabled(struct site *site, const char *name, bool on, struct err *e)
{
	return update_user(site, name, "UPDATE user SET disabled = ?2 IS NOT NULL WHERE id = ?1", on ? "disabled" : NULL, 0, NULL, e);
}

int directory_set_policy(struct site *site, const char *name, const char *policy, struct err *e)
{
	return update_user(site, name, "UPDATE user SET policy = ?2 WHERE id = ?1", policy, 0, NULL, e);
}

int directory_set_permission(struct site *site, const char *name,
    enum directory_permission permission, bool on, struct err *e)
{
	return update_user(site, name,
	    on ? "UPDATE user SET permissions = permissions | ?2 WHERE id = ?1"
	       : "UPDATE user SET permissions = permissions & ~?2 WHERE id = ?1",
	    NULL, permission, NULL, e);
}

int directory_set_account(struct site *site, const char *name, const char *unix_account,
    struct err *e)
{
	return update_user(site, name, "UPDATE user SET unix_account = ?2 WHERE id = ?1", unix_account,
	    0, check_account, e);
}

/* A random id that nobody has or had. */
static int id_make(struct directory *d, uint64_t *id_r, struct err *e)
{
	struct query q;
	uint64_t id;
	int r;

	if (query_begin(&q, d->db,
		"SELECT 1 FROM user WHERE id = ?1 UNION ALL SELECT 1 FROM user_gone WHERE id = ?1", e) <
	    0)
		return -1;
	do {
		do
			io_random(&id, sizeof id);
		while (id == 0);
		query_int(&q, 1, (int64_t)id);
		r = query_step(&q, e);
		query_again(&q);
	} while (r > 0);
	query_end(&q);
	*id_r = id;
	return r;
}

static int user_insert(struct directory *d, const struct directory_name *said, const char *unix_account, uint64_t *id_r, struct err *e)
{
	struct str_buf folded = {0};
	struct arena arena = {0};
	struct directory_user there;
	const char *name;
	struct query q;
	int r = domain_name_canonical(d, said, false, &arena, &name, e);

	if (r == 0) {
		directory_name_key(name, &folded);
		r = directory_user_query(d, BY_NAME, folded.p, &arena, &there, e);
	}
	if (r > 0)
		r = err_set(e, ERR_EXISTS, "user %s exists", there.name);
	if (r == 0)
		r = check_account(d, unix_account, (struct user_id){0}, e);
	if (r == 0)
		r = id_make(d, id_r, e);
	if (r == 0)
		r = query_begin(&q, d->db,
		    "INSERT INTO user(id, name, folded, unix_account, added_ms) "
		    "VALUES (?1, ?2, ?3, ?4, ?5)",
		    e);
	if (r == 0) {
		query_int(&q, 1, (int64_t)*id_r);
		query_text(&q, 2, name);
		query_text(&q, 3, folded.p);
		query_text(&q, 4, unix_account);
		query_int(&q, 5, clock_wall_ms());
		r = query_step(&q, e);
		query_end(&q);
	}
	arena_fini(&arena);
	str_buf_fini(&folded);
	return r;
}

int directory_user_add(struct site *site, const char *name, const char *unix_account,
    struct user_id *id_r, struct err *e)
{
	struct directory_name said;
	struct mailbox *mailbox;
	struct arena arena = {0};
	struct directory *d;
	struct user_id id = {0};
	int r = directory_name_take(name, &arena, &said, e);

	if (r == 0)
		r = directory_enter(site, &d, e);
	if (r == 0) {
		r = directory_write_begin(d, e);
		if (r == 0)
			r = directory_write_end(d, user_insert(d, &said, unix_account, &id.n, e), e);
		directory_leave(d);
	}
	arena_fini(&arena);
	if (r < 0)
		return -1;
	/* Killed here, the mailbox is made when it is first opened. */
	mailbox = mailbox_acquire(d->site, id);
	r = mailbox_open(mailbox, e);
	mailbox_release(&mailbox);
	if (r == 0)
		*id_r = id;
	return r;
}

static int user_remove(struct directory *d, const struct directory_user *user, struct err *e)
{
	struct query q;
	int r = query_begin(&q, d->db,
	    "INSERT INTO user_gone(id, name, gone_ms) VALUES (?1, ?2, ?3)", e);

	if (r < 0)
		return -1;
	query_int(&q, 1, (int64_t)user->id.n);
	query_text(&q, 2, user->name);
	query_int(&q, 3, clock_wall_ms());
	r = query_step(&q, e);
	query_end(&q);
	return r < 0 ? -1 : DB_RUN(d->db, e, "DELETE FROM user WHERE id = ?1", (int64_t)user->id.n);
}

int directory_user_delete(struct site *site, const char *name, bool with_mail, struct err *e)
{
	struct directory_user user;
	struct arena arena = {0};
	struct mailbox *mailbox;
	struct directory *d;
	int r;

	if (directory_enter(site, &d, e) < 0)
		return -1;
	r = directory_write_begin(d, e);
	if (r == 0) {
		r = directory_lookup_done(directory_find_named(d, name, &arena, &user, e), e);
		if (r == 0)
			r = user_remove(d, &user, e);
		r = directory_write_end(d, r, e);
	}
	directory_leave(d);
	if (r == 0)
		r = credential_forget(site, user.id, e);
	if (r == 0 && with_mail) {
		mailbox = mailbox_acquire(d->site, user.id);
		r = mailbox_delete(mailbox, e);
		mailbox_release(&mailbox);
	}
	arena_fini(&arena);
	return r;
}

/* ---- aliases ---- */

static int alias_insert(struct directory *d, const struct directory_name *said, const char *name, struct err *e)
{
	struct str_buf folded = {0};
	struct arena arena = {0};
	struct directory_user user, there;
	const char *alias;
	struct query q;
	int r = directory_lookup_done(directory_find_named(d, name, &arena, &user, e), e);

	if (r == 0)
		r = domain_name_canonical(d, said, true, &arena, &alias, e);
	if (r == 0) {
		directory_name_key(alias, &folded);
		r = directory_user_query(d, BY_NAME, folded.p, &arena, &there, e);
	}
	if (r > 0)
		r = err_set(e, ERR_EXISTS, "%s is user %s", alias, there.name);
	if (r == 0)
		r = query_begin(&q, d->db, "INSERT INTO alias(folded, name, user) VALUES (?1, ?2, ?3)", e);
	if (r == 0) {
		query_text(&q, 1, folded.p);
		query_text(&q, 2, alias);
		query_int(&q, 3, (int64_t)user.id.n);
		r = query_step(&q, e);
		query_end(&q);
	}
	arena_fini(&arena);
	str_buf_fini(&folded);
	return r;
}

int directory_alias_add(struct site *site, const char *alias, const char *user, struct err *e)
{
	struct directory_name said;
	struct arena arena = {0};
	struct directory *d;
	int r = directory_name_take(alias, &arena, &said, e);

	if (r == 0)
		r = directory_enter(site, &d, e);
	if (r == 0) {
		r = directory_write_begin(d, e);
		if (r == 0)
			r = directory_write_end(d, alias_insert(d, &said, user, e), e);
		directory_leave(d);
	}
	arena_fini(&arena);
	return r;
}

static int alias_remove_key(struct directory *d, const char *alias, struct err *e)
{
	struct str_buf folded = {0};
	struct query q;
	int r = query_begin(&q, d->db, "DELETE FROM alias WHERE folded = ?1", e);

	directory_name_key(alias, &folded);
	if (r == 0) {
		query_text(&q, 1, folded.p ? folded.p : "");
		r = query_step(&q, e);
		query_end(&q);
	}
	str_buf_fini(&folded);
	return r;
}

/* As it was given, or as it is kept in the default domain. */
static int alias_remove(struct directory *d, const char *alias, struct err *e)
{
	struct directory_name said;
	struct arena arena = {0};
	const char *kept;
	struct err ignored;
	int r = alias_remove_key(d, alias, e);

	if (r == 0 && db_changes(d->db) == 0 && directory_name_take(alias, &arena, &said, &ignored) == 0 &&
	    domain_name_canonical(d, &said, true, &arena, &kept, &ignored) == 0)
		r = alias_remove_key(d, kept, e);
	if (r == 0 && db_changes(d->db) == 0)
		r = err_set(e, ERR_NOTFOUND, "no alias %s", alias);
	arena_fini(&arena);
	return r;
}

int directory_alias_delete(struct site *site, const char *alias, struct err *e)
{
	struct directory *d;
	int r;

	if (directory_enter(site, &d, e) < 0)
		return -1;
	r = directory_write_begin(d, e);
	if (r == 0)
		r = directory_write_end(d, alias_remove(d, alias, e), e);
	directory_leave(d);
	return r;
}
