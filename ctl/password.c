/* ctl/password.c - a password, from standard input or the terminal. */
#include "ctl/password.h"

#include "ctl/verb.h"

#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* A line without its end; -1: none, or too long.  Read by the octet: what follows is not ours. */
static int line_read(int fd, char out[PASSWORD_SIZE])
{
	size_t n = 0;
	ssize_t r;
	char c;

	while ((r = read(fd, &c, 1)) == 1 && c != '\n') {
		if (c == '\0' || n == PASSWORD_SIZE - 1)
			return -1;
		out[n++] = c;
	}
	if (r < 0 || (r == 0 && n == 0))
		return -1;
	if (n > 0 && out[n - 1] == '\r')
		n--;
	out[n] = '\0';
	return 0;
}

static int ask(const char *prompt, const char *user, char out[PASSWORD_SIZE])
{
	struct termios was, quiet;
	int r;

	fprintf(stderr, "%s for %s: ", prompt, user);
	if (tcgetattr(STDIN_FILENO, &was) < 0)
		return -1;
	quiet = was;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	r = line_read(STDIN_FILENO, out);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &was);
	fputc('\n', stderr);
	return r;
}

static int ask_twice(const char *user, char out[PASSWORD_SIZE])
{
	char again[PASSWORD_SIZE];
	int r = -1;

	if (!isatty(STDIN_FILENO))
		ctl_say("no terminal to ask on: give --password-stdin and the password as one line");
	else if (ask("Password", user, out) < 0 || ask("Once more", user, again) < 0)
		ctl_say("no password was given");
	else if (strcmp(out, again) != 0)
		ctl_say("the two differ; nothing was changed");
	else
		r = 0;
	explicit_bzero(again, sizeof again);
	return r;
}

int password_read(bool from_stdin, const char *user, char out[PASSWORD_SIZE])
{
	int r;

	if (!from_stdin) {
		r = ask_twice(user, out);
	} else {
		r = line_read(STDIN_FILENO, out);
		if (r < 0)
			ctl_say("standard input gave no password (one line, up to %d octets)",
			    PASSWORD_SIZE - 1);
	}
	if (r == 0 && !*out) {
		ctl_say("an empty password is none; nothing was changed");
		r = -1;
	}
	return r;
}
