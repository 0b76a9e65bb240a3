/* ctl/ctl_policy.c - postern policy set|create|assign|show: throttling policies. */
#include "ctl/regvalue.h"
#include "limits/policy.h"
#include "store/directory.h"

#include <stdio.h>
#include <strings.h>

static int no_policy(const char *policy)
{
	return ctl_fail("there is no policy `%s`: `postern policy create %s` makes it", policy, policy);
}

static int policy_set_run(struct ctl *ctl, char **operands, int n)
{
	uint32_t value = SETTING_NULL;
	struct err e;

	(void)n;
	if (strcasecmp(operands[2], "null") != 0 &&
	    (!regvalue_number(operands[2], &value) || value == SETTING_NULL))
		return ctl_usage(ctl, "`%s` is neither a decimal number nor `null`", operands[2]);
	if (!policy_exists(ctl->site, operands[0]))
		return no_policy(operands[0]);
	if (policy_set(ctl->site, operands[0], operands[1], value, &e) < 0)
		return ctl_fail_err(&e);
	ctl_note(ctl, operands[1]);
	return CTL_OK;
}

static int policy_create_run(struct ctl *ctl, char **operands, int n)
{
	struct err e;

	(void)n;
	return policy_create(ctl->site, operands[0], &e) == 0 ? CTL_OK : ctl_fail_err(&e);
}

static int policy_assign(struct ctl *ctl, char **operands, int n)
{
	struct err e;

	(void)n;
	if (!policy_exists(ctl->site, operands[1]))
		return no_policy(operands[1]);
	if (directory_set_policy(ctl->site, operands[0], operands[1], &e) < 0)
		return e.code == ERR_NOTFOUND ? ctl_no_user(operands[0]) : ctl_fail_err(&e);
	ctl_note(ctl, "a throttling policy");
	return CTL_OK;
}

static int policy_show(struct ctl *ctl, char **operands, int n)
{
	const char *policy = n > 0 ? operands[0] : "default";
	struct str_buf out = {0};

	if (!policy_exists(ctl->site, policy))
		return no_policy(policy);
	for (enum setting setting = 0; setting < SETTINGS_N; setting++) {
		if (setting_rows[setting].scope != REG_POLICY)
			continue;
		str_buf_printf(&out, "%s = ", setting_rows[setting].name);
		setting_print(setting, policy_value(ctl->site, policy, setting), &out);
		str_buf_putc(&out, '\n');
	}
	fputs(str_buf_view(&out).p, stdout);
	str_buf_fini(&out);
	return CTL_OK;
}

const struct verb ctl_verb_policy = {
    .name = "policy",
    .summary = "throttling policies: limits in front of the store, by user",
    .help = "The policy `default` is there from the start. VALUE is a decimal number, or null: no"
	    " limit.\n\n"
	    "  postern policy set default IMAPMaxConcurrency 40\n"
	    "  postern policy create batch\n"
	    "  postern policy assign alice batch\n\n"
	    "A policy stands in front of the store: it can't raise the store's own session limits.",
    .site = true,
    .actions =
	(const struct verb_action[]){
	    {"set", "POLICY NAME VALUE", 3, 3, NULL, policy_set_run, "change a policy"},
	    {"create", "POLICY", 1, 1, NULL, policy_create_run, "a policy with the default values"},
	    {"assign", "NAME POLICY", 2, 2, NULL, policy_assign, "give a user a policy"},
	    {"show", "[POLICY]", 0, 1, NULL, policy_show, "what a policy says"},
	    {0},
	},
};
