/*
 * imapd/notify.c - what is registered, and telling what differs from what was told.
 *
 * Of each folder a few numbers are kept, as the client knows them.  The store says which folders changed
 * since a position; those are read again and compared, so nothing is told twice and nothing is
 * missed, however often the bell rang meanwhile.  Folders that are not watched are kept too where
 * names are, because a name may come into what is watched by RENAME.
 */
#include "imapd/notify.h"

#include "base/log.h"
#include "base/mem.h"
#include "imapd/fetch.h"
#include "imapd/metadata.h"
#include "imapd/notify_folder.h"
#include "imapd/reply.h"
#include "imapd/sync.h"
#include "store/change.h"

#include <stdlib.h>
#include <string.h>

struct notify {
	struct notify_set set;
	struct arena arena; /* of the set */
	struct change_watch *watch;
	uint64_t bell;
	struct store_modseq position; /* in the mailbox's feed of changes */
	struct notify_folders folders;
	uint32_t charged;             /* objtNotify */
	struct imap_req *telling;     /* a FETCH without a command */
	struct arena telling_arena;
};

static void drop(struct client *client, struct notify *n)
{
	if (n->watch)
		change_unwatch(&n->watch);
	if (n->charged)
		session_uncharge(client->session, OBJT_NOTIFY, n->charged);
	if (n->telling)
		n->telling->cleanup(n->telling);
	notify_folders_fini(&n->folders);
	arena_fini(&n->telling_arena);
	arena_fini(&n->arena);
	free(n);
}

void notify_free(struct client *client)
{
	if (client->notify)
		drop(client, client->notify);
	client->notify = NULL;
}

/* --- NOTIFY SET and NONE ---------------------------------------------------------------------- */

static void copy_set(struct notify *n, const struct notify_set *set)
{
	struct arena *arena = &n->arena;

	n->set = *set;
	n->set.groups = arena_copy(arena, set->groups, set->groups_n * sizeof *set->groups);
	for (size_t i = 0; i < set->groups_n; i++) {
		struct notify_group *group = &n->set.groups[i];

		group->names = ARENA_ARRAY(arena, const char *, group->names_n + 1);
		for (size_t k = 0; k < group->names_n; k++)
			group->names[k] = arena_str(arena, set->groups[i].names[k]);
	}
	n->set.items.p = arena_strn(arena, set->items.p ? set->items.p : "", set->items.n);
}

/* Reads the folders as they are; who asks for STATUS is told now. */
static int read_folders(struct client *client, struct notify *n, struct err *e)
{
	struct store_status status;
	struct folder_info *list;
	struct arena arena = {0};
	size_t list_n;
	int result;

	if (n->set.groups_n == 0)
		return 0;
	/* The position first: what happens meanwhile is looked at again. */
	n->bell = change_counter(client->store);
	result = store_status(client->store, &status, e);
	if (result == 0)
		result = folder_list(client->store, &arena, &list, &list_n, e);
	if (result == 0) {
		n->position = status.modseq;
		notify_folders_put(&n->folders, &n->set, list, list_n);
	}
	arena_fini(&arena);
	return result;
}

/* Each folder that is watched, the open one, and the server. */
static uint32_t charge_of(const struct notify *n)
{
	return n->folders.watched_n + (n->set.selected_events != 0) + n->set.has_server;
}

static int prepare(struct client *client, struct notify *n, struct err *e)
{
	uint32_t before = client->notify ? client->notify->charged : 0, charge;

	if (read_folders(client, n, e) != 0)
		return -1;
	charge = charge_of(n);
	/* A folder that is not there yet may be one of those that were named. */
	if (charge == 0 && n->set.groups_n == 0)
		return 0;
	if (change_watch(client->site, session_mailbox(client->session), client_wake, client,
	        &n->watch, e) != 0)
		return -1;
	/* Those of the old registration are still held: only what is more is asked for. */
	if (charge > before && session_charge(client->session, OBJT_NOTIFY, charge - before, e) != 0)
		return -1;
	n->charged = charge;
	if (client->notify)
		client->notify->charged = charge > before ? 0 : before - charge;
	return 0;
}

int notify_register(struct client *client, const struct notify_set *set, struct err *e)
{
	struct notify *n = mem_alloc(sizeof *n);

	copy_set(n, set);
	if (prepare(client, n, e) != 0) {
		drop(client, n);
		return -1;
	}
	if (set->status)
		notify_folders_tell_status(client, &n->folders);
	notify_free(client);
	client->notify = n;
	if (client->selected)
		client->selected->fresh_from = 0;
	return 0;
}

/* The server can't go on: as if NOTIFY NONE were said (RFC 5465 5.8). */
static void overflow(struct client *client)
{
	reply_untagged(client, "OK", "NOTIFICATIONOVERFLOW", "No more is told without asking");
	notify_free(client);
	client->notify = mem_alloc(sizeof *client->notify);
}

/* --- the folders that are not open ---------------------------------------------------------------- */

/* Charges what became watched, gives back what is no more; false: a limit. */
static bool settle_charge(struct client *client)
{
	struct notify *n = client->notify;
	uint32_t wanted = charge_of(n);
	struct err e;

	if (wanted > n->charged &&
	    session_charge(client->session, OBJT_NOTIFY, wanted - n->charged, &e) != 0)
		return false;
	if (wanted < n->charged)
		session_uncharge(client->session, OBJT_NOTIFY, n->charged - wanted);
	n->charged = wanted;
	return true;
}

/* History was pruned: all folders are looked at. */
static int look_at_all(struct client *client, struct arena *arena, struct err *e)
{
	struct notify *n = client->notify;
	struct folder_info *list;
	size_t list_n;

	if (folder_list(client->store, arena, &list, &list_n, e) != 0)
		return -1;
	notify_folders_tell_unlisted(client, &n->folders, list, list_n);
	notify_folders_tell(client, &n->folders, &n->set, list, list_n);
	return 0;
}

/* What the client did itself is remembered, and not told (RFC 5465 5). */
static int look_at_changed(struct client *client, const struct store_changes *changes,
    struct arena *arena, struct err *e)
{
	struct notify *n = client->notify;
	struct folder_info *list = ARENA_ARRAY(arena, struct folder_info, changes->changed_n + 1);
	bool is_own = change_is_own(client->store, n->position, changes->modseq);
	size_t list_n = 0;

	for (size_t i = 0; i < changes->gone_n; i++) {
		if (is_own)
			notify_folders_forget(&n->folders, changes->gone[i]);
		else
			notify_folders_tell_gone(client, &n->folders, changes->gone[i]);
	}
	for (size_t i = 0; i < changes->changed_n; i++) {
		if (folder_by_id(client->store, changes->changed[i], arena, &list[list_n], e) == 0)
			list_n++;
		else if (e->code != ERR_NOTFOUND) /* else it went since, and is told next time */
			return -1;
	}
	if (is_own)
		notify_folders_put(&n->folders, &n->set, list, list_n);
	else
		notify_folders_tell(client, &n->folders, &n->set, list, list_n);
	return 0;
}

static bool wants_metadata(const struct client *client, struct folder_id folder)
{
	const struct notify *n = client->notify;

	return folder.n == ANNOTATION_MAILBOX.n ? n->set.has_server :
	        (notify_folders_events(&n->folders, folder) & NOTIFY_METADATA) != 0;
}

static int look_at_folders(struct client *client, struct err *e)
{
	struct notify *n = client->notify;
	struct store_changes changes;
	struct arena arena = {0};
	uint64_t bell = change_counter(client->store);
	int result;

	if (n->set.groups_n == 0 || (bell == n->bell && !client->woken))
		return 0;
	result = change_store(client->store, n->position, &arena, &changes, e);
	if (result == 0)
		result = changes.reset ? look_at_all(client, &arena, e) :
		                         look_at_changed(client, &changes, &arena, e);
	if (result == 0)
		result = metadata_tell(client, n->position, changes.modseq, wants_metadata, e);
	if (result == 0) {
		n->bell = bell;
		n->position = changes.modseq;
	}
	arena_fini(&arena);
	return result;
}

/* --- the open folder ------------------------------------------------------------------------------ */

bool notify_limits(const struct client *client, unsigned *how)
{
	const struct notify *n = client->notify;

	if (!n)
		return true;
	if (!(n->set.selected_events & NOTIFY_FLAGS))
		*how |= SYNC_NO_FLAGS;
	return n->set.selected_events != 0;
}

static int look_at_selected(struct client *client, bool expunges_too, struct err *e)
{
	unsigned how = SYNC_UID;

	if (!client->selected || !notify_limits(client, &how))
		return 0;
	if (expunges_too || !client->notify->set.is_delayed)
		how |= SYNC_EXPUNGE;
	how |= client->woken ? SYNC_WOKEN : 0;
	return sync_run(client, how, e);
}

/* The items that MessageNew asks for, of what was told to exist and not fetched yet. */
static bool begin_telling(struct client *client)
{
	struct notify *n = client->notify;
	struct selected *s = client->selected;
	uint32_t from = s ? s->fresh_from : 0;

	if (!from)
		return false;
	s->fresh_from = 0;
	if (!n->set.items.n || !(n->set.selected_events & NOTIFY_NEW))
		return false;
	n->telling = fetch_begin(client, n->set.items,
	    (struct uid_range){from, view_last_uid(&s->view)}, &n->telling_arena);
	return true;
}

bool notify_is_telling(const struct client *client)
{
	return client->notify && client->notify->telling;
}

enum imap_next notify_go_on(struct client *client)
{
	struct notify *n = client->notify;
	struct err e = {ERR_BUG, 0, ""};
	enum imap_next next = n->telling->step(n->telling, &e);

	if (next == IMAP_YIELD)
		return next;
	if (next == IMAP_FAIL)
		log_warn("notify-failed", "user=%s %s",
		    LOG_Q(session_actor_name(client->session)), log_err(&e));
	n->telling->cleanup(n->telling);
	n->telling = NULL;
	arena_fini(&n->telling_arena);
	return IMAP_DONE;
}

enum imap_next notify_look(struct client *client, bool expunges_too)
{
	struct err e;

	if (!client->notify || client->closing)
		return IMAP_WAIT;
	if (look_at_selected(client, expunges_too, &e) != 0 || look_at_folders(client, &e) != 0) {
		log_warn("notify-failed", "user=%s %s",
		    LOG_Q(session_actor_name(client->session)), log_err(&e));
		return IMAP_WAIT;
	}
	client->woken = false;
	if (!settle_charge(client)) {
		overflow(client);
		return IMAP_WAIT;
	}
	return begin_telling(client) ? IMAP_DONE : IMAP_WAIT;
}
