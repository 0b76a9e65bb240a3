/* authd/protocol.c - lines of the authentication protocol, taken apart. */
#include "authd/protocol.h"

#include "auth/wire.h"

#include <string.h>

#define BINDING_MAX 64 /* octets */

static const struct {
	const char *name;
	enum protocol_verb verb;
} verbs[] = {
    {"VERSION", PROTOCOL_VERSION},
    {"CPID", PROTOCOL_CPID},
    {"AUTH", PROTOCOL_AUTH},
    {"CONT", PROTOCOL_CONT},
    {"CANCEL", PROTOCOL_CANCEL},
    {"MECHS", PROTOCOL_MECHS},
};

static bool is(struct str_view word, const char *text)
{
	return str_equal(word, str_view(text, strlen(text)));
}

static enum protocol_verb verb_of(struct str_view word)
{
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
		if (is(word, verbs[i].name))
			return verbs[i].verb;
	return PROTOCOL_UNKNOWN;
}

static bool take_number(struct str_view *rest, uint32_t *n_r)
{
	struct str_view word;
	uint64_t n;

	if (!wire_word(rest, &word) || !str_number(word, UINT32_MAX, &n))
		return false;
	*n_r = (uint32_t)n;
	return true;
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool take_binding(struct str_view hex, enum sasl_binding binding, struct arena *arena,
    struct protocol_line *line)
{
	unsigned char *octets;

	if (hex.n == 0 || hex.n % 2 || hex.n / 2 > BINDING_MAX)
		return false;
	octets = arena_alloc(arena, hex.n / 2);
	for (size_t i = 0; i < hex.n; i += 2) {
		int high = hex_digit(hex.p[i]), low = hex_digit(hex.p[i + 1]);

		if (high < 0 || low < 0)
			return false;
		octets[i / 2] = (unsigned char)(high * 16 + low);
	}
	line->binding = binding;
	line->binding_octets = str_view((const char *)octets, hex.n / 2);
	return true;
}

/* What AUTH says and we look at. */
struct parameters {
	struct arena *arena;
	struct protocol_line *line;
	bool has_certificate;
};

/* False: it is malformed. */
static bool take_parameter(struct parameters *to, struct str_view word)
{
	struct protocol_line *line = to->line;
	struct str_view name, value;

	wire_parameter(word, &name, &value);
	if (is(name, "secured"))
		line->is_secured = true;
	else if (is(name, "codes"))
		line->wants_codes = true;
	else if (is(name, "final-resp-ok"))
		line->is_final_ok = true;
	else if (is(name, "valid-client-cert"))
		to->has_certificate = true;
	else if (is(name, "service"))
		return (line->service = wire_text(value, to->arena)) != NULL;
	else if (is(name, "rip"))
		return (line->address = wire_text(value, to->arena)) != NULL;
	else if (is(name, "cert_username"))
		return (line->external = wire_text(value, to->arena)) != NULL;
	else if (is(name, "tls-exporter"))
		return take_binding(value, SASL_BINDING_EXPORTER, to->arena, line);
	else if (is(name, "tls-unique"))
		return take_binding(value, SASL_BINDING_UNIQUE, to->arena, line);
	return true;
}

static bool take_auth(struct str_view rest, struct arena *arena, struct protocol_line *line,
    const char **why_r)
{
	struct parameters to = {arena, line, false};
	struct str_view word;

	*why_r = "AUTH wants an id, a mechanism and a service";
	if (!take_number(&rest, &line->id) || !wire_word(&rest, &word) || word.n == 0 ||
	    !(line->mechanism = wire_text(word, arena)))
		return false;
	while (wire_word(&rest, &word)) {
		if (str_begins_nocase(word, SV("resp="))) { /* the last: nothing in a secret is a parameter */
			line->has_data = true;
			line->data = str_view(word.p + 5, word.n - 5);
			*why_r = "resp is AUTH's last parameter";
			if (rest.p)
				return false;
		} else if (!take_parameter(&to, word)) {
			*why_r = "a parameter of AUTH is malformed";
			return false;
		}
	}
	*why_r = "AUTH wants a service";
	if (!to.has_certificate || (line->external && !*line->external))
		line->external = NULL;
	return line->service && *line->service;
}

bool protocol_parse(struct str_view text, struct arena *arena, struct protocol_line *line_r,
    const char **why_r)
{
	struct protocol_line line = {0};
	struct str_view rest = text, word = {0};

	wire_word(&rest, &word);
	line.verb = verb_of(word);
	*why_r = "a number is missing, or is none";
	switch (line.verb) {
	case PROTOCOL_AUTH:
		if (!take_auth(rest, arena, &line, why_r))
			return false;
		break;
	case PROTOCOL_CONT:
		if (!take_number(&rest, &line.id))
			return false;
		line.has_data = wire_word(&rest, &line.data);
		break;
	case PROTOCOL_VERSION:
	case PROTOCOL_CPID:
	case PROTOCOL_CANCEL:
	case PROTOCOL_MECHS:
		if (!take_number(&rest, &line.id))
			return false;
		break;
	case PROTOCOL_UNKNOWN:
		*why_r = "there is no such command";
		return false;
	}
	*line_r = line;
	return true;
}
