/* imapd/notify_parse.c - the arguments of NOTIFY (RFC 5465 8). */
#include "imapd/notify.h"

#include "imapd/fetch.h"

#include <string.h>

const char notify_events[] =
    "BADEVENT (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange "
    "MailboxMetadataChange ServerMetadataChange)";

static const struct {
	const char *name;
	unsigned event;
} events[] = {
	{"MessageNew", NOTIFY_NEW},
	{"MessageExpunge", NOTIFY_EXPUNGE},
	{"FlagChange", NOTIFY_FLAGS},
	{"MailboxName", NOTIFY_NAME},
	{"SubscriptionChange", NOTIFY_SUBSCRIPTION},
	{"MailboxMetadataChange", NOTIFY_METADATA},
	{"ServerMetadataChange", NOTIFY_SERVER_METADATA},
};

static const struct {
	const char *name;
	enum notify_filter filter;
} filters[] = {
	{"SELECTED", NOTIFY_SELECTED},
	{"SELECTED-DELAYED", NOTIFY_SELECTED_DELAYED},
	{"INBOXES", NOTIFY_ALL},
	{"PERSONAL", NOTIFY_ALL},
	{"SUBSCRIBED", NOTIFY_SUBSCRIBED},
	{"SUBTREE", NOTIFY_SUBTREE},
	{"SUBTREE-ONE", NOTIFY_SUBTREE_ONE},
	{"MAILBOXES", NOTIFY_MAILBOXES},
};
#define N_OF(table) (sizeof(table) / sizeof *(table))

/* A name that can't be a folder's is left out: it is none that exists (RFC 5465 3.1). */
static bool one_name(struct parse *p, struct notify_set *set, struct notify_group *group,
    size_t *room)
{
	const char *name;

	if (!parse_mailbox(p, &name))
		return false;
	if (!name)
		return true;
	/* Every folder is held against every name. */
	if (set->names_n++ == p->limits->list_max)
		return parse_bad(p, "The list is too long");
	if (group->names_n == *room) {
		const char **more = ARENA_ARRAY(p->arena, const char *, *room ? *room * 2 : 4);

		if (*room)
			memcpy(more, group->names, *room * sizeof *more);
		group->names = more;
		*room = *room ? *room * 2 : 4;
	}
	group->names[group->names_n++] = name;
	return true;
}

/* one-or-more-mailbox */
static bool take_names(struct parse *p, struct notify_set *set, struct notify_group *group)
{
	size_t room = 0;

	if (!parse_space(p))
		return false;
	if (!parse_try(p, '('))
		return one_name(p, set, group, &room);
	do {
		if (!one_name(p, set, group, &room))
			return false;
	} while (parse_try(p, ' '));
	return parse_char(p, ')');
}

/* The fetch-att list of MessageNew: judged now, kept as it was written. */
static bool take_items(struct parse *p, struct notify_set *set)
{
	struct fetch_args args = {0};
	const char *from;

	if (p->end - p->p < 2 || p->p[0] != ' ' || p->p[1] != '(')
		return true;
	from = ++p->p;
	if (!fetch_parse(p, &args))
		return false;
	set->items = str_view(from, (size_t)(p->p - from));
	return true;
}

static bool one_event(struct parse *p, struct notify_set *set, struct notify_group *group)
{
	bool selected = group->filter <= NOTIFY_SELECTED_DELAYED;
	struct str_view name;

	for (size_t i = 0; i < N_OF(events); i++) {
		if (!parse_try_word(p, events[i].name))
			continue;
		if (events[i].event == NOTIFY_SERVER_METADATA)
			set->has_server = true;
		else
			group->events |= events[i].event;
		if (selected && !(events[i].event & NOTIFY_OF_MESSAGES))
			return parse_bad(p, "SELECTED is for events of messages");
		return events[i].event != NOTIFY_NEW || !selected || take_items(p, set);
	}
	if (!parse_atom(p, &name))
		return false;
	set->has_bad_event = true;
	return true;
}

/* RFC 5465 5: what goes together. */
static bool judge_events(struct parse *p, unsigned e)
{
	if (!(e & NOTIFY_NEW) != !(e & NOTIFY_EXPUNGE))
		return parse_bad(p, "MessageNew and MessageExpunge go together");
	return !(e & NOTIFY_FLAGS) || (e & NOTIFY_NEW) ||
	    parse_bad(p, "FlagChange goes with MessageNew and MessageExpunge");
}

static bool take_events(struct parse *p, struct notify_set *set, struct notify_group *group)
{
	if (parse_try_word(p, "NONE"))
		return true;
	if (!parse_char(p, '('))
		return false;
	do {
		if (!one_event(p, set, group))
			return false;
	} while (parse_try(p, ' '));
	return parse_char(p, ')') && judge_events(p, group->events);
}

static bool take_filter(struct parse *p, struct notify_set *set, struct notify_group *group)
{
	for (size_t i = 0; i < N_OF(filters); i++) {
		if (!parse_try_word(p, filters[i].name))
			continue;
		group->filter = filters[i].filter;
		return group->filter < NOTIFY_SUBTREE || take_names(p, set, group);
	}
	return parse_bad(p, "There is no such choice of folders");
}

static bool take_group(struct parse *p, struct notify_set *set)
{
	struct notify_group group = {0};

	if (!parse_char(p, '(') || !take_filter(p, set, &group) || !parse_space(p) ||
	    !take_events(p, set, &group) || !parse_char(p, ')'))
		return false;
	if (group.filter > NOTIFY_SELECTED_DELAYED) {
		set->groups[set->groups_n++] = group;
		return true;
	}
	if (set->is_selected_set)
		return parse_bad(p, "SELECTED or SELECTED-DELAYED can stand once");
	set->is_selected_set = true;
	set->is_delayed = group.filter == NOTIFY_SELECTED_DELAYED;
	set->selected_events = group.events;
	return true;
}

/* How many groups there can be at most: they begin with a parenthesis. */
static size_t count_groups(const struct parse *p)
{
	size_t n = 0;

	for (const char *s = p->p; s < p->end; s++)
		n += *s == '(';
	return n < p->limits->list_max ? n : p->limits->list_max;
}

bool notify_parse(struct imap_req *req, struct notify_set *set)
{
	struct parse *p = &req->args;
	size_t room = count_groups(p), n = 0;

	*set = (struct notify_set){0};
	if (parse_try_word(p, "NONE"))
		return true;
	if (!parse_try_word(p, "SET"))
		return parse_bad(p, "SET or NONE must stand here");
	if (!parse_space(p))
		return false;
	set->status = parse_try_word(p, "STATUS");
	if (set->status && !parse_space(p))
		return false;
	set->groups = ARENA_ARRAY(p->arena, struct notify_group, room + 1);
	do {
		if (++n > p->limits->list_max)
			return parse_bad(p, "The list is too long");
		if (!take_group(p, set))
			return false;
	} while (parse_try(p, ' '));
	return true;
}

static bool is_below(const char *name, const char *parent)
{
	size_t n = strlen(parent);

	return strncmp(name, parent, n) == 0 && name[n] == '/';
}

static bool is_named(const struct notify_group *group, const char *name)
{
	for (size_t i = 0; i < group->names_n; i++) {
		const char *of = group->names[i];

		if (strcmp(name, of) == 0)
			return true;
		if (group->filter == NOTIFY_MAILBOXES || !is_below(name, of))
			continue;
		if (group->filter == NOTIFY_SUBTREE || !strchr(name + strlen(of) + 1, '/'))
			return true;
	}
	return false;
}

unsigned notify_events_of(const struct notify_set *set, const char *name, bool subscribed)
{
	unsigned found = 0;

	for (size_t i = 0; i < set->groups_n; i++) {
		const struct notify_group *group = &set->groups[i];

		if (group->filter == NOTIFY_ALL || (group->filter == NOTIFY_SUBSCRIBED && subscribed) ||
		    is_named(group, name))
			found |= group->events;
	}
	return found;
}
