/* ctl/ctl_top.c - postern top: who holds how much and what is refused, on a terminal, again and again. */
#include "base/clock.h"
#include "ctl/top_look.h"
#include "ctl/top_screen.h"
#include "ctl/verb.h"
#include "store/directory.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define END_WAIT_MS 1000
#define INTERVAL_MAX_S 3600
#define PREFIX_SIZE 64
#define KEYS "q quit  s users or sessions  order: u user c count i idle r refused  / name  e end"

static bool once;
static const char *only_user, *order_name, *interval;

enum mode { MODE_LOOK, MODE_NAME, MODE_ASK };

struct top {
	struct site *site;
	struct screen screen;
	struct top_look look;
	struct top_tally tally;
	struct top_choice choice;
	struct top_rows rows;
	size_t at, from; /* the row that is chosen, and the first that is seen */
	enum mode mode;
	char prefix[PREFIX_SIZE]; /* of choice */
	char asked[32];           /* the session that MODE_ASK is about */
	char said[160];
};

/* ---- frames ---- */

static size_t page_of(const struct top *top)
{
	size_t taken = TOP_HEAD_LINES + 2; /* the heading, and the last line */

	return top->screen.lines > taken ? top->screen.lines - taken : 1;
}

static void choose_rows(struct top *top)
{
	top_rows_fini(&top->rows);
	top->rows = top_rows_choose(&top->look, &top->choice);
}

/* Row `at` is there, and is seen. */
static void keep_seen(struct top *top)
{
	size_t page = page_of(top);

	if (top->at >= top->rows.n)
		top->at = top->rows.n ? top->rows.n - 1 : 0;
	if (top->from > top->at)
		top->from = top->at;
	if (top->at >= top->from + page)
		top->from = top->at - page + 1;
	if (top->from + page > top->rows.n)
		top->from = top->rows.n > page ? top->rows.n - page : 0;
}

static void put_last(const struct top *top, struct str_buf *out)
{
	if (top->mode == MODE_NAME)
		str_buf_printf(out, "names that begin with: %s_   (Enter, or Esc for all)", top->prefix);
	else if (top->mode == MODE_ASK)
		str_buf_printf(out, "end session %s? (y/n)", top->asked);
	else if (*top->said)
		str_buf_puts(out, top->said);
	else
		str_buf_printf(out, "%zu of %zu  %s", top->rows.n ? top->at + 1 : 0, top->rows.n, KEYS);
}

static void show(struct top *top)
{
	struct str_buf text = {0}, last = {0};
	size_t chosen = TOP_HEAD_LINES + 1;

	choose_rows(top);
	keep_seen(top);
	top_put_head(&top->look, &text);
	top_put_heading(&top->choice, &text);
	top_put_rows(&top->look, &top->rows, top->from, top->from + page_of(top), &text);
	put_last(top, &last);
	screen_show(&top->screen, str_buf_view(&text), chosen + top->at - top->from, last.p);
	str_buf_fini(&text);
	str_buf_fini(&last);
}

/* ---- keys ---- */

static void end_session(struct top *top)
{
	struct err e;

	if (session_end(top->site, top->asked, END_WAIT_MS, &e) == 0)
		snprintf(top->said, sizeof top->said, "session %s is ended", top->asked);
	else if (e.code == ERR_NOTFOUND)
		snprintf(top->said, sizeof top->said, "session %s has ended by itself", top->asked);
	else if (e.code == ERR_TEMP)
		snprintf(top->said, sizeof top->said, "the daemon that holds session %s did not answer within a second", top->asked);
	else
		snprintf(top->said, sizeof top->said, "session %s: %.100s", top->asked, *e.what ? e.what : err_text(e.code));
}

static void ask_to_end(struct top *top)
{
	if (!top->choice.sessions) {
		snprintf(top->said, sizeof top->said, "press s first: sessions can be ended one by one");
	} else if (top->at < top->rows.n) {
		snprintf(top->asked, sizeof top->asked, "%s", top->rows.rows[top->at].session->id);
		top->mode = MODE_ASK;
	}
}

static void take_name_key(struct top *top, int key)
{
	size_t n = strlen(top->prefix);

	if (key == '\r' || key == '\n' || key == SCREEN_ESCAPE)
		top->mode = MODE_LOOK;
	if (key == SCREEN_ESCAPE)
		top->prefix[0] = '\0';
	else if ((key == 0x7f || key == '\b') && n > 0)
		top->prefix[n - 1] = '\0';
	else if (key < SCREEN_UP && key > ' ' && key != 0x7f && n < sizeof top->prefix - 1)
		memcpy(top->prefix + n, (char[2]){(char)key, '\0'}, 2);
	top->at = 0;
}

static void order_by(struct top *top, enum top_order order)
{
	top->choice.order = order;
	top->at = 0;
}

static void move(struct top *top, int key)
{
	size_t page = page_of(top), last = top->rows.n ? top->rows.n - 1 : 0;

	if (key == SCREEN_UP && top->at > 0)
		top->at--;
	else if (key == SCREEN_DOWN && top->at < last)
		top->at++;
	else if (key == SCREEN_PAGE_UP)
		top->at = top->at > page ? top->at - page : 0;
	else if (key == SCREEN_PAGE_DOWN)
		top->at = top->at + page < last ? top->at + page : last;
	else if (key == SCREEN_FIRST)
		top->at = 0;
	else if (key == SCREEN_LAST)
		top->at = last;
}

static void take_look_key(struct top *top, int key)
{
	top->said[0] = '\0';
	switch (key) {
	case 's':
		top->choice.sessions = !top->choice.sessions;
		top->at = 0;
		break;
	case 'u':
		order_by(top, TOP_BY_USER);
		break;
	case 'c':
		order_by(top, TOP_BY_COUNT);
		break;
	case 'i':
		order_by(top, TOP_BY_IDLE);
		break;
	case 'r':
		order_by(top, TOP_BY_REFUSED);
		break;
	case '/':
		top->mode = MODE_NAME;
		break;
	case 'e':
		ask_to_end(top);
		break;
	default:
		move(top, key);
	}
}

/* Whether what is held may be another now. */
static bool take_key(struct top *top, int key)
{
	if (top->mode == MODE_NAME) {
		take_name_key(top, key);
	} else if (top->mode == MODE_ASK) {
		top->mode = MODE_LOOK;
		if (key == 'y' || key == 'Y') {
			end_session(top);
			return true;
		}
	} else {
		take_look_key(top, key);
	}
	return false;
}

/* ---- runs ---- */

static int look_again(struct top *top, struct err *e)
{
	struct top_look look;

	if (top_look_at(top->site, &top->tally, &look, e) < 0)
		return -1;
	top_rows_fini(&top->rows); /* they point into the look before */
	top_look_fini(&top->look);
	top->look = look;
	return 0;
}

static int watch(struct top *top, int64_t every_ms, struct err *e)
{
	int64_t next_ms = clock_mono_ms() + every_ms;

	for (;;) {
		int key;

		show(top);
		key = screen_key(&top->screen, next_ms);
		if (key == SCREEN_END || (key == 'q' && top->mode != MODE_NAME))
			return 0;
		if (key != SCREEN_TIME_UP && (key == SCREEN_CHANGED || !take_key(top, key)))
			continue;
		if (look_again(top, e) < 0)
			return -1;
		next_ms = clock_mono_ms() + every_ms;
	}
}

static void print_once(struct top *top)
{
	struct str_buf out = {0};

	choose_rows(top);
	top_put_head(&top->look, &out);
	top_put_heading(&top->choice, &out);
	top_put_rows(&top->look, &top->rows, 0, top->rows.n, &out);
	fputs(out.p, stdout);
	str_buf_fini(&out);
}

static int run(struct top *top, int64_t every_ms)
{
	struct err e;
	int r;

	if (look_again(top, &e) < 0)
		return ctl_fail_err(&e);
	if (once) {
		print_once(top);
		return CTL_OK;
	}
	if (screen_open(&top->screen, &e) < 0)
		return ctl_fail_err(&e);
	r = watch(top, every_ms, &e);
	screen_close(&top->screen);
	return r == 0 ? CTL_OK : ctl_fail_err(&e);
}

static bool parse_interval(uint64_t *s_r)
{
	*s_r = 2;
	return !interval || (str_number(str_view(interval, strlen(interval)), INTERVAL_MAX_S, s_r) && *s_r > 0);
}

static bool parse_order(enum top_order *order_r)
{
	static const char *const names[] = {
	    [TOP_BY_USER] = "user", [TOP_BY_COUNT] = "count", [TOP_BY_IDLE] = "idle", [TOP_BY_REFUSED] = "refused"};

	*order_r = TOP_BY_COUNT;
	for (size_t i = 0; order_name && i < sizeof names / sizeof *names; i++)
		if (strcmp(order_name, names[i]) == 0) {
			*order_r = (enum top_order)i;
			return true;
		}
	return !order_name;
}

static int find_only_user(struct ctl *ctl, struct user_id *user_r)
{
	struct arena arena = {0};
	struct directory_user user;
	struct err e;
	int code = CTL_OK;

	if (!only_user)
		return CTL_OK;
	if (directory_user_find(ctl->site, only_user, &arena, &user, &e) == 0)
		*user_r = user.id;
	else
		code = e.code == ERR_NOTFOUND ? ctl_no_user(only_user) : ctl_fail_err(&e);
	arena_fini(&arena);
	return code;
}

static int top_run(struct ctl *ctl, bool sessions)
{
	struct top top = {.site = ctl->site, .choice.sessions = sessions};
	const char *why_not;
	uint64_t every_s;
	int code;

	top.choice.prefix = top.prefix;
	if (!parse_interval(&every_s))
		return ctl_usage(ctl, "`%s` is no number of seconds from 1 to %d", interval, INTERVAL_MAX_S);
	if (!parse_order(&top.choice.order))
		return ctl_usage(ctl, "there is no order `%s`: user, count, idle and refused are", order_name);
	once = once || !isatty(STDOUT_FILENO);
	if (!once && !screen_is_possible(&why_not))
		return ctl_fail("%s: `postern top --once` prints one frame as text", why_not);
	code = find_only_user(ctl, &top.choice.user);
	if (code == CTL_OK)
		code = run(&top, (int64_t)every_s * 1000);
	top_rows_fini(&top.rows);
	top_look_fini(&top.look);
	return code;
}

static int top_users(struct ctl *ctl, char **operands, int n)
{
	(void)operands, (void)n;
	return top_run(ctl, false);
}

static int top_sessions(struct ctl *ctl, char **operands, int n)
{
	(void)operands, (void)n;
	return top_run(ctl, true);
}

static const struct verb_option options[] = {
    {0, "interval", "SECONDS", &interval, "look again after so long: 1 to 3600, 2 if not given"},
    {0, "user", "NAME", &only_user, "rows of one user only"},
    {0, "order", "ORDER", &order_name, "user, count (if not given), idle, or refused"},
    {0, "once", NULL, &once, "print one frame as text, and end"},
    {0},
};

const struct verb ctl_verb_top = {
    .name = "top",
    .summary = "watch sessions, limits and refusals on a terminal",
    .help = "Keys: q quits; s changes between users and sessions; u, c, i and r order by user, count,\n"
	    "idle time and refusals; / asks how names begin; arrows, Page Up and Down, Home and End move;\n"
	    "e ends the session that is chosen, after a question. Where standard output is no terminal,\n"
	    "one frame is printed as by --once.",
    .site = true,
    .otherwise = "users",
    .actions =
	(const struct verb_action[]){
	    {"users", "", 0, 0, options, top_users, "a row for each user who holds any"},
	    {"sessions", "", 0, 0, options, top_sessions, "a row for each session"},
	    {0},
	},
};
