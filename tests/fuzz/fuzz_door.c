/* fuzz_door.c - see fuzz_door.h. */
#include "fuzz_door.h"

#include "auth/account.h"
#include "auth/login.h"
#include "base/check.h"
#include "base/log.h"
#include "limits/registry.h"
#include "store/directory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERIFIER "$5$rounds=1000$abcdefgh$uxV9RE0eYS97AvEFx/Ysb./i/gt.Mm24oXOFqsWbbAC" /* of FUZZ_PASSWORD, cheap */

/* --- the double ---------------------------------------------------------------------------- */

struct conn {
	struct str_view in; /* what came and was not taken */
	struct str_buf out;
	bool eof, is_compressed;
};

struct str_view conn_input(const struct conn *conn)
{
	return conn->in;
}

void conn_take(struct conn *conn, size_t n)
{
	CHECK(n <= conn->in.n);
	conn->in.p += n;
	conn->in.n -= n;
}

enum conn_line conn_line(struct conn *conn, size_t max_octets, struct str_view *line_r)
{
	const char *lf = conn->in.n ? memchr(conn->in.p, '\n', conn->in.n) : NULL;
	size_t n = lf ? (size_t)(lf - conn->in.p) : conn->in.n;

	if (n > max_octets + 1)
		return CONN_LINE_TOO_LONG;
	if (!lf)
		return CONN_LINE_PART;
	*line_r = str_view(conn->in.p, n && lf[-1] == '\r' ? n - 1 : n);
	if (line_r->n > max_octets)
		return CONN_LINE_TOO_LONG;
	conn_take(conn, n + 1);
	return CONN_LINE;
}

bool conn_skip_line(struct conn *conn)
{
	const char *lf = conn->in.n ? memchr(conn->in.p, '\n', conn->in.n) : NULL;

	conn_take(conn, lf ? (size_t)(lf - conn->in.p) + 1 : conn->in.n);
	return lf != NULL;
}

struct str_buf *conn_out(struct conn *conn)
{
	return &conn->out;
}

bool conn_should_yield(const struct conn *conn)
{
	return conn->out.n > 40; /* often */
}

const char *conn_peer(const struct conn *conn)
{
	(void)conn;
	return "127.0.0.1:1";
}

size_t conn_binding(const struct conn *conn, enum conn_binding kind, unsigned char out[CONN_BINDING_MAX])
{
	(void)conn, (void)kind, (void)out;
	return 0;
}

bool conn_peer_name(const struct conn *conn, char *out, size_t size)
{
	(void)conn, (void)out, (void)size;
	return false;
}

bool conn_peer_uid(const struct conn *conn, uid_t *uid_r)
{
	(void)conn, (void)uid_r;
	return false;
}

bool conn_is_tls(const struct conn *conn)
{
	(void)conn;
	return false;
}

bool conn_tls_available(const struct conn *conn)
{
	(void)conn;
	return true;
}

void conn_starttls(struct conn *conn)
{
	conn->in.n = 0;
}

bool conn_is_compressed(const struct conn *conn)
{
	return conn->is_compressed;
}

/* What follows is no command any more. */
void conn_compress(struct conn *conn)
{
	conn->is_compressed = true;
	conn->in.n = 0;
}

uint64_t conn_id(const struct conn *conn)
{
	(void)conn;
	return 1;
}

struct net_server *conn_server(const struct conn *conn)
{
	(void)conn;
	return NULL;
}

void conn_set_timeout(struct conn *conn, int64_t ms)
{
	(void)conn, (void)ms;
}

void conn_authenticated(struct conn *conn, uint64_t user)
{
	(void)conn, (void)user;
}

const char *conn_end_name(enum conn_end end)
{
	(void)end;
	return "fuzzed";
}

void net_end(struct net_server *server, uint64_t id)
{
	(void)server, (void)id;
}

void net_wake(struct net_server *server, uint64_t id)
{
	(void)server, (void)id;
}

void conn_puts(struct conn *conn, const char *s)
{
	str_buf_puts(&conn->out, s);
}

void conn_printf(struct conn *conn, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	str_buf_vprintf(&conn->out, fmt, ap);
	va_end(ap);
}

/* --- the store ----------------------------------------------------------------------------- */

/* On a tmpfs, where there is one: an append waits for the disk. */
static char on_tmpfs[] = "/dev/shm/postern-fuzz-XXXXXX", on_disk[] = "/tmp/postern-fuzz-XXXXXX";
static const char *folder;
static struct site *site;

void fuzz_must(int result, const struct err *e)
{
	if (result == 0)
		return;
	fprintf(stderr, "fuzz: %s\n", e->what);
	exit(1);
}

void fuzz_append(struct store *store, struct folder_id to, const char *text)
{
	const struct append_how how = {.folder = to, .idate_ms = INT64_MIN};
	struct append_done done;
	struct append *message;
	struct err e;

	fuzz_must(append_begin(store, &message, &e), &e);
	fuzz_must(append_write(message, text, strlen(text), &e), &e);
	fuzz_must(append_commit(&message, &how, 1, &done, &e), &e);
}

struct store *fuzz_store_open(void)
{
	struct session_refusal why;
	struct session *session;
	struct store *store;
	struct err e;

	fuzz_must(auth_open(site, SESSION_ADMIN, "alice", NULL, NULL, &session, &why, &e), &e);
	fuzz_must(store_open(session, &store, &e), &e);
	return store;
}

void fuzz_store_close(struct store **store)
{
	struct session *session = store_session(*store);

	store_close(store);
	session_release(&session);
}

void fuzz_renew(void)
{
	struct user_id id;
	struct err e;

	fuzz_must(directory_user_delete(site, "alice", true, &e), &e);
	fuzz_must(directory_user_add(site, "alice", NULL, &id, &e), &e);
	fuzz_must(account_set_verifier(site, "alice", VERIFIER, &e), &e);
}

static void clean_up(void)
{
	char command[128];

	site_close(&site);
	snprintf(command, sizeof command, "rm -r %s %s-auth", folder, folder);
	if (system(command) != 0) /* NOLINT: fixed words */
		fprintf(stderr, "fuzz: %s is left\n", folder);
}

struct site *fuzz_site(const char *program)
{
	struct user_id id;
	struct err e;

	if (site)
		return site;
	folder = mkdtemp(on_tmpfs);
	if (!folder)
		folder = mkdtemp(on_disk);
	CHECK(folder);
	log_init(program, LOG_LEVEL_ERROR);
	credential_permit();
	fuzz_must(site_create(folder, "run", &e), &e);
	fuzz_must(site_open(folder, program, &site, &e), &e);
	fuzz_must(directory_user_add(site, "alice", NULL, &id, &e), &e);
	fuzz_must(account_set_verifier(site, "alice", VERIFIER, &e), &e);
	atexit(clean_up);
	return site;
}

/* --- the talk ------------------------------------------------------------------------------ */

/* Nothing stops within a line. */
static void look_at(const struct str_buf *out)
{
	CHECK(out->n == 0 || (out->n >= 2 && memcmp(out->p + out->n - 2, "\r\n", 2) == 0));
}

/* Hands a piece over; false: the door closed. */
static bool feed(const struct net_door *door, struct conn *conn, void *client, struct str_buf *pending, const uint8_t *p, size_t n)
{
	unsigned events = CONN_INPUT;
	enum conn_next next;

	str_buf_put(pending, p, n);
	conn->in = str_buf_view(pending);
	while ((next = door->run(conn, client, events)) == CONN_YIELD) {
		events = CONN_DRAINED;
		str_buf_clear(&conn->out); /* the peer took it */
	}
	str_buf_consume(pending, pending->n - conn->in.n);
	return next == CONN_WAIT;
}

void fuzz_talk(const struct net_door *door, const uint8_t *octets, size_t n)
{
	struct conn conn = {0};
	struct str_buf pending = {0};
	void *client;
	size_t piece;

	piece = octets[0] ? octets[0] : n;
	client = door->open(&conn, site);
	CHECK(door->run(&conn, client, CONN_OPENED) == CONN_WAIT);
	for (size_t at = 1; at < n; at += piece)
		if (!feed(door, &conn, client, &pending, octets + at, n - at < piece ? n - at : piece))
			break;
	look_at(&conn.out);
	door->close(&conn, client, CONN_END_PEER);
	str_buf_fini(&conn.out);
	str_buf_fini(&pending);
}

void conn_hold_for(struct conn *conn, int64_t ms)
{
	(void)conn, (void)ms;
}

void net_probe(struct net_server *server, uint64_t user, const struct net_probe_how *how, struct net_probe *found_r)
{
	(void)server, (void)user, (void)how;
	*found_r = (struct net_probe){0};
}
