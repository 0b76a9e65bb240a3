/* limits/policy.c - throttling policies: which setting of a policy is for which service. */
#include "limits/policy.h"
#include "limits/registry.h"

static const struct {
	bool has_one;
	enum setting setting;
} rows[SESSION_SERVICES_N] = {
    [SESSION_FS] = {true, SETTING_POLICY_RCA},   [SESSION_IMAP4] = {true, SETTING_POLICY_IMAP},
    [SESSION_POP3] = {true, SETTING_POLICY_POP}, [SESSION_OWA] = {true, SETTING_POLICY_OWA},
    [SESSION_EWS] = {true, SETTING_POLICY_EWS},  [SESSION_EAS] = {true, SETTING_POLICY_EAS},
};

uint32_t policy_concurrency(struct site *site, const char *policy, enum session_service service,
    const char **name_r)
{
	(void)policy;
	*name_r = rows[service].has_one ? setting_rows[rows[service].setting].name : NULL;
	return rows[service].has_one ? setting_get(site, rows[service].setting) : SETTING_NULL;
}
