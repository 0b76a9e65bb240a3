/*
 * ctl/ctl_deliver.c - postern deliver [-f SENDER] [-d USER] [-a ADDRESS]: one message, from standard input.
 *
 * For mail servers that run a command.  What they know is an exit status of sysexits: 75 has them try again, any
 * other returns the mail to its sender; so whatever can be mended is 75.
 */
#include "ctl/verb.h"
#include "deliver/letter.h"
#include "limits/registry.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define SLICE_OCTETS 65536

static const char *sender_option, *user_option, *address_option;

#pragma GCC diagnostic error "-Wswitch"

static int exit_status(struct ctl *ctl, enum err_code code)
{
	switch (code) {
	case ERR_NOTFOUND:
	case ERR_PERM:
		return EX_NOUSER;
	case ERR_QUOTA:
		return setting_get(ctl->site, SETTING_OVER_QUOTA) == 1 ? EX_TEMPFAIL : EX_CANTCREAT;
	case ERR_TOOBIG:
		return EX_CANTCREAT;
	case ERR_INVALID:
		return EX_DATAERR;
	case ERR_NONE:
	case ERR_EXISTS:
	case ERR_AUTH:
	case ERR_BUSY:
	case ERR_LIMIT:
	case ERR_EXPUNGED:
	case ERR_UNSUPPORTED:
	case ERR_CORRUPT:
	case ERR_UNAVAILABLE:
	case ERR_TEMP:
	case ERR_NOSPACE:
	case ERR_IO:
	case ERR_BUG:
		break;
	}
	return EX_TEMPFAIL;
}

/* The mailbox is -d's; without it the address's.  An address without @ beside -d is a subaddress alone. */
static int find_recipient(struct ctl *ctl, struct arena *arena, struct recipient *to_r, struct err *e)
{
	const char *user = user_option ? user_option : address_option ? NULL : getenv("USER");
	const char *address = address_option && *address_option ? address_option : NULL;
	bool is_detail = user && address && !strchr(address, '@');
	struct recipient named = {0};
	struct mail_path path;

	if (!user && !address)
		return err_set(e, ERR_NOTFOUND, "no user: say -d USER");
	if (!mail_path_take(user ? user : address, arena, &path))
		return err_set(e, ERR_NOTFOUND, "%s is no address", user ? user : address);
	if (recipient_find(ctl->site, &path, arena, to_r, e) < 0)
		return -1;
	if (is_detail) {
		to_r->detail = address;
	} else if (user && address && mail_path_take(address, arena, &path)) {
		/* Whose it says does not matter: it may be an alias of another server's. */
		to_r->address = path.text;
		if (recipient_find(ctl->site, &path, arena, &named, e) == 0)
			to_r->detail = named.detail;
	}
	return 0;
}

/* Octets of the line "From ..." that some servers put in front of a message (mbox); 0: none. */
static size_t from_line_n(struct str_view octets)
{
	const char *lf = memchr(octets.p, '\n', octets.n);

	return lf && octets.n > 5 && memcmp(octets.p, "From ", 5) == 0 ? (size_t)(lf - octets.p) + 1 : 0;
}

static int read_letter(struct letter *letter, struct err *e)
{
	char slice[SLICE_OCTETS];
	bool is_first = true;
	size_t n;

	while ((n = fread(slice, 1, sizeof slice, stdin)) > 0) {
		size_t skip = is_first ? from_line_n(str_view(slice, n)) : 0;

		if (letter_put(letter, slice + skip, n - skip, e) < 0)
			return -1;
		is_first = false;
	}
	return ferror(stdin) ? err_sys(e, ERR_TEMP, errno, "standard input") : letter_end(letter, e);
}

static int deliver(struct ctl *ctl, const struct letter_from *from, struct err *e)
{
	struct arena arena = {0};
	struct recipient to;
	struct letter letter;
	bool was_there;
	int r = find_recipient(ctl, &arena, &to, e);

	letter_begin(&letter, ctl->site);
	if (r == 0)
		r = read_letter(&letter, e);
	if (r == 0)
		r = letter_deliver(&letter, from, &to, &was_there, e);
	letter_fini(&letter);
	arena_fini(&arena);
	return r;
}

static int deliver_run(struct ctl *ctl, char **operands, int n)
{
	const char *sender = sender_option ? sender_option : getenv("SENDER");
	struct letter_from from = {.protocol = "local"};
	struct arena arena = {0};
	struct mail_path path;
	char id[40];
	struct err e;
	int status = EX_OK;

	(void)operands, (void)n;
	if (!mail_path_take(sender ? sender : "", &arena, &path)) {
		arena_fini(&arena);
		return ctl_usage(ctl, "`%s` is no address", sender);
	}
	if (ctl_site_open(ctl) < 0) {
		arena_fini(&arena);
		return EX_TEMPFAIL;
	}
	snprintf(id, sizeof id, "%" PRIx64 ".%d", (uint64_t)getpid(), 1);
	from.return_path = path.text;
	from.id = id;
	if (deliver(ctl, &from, &e) < 0) {
		status = exit_status(ctl, e.code);
		ctl_fail("not delivered: %s", e.what);
	}
	ctl_site_close(ctl);
	arena_fini(&arena);
	return status;
}

static const struct verb_option options[] = {
    {'f', "sender", "ADDRESS", &sender_option, "the envelope's sender ($SENDER, else none)"},
    {'d', "user", "USER", &user_option, "whose mailbox ($USER where no address is given)"},
    {'a', "address", "ADDRESS", &address_option, "the recipient as it was written, or a subaddress"},
    {0},
};

const struct verb ctl_verb_deliver = {
    .name = "deliver",
    .summary = "deliver a message from standard input",
    .help = "For .forward, procmail, and mail servers that run a command, as a member of the store's group:\n\n"
	    "  mailbox_command = postern deliver -d \"$USER\" -a \"$ORIGINAL_RECIPIENT\" -f \"$SENDER\"\n\n"
	    "Exits with 0 when the message is on the disk; else with 75 to be tried again, or with 67 (no such user),\n"
	    "73 (over quota, too large), 65 (no message) or 64. A retry of what was delivered adds nothing.",
    .actions =
	(const struct verb_action[]){
	    {NULL, "", 0, 0, options, deliver_run, NULL},
	    {0},
	},
};
