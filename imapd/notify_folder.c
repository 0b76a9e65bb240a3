/* imapd/notify_folder.c - LIST and STATUS that nobody asked for (RFC 5465 5). */
#include "imapd/notify_folder.h"

#include "base/mem.h"
#include "imapd/reply.h"
#include "imapd/special_use.h"
#include "imapd/sync.h"

#include <stdlib.h>
#include <string.h>

void notify_folders_fini(struct notify_folders *folders)
{
	for (size_t i = 0; i < folders->n; i++)
		free(folders->at[i].name);
	free(folders->at);
	*folders = (struct notify_folders){0};
}

/* Where the id is, or belongs. */
static size_t place_of(const struct notify_folders *folders, struct folder_id id)
{
	size_t low = 0, high = folders->n;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (folders->at[mid].id.n < id.n)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static struct notify_folder *find(const struct notify_folders *folders, struct folder_id id)
{
	size_t at = place_of(folders, id);

	return at < folders->n && folders->at[at].id.n == id.n ? &folders->at[at] : NULL;
}

static struct notify_folder *insert(struct notify_folders *folders, struct folder_id id)
{
	size_t at = place_of(folders, id);

	if (folders->n == folders->size) {
		folders->size = folders->size ? folders->size * 2 : 16;
		folders->at = mem_realloc(folders->at, folders->size * sizeof *folders->at);
	}
	memmove(&folders->at[at + 1], &folders->at[at], (folders->n - at) * sizeof *folders->at);
	folders->n++;
	folders->at[at] = (struct notify_folder){.id = id, .uidnext = 1};
	return &folders->at[at];
}

static void take_out(struct notify_folders *folders, struct notify_folder *f)
{
	folders->watched_n -= f->events != 0;
	free(f->name);
	folders->n--;
	memmove(f, f + 1, (size_t)(folders->at + folders->n - f) * sizeof *f);
}

static void remember(struct notify_folders *folders, struct notify_folder *f,
    const struct folder_info *now, unsigned events)
{
	if (!f->name || strcmp(f->name, now->name) != 0) {
		free(f->name);
		f->name = mem_str(now->name);
	}
	folders->watched_n += (events != 0);
	folders->watched_n -= (f->events != 0);
	f->events = events;
	f->subscribed = now->subscribed;
	f->use = now->use;
	f->uidvalidity = now->uidvalidity;
	f->uidnext = now->uidnext;
	f->exists = now->exists;
	f->unseen = now->unseen;
	f->highestmodseq = now->highestmodseq;
}

void notify_folders_put(struct notify_folders *folders, const struct notify_set *set,
    const struct folder_info *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct notify_folder *f = find(folders, list[i].id);

		remember(folders, f ? f : insert(folders, list[i].id), &list[i],
		    notify_events_of(set, list[i].name, list[i].subscribed));
	}
}

void notify_folders_forget(struct notify_folders *folders, struct folder_id id)
{
	struct notify_folder *f = find(folders, id);

	if (f)
		take_out(folders, f);
}

unsigned notify_folders_events(const struct notify_folders *folders, struct folder_id id)
{
	const struct notify_folder *f = find(folders, id);

	return f ? f->events : 0;
}

/* --- LIST ------------------------------------------------------------------------------------------ */

/* old_name: NULL but where it was renamed. */
static void put_list(struct client *client, const struct notify_folder *f, bool has_children,
    const char *old_name)
{
	struct str_buf *out = conn_out(client->conn);
	const char *use = special_use_name(f->use);

	str_buf_puts(out, has_children ? "* LIST (\\HasChildren" : "* LIST (\\HasNoChildren");
	str_buf_puts(out, *use ? " " : "");
	str_buf_puts(out, use);
	str_buf_puts(out, f->subscribed ? " \\Subscribed) \"/\" " : ") \"/\" ");
	reply_put_mailbox(out, client, f->name);
	if (old_name) {
		str_buf_puts(out, " (\"OLDNAME\" (");
		reply_put_mailbox(out, client, old_name);
		str_buf_puts(out, "))");
	}
	str_buf_put(out, "\r\n", 2);
}

static void put_gone(struct client *client, const char *name, bool has_children)
{
	struct str_buf *out = conn_out(client->conn);

	str_buf_puts(out, has_children ? "* LIST (\\NonExistent \\HasChildren) \"/\" " :
	                                 "* LIST (\\NonExistent \\HasNoChildren) \"/\" ");
	reply_put_mailbox(out, client, name);
	str_buf_put(out, "\r\n", 2);
}

static bool has_children(const struct notify_folders *folders, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < folders->n; i++)
		if (strncmp(folders->at[i].name, name, n) == 0 && folders->at[i].name[n] == '/')
			return true;
	return false;
}

/* A folder came or went: its parent is affected too (RFC 5465 5.4), where it is a folder. */
static void put_parent(struct client *client, const struct notify_folders *folders, const char *name)
{
	const char *slash = strrchr(name, '/');
	size_t n = slash ? (size_t)(slash - name) : 0;

	for (size_t i = 0; slash && i < folders->n; i++) {
		const struct notify_folder *f = &folders->at[i];

		if (strlen(f->name) == n && strncmp(f->name, name, n) == 0 && (f->events & NOTIFY_NAME))
			put_list(client, f, has_children(folders, f->name), NULL);
	}
}

/* --- STATUS ---------------------------------------------------------------------------------------- */

enum status_item { MESSAGES = 1, UIDNEXT = 2, UIDVALIDITY = 4, UNSEEN = 8, HIGHESTMODSEQ = 16 };

static void put_status(struct client *client, const struct notify_folder *f, unsigned items)
{
	const struct {
		unsigned item;
		const char *name;
		uint64_t value;
	} all[] = {
		{MESSAGES, "MESSAGES ", f->exists},
		{UIDNEXT, "UIDNEXT ", f->uidnext ? f->uidnext : UINT32_MAX},
		{UIDVALIDITY, "UIDVALIDITY ", f->uidvalidity},
		{UNSEEN, "UNSEEN ", f->unseen},
		{HIGHESTMODSEQ, "HIGHESTMODSEQ ", f->highestmodseq.n},
	};
	struct str_buf *out = conn_out(client->conn);
	const char *before = " (";

	if (!items)
		return;
	str_buf_puts(out, "* STATUS ");
	reply_put_mailbox(out, client, f->name);
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		if (!(items & all[i].item))
			continue;
		str_buf_puts(out, before);
		str_buf_puts(out, all[i].name);
		str_buf_put_number(out, all[i].value);
		before = " ";
	}
	str_buf_put(out, ")\r\n", 3);
}

void notify_folders_tell_status(struct client *client, const struct notify_folders *folders)
{
	for (size_t i = 0; i < folders->n; i++) {
		const struct notify_folder *f = &folders->at[i];

		if (client->selected && client->selected->id.n == f->id.n)
			continue;
		put_status(client, f,
		    (f->events & NOTIFY_NEW ? MESSAGES | UIDNEXT | UIDVALIDITY : 0) |
		    (f->events & NOTIFY_EXPUNGE ? MESSAGES : 0) |
		    (f->events & NOTIFY_FLAGS ? UIDVALIDITY | HIGHESTMODSEQ : 0));
	}
}

/* RFC 5465 5.1 to 5.3; what was before stands in f. */
static unsigned news_of(const struct client *client, const struct notify_folder *f,
    const struct folder_info *now, unsigned events)
{
	bool came = now->uidnext != f->uidnext, is_fewer = now->exists < f->exists ||
	    (came && now->exists != f->exists + (now->uidnext - f->uidnext));
	bool follows = client->enabled & ENABLED_CONDSTORE;
	unsigned items = 0;

	if (now->highestmodseq.n == f->highestmodseq.n || now->highestmodseq.n == 0)
		return 0;
	if (((events & NOTIFY_NEW) && came) || ((events & NOTIFY_EXPUNGE) && is_fewer))
		items |= UIDNEXT | MESSAGES | (follows ? HIGHESTMODSEQ : 0);
	if (!(events & NOTIFY_FLAGS))
		return items;
	if (now->unseen != f->unseen)
		items |= UNSEEN | UIDVALIDITY;
	return items | (follows ? HIGHESTMODSEQ | UIDVALIDITY : 0);
}

/* --- what changed ---------------------------------------------------------------------------------- */

static bool is_open(const struct client *client, struct folder_id id)
{
	return client->selected && client->selected->id.n == id.n;
}

static void tell_new(struct client *client, struct notify_folders *folders,
    const struct folder_info *now, unsigned events)
{
	struct notify_folder *f = insert(folders, now->id), before = *f;

	remember(folders, f, now, events);
	if (events & NOTIFY_NAME) {
		put_list(client, f, now->has_children, NULL);
		put_parent(client, folders, now->name);
	}
	/* What it holds already, if it does: of the open folder SELECTED alone decides (RFC 5465 3.1). */
	if (!is_open(client, now->id) && now->uidnext != 1)
		put_status(client, f, news_of(client, &before, now, events));
}

static void tell_known(struct client *client, struct notify_folders *folders,
    struct notify_folder *f, const struct folder_info *now, unsigned events, bool quiet)
{
	bool renamed = strcmp(f->name, now->name) != 0 && !quiet;
	unsigned told = events | f->events;
	bool lists = ((told & NOTIFY_NAME) && renamed) ||
	    ((told & NOTIFY_SUBSCRIPTION) && f->subscribed != now->subscribed);
	unsigned items = is_open(client, now->id) ? 0 : news_of(client, f, now, events);
	char *old_name = renamed ? mem_str(f->name) : NULL;

	remember(folders, f, now, events);
	if (lists)
		put_list(client, f, now->has_children, old_name);
	put_status(client, f, items);
	free(old_name);
}

/* A rename in this round, of a folder that is known. */
struct renamed {
	const char *from, *to;
	size_t from_n, at; /* at: in the list */
};

static int by_length(const void *a, const void *b)
{
	const struct renamed *x = a, *y = b;

	return (x->from_n > y->from_n) - (x->from_n < y->from_n);
}

static bool went_along(const struct renamed *parent, const struct renamed *child)
{
	size_t n = parent->from_n;

	return strncmp(child->from, parent->from, n) == 0 && child->from[n] == '/' &&
	    strncmp(child->to, parent->to, strlen(parent->to)) == 0 &&
	    strcmp(child->to + strlen(parent->to), child->from + n) == 0;
}

/* Which of the list were renamed with a parent, and are not told (RFC 5465 5.4). */
static bool *find_quiet(const struct notify_folders *folders, const struct folder_info *list,
    size_t n)
{
	struct renamed *all = mem_alloc((n + 1) * sizeof *all);
	bool *quiet = mem_alloc((n + 1) * sizeof *quiet);
	size_t all_n = 0, roots_n = 0;

	for (size_t i = 0; i < n; i++) {
		const struct notify_folder *f = find(folders, list[i].id);

		if (f && strcmp(f->name, list[i].name) != 0)
			all[all_n++] = (struct renamed){f->name, list[i].name, strlen(f->name), i};
	}
	/* Parents first; those that are told themselves gather at the front. */
	qsort(all, all_n, sizeof *all, by_length);
	for (size_t i = 0; i < all_n; i++) {
		size_t root = 0;

		while (root < roots_n && !went_along(&all[root], &all[i]))
			root++;
		quiet[all[i].at] = root < roots_n;
		if (root == roots_n)
			all[roots_n++] = all[i];
	}
	free(all);
	return quiet;
}

void notify_folders_tell(struct client *client, struct notify_folders *folders,
    const struct notify_set *set, const struct folder_info *list, size_t n)
{
	bool *quiet = find_quiet(folders, list, n);

	for (size_t i = 0; i < n; i++) {
		unsigned events = notify_events_of(set, list[i].name, list[i].subscribed);
		struct notify_folder *f = find(folders, list[i].id);

		if (f)
			tell_known(client, folders, f, &list[i], events, quiet[i]);
		else
			tell_new(client, folders, &list[i], events);
	}
	free(quiet);
}

void notify_folders_tell_gone(struct client *client, struct notify_folders *folders,
    struct folder_id id)
{
	struct notify_folder *f = find(folders, id);
	char *name;

	if (!f)
		return;
	name = f->events & NOTIFY_NAME ? mem_str(f->name) : NULL;
	take_out(folders, f);
	if (name) {
		put_gone(client, name, has_children(folders, name));
		put_parent(client, folders, name);
	}
	free(name);
}

void notify_folders_tell_unlisted(struct client *client, struct notify_folders *folders,
    const struct folder_info *list, size_t n)
{
	bool *listed = mem_alloc((folders->n + 1) * sizeof *listed);

	for (size_t i = 0; i < n; i++) {
		const struct notify_folder *f = find(folders, list[i].id);

		if (f)
			listed[f - folders->at] = true;
	}
	for (size_t i = folders->n; i-- > 0;)
		if (!listed[i])
			notify_folders_tell_gone(client, folders, folders->at[i].id);
	free(listed);
}
