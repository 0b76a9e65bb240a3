/* auth/pam.c - see pam.h: what store.conf says, and how the helper is asked. */
#include "auth/pam.h"
#include "base/conf.h"
#include "base/handover.h"
#include "base/log.h"
#include "limits/registry.h"
#include "mime/idn.h"
#include "store/domain.h"

#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* In front of a domain. */
#define SECTION "auth "
/* With a blank in it: no account has it, and no user of ours. */
#define NOBODY "nobody at all"
/* What is given beyond PamTimeout until the helper has killed who took it. */
#define SLACK_MS 2000

static int helper_fd = -1;

/* --- store.conf ---------------------------------------------------------------------------- */

/* The default domain has several names, so for it a section's is asked what it is. */
static bool is_section_of(struct site *site, const char *section, const char *ascii, enum domain_kind kind)
{
	const char *domain = section + strlen(SECTION);
	struct str_view said = str_view(domain, strlen(domain));
	enum domain_kind its_kind = DOMAIN_FOREIGN;
	struct str_buf its_ascii = {0};
	struct err e;
	bool is;

	if (kind == DOMAIN_DEFAULT)
		return domain_kind(site, said, &its_kind, &e) == 0 && its_kind == DOMAIN_DEFAULT;
	is = idn_ascii(said, &its_ascii) && strcmp(its_ascii.p, ascii) == 0;
	str_buf_fini(&its_ascii);
	return is;
}

const char *pam_section(struct site *site, const char *domain)
{
	struct str_view said = str_view(domain ? domain : "", domain ? strlen(domain) : 0);
	enum domain_kind kind = DOMAIN_DEFAULT;
	struct str_buf ascii = {0};
	const char *section = NULL;
	struct err e;

	if (!conf_section(site_conf_all(site), SECTION, 0))
		return NULL;
	if (!domain || (idn_ascii(said, &ascii) && domain_kind(site, said, &kind, &e) == 0))
		for (size_t i = 0; (section = conf_section(site_conf_all(site), SECTION, i)); i++)
			if (is_section_of(site, section, ascii.p, kind))
				break;
	str_buf_fini(&ascii);
	return section;
}

/* A key of the user's domain, or of all. */
static const char *rule(struct site *site, const char *name, const char *key, const char *otherwise)
{
	const char *at = strrchr(name, '@'), *section = pam_section(site, at ? at + 1 : NULL);

	otherwise = site_conf(site, "auth", key, otherwise);
	return section ? site_conf(site, section, key, otherwise) : otherwise;
}

bool pam_is_asked(struct site *site, const char *name)
{
	return strcmp(rule(site, name, "passwords", "store"), "pam") == 0;
}

/* Asked at each exchange: one pass, however many domains have a section. */
bool pam_is_anywhere(const struct site *site)
{
	return strcmp(site_conf(site, "auth", "passwords", "store"), "pam") == 0 ||
	       conf_says(site_conf_all(site), SECTION, "passwords", "pam");
}

static int check_section(const struct site *site, const char *section, struct err *e)
{
	const struct pam_question room;
	const char *word = site_conf(site, section, "passwords", "store");
	const char *service = site_conf(site, section, "pam_service", "postern");
	const char *folder = site_conf(site, section, "pam_folder", "");

	if (strcmp(word, "store") != 0 && strcmp(word, "pam") != 0)
		return err_set(e, ERR_INVALID, "store.conf: [%s] passwords is store or pam", section);
	if (!*service || strchr(service, '/') || strlen(service) >= sizeof room.service)
		return err_set(e, ERR_INVALID, "store.conf: [%s] pam_service is the name of a file in /etc/pam.d", section);
	if (*folder && (*folder != '/' || strlen(folder) >= sizeof room.folder))
		return err_set(e, ERR_INVALID, "store.conf: [%s] pam_folder is a whole path", section);
	return 0;
}

static int check_conf(const struct site *site, struct err *e)
{
	const char *section;

	if (check_section(site, "auth", e) < 0)
		return -1;
	for (size_t i = 0; (section = conf_section(site_conf_all(site), SECTION, i)); i++)
		if (check_section(site, section, e) < 0)
			return -1;
	return 0;
}

void pam_sections_log(struct site *site)
{
	enum domain_kind kind;
	const char *section;
	struct err e;

	for (size_t i = 0; (section = conf_section(site_conf_all(site), SECTION, i)); i++) {
		const char *domain = section + strlen(SECTION);

		if (domain_kind(site, str_view(domain, strlen(domain)), &kind, &e) == 0 && kind == DOMAIN_FOREIGN)
			log_warn("section-of-no-domain", "store.conf: [%s]: the store has no such domain", section);
	}
}

/* --- the helper ---------------------------------------------------------------------------- */

/* By exec, so that nothing of ours (locks, verifiers, descriptors) is within a module's reach. */
static int spawn(int its_fd, struct err *e)
{
	char *argv[] = {(char[]){"postern-pam"}, (char[]){PAM_HELPER}, NULL};
	char *env[] = {(char[]){"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}, NULL};
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int r;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, its_fd, PAM_HELPER_FD);
	r = posix_spawn(&pid, "/proc/self/exe", &actions, NULL, argv, env);
	posix_spawn_file_actions_destroy(&actions);
	if (r != 0)
		return err_sys(e, ERR_UNAVAILABLE, r, "start the helper for PAM");
	log_info("pam-helper", "pid=%d uid=%u", (int)pid, (unsigned)geteuid());
	return 0;
}

int pam_helper_begin(struct site *site, struct err *e)
{
	int pair[2], r;

	if (check_conf(site, e) < 0)
		return -1;
	if (!pam_is_anywhere(site))
		return 0;
	if (handover_packets(pair, e) < 0)
		return -1;
	r = spawn(pair[1], e);
	close(pair[1]);
	if (r == 0)
		helper_fd = pair[0];
	else
		close(pair[0]);
	return r;
}

/* Threads may be using it: it is closed with the process. */
void pam_helper_end(void)
{
	if (helper_fd >= 0)
		handover_end(helper_fd);
}

static int ask(const struct pam_question *question, struct err *e)
{
	struct pam_answer answer;
	int pair[2];
	bool is_sent, is_answered;
	struct err why;

	if (handover_packets(pair, e) < 0)
		return -1;
	is_sent = handover_put(helper_fd, question, sizeof *question, pair[1], &why) == 0;
	close(pair[1]);
	is_answered = is_sent && handover_take(pair[0], question->timeout_ms + SLACK_MS, &answer, sizeof answer, NULL, &why) == 0;
	close(pair[0]);
	if (!is_sent)
		return err_set(e, ERR_UNAVAILABLE, "the helper for PAM and its keeper are gone; a restart begins them anew");
	if (!is_answered)
		return err_set(e, ERR_UNAVAILABLE, "PAM: a module crashed, or took longer than PamTimeout");
	answer.why[sizeof answer.why - 1] = '\0';
	if (answer.verdict == PAM_VERDICT_RIGHT)
		return 0;
	return err_set(e, answer.verdict == PAM_VERDICT_WRONG ? ERR_AUTH : ERR_UNAVAILABLE, "PAM: %s", answer.why);
}

static bool put(char *to, size_t size, const char *text)
{
	return (size_t)snprintf(to, size, "%s", text) < size;
}

int pam_check(struct site *site, const char *whose, const char *name, const char *password, const char *address,
    struct err *e)
{
	struct pam_question question = {
	    .timeout_ms = setting_get(site, SETTING_LOGIN_PAM_TIME) * 1000,
	    .checks_max = setting_get(site, SETTING_LOGIN_PAM_CHECKS_MAX),
	};
	int r;

	if (helper_fd < 0)
		return err_set(e, ERR_UNAVAILABLE, "PAM is asked by postern-authd alone");
	(void)put(question.service, sizeof question.service, rule(site, whose, "pam_service", "postern"));
	(void)put(question.folder, sizeof question.folder, rule(site, whose, "pam_folder", ""));
	(void)put(question.address, sizeof question.address, address ? address : "");
	if (put(question.name, sizeof question.name, name ? name : NOBODY) &&
	    put(question.password, sizeof question.password, password))
		r = ask(&question, e);
	else
		r = err_set(e, ERR_AUTH, "no password for PAM has more than %zu octets", sizeof question.password - 1);
	explicit_bzero(&question, sizeof question);
	if (r == 0 && !name)
		return err_set(e, ERR_AUTH, "PAM lets in whoever comes, but there is no such user");
	return r;
}
