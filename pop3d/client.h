/*
 * One POP3 connection: its state, and what the commands share.  A connection is run by one worker at
 * a time (net/conn.h), so nothing here is locked.
 */
#ifndef POP3D_CLIENT_H
#define POP3D_CLIENT_H

#include "auth/login.h"
#include "auth/ask.h"
#include "auth/reap.h"
#include "net/conn.h"
#include "pop3d/maildrop.h"
#include "pop3d/stream.h"
#include "pop3d/words.h"

/* RFC 1939 3; bits, for the rows of commands. */
enum pop3_state {
	POP3_AUTHORIZATION = 1,
	POP3_TRANSACTION = 2,
};

/* What a command, or a step of one, leaves behind. */
enum pop3_next {
	POP3_DONE,  /* answered; on to the next line */
	POP3_YIELD, /* client->step goes on once the peer took what there is */
	POP3_HOLD,  /* client->step goes on once authd has answered */
	POP3_QUIT,  /* close, once the answer is out */
};

struct pop3_client {
	struct site *site;
	struct conn *conn;
	enum pop3_state state;

	char *user;        /* what USER said, until PASS */
	struct reap *reap; /* a login at its limit that waits for it (auth/reap.h) */
	struct ask *ask;   /* that authd is to answer: for the greeting, or for a login */
	bool is_greeted;
	bool is_asked;     /* an AUTH under way: the next line is its */
	unsigned failures; /* logins that failed */
	unsigned bad;      /* commands that made no sense */
	bool skipping;     /* the rest of a line that was too long */
	bool stls_begun;   /* the handshake comes next */
	bool utf8;         /* said UTF8 (RFC 6856 2) */
	enum pop3_language language;

	struct session *session;
	struct store *store;
	struct maildrop maildrop;
	uint32_t login_delay_s, expire_days; /* as the user's policy had it at the login */

	/* An answer of many lines under way. */
	enum pop3_next (*step)(struct pop3_client *client);
	struct pop3_stream stream;
	size_t list_at;
};

extern const struct net_door pop3_door;

/* One line, CRLF added; what is for people in the client's language (words.tbl.h). */
void pop3_reply(struct pop3_client *client, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* "-ERR " and these words, which may begin with a response code. */
void pop3_refuse(struct pop3_client *client, const char *words);
/* The same in the words of err_map.c; what the error says goes to the log. */
void pop3_reply_err(struct pop3_client *client, const char *what, const struct err *e);

/* Whatever authd says of client->ask: into the TRANSACTION state, or an answer that says why not.  ASK_MORE is
 * cmd_auth.c's to deal with. */
enum pop3_next pop3_login_settle(struct pop3_client *client);
/* Who the client is to SASL. */
void pop3_login_peer(const struct pop3_client *client, struct sasl_conn *peer);
/* A line that answers AUTH's challenge (cmd_auth.c). */
enum pop3_next pop3_auth_line(struct pop3_client *client, struct str_view line);
/* The mechanisms that AUTH takes now, blanks between. */
void pop3_put_mechanisms(const struct pop3_client *client, struct str_buf *out);
bool pop3_plaintext_allowed(const struct pop3_client *client);
bool pop3_starttls_offered(const struct pop3_client *client);

/* The message a command names, not deleted; NULL: answered already. */
struct maildrop_message *pop3_message(struct pop3_client *client, struct str_view number);
/* "+OK", the header and so many lines of the body (UINT64_MAX: all); goes on by itself (cmd_retr.c). */
enum pop3_next pop3_send_message(struct pop3_client *client, struct maildrop_message *message,
    uint64_t lines);

#endif
