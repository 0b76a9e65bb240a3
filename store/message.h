/*
 * Messages: append, list, read, copy, move, expunge.  Immutable but for flags and keywords.
 */
#ifndef STORE_MESSAGE_H
#define STORE_MESSAGE_H

#include "mime/eol.h"
#include "mime/scan.h"
#include "store/folder.h"
#include "store/store.h"

/* Bits of message_info.flags, as stored. */
enum store_flag {
	STORE_FLAG_SEEN = 1,
	STORE_FLAG_ANSWERED = 2,
	STORE_FLAG_FLAGGED = 4,
	STORE_FLAG_DELETED = 8,
	STORE_FLAG_DRAFT = 16,
};

/* A range of UIDs, both ends included. */
struct uid_range {
	uint32_t from, to;
};

/* What message_list is to fill beside uid, modseq, flags, keywords. */
enum message_what {
	MESSAGE_FLAGS = 0,            /* nothing more: the narrow table alone */
	MESSAGE_ROW = 1,              /* dates, size, content id: the narrow table too */
	MESSAGE_BASIC = 2,            /* these, and other sizes, lineends, sent */
	MESSAGE_ENVELOPE = 4,
	MESSAGE_BODYSTRUCTURE = 8,
	MESSAGE_PARTS = 16,           /* parts as packed by mime_parts_pack */
	MESSAGE_NAME = 32,            /* slug; the name given through the mount, if any */
};

struct message_info {
	struct store_uid uid;
	struct store_modseq modseq;
	uint32_t flags;
	uint64_t keywords; /* bit n: keyword n of the mailbox (store/flags.h) */
	/* whatever else is asked for: MESSAGE_ROW */
	int64_t idate_ms;   /* INTERNALDATE, wall */
	int zone_min;       /* as it was given */
	int64_t changed_ms; /* last change of flags, wall */
	int64_t saved_ms;   /* when it came into the folder, wall: SAVEDATE */
	uint64_t content;   /* what content_read reads; shared by copies */
	uint64_t size;      /* CRLF octets: RFC822.SIZE */
	/* more than that: MESSAGE_BASIC */
	uint64_t size_lf;   /* with LF line ends */
	uint64_t size_in;   /* as it goes out again: as it came in (eol_in_size_back) */
	uint64_t header_n;  /* CRLF octets of the header with its blank line */
	enum eol_kind lineends;
	bool header_8bit;   /* the header of the message or of a part may have octets beyond ASCII */
	int64_t sent_ms;    /* Date: field, INT64_MIN none */
	int sent_zone_min;
	/* by the other bits: in the arena, or borrowed (message_each) */
	struct str_view envelope, bodystructure, parts;
	const char *slug, *name; /* name NULL: none was given */
	bool is_cur;             /* MESSAGE_NAME: a Maildir tool has put it into cur/ */
};

/*
 * Messages of a folder whose UIDs lie in the ranges (ascending, not overlapping), ascending, at most
 * max_n.  A caller that streams asks for a slice (500 rows, say), sends it, and goes on behind the
 * last UID.  NOTFOUND: the folder is gone.
 */
WARN_UNUSED int message_list(struct store *store, struct folder_id folder,
    const struct uid_range *ranges, size_t ranges_n, unsigned what, size_t max_n,
    struct arena *arena, struct message_info **list_r, size_t *n_r, struct err *e);

/*
 * The same without a copy: each message is shown as it is read, its texts borrowed until `show` returns.  False
 * ends it.  All are of one instant, and a handle of the mailbox is out meanwhile: show must not ask the store
 * for anything, nor wait.
 */
typedef bool message_show(void *arg, const struct message_info *message);
WARN_UNUSED int message_each(struct store *store, struct folder_id folder,
    const struct uid_range *ranges, size_t ranges_n, unsigned what, message_show *show, void *arg,
    struct err *e);

/* The message that has this name in the folder (given through the mount), NOTFOUND. */
WARN_UNUSED int message_by_name(struct store *store, struct folder_id folder, const char *name,
    struct store_uid *uid_r, struct err *e);
/* Gives a name (unique in the folder: EXISTS), or takes it away (NULL). */
WARN_UNUSED int message_set_name(struct store *store, struct folder_id folder,
    struct store_uid uid, const char *name, struct err *e);

/*
 * Reads n octets of the CRLF form from offset at; fewer only at the end.  Read a slice of up to
 * 1 MB at a time.  Content stays readable for the KeepDeleted time after its last message was
 * expunged; then EXPUNGED.
 */
WARN_UNUSED int content_read(struct store *store, uint64_t content, uint64_t at, void *octets,
    size_t n, size_t *n_r, struct err *e);
/* The parts of a content, for as long as it can be read (mime/scan.h). */
WARN_UNUSED int content_parts(struct store *store, uint64_t content, struct arena *arena,
    struct mime_part **parts_r, size_t *n_r, struct err *e);
/* For EOL_MIXED: the exceptions eol_out needs. */
WARN_UNUSED int content_exceptions(struct store *store, uint64_t content, struct str_buf *out,
    struct err *e);

/*
 * Append: take the octets first (any line ends), then commit.  Up to 128 KB are kept in memory, more
 * in an unlinked file of the store folder; nothing is locked while octets are awaited.
 */
struct append;
struct append_how {
	struct folder_id folder;
	const char *folder_name; /* where folder is 0: the one of this name at the commit */
	uint32_t flags;
	const char *const *keywords; /* names */
	size_t keywords_n;
	int64_t idate_ms; /* INT64_MIN: now */
	int zone_min;
	const char *name; /* for the mount: keep this file name; NULL: none */
	bool is_cur;      /* for the mount: as flags_change.place says it */
	bool is_awaited;  /* this process will soon be asked to list it: what is told of it is remembered */
	/* The UID that it should have, where it is still to be given and near; 0: the next. */
	uint32_t uid;
};
struct append_done {
	struct store_uid uid;
	struct store_modseq modseq;
	uint32_t uidvalidity;
};
/* Whether n messages of so many octets fit under the quota as it is now: QUOTA. */
WARN_UNUSED int append_may(struct store *store, size_t n, uint64_t octets, struct err *e);
WARN_UNUSED int append_begin(struct store *store, struct append **append_r, struct err *e);
/* TOOBIG past the setting MessageSizeMax; NOSPACE. */
WARN_UNUSED int append_write(struct append *append, const void *octets, size_t n, struct err *e);
/* The same for fields that we put in front of a delivery: they don't count against MessageSizeMax. */
WARN_UNUSED int append_write_trace(struct append *append, const void *octets, size_t n, struct err *e);
/* Says that all octets are there: what can be computed of them is computed now, so that the commit does not
 * have to.  append_commit does it where nobody did.  Errors as of append_write. */
WARN_UNUSED int append_finish(struct append *append, struct err *e);
/* Octets written so far, as they came. */
uint64_t append_size(const struct append *append);
/*
 * Commits n appends to one mailbox in one transaction, all or none; each is freed and set NULL,
 * also on error.  Errors: NOTFOUND (a folder), LIMIT (more than 63 keywords), EXISTS (a name), QUOTA,
 * NOSPACE, BUSY (the writer lock), IO.
 */
WARN_UNUSED int append_commit(struct append **appends, const struct append_how *how, size_t n,
    struct append_done *done_r, struct err *e);
/* Commits one append, and expunges the message that it replaces (RFC 8508), in one transaction; the quota
 * has to hold what is left.  Errors: EXPUNGED (there is none to replace) beside those of append_commit. */
WARN_UNUSED int append_replace(struct append **append, const struct append_how *how,
    struct folder_id folder, struct store_uid replaced, struct append_done *done_r, struct err *e);
void append_abort(struct append **append);

/* UIDs old -> new of a copy or move, in the arena, ascending by old; uidvalidity of the target. */
struct message_copied {
	uint32_t uidvalidity;
	struct store_uid *from, *to;
	size_t n;
};
/* Copies messages with their flags (RFC 9051 6.4.7): all or none.  UIDs that are gone are left out. */
WARN_UNUSED int message_copy(struct store *store, struct folder_id from,
    const struct uid_range *ranges, size_t ranges_n, struct folder_id to, struct arena *arena,
    struct message_copied *copied_r, struct err *e);
/* Moves in one transaction (RFC 6851). */
WARN_UNUSED int message_move(struct store *store, struct folder_id from,
    const struct uid_range *ranges, size_t ranges_n, struct folder_id to, struct arena *arena,
    struct message_copied *moved_r, struct err *e);
/* Gives a message that has just come another INTERNALDATE: it becomes a new one in its folder, with its flags
 * and its name, since what a UID names never changes (RFC 9051 2.3.1.1).  EXPUNGED. */
WARN_UNUSED int message_redate(struct store *store, struct folder_id folder, struct store_uid uid,
    int64_t idate_ms, struct store_uid *uid_r, struct err *e);
/* Expunges the messages in the ranges; only those with \Deleted where only_deleted. */
WARN_UNUSED int message_expunge(struct store *store, struct folder_id folder,
    const struct uid_range *ranges, size_t ranges_n, bool only_deleted, struct arena *arena,
    struct store_uid **gone_r, size_t *n_r, struct err *e);

#endif
