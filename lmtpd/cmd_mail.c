/* lmtpd/cmd_mail.c - MAIL (RFC 5321 4.1.1.2), with SIZE (RFC 1870), BODY (RFC 6152), SMTPUTF8 (RFC 6531). */
#include "limits/registry.h"
#include "lmtpd/cmd.h"
#include "lmtpd/parameter.h"

#include <inttypes.h>
#include <stdio.h>

struct mail {
	uint64_t size;
	bool is_utf8;
};

/* What is wrong with a parameter; NULL: nothing. */
static const char *take_parameter(const struct parameter *parameter, struct mail *mail)
{
	if (str_equal_nocase(parameter->name, SV("SIZE")))
		return parameter->has_value && str_number(parameter->value, UINT64_MAX, &mail->size)
			   ? NULL
			   : "SIZE is a number of octets";
	if (str_equal_nocase(parameter->name, SV("BODY")))
		return str_equal_nocase(parameter->value, SV("8BITMIME")) ||
			       str_equal_nocase(parameter->value, SV("7BIT"))
			   ? NULL
			   : "BODY is 7BIT or 8BITMIME";
	if (str_equal_nocase(parameter->name, SV("SMTPUTF8")) && !parameter->has_value) {
		mail->is_utf8 = true;
		return NULL;
	}
	return "";
}

/* RFC 3848, RFC 6531 3.7.3. */
static const char *protocol(const struct lmtp_client *client, bool is_utf8)
{
	if (conn_is_tls(client->conn))
		return is_utf8 ? "UTF8LMTPS" : "LMTPS";
	return is_utf8 ? "UTF8LMTP" : "LMTP";
}

static void begin(struct lmtp_client *client, const char *return_path, bool is_utf8)
{
	char id[40];
	const struct letter_from from = {
	    .return_path = return_path,
	    .protocol = protocol(client, is_utf8),
	    .helo = client->helo,
	    .peer = conn_peer(client->conn),
	    .id = id,
	};

	snprintf(id, sizeof id, "%" PRIx64 ".%u", conn_id(client->conn), ++client->transaction_n);
	transaction_begin(&client->mail, client->site, &from, is_utf8);
	client->state = LMTP_SENDER;
	client->bad = 0;
	if (!client->is_known) {
		/* There is nobody to log in: each connection counts as somebody, with his share of workers. */
		conn_authenticated(client->conn, conn_id(client->conn));
		client->is_known = true;
	}
	lmtp_reply(client, 250, "2.1.0", "sender is good");
}

static enum lmtp_next run(struct lmtp_client *client, struct str_view args)
{
	struct arena arena = {0};
	struct mail_path path;
	struct parameter parameter;
	struct mail mail = {0};
	const char *wrong = NULL;
	enum lmtp_next next = LMTP_DONE;
	int more = 1;

	if (!lmtp_cut_keyword(&args, SV("FROM:")))
		return lmtp_bad_usage(client, &lmtp_cmd_mail);
	if (!mail_path_parse(&args, &arena, &path) || (args.n && *args.p != ' ')) {
		next = lmtp_bad(client, 501, "5.1.7", "that is no address: say <local@domain>, or <>");
		goto out;
	}
	while (!wrong && (more = parameter_next(&args, &parameter)) > 0)
		wrong = take_parameter(&parameter, &mail);
	if (more < 0)
		next = lmtp_bad(client, 501, "5.5.4", "that is no parameter");
	else if (wrong)
		next = *wrong ? lmtp_bad(client, 501, "5.5.4", wrong)
			      : lmtp_bad(client, 555, "5.5.4", "there is no such parameter");
	else if (path.has_utf8 && !mail.is_utf8)
		next = lmtp_bad(client, 553, "5.6.7", "such an address needs SMTPUTF8");
	else if (mail.size > setting_get(client->site, SETTING_MESSAGE_SIZE_MAX))
		lmtp_reply(client, 552, "5.3.4", "the message is larger than this server takes");
	else
		begin(client, path.text, mail.is_utf8);
out:
	arena_fini(&arena);
	return next;
}

const struct lmtp_cmd lmtp_cmd_mail = {
    .name = "MAIL",
    .rfc = "RFC 5321 4.1.1.2",
    .states = LMTP_IDLE,
    .usage = "FROM:<address> [SIZE=n] [BODY=7BIT|8BITMIME] [SMTPUTF8]",
    .run = run,
};
