/*
 * A folder of a mailbox as the mount shows it: its messages with their names, its files that are no
 * messages yet, its subfolders.  Plain memory: knows neither FUSE nor SQLite; mailbox.c fills it, and
 * everything here is done under the mailbox's lock.  Folders are never freed while the mount is up
 * (their slot is part of node numbers); the messages of one that is gone are.
 */
#ifndef FS_FOLDER_H
#define FS_FOLDER_H

#include "fs/node.h"
#include "fs/shown.h"
#include "store/message.h"

#include <stdatomic.h>
#include <stdbool.h>

struct mailbox;
struct draft;

/* What of a message stands in its name in the Maildir view, beside the base. */
struct fs_letters {
	uint32_t flags;
	bool forwarded, in_cur;
};

struct fs_msg {
	struct store_uid uid;
	uint32_t flags;
	uint64_t keywords, modseq;
	int64_t idate_ms, changed_ms;
	uint64_t content;
	uint64_t size_crlf;     /* of the form the store keeps */
	uint64_t size;          /* as served: st_size */
	enum eol_kind lineends; /* as it came in */
	bool is_lf;             /* served with LF, whatever it came in with */
	bool is_named;          /* the name was given through the mount */
	bool is_base;           /* what it was given can be its base in the Maildir view */
	bool shows_uid;         /* the Maildir view always names its UID */
	bool is_cur;            /* a Maildir tool has put it into cur/ */
	int64_t renamed_ms;     /* monotonic: its name in the Maildir view was seen to change; 0: it was never */
	struct fs_letters was;  /* before that */
	const char *given;      /* the name it was given through either tree; NULL: none */
	struct fs_msg *given_next;
	char name[];            /* in mail/ */
};

/* Where a message, or a file that is none, stands: in the folder in mail/, in cur, new and tmp of the
 * Maildir view, or beside these. */
enum fs_place { PLACE_MAIL, PLACE_CUR, PLACE_NEW, PLACE_TMP, PLACE_SIDE, PLACES_N };

/* A directory that shows what is there. */
struct fs_listing {
	uint64_t version;   /* moves when a listing would differ */
	struct shown shown; /* what the kernel holds of it */
	int64_t changed_ms;
};

/* What the Maildir view keeps of a folder (fs/maildir.h). */
struct fs_maildir {
	char *name;         /* .A.B */
	bool is_shown;      /* somebody has looked */
	unsigned keepers;   /* handles open on .uidvalidity */
	int64_t renamed_ms; /* monotonic: when names got a UID */
	uint64_t uids_upto; /* of messages under this UID the name has the UID in it */
	unsigned unmade;    /* bits of enum fs_place: directories that are to be made, or were removed */
	atomic_uint_fast64_t lookups[PLACES_N]; /* of the kernel, by directory */
	int64_t unmade_until_ms; /* monotonic; afterwards they are there anyway */
};

struct fs_folder {
	struct mailbox *mailbox;
	uint32_t slot;
	uint32_t id;         /* folder_id; 0: the top of the mailbox, or a parent that does not exist */
	struct fs_folder *parent, *children, *next;
	char *path;          /* the store's name; "" is the top */
	char *name;          /* of the directory */
	enum folder_use use;
	uint32_t uidvalidity;
	int64_t changed_ms;
	atomic_bool is_gone;
	bool is_loaded, is_seen;
	bool is_loading;     /* who has opened it reads its messages, while others may list those that are there */
	uint64_t modseq;     /* the messages are as of here; 0: never loaded */
	uint32_t uidnext;    /* messages from here on are news; 0: not known */
	atomic_uint_fast64_t lookups; /* of the kernel: it knows the directory */
	_Atomic int64_t used_ms; /* monotonic: somebody asked for names */
	struct shown shown_parts; /* of listings[PLACE_MAIL]: what the kernel holds of it under parts/ */
	atomic_bool is_in_parts; /* somebody looked at it there, so there is something to tell */
	struct fs_listing listings[PLACES_N];
	struct fs_maildir maildir;
	struct fs_msg **msgs; /* by UID */
	size_t n, size;
	struct fs_msg **given; /* hash of those that were given names */
	size_t given_n, given_size;
	struct draft *drafts;
	atomic_uint pending; /* closed files on their way to become messages here */
};

/* How a message is shown. */
struct fs_show {
	bool exact; /* option eol=exact: line ends as they came in */
	bool plain; /* option names=uid: nothing of the sender and the subject in names */
};

struct fs_msg *fs_msg_new(const struct message_info *info, const struct fs_show *show);
void fs_msg_free(struct fs_msg *msg);

/* Takes msg; replaces the one with its UID.  Returns the old one, which the caller frees, or NULL. */
struct fs_msg *fs_folder_put(struct fs_folder *f, struct fs_msg *msg);
/* Takes the message out; the caller frees it.  NULL: it was not there. */
struct fs_msg *fs_folder_drop(struct fs_folder *f, uint32_t uid);
void fs_folder_clear(struct fs_folder *f);

struct fs_msg *fs_folder_by_uid(const struct fs_folder *f, uint32_t uid);
/* The message that was given this name. */
struct fs_msg *fs_folder_by_given(const struct fs_folder *f, const char *name);
/* The given names first, then the full names, then the aliases: *is_alias_r. */
struct fs_msg *fs_folder_by_name(const struct fs_folder *f, const char *name, bool *is_alias_r);
struct fs_folder *fs_folder_child(const struct fs_folder *f, const char *name);
/* The first message whose UID is over after, NULL at the end. */
struct fs_msg *fs_folder_next(const struct fs_folder *f, uint32_t after);

#endif
