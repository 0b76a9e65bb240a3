/* lmtpd/transaction.c - what MAIL, RCPT, DATA and BDAT gather, and where it goes. */
#include "lmtpd/transaction.h"
#include "base/log.h"
#include "base/mem.h"
#include "limits/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void transaction_begin(struct transaction *mail, struct site *site, const struct letter_from *from,
    bool is_utf8)
{
	transaction_end(mail);
	mail->site = site;
	mail->is_utf8 = is_utf8;
	snprintf(mail->id, sizeof mail->id, "%s", from->id);
	mail->from = (struct letter_from){
	    .return_path = arena_str(&mail->arena, from->return_path),
	    .protocol = from->protocol,
	    .helo = arena_str(&mail->arena, from->helo),
	    .peer = arena_str(&mail->arena, from->peer),
	    .id = mail->id,
	};
}

void transaction_add(struct transaction *mail, const struct recipient *recipient)
{
	if (mail->recipients_n == mail->recipients_size) {
		mail->recipients_size = mail->recipients_size ? mail->recipients_size * 2 : 4;
		mail->recipients = mem_realloc(
		    mail->recipients, mail->recipients_size * sizeof *mail->recipients);
	}
	mail->recipients[mail->recipients_n++] = *recipient;
}

static void need_letter(struct transaction *mail)
{
	if (!mail->has_letter)
		letter_begin(&mail->letter, mail->site);
	mail->has_letter = true;
}

void transaction_put(struct transaction *mail, const void *octets, size_t n)
{
	need_letter(mail);
	if (mail->refusal.code == ERR_NONE && letter_put(&mail->letter, octets, n, &mail->refusal) < 0)
		log_info("message-refused", "id=%s peer=%s %s", mail->id, mail->from.peer,
		    log_err(&mail->refusal));
}

void transaction_close(struct transaction *mail)
{
	struct err e;

	need_letter(mail);
	if (letter_end(&mail->letter, &e) < 0 && mail->refusal.code == ERR_NONE)
		mail->refusal = e;
}

struct lmtp_answer transaction_answer(const struct transaction *mail, enum err_code code)
{
	return lmtp_err_answer(code, setting_get(mail->site, SETTING_OVER_QUOTA) == 1);
}

bool transaction_deliver_next(struct transaction *mail, struct lmtp_answer *answer_r)
{
	const struct recipient *to = &mail->recipients[mail->next++];
	struct err e = mail->refusal;
	bool was_there;

	if (e.code == ERR_NONE && letter_deliver(&mail->letter, &mail->from, to, &was_there, &e) == 0) {
		*answer_r = (struct lmtp_answer){250, "2.1.5", was_there ? "delivered before" : "delivered"};
		return true;
	}
	*answer_r = transaction_answer(mail, e.code);
	log_warn("not-delivered", "id=%s user=%s answer=%u %s", mail->id, LOG_Q(to->user_name),
	    answer_r->code, log_err(&e));
	return false;
}

void transaction_end(struct transaction *mail)
{
	if (mail->has_letter)
		letter_fini(&mail->letter);
	free(mail->recipients);
	arena_fini(&mail->arena);
	*mail = (struct transaction){0};
}
