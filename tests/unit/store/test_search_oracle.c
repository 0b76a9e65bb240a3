/*
 * Hundreds of random searches against an oracle that never decodes: it knows what each message says,
 * since it wrote the messages from that.  Texts of several scripts go out in several charsets,
 * transfer encodings and kinds of encoded words; keys are random trees.  Each search is asked of a mailbox
 * that was never searched, of one that was (signatures and header fields are there), after messages
 * went and came, and of the mailbox opened anew.  Prints its seed; TEST_SEED repeats a run.
 */
#include "support.h"

#include "mime/decode.h"
#include "store/search_priv.h"
#include "store/txn_priv.h"

#include <iconv.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unicase.h>
#include <unistr.h>

#include <cmocka.h>

#define MAILS_MAX 120
#define TEXTS_MAX 4
#define HEADER_END "\x01" /* in no word: nothing is found across it */

static uint64_t seed;

static uint32_t rnd(uint32_t n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % n;
}

/* What a message says, in UTF-8. */
struct said {
	uint32_t uid, flags;
	struct str_buf subject, from, to, tag, message_id; /* tag: the field X-Tag; empty: there is none */
	struct str_buf headers;        /* all headers, as they read, and names of files; HEADER_END after each */
	struct str_buf texts[TEXTS_MAX];
	size_t texts_n;
};
static struct said mails[MAILS_MAX];
static size_t mails_n;
static struct support support;
static struct store *store;
static struct folder_id inbox;

/* ---- words and encodings ---- */

static const char *const words[] = {"report", "Quarterly", "the", "Stra\xc3\x9f" "e", "caf\xc3\xa9",
    "\xc3\x9c" "bersicht", "na\xc3\xafve", "\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82",
    "\xce\xa3\xce\xaf\xcf\x83\xcf\x85\xcf\x86\xce\xbf\xcf\x82", "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", "a", "=x",
    "under_score", "\xef\xbc\xa1\xef\xbc\xa2", "\xc4\xb0stanbul", "\xef\xac\x81n", "e\xcc\x81t\xc3\xa9",
    "\xf0\x9f\x98\x80", "=?", "?=", "x@y.example", "100%", "--b", "\xea\xb0\x81"};
#define WORDS_N (sizeof words / sizeof *words)

static void say(struct str_buf *out, size_t n, bool lines)
{
	for (size_t i = 0; i < n; i++) {
		str_buf_puts(out, i == 0 ? "" : lines && rnd(8) == 0 ? "\r\n" : " ");
		str_buf_puts(out, words[rnd(WORDS_N)]);
	}
}

/* false: the charset lacks a character. */
static bool in_charset(const char *charset, struct str_view text, struct str_buf *out)
{
	iconv_t cd = iconv_open(charset, "UTF-8");
	char *from = (char *)(uintptr_t)text.p;
	size_t left = text.n, room = text.n * 4 + 16;
	char *to = str_buf_room(out, room), *t = to;
	bool whole = iconv(cd, &from, &left, &t, &room) == 0 && iconv(cd, NULL, NULL, &t, &room) == 0;

	iconv_close(cd);
	if (whole)
		out->n += (size_t)(t - to);
	return whole;
}

static const char *const charsets[] = {"utf-8", "iso-8859-1", "windows-1251", "iso-8859-7", "iso-2022-jp",
    "shift_jis", "gb18030", "utf-16be", "utf-7", "euc-kr"};

static const char *some_charset(struct str_view text, struct str_buf *out)
{
	const char *charset = charsets[rnd(sizeof charsets / sizeof *charsets)];

	str_buf_clear(out);
	if (!in_charset(charset, text, out)) {
		charset = "utf-8";
		str_buf_put(out, text.p, text.n);
	}
	return charset;
}

static void put_base64(struct str_buf *out, struct str_view octets, bool lines)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < octets.n; i += 3) {
		uint32_t bits = (uint32_t)(unsigned char)octets.p[i] << 16;
		size_t n = octets.n - i;

		bits |= n > 1 ? (uint32_t)(unsigned char)octets.p[i + 1] << 8 : 0;
		bits |= n > 2 ? (unsigned char)octets.p[i + 2] : 0;
		str_buf_putc(out, digits[bits >> 18]);
		str_buf_putc(out, digits[bits >> 12 & 63]);
		str_buf_putc(out, n > 1 ? digits[bits >> 6 & 63] : '=');
		str_buf_putc(out, n > 2 ? digits[bits & 63] : '=');
		if (lines && i % 57 == 54)
			str_buf_puts(out, "\r\n");
	}
}

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static void put_qp(struct str_buf *out, struct str_view octets)
{
	size_t column = 0;

	for (size_t i = 0; i < octets.n; i++) {
		if (octets.p[i] == '\r' && i + 1 < octets.n && octets.p[i + 1] == '\n') {
			str_buf_puts(out, "\r\n");
			column = 0;
			i++;
			continue;
		}
		if (column++ > 20 + rnd(3)) {
			str_buf_puts(out, "=\r\n");
			column = 0;
		}
		if (is_plain(octets.p[i]) && rnd(10))
			str_buf_putc(out, octets.p[i]);
		else
			str_buf_printf(out, "=%02X", (unsigned char)octets.p[i]);
	}
}

static void put_word(struct str_buf *out, const char *charset, struct str_view octets)
{
	bool q = rnd(2);

	str_buf_printf(out, "=?%s?%c?", charset, q ? "Qq"[rnd(2)] : "Bb"[rnd(2)]);
	if (!q)
		put_base64(out, octets, false);
	for (size_t i = 0; q && i < octets.n; i++) {
		if (octets.p[i] == ' ')
			str_buf_putc(out, '_');
		else if (is_plain(octets.p[i]))
			str_buf_putc(out, octets.p[i]);
		else
			str_buf_printf(out, "=%02X", (unsigned char)octets.p[i]);
	}
	str_buf_puts(out, "?=");
}

/* Encoded words, cut anywhere: a character may lie across two of them. */
static void put_words(struct str_buf *out, struct str_view text)
{
	struct str_buf octets = {0};
	const char *charset = some_charset(text, &octets);
	bool whole = strncmp(charset, "iso-2022", 8) == 0 || strcmp(charset, "utf-7") == 0;
	size_t at = 0;

	do {
		size_t n = whole ? octets.n : 1 + rnd(30);

		n = n < octets.n - at ? n : octets.n - at;
		str_buf_puts(out, at ? (rnd(2) ? "\r\n " : " ") : "");
		put_word(out, charset, str_view(octets.p + at, n));
		at += n;
	} while (at < octets.n);
	str_buf_fini(&octets);
}

static void put_field(struct str_buf *mail, struct said *said, const char *name, struct str_view text)
{
	str_buf_printf(mail, "%s: ", name);
	if (memmem(text.p, text.n, "=?", 2) || rnd(3) == 0) {
		put_words(mail, text);
	} else { /* as it is, 8-bit too, folded at blanks */
		for (size_t i = 0; i < text.n; i++)
			if (text.p[i] == ' ' && i + 1 < text.n && text.p[i + 1] != ' ' && rnd(4) == 0)
				str_buf_puts(mail, "\r\n ");
			else
				str_buf_putc(mail, text.p[i]);
	}
	str_buf_puts(mail, "\r\n");
	str_buf_printf(&said->headers, "%s: ", name);
	str_buf_put(&said->headers, text.p, text.n);
	str_buf_puts(&said->headers, "\r\n");
}

static void put_raw(struct str_buf *mail, struct said *said, const char *line)
{
	str_buf_printf(mail, "%s\r\n", line);
	str_buf_printf(&said->headers, "%s\r\n", line);
}

static void end_header(struct str_buf *mail, struct said *said)
{
	str_buf_puts(mail, "\r\n");
	str_buf_puts(&said->headers, HEADER_END);
}

/* ---- messages ---- */

static void put_text(struct str_buf *mail, struct said *said)
{
	static const char *const types[] = {"text/plain", "text/html", "message/delivery-status"};
	struct str_buf *text = &said->texts[said->texts_n++], octets = {0}, line = {0};
	const char *charset;
	uint32_t how;

	say(text, rnd(60), true);
	charset = some_charset(str_buf_view(text), &octets);
	how = strcmp(charset, "utf-16be") == 0 ? 0 : rnd(3);
	if (how == 2 && text->n && memmem(text->p, text->n, "--b", 3))
		how = 1; /* it might end a part */
	str_buf_printf(&line, "Content-Type: %s; charset=%s",
	    types[strcmp(charset, "utf-8") == 0 ? rnd(3) : rnd(2)], charset);
	put_raw(mail, said, line.p);
	str_buf_clear(&line);
	str_buf_printf(&line, "Content-Transfer-Encoding: %s", how == 0 ? "base64" : how == 1 ? "quoted-printable" : "8bit");
	put_raw(mail, said, line.p);
	end_header(mail, said);
	if (how == 0)
		put_base64(mail, str_buf_view(&octets), true);
	else if (how == 1)
		put_qp(mail, str_buf_view(&octets));
	else
		str_buf_put(mail, octets.p, octets.n);
	str_buf_fini(&octets);
	str_buf_fini(&line);
}

/* An attachment, which no search looks into, and one whose name is told. */
static void put_other(struct str_buf *mail, struct said *said)
{
	put_raw(mail, said, "Content-Type: application/octet-stream");
	put_raw(mail, said, "Content-Disposition: attachment; filename*=utf-8''Rechnung%20M%C3%A4rz.pdf");
	end_header(mail, said);
	str_buf_puts(&said->headers, "Rechnung M\xc3\xa4rz.pdf" HEADER_END);
	str_buf_puts(mail, "hidden in an attachment");
}

static void put_entity(struct str_buf *mail, struct said *said, unsigned depth)
{
	uint32_t kind = depth < 3 ? rnd(6) : 0;
	char line[80];

	if (kind == 5 && said->texts_n + 2 < TEXTS_MAX) { /* a message within */
		put_raw(mail, said, "Content-Type: message/rfc822");
		end_header(mail, said);
		put_field(mail, said, "Subject", SV("enclosed \xc3\xa4"));
		put_entity(mail, said, depth + 1);
	} else if (kind >= 3 && said->texts_n + 2 < TEXTS_MAX) {
		snprintf(line, sizeof line, "Content-Type: multipart/mixed; boundary=bound%u", depth);
		put_raw(mail, said, line);
		end_header(mail, said);
		str_buf_printf(mail, "nobody reads this\r\n--bound%u\r\n", depth);
		put_entity(mail, said, depth + 1);
		str_buf_printf(mail, "\r\n--bound%u\r\n", depth);
		if (rnd(2))
			put_other(mail, said);
		else
			put_text(mail, said);
		str_buf_printf(mail, "\r\n--bound%u--\r\n", depth);
	} else {
		put_text(mail, said);
	}
}

static void add_mail(void)
{
	struct support *s = &support;
	struct said *said = &mails[mails_n++];
	struct str_buf mail = {0};

	say(&said->subject, rnd(8), false);
	say(&said->from, 1 + rnd(3), false);
	say(&said->to, rnd(4), false);
	if (rnd(3) == 0)
		say(&said->tag, 1 + rnd(3), false);
	str_buf_printf(&said->message_id, "<%u.%u@Example.org>", rnd(1000), rnd(1000));
	put_field(&mail, said, "From", str_buf_view(&said->from));
	put_field(&mail, said, "To", str_buf_view(&said->to));
	put_field(&mail, said, "Subject", str_buf_view(&said->subject));
	str_buf_printf(&mail, "Message-ID: %s\r\n", said->message_id.p);
	str_buf_printf(&said->headers, "Message-ID: %s\r\n", said->message_id.p);
	if (said->tag.n)
		put_field(&mail, said, "X-Tag", str_buf_view(&said->tag));
	put_raw(&mail, said, "MIME-Version: 1.0");
	put_entity(&mail, said, 0);
	said->flags = rnd(32);
	said->uid = support_append_n(s, store, inbox, mail.p, mail.n, said->flags);
	str_buf_fini(&mail);
}

static void forget_mail(size_t at)
{
	struct said *said = &mails[at];

	str_buf_fini(&said->subject);
	str_buf_fini(&said->from);
	str_buf_fini(&said->to);
	str_buf_fini(&said->tag);
	str_buf_fini(&said->message_id);
	str_buf_fini(&said->headers);
	for (size_t i = 0; i < said->texts_n; i++)
		str_buf_fini(&said->texts[i]);
	memmove(said, said + 1, (mails_n - at - 1) * sizeof *said);
	mails[--mails_n] = (struct said){0};
}

static void expunge_mail(size_t at)
{
	struct support *s = &support;
	const struct uid_range range = {mails[at].uid, mails[at].uid};
	struct store_uid *gone;
	size_t n;

	OK(message_expunge(store, inbox, &range, 1, false, &s->arena, &gone, &n, &s->e));
	assert_int_equal(n, 1);
	forget_mail(at);
}

/* ---- the oracle ---- */

static bool says(const struct str_buf *text, struct str_view what)
{
	struct str_buf a = {0}, b = {0};
	bool found;

	mime_casemap(str_buf_view(text), &a);
	mime_casemap(what, &b);
	found = memmem(str_buf_view(&a).p, a.n, str_buf_view(&b).p, b.n) != NULL;
	str_buf_fini(&a);
	str_buf_fini(&b);
	return found;
}

static bool in_texts(const struct said *said, struct str_view what)
{
	for (size_t i = 0; i < said->texts_n; i++)
		if (says(&said->texts[i], what))
			return true;
	return what.n == 0;
}

static bool oracle(const struct said *said, const struct search_key *key)
{
	switch (key->kind) {
	case SEARCH_AND:
		for (const struct search_key *c = key->children; c; c = c->next)
			if (!oracle(said, c))
				return false;
		return true;
	case SEARCH_OR:
		return oracle(said, key->children) || oracle(said, key->children->next);
	case SEARCH_NOT:
		return !oracle(said, key->children);
	case SEARCH_FLAG:
		return (said->flags & key->flags) == key->flags;
	case SEARCH_BODY:
		return in_texts(said, key->text);
	case SEARCH_TEXT:
		return in_texts(said, key->text) || says(&said->headers, key->text);
	default:
		break;
	}
	if (strcmp(key->name, "subject") == 0)
		return says(&said->subject, key->text);
	if (strcmp(key->name, "from") == 0)
		return says(&said->from, key->text);
	if (strcmp(key->name, "to") == 0)
		return says(&said->to, key->text);
	if (strcmp(key->name, "Message-Id") == 0)
		return says(&said->message_id, key->text);
	if (strcmp(key->name, "x-tag") == 0)
		return said->tag.n && says(&said->tag, key->text);
	return false;
}

/* ---- searches ---- */

static struct str_view other_case(struct str_view text)
{
	struct support *s = &support;
	size_t n = 0;
	uint8_t *p = rnd(2) ? u8_toupper((const uint8_t *)text.p, text.n, NULL, NULL, NULL, &n)
			    : u8_tolower((const uint8_t *)text.p, text.n, NULL, NULL, NULL, &n);
	struct str_view kept = str_view(arena_strn(&s->arena, (const char *)p, n), n);

	free(p);
	return kept;
}

/* A piece of what some message says, now and then in the other case; or what hardly any does. */
static struct str_view some_text(void)
{
	const struct said *said = &mails[rnd((uint32_t)mails_n)];
	const struct str_buf *from[] = {&said->subject, &said->from, &said->headers,
	    &said->texts[0], &said->texts[said->texts_n ? said->texts_n - 1 : 0]};
	struct str_view text = str_buf_view(from[rnd(5)]);
	size_t at, end;

	if (rnd(10) == 0)
		return (const struct str_view[]){SV(""), SV("hidden in"), SV("nobody reads"), SV("MA\xcc\x88RZ.PDF"),
		    SV("strasse"), SV("ENCLOSED \xc3\x84"), SV("\r\nR"), SV("\r\nContent-T")}[rnd(8)];
	if (text.n == 0)
		return SV("zyqwunder");
	at = rnd((uint32_t)text.n);
	while (at && ((unsigned char)text.p[at] & 0xc0) == 0x80)
		at--;
	end = at + 1 + rnd(14);
	end = end < text.n ? end : text.n;
	while (end < text.n && ((unsigned char)text.p[end] & 0xc0) == 0x80)
		end++;
	text = str_view(text.p + at, end - at);
	/* Fields are compared one by one, and a text as it lies, over the ends of its lines. */
	if (text.p >= said->headers.p && text.p < said->headers.p + said->headers.n)
		text.n = strcspn(text.p, "\r\n" HEADER_END) < text.n ? strcspn(text.p, "\r\n" HEADER_END) : text.n;
	return rnd(2) ? other_case(text) : text;
}

static struct search_key *some_key(unsigned depth)
{
	struct support *s = &support;
	struct search_key *key = ARENA_NEW(&s->arena, struct search_key);
	static const char *const names[] = {"subject", "from", "to", "Message-Id", "x-tag", "nobody"};
	uint32_t kind = rnd(depth < 3 ? 13 : 9);

	key->text = some_text();
	if (kind < 3) {
		key->kind = SEARCH_HEADER;
		key->name = names[rnd(6)];
	} else if (kind < 5) {
		key->kind = SEARCH_BODY;
	} else if (kind < 8) {
		key->kind = SEARCH_TEXT;
	} else if (kind == 8) {
		key->kind = SEARCH_FLAG;
		key->flags = 1u << rnd(5);
	} else {
		key->kind = kind == 9 ? SEARCH_NOT : kind == 10 ? SEARCH_OR : SEARCH_AND;
		key->children = some_key(depth + 1);
		if (kind > 9)
			key->children->next = some_key(depth + 1);
	}
	return key;
}

static void put_key(struct str_buf *out, const struct search_key *key)
{
	str_buf_printf(out, "(%d %s \"%.*s\" %u", key->kind, key->name ? key->name : "", (int)key->text.n,
	    key->text.p ? key->text.p : "", key->flags);
	for (const struct search_key *c = key->children; c; c = c->next)
		put_key(out, c);
	str_buf_putc(out, ')');
}

static void check_search(const struct search_key *key, const char *when)
{
	struct support *s = &support;
	struct store_uid from = {1}, *found;
	struct str_buf got = {0}, expected = {0}, asked = {0};
	size_t n, slice = rnd(2) ? 1000 : 1 + rnd(50);

	do {
		OK(search_run(store, inbox, key, from, slice, &s->arena, &found, &n, &from, &s->e));
		for (size_t i = 0; i < n; i++)
			str_buf_printf(&got, " %u", found[i].n);
	} while (from.n);
	for (size_t i = 0; i < mails_n; i++)
		if (oracle(&mails[i], key))
			str_buf_printf(&expected, " %u", mails[i].uid);
	put_key(&asked, key);
	if (!str_equal(str_buf_view(&got), str_buf_view(&expected)))
		fail_msg("%s: %s found%s and not%s", when, asked.p, got.p ? got.p : "", expected.p ? expected.p : "");
	str_buf_fini(&got);
	str_buf_fini(&expected);
	str_buf_fini(&asked);
}

static void check_searches(size_t n, const char *when)
{
	for (size_t i = 0; i < n; i++) {
		check_search(some_key(0), when);
		arena_fini(&support.arena);
	}
}

/* How many messages have a signature. */
static size_t signatures(void)
{
	struct support *s = &support;
	struct message_info *list;
	struct str_buf sig = {0};
	size_t n, found = 0;
	struct txn t;

	OK(message_list(store, inbox, &support_all, 1, MESSAGE_BASIC, SIZE_MAX, &s->arena, &list, &n, &s->e));
	OK(txn_read(store, &t, &s->e));
	for (size_t i = 0; i < n; i++) {
		OK(search_sig_read(t.db, list[i].content, &sig, &s->e));
		found += sig.n > 0;
	}
	txn_read_end(&t);
	str_buf_fini(&sig);
	return found;
}

static void reopen(void)
{
	support_close(&store);
	support_reopen(&support);
	store = support_open(&support, support.alice);
}

static void search_finds_what_the_messages_say(void **state)
{
	struct support *s = *state;
	const struct search_key all = {.kind = SEARCH_TEXT, .text = SV("nothing says this")};

	while (mails_n < MAILS_MAX - 20)
		add_mail();
	check_search(some_key(3), "first of all");
	check_search(&all, "all of them");
	assert_int_equal(signatures(), mails_n);
	check_searches(300, "warm");
	for (int i = 0; i < 10; i++)
		expunge_mail(rnd((uint32_t)mails_n));
	check_searches(50, "after an expunge");
	while (mails_n < MAILS_MAX)
		add_mail();
	check_searches(50, "after an append");
	reopen();
	check_searches(50, "opened anew");
	OK(registry_set_dword(s->site, REGISTRY_STORE, "ContentCacheMax", 20000, &s->e));
	reopen();
	check_searches(50, "with little memory");
	assert_int_equal(signatures(), mails_n);
	support_check(s, store);
}

static int setup(void **state)
{
	const char *given = getenv("TEST_SEED");

	*state = &support;
	seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
	print_message("TEST_SEED=%llu\n", (unsigned long long)seed);
	support_begin(&support);
	store = support_open(&support, support.alice);
	inbox = support_folder(&support, store, "INBOX");
	return 0;
}

static int teardown(void **state)
{
	while (mails_n)
		forget_mail(0);
	support_close(&store);
	support_end(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(search_finds_what_the_messages_say),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
