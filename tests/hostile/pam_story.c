/*
 * A PAM module for test_pam.py: "secret of NAME" is everybody's password, and what else happens goes by the name.
 */
#include <security/pam_modules.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int ask(pam_handle_t *pam, char **said_r)
{
	const struct pam_message message = {.msg_style = PAM_PROMPT_ECHO_OFF, .msg = "Password: "};
	const struct pam_message *messages = &message;
	struct pam_response *response = NULL;
	const void *item;
	const struct pam_conv *conv;
	int result = pam_get_item(pam, PAM_CONV, &item);

	conv = item;
	if (result == PAM_SUCCESS)
		result = conv->conv(1, &messages, &response, conv->appdata_ptr);
	if (result != PAM_SUCCESS)
		return result;
	*said_r = response->resp;
	free(response);
	return PAM_SUCCESS;
}

static int misbehave(pam_handle_t *pam, const char *name)
{
	const void *address = NULL;
	char *more = NULL;

	if (strcmp(name, "hang") == 0 || strncmp(name, "slow", 4) == 0)
		sleep(name[0] == 'h' ? 1000 : 1);
	if (strcmp(name, "crash") == 0)
		raise(SIGSEGV);
	if (strcmp(name, "killed") == 0)
		raise(SIGKILL);
	if (strcmp(name, "leaves") == 0 && fork() == 0) {
		sleep(1000);
		_exit(0);
	}
	if (strcmp(name, "broken") == 0)
		return PAM_AUTHINFO_UNAVAIL;
	if (strcmp(name, "curious") == 0)
		return ask(pam, &more);
	if (strcmp(name, "renamed") == 0)
		return pam_set_item(pam, PAM_USER, "alice");
	if (strcmp(name, "homely") == 0 && (pam_get_item(pam, PAM_RHOST, &address) != PAM_SUCCESS || !address ||
					       strcmp(address, "192.0.2.7") != 0))
		return PAM_PERM_DENIED;
	return PAM_SUCCESS;
}

PAM_EXTERN int pam_sm_authenticate(pam_handle_t *pam, int flags, int argc, const char **argv)
{
	const char *name = NULL;
	char right[256], *said = NULL;
	int result = pam_get_user(pam, &name, NULL);

	(void)flags, (void)argc, (void)argv;
	if (result == PAM_SUCCESS)
		result = ask(pam, &said);
	if (result == PAM_SUCCESS)
		result = misbehave(pam, name);
	if (result != PAM_SUCCESS)
		return result;
	if (pam_get_user(pam, &name, NULL) != PAM_SUCCESS)
		return PAM_SYSTEM_ERR;
	snprintf(right, sizeof right, "secret of %s", name);
	result = said && strcmp(said, right) == 0 ? PAM_SUCCESS : PAM_AUTH_ERR;
	free(said);
	return result;
}

PAM_EXTERN int pam_sm_setcred(pam_handle_t *pam, int flags, int argc, const char **argv)
{
	(void)pam, (void)flags, (void)argc, (void)argv;
	return PAM_SUCCESS;
}

PAM_EXTERN int pam_sm_acct_mgmt(pam_handle_t *pam, int flags, int argc, const char **argv)
{
	const char *name = NULL;
	int result = pam_get_user(pam, &name, NULL);

	(void)flags, (void)argc, (void)argv;
	if (result != PAM_SUCCESS)
		return result;
	if (strcmp(name, "expired") == 0)
		return PAM_ACCT_EXPIRED;
	return strcmp(name, "outdated") == 0 ? PAM_NEW_AUTHTOK_REQD : PAM_SUCCESS;
}
