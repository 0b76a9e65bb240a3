/*
 * An import under way: readers find messages and put them into its sink; they are appended in batches,
 * one transaction each, and while one batch is committed the next is read, which is what makes it fast.
 */
#ifndef CTL_IMPORT_H
#define CTL_IMPORT_H

#include "ctl/mail_sink.h"
#include "store/message.h"

#include <limits.h>
#include <pthread.h>

/* A batch is committed when it has so many messages or octets.  The first is smaller and each next one twice
 * as large, so that a small import, too, is read and committed at the same time. */
#define IMPORT_BATCH_N 500
#define IMPORT_BATCH_FIRST_N 50
#define IMPORT_BATCH_OCTETS 16777216

/* A folder that messages go to, made when the first does. */
struct import_folder {
	const char *name;
	struct folder_id id; /* 0: not looked up yet */
};

struct import_batch {
	struct append *appends[IMPORT_BATCH_N];
	struct append_how how[IMPORT_BATCH_N];
	char first_path[PATH_MAX]; /* of its first message */
	size_t n;
	uint64_t octets;
};

struct import {
	struct store *store;
	bool recursive_folders, progress;
	/* the file being read, for messages; and where its messages go */
	const char *path;
	struct import_folder *folder;
	struct mail_sink sink;
	struct append *open; /* between the sink's begin and end */
	struct import_batch *filling;
	size_t full_n; /* messages that make it full */
	/* The batch that a thread of its own commits, NULL: none; the thread's result. */
	struct import_batch *committing;
	pthread_t committer;
	int commit_result;
	struct err commit_err;
	/* the result */
	uint64_t messages, octets; /* committed */
	uint64_t skipped, refused; /* files that are no mail; messages that could not be taken */
	int64_t started_ms, shown_ms;
};

void import_init(struct import *im, struct store *store);
/* A file or a folder, with all in it.  -1: it can't go on; what is in is in. */
WARN_UNUSED int import_path(struct import *im, const char *path, struct import_folder *to,
    struct err *e);
/* Commits what is waiting, and waits until it is; call it at the end. */
WARN_UNUSED int import_finish(struct import *im, struct err *e);
void import_fini(struct import *im);

/* Looks the folder up, or makes it. */
WARN_UNUSED int import_folder_find(struct import *im, struct import_folder *folder, struct err *e);
/* The folder a subfolder's mail goes to, named in the arena: "A/B" for ".A.B" of a Maildir. */
WARN_UNUSED int import_subfolder(const struct import_folder *parent, const char *entry,
    bool of_maildir, struct arena *arena, struct import_folder *folder_r, struct err *e);

/* One line on the terminal, rewritten; import_progress_end leaves it. */
void import_progress(struct import *im);
void import_progress_end(struct import *im);

/* Ctrl-C: the batch at hand is finished, then the import ends. */
void import_catch_interrupt(void);
bool import_is_interrupted(void);

#endif
