/*
 * imapd/context.c - what a context's result is, and how it follows the folder.
 *
 * The members are ranges of UIDs; SORT has the order beside them, UIDs too.  What changed is judged anew by
 * the store, and only that; where nothing in the key can change (no flag, no modseq) only arrivals are.
 * What is compared is fetched when something is to be inserted, a few messages for each: nothing is kept
 * of messages but four octets.
 */
#include "imapd/context_priv.h"

#include "imapd/reply.h"
#include "imapd/sync.h"
#include "limits/registry.h"
#include "base/log.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* A change of the members: UIDs, ascending. */
struct delta {
	uint32_t *added, *removed;
	size_t added_n, removed_n;
};

/* --- begin and end --------------------------------------------------------------------------- */

static struct search_key *copy_key(struct arena *arena, const struct search_key *key)
{
	struct search_key *first = NULL, **last = &first;

	for (; key; key = key->next) {
		struct search_key *copy = *last = arena_copy(arena, key, sizeof *key);

		copy->children = copy_key(arena, key->children);
		copy->next = NULL;
		copy->ranges = arena_copy(arena, key->ranges, key->ranges_n * sizeof *key->ranges);
		copy->name = key->name ? arena_str(arena, key->name) : NULL;
		copy->text = str_view(arena_strn(arena, key->text.p ? key->text.p : "", key->text.n),
		    key->text.n);
		last = &copy->next;
	}
	return first;
}

static bool may_change(const struct search_key *key)
{
	if (key->kind == SEARCH_FLAG || key->kind == SEARCH_KEYWORD || key->kind == SEARCH_MODSEQ)
		return true;
	for (const struct search_key *child = key->children; child; child = child->next)
		if (may_change(child))
			return true;
	return false;
}

static struct context **find(struct context **list, struct str_view tag)
{
	while (*list && !str_equal((*list)->tag, tag))
		list = &(*list)->next;
	return list;
}

static void end(struct context **at)
{
	struct context *context = *at;

	*at = context->next;
	session_uncharge(context->session, OBJT_NOTIFY, 1);
	arena_fini(&context->arena);
	free(context->members);
	free(context->order);
	free(context);
}

bool context_exists(const struct client *client, struct str_view tag)
{
	return *find(&client->selected->contexts, tag) != NULL;
}

bool context_end(struct client *client, struct str_view tag)
{
	struct context **at = find(&client->selected->contexts, tag);

	if (!*at)
		return false;
	end(at);
	return true;
}

void context_end_all(struct context **list)
{
	while (*list)
		end(list);
}

static void tell_no_update(struct client *client, struct str_view tag, const char *why)
{
	struct str_buf *out = conn_out(client->conn);

	str_buf_puts(out, "* NO [NOUPDATE \"");
	str_buf_put(out, tag.p, tag.n);
	str_buf_printf(out, "\"] %s\r\n", why);
}

/* The context can't be followed any more. */
static void give_up(struct client *client, struct context **at, const char *why)
{
	tell_no_update(client, (*at)->tag, why);
	end(at);
}

static void take_result(struct imap_req *req, struct context *context, const struct result *result)
{
	const struct view *view = &req->client->selected->view;
	struct seq_set set = result_uids(req, result);

	context->members = mem_realloc(NULL, (set.n + 1) * sizeof *context->members);
	memcpy(context->members, set.ranges, set.n * sizeof *set.ranges);
	context->members_n = set.n;
	context->last_uid = view_last_uid(view);
	if (!context->program)
		return;
	context->order_n = context->order_room = result->n;
	context->order = mem_realloc(NULL, (result->n + 1) * sizeof *context->order);
	for (uint32_t i = 0; i < result->n; i++)
		context->order[i] = view_uid(view, result->order[i]);
}

void context_begin(struct imap_req *req, const struct search_key *key, const struct result *result,
    const struct sort_program *program)
{
	struct client *client = req->client;
	struct context *context, **last = &client->selected->contexts;
	uint32_t n = 0;
	struct err e;

	for (; *last; last = &(*last)->next)
		n++;
	if (n >= setting_get(client->site, SETTING_IMAP_CONTEXTS_MAX)) {
		tell_no_update(client, req->tag, "There are too many live contexts");
		return;
	}
	if (session_charge(client->session, OBJT_NOTIFY, 1, &e) != 0) {
		tell_no_update(client, req->tag, "The session has too many notifications");
		return;
	}
	*last = context = mem_alloc(sizeof *context);
	context->session = client->session;
	context->tag = str_view(arena_strn(&context->arena, req->tag.p, req->tag.n), req->tag.n);
	context->uid = req->uid;
	context->key = copy_key(&context->arena, key);
	context->can_change = may_change(key);
	if (program)
		context->program = arena_copy(&context->arena, program, sizeof *program);
	take_result(req, context, result);
}

/* --- following ------------------------------------------------------------------------------- */

static void remove_members(struct client *client, struct context *context, const uint32_t *uids,
    size_t n)
{
	if (n == 0)
		return;
	context_take_out(context, uids, n);
	if (context->program)
		context_remove_sorted(client, context, uids, n);
	else
		context_tell_set(client, context, "REMOVEFROM", uids, n);
}

static int add_members(struct client *client, struct context *context, const uint32_t *uids, size_t n,
    struct err *e)
{
	if (n == 0)
		return 0;
	context_put_in(context, uids, n);
	if (context->program)
		return context_add_sorted(client, context, uids, n, e);
	context_tell_set(client, context, "ADDTO", uids, n);
	return 0;
}

void context_expunged(struct client *client, const struct uid_range *gone, size_t n)
{
	size_t uids_n = 0;
	uint32_t *uids;

	if (!client->selected->contexts)
		return;
	for (size_t i = 0; i < n; i++)
		uids_n += gone[i].to - gone[i].from + 1;
	uids = mem_alloc((uids_n + 1) * sizeof *uids);
	for (struct context *c = client->selected->contexts; c; c = c->next) {
		size_t members_n = 0;

		for (size_t i = 0; i < n; i++)
			for (uint32_t k = 0; k <= gone[i].to - gone[i].from; k++)
				if (context_has(c, gone[i].from + k))
					uids[members_n++] = gone[i].from + k;
		remove_members(client, c, uids, members_n);
	}
	free(uids);
}

/* Appends to matched_r those of the UIDs (ascending, within a short range) that the key matches. */
static int judge_run(struct client *client, const struct context *context, const uint32_t *uids,
    size_t n, uint32_t *matched, size_t *matched_n, struct err *e)
{
	struct store_uid next = {uids[0]}, *found;
	struct arena arena = {0};
	size_t found_n;
	int result = 0;

	while (result == 0 && next.n && next.n <= uids[n - 1]) {
		result = search_run(client->store, client->selected->id, context->key, next,
		    uids[n - 1] - next.n + 1, &arena, &found, &found_n, &next, e);
		for (size_t i = 0; result == 0 && i < found_n; i++)
			if (uids_have(uids, n, found[i].n))
				matched[(*matched_n)++] = found[i].n;
		arena_fini(&arena);
	}
	return result;
}

/* Messages side by side are judged together. */
#define RUN_GAP 16
#define RUN_UIDS_MAX 500

static int judge(struct client *client, const struct context *context, const uint32_t *uids, size_t n,
    uint32_t *matched, size_t *matched_n, struct err *e)
{
	size_t from = 0;

	for (size_t i = 1; i <= n; i++) {
		if (i < n && uids[i] - uids[i - 1] <= RUN_GAP && uids[i] - uids[from] < RUN_UIDS_MAX)
			continue;
		if (judge_run(client, context, uids + from, i - from, matched, matched_n, e) != 0)
			return -1;
		from = i;
	}
	return 0;
}

/* Of what changed, what has to be judged: the client knows it, and it may have another answer. */
static size_t candidates(struct client *client, const struct context *context,
    const struct folder_changes *changes, uint32_t *uids)
{
	uint32_t last = view_last_uid(&client->selected->view);
	size_t n = 0;

	for (size_t i = 0; i < changes->changed_n; i++) {
		uint32_t uid = changes->changed[i].uid.n;

		if (uid <= last && (context->can_change || uid > context->last_uid))
			uids[n++] = uid;
	}
	return n;
}

static int follow(struct client *client, struct context *context, const uint32_t *uids, size_t n,
    struct err *e)
{
	uint32_t *matched = mem_alloc((n + 1) * sizeof *matched);
	struct delta d = {mem_alloc((n + 1) * sizeof *d.added), mem_alloc((n + 1) * sizeof *d.removed),
	    0, 0};
	size_t matched_n = 0;
	int result = judge(client, context, uids, n, matched, &matched_n, e);

	for (size_t i = 0; i < n && result == 0; i++) {
		bool is = uids_have(matched, matched_n, uids[i]);
		bool was = context_has(context, uids[i]) &&
		    uids[i] <= context->last_uid;

		if (is && !was)
			d.added[d.added_n++] = uids[i];
		if (was && !is)
			d.removed[d.removed_n++] = uids[i];
	}
	if (result == 0) {
		remove_members(client, context, d.removed, d.removed_n);
		result = add_members(client, context, d.added, d.added_n, e);
	}
	free(d.added);
	free(d.removed);
	free(matched);
	return result;
}

void context_changed(struct client *client, const struct folder_changes *changes)
{
	struct context **at = &client->selected->contexts;
	uint32_t changes_max, *uids;
	struct err e;

	if (!*at || !changes->changed_n)
		return;
	changes_max = setting_get(client->site, SETTING_IMAP_CONTEXT_CHANGES_MAX);
	uids = mem_alloc((changes->changed_n + 1) * sizeof *uids);
	while (*at) {
		struct context *context = *at;
		size_t n = candidates(client, context, changes, uids);

		if (n > changes_max) {
			give_up(client, at, "Too much changed at once");
		} else if (n && follow(client, context, uids, n, &e) != 0) {
			log_warn("context-lost", "user=%s %s", LOG_Q(session_actor_name(client->session)),
			    log_err(&e));
			give_up(client, at, "The server can't follow it any more");
		} else {
			context->last_uid = view_last_uid(&client->selected->view);
			at = &context->next;
		}
	}
	free(uids);
}
