/*
 * authd/pam_ask.c - a password by PAM: it is right (auth), and the account may be used (account: not expired, not closed).
 * No session is opened and no credentials are set: who logs in becomes nobody on this machine.
 */
#include "authd/pam_ask.h"

#include <security/pam_appl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct talk {
	const char *password;
	bool is_said;
};

/* The one thing that can be asked is the password, once; what modules tell goes nowhere. */
static int answer_one(const struct pam_message *message, struct talk *talk, struct pam_response *response)
{
	switch (message->msg_style) {
	case PAM_TEXT_INFO:
	case PAM_ERROR_MSG:
		return PAM_SUCCESS;
	case PAM_PROMPT_ECHO_OFF:
		if (talk->is_said)
			return PAM_CONV_ERR;
		talk->is_said = true;
		response->resp = strdup(talk->password);
		return response->resp ? PAM_SUCCESS : PAM_BUF_ERR;
	default:
		return PAM_CONV_ERR;
	}
}

static void free_responses(struct pam_response *responses, int n)
{
	for (int i = 0; i < n; i++)
		if (responses[i].resp) {
			explicit_bzero(responses[i].resp, strlen(responses[i].resp));
			free(responses[i].resp);
		}
	free(responses);
}

static int converse(int n, const struct pam_message **messages, struct pam_response **responses_r, void *arg)
{
	struct pam_response *responses;
	int result = PAM_SUCCESS;

	if (n <= 0 || n > PAM_MAX_NUM_MSG || !(responses = calloc((size_t)n, sizeof *responses)))
		return PAM_CONV_ERR;
	for (int i = 0; i < n && result == PAM_SUCCESS; i++)
		result = answer_one(messages[i], arg, &responses[i]);
	if (result == PAM_SUCCESS)
		*responses_r = responses;
	else
		free_responses(responses, n);
	return result;
}

/* The daemon holds answers back itself, without keeping a process for it. */
static void do_not_wait(int result, unsigned delay_us, void *arg)
{
	(void)result, (void)delay_us, (void)arg;
}

static int set_items(pam_handle_t *pam, const struct pam_question *question)
{
	int result = pam_set_item(pam, PAM_FAIL_DELAY, (const void *)do_not_wait);

	if (result == PAM_SUCCESS && question->address[0])
		result = pam_set_item(pam, PAM_RHOST, question->address);
	return result == PAM_SUCCESS ? pam_set_item(pam, PAM_TTY, "postern") : result;
}

static enum pam_verdict verdict_of(int result)
{
	switch (result) {
	case PAM_SUCCESS:
		return PAM_VERDICT_RIGHT;
	case PAM_AUTH_ERR:
	case PAM_USER_UNKNOWN:
	case PAM_MAXTRIES:
	case PAM_PERM_DENIED:
	case PAM_CRED_INSUFFICIENT:
	case PAM_ACCT_EXPIRED:
	case PAM_NEW_AUTHTOK_REQD: /* it has expired, and can't be changed here */
	case PAM_AUTHTOK_EXPIRED:
		return PAM_VERDICT_WRONG;
	default:
		return PAM_VERDICT_UNKNOWN;
	}
}

/* A module may have changed who it is: the account that was asked about is the one that is let in. */
static int still_himself(pam_handle_t *pam, const char *name)
{
	const void *now = NULL;
	int result = pam_get_item(pam, PAM_USER, &now);

	return result == PAM_SUCCESS && (!now || strcmp(now, name) != 0) ? PAM_PERM_DENIED : result;
}

void pam_ask(const struct pam_question *question, struct pam_answer *answer_r)
{
	struct talk talk = {.password = question->password};
	const struct pam_conv conv = {converse, &talk};
	pam_handle_t *pam = NULL;
	int result = pam_start_confdir(question->service, question->name, &conv, *question->folder ? question->folder : NULL, &pam);

	if (result == PAM_SUCCESS)
		result = set_items(pam, question);
	if (result == PAM_SUCCESS)
		result = pam_authenticate(pam, PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK);
	if (result == PAM_SUCCESS)
		result = pam_acct_mgmt(pam, PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK);
	if (result == PAM_SUCCESS)
		result = still_himself(pam, question->name);
	answer_r->verdict = verdict_of(result);
	snprintf(answer_r->why, sizeof answer_r->why, "%s", pam_strerror(pam, result));
	if (pam)
		pam_end(pam, result);
}
