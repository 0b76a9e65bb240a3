/*
 * What directories that show a folder have in common, whichever tree they stand in: names are answered from
 * memory, and the store is asked where a name is not known and when the directory is opened.
 */
#ifndef FS_LISTING_H
#define FS_LISTING_H

#include "fs/tree.h"

/* Cookies of a listing: the class of the entry, from 1 on, and its number in it; both only grow. */
#define COOKIE(class, n) ((uint64_t)(class) << 40 | (n))
#define COOKIE_FOLDERS 1 /* the class of subfolders, where there are any: the first */

/* A name in f, looked up with its mailbox locked; false: it is not there. */
typedef bool listing_find(struct fs_folder *f, const char *name, struct node_entry *entry_r);
/* The name, or what it is composed: other systems send names decomposed.  Locks. */
bool listing_find_name(struct fs_folder *f, const char *name, listing_find *find, struct node_entry *entry_r);
/* A row's lookup: once more after the store was asked. */
int listing_lookup(struct tree *t, struct node dir, const char *name, listing_find *find,
    struct node_entry *entry_r);

/* The subfolders of f behind the cookie; mailbox locked.  False: emit had no room. */
bool listing_folders(const struct fs_folder *f, uint64_t after,
    void (*fill)(const struct fs_folder *f, struct node_entry *entry), node_emit *emit, void *arg);

/* A row's open, up to the kernel's cache: the folder is as the store has it, and its mailbox locked.  Or an
 * errno value.  with_messages: they are in memory. */
int listing_open(struct tree *t, struct handle *h, bool with_messages, struct fs_folder **f_r);

/* A file was made in a directory: h has it open for writing.  Mailbox locked. */
void listing_created(struct draft *d, struct handle *h, struct node_entry *entry_r);

#endif
