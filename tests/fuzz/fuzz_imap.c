/*
 * Fuzz target for imapd: read.c dispatch.c parse.c seq.c name.c date.c fetch_*.c search_parse.c sync.c
 * set.c view.c and every cmd_*.c, and the store below them.  The connection is a double, the store is
 * real (fuzz_door.h), with three messages and a folder.
 */
#include "ask_here.h"
#include "fuzz_door.h"

#include "imapd/client.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n);

static const char *const messages[] = {
	"From: Ann <ann@example.org>\nTo: bob\nSubject: one\nDate: Mon, 3 Mar 2025 10:01:00 +0000\n\ntext\n",
	("Subject: =?utf-8?q?two?=\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\nplain\n--x\n"
	"Content-Type: message/rfc822\n\nSubject: inner\n\nbody\n--x--\n"),
	"no header at all",
};
#define MESSAGES_N (sizeof messages / sizeof *messages)

/* Alice's mailbox as every input finds it. */
static void fill(void)
{
	struct store *store = fuzz_store_open();
	struct folder_info *folders, inbox;
	struct folder_id work;
	struct arena arena = {0};
	size_t n;
	struct err e;

	fuzz_must(folder_list(store, &arena, &folders, &n, &e), &e);
	fuzz_must(folder_by_name(store, "INBOX", &arena, &inbox, &e), &e);
	if (inbox.exists != MESSAGES_N || n != 7) {
		fuzz_store_close(&store);
		fuzz_renew();
		store = fuzz_store_open();
		fuzz_must(folder_by_name(store, "INBOX", &arena, &inbox, &e), &e);
		fuzz_must(folder_create(store, "Work", FOLDER_NO_USE, &work, &e), &e);
		for (size_t i = 0; i < MESSAGES_N; i++)
			fuzz_append(store, inbox.id, messages[i]);
	}
	arena_fini(&arena);
	fuzz_store_close(&store);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	if (n == 0)
		return 0;
	ask_here_in(fuzz_site("fuzz_imap"));
	fill();
	fuzz_talk(&client_door, octets, n);
	return 0;
}
