/* store/generation.c - see generation.h. */
#include "store/generation.h"

#include "base/io.h"
#include "store/mailbox_priv.h"

#include <errno.h>
#include <unistd.h>

int generation_open(struct store_site *ss, const char *name, struct generation *g_r, struct err *e)
{
	*g_r = (struct generation){.fd = notice_file(ss, name, e)};
	return g_r->fd < 0 ? -1 : 0;
}

void generation_close(struct generation *g)
{
	cell_fini(&g->cell);
	close(g->fd);
}

uint64_t generation_read(struct generation *g)
{
	return cell_read(&g->cell, g->fd);
}

static int write_number(struct generation *g, uint64_t number, struct err *e)
{
	if (io_pwrite_all(g->fd, &number, sizeof number, 0) < 0)
		return err_sys(e, ERR_IO, errno, "a database's generation");
	return 0;
}

int generation_begin(struct generation *g, struct err *e)
{
	return write_number(g, generation_read(g) | 1, e);
}

int generation_end(struct generation *g, struct err *e)
{
	return write_number(g, (generation_read(g) | 1) + 1, e);
}
