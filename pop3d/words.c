/* pop3d/words.c - what is told, by language: a table that is looked through when it is not English. */
#include "pop3d/words.h"

#include <string.h>

const struct pop3_language_row pop3_language_rows[POP3_LANGUAGES_N] = {
    [POP3_I_DEFAULT] = {"i-default", "English, until another is asked for", "English, as at first"},
    [POP3_ENGLISH] = {"en", "English", "English from now on"},
    [POP3_GERMAN] = {"de", "Deutsch", "Deutsch von nun an"},
};

static const struct row {
	const char *english, *german;
} rows[] = {
#define WORDS(english, german) {english, german},
#include "pop3d/words.tbl.h"
#undef WORDS
};

static bool find(struct str_view tag, enum pop3_language *language_r)
{
	for (unsigned i = 0; i < POP3_LANGUAGES_N; i++) {
		const char *known = pop3_language_rows[i].tag;

		if (str_equal_nocase(tag, str_view(known, strlen(known)))) {
			*language_r = (enum pop3_language)i;
			return true;
		}
	}
	return false;
}

/* One subtag less, and a single letter or digit that then stands last goes with it. */
static struct str_view shorter(struct str_view tag)
{
	while (tag.n && tag.p[tag.n - 1] != '-')
		tag.n--;
	if (tag.n)
		tag.n--;
	if (tag.n >= 2 && tag.p[tag.n - 2] == '-')
		tag.n -= 2;
	return tag;
}

bool pop3_language_find(struct str_view range, enum pop3_language *language_r)
{
	if (str_equal(range, SV("*"))) {
		*language_r = POP3_I_DEFAULT;
		return true;
	}
	for (; range.n; range = shorter(range))
		if (find(range, language_r))
			return true;
	return false;
}

const char *pop3_words(enum pop3_language language, const char *english)
{
	if (language != POP3_GERMAN)
		return english;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (strcmp(rows[i].english, english) == 0)
			return rows[i].german;
	return english;
}

size_t pop3_code_size(const char *words)
{
	const char *end = words[0] == '[' ? strstr(words, "] ") : NULL;

	return end ? (size_t)(end - words) + 2 : 0;
}

size_t pop3_words_at(const char *reply)
{
	size_t n = strcspn(reply, " ");

	if ((reply[0] != '+' && reply[0] != '-') || reply[n] == '\0')
		return 0;
	return n + 1 + pop3_code_size(reply + n + 1);
}
