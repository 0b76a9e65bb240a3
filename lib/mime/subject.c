/*
 * mime/subject.c - the base subject, by the grammar of RFC 5256 5 and the seven steps of 2.1.
 *
 * A step takes text off an end of a view, so nothing is copied.  Where the RFC tries a leader anew
 * behind each blob it removed, one walk over the blobs decides for all of them: whatever stands
 * behind the last one makes all of them part of a leader, or none.  "[a][b][c]..." stays linear.
 */
#include "mime/subject.h"

#include "mime/decode.h"

/* Behind step 1 there are blanks and no tabs. */
static void skip_blanks(struct str_view *s)
{
	while (s->n && s->p[0] == ' ')
		*s = str_view(s->p + 1, s->n - 1);
}

static bool skip_word(struct str_view *s, struct str_view word)
{
	if (!str_begins_nocase(*s, word))
		return false;
	*s = str_view(s->p + word.n, s->n - word.n);
	return true;
}

/* subj-blob: "[" *BLOBCHAR "]" *WSP; no bracket within. */
static bool skip_blob(struct str_view *s)
{
	if (!s->n || s->p[0] != '[')
		return false;
	for (size_t i = 1; i < s->n && s->p[i] != '['; i++) {
		if (s->p[i] != ']')
			continue;
		*s = str_view(s->p + i + 1, s->n - i - 1);
		skip_blanks(s);
		return true;
	}
	return false;
}

/* subj-refwd: ("re" / ("fw" ["d"])) *WSP [subj-blob] ":" */
static bool skip_refwd(struct str_view *s)
{
	struct str_view rest = *s;

	if (!skip_word(&rest, SV("re")) && !skip_word(&rest, SV("fwd")) && !skip_word(&rest, SV("fw")))
		return false;
	skip_blanks(&rest);
	skip_blob(&rest);
	if (!skip_word(&rest, SV(":")))
		return false;
	*s = rest;
	return true;
}

/* Step 2: "(fwd)" and blanks behind. */
static bool cut_trailers(struct str_view *s)
{
	bool forwarded = false;

	for (;;) {
		if (s->n && s->p[s->n - 1] == ' ') {
			s->n--;
		} else if (s->n >= 5 &&
		           str_equal_nocase(str_view(s->p + s->n - 5, 5), SV("(fwd)"))) {
			s->n -= 5;
			forwarded = true;
		} else {
			return forwarded;
		}
	}
}

/* Steps 3 to 5: leaders, and blobs in front of something. */
static bool cut_leaders(struct str_view *s)
{
	bool replied = false;

	for (;;) {
		struct str_view rest, last_blob;

		skip_blanks(s);
		rest = last_blob = *s;
		for (struct str_view at = rest; skip_blob(&rest); at = rest)
			last_blob = at;
		if (skip_refwd(&rest)) {
			*s = rest;
			replied = true;
			continue;
		}
		/* Blobs alone: the last of them is the subject. */
		*s = rest.n ? rest : last_blob;
		return replied;
	}
}

/* Step 6: "[fwd:" ... "]" */
static bool cut_forward(struct str_view *s)
{
	struct str_view rest = *s;

	if (!rest.n || rest.p[rest.n - 1] != ']' || !skip_word(&rest, SV("[fwd:")) || !rest.n)
		return false;
	*s = str_view(rest.p, rest.n - 1);
	return true;
}

/* Step 1: decoded, every stretch of blanks one blank. */
static void normalise(struct str_view value, struct str_buf *out)
{
	size_t n = 0;

	mime_header_decode(value, out);
	for (size_t i = 0; i < out->n; i++) {
		char c = out->p[i];

		if (c == '\t' || c == '\r' || c == '\n')
			c = ' ';
		if (c != ' ' || n == 0 || out->p[n - 1] != ' ')
			out->p[n++] = c;
	}
	out->n = n;
}

bool mime_base_subject(struct str_view value, struct str_buf *out)
{
	struct str_buf text = {0};
	struct str_view s;
	bool changed = false;

	normalise(value, &text);
	s = str_buf_view(&text);
	do {
		changed |= cut_trailers(&s);
		changed |= cut_leaders(&s);
		if (!cut_forward(&s))
			break;
		changed = true;
	} while (true);
	str_buf_put(out, s.p, s.n);
	str_buf_fini(&text);
	return changed;
}
