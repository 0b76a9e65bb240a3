/*
 * fs/node_viewuser.c - view/USER/, and in it search/ and thread/, where every name is a directory.
 *
 * search/ lists the searches that are kept: mkdir keeps one, rmdir forgets it.  The kernel looks a name up
 * before it makes a directory, and makes none where there is one; but here every query is one.  So whoever is
 * in mkdir(2) is told that there is none, unless it is kept (fs/maker.h).
 */
#include "fs/users.h"

#include "fs/err_map.h"
#include "fs/maker.h"
#include "fs/name.h"
#include "fs/viewdir.h"

#include "base/clock.h"
#include "base/log.h"
#include "store/saved.h"

#include <errno.h>
#include <string.h>

static int viewuser_attr(struct tree *t, struct node n, struct stat *st)
{
	struct fs_folder *f = tree_folder(t, n);

	if (!f)
		return ESTALE;
	tree_stat(t, st, S_IFDIR | (n.item == VIEWUSER_SEARCH ? 0700 : 0500), f->mailbox->uid,
	    f->mailbox->gid, t->started_ms);
	st->st_ino = tree_st_ino(t, f->mailbox->user.n, NODE_viewuser, n.item, 0);
	return 0;
}

static int entry_of(struct tree *t, struct node n, struct node_entry *entry_r)
{
	/* A text is one directory for good; mkdir(2) asks anew in any case. */
	*entry_r = (struct node_entry){.node = n, .timeout_s = USERS_TIMEOUT_S};
	return node_rows[n.kind]->attr(t, n, &entry_r->st);
}

/* ---- what is in a user's directory ---- */

static const struct {
	const char *name;
	bool is_query;
	uint32_t item; /* of viewuser, or the kind of query */
} entries[] = {
    {"flagged", true, VIEWDIR_FLAGGED},
    {"search", false, VIEWUSER_SEARCH},
    {"thread", false, VIEWUSER_THREAD},
    {"unread", true, VIEWDIR_UNREAD},
};
#define ENTRIES_N (sizeof entries / sizeof *entries)

static int entry_at(struct tree *t, struct fs_folder *top, size_t i, struct node_entry *entry_r)
{
	struct node n = {NODE_viewuser, top->slot, entries[i].item};

	if (entries[i].is_query && !viewdir_node(top->mailbox, (enum viewdir_kind)entries[i].item, "", &n))
		return ENFILE;
	return entry_of(t, n, entry_r);
}

static int lookup_entry(struct tree *t, struct fs_folder *top, const char *name,
    struct node_entry *entry_r)
{
	for (size_t i = 0; i < ENTRIES_N; i++)
		if (strcmp(entries[i].name, name) == 0)
			return entry_at(t, top, i, entry_r);
	return ENOENT;
}

/* Names alone: what is in them is nobody's until he asks. */
static void list_entries(struct tree *t, struct fs_folder *top, uint64_t after, node_emit *emit,
    void *arg)
{
	struct node_entry entry = {.node = {NODE_NONE, 0, 0}, .st.st_mode = S_IFDIR};

	for (uint64_t i = after; i < ENTRIES_N; i++) {
		entry.st.st_ino = entries[i].is_query
		    ? viewdir_st_ino(top->mailbox, (enum viewdir_kind)entries[i].item, "")
		    : tree_st_ino(t, top->mailbox->user.n, NODE_viewuser, entries[i].item, 0);
		if (!emit(arg, entries[i].name, &entry, i + 1))
			return;
	}
}

/* ---- searches that are kept ---- */

struct kept {
	struct arena arena;
	const char *const *list;
	size_t n;
};

static int kept_read(struct mailbox *mb, struct kept *kept)
{
	struct mailbox_access access;
	struct err e;
	int rc;

	*kept = (struct kept){0};
	if (mailbox_access(mb, &access, &e) < 0)
		return fs_errno(&e);
	rc = saved_list(access.store, &kept->arena, &kept->list, &kept->n, &e);
	mailbox_access_end(&access);
	return rc < 0 ? fs_errno(&e) : 0;
}

static bool is_kept(struct mailbox *mb, const char *text)
{
	struct kept kept;
	bool found = false;

	if (kept_read(mb, &kept) == 0)
		for (size_t i = 0; i < kept.n && !found; i++)
			found = strcmp(kept.list[i], text) == 0;
	arena_fini(&kept.arena);
	return found;
}

int viewuser_keep(struct mailbox *mb, const char *text)
{
	struct mailbox_access access;
	struct err e;
	int rc;

	if (mailbox_access(mb, &access, &e) < 0)
		return fs_errno(&e);
	rc = saved_add(access.store, text, &e);
	mailbox_access_end(&access);
	return rc < 0 ? fs_errno(&e) : 0;
}

static int list_kept(struct fs_folder *top, uint64_t after, node_emit *emit, void *arg)
{
	struct node_entry entry = {.node = {NODE_NONE, 0, 0}, .st.st_mode = S_IFDIR};
	struct str_buf name = {0};
	struct kept kept;
	int err = kept_read(top->mailbox, &kept);

	for (uint64_t i = after; !err && i < kept.n; i++) {
		str_buf_clear(&name);
		name_text_encode(str_view(kept.list[i], strlen(kept.list[i])), &name);
		entry.st.st_ino = viewdir_st_ino(top->mailbox, VIEWDIR_SEARCH, kept.list[i]);
		if (name.n <= NAME_MAX_BYTES && !emit(arg, name.p, &entry, i + 1))
			break;
	}
	str_buf_fini(&name);
	arena_fini(&kept.arena);
	return err;
}

/* ---- any text ---- */

/* What a name says: the query, or the id of a message of the thread. */
static int text_of(struct tree *t, struct fs_folder *top, uint32_t item, const char *name,
    struct str_buf *text)
{
	struct viewquery_fault fault;
	struct viewquery query;
	struct arena arena = {0};
	bool good = true;

	if (strlen(name) > NAME_MAX_BYTES)
		return ENAMETOOLONG;
	name_text_decode(name, text);
	if (memchr(text->p, '\0', text->n))
		return EINVAL;
	if (item == VIEWUSER_THREAD && text->n > 2 && text->p[0] == '<' && text->p[text->n - 1] == '>') {
		text->p[--text->n] = '\0';
		str_buf_consume(text, 1);
	}
	if (item == VIEWUSER_SEARCH)
		good = viewquery_parse(str_buf_view(text), clock_wall_ms() / 1000, &arena, &query, &fault);
	if (!good)
		journal_say(t->journal, "query-refused", "user=%s query=%s at=%zu text=\"%s\"",
		    LOG_Q(top->mailbox->name), LOG_Q(text->p), fault.at, fault.text);
	arena_fini(&arena);
	return good ? 0 : EINVAL;
}

static int lookup_text(struct tree *t, struct fs_folder *top, uint32_t item, const char *name,
    const struct caller *who, struct node_entry *entry_r)
{
	struct mailbox *mb = top->mailbox;
	struct str_buf text = {0};
	struct node n;
	int err = text_of(t, top, item, name, &text);

	if (!err && item == VIEWUSER_SEARCH && maker_is_at_mkdir(who->tid) && !is_kept(mb, text.p))
		err = ENOENT;
	if (!err && !viewdir_node(mb, item == VIEWUSER_SEARCH ? VIEWDIR_SEARCH : VIEWDIR_THREAD, text.p, &n))
		err = ENFILE;
	if (!err)
		err = entry_of(t, n, entry_r);
	str_buf_fini(&text);
	return err;
}

/* ---- the row ---- */

static int viewuser_lookup(struct tree *t, struct node dir, const char *name, const struct caller *who,
    struct node_entry *entry_r)
{
	struct fs_folder *top = tree_folder(t, dir);

	if (!top)
		return ESTALE;
	return dir.item == VIEWUSER_TOP ? lookup_entry(t, top, name, entry_r)
					: lookup_text(t, top, dir.item, name, who, entry_r);
}

/* thread/ lists nothing: there are as many as there are messages, and user.thread names each one's. */
static int viewuser_list(struct tree *t, struct node dir, uint64_t after, node_emit *emit, void *arg)
{
	struct fs_folder *top = tree_folder(t, dir);

	if (!top)
		return ESTALE;
	if (dir.item == VIEWUSER_SEARCH)
		return list_kept(top, after, emit, arg);
	if (dir.item == VIEWUSER_TOP)
		list_entries(t, top, after, emit, arg);
	return 0;
}

static int viewuser_mkdir(struct tree *t, struct node dir, const char *name, struct node_entry *entry_r)
{
	struct fs_folder *top = tree_folder(t, dir);
	struct caller nobody = {0};
	struct str_buf text = {0};
	int err;

	if (!top)
		return ESTALE;
	if (dir.item != VIEWUSER_SEARCH)
		return EROFS;
	err = text_of(t, top, dir.item, name, &text);
	if (!err)
		err = viewuser_keep(top->mailbox, text.p);
	str_buf_fini(&text);
	return err ? err : lookup_text(t, top, dir.item, name, &nobody, entry_r);
}

static int viewuser_rmdir(struct tree *t, struct node dir, const char *name)
{
	struct fs_folder *top = tree_folder(t, dir);
	struct mailbox_access access;
	struct str_buf text = {0};
	struct err e;
	int err = 0;

	if (!top)
		return ESTALE;
	if (dir.item != VIEWUSER_SEARCH)
		return EROFS;
	name_text_decode(name, &text);
	if (mailbox_access(top->mailbox, &access, &e) < 0) {
		err = fs_errno(&e);
	} else {
		err = saved_remove(access.store, text.p, &e) < 0 ? fs_errno(&e) : 0;
		mailbox_access_end(&access);
	}
	str_buf_fini(&text);
	return err;
}

const struct node_row node_viewuser_row = {
	.name = "viewuser",
	.is_dir = true,
	.is_session = true,
	.is_read_only = true,
	.attr = viewuser_attr,
	.lookup_for = viewuser_lookup,
	.list = viewuser_list,
	.folder = tree_folder,
	.mkdir = viewuser_mkdir,
	.rmdir = viewuser_rmdir,
};
