/* ctl/ctl_quota.c - postern quota show|set */
#include "ctl/json.h"
#include "ctl/mailbox.h"
#include "store/quota.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool as_json;
static const char *storage, *messages;

static int quota_result(struct mailbox *m, int r, const struct err *e)
{
	ctl_mailbox_close(m);
	return r == 0 ? CTL_OK : ctl_fail_err(e);
}

static uint64_t units(uint64_t octets)
{
	return (octets + QUOTA_UNIT_OCTETS - 1) / QUOTA_UNIT_OCTETS;
}

static void limit_line(const char *what, uint64_t used, const struct quota_limit *limit, uint64_t most)
{
	printf("%-8s %12" PRIu64 " of ", what, used);
	if (limit->most)
		printf("%" PRIu64, most);
	else
		printf("any");
	puts(limit->is_own ? "" : " (setting)");
}

static void limit_json(struct json *j, const char *what, uint64_t used, const struct quota_limit *limit,
    uint64_t most)
{
	json_key(j, what);
	json_open(j, '{');
	json_key(j, "used");
	json_number(j, (int64_t)used);
	json_key(j, "limit");
	json_number(j, limit->most ? (int64_t)most : 0);
	json_key(j, "own");
	json_bool(j, limit->is_own);
	json_close(j, '}');
}

static void quota_print(const struct quota *q)
{
	struct str_buf out = {0};
	struct json j = {.out = &out};

	json_open(&j, '{');
	limit_json(&j, "storage", units(q->octets_used), &q->octets, units(q->octets.most));
	limit_json(&j, "messages", q->messages_used, &q->messages, q->messages.most);
	json_close(&j, '}');
	if (as_json) {
		puts(out.p);
	} else {
		limit_line("storage", units(q->octets_used), &q->octets, units(q->octets.most));
		limit_line("messages", q->messages_used, &q->messages, q->messages.most);
	}
	str_buf_fini(&out);
}

static int quota_show(struct ctl *ctl, char **operands, int n)
{
	struct quota quota;
	struct mailbox m;
	struct err e;
	int r;

	(void)n;
	if (ctl_mailbox_open(ctl, operands[0], &m) < 0)
		return CTL_FAILED;
	r = quota_get(m.store, &quota, &e);
	if (r == 0)
		quota_print(&quota);
	return quota_result(&m, r, &e);
}

/* A number, `none`, or `default`; the limit as it was where the option was not given. */
static int limit_parse(const char *text, uint64_t unit, struct quota_limit *limit)
{
	uint64_t most = 0;

	if (!text)
		return 0;
	if (strcmp(text, "default") == 0) {
		*limit = (struct quota_limit){0, false};
		return 0;
	}
	if (strcmp(text, "none") != 0 &&
	    (!str_number(str_view(text, strlen(text)), INT64_MAX / unit, &most) || most == 0))
		return -1;
	*limit = (struct quota_limit){most * unit, true};
	return 0;
}

static int quota_set_run(struct ctl *ctl, char **operands, int n)
{
	struct quota quota = {0};
	struct mailbox m;
	struct err e;
	int r;

	(void)n;
	if (!storage && !messages)
		return ctl_usage(ctl, "say --storage, --messages or both");
	if (limit_parse(storage, QUOTA_UNIT_OCTETS, &quota.octets) < 0 ||
	    limit_parse(messages, 1, &quota.messages) < 0)
		return ctl_usage(ctl, "a quota is a number above 0, `none`, or `default`");
	if (ctl_mailbox_open(ctl, operands[0], &m) < 0)
		return CTL_FAILED;
	r = quota_get(m.store, &quota, &e);
	/* Both were right above: now over what is there. */
	if (r == 0 && limit_parse(storage, QUOTA_UNIT_OCTETS, &quota.octets) == 0 &&
	    limit_parse(messages, 1, &quota.messages) == 0)
		r = quota_set(m.store, quota.octets, quota.messages, &e);
	return quota_result(&m, r, &e);
}

static const struct verb_option show_options[] = {
    {0, "json", NULL, &as_json, "one JSON object"},
    {0},
};
static const struct verb_option set_options[] = {
    {0, "storage", "UNITS", &storage, "units of 1024 octets; none; default"},
    {0, "messages", "COUNT", &messages, "messages; none; default"},
    {0},
};

const struct verb ctl_verb_quota = {
    .name = "quota",
    .summary = "show and set how much a mailbox may hold",
    .help = "`none` lifts a limit for this mailbox, `default` gives it back to the settings QuotaStorage\n"
	    "and QuotaMessages.  What is there already stays, whatever the quota.",
    .actions =
	(const struct verb_action[]){
	    {"show", "NAME", 1, 1, show_options, quota_show, "what is used, and of how much"},
	    {"set", "NAME", 1, 1, set_options, quota_set_run, "a quota of its own"},
	    {0},
	},
    .site = true,
};
