/*
 * Fuzz target for pop3d: cmd.c client.c cmd_*.c stream.c login.c, and auth/sasl.c below AUTH.  The
 * connection is a double, the store is real (fuzz_door.h), with three messages.
 */
#include "ask_here.h"
#include "fuzz_door.h"

#include "pop3d/client.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n);

/* INBOX with three messages, again after an input has deleted them. */
static void fill(void)
{
	struct store *store = fuzz_store_open();
	struct folder_info inbox;
	struct arena arena = {0};
	struct err e;

	fuzz_must(folder_by_name(store, "INBOX", &arena, &inbox, &e), &e);
	if (inbox.exists == 0) {
		fuzz_append(store, inbox.id, "Subject: one\n\n.\n..\ntext\n");
		fuzz_append(store, inbox.id, "Subject: no body\n");
		fuzz_append(store, inbox.id, ".\n");
	}
	arena_fini(&arena);
	fuzz_store_close(&store);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	if (n == 0)
		return 0;
	ask_here_in(fuzz_site("fuzz_pop3"));
	fill();
	fuzz_talk(&pop3_door, octets, n);
	return 0;
}
