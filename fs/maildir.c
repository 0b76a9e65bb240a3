/* fs/maildir.c - what the Maildir view calls messages and folders, and where they stand in it. */
#include "fs/maildir.h"

#include "fs/tree.h"

#include "base/clock.h"

#include <string.h>

static const char *const sub_names[PLACES_N] = {
    [PLACE_CUR] = "cur", [PLACE_NEW] = "new", [PLACE_TMP] = "tmp"};

const char *maildir_sub_name(enum fs_place place)
{
	return sub_names[place];
}

enum fs_place maildir_sub_of(const char *name)
{
	for (int place = 0; place < PLACES_N; place++)
		if (sub_names[place] && strcmp(sub_names[place], name) == 0)
			return (enum fs_place)place;
	return PLACES_N;
}

bool maildir_sub_is_there(const struct fs_folder *f, enum fs_place place)
{
	return !(f->maildir.unmade & 1u << place) || clock_mono_ms() >= f->maildir.unmade_until_ms;
}

struct node maildir_folder_node(const struct fs_folder *f)
{
	bool is_inbox = strcmp(f->path, "INBOX") == 0;

	return (struct node){NODE_maildir_folder, is_inbox ? f->mailbox->top->slot : f->slot, 0};
}

struct node maildir_sub_node(const struct fs_folder *f, enum fs_place place)
{
	return (struct node){NODE_maildir_sub, f->slot, place};
}

struct fs_folder *maildir_box(struct fs_folder *f)
{
	if (f != f->mailbox->top)
		return f;
	for (f = f->children; f; f = f->next)
		if (f->id && strcmp(f->path, "INBOX") == 0)
			return f;
	return NULL;
}

struct fs_folder *maildir_folder_by_name(struct mailbox *mb, const char *name)
{
	for (size_t i = 0; i < mb->n; i++) {
		struct fs_folder *f = mb->folders[i];

		if (!f->is_gone && f->id && strcmp(f->maildir.name, name) == 0 && strcmp(f->path, "INBOX") != 0)
			return f;
	}
	return NULL;
}

/* ---- messages --------------------------------------------------------------------------------------- */

struct fs_letters maildir_letters(const struct fs_folder *f, const struct fs_msg *m)
{
	bool forwarded = (m->keywords & f->mailbox->forwarded) != 0;

	return (struct fs_letters){m->flags, forwarded, m->is_cur || m->flags || forwarded};
}

bool maildir_letters_equal(struct fs_letters a, struct fs_letters b)
{
	return a.flags == b.flags && a.forwarded == b.forwarded && a.in_cur == b.in_cur;
}

enum fs_place maildir_place(const struct fs_folder *f, const struct fs_msg *m)
{
	return maildir_letters(f, m).in_cur ? PLACE_CUR : PLACE_NEW;
}

void maildir_put_base(const struct fs_msg *m, struct str_buf *out)
{
	if (m->is_base)
		str_buf_puts(out, m->given);
	else
		maildir_own_base(m->idate_ms, m->uid.n, out);
}

static bool has_uid(const struct fs_folder *f, const struct fs_msg *m)
{
	return m->shows_uid || f->maildir.keepers > 0 || m->uid.n < f->maildir.uids_upto;
}

void maildir_put_name(const struct fs_folder *f, const struct fs_msg *m, struct str_buf *out)
{
	struct fs_letters now = maildir_letters(f, m);

	maildir_put_base(m, out);
	maildir_tail_put(has_uid(f, m) ? m->uid.n : 0, now.in_cur, now.flags, now.forwarded, out);
}

static bool has_base(const struct fs_msg *m, const char *base)
{
	struct str_buf own = {0};
	bool has;

	if (m->is_base)
		return strcmp(m->given, base) == 0;
	maildir_own_base(m->idate_ms, m->uid.n, &own);
	has = strcmp(own.p, base) == 0;
	str_buf_fini(&own);
	return has;
}

struct fs_msg *maildir_by_base(struct fs_folder *f, const struct maildir_name *name)
{
	uint32_t uid = name->uid;
	struct fs_msg *m;

	if (uid && (m = fs_folder_by_uid(f, uid)) && has_base(m, name->base))
		return m;
	if ((m = fs_folder_by_given(f, name->base)) && m->is_base)
		return m;
	if (maildir_is_own_base(name->base, &uid) && (m = fs_folder_by_uid(f, uid)) && has_base(m, name->base))
		return m;
	return NULL;
}

void maildir_remember_name(const struct fs_folder *f, const struct fs_msg *old, struct fs_msg *now)
{
	now->renamed_ms = old->renamed_ms;
	now->was = old->was;
	if (maildir_letters_equal(maildir_letters(f, old), maildir_letters(f, now)))
		return;
	now->renamed_ms = clock_mono_ms();
	now->was = maildir_letters(f, old);
}

/* Whether it was called so a moment ago. */
static bool was_called(const struct fs_folder *f, const struct fs_msg *m, struct fs_letters asked)
{
	int64_t since_ms = clock_mono_ms() - MAILDIR_STALE_MS;

	if (m->renamed_ms && m->renamed_ms > since_ms && maildir_letters_equal(asked, m->was))
		return true;
	return f->maildir.renamed_ms && f->maildir.renamed_ms > since_ms &&
	    maildir_letters_equal(asked, maildir_letters(f, m));
}

struct maildir_found maildir_find(struct fs_folder *f, enum fs_place place, const char *name)
{
	struct maildir_found found = {.d = draft_by_name(f, place, name)};
	struct str_buf now = {0};
	struct fs_letters asked;
	struct maildir_name parsed;

	if (found.d || place == PLACE_TMP || !maildir_name_parse(name, &parsed) ||
	    !(found.m = maildir_by_base(f, &parsed)))
		return found;
	asked = (struct fs_letters){parsed.flags, parsed.forwarded, place == PLACE_CUR};
	maildir_put_name(f, found.m, &now);
	found.is_alias = strcmp(now.p, name) != 0;
	found.is_stale = maildir_place(f, found.m) != place ||
	    (found.is_alias && (!maildir_letters_equal(asked, maildir_letters(f, found.m)) ||
	                           (parsed.uid ? parsed.uid != found.m->uid.n : has_uid(f, found.m))));
	str_buf_fini(&now);
	if (found.is_stale && !was_called(f, found.m, asked))
		found = (struct maildir_found){0};
	return found;
}

/* ---- who goes by UIDs ------------------------------------------------------------------------------- */

/* Names that are about to get a UID; the kernel may hold them. */
static void drop_names(struct fs_folder *f, struct notices *ns)
{
	struct str_buf name = {0};

	for (size_t i = f->n; i-- > 0 && f->msgs[i]->uid.n >= f->maildir.uids_upto;) {
		enum fs_place place = maildir_place(f, f->msgs[i]);

		if (f->msgs[i]->shows_uid)
			continue;
		str_buf_clear(&name);
		maildir_put_name(f, f->msgs[i], &name);
		notice_entry(ns, maildir_sub_node(f, place), name.p);
		notice_inode(ns, maildir_sub_node(f, place), true);
		f->listings[place].version++;
		f->listings[place].changed_ms = clock_wall_ms();
	}
	str_buf_fini(&name);
}

void maildir_keeper_came(struct fs_folder *f, struct notices *ns)
{
	if (f->maildir.keepers == 0) {
		drop_names(f, ns);
		f->maildir.renamed_ms = clock_mono_ms();
	}
	f->maildir.keepers++;
}

void maildir_keeper_left(struct fs_folder *f)
{
	if (--f->maildir.keepers == 0)
		f->maildir.uids_upto = f->uidnext ? f->uidnext : (uint64_t)UINT32_MAX + 1;
}
