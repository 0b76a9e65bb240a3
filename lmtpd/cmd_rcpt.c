/*
 * lmtpd/cmd_rcpt.c - RCPT (RFC 5321 4.1.1.3): whose mailbox it is, asked of the directory alone.
 *
 * XADDRESS=xtext, an extension of our own for `postern deliver`: the address as it was written, where the mailbox is
 * already known to be another's name for it.
 */
#include "base/log.h"
#include "limits/registry.h"
#include "lmtpd/cmd.h"
#include "lmtpd/parameter.h"
#include "mime/decode.h"

#include <string.h>

static enum lmtp_next refuse(struct lmtp_client *client, const struct mail_path *path,
    const struct err *e)
{
	struct lmtp_answer answer = transaction_answer(&client->mail, e->code);

	if (e->code == ERR_NOTFOUND && !recipient_domain_is_ours(client->site, path))
		answer = (struct lmtp_answer){550, "5.1.2", "this server has no such domain"};
	log_info("recipient-refused", "id=%s recipient=%s answer=%u %s", client->mail.id,
	    LOG_Q(path->text), answer.code, log_err(e));
	lmtp_reply(client, answer.code, answer.enhanced, "%s", answer.words);
	return LMTP_DONE;
}

/* *address_r is NULL where there is none.  False: it was complained about. */
static bool take_parameters(struct lmtp_client *client, struct str_view args, const char **address_r,
    enum lmtp_next *next_r)
{
	struct parameter parameter;
	int more;

	*address_r = NULL;
	while ((more = parameter_next(&args, &parameter)) > 0) {
		if (!str_equal_nocase(parameter.name, SV("XADDRESS"))) {
			*next_r = lmtp_bad(client, 555, "5.5.4", "there is no such parameter");
			return false;
		}
		*address_r = parameter_xtext(parameter.value, &client->mail.arena);
		if (!parameter.has_value || !*address_r) {
			*next_r = lmtp_bad(client, 501, "5.5.4", "XADDRESS is an address as xtext");
			return false;
		}
	}
	if (more < 0)
		*next_r = lmtp_bad(client, 501, "5.5.4", "that is no parameter");
	return more == 0;
}

static bool is_ascii(const char *text)
{
	struct str_view view = str_view(text, strlen(text));

	return mime_ascii_n(view) == view.n;
}

static int find(struct lmtp_client *client, const struct mail_path *path, const char *address,
    struct recipient *recipient_r, struct err *e)
{
	struct arena *arena = &client->mail.arena;

	return address ? recipient_find_for(client->site, path, address, arena, recipient_r, e)
		       : recipient_find(client->site, path, arena, recipient_r, e);
}

static enum lmtp_next run(struct lmtp_client *client, struct str_view args)
{
	struct transaction *mail = &client->mail;
	struct recipient recipient;
	struct mail_path path;
	enum lmtp_next next;
	const char *address;
	struct err e;

	if (!lmtp_cut_keyword(&args, SV("TO:")))
		return lmtp_bad_usage(client, &lmtp_cmd_rcpt);
	if (++mail->tried_n > setting_get(client->site, SETTING_LMTP_RECIPIENTS_MAX)) {
		lmtp_reply(client, 452, "4.5.3", "no more recipients for this message");
		return LMTP_DONE;
	}
	if (!mail_path_parse(&args, &mail->arena, &path) || path.is_null || (args.n && *args.p != ' '))
		return lmtp_bad(client, 501, "5.1.3", "that is no address: say <local@domain>");
	if (!take_parameters(client, args, &address, &next))
		return next;
	if ((path.has_utf8 || (address && !is_ascii(address))) && !mail->is_utf8)
		return lmtp_bad(client, 553, "5.6.7", "such an address needs SMTPUTF8");
	if (find(client, &path, address, &recipient, &e) < 0)
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
    .capability = "XADDRESS",
    .run = run,
};
