/*
 * Fuzz target for SASL: the first line names a mechanism, each further one is what the peer says next.  A line that begins with
 * '<' is put into base64 first, so that what is inside is reached; "\1" is SOH and "\0" NUL there.
 */
#include "auth/sasl_priv.h"
#include "base/check.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define STEPS_MAX 16

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n);

static unsigned able(const struct account_source *source)
{
	(void)source;
	return ACCOUNT_ABLE_PASSWORD | ACCOUNT_ABLE_SCRAM | ACCOUNT_ABLE_TOKEN;
}

static int proven(const struct account_source *source, const char *name, struct account *who_r, struct err *e)
{
	(void)source;
	CHECK(name);
	if (strcmp(name, "alice") != 0)
		return err_set(e, ERR_AUTH, "nobody");
	who_r->id.n = 1;
	snprintf(who_r->name, sizeof who_r->name, "alice");
	return 0;
}

static int password(const struct account_source *source, unsigned door, const char *name, const char *said,
    struct account *who_r, struct err *e)
{
	CHECK(door == ACCOUNT_DOOR_IMAP);
	return strcmp(said, "postern") == 0 ? proven(source, name, who_r, e) : err_set(e, ERR_AUTH, "wrong");
}

static int scram(const struct account_source *source, const char *name, struct credential_scram *keys_r, struct err *e)
{
	(void)source, (void)e;
	CHECK(name);
	*keys_r = (struct credential_scram){.salt_n = 16, .iterations = 4096};
	return 0;
}

static int token(const struct account_source *source, unsigned door, const char *name, const char *said,
    struct account *who_r, struct err *e)
{
	CHECK(door == ACCOUNT_DOOR_IMAP && name && *said);
	return strcmp(said, "alice's") == 0 ? proven(source, "alice", who_r, e) : err_set(e, ERR_AUTH, "wrong");
}

static struct str_view next_line(struct str_view *rest)
{
	const char *end = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
	struct str_view line = str_view(rest->p, end ? (size_t)(end - rest->p) : rest->n);

	*rest = end ? str_view(end + 1, rest->n - line.n - 1) : str_view(rest->p + rest->n, 0);
	return line;
}

static void encode(struct str_view text, struct str_buf *out)
{
	struct str_buf octets = {0};

	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] == '\\' && i + 1 < text.n && (text.p[i + 1] == '0' || text.p[i + 1] == '1'))
			str_buf_putc(&octets, (char)(text.p[++i] - '0'));
		else
			str_buf_putc(&octets, text.p[i]);
	if (octets.n)
		sasl_base64_put(out, str_buf_view(&octets));
	str_buf_fini(&octets);
}

static enum sasl_result say(struct sasl *sasl, struct str_view line, struct str_buf *out)
{
	struct str_buf base64 = {0};
	enum sasl_result result;

	if (line.n == 0 || line.p[0] != '<')
		return sasl_step(sasl, line, out);
	encode(str_view(line.p + 1, line.n - 1), &base64);
	result = sasl_step(sasl, str_buf_view(&base64), out);
	str_buf_fini(&base64);
	return result;
}

/* Peers that pipeline what they would say go on only as long as they are asked. */
static void converse(struct sasl *sasl, struct str_view rest)
{
	enum sasl_result result = SASL_MORE;
	struct str_buf out = {0};
	unsigned steps = 0;

	while (result == SASL_MORE && rest.n) {
		result = say(sasl, next_line(&rest), &out);
		CHECK(++steps <= STEPS_MAX);
		CHECK(result == SASL_DONE || !out.n || !memchr(out.p, '\n', out.n));
	}
	if (result == SASL_DONE)
		CHECK(strcmp(sasl_account(sasl)->name, "alice") == 0 && sasl_account(sasl)->id.n == 1);
	if (result == SASL_FAILED)
		CHECK(sasl_error(sasl)->code == ERR_AUTH || sasl_error(sasl)->code == ERR_INVALID);
	str_buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	static const struct account_source source = {
	    .able = able, .password = password, .scram = scram, .token = token, .proven = proven};
	static const struct sasl_peer peer = {.door = ACCOUNT_DOOR_IMAP, .is_private = true, .binding = SASL_BINDING_EXPORTER,
	    .binding_octets = {"these octets are the channel's..", 32}, .external = "alice"};
	struct str_view rest = str_view((const char *)octets, n);
	struct sasl *sasl;
	struct err e;

	if (sasl_begin(&source, &peer, next_line(&rest), &sasl, &e) == 0) {
		converse(sasl, rest);
		sasl_free(&sasl);
	} else {
		CHECK(e.code == ERR_UNSUPPORTED);
	}
	return 0;
}
