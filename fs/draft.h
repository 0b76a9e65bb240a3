/*
 * A file in a folder that is no message: one being written (*.eml; it becomes a message when its last
 * writer has closed it), or scratch (what tools write aside; never mail, unless it is renamed to *.eml).
 * Bytes stay in memory up to 128 KB, beyond that in an unlinked file of the store folder.
 */
#ifndef FS_DRAFT_H
#define FS_DRAFT_H

#include "fs/folder.h"
#include "fs/node.h"
#include "fs/preplog.h"

#include <pthread.h>
#include <stdatomic.h>

struct tree;

struct draft {
	struct tree *tree;
	struct fs_folder *folder;
	uint32_t slot, generation;
	uid_t uid;
	atomic_uint handles;    /* that have it open */
	atomic_uint refs;       /* the folder's link, handles, the kernel's, a commit's */

	/* Under the mailbox's lock. */
	enum fs_place place;
	char *name;
	struct draft *next;
	struct draft *next_closed;
	atomic_bool is_linked;
	unsigned writers;       /* handles that may write */
	bool is_closing;        /* on its way to become a message */
	bool has_failed;        /* the last try did not */
	uint32_t became;        /* UID of the message that it was linked as: it is this message's second name */
	uint32_t became_in;     /* slot of that message's folder */
	atomic_bool was_told;   /* close(2) has said that it can't be kept */

	/* Written under its lock, and read without: who looks at a file does not wait while it is being kept. */
	_Atomic uint64_t size;
	_Atomic int64_t mtime_ms;   /* INT64_MIN: none was set */
	_Atomic int64_t touched_ms; /* wall: last written */
	_Atomic uint64_t lookups;   /* of the kernel; without the lock */

	pthread_mutex_t lock;   /* what follows */
	struct str_buf memory;
	int fd;                 /* -1: all in memory */
	uint64_t room;          /* what the quota left for it when it was made */
	int write_err;          /* octets are missing since a write failed so; 0: none */
	bool is_prepared;       /* kept as it is now (fs/prepared.h) */
	struct preplog_at kept_at; /* there, where it is in memory */
	bool is_kept;           /* of a sidecar: the store has it as it is now */
	char *flags;            /* words of user.flags it will have as a message; NULL: none */
};

/* A new one, linked into the folder (mailbox locked); a reference for the caller. NULL: no slots. */
struct draft *draft_new(struct tree *t, struct fs_folder *f, enum fs_place place, const char *name,
    uid_t uid);
struct draft *draft_by_name(struct fs_folder *f, enum fs_place place, const char *name);
/* The first of a place whose slot is over after, NULL at the end: they are few, and in no order. */
struct draft *draft_next(struct fs_folder *f, enum fs_place place, uint32_t after);
/* What it is to be, by its name and where it stands; sidecars are neither mail nor scratch. */
bool draft_is_mail(const struct draft *d);
bool draft_is_scratch(const struct draft *d);
/* The same, and files in tmp: they are delivered by and by. */
bool draft_may_be_mail(const struct draft *d);
struct draft *draft_of_node(struct tree *t, struct node n);
/* The mailbox has as many scratch files as it may: they cost memory and descriptors until they are removed.
 * Files on their way to become messages do not count. */
bool draft_scratch_is_full(struct mailbox *mb);
struct node draft_node(const struct draft *d);
void draft_ref(struct draft *d);
void draft_put(struct draft **d);
/* A handle has it open (with a reference), and has it no longer. */
void draft_open(struct draft *d);
void draft_close(struct draft **d);
/* Whoever refers to it: for the end. */
void draft_free(struct draft **d);
/* Mailbox locked: takes it out of its folder, and the folder's reference with it; it will be no message. */
void draft_unlink(struct draft *d);
/* Mailbox locked: to another folder and name. */
void draft_move(struct draft *d, struct fs_folder *to, enum fs_place place, const char *name);

/* 0 or an errno value. */
int draft_write(struct draft *d, uint64_t at, const char *octets, size_t n);
int draft_read(struct draft *d, uint64_t at, char *octets, size_t n, size_t *n_r);
int draft_truncate(struct draft *d, uint64_t size);
int draft_fsync(struct draft *d);
/* Why it must not become a message: a write failed.  0: it may. */
int draft_write_err(struct draft *d);
/* What is in it is on the disk, and becomes a message whatever is killed. */
int draft_prepare(struct draft *d);
uint64_t draft_size(const struct draft *d);
/* Its size as the store counts it, every line ending with CRLF. */
int draft_size_crlf(struct draft *d, uint64_t *size_r);
void draft_stat(const struct draft *d, struct stat *st);
/* Seconds the kernel may keep its attributes, where only the kernel changes them; its name it may not keep, for that becomes
 * a message's. */
double draft_attr_s(const struct draft *d);

#endif
