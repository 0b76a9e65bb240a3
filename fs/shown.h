/*
 * Which listing of a directory the kernel holds.  A listing it holds is good for who opens the directory at the
 * version that the listing is of.  The kernel drops what it held as it takes the answer of an OPENDIR that says so,
 * and fills its cache as it takes the answers of READDIRs: both a while after they were sent.  So who opened before
 * a change may fill in what was before it, behind the back of who opened after it.  Therefore only those who opened
 * at one version use the cache at a time, the first of them drops what was there, and whoever can't be sure that all
 * this has happened is answered past the cache.
 */
#ifndef FS_SHOWN_H
#define FS_SHOWN_H

#include <stdbool.h>
#include <stdint.h>

struct handle;
struct node_open;

struct shown {
	uint64_t version;  /* of the listing in the cache; 0: of none that is known */
	unsigned openers;  /* that read and fill the cache */
	bool is_dropped;   /* the kernel has dropped what it held before this version */
};

/* The directory is opened, and its listing is of this version (from 1 on). */
void shown_open(struct shown *s, uint64_t version, struct handle *h, struct node_open *how);
/* A READDIR of the handle was received: the kernel has taken the answer of its OPENDIR. */
void shown_read(struct handle *h);
/* The handle's RELEASEDIR was received, or it was never opened after all: it fills in nothing any more. */
void shown_close(struct handle *h);

#endif
