/* ctl/lmtp_out.c - LHLO, MAIL, RCPT, chunks by BDAT (RFC 3030), one answer. */
#include "ctl/lmtp_out.h"

#include "mime/decode.h"

#include <string.h>
#include <sysexits.h>

#define WAIT_MS 600000 /* RFC 5321 4.5.3.2.6: ten minutes for the answer to a message's end */

/* What an answer's enhanced code (RFC 3463) means to who runs a command; EX_TEMPFAIL for all others. */
static int status_of(struct str_view answer)
{
	static const struct {
		const char *code;
		int status;
	} rows[] = {
	    {"5.1.1", EX_NOUSER}, {"5.1.2", EX_NOUSER}, {"5.1.3", EX_NOUSER}, {"5.2.1", EX_NOUSER}, {"5.2.2", EX_CANTCREAT},
	    {"5.3.4", EX_CANTCREAT}, {"5.6.0", EX_DATAERR},
	};
	struct str_view rest = answer, code;

	str_word(&rest);
	code = str_word(&rest);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (str_equal(code, str_view(rows[i].code, strlen(rows[i].code))))
			return rows[i].status;
	return EX_TEMPFAIL;
}

static bool is_last_line(const struct str_buf *line)
{
	return line->n < 4 || line->p[3] != '-';
}

/* An answer of the class that a digit says; its last line stays in out->line. */
static int hear(struct lmtp_out *out, char class, struct err *e)
{
	do {
		if (dial_line(&out->dial, &out->line, e) < 0)
			return EX_TEMPFAIL;
		if (out->line.n > 4 && str_equal(str_view(out->line.p + 4, out->line.n - 4), SV("XADDRESS")))
			out->takes_address = true;
	} while (!is_last_line(&out->line));
	if (out->line.n && out->line.p[0] == class)
		return EX_OK;
	err_set(e, ERR_INVALID, "postern-lmtpd says: %.*s", (int)out->line.n, out->line.p ? out->line.p : "");
	return status_of(str_buf_view(&out->line));
}

static int say(struct lmtp_out *out, const struct str_buf *text, struct err *e)
{
	return dial_send(&out->dial, text->p, text->n, e) < 0 ? EX_TEMPFAIL : hear(out, '2', e);
}

static bool is_ascii(const char *text)
{
	struct str_view view = str_view(text, strlen(text));

	return mime_ascii_n(view) == view.n;
}

/* xtext (RFC 3461 4), with what is beyond ASCII as it stands (RFC 6533 has other forms for other uses). */
static void put_xtext(const char *text, struct str_buf *out)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c <= 32 || c == 127 || c == '+' || c == '=')
			str_buf_printf(out, "+%02X", c);
		else
			str_buf_putc(out, *text);
	}
}

static void put_mail(const struct lmtp_envelope *envelope, struct str_buf *out)
{
	bool is_utf8 = !is_ascii(envelope->sender) || !is_ascii(envelope->mailbox) ||
		       (envelope->address && !is_ascii(envelope->address));

	str_buf_printf(out, "MAIL FROM:<%s> BODY=8BITMIME%s\r\n", envelope->sender, is_utf8 ? " SMTPUTF8" : "");
}

static void put_rcpt(const struct lmtp_envelope *envelope, struct str_buf *out)
{
	str_buf_printf(out, "RCPT TO:<%s>", envelope->mailbox);
	if (envelope->address) {
		str_buf_puts(out, " XADDRESS=");
		put_xtext(envelope->address, out);
	}
	str_buf_puts(out, "\r\n");
}

int lmtp_out_begin(struct lmtp_out *out, const char *socket_path, const struct lmtp_envelope *envelope,
    struct err *e)
{
	struct str_buf text = {0};
	int status;

	if (dial_unix(socket_path, WAIT_MS, &out->dial, e) < 0)
		return EX_TEMPFAIL;
	out->is_open = true;
	status = hear(out, '2', e);
	if (status == EX_OK) {
		str_buf_puts(&text, "LHLO localhost\r\n");
		status = say(out, &text, e);
	}
	if (status == EX_OK && envelope->address && !out->takes_address) {
		err_set(e, ERR_UNSUPPORTED, "%s is not postern-lmtpd's", socket_path);
		status = EX_TEMPFAIL;
	}
	if (status == EX_OK) {
		str_buf_clear(&text);
		put_mail(envelope, &text);
		status = say(out, &text, e);
	}
	if (status == EX_OK) {
		str_buf_clear(&text);
		put_rcpt(envelope, &text);
		status = say(out, &text, e);
	}
	str_buf_fini(&text);
	return status;
}

static int send_chunk(struct lmtp_out *out, const char *last, struct err *e)
{
	struct str_buf head = {0};
	int r;

	str_buf_printf(&head, "BDAT %zu%s\r\n", out->chunk.n, last);
	r = dial_send(&out->dial, head.p, head.n, e);
	if (r == 0)
		r = dial_send(&out->dial, out->chunk.p, out->chunk.n, e);
	str_buf_fini(&head);
	str_buf_clear(&out->chunk);
	return r < 0 ? EX_TEMPFAIL : hear(out, '2', e);
}

int lmtp_out_put(struct lmtp_out *out, const void *octets, size_t n, struct err *e)
{
	eol_in_feed(&out->eol, octets, n, &out->chunk); /* RFC 5321 2.3.8: lines end with CR LF */
	return out->chunk.n ? send_chunk(out, "", e) : EX_OK;
}

int lmtp_out_end(struct lmtp_out *out, struct err *e)
{
	return send_chunk(out, " LAST", e);
}

void lmtp_out_fini(struct lmtp_out *out)
{
	if (out->is_open)
		dial_close(&out->dial);
	eol_in_fini(&out->eol);
	str_buf_fini(&out->line);
	str_buf_fini(&out->chunk);
}
