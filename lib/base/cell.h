/*
 * A number in a file of the runtime folder: its first eight octets, written by others with pwrite(2).  Read from
 * a mapping, which costs a load instead of a system call, where that can be had: the file is mapped at the first
 * read that finds a number in it.  Such files are never cut off while the host is up.
 */
#ifndef BASE_CELL_H
#define BASE_CELL_H

#include <stdatomic.h>
#include <stdint.h>

/* Zeroed: ready. */
struct cell {
	_Atomic(const _Atomic uint64_t *) at;
};

/* 0 where nothing was ever written.  Any thread; a number that is being written may be read mixed with the one
 * before, as by pread(2). */
uint64_t cell_read(struct cell *cell, int fd);
void cell_fini(struct cell *cell);

#endif
