/*
 * authd/request.c - a login, step by step.
 *
 * What the peer hears of a failure is the same whatever its reason, and so is the time it takes: nobody learns
 * from it whether there is such a user, or whether the account is disabled.
 */
#include "authd/request.h"

#include "auth/login.h"
#include "auth/wire.h"
#include "authd/client.h"
#include "authd/work.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "limits/registry.h"
#include "store/directory.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int check_password(const struct account_source *source, unsigned door, const char *name,
    const char *password, struct account *who_r, struct err *e);
static int find_keys(const struct account_source *source, const char *name, struct credential_scram *keys_r,
    struct err *e);
static int check_token(const struct account_source *source, unsigned door, const char *name, const char *token,
    struct account *who_r, struct err *e);
static int is_proven(const struct account_source *source, const char *name, struct account *who_r,
    struct err *e);

static int begin_exchange(struct request *request, struct err *e)
{
	const struct protocol_line *line = &request->line;
	struct site *site = request->client->site;
	const struct sasl_peer peer = {
	    .door = account_door_parse(str_view(line->service, strlen(line->service))),
	    .is_private = auth_plaintext_allowed(site, line->address ? line->address : "", line->is_secured),
	    .binding = line->binding,
	    .binding_octets = line->binding_octets,
	    .external = line->external,
	    .ends_with_words = line->is_final_ok,
	};
	struct account_source front;

	request->accounts = front = account_source(site);
	request->accounts.address = line->address;
	front.arg = request;
	front.password = check_password;
	front.scram = find_keys;
	front.token = check_token;
	front.proven = is_proven;
	return sasl_begin(&front, &peer, str_view(line->mechanism, strlen(line->mechanism)), &request->sasl, e);
}

static const char *keep_text(struct request *request, const char *text)
{
	return text ? arena_str(&request->arena, text) : NULL;
}

/* All but the data, which is wiped where it lies. */
static void keep_line(struct request *request, const struct protocol_line *line)
{
	struct protocol_line *kept = &request->line;

	*kept = *line;
	kept->data = str_view(NULL, 0);
	kept->mechanism = keep_text(request, line->mechanism);
	kept->service = keep_text(request, line->service);
	kept->address = keep_text(request, line->address);
	kept->external = keep_text(request, line->external);
	kept->binding_octets.p = arena_copy(&request->arena, line->binding_octets.p, line->binding_octets.n);
}

int request_new(struct client *client, const struct protocol_line *line, struct request **request_r,
    struct err *e)
{
	struct request *request = mem_alloc(sizeof *request);

	request->client = client;
	client_ref(client);
	request->id = line->id;
	request->wants_codes = line->wants_codes;
	keep_line(request, line);
	request->mechanism = request->line.mechanism;
	request->service = request->line.service;
	request->address = request->line.address;
	if (begin_exchange(request, e) < 0) {
		request_free(&request);
		return -1;
	}
	request_give(request, line->has_data, line->data);
	*request_r = request;
	return 0;
}

static void wipe(struct str_buf *b)
{
	if (b->p)
		explicit_bzero(b->p, b->size);
	str_buf_clear(b);
}

void request_give(struct request *request, bool has_data, struct str_view data)
{
	wipe(&request->in);
	str_buf_room(&request->in, data.n + 1); /* grown before, so that no copy is left behind */
	str_buf_put(&request->in, data.p, data.n);
	request->has_in = has_data;
}

void request_free(struct request **request)
{
	struct request *r = *request;

	sasl_free(&r->sasl);
	wipe(&r->in);
	str_buf_fini(&r->in);
	str_buf_fini(&r->answer);
	arena_fini(&r->arena);
	client_unref(r->client);
	mem_free(request);
}

/* --- answers ------------------------------------------------------------------------------- */

static void begin_answer(struct request *request, const char *verb, bool is_over)
{
	str_buf_clear(&request->answer);
	str_buf_printf(&request->answer, "%s\t%u", verb, request->id);
	request->is_over = is_over;
}

static void end_answer(struct request *request)
{
	str_buf_putc(&request->answer, '\n');
}

static void ask(struct request *request, struct str_view challenge)
{
	begin_answer(request, "CONT", false);
	str_buf_putc(&request->answer, '\t');
	str_buf_put(&request->answer, challenge.p, challenge.n);
	end_answer(request);
}

/* last: the mechanism's last words, in base64. */
static void accept(struct request *request, const struct account *who, struct str_view last)
{
	begin_answer(request, "OK", true);
	wire_put_parameter(&request->answer, "user", who->name);
	if (*who->app && request->wants_codes)
		wire_put_parameter(&request->answer, WIRE_APPLICATION, who->app);
	if (last.n) {
		str_buf_puts(&request->answer, "\tresp=");
		str_buf_put(&request->answer, last.p, last.n);
	}
	end_answer(request);
}

static void refuse(struct request *request, const char *user, const char *code)
{
	begin_answer(request, "FAIL", true);
	if (user)
		wire_put_parameter(&request->answer, "user", user);
	if (code && request->wants_codes)
		wire_put_parameter(&request->answer, "code", code);
	end_answer(request);
}

void request_fail_temporarily(struct request *request, const char *reason)
{
	begin_answer(request, "FAIL", true);
	str_buf_puts(&request->answer, "\ttemp");
	wire_put_parameter(&request->answer, "reason", reason);
	wire_put_parameter(&request->answer, "code", "temp_fail");
	end_answer(request);
}

/* --- the account source in front: who asks for an account is counted ------------------------- */

/*
 * Once an exchange, when it is known whom it is about.  Who that is has to be known first, since one who has got in from
 * there before is let in whatever name of his he says; so a name of nobody costs a look into the directory even where
 * it is refused then (some 10 us, once: names of nobody are remembered as somebody's are).
 */
static int enter(struct request *request, const char *name, struct err *e)
{
	const struct guard_rules rules = work_guard_rules(request->client->site);
	struct str_buf key = {0};
	bool may = request->pass.account != 0;

	if (!may) {
		directory_account_key(request->client->site, name, &key);
		may = guard_enter(work_guard(), &rules, key.p ? key.p : "", request->address, clock_mono_ms(),
		    &request->pass);
		str_buf_fini(&key);
	}
	return may ? 0 : err_set(e, ERR_BUSY, "too many logins are under way from there, or at the account");
}

static int check_password(const struct account_source *source, unsigned door, const char *name,
    const char *password, struct account *who_r, struct err *e)
{
	struct request *request = source->arg;

	if (enter(request, name, e) < 0)
		return -1;
	if (!request->may_hash) {
		request->needs_hash = !request->accounts.password_is_known(&request->accounts, name, password, who_r);
		return request->needs_hash ? err_set(e, ERR_BUSY, "that takes a hash") : 0;
	}
	if (!request->may_wait && request->accounts.password_waits(&request->accounts, name)) {
		request->began_ms = clock_mono_ms();
		return err_set(e, ERR_BUSY, "that waits for PAM");
	}
	guard_offer(work_guard(), &request->pass, password);
	return request->accounts.password(&request->accounts, door, name, password, who_r, e);
}

static int find_keys(const struct account_source *source, const char *name, struct credential_scram *keys_r,
    struct err *e)
{
	struct request *request = source->arg;

	if (enter(request, name, e) < 0)
		return -1;
	return request->accounts.scram(&request->accounts, name, keys_r, e);
}

static int check_token(const struct account_source *source, unsigned door, const char *name, const char *token,
    struct account *who_r, struct err *e)
{
	struct request *request = source->arg;

	if (enter(request, name, e) < 0)
		return -1;
	guard_offer(work_guard(), &request->pass, token);
	return request->accounts.token(&request->accounts, door, name, token, who_r, e);
}

static int is_proven(const struct account_source *source, const char *name, struct account *who_r,
    struct err *e)
{
	struct request *request = source->arg;

	return request->accounts.proven(&request->accounts, name, who_r, e);
}

/* --- a step -------------------------------------------------------------------------------- */

static void log_outcome(const struct request *request, const char *event, const char *user, int64_t delay_ms)
{
	log_info(event, "user=%s service=%s rip=%s mechanism=%s delay_ms=%lld", LOG_Q(user),
	    LOG_Q(request->service), LOG_Q(request->address ? request->address : "-"),
	    LOG_Q(request->mechanism), (long long)delay_ms);
}

static int64_t judge(const struct request *request, enum guard_outcome outcome)
{
	const struct guard_rules rules = work_guard_rules(request->client->site);

	if (!request->pass.account) /* nobody was named, or no secret was asked for */
		return 0;
	return guard_judge(work_guard(), &rules, &request->pass, outcome, clock_mono_ms());
}

static int64_t let_in(struct request *request, struct str_view last)
{
	const struct account *who = sasl_account(request->sasl);
	int64_t delay_ms = judge(request, GUARD_RIGHT);

	log_outcome(request, "auth-ok", who->name, delay_ms);
	accept(request, who, last);
	return delay_ms;
}

/* Modules take longer for some than for others; their refusals take as long for all. */
static int64_t hold_until_even(const struct request *request, int64_t delay_ms)
{
	int64_t left_ms;

	if (!request->began_ms)
		return delay_ms;
	left_ms = request->began_ms + setting_get(request->client->site, SETTING_LOGIN_PAM_FAILURE_TIME) - clock_mono_ms();
	return left_ms > delay_ms ? left_ms : delay_ms;
}

/* Once: one that is told of his failure before it is over may never come back to hear that it is. */
static int64_t count_failure(struct request *request, const char *name)
{
	int64_t delay_ms;

	if (request->is_counted)
		return 0;
	request->is_counted = true;
	delay_ms = hold_until_even(request, judge(request, GUARD_WRONG));
	log_outcome(request, "auth-failed", name, delay_ms);
	return delay_ms;
}

static int64_t go_on(struct request *request, struct str_view challenge)
{
	bool is_lost = sasl_error(request->sasl)->code == ERR_AUTH;

	ask(request, challenge);
	return is_lost ? count_failure(request, sasl_claimed(request->sasl)) : 0;
}

static int64_t turn_away(struct request *request)
{
	const char *name = sasl_claimed(request->sasl);
	const struct err *e = sasl_error(request->sasl);
	int64_t delay_ms;

	switch (e->code) {
	case ERR_AUTH:
		delay_ms = count_failure(request, name);
		refuse(request, name, NULL);
		return delay_ms;
	case ERR_INVALID:
	case ERR_UNSUPPORTED:
		log_outcome(request, "auth-malformed", name, 0);
		refuse(request, NULL, WIRE_CODE_MALFORMED);
		return 0;
	default:
		log_warn("auth-trouble", "user=%s service=%s rip=%s %s", LOG_Q(name), LOG_Q(request->service),
		    LOG_Q(request->address ? request->address : "-"), log_err(e));
		request_fail_temporarily(request, "Logins can't be checked now; please try again later");
		return 0;
	}
}

/* The answer that follows from it, and how long it is to be held back. */
static int64_t conclude(struct request *request, enum sasl_result result, struct str_view out)
{
	switch (result) {
	case SASL_MORE:
		return go_on(request, out);
	case SASL_DONE:
		return let_in(request, out);
	case SASL_FAILED:
		break;
	}
	return turn_away(request);
}

static enum sasl_result make_step(struct request *request, struct str_buf *out)
{
	return sasl_step(request->sasl, request->has_in ? str_buf_view(&request->in) : str_view(NULL, 0), out);
}

int64_t request_step(struct request *request)
{
	struct str_buf out = {0};
	enum sasl_result result;
	int64_t delay_ms;

	request->may_hash = true;
	result = make_step(request, &out);
	if (request->began_ms && !request->may_wait) {
		request->may_wait = true;
		sasl_again(request->sasl);
		str_buf_fini(&out);
		return REQUEST_WAITS;
	}
	wipe(&request->in);
	delay_ms = conclude(request, result, str_buf_view(&out));
	str_buf_fini(&out);
	return delay_ms;
}

bool request_step_quickly(struct request *request, int64_t *delay_ms_r)
{
	struct str_buf out = {0};
	enum sasl_result result;
	struct err e;

	if (!request->has_in || strcasecmp(request->mechanism, "PLAIN") != 0)
		return false;
	result = make_step(request, &out);
	if (request->needs_hash) { /* and so from the beginning: nothing was said of it yet */
		str_buf_fini(&out);
		sasl_free(&request->sasl);
		if (begin_exchange(request, &e) == 0)
			return false;
		request_fail_temporarily(request, "Logins can't be checked now; please try again later");
		*delay_ms_r = 0;
	} else {
		*delay_ms_r = conclude(request, result, str_buf_view(&out));
		str_buf_fini(&out);
	}
	wipe(&request->in);
	return true;
}
