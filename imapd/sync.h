/*
 * The selected folder: a client's view of it, and how the view follows the store.  What changed
 * since the view's modseq is asked for when the doorbell rang (store/change.h), and told at the next
 * point where the protocol permits: flags and new messages after any command, expunges only after
 * commands that don't keep sequence numbers.  Nothing in it grows with the folder: views are runs of
 * UIDs that all who have it open share (store/folder_view.h), and so are the flags.
 */
#ifndef IMAPD_SYNC_H
#define IMAPD_SYNC_H

#include "imapd/client.h"
#include "store/flags.h"
#include "store/folder_view.h"

struct context;

/* A change of our own that its command tells (or hides): not told again. */
struct sync_known {
	uint32_t uid;
	uint64_t modseq;
};

struct selected {
	struct session *session; /* that was charged an objtFolder for it; NULL: none was */
	struct folder_id id;
	struct folder_view *folder; /* shared by all who have it open */
	bool readonly;
	uint32_t uidvalidity, uidnext; /* uidnext as of modseq; 0: 4294967296 */
	struct store_modseq modseq; /* all up to this point is told, but for expunges that may not be */
	struct store_modseq told;   /* everything up to this point is told */
	struct view view;           /* what the client knows */
	struct view latest;         /* what there was at modseq: what of the view is missing here is to be told */
	uint64_t bell;              /* change_counter when last asked */
	struct uid_range *recent;   /* \Recent in this session, ascending */
	size_t recent_n, recent_size;
	struct store_uid unclaimed; /* told by EXISTS, and RECENT is still owed: from here up to uidnext; 0: nothing */
	uint32_t fresh_from;        /* the first UID of what came and notify.c did not tell; 0: none */
	bool told_gone;             /* expunges were told by the command that runs */
	struct sync_known *known;
	size_t known_n, known_size;
	struct keyword_names *keywords;
	struct context *contexts;   /* live ones (imapd/context.h), in the order they were asked for */
	struct seq_set saved;       /* "$": UIDs, resolved, on the heap (imapd/result.c) */
};

/* Opens a folder and reads its view; first_unseen_r: a sequence number, 0 if there is none; info has no
 * name.  NOTFOUND, LIMIT (objtFolder). */
WARN_UNUSED int sync_select(struct client *client, const char *name, bool readonly,
    struct selected **selected_r, struct folder_info *info_r, uint32_t *first_unseen_r,
    struct err *e);
void sync_free(struct selected **selected);

/* Whether a message is \Recent in this session, and how many are. */
bool sync_is_recent(const struct selected *selected, uint32_t uid);
uint32_t sync_recent_n(const struct selected *selected);

/* Notes that the client knows (or shall not be told) of a message's state at this modseq. */
void sync_know(struct selected *selected, uint32_t uid, struct store_modseq modseq);
/* Our own change of flags is told by its command: where nobody else changed the folder, that is all there is
 * to tell.  Before sync_know. */
void sync_stored(struct selected *selected, const struct flags_stored *stored);
/* Enables what a command brings with it.  Where that is CONDSTORE, and a folder is open, the client is told
 * where it stands (RFC 7162 3.1). */
void sync_enable(struct client *client, unsigned bits);
/* Reads the keywords' names anew where a message has one that is not known. */
WARN_UNUSED int sync_keywords(struct client *client, uint64_t used, struct err *e);
/* "* n EXISTS", and "* n RECENT" but with IMAP4rev2, which knows no \Recent (RFC 9051, appendix E). */
void sync_put_exists(struct client *client);
/* "* FLAGS (...)" and "* OK [PERMANENTFLAGS (...)]". */
void sync_put_flags(struct client *client);

enum sync_how {
	SYNC_EXPUNGE = 1, /* expunges may be told */
	SYNC_ASK = 2,     /* ask the store though no bell rang */
	SYNC_UID = 4,     /* FETCH responses carry the UID */
	SYNC_NO_FLAGS = 8, /* changes of flags are not told */
	/* The watch rang; it does so too where the bell could not be written, and then the store is asked. */
	SYNC_WOKEN = 16,
	/* EXISTS does not wait for \Recent to be claimed: the caller does sync_claim once it is sent. */
	SYNC_CLAIM_LATER = 32,
};
/* Tells what changed.  NOTFOUND: the folder is gone (the client was told, and is closed). */
WARN_UNUSED int sync_run(struct client *client, unsigned how, struct err *e);
/* What SYNC_CLAIM_LATER left (selected->unclaimed): claims it and tells "* n RECENT".  Before any other command. */
WARN_UNUSED int sync_claim(struct client *client, struct err *e);

#endif
