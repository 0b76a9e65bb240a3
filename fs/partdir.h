/*
 * Directories under parts/ that somebody looked into, and the lists of what is in them.  A file there is
 * (folder, UID, file): too much for a node number, so such directories have slots, counted by what the kernel
 * remembers of their files.  A list is made when it is asked for, and may be dropped and made again: the
 * message does not change.
 */
#ifndef FS_PARTDIR_H
#define FS_PARTDIR_H

#include "fs/partlist.h"
#include "fs/tree.h"

struct partdirs;
struct partdirs *partdirs_new(void);
void partdirs_free(struct partdirs **dirs);

/* What is in the directory of a message, one reference; made now where it is not there.  0 or an errno value.
 * *any_r is the node of any of its files, but for the number. */
int partdir_list(struct tree *t, struct fs_folder *f, uint32_t uid, struct node *any_r,
    struct partlist **list_r);
/* Whether partdir_list would have to read a message that is not small. */
bool partdir_is_slow(struct tree *t, struct fs_folder *f, uint32_t uid);

/* The node of a file, and its number again. */
struct node partdir_file_node(struct node any, const struct partfile *file);
uint32_t partdir_file_number(struct node n);
/* Whose file it is; false: its slot is another's meanwhile, or the folder gone. */
bool partdir_of(struct tree *t, struct node n, struct fs_folder **f_r, uint32_t *uid_r);
void partdir_remember(struct tree *t, struct node n);
void partdir_forget(struct tree *t, struct node n, uint64_t lookups);

/* The attributes of a file, of a kind other than PARTFILE_FLAGS. */
void partdir_stat(const struct fs_folder *f, uint32_t uid, const struct partlist *list,
    const struct partfile *file, struct stat *st);

/* A message as it was when it was opened. */
struct part_message {
	uint64_t content, size_crlf, size;
	enum eol_kind serve;
	int64_t idate_ms;
};
/* 0, or ESTALE where it is gone; the folder is in memory afterwards. */
int partdir_message(struct fs_folder *f, uint32_t uid, struct part_message *m_r);

#endif
