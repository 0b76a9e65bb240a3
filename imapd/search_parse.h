/* SEARCH's keys (RFC 3501 6.4.4), from the client's words to the store's tree (store/search.h). */
#ifndef IMAPD_SEARCH_PARSE_H
#define IMAPD_SEARCH_PARSE_H

#include "imapd/cmd.h"
#include "store/search.h"

struct search_args {
	struct search_key *key;
	bool bad_charset; /* to be answered NO [BADCHARSET] */
	bool has_modseq;  /* a key was MODSEQ: modseqs are told (RFC 7162 3.1.5) */
	const char *charset;
	uint32_t keys_n;
	/* Keys that hold sets: numbers and \Recent are the view's, so they are resolved when the command runs. */
	struct search_set {
		struct search_set *next;
		struct search_key *key;
		struct seq_set set;
		bool is_uid, is_recent;
		uint32_t open_from; /* of "n:*": the least such n; 0: there is none */
	} *sets;
};

/* "CHARSET name ", if it comes.  US-ASCII and UTF-8 need no change; what iconv knows is converted; the
 * rest is noted, and refused when the command runs. */
bool search_parse_charset(struct imap_req *req, struct search_args *args);
/* "name ", which must come: SORT and THREAD always name one (RFC 5256 3). */
bool search_parse_charset_name(struct imap_req *req, struct search_args *args);
/* The keys, up to the end. */
bool search_parse(struct imap_req *req, struct search_args *args);
/* Puts UIDs into the keys that hold sets; false: a sequence number that there is not. */
bool search_resolve(struct imap_req *req, struct search_args *args);

#endif
