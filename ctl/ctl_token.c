/* ctl/ctl_token.c - postern token check: what a door would say of a token, and why. */
#include "auth/account.h"
#include "auth/token.h"
#include "base/io.h"
#include "base/log.h"
#include "ctl/json.h"
#include "ctl/verb.h"
#include "limits/registry.h"
#include "store/directory.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static const char *door_named;
static bool as_json;

/* What was found; why NULL: it is taken. */
struct verdict {
	const char *named; /* whom the token is about, checked or not; NULL: nobody */
	const char *user;  /* whose name that is here; NULL: nobody's */
	const char *why;
};

/* One line of standard input, without the blanks around it; "Bearer " in front of it is what people copy.  NULL: too long. */
static const char *read_token(struct arena *arena, size_t octets_max)
{
	const size_t size = octets_max + 64;
	char *line = arena_alloc(arena, size + 1), *at = line;

	if (io_read_all(STDIN_FILENO, line, size) == (ssize_t)size)
		return NULL;
	at += strspn(at, " \t\r\n");
	if (strncasecmp(at, "Bearer ", 7) == 0)
		at += 7 + strspn(at + 7, " ");
	at[strcspn(at, " \t\r\n")] = '\0';
	return at;
}

static void judge(struct site *site, unsigned door, const char *token, struct arena *arena, struct verdict *v)
{
	char name[ACCOUNT_NAME_SIZE];
	struct directory_user user;
	struct err e;
	int r = token_verify(site, door, token, name, &e);

	if (r < 0)
		v->why = e.code == ERR_UNSUPPORTED ? "tokens are not taken here: [token] of store.conf needs issuer, audience, and keys that can be read"
						   : arena_str(arena, e.what);
	if (r == 0 || token_says(site, token, name))
		v->named = arena_str(arena, name);
	if (!v->named)
		return;
	if (directory_user_find(site, name, arena, &user, &e) < 0) {
		if (!v->why)
			v->why = e.code == ERR_NOTFOUND || e.code == ERR_INVALID
			    ? "the token is good, but its user is none here" : arena_str(arena, e.what);
		return;
	}
	v->user = user.name;
	if (!v->why && user.disabled)
		v->why = "the token is good, but its user is disabled";
}

static void show_json(const struct verdict *v)
{
	const struct {
		const char *key, *text;
	} words[] = {{"named", v->named}, {"user", v->user}, {"why", v->why}};
	struct str_buf out = {0};
	struct json j = {.out = &out};

	json_open(&j, '{');
	json_key(&j, "accepted");
	json_bool(&j, !v->why);
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		json_key(&j, words[i].key);
		json_text(&j, words[i].text);
	}
	json_close(&j, '}');
	puts(out.p);
	str_buf_fini(&out);
}

static void show(const struct verdict *v)
{
	if (as_json)
		show_json(v);
	else if (v->why)
		printf("refused: %s%s%s\n", v->why, v->named ? "; it says that it is about " : "", v->named ? LOG_Q(v->named) : "");
	else
		printf("accepted: user %s\n", v->user);
}

static int token_check(struct ctl *ctl, char **operands, int n)
{
	unsigned door = door_named ? account_door_parse(str_view(door_named, strlen(door_named))) : ACCOUNT_DOOR_IMAP;
	struct verdict verdict = {0};
	struct arena arena = {0};
	const char *token;

	(void)operands, (void)n;
	if (!door)
		return ctl_fail("`%s` is no door; they are imap, pop3 and smtp", door_named);
	token = read_token(&arena, setting_get(ctl->site, SETTING_TOKEN_OCTETS_MAX));
	if (token)
		judge(ctl->site, door, token, &arena, &verdict);
	else
		verdict.why = "the token is longer than TokenOctetsMax";
	show(&verdict);
	arena_fini(&arena);
	return verdict.why ? CTL_FAILED : CTL_OK;
}

static const struct verb_option options[] = {
    {0, "door", "DOOR", &door_named, "the door it is to open: imap (the default), pop3 or smtp"},
    {0, "json", NULL, &as_json, "one JSON object"},
    {0},
};

const struct verb ctl_verb_token = {
    .name = "token",
    .summary = "say of a provider's token why it is accepted, or why not",
    .help = "  postern token check < FILE\n\n"
	    "The token comes on standard input, so that it is in no list of processes; it is not logged. It is\n"
	    "judged as a login's is: signature, key, issuer, audience, dates, scope, user. Exit status 1 where it\n"
	    "is refused. What has to be in store.conf says postern-tokens(7).",
    .site = true,
    .actions =
	(const struct verb_action[]){
	    {"check", "", 0, 0, options, token_check, "judge the token on standard input"},
	    {0},
	},
};
