/* ctl/ctl_init.c - postern init [DIR]: makes a store. */
#include "base/io.h"
#include "ctl/verb.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *runtime;

/* "imap.listen=ADDR:PORT" as ini text.  Later lines of store.conf win over earlier ones. */
static int conf_line(const char *assignment, struct str_buf *out)
{
	const char *dot = strchr(assignment, '.'), *is = strchr(assignment, '=');

	if (!dot || !is || dot > is || dot == assignment || is == dot + 1 ||
	    strpbrk(assignment, "\r\n[]"))
		return -1;
	str_buf_printf(out, "\n[%.*s]\n%.*s = %s\n", (int)(dot - assignment), assignment,
	    (int)(is - dot - 1), dot + 1, is + 1);
	return 0;
}

static int conf_append(const char *dir, const struct str_buf *text, struct err *e)
{
	struct str_buf conf = {0};
	int r = -1, fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, ERR_IO, errno, "%s", dir);
	if (io_read_file(fd, "store.conf", 65536, &conf, e) == 0) {
		str_buf_put(&conf, text->p, text->n);
		r = io_replace_file(fd, "store.conf", conf.p, conf.n, 0660, e);
	}
	close(fd);
	str_buf_fini(&conf);
	return r;
}

static int init_run(struct ctl *ctl, char **operands, int n)
{
	struct str_buf text = {0};
	const char *dir;
	struct err e;
	int code = CTL_OK;

	/* Operands: a folder without '=', and SECTION.KEY=VALUE lines for store.conf. */
	if (n > 0 && !strchr(operands[0], '=')) {
		ctl->store_dir = operands[0];
		operands++;
		n--;
	}
	dir = ctl_store_dir(ctl);
	for (int i = 0; i < n && code == CTL_OK; i++)
		if (conf_line(operands[i], &text) < 0)
			code = ctl_usage(ctl, "`%s` is not SECTION.KEY=VALUE", operands[i]);
	if (code == CTL_OK && site_create(dir, runtime, &e) < 0)
		code = e.code == ERR_EXISTS ? ctl_fail("there is a store at %s already", dir)
					    : ctl_fail_err(&e);
	else if (code == CTL_OK && text.n > 0 && conf_append(dir, &text, &e) < 0)
		code = ctl_fail_err(&e);
	str_buf_fini(&text);
	return code;
}

static const struct verb_option options[] = {
    {0, "runtime", "DIR", &runtime, "the runtime folder (relative: to the store's folder)"},
    {0},
};

const struct verb ctl_verb_init = {
    .name = "init",
    .summary = "make a store",
    .help = "  postern init /var/lib/postern\n"
	    "  postern init /srv/mail imap.listen=0.0.0.0:143 tls.certificate=cert.pem tls.key=key.pem\n\n"
	    "The folder is made if it is missing and must hold no store. What is fixed at start is in\n"
	    "its store.conf, postern-store.conf(5); SECTION.KEY=VALUE operands are put there. Then add\n"
	    "users with `postern user add` and serve with `postern serve`.",
    .actions =
	(const struct verb_action[]){
	    {NULL, "[DIR] [SECTION.KEY=VALUE...]", 0, -1, options, init_run, NULL},
	    {0},
	},
};
