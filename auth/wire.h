/*
 * Lines of the authentication protocol (authd/protocol.h), as both of its ends write and read them: words
 * with tabs between them, in which NUL, SOH, TAB, CR and LF are escaped by SOH.
 */
#ifndef AUTH_WIRE_H
#define AUTH_WIRE_H

#include "base/arena.h"
#include "base/str.h"

#define WIRE_MAJOR 1
#define WIRE_MINOR 2
/* What FAIL's code says, beside those that other servers know: that was no answer of the mechanism; there is no such
 * mechanism, or not now. */
#define WIRE_CODE_MALFORMED "malformed"
#define WIRE_CODE_NO_MECHANISM "no_mechanism"
/* A parameter of OK: which application password it was. */
#define WIRE_APPLICATION "application"
/* The socket of our own doors, in the runtime folder. */
#define WIRE_SOCKET "auth"

/* Cuts the next word, escapes and all, off the front of *rest; false: there is none. */
bool wire_word(struct str_view *rest, struct str_view *word_r);
/* "name=value" apart; value.p is NULL where there is no '='. */
void wire_parameter(struct str_view word, struct str_view *name_r, struct str_view *value_r);
/* What a word stands for, in the arena, with a NUL behind; NULL: no word (p NULL), an escape that there
 * is not, or a NUL inside. */
const char *wire_text(struct str_view word, struct arena *arena);
/* The word's octets, escaped where they have to be. */
void wire_put(struct str_buf *out, struct str_view octets);
/* TAB, "name=", and the value. */
void wire_put_parameter(struct str_buf *out, const char *name, const char *value);

#endif
