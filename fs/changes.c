/* fs/changes.c - changes of mailboxes as lines of the feed. */
#include "fs/changes.h"

#include "fs/err_map.h"
#include "fs/feed.h"
#include "fs/flag.h"
#include "fs/name.h"

#include "base/clock.h"
#include "store/directory.h"

#include <stdio.h>
#include <string.h>

/* ---- lines -------------------------------------------------------------------------------------- */

/* The path up to the end of the line, whatever is in it. */
static void put_path(struct str_buf *out, const struct fs_folder *f, const char *name)
{
	struct str_buf path = {0};

	tree_put_path(f, &path);
	if (name)
		str_buf_printf(&path, "/%s", name);
	for (const char *c = path.p; *c; c++)
		if ((unsigned char)*c < ' ' || *c == '\\' || *c == 0x7f)
			str_buf_printf(out, "\\%03o", (unsigned)(unsigned char)*c);
		else
			str_buf_putc(out, *c);
	str_buf_fini(&path);
}

/* name: of what changed in the folder; NULL: the folder itself. */
static void say(struct fs_folder *f, const char *what, const char *flags, const char *name)
{
	struct tree *t = f->mailbox->tree;
	char when[CLOCK_RFC3339_SIZE];
	struct str_buf line = {0};

	str_buf_printf(&line, "%s %s ", clock_rfc3339(clock_wall_ms(), when), what);
	if (flags)
		str_buf_printf(&line, "\"%s\" ", flags);
	put_path(&line, f, name);
	feed_put(t->feed, f->mailbox->user.n, str_buf_view(&line));
	str_buf_fini(&line);
	teller_readable(t->teller);
}

static bool is_told(const struct fs_folder *f)
{
	return f->mailbox->is_listed && changes_are_followed(f->mailbox->tree);
}

void changes_message(struct fs_folder *f, const struct fs_msg *old, const struct fs_msg *now,
    struct notices *ns)
{
	struct str_buf flags = {0};

	(void)ns;
	if (!f->is_loaded || !is_told(f))
		return;
	if (!now) {
		say(f, "gone", NULL, old->name);
	} else if (!old) {
		say(f, "new", NULL, now->name);
	} else {
		if (strcmp(old->name, now->name) != 0)
			say(f, "named", NULL, now->name);
		if (old->flags != now->flags || old->keywords != now->keywords) {
			flag_put(f->mailbox, now, &flags);
			say(f, "flags", flags.n ? flags.p : "", now->name);
		}
	}
	str_buf_fini(&flags);
}

void changes_unnamed(struct fs_folder *f, const char *what, uint32_t uid)
{
	char name[32];

	if (!is_told(f))
		return;
	snprintf(name, sizeof name, "%08u.eml", (unsigned)uid);
	say(f, what, NULL, name);
}

void changes_folder_went(struct fs_folder *f, struct notices *ns)
{
	(void)ns;
	if (is_told(f))
		say(f, "folder-gone", NULL, NULL);
}

void changes_folder_came(struct fs_folder *f, struct notices *ns)
{
	(void)ns;
	if (is_told(f))
		say(f, "folder-new", NULL, NULL);
}

/* ---- who follows --------------------------------------------------------------------------------- */

bool changes_are_followed(struct tree *t)
{
	return atomic_load(&t->followers) > 0;
}

/* A mailbox that can't be read now is in the log, and does not hide the others. */
static int follow_everybody(struct tree *t)
{
	struct directory_user *users;
	struct arena arena = {0};
	struct mailbox *mb;
	struct err e;
	size_t n;
	int err = 0;

	if (directory_users(t->site, &arena, &users, &n, &e) < 0)
		err = fs_errno(&e);
	for (size_t i = 0; !err && i < n; i++)
		if (mailbox_find(t, users[i].name, &mb, &e) == 0 && !mb->is_listed &&
		    mailbox_sync(mb, &e) < 0)
			continue;
	arena_fini(&arena);
	return err;
}

int changes_follow(struct tree *t, struct mailbox *mb)
{
	struct err e;
	int err;

	if (mb)
		err = mailbox_sync(mb, &e) < 0 ? fs_errno(&e) : 0;
	else
		err = follow_everybody(t);
	if (!err)
		atomic_fetch_add(&t->followers, 1);
	if (!err && !mb)
		atomic_fetch_add(&t->followers_of_all, 1);
	return err;
}

void changes_unfollow(struct tree *t, bool all)
{
	atomic_fetch_sub(&t->followers, 1);
	if (all)
		atomic_fetch_sub(&t->followers_of_all, 1);
}

void changes_tick(struct tree *t)
{
	if (atomic_load(&t->followers_of_all) > 0)
		follow_everybody(t);
}
