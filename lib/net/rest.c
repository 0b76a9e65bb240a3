/*
 * net/rest.c - what is given back when there is nothing to do.
 *
 * A burst of work leaves its mark in every thread that took part: buffers as large as the largest
 * answer, the deepest stack there was, and memory that malloc keeps in case it is asked for again.  Ten
 * thousand connections that idle afterwards should not pay for it; so a worker that heard nothing
 * for rest_ms lets all of that go, and then ends, or sleeps until it is called if it is one of the last.
 */
#include "net/conn_priv.h"
#include "base/heap.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* Of the stack that lies below what is in use now; what a thread pushes next comes back as zeros. */
static void give_stack_back(void)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	pthread_attr_t attr;
	size_t size;
	void *low;

	if (pthread_getattr_np(pthread_self(), &attr) != 0)
		return;
	/* Two pages stay, for the red zone and the calls that follow. */
	here = (here & ~(page - 1)) - 2 * page;
	if (pthread_attr_getstack(&attr, &low, &size) == 0 && (uintptr_t)low < here)
		madvise(low, here - (uintptr_t)low, MADV_DONTNEED);
	pthread_attr_destroy(&attr);
}

void rest_worker(struct worker *worker)
{
	str_buf_fini(&worker->in);
	str_buf_fini(&worker->out);
	give_stack_back();
	heap_rest();
}
