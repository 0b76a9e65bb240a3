/*
 * Line ends: mail is kept in CRLF form, and what came in otherwise can be given back byte for byte.
 * A normaliser turns a stream into CRLF form and remembers how it was.
 */
#ifndef MIME_EOL_H
#define MIME_EOL_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* How the message came in.  EOL_NONE: no line end at all (counts as CRLF). */
enum eol_kind { EOL_CRLF = 0, EOL_LF = 1, EOL_MIXED = 2 };

/* Zeroed: ready. */
struct eol_in {
	bool after_cr;         /* the last octet was a CR, not yet known if alone */
	uint64_t at;           /* octets of CRLF form so far */
	uint64_t size_in;      /* octets that came in */
	uint64_t crlf_n, lf_n; /* line ends of each kind; a CR alone is an octet like any other */
	uint64_t run;          /* line ends of the run that is open, */
	bool run_lf;           /* and their kind */
	uint64_t lf_kept;      /* line ends that were LF and will go out as LF */
	struct str_buf exceptions; /* which were LF, packed; dropped when all were of one kind */
	bool exceptions_full;      /* past the bound: served as CRLF form from there on */
};
/* A bound on the packed exceptions of one message, in octets. */
#define EOL_EXCEPTIONS_MAX 4194304

/* What is put into out is CRLF form: every LF has a CR before it. */
void eol_in_feed(struct eol_in *in, const void *octets, size_t n, struct str_buf *out);
/* Completes the exceptions; nothing is put into out any more. */
void eol_in_finish(struct eol_in *in, struct str_buf *out);
enum eol_kind eol_in_kind(const struct eol_in *in);
/* Octets that eol_out will make of it again: size_in, but for exceptions_full.  After finish. */
uint64_t eol_in_size_back(const struct eol_in *in);
/* Octets with LF alone for every line end. */
uint64_t eol_in_size_lf(const struct eol_in *in);
void eol_in_fini(struct eol_in *in);

/*
 * The way out: CRLF form to the form that came in (exceptions: of EOL_MIXED), or to LF.  Streams.
 * Begin with {.to, .exceptions}; only EOL_MIXED looks at the exceptions.
 */
struct eol_out {
	enum eol_kind to;
	struct str_view exceptions; /* borrowed */
	size_t next;                /* into exceptions */
	uint64_t run;               /* line ends left of the run at hand, */
	bool run_lf;                /* and their kind */
	bool after_cr;              /* a CR is held back: the next octet tells */
};
void eol_out_feed(struct eol_out *out, const void *octets, size_t n, struct str_buf *to);
void eol_out_finish(struct eol_out *out, struct str_buf *to);

#endif
