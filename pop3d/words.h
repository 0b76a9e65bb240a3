/*
 * The languages in which a client is told what is meant for people (LANG, RFC 6856 3).  Status and
 * response codes are for programs, and the same in each.
 */
#ifndef POP3D_WORDS_H
#define POP3D_WORDS_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

/* i-default is RFC 2277's: English, until the client asks for something else. */
enum pop3_language { POP3_I_DEFAULT, POP3_ENGLISH, POP3_GERMAN, POP3_LANGUAGES_N };

struct pop3_language_row {
	const char *tag, *name; /* name: the language's own */
	const char *changed;    /* what LANG answers in it */
};
extern const struct pop3_language_row pop3_language_rows[POP3_LANGUAGES_N];

/* The language that a range asks for (RFC 4647 3.4: from its right parts go until one fits); "*": the
 * default.  False: none. */
bool pop3_language_find(struct str_view range, enum pop3_language *language_r);

/* The English words, or a printf format, in that language; themselves where no row has them. */
__attribute__((format_arg(2))) const char *pop3_words(enum pop3_language language, const char *english);
/* How much of a reply stands before the words ("+OK ", "-ERR [AUTH] ", ""), and of a refusal ("[AUTH] "). */
size_t pop3_words_at(const char *reply);
size_t pop3_code_size(const char *words);

#endif
