/*
 * limits/registry_text.c - `.reg` text, read and written.
 *
 * regedit writes UTF-16LE with a BOM ("Windows Registry Editor Version 5.00") or, for old machines, the
 * ANSI code page ("REGEDIT4").  Everything becomes UTF-8 first.  Types that we have no use for (hex:...)
 * are kept as they were written, so that restoring a backup restores all of it.
 */
#include "limits/registry_tree.h"
#include "limits/setting.h"
#include "limits/text.h"

#include <string.h>
#include <strings.h>

#define HEADER_5 "Windows Registry Editor Version 5.00"
#define HEADER_4 "REGEDIT4"

/* ---- encodings ---- */

static uint32_t unit_at(struct str_view text, size_t i)
{
	return (uint32_t)((unsigned char)text.p[i] | (unsigned char)text.p[i + 1] << 8);
}

static int from_utf16(struct str_view text, struct str_buf *out, struct err *e)
{
	if (text.n % 2)
		return err_set(e, ERR_INVALID, "the text ends in the middle of a UTF-16 character");
	for (size_t i = 0; i < text.n; i += 2) {
		uint32_t c = unit_at(text, i);

		if (c >= 0xd800 && c < 0xdc00 && i + 4 <= text.n) {
			uint32_t low = unit_at(text, i + 2);

			if (low >= 0xdc00 && low < 0xe000) {
				c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
				i += 2;
			}
		}
		if (c == 0 || (c >= 0xd800 && c < 0xe000))
			return err_set(e, ERR_INVALID, "the text is not sound UTF-16");
		text_put_utf8(out, c);
	}
	return 0;
}

static bool is_utf8(struct str_view text)
{
	for (size_t i = 0, n; i < text.n; i += n) {
		n = text_utf8_size(text.p + i, text.n - i);
		if (n == 0)
			return false;
	}
	return true;
}

/* Windows-1252, the code page of the machines that REGEDIT4 files come from. */
static int from_ansi(struct str_view text, struct str_buf *out, struct err *e)
{
	static const uint16_t high[32] = {0x20ac, 0x81, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
	    0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8d, 0x017d, 0x8f, 0x90, 0x2018, 0x2019, 0x201c,
	    0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x9d, 0x017e,
	    0x0178};

	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (c == 0)
			return err_set(e, ERR_INVALID, "the text has a NUL in it");
		text_put_utf8(out, c >= 0x80 && c < 0xa0 ? high[c - 0x80] : c);
	}
	return 0;
}

static int to_utf8(struct str_view text, struct str_buf *out, struct err *e)
{
	if (text.n > 2 * REGISTRY_TEXT_MAX)
		return err_set(e, ERR_TOOBIG, "the text is over %d bytes", 2 * REGISTRY_TEXT_MAX);
	if (text.n >= 2 && memcmp(text.p, "\xff\xfe", 2) == 0)
		return from_utf16(str_view(text.p + 2, text.n - 2), out, e);
	if (text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0)
		text = str_view(text.p + 3, text.n - 3);
	if (is_utf8(text)) {
		str_buf_put(out, text.p, text.n);
		return 0;
	}
	if (str_begins_nocase(text, SV(HEADER_4)))
		return from_ansi(text, out, e);
	return err_set(e, ERR_INVALID, "the text is neither UTF-8 nor UTF-16");
}

/* ---- lines ---- */

struct parser {
	struct str_view rest;
	struct arena *arena;
	unsigned line, next_line;
	const char *path; /* of the key we are in; NULL: none yet, or one that was removed */
	int (*step)(void *arg, const struct reg_step *step, struct err *e);
	void *arg;
};

static int bad(const struct parser *p, struct err *e, const char *what)
{
	return err_set(e, ERR_INVALID, "line %u: %s", p->line, what);
}

static bool next_raw_line(struct parser *p, struct str_view *line_r)
{
	const char *end;

	if (p->rest.n == 0)
		return false;
	end = memchr(p->rest.p, '\n', p->rest.n);
	*line_r = str_view(p->rest.p, end ? (size_t)(end - p->rest.p) : p->rest.n);
	p->rest.p += line_r->n + (end != NULL);
	p->rest.n -= line_r->n + (end != NULL);
	*line_r = str_trim(*line_r);
	p->next_line++;
	return true;
}

/* A hex value may go on behind a backslash at the end of its line; nothing else may. */
static bool next_line(struct parser *p, struct str_buf *joined, struct str_view *line_r)
{
	struct str_view line;

	if (!next_raw_line(p, &line))
		return false;
	p->line = p->next_line;
	str_buf_clear(joined);
	str_buf_put(joined, line.p, line.n);
	while (joined->n > 0 && joined->p[0] != ';' && joined->p[0] != '[' &&
	    joined->p[joined->n - 1] == '\\' && next_raw_line(p, &line)) {
		joined->n--;
		str_buf_put(joined, line.p, line.n);
	}
	*line_r = str_buf_view(joined);
	return true;
}

static int parse_key(struct parser *p, struct str_view line, struct err *e)
{
	struct reg_step step = {.what = REG_STEP_KEY, .line = p->line};
	const char *path;

	if (line.n < 3 || line.p[line.n - 1] != ']')
		return bad(p, e, "a key is written [HKEY_LOCAL_MACHINE\\...]");
	line = str_view(line.p + 1, line.n - 2);
	if (line.p[0] == '-') {
		step.what = REG_STEP_KEY_REMOVED;
		line = str_view(line.p + 1, line.n - 1);
	}
	if (reg_path_normalise(arena_strn(p->arena, line.p, line.n), p->arena, &path, e) < 0)
		return err_context(e, "line %u", p->line);
	step.path = path;
	p->path = step.what == REG_STEP_KEY ? path : NULL;
	return p->step(p->arg, &step, e);
}

/* Takes a quoted string off the front; false if it is none. */
static bool take_quoted(struct parser *p, struct str_view *line, const char **text_r)
{
	char *out = arena_alloc(p->arena, line->n + 1);
	size_t n = 0;

	if (line->n == 0 || line->p[0] != '"')
		return false;
	for (size_t i = 1; i < line->n; i++) {
		if (line->p[i] == '"') {
			*line = str_view(line->p + i + 1, line->n - i - 1);
			*text_r = out;
			return true;
		}
		if (line->p[i] == '\\' && ++i == line->n)
			return false;
		out[n++] = line->p[i];
	}
	return false;
}

static bool parse_dword(struct str_view digits, uint32_t *n_r)
{
	uint32_t n = 0;

	if (digits.n == 0 || digits.n > 8)
		return false;
	for (size_t i = 0; i < digits.n; i++) {
		char c = digits.p[i] | 0x20;

		if ((c < '0' || c > '9') && (c < 'a' || c > 'f'))
			return false;
		n = n << 4 | (uint32_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	*n_r = n;
	return true;
}

/* hex:.. and hex(7):..: pairs of digits with commas, kept as they are. */
static bool is_hex(struct str_view s)
{
	const char *colon = memchr(s.p, ':', s.n);

	if (!str_begins_nocase(s, SV("hex")) || !colon)
		return false;
	for (const char *p = s.p + 3; p < colon; p++)
		if (!strchr("()0123456789abcdefABCDEF", *p))
			return false;
	for (const char *p = colon + 1; p < s.p + s.n; p++)
		if (!strchr("0123456789abcdefABCDEF, \t", *p))
			return false;
	return true;
}

static int parse_data(struct parser *p, struct str_view data, struct reg_step *step, struct err *e)
{
	struct reg_value *value = &step->value;

	if (str_equal(data, SV("-"))) {
		step->what = REG_STEP_VALUE_REMOVED;
	} else if (str_begins_nocase(data, SV("dword:"))) {
		value->type = REGISTRY_DWORD;
		if (!parse_dword(str_view(data.p + 6, data.n - 6), &value->dword))
			return bad(p, e, "dword: is followed by up to eight hexadecimal digits");
	} else if (take_quoted(p, &data, &value->text)) {
		value->type = REGISTRY_SZ;
		if (data.n > 0)
			return bad(p, e, "something stands behind the closing quote");
	} else if (is_hex(data)) {
		value->type = REGISTRY_RAW;
		value->text = arena_strn(p->arena, data.p, data.n);
	} else {
		return bad(p, e, "the value is none of dword:, \"text\", hex: and -");
	}
	return 0;
}

static int parse_value(struct parser *p, struct str_view line, struct err *e)
{
	struct reg_step step = {.what = REG_STEP_VALUE, .path = p->path, .line = p->line};

	if (line.p[0] == '@') {
		step.value.name = "";
		line = str_view(line.p + 1, line.n - 1);
	} else if (!take_quoted(p, &line, &step.value.name)) {
		return bad(p, e, "a value is written \"name\"=dword:00000010");
	}
	if (strlen(step.value.name) > REGISTRY_PATH_MAX)
		return bad(p, e, "the name is too long");
	line = str_trim(line);
	if (line.n == 0 || line.p[0] != '=')
		return bad(p, e, "there is no = behind the name");
	if (parse_data(p, str_trim(str_view(line.p + 1, line.n - 1)), &step, e) < 0)
		return -1;
	if (!p->path)
		return bad(p, e, "a value stands outside of a key");
	return p->step(p->arg, &step, e);
}

static int parse_lines(struct parser *p, struct str_buf *joined, struct err *e)
{
	struct str_view line;

	if (!next_line(p, joined, &line) ||
	    (!str_equal_nocase(line, SV(HEADER_5)) && !str_equal_nocase(line, SV(HEADER_4))))
		return err_set(e, ERR_INVALID, "line 1: the first line is \"" HEADER_5 "\"");
	while (next_line(p, joined, &line)) {
		int r = 0;

		if (line.n == 0 || line.p[0] == ';')
			continue;
		r = line.p[0] == '[' ? parse_key(p, line, e) : parse_value(p, line, e);
		if (r < 0)
			return -1;
	}
	return 0;
}

int reg_text_parse(struct str_view text, struct arena *arena,
    int (*step)(void *arg, const struct reg_step *step, struct err *e), void *arg, struct err *e)
{
	struct parser p = {.arena = arena, .step = step, .arg = arg};
	struct str_buf utf8 = {0}, joined = {0};
	int r = to_utf8(text, &utf8, e);

	p.rest = str_buf_view(&utf8);
	if (r == 0)
		r = parse_lines(&p, &joined, e);
	str_buf_fini(&utf8);
	str_buf_fini(&joined);
	return r;
}

/* ---- writing ---- */

static void put_quoted(struct str_buf *out, const char *text)
{
	str_buf_putc(out, '"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			str_buf_putc(out, '\\');
		str_buf_putc(out, *text);
	}
	str_buf_putc(out, '"');
}

static void put_value(struct str_buf *out, const struct reg_value *value)
{
	if (*value->name)
		put_quoted(out, value->name);
	else
		str_buf_putc(out, '@');
	str_buf_putc(out, '=');
	switch (value->type) {
	case REGISTRY_DWORD:
		str_buf_printf(out, "dword:%08x", value->dword);
		break;
	case REGISTRY_SZ:
		put_quoted(out, value->text);
		break;
	case REGISTRY_RAW:
		str_buf_puts(out, value->text);
		break;
	}
	str_buf_puts(out, "\r\n");
}

static void put_defaults(struct str_buf *out, const char *path, const struct reg_key *key)
{
	for (int i = 0; i < SETTINGS_N; i++) {
		enum setting setting = (enum setting)i;
		struct reg_value value;

		if (!setting_is_under(setting, path) ||
		    reg_key_find(key, setting_rows[i].name))
			continue;
		setting_default(setting, &value);
		str_buf_puts(out, "; ");
		put_value(out, &value);
	}
}

static void put_key(struct str_buf *out, const char *path, const struct reg_key *key)
{
	str_buf_printf(out, "\r\n[%s]\r\n", path);
	for (size_t i = 0; i < key->n; i++)
		put_value(out, &key->values[i]);
	put_defaults(out, path, key);
}

/* The rows' keys are there for their comments, set or not, each in its place: the text of what was
 * read from this text is the same. */
void reg_text_print(const struct reg_tree *tree, struct str_buf *out)
{
	struct arena arena = {0};
	struct reg_tree all = {.arena = &arena, .n = tree->n, .room = tree->n};

	all.keys = arena_copy(&arena, tree->keys, tree->n * sizeof *tree->keys);
	for (int i = 0; i < REG_SCOPES_N; i++)
		reg_tree_add(&all, setting_scope_key((enum registry_scope)i));
	str_buf_puts(out, HEADER_5 "\r\n");
	for (size_t i = 0; i < all.n; i++)
		put_key(out, all.keys[i].path, &all.keys[i]);
	arena_fini(&arena);
}
