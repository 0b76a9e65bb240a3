/*
 * One LMTP connection: its state, and what the commands share.  A connection is run by one worker at
 * a time (net/conn.h), so nothing here is locked.
 */
#ifndef LMTPD_CLIENT_H
#define LMTPD_CLIENT_H

#include "base/arena.h"
#include "lmtpd/transaction.h"
#include "lmtpd/unstuff.h"
#include "net/conn.h"

/* Where a connection stands; bits, for the rows of commands. */
enum lmtp_state {
	LMTP_FRESH = 1,  /* no LHLO yet */
	LMTP_IDLE = 2,   /* no transaction */
	LMTP_SENDER = 4, /* MAIL was accepted; perhaps recipients, too */
	LMTP_CHUNKS = 8, /* the message comes in chunks (RFC 3030) */
	LMTP_ANY = 15,
};

/* What a command, or a step of one, leaves behind. */
enum lmtp_next {
	LMTP_DONE,  /* answered; on to the next line */
	LMTP_WAIT,  /* client->step goes on once more has come */
	LMTP_YIELD, /* client->step goes on once the peer took what there is */
	LMTP_QUIT,  /* close, once the answer is out */
};

struct lmtp_client {
	struct site *site;
	struct conn *conn;
	enum lmtp_state state;
	char *helo;             /* what LHLO said */
	unsigned transaction_n; /* begun so far */
	unsigned bad;           /* commands that made no sense */
	bool skipping;          /* the rest of a line that was too long */
	uint64_t discarded;     /* octets of this message that nobody wants */
	bool tls_begun;         /* the handshake comes next */
	bool is_known;          /* a MAIL was accepted: no stranger that only connects */

	struct transaction mail;
	enum lmtp_next (*step)(struct lmtp_client *client);
	struct unstuff unstuff; /* DATA */
	struct {                /* BDAT */
		uint64_t left, size;
		bool is_last, is_refused;
	} chunk;
};

extern const struct net_door lmtp_door;

/* "250 2.1.0 text": an answer of one line; enhanced NULL: none (RFC 2034 3: greetings, LHLO). */
void lmtp_reply(struct lmtp_client *client, unsigned code, const char *enhanced, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
/* The peer's fault, in the words given; one too many ends the connection. */
enum lmtp_next lmtp_bad(struct lmtp_client *client, unsigned code, const char *enhanced,
    const char *words);
/* 503.  No fault where commands are pipelined behind one that was refused (RFC 2920 3.1). */
enum lmtp_next lmtp_out_of_place(struct lmtp_client *client, const char *words);
/* The transaction ends (RFC 5321 4.1.1.5). */
void lmtp_reset(struct lmtp_client *client);
/* So many octets of a message that is refused were thrown away; false: enough of that, the connection ends. */
bool lmtp_discard(struct lmtp_client *client, size_t n);
/* All octets of the message are there, or refused: an answer for each recipient, one after the other. */
enum lmtp_next lmtp_deliver(struct lmtp_client *client);
bool lmtp_starttls_offered(const struct lmtp_client *client);

#endif
