/*
 * store/notice.c - the doorbell: a file of 8 octets per mailbox in the runtime folder, which holds
 * the modseq last committed.
 *
 * Written after COMMIT and before the writer lock is let go, so it never goes back.  It wakes who
 * watches, and tells who asks that nothing changed; what changed is asked of the database.  pwrite,
 * not a mapping: a store into a mapping wakes nobody.
 */
#include "store/mailbox_priv.h"

#include "base/io.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

int notice_file(struct store_site *ss, const char *name, struct err *e)
{
	int fd = io_open_or_make(ss->notice_fd, name, 0660);

	if (fd < 0)
		return err_sys(e, ERR_UNAVAILABLE, errno, "notice/%s", name);
	return fd;
}

static int fd_of(struct mailbox *mb)
{
	char name[32];
	struct err e;
	int fd;

	pthread_mutex_lock(&mb->lock);
	if (mb->notice_fd < 0) {
		snprintf(name, sizeof name, "%016" PRIx64, mb->user.n);
		mb->notice_fd = notice_file(mb->site, name, &e);
		if (mb->notice_fd < 0)
			log_warn("doorbell-missing", "user=%016" PRIx64 " %s", mb->user.n, log_err(&e));
	}
	fd = mb->notice_fd;
	pthread_mutex_unlock(&mb->lock);
	return fd;
}

void notice_publish(struct mailbox *mb, uint64_t modseq)
{
	int fd = fd_of(mb);

	/* The message is committed; a bell that can't ring is made up for by the slow poll. */
	if (fd >= 0 && io_pwrite_all(fd, &modseq, sizeof modseq, 0) < 0)
		log_warn("doorbell-failed", "user=%016" PRIx64 " errno=%d", mb->user.n, errno);
}

uint64_t notice_read_cell(struct mailbox *mb, struct cell *cell)
{
	return cell_read(cell, atomic_load(&cell->at) ? -1 : fd_of(mb));
}

bool notice_make_up(struct mailbox *mb, uint64_t modseq)
{
	uint64_t rung = notice_read(mb);

	if (modseq <= rung)
		return false;
	if (rung) /* 0: nobody committed since the machine was started */
		log_info("doorbell-made-up", "user=%016" PRIx64 " modseq=%" PRIu64, mb->user.n, modseq);
	notice_publish(mb, modseq);
	return true;
}

uint64_t notice_read(struct mailbox *mb)
{
	int fd = fd_of(mb);
	uint64_t modseq = 0;

	if (fd < 0 || io_pread_all(fd, &modseq, sizeof modseq, 0) != sizeof modseq)
		return 0;
	return modseq;
}
