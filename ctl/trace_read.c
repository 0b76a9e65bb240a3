/*
 * ctl/trace_read.c - a trace read: from its own form, or from the log of the doors.
 *
 * In a log a session is its daemon's process and the peer.  One that never ends was killed with its process if the program begins
 * again later, and lives on otherwise.  An open that was refused would have been held as long as the median one of its service.
 */
#include "ctl/trace.h"
#include "base/check.h"
#include "base/mem.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A name, and what it stands for. */
struct named {
	size_t n;
	char key[];
};

struct restart {
	const char *program;
	int64_t at_ms;
};

/* What a log says of an open besides. */
struct logged {
	const char *program; /* "postern-imapd[4711]" */
	bool refused;
};

struct reader {
	struct trace trace;
	void *users, *sessions, *programs; /* of tsearch(3) */
	struct logged *logged;             /* by open; NULL: a trace's own form */
	size_t logged_room;
	struct restart *restarts;
	size_t restarts_n;
	int64_t last_ms;
	const char *name;
	size_t line_n;
};

static int wrong(const struct reader *r, const char *what, struct err *e)
{
	return err_set(e, ERR_INVALID, "%s:%zu: %s", r->name, r->line_n, what);
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct named *)a)->key, ((const struct named *)b)->key);
}

/* The entry of a key, made with n where there is none. */
static struct named *intern(void **root, const char *key, size_t n, bool *is_new_r)
{
	size_t size = strlen(key) + 1;
	struct named *entry = mem_alloc(sizeof *entry + size);
	struct named *const *found;

	entry->n = n;
	memcpy(entry->key, key, size);
	found = tsearch(entry, root, by_key);
	CHECK(found);
	*is_new_r = *found == entry;
	if (!*is_new_r)
		free(entry);
	return *found;
}

static struct named *find(void *const *root, const char *key)
{
	size_t size = strlen(key) + 1;
	struct named *like = mem_alloc(sizeof *like + size);
	struct named *const *found;

	memcpy(like->key, key, size);
	found = tfind(like, root, by_key);
	free(like);
	return found ? *found : NULL;
}

static void forget(void **root, struct named *entry)
{
	tdelete(entry, root, by_key);
	free(entry);
}

static void add_open(struct reader *r, int64_t at_ms, const char *user, int service)
{
	bool is_new;
	struct named *who = intern(&r->users, user, r->trace.users_n, &is_new);

	r->trace.users_n += is_new;
	trace_add(&r->trace, (struct trace_open){at_ms, -1, (uint32_t)who->n, (uint16_t)service});
}

/* The next open is that of a session.  False: one of that key is open. */
static bool begin(struct reader *r, const char *key)
{
	bool is_new;

	intern(&r->sessions, key, r->trace.n, &is_new);
	return is_new;
}

/* False: no such session is open. */
static bool end(struct reader *r, int64_t at_ms, const char *key)
{
	struct named *session = find(&r->sessions, key);
	struct trace_open *open;

	if (!session)
		return false;
	open = &r->trace.opens[session->n];
	open->held_ms = at_ms > open->at_ms ? at_ms - open->at_ms : 0;
	forget(&r->sessions, session);
	return true;
}

static void pass_time(struct reader *r, int64_t at_ms)
{
	if (at_ms > r->last_ms)
		r->last_ms = at_ms;
}

#define WORD_MAX 256u
static bool copy_word(struct str_view word, char out[WORD_MAX])
{
	if (word.n == 0 || word.n >= WORD_MAX)
		return false;
	memcpy(out, word.p, word.n);
	out[word.n] = '\0';
	return true;
}

/* ---- its own form ---- */

/* More than the years of a log are: what is read from one can be written in this form. */
#define SECONDS_MAX UINT64_C(1000000000000)

/* "12", "12.5", "12.345" */
static bool parse_seconds(struct str_view text, int64_t *ms_r)
{
	const char *point = memchr(text.p, '.', text.n);
	size_t whole_n = point ? (size_t)(point - text.p) : text.n, rest_n = point ? text.n - whole_n - 1 : 0;
	uint64_t whole, rest = 0;

	if (!str_number(str_view(text.p, whole_n), SECONDS_MAX, &whole) || rest_n > 3 ||
	    (point && !str_number(str_view(point + 1, rest_n), 999, &rest)))
		return false;
	for (; point && rest_n < 3; rest_n++)
		rest *= 10;
	*ms_r = (int64_t)(whole * 1000 + rest);
	return true;
}

static int take_own(struct reader *r, struct str_view line, struct err *e)
{
	struct str_view time = str_word(&line), verb = str_word(&line), words[3];
	char user[WORD_MAX], id[WORD_MAX];
	int64_t at_ms;
	int service;

	for (int i = 0; i < 3; i++)
		words[i] = str_word(&line);
	if (!parse_seconds(time, &at_ms))
		return wrong(r, "the line does not begin with a number of seconds", e);
	pass_time(r, at_ms);
	if (str_equal(verb, SV("close")) && copy_word(words[0], id) && words[1].n == 0)
		return end(r, at_ms, id) ? 0 : wrong(r, "no session of that ID is open", e);
	if (!str_equal(verb, SV("open")) || !copy_word(words[0], user) || !copy_word(words[2], id) || str_word(&line).n)
		return wrong(r, "it is neither `SECONDS open USER SERVICE ID` nor `SECONDS close ID`", e);
	service = session_service_find(words[1]);
	if (service < 0)
		return wrong(r, "there is no such service: " SESSION_SERVICES_ARE, e);
	if (!begin(r, id))
		return wrong(r, "a session of that ID is open", e);
	add_open(r, at_ms, user, service);
	return 0;
}

/* ---- the log of the doors ---- */

/* "2026-11-27T11:29:57.939Z"; -1: it is none. */
static int64_t parse_time(struct str_view text)
{
	char word[WORD_MAX];
	struct tm tm = {0};
	const char *rest;

	if (text.n != 24 || !copy_word(text, word))
		return -1;
	rest = strptime(word, "%Y-%m-%dT%H:%M:%S", &tm);
	if (!rest || *rest != '.' || strspn(rest + 1, "0123456789") != 3 || strcmp(rest + 4, "Z") != 0)
		return -1;
	return (int64_t)timegm(&tm) * 1000 + strtol(rest + 1, NULL, 10);
}

/* The value of "key=" among the words. */
static bool find_value(struct str_view words, const char *key, char out[WORD_MAX])
{
	size_t n = strlen(key);

	for (struct str_view word; (word = str_word(&words)).n;)
		if (word.n > n && strncmp(word.p, key, n) == 0)
			return copy_word(str_view(word.p + n, word.n - n), out);
	return false;
}

static const char *keep_program(struct reader *r, const char *program)
{
	bool is_new;

	return intern(&r->programs, program, 0, &is_new)->key;
}

static void add_restart(struct reader *r, const char *program, int64_t at_ms)
{
	r->restarts = mem_realloc(r->restarts, (r->restarts_n + 1) * sizeof *r->restarts);
	r->restarts[r->restarts_n++] = (struct restart){keep_program(r, program), at_ms};
}

static void add_logged(struct reader *r, const char *program, bool refused)
{
	if (r->trace.room != r->logged_room) {
		r->logged_room = r->trace.room;
		r->logged = mem_realloc(r->logged, r->logged_room * sizeof *r->logged);
	}
	r->logged[r->trace.n - 1] = (struct logged){keep_program(r, program), refused};
}

/* -1: no door of which sessions are counted. */
static int service_of(const char *program)
{
	static const struct {
		const char *start;
		enum session_service service;
	} doors[] = {{"postern-imapd[", SESSION_IMAP4}, {"postern-pop3d[", SESSION_POP3}};

	for (size_t i = 0; i < sizeof doors / sizeof *doors; i++)
		if (strncmp(program, doors[i].start, strlen(doors[i].start)) == 0)
			return (int)doors[i].service;
	return -1;
}

static int take_of_session(struct reader *r, int64_t at_ms, const char *program, struct str_view event, struct str_view words,
    struct err *e)
{
	bool refused = str_equal(event, SV("login-refused")), opens = refused || str_equal(event, SV("login"));
	bool closes = str_equal(event, SV("logout")) || str_equal(event, SV("session-end"));
	char user[WORD_MAX], peer[WORD_MAX], key[2 * WORD_MAX];

	if (!opens && !closes)
		return 0;
	if (!find_value(words, "user=", user) || !find_value(words, "peer=", peer))
		return wrong(r, "a login or logout without user= and peer=", e);
	snprintf(key, sizeof key, "%s %s", program, peer);
	/* What began before the log did is not known; and who comes from a peer's port has no other session from it. */
	if (!refused)
		end(r, at_ms, key);
	if (closes)
		return 0;
	if (!refused)
		begin(r, key);
	add_open(r, at_ms, user, service_of(program));
	add_logged(r, program, refused);
	return 0;
}

/* A line of somebody else, or of something else, says nothing. */
static int take_logged(struct reader *r, struct str_view line, struct err *e)
{
	int64_t at_ms = parse_time(str_word(&line));
	struct str_view level = str_word(&line), word = str_word(&line), event = str_word(&line);
	char program[WORD_MAX];

	(void)level;
	if (at_ms < 0)
		return 0;
	pass_time(r, at_ms);
	if (!copy_word(word, program) || service_of(program) < 0)
		return 0;
	if (!str_equal(event, SV("listening")))
		return take_of_session(r, at_ms, program, event, line, e);
	add_restart(r, program, at_ms);
	return 0;
}

/* "postern-imapd[1]" and "postern-imapd[2]" are one program, and two processes. */
static bool is_other_process(const char *a, const char *b)
{
	size_t n = strcspn(a, "[");

	return strncmp(a, b, n + 1) == 0 && strcmp(a, b) != 0;
}

static void end_killed(struct reader *r, size_t at)
{
	struct trace_open *open = &r->trace.opens[at];

	for (size_t i = 0; i < r->restarts_n && open->held_ms < 0; i++)
		if (r->restarts[i].at_ms >= open->at_ms && is_other_process(r->logged[at].program, r->restarts[i].program))
			open->held_ms = r->restarts[i].at_ms - open->at_ms;
}

static int by_number(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int64_t median_held(const struct trace *trace, uint16_t service)
{
	int64_t *held = mem_alloc((trace->n + 1) * sizeof *held), median;
	size_t n = 0;

	for (size_t i = 0; i < trace->n; i++)
		if (trace->opens[i].service == service && trace->opens[i].held_ms >= 0)
			held[n++] = trace->opens[i].held_ms;
	if (n)
		qsort(held, n, sizeof *held, by_number);
	median = n ? held[n / 2] : -1;
	free(held);
	return median;
}

static void finish_log(struct reader *r)
{
	int64_t medians[SESSION_SERVICES_N];

	for (size_t i = 0; i < r->trace.n; i++)
		if (r->trace.opens[i].held_ms < 0 && !r->logged[i].refused)
			end_killed(r, i);
	for (int i = 0; i < SESSION_SERVICES_N; i++)
		medians[i] = median_held(&r->trace, (uint16_t)i);
	for (size_t i = 0; i < r->trace.n; i++)
		if (r->logged[i].refused) {
			r->trace.opens[i].held_ms = medians[r->trace.opens[i].service];
			r->trace.refused_n++;
		}
}

/* ---- both ---- */

static void settle_times(struct trace *trace, int64_t last_ms)
{
	int64_t first_ms = trace->n ? trace->opens[0].at_ms : 0;

	for (size_t i = 0; i < trace->n; i++)
		trace->opens[i].at_ms -= first_ms;
	trace->end_ms = trace->n ? last_ms - first_ms : 0;
}

static bool is_of_log(struct str_view line)
{
	return parse_time(str_word(&line)) >= 0;
}

static int take_lines(struct reader *r, FILE *in, struct err *e)
{
	int (*take)(struct reader *r, struct str_view line, struct err *e) = NULL; /* by the first line that says anything */
	char *text = NULL;
	size_t room = 0;
	ssize_t n;
	int result = 0;

	while (result == 0 && (n = getline(&text, &room, in)) > 0) {
		struct str_view line = str_trim(str_view(text, (size_t)n));

		r->line_n++;
		if (line.n == 0 || line.p[0] == '#')
			continue;
		if (!take)
			take = is_of_log(line) ? take_logged : take_own;
		result = memchr(line.p, '\0', line.n) ? wrong(r, "a NUL", e) : take(r, line, e);
	}
	free(text);
	if (result == 0 && take == take_logged)
		finish_log(r);
	return result;
}

int trace_read(FILE *in, const char *name, struct trace *trace_r, struct err *e)
{
	struct reader r = {.name = name};
	int result = take_lines(&r, in, e);

	if (result == 0 && r.trace.n == 0)
		result = err_set(e, ERR_INVALID, "%s: there is no open in it", name);
	tdestroy(r.users, free);
	tdestroy(r.sessions, free);
	tdestroy(r.programs, free);
	free(r.logged);
	free(r.restarts);
	if (result < 0) {
		trace_fini(&r.trace);
		return -1;
	}
	trace_sort(&r.trace);
	settle_times(&r.trace, r.last_ms);
	*trace_r = r.trace;
	return 0;
}
