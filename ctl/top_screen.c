/*
 * ctl/top_screen.c - see top_screen.h.
 *
 * Signals only note that they came, and wake the poll by an eventfd: other threads of the process may be the ones who take them.
 */
#include "ctl/top_screen.h"
#include "limits/text.h"
#include "base/clock.h"
#include "base/io.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define ENTER "\033[?1049h\033[?25l\033[?7l" /* the other screen, no cursor, lines are cut where they are too long */
#define LEAVE "\033[?7h\033[?25h\033[?1049l"
#define ESCAPE_MS 50 /* in which the rest of a key's sequence comes */
#define LEAST_LINES 4
#define LEAST_COLUMNS 20

static const int caught[] = {SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGTSTP};
#define CAUGHT_N (sizeof caught / sizeof *caught)
static struct sigaction former[CAUGHT_N];
static volatile sig_atomic_t came[CAUGHT_N];
static int woken = -1;

static void note_signal(int number)
{
	int was = errno;

	for (size_t i = 0; i < CAUGHT_N; i++)
		came[i] |= caught[i] == number;
	if (write(woken, &(uint64_t){1}, sizeof(uint64_t)) < 0) {
		/* it is awake already */
	}
	errno = was;
}

/* ---- in and out ---- */

bool screen_is_possible(const char **why_not_r)
{
	const char *term = getenv("TERM");

	*why_not_r = NULL;
	if (!isatty(STDIN_FILENO))
		*why_not_r = "standard input is no terminal";
	else if (!term || !*term)
		*why_not_r = "TERM is not set";
	else if (strcmp(term, "dumb") == 0)
		*why_not_r = "TERM is `dumb`, a terminal that can't be drawn on";
	return !*why_not_r;
}

/* A terminal that is gone is told by the next read. */
static void put(const char *p, size_t n)
{
	(void)io_write_all(STDOUT_FILENO, p, n);
}

static void measure(struct screen *screen)
{
	struct winsize size;
	bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0;

	screen->lines = known ? size.ws_row : 24;
	screen->columns = known ? size.ws_col : 80;
	if (screen->lines < LEAST_LINES)
		screen->lines = LEAST_LINES;
	if (screen->columns < LEAST_COLUMNS)
		screen->columns = LEAST_COLUMNS;
}

/* Keys come one by one and unseen; signals still come from the keyboard. */
static int enter(struct screen *screen)
{
	struct termios mode = screen->before;

	mode.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	mode.c_iflag &= ~(tcflag_t)IXON;
	mode.c_cc[VMIN] = 1;
	mode.c_cc[VTIME] = 0;
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &mode) < 0)
		return -1;
	put(ENTER, strlen(ENTER));
	measure(screen);
	return 0;
}

static void leave(const struct screen *screen)
{
	put(LEAVE, strlen(LEAVE));
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &screen->before);
}

static void give_back(void)
{
	for (size_t i = 0; i < CAUGHT_N; i++)
		sigaction(caught[i], &former[i], NULL);
	close(woken);
	woken = -1;
}

int screen_open(struct screen *screen, struct err *e)
{
	struct sigaction action = {.sa_handler = note_signal, .sa_flags = SA_RESTART};

	if (tcgetattr(STDIN_FILENO, &screen->before) < 0)
		return err_sys(e, ERR_IO, errno, "the terminal");
	woken = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (woken < 0)
		return err_sys(e, ERR_TEMP, errno, "eventfd");
	for (size_t i = 0; i < CAUGHT_N; i++) {
		came[i] = 0;
		sigaction(caught[i], &action, &former[i]);
	}
	if (enter(screen) == 0)
		return 0;
	err_sys(e, ERR_IO, errno, "the terminal");
	give_back();
	return -1;
}

void screen_close(struct screen *screen)
{
	leave(screen);
	give_back();
}

/* Away until somebody has it go on. */
static void stop(struct screen *screen)
{
	leave(screen);
	raise(SIGSTOP);
	if (enter(screen) < 0)
		note_signal(SIGHUP);
}

/* ---- keys ---- */

/* SCREEN_OTHER: no signal came. */
static int take_signals(struct screen *screen)
{
	int key = SCREEN_OTHER;
	uint64_t n;

	if (read(woken, &n, sizeof n) < 0)
		return key;
	for (size_t i = 0; i < CAUGHT_N; i++) {
		if (!came[i])
			continue;
		came[i] = 0;
		if (caught[i] != SIGWINCH && caught[i] != SIGTSTP)
			return SCREEN_END;
		if (caught[i] == SIGTSTP)
			stop(screen);
		measure(screen);
		key = SCREEN_CHANGED;
	}
	return key;
}

static int read_octet(void)
{
	unsigned char octet;

	return read(STDIN_FILENO, &octet, 1) == 1 ? octet : -1;
}

static bool more_comes(void)
{
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};

	return poll(&in, 1, ESCAPE_MS) > 0;
}

/* What comes behind an ESC: "[A", "OA", "[5~". */
static int take_sequence(void)
{
	static const struct {
		const char *sequence;
		enum screen_key key;
	} known[] = {
	    {"A", SCREEN_UP}, {"B", SCREEN_DOWN}, {"H", SCREEN_FIRST}, {"F", SCREEN_LAST}, {"5~", SCREEN_PAGE_UP},
	    {"6~", SCREEN_PAGE_DOWN}, {"1~", SCREEN_FIRST}, {"4~", SCREEN_LAST}, {"7~", SCREEN_FIRST}, {"8~", SCREEN_LAST},
	};
	char got[16];
	size_t n = 0;
	int octet;

	if (!more_comes())
		return SCREEN_ESCAPE;
	octet = read_octet();
	if (octet != '[' && octet != 'O')
		return SCREEN_OTHER;
	/* A sequence ends with a letter or a tilde (ECMA-48 5.4). */
	while (n < sizeof got - 1 && more_comes() && (octet = read_octet()) >= 0) {
		got[n++] = (char)octet;
		if (octet >= '@')
			break;
	}
	got[n] = '\0';
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strcmp(known[i].sequence, got) == 0)
			return (int)known[i].key;
	return SCREEN_OTHER;
}

int screen_key(struct screen *screen, int64_t until_ms)
{
	for (;;) {
		struct pollfd from[] = {{.fd = woken, .events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};
		int64_t left_ms = until_ms - clock_mono_ms();
		int key;

		if (left_ms <= 0)
			return SCREEN_TIME_UP;
		if (poll(from, 2, (int)left_ms) <= 0)
			continue; /* the time is up, or a signal came */
		if (from[0].revents) {
			key = take_signals(screen);
			if (key != SCREEN_OTHER)
				return key;
		}
		if (!from[1].revents)
			continue;
		key = read_octet();
		if (key < 0)
			return SCREEN_END;
		return key == '\033' ? take_sequence() : key;
	}
}

/* ---- frames ---- */

/* As much as fits; what a terminal would obey is '?' (C0, DEL, and C1 as UTF-8 has them). */
static void put_line(const struct screen *screen, struct str_view line, struct str_buf *out)
{
	size_t columns = 0;

	for (size_t n; line.n > 0 && columns < screen->columns; line.p += n, line.n -= n, columns++) {
		unsigned char first = (unsigned char)line.p[0];
		size_t size = text_utf8_size(line.p, line.n);

		n = size ? size : 1;
		if (size == 0 || first < ' ' || first == 0x7f || (first == 0xc2 && (unsigned char)line.p[1] < 0xa0))
			str_buf_putc(out, '?');
		else
			str_buf_put(out, line.p, n);
	}
	str_buf_puts(out, "\033[0m\033[K");
}

void screen_show(const struct screen *screen, struct str_view text, size_t chosen, const char *last)
{
	struct str_buf out = {0};

	str_buf_puts(&out, "\033[H");
	for (size_t i = 0; text.n > 0 && i < screen->lines - 1; i++) {
		const char *end = memchr(text.p, '\n', text.n);
		size_t n = end ? (size_t)(end - text.p) : text.n;

		str_buf_puts(&out, i == chosen ? "\033[7m" : "");
		put_line(screen, str_view(text.p, n), &out);
		str_buf_puts(&out, "\r\n");
		text.p += n + (end != NULL);
		text.n -= n + (end != NULL);
	}
	str_buf_printf(&out, "\033[J\033[%zuH\033[7m", screen->lines);
	put_line(screen, str_view(last, strlen(last)), &out);
	put(out.p, out.n);
	str_buf_fini(&out);
}
