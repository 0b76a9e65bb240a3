/*
 * One mail transaction (RFC 5321 3.3, RFC 2033 4.2): a sender, recipients, a message, an answer for each
 * recipient.  A message that was refused while it came in is refused for all of them.
 */
#ifndef LMTPD_TRANSACTION_H
#define LMTPD_TRANSACTION_H

#include "base/arena.h"
#include "deliver/letter.h"
#include "lmtpd/err_map.h"

struct transaction {
	struct site *site;
	struct arena arena;
	struct letter_from from;
	char id[40];
	bool is_utf8; /* SMTPUTF8 */
	struct recipient *recipients;
	size_t recipients_n, recipients_size, tried_n; /* tried: refused ones, too */
	struct letter letter;
	bool has_letter;
	struct err refusal; /* code ERR_NONE: none so far */
	size_t next;        /* recipient to deliver to */
};

/* Texts are copied. */
void transaction_begin(struct transaction *mail, struct site *site, const struct letter_from *from,
    bool is_utf8);
/* The recipient's texts must live in mail->arena. */
void transaction_add(struct transaction *mail, const struct recipient *recipient);
/* Octets of the message; what is wrong is remembered, and what comes then goes nowhere. */
void transaction_put(struct transaction *mail, const void *octets, size_t n);
/* The message is whole. */
void transaction_close(struct transaction *mail);
/* Delivers to the next recipient; false: *answer_r says why not. */
bool transaction_deliver_next(struct transaction *mail, struct lmtp_answer *answer_r);
struct lmtp_answer transaction_answer(const struct transaction *mail, enum err_code code);
void transaction_end(struct transaction *mail);

#endif
