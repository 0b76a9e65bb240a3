/* pop3d/maildrop.c - the snapshot of INBOX: 40 octets a message, read in slices. */
#include "pop3d/maildrop.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "pop3d/surrogate.h"

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
		    .is_utf8 = drop->utf8 != MAILDROP_UTF8_AS_IS && list[i].header_8bit,
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

/* Of those that may be in UTF-8, which are; and what they measure as they are told (RFC 1939 11).  One that
 * can't be read is told so at its RETR. */
static void measure_utf8(struct store *store, struct maildrop *drop)
{
	for (struct maildrop_message *m = drop->messages; m < drop->messages + drop->n; m++) {
		struct pop3_surrogate surrogate = {0};
		struct arena arena = {0};
		struct err e;

		if (!m->is_utf8)
			continue;
		if (pop3_surrogate_find(store, m->content, &arena, &surrogate, &e) < 0)
			log_warn("message-unread", "uid=%u %s", (unsigned)m->uid, log_err(&e));
		m->is_utf8 = surrogate.n > 0;
		if (drop->utf8 == MAILDROP_UTF8_DOWNGRADED) {
			drop->left_octets -= m->size;
			m->size = pop3_surrogate_size(&surrogate, m->size);
			drop->left_octets += m->size;
		}
		arena_fini(&arena);
	}
}

/* How many of the list came before: UIDs are given in the order of arrival, so these stand first. */
static size_t count_older(const struct message_info *list, size_t n, int64_t before_ms)
{
	size_t older = 0;

	while (older < n && list[older].saved_ms < before_ms)
		older++;
	return older;
}

/* A slice: what was expunged, and whether there may be more. */
static int expire_some(struct store *store, struct folder_id inbox, int64_t before_ms, size_t *gone_n_r,
    bool *more_r, struct err *e)
{
	struct uid_range range = {1, UINT32_MAX};
	struct arena arena = {0};
	struct message_info *list;
	struct store_uid *gone;
	size_t n, older = 0;
	int result = message_list(store, inbox, &range, 1, MESSAGE_ROW, SLICE_N, &arena, &list, &n, e);

	*gone_n_r = 0;
	if (result == 0 && (older = count_older(list, n, before_ms)) > 0) {
		range.to = list[older - 1].uid.n;
		result = message_expunge(store, inbox, &range, 1, false, &arena, &gone, gone_n_r, e);
	}
	*more_r = older == SLICE_N;
	arena_fini(&arena);
	return result;
}

int maildrop_expire(struct store *store, uint32_t days, size_t *gone_n_r, struct err *e)
{
	int64_t before_ms = clock_wall_ms() - (int64_t)days * 86400000;
	struct folder_info inbox;
	struct arena arena = {0};
	size_t gone_n = 0, some_n;
	bool more = true;
	int result = folder_by_name(store, "INBOX", &arena, &inbox, e);

	for (; result == 0 && more; gone_n += some_n)
		result = expire_some(store, inbox.id, before_ms, &some_n, &more, e);
	arena_fini(&arena);
	if (result == 0)
		*gone_n_r = gone_n;
	return result;
}

int maildrop_open(struct store *store, size_t max_n, enum maildrop_utf8 utf8, struct maildrop *drop_r,
    struct err *e)
{
	struct maildrop drop = {.utf8 = utf8};
	struct folder_info inbox;
	struct arena arena = {0};
	size_t size;
	int result = folder_by_name(store, "INBOX", &arena, &inbox, e);

	if (result == 0) {
		drop.folder = inbox.id;
		drop.mailbox = session_mailbox(store_session(store));
		/* What arrives between the count and the list waits for the next login. */
		size = inbox.exists < max_n ? inbox.exists : max_n;
		drop.messages = mem_alloc(size * sizeof(*drop.messages));
		result = read_all(store, &drop, size, e);
	}
	arena_fini(&arena);
	if (result == 0)
		measure_utf8(store, &drop);
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

void maildrop_delete_retrieved(struct maildrop *drop)
{
	for (size_t i = 0; i < drop->n; i++)
		if (drop->messages[i].retrieved && !drop->messages[i].deleted)
			maildrop_delete(drop, &drop->messages[i]);
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
