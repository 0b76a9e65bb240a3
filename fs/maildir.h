/*
 * The Maildir view: the messages of a folder in cur and new, under names that say their flags.
 *
 * In new stand messages that no Maildir tool has put into cur and that have no flag; all others in cur.
 * All of this is asked with the mailbox locked.
 */
#ifndef FS_MAILDIR_H
#define FS_MAILDIR_H

#include "fs/draft.h"
#include "fs/maildir_name.h"
#include "fs/teller.h"

/* The name before the last change is good for so long: who has just listed, and was overtaken, is understood;
 * who asks later is to list again, as with any Maildir. */
#define MAILDIR_STALE_MS 2000

struct fs_letters maildir_letters(const struct fs_folder *f, const struct fs_msg *m);
bool maildir_letters_equal(struct fs_letters a, struct fs_letters b);
/* PLACE_CUR or PLACE_NEW. */
enum fs_place maildir_place(const struct fs_folder *f, const struct fs_msg *m);
void maildir_put_name(const struct fs_folder *f, const struct fs_msg *m, struct str_buf *out);
/* The base of its name. */
void maildir_put_base(const struct fs_msg *m, struct str_buf *out);

/* Of a message that is about to be replaced in memory: the name before goes along. */
void maildir_remember_name(const struct fs_folder *f, const struct fs_msg *old, struct fs_msg *now);

/* What a name in cur, new or tmp stands for: at most one of the two. */
struct maildir_found {
	struct fs_msg *m;
	struct draft *d;
	bool is_alias; /* it is listed otherwise, which means the same (":2," and nothing) */
	bool is_stale; /* m is called otherwise by now, or stands elsewhere */
};
struct maildir_found maildir_find(struct fs_folder *f, enum fs_place place, const char *name);
/* The message with this base, whatever its flags and its place. */
struct fs_msg *maildir_by_base(struct fs_folder *f, const struct maildir_name *name);

/* The folder that a directory of the Maildir view shows: of the mailbox's top, INBOX; NULL: none yet. */
struct fs_folder *maildir_box(struct fs_folder *f);
/* The folder of a name beside INBOX's cur; NULL. */
struct fs_folder *maildir_folder_by_name(struct mailbox *mb, const char *name);

/* The directory of a folder, and the one in it. */
struct node maildir_folder_node(const struct fs_folder *f);
struct node maildir_sub_node(const struct fs_folder *f, enum fs_place place);
const char *maildir_sub_name(enum fs_place place);
/* cur, new, tmp, or PLACES_N. */
enum fs_place maildir_sub_of(const char *name);
/* A moment after it was removed, or its folder made, a directory is not there, so that it can be made. */
bool maildir_sub_is_there(const struct fs_folder *f, enum fs_place place);

/* Somebody opened .uidvalidity for writing, and so goes by UIDs: all names have one from now on. */
void maildir_keeper_came(struct fs_folder *f, struct notices *ns);
void maildir_keeper_left(struct fs_folder *f);

#endif
