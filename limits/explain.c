/* limits/explain.c - which limit, how it stands, what lifts it. */
#include "limits/explain.h"
#include "limits/setting.h"

#include <stdio.h>
#include <string.h>

const char *explain_owner(const struct session_check *check)
{
	switch (check->layer) {
	case SESSION_LAYER_PROTOCOL:
		return setting_rows[check->setting].scope == REG_POP3 ? "POP3" : "IMAP4";
	case SESSION_LAYER_POLICY:
		return "throttling policy";
	case SESSION_LAYER_STORE_USER:
	case SESSION_LAYER_STORE_SERVICE:
	case SESSION_LAYER_STORE_PER_SERVICE:
	case SESSION_LAYER_NONE:
	case SESSION_LAYER_TROUBLE:
		break;
	}
	return "store";
}

void explain_check(const struct session_check *check, struct str_buf *out)
{
	str_buf_printf(out, "%s: %s is ", explain_owner(check), setting_rows[check->setting].name);
	setting_print(check->setting, check->value, out);
	str_buf_printf(out, ", held %u", check->held);
}

void explain_command(const struct session_check *check, struct str_buf *out)
{
	const char *name = setting_rows[check->setting].name;

	if (check->layer == SESSION_LAYER_PROTOCOL)
		str_buf_printf(out, "postern settings %s %s N",
		    setting_rows[check->setting].scope == REG_POP3 ? "pop" : "imap", name);
	else if (check->layer == SESSION_LAYER_POLICY)
		str_buf_printf(out, "postern policy set %s %s N",
		    check->policy ? check->policy : SETTING_DEFAULT_POLICY, name);
	else
		str_buf_printf(out, "postern reg add -v '%s' -d N", name);
}

/* Where it is set, as administrators write it; of a policy: whose. */
static void put_key(enum registry_scope scope, const char *policy, struct str_buf *out)
{
	static const char hklm[] = "HKEY_LOCAL_MACHINE";

	str_buf_printf(out, "HKLM%s", registry_scope_key(scope) + sizeof hklm - 1);
	if (scope == REG_POLICY)
		str_buf_printf(out, "\\%s", policy ? policy : SETTING_DEFAULT_POLICY);
}

static void put_refusal(const struct session_check *checks, size_t n, struct str_buf *out)
{
	const struct session_check *told = NULL;

	for (size_t i = 0; i < n; i++) {
		if (!checks[i].refuses)
			continue;
		if (told)
			str_buf_puts(out, "; refused too by ");
		else
			told = &checks[i];
		explain_check(&checks[i], out);
	}
	if (!told)
		return;
	str_buf_puts(out, told->layer == SESSION_LAYER_STORE_PER_SERVICE
		? "; close sessions of that service, or an administrator raises it in "
		: "; close one of them, or an administrator raises it in ");
	put_key(setting_rows[told->setting].scope, told->policy, out);
	str_buf_puts(out, ": ");
	explain_command(told, out);
}

void explain_refusal(const struct session_check *checks, size_t n, char *out, size_t size)
{
	struct str_buf text = {0};

	put_refusal(checks, n, &text);
	snprintf(out, size, "%s", str_buf_view(&text).p);
	str_buf_fini(&text);
}

void explain_object(enum setting setting, uint32_t value, uint32_t held, uint32_t asked, char *out, size_t size)
{
	const char *name = setting_rows[setting].name;
	struct str_buf key = {0};

	put_key(setting_rows[setting].scope, NULL, &key);
	snprintf(out, size, "store: %s is %u in one session, held %u, asked %u; close some of them, or an administrator raises it in "
	    "%s: postern reg add -v 'MaxObjsPerMapiSession\\%s' -d N", name, value, held, asked, str_buf_view(&key).p, name);
	str_buf_fini(&key);
}
