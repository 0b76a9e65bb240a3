/* pop3d/maildrop.c - the snapshot of INBOX: 40 octets a message, read in slices. */
#include "pop3d/maildrop.h"
#include "base/mem.h"

#include <stdlib.h>

#define SLICE_N 1000

static void take(struct maildrop *drop, const struct message_info *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		drop->messages[drop->n++] = (struct maildrop_message){
		    .content = list[i].content,
		    .size = list[i].size,
		    .header_n = list[i].header_n,
		    .uid = list[i].uid.n,
		};
		drop->left_octets += list[i].size;
	}
	drop->left_n = drop->n;
}

static int read_all(struct store *store, struct maildrop *drop, size_t size, struct err *e)
{
	struct uid_range range = {1, UINT32_MAX};
	struct arena arena = {0};
	struct message_info *list;
	size_t n = 1;
	int result = 0;

	while (result == 0 && n > 0 && drop->n < size) {
		size_t want = size - drop->n < SLICE_N ? size - drop->n : SLICE_N;

		result = message_list(
		    store, drop->folder, &range, 1, MESSAGE_BASIC, want, &arena, &list, &n, e);
		if (result == 0 && n > 0) {
			take(drop, list, n);
			range.from = list[n - 1].uid.n + 1;
			if (range.from == 0) /* the highest UID there is */
				break;
		}
		arena_fini(&arena);
	}
	arena_fini(&arena);
	return result;
}

int maildrop_open(struct store *store, size_t max_n, struct maildrop *drop_r, struct err *e)
{
	struct maildrop drop = {0};
	struct folder_info inbox;
	struct arena arena = {0};
	size_t size;
	int result = folder_by_name(store, "INBOX", &arena, &inbox, e);

	if (result == 0) {
		drop.folder = inbox.id;
		drop.uidvalidity = inbox.uidvalidity;
		/* What arrives between the count and the list waits for the next login. */
		size = inbox.exists < max_n ? inbox.exists : max_n;
		drop.messages = mem_alloc(size * sizeof(*drop.messages));
		result = read_all(store, &drop, size, e);
	}
	arena_fini(&arena);
	if (result == 0)
		*drop_r = drop;
	else
		maildrop_fini(&drop);
	return result;
}

void maildrop_fini(struct maildrop *drop)
{
	free(drop->messages);
	*drop = (struct maildrop){0};
}

void maildrop_delete(struct maildrop *drop, struct maildrop_message *message)
{
	message->deleted = true;
	drop->left_n--;
	drop->left_octets -= message->size;
}

void maildrop_undelete_all(struct maildrop *drop)
{
	for (size_t i = 0; i < drop->n; i++) {
		if (!drop->messages[i].deleted)
			continue;
		drop->messages[i].deleted = false;
		drop->left_n++;
		drop->left_octets += drop->messages[i].size;
	}
}

/* Deleted messages that stand side by side in the snapshot are one range: UIDs between them belong
 * to nobody, and no new message gets one. */
static size_t ranges_of(const struct maildrop *drop, struct uid_range *ranges)
{
	size_t n = 0;

	for (size_t i = 0; i < drop->n; i++) {
		if (!drop->messages[i].deleted)
			continue;
		if (i > 0 && drop->messages[i - 1].deleted)
			ranges[n - 1].to = drop->messages[i].uid;
		else
			ranges[n++] = (struct uid_range){drop->messages[i].uid, drop->messages[i].uid};
	}
	return n;
}

int maildrop_commit(struct store *store, const struct maildrop *drop, size_t *gone_n_r,
    struct err *e)
{
	struct uid_range *ranges;
	struct arena arena = {0};
	struct store_uid *gone;
	int result;

	if (drop->left_n == drop->n) {
		*gone_n_r = 0;
		return 0;
	}
	ranges = mem_alloc((drop->n - drop->left_n) * sizeof(*ranges));
	result = message_expunge(store, drop->folder, ranges, ranges_of(drop, ranges), false, &arena,
	    &gone, gone_n_r, e);
	arena_fini(&arena);
	free(ranges);
	return result;
}
