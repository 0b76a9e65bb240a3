/*
 * ctl/ctl_deliver.c - postern deliver [-f SENDER] [-d USER] [-a ADDRESS]: one message, from standard input.
 *
 * For mail servers that run a command.  What they know is an exit status of sysexits: 75 has them try again, any
 * other returns the mail to its sender; so whatever can be mended is 75.
 */
#include "ctl/lmtp_out.h"
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

static const char *sender_option, *user_option, *address_option, *socket_option;

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

/* Whose mailbox, and how it was written; address NULL: there is nothing more to know of it. */
struct wanted {
	struct mail_path mailbox, sender;
	const char *address;
};

/* The mailbox is -d's; without it the address's.  An exit status. */
static int find_wanted(struct ctl *ctl, struct arena *arena, struct wanted *wanted_r)
{
	const char *sender = sender_option ? sender_option : getenv("SENDER");
	const char *address = address_option && *address_option ? address_option : NULL;
	const char *user = user_option ? user_option : address_option ? NULL : getenv("USER");
	const char *mailbox = user ? user : address;

	if (!mail_path_take(sender ? sender : "", arena, &wanted_r->sender))
		return ctl_usage(ctl, "`%s` is no address", sender);
	if (!mailbox)
		return ctl_fail("not delivered: no user: say -d USER"), EX_NOUSER;
	if (!mail_path_take(mailbox, arena, &wanted_r->mailbox))
		return ctl_fail("not delivered: %s is no address", mailbox), EX_NOUSER;
	wanted_r->address = user ? address : NULL;
	return EX_OK;
}

static int find_recipient(struct ctl *ctl, const struct wanted *wanted, struct arena *arena,
    struct recipient *to_r, struct err *e)
{
	if (wanted->address)
		return recipient_find_for(ctl->site, &wanted->mailbox, wanted->address, arena, to_r, e);
	return recipient_find(ctl->site, &wanted->mailbox, arena, to_r, e);
}

/* Octets of the line "From ..." that some servers put in front of a message (mbox); 0: none. */
static size_t from_line_n(struct str_view octets)
{
	const char *lf = memchr(octets.p, '\n', octets.n);

	return lf && octets.n > 5 && memcmp(octets.p, "From ", 5) == 0 ? (size_t)(lf - octets.p) + 1 : 0;
}

/* Gives the message to take, slice by slice, for as long as that returns 0; what it returned last. */
static int read_message(int (*take)(void *to, const void *octets, size_t n, struct err *e), void *to,
    struct err *e)
{
	char slice[SLICE_OCTETS];
	bool is_first = true;
	size_t n;
	int r = 0;

	while (r == 0 && (n = fread(slice, 1, sizeof slice, stdin)) > 0) {
		size_t skip = is_first ? from_line_n(str_view(slice, n)) : 0;

		r = take(to, slice + skip, n - skip, e);
		is_first = false;
	}
	if (r == 0 && ferror(stdin))
		return err_sys(e, ERR_TEMP, errno, "standard input"), EX_TEMPFAIL;
	return r;
}

/* --- into the store ------------------------------------------------------------------------- */

static int take_letter(void *to, const void *octets, size_t n, struct err *e)
{
	return letter_put(to, octets, n, e);
}

static int deliver(struct ctl *ctl, const struct wanted *wanted, struct arena *arena, struct err *e)
{
	char id[40];
	struct letter_from from = {.return_path = wanted->sender.text, .protocol = "local", .id = id};
	struct recipient to;
	struct letter letter;
	bool was_there;
	int r = find_recipient(ctl, wanted, arena, &to, e);

	snprintf(id, sizeof id, "%" PRIx64 ".%d", (uint64_t)getpid(), 1);
	letter_begin(&letter, ctl->site);
	if (r == 0)
		r = read_message(take_letter, &letter, e);
	if (r == 0)
		r = letter_end(&letter, e);
	if (r == 0)
		r = letter_deliver(&letter, &from, &to, &was_there, e);
	letter_fini(&letter);
	return r == 0 ? EX_OK : exit_status(ctl, e->code);
}

/* --- to postern-lmtpd ----------------------------------------------------------------------- */

static int take_chunk(void *to, const void *octets, size_t n, struct err *e)
{
	return lmtp_out_put(to, octets, n, e);
}

static const char *socket_path(void)
{
	const char *path = socket_option ? socket_option : getenv("POSTERN_LMTP");

	return path && *path ? path : LMTP_OUT_SOCKET;
}

static int hand_over(const struct wanted *wanted, struct err *e)
{
	const struct lmtp_envelope envelope = {
	    .sender = wanted->sender.text, .mailbox = wanted->mailbox.text, .address = wanted->address};
	struct lmtp_out out = {0};
	int status = lmtp_out_begin(&out, socket_path(), &envelope, e);

	if (status == EX_OK)
		status = read_message(take_chunk, &out, e);
	if (status == EX_OK)
		status = lmtp_out_end(&out, e);
	lmtp_out_fini(&out);
	return status;
}

/* -------------------------------------------------------------------------------------------- */

/* Who may open the store does so; who may not asks who may. */
static int deliver_either_way(struct ctl *ctl, const struct wanted *wanted, struct arena *arena,
    struct err *e)
{
	int status;

	if (socket_option)
		return hand_over(wanted, e);
	if (site_open(ctl_store_dir(ctl), "postern", &ctl->site, e) < 0)
		return e->code == ERR_PERM || e->sys == EACCES ? hand_over(wanted, e) : EX_TEMPFAIL;
	status = deliver(ctl, wanted, arena, e);
	ctl_site_close(ctl);
	return status;
}

static int deliver_run(struct ctl *ctl, char **operands, int n)
{
	struct wanted wanted;
	struct arena arena = {0};
	struct err e = {0};
	int status = find_wanted(ctl, &arena, &wanted);

	(void)operands, (void)n;
	if (status == EX_OK) {
		status = deliver_either_way(ctl, &wanted, &arena, &e);
		if (status != EX_OK)
			ctl_fail("not delivered: %s", e.what);
	}
	arena_fini(&arena);
	return status;
}

static const struct verb_option options[] = {
    {'f', "sender", "ADDRESS", &sender_option, "the envelope's sender ($SENDER, else none)"},
    {'d', "user", "USER", &user_option, "whose mailbox ($USER where no address is given)"},
    {'a', "address", "ADDRESS", &address_option, "the recipient as it was written, or a subaddress"},
    {'s', "socket", "PATH", &socket_option, "hand it to the postern-lmtpd that listens there"},
    {0},
};

const struct verb ctl_verb_deliver = {
    .name = "deliver",
    .summary = "deliver a message from standard input",
    .help = "For .forward, procmail, and mail servers that run a command:\n\n"
	    "  mailbox_command = postern deliver -d \"$USER\" -a \"$ORIGINAL_RECIPIENT\" -f \"$SENDER\"\n\n"
	    "Exits with 0 when the message is on the disk; else with 75 to be tried again, or with 67 (no such user),\n"
	    "73 (over quota, too large), 65 (no message) or 64. A retry of what was delivered adds nothing.\n"
	    "Who may not open the store hands it to postern-lmtpd, at $POSTERN_LMTP or " LMTP_OUT_SOCKET ".",
    .actions =
	(const struct verb_action[]){
	    {NULL, "", 0, 0, options, deliver_run, NULL},
	    {0},
	},
};
