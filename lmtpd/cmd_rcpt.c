/* lmtpd/cmd_rcpt.c - RCPT (RFC 5321 4.1.1.3): whose mailbox it is, asked of the directory alone. */
#include "base/log.h"
#include "limits/registry.h"
#include "lmtpd/cmd.h"

static enum lmtp_next refuse(struct lmtp_client *client, const struct mail_path *path,
    const struct err *e)
{
	struct lmtp_answer answer = transaction_answer(&client->mail, e->code);

	log_info("recipient-refused", "id=%s recipient=%s answer=%u %s", client->mail.id,
	    LOG_Q(path->text), answer.code, log_err(e));
	lmtp_reply(client, answer.code, answer.enhanced, "%s", answer.words);
	return LMTP_DONE;
}

static enum lmtp_next run(struct lmtp_client *client, struct str_view args)
{
	struct transaction *mail = &client->mail;
	struct recipient recipient;
	struct mail_path path;
	struct err e;

	if (!lmtp_cut_keyword(&args, SV("TO:")))
		return lmtp_bad_usage(client, &lmtp_cmd_rcpt);
	if (++mail->tried_n > setting_get(client->site, SETTING_LMTP_RECIPIENTS_MAX)) {
		lmtp_reply(client, 452, "4.5.3", "no more recipients for this message");
		return LMTP_DONE;
	}
	if (!mail_path_parse(&args, &mail->arena, &path) || path.is_null || (args.n && *args.p != ' '))
		return lmtp_bad(client, 501, "5.1.3", "that is no address: say <local@domain>");
	if (str_trim(args).n)
		return lmtp_bad(client, 555, "5.5.4", "there is no such parameter");
	if (path.has_utf8 && !mail->is_utf8)
		return lmtp_bad(client, 553, "5.6.7", "such an address needs SMTPUTF8");
	if (recipient_find(client->site, &path, &mail->arena, &recipient, &e) < 0)
		return refuse(client, &path, &e);
	transaction_add(mail, &recipient);
	lmtp_reply(client, 250, "2.1.5", "recipient is good");
	return LMTP_DONE;
}

const struct lmtp_cmd lmtp_cmd_rcpt = {
    .name = "RCPT",
    .rfc = "RFC 5321 4.1.1.3",
    .states = LMTP_SENDER,
    .usage = "TO:<address>",
    .run = run,
};
