/* base/log_journal.c - lines as datagrams of the journal's native protocol: FIELD=value, one a line. */
#include "base/log_journal.h"
#include "base/clock.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define CONNECT_EVERY_MS 1000
#define NAME_MAX_OCTETS 64 /* systemd.journal-fields(7) */
#define FIELDS_MAX 8192 /* a line has 2048 octets at most, and its parts stand in it twice */

static int journal_fd = -1;
static struct sockaddr_un journal_at = {.sun_family = AF_UNIX};
static atomic_uint lost_n;
static _Atomic int64_t connected_ms;

/* --- the socket ------------------------------------------------------------------------------------- */

bool log_journal_is_stderr(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 && fstat(STDERR_FILENO, &st) == 0 &&
	       st.st_dev == device && st.st_ino == inode;
}

static int open_journal(const char *path, struct err *e)
{
	size_t n = strlen(path);
	int fd;

	if (n >= sizeof journal_at.sun_path)
		return err_set(e, ERR_INVALID, "store.conf: [server] journal: the path is too long");
	memcpy(journal_at.sun_path, path, n + 1);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&journal_at, sizeof journal_at) < 0) {
		log_warn("no-journal", "socket=%s error=\"%s\"", LOG_Q(path), strerror(errno));
		if (fd >= 0)
			close(fd);
		return 0;
	}
	journal_fd = fd;
	return 0;
}

int log_journal_choose(const char *how, struct err *e)
{
	if (journal_fd >= 0)
		close(journal_fd);
	journal_fd = -1;
	if (strcmp(how, "no") == 0 || (strcmp(how, "auto") == 0 && !log_journal_is_stderr()))
		return 0;
	if (strcmp(how, "auto") == 0 || strcmp(how, "yes") == 0)
		return open_journal(JOURNAL_SOCKET, e);
	if (*how == '/')
		return open_journal(how, e);
	return err_set(e, ERR_INVALID, "store.conf: [server] journal is auto, yes, no, or the path of a socket");
}

/* Somebody else listens at the path since: a datagram socket is connected again as it stands.  Not for each line. */
static bool connect_again(void)
{
	int64_t now_ms = clock_mono_ms(), was_ms = connected_ms;

	return now_ms - was_ms >= CONNECT_EVERY_MS && atomic_compare_exchange_strong(&connected_ms, &was_ms, now_ms) &&
	       connect(journal_fd, (struct sockaddr *)&journal_at, sizeof journal_at) == 0;
}

static bool pass(const char *fields, size_t n)
{
	ssize_t sent = send(journal_fd, fields, n, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (sent < 0 && (errno == ECONNREFUSED || errno == ENOTCONN || errno == ECONNRESET) && connect_again())
		sent = send(journal_fd, fields, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent >= 0)
		return true;
	if (errno != EAGAIN && errno != ENOBUFS)
		return false;
	lost_n++;
	return true;
}

/* --- fields ----------------------------------------------------------------------------------------- */

struct fields {
	char text[FIELDS_MAX];
	size_t n;
};

/* A field that has no room is left out whole; what would end its line becomes a blank. */
static void put(struct fields *f, const char *name, size_t name_n, const char *value, size_t value_n)
{
	if (name_n + value_n + 2 > sizeof f->text - f->n)
		return;
	memcpy(f->text + f->n, name, name_n);
	f->n += name_n;
	f->text[f->n++] = '=';
	for (size_t i = 0; i < value_n; i++)
		f->text[f->n++] = value[i] == '\n' ? ' ' : value[i];
	f->text[f->n++] = '\n';
}

static void put_text(struct fields *f, const char *name, const char *value)
{
	put(f, name, strlen(name), value, strlen(value));
}

static bool is_key_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

/* The octets of a key that "=" follows; 0: there is none. */
static size_t key_size(const char *text)
{
	size_t n = 0;

	while (is_key_char(text[n]))
		n++;
	return text[n] == '=' ? n : 0;
}

/* "limit" as "POSTERN_LIMIT". */
static size_t make_name(const char *key, size_t n, char out[NAME_MAX_OCTETS])
{
	size_t at = (size_t)(stpcpy(out, "POSTERN_") - out);

	for (size_t i = 0; i < n && at < NAME_MAX_OCTETS; i++)
		out[at++] = key[i] >= 'a' && key[i] <= 'z' ? (char)(key[i] - 'a' + 'A') : key[i] == '-' ? '_' : key[i];
	return at;
}

/* Where a value ends: at a blank; one in quotes at the quote that the next key or the end follows. */
static const char *end_of_value(const char *value, bool is_quoted)
{
	if (!is_quoted)
		return value + strcspn(value, " ");
	while (*value && !(*value == '"' && (value[1] == '\0' || (value[1] == ' ' && key_size(value + 2)))))
		value++;
	return value;
}

static void put_keys(struct fields *f, const char *text)
{
	while (*text) {
		size_t n = key_size(text), skipped;
		bool is_quoted = n && text[n + 1] == '"';
		const char *value = text + n + 1 + is_quoted;
		char name[NAME_MAX_OCTETS];

		if (n > 0) {
			text = end_of_value(value, is_quoted);
			put(f, name, make_name(value - n - 1 - is_quoted, n, name), value, (size_t)(text - value));
		}
		/* The next word. */
		skipped = strcspn(text, " ");
		text += skipped + strspn(text + skipped, " ");
	}
}

static bool write_fields(enum log_level level, const char *program, const char *event, const char *text)
{
	static const char *const priorities[] = {"7", "6", "4", "3"};
	char message[2048];
	struct fields f;

	f.n = 0;
	snprintf(message, sizeof message, "%s %s", event, text);
	put_text(&f, "MESSAGE", message);
	put_text(&f, "PRIORITY", priorities[level]);
	put_text(&f, "SYSLOG_FACILITY", "2");
	put_text(&f, "SYSLOG_IDENTIFIER", program);
	put_text(&f, "POSTERN_EVENT", event);
	put_keys(&f, text);
	return pass(f.text, f.n);
}

bool log_journal_write(enum log_level level, const char *program, const char *event, const char *text)
{
	unsigned lost = lost_n;
	char words[32];

	if (journal_fd < 0 || !write_fields(level, program, event, text))
		return false;
	/* This one went out, or is among the lost. */
	if (lost > 0 && lost_n == lost && atomic_compare_exchange_strong(&lost_n, &lost, 0)) {
		snprintf(words, sizeof words, "lines=%u", lost);
		write_fields(LOG_LEVEL_WARN, program, "log-lost", words);
	}
	return true;
}
