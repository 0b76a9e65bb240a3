/* deliver/letter.c - from the spool into a mailbox: trace fields, octets, keys, one commit. */
#include "deliver/letter.h"

#include "auth/login.h"
#include "base/clock.h"
#include "base/log.h"
#include "deliver/choose.h"
#include "limits/registry.h"
#include "mime/decode.h"
#include "store/delivery.h"
#include "store/store.h"

#include <string.h>

#define SLICE_OCTETS 262144
#define HEADER_OCTETS 65536 /* a Message-ID that stands behind them is not looked for */

_Static_assert(NET_DIGEST_OCTETS == DELIVERY_KEY_OCTETS, "a digest is a key");

void letter_begin(struct letter *letter, struct site *site)
{
	*letter = (struct letter){.site = site, .spool.dir_fd = site_dir_fd(site),
	    .size_max = setting_get(site, SETTING_MESSAGE_SIZE_MAX)};
	net_sha256_init(&letter->hash);
}

int letter_put(struct letter *letter, const void *octets, size_t n, struct err *e)
{
	if (letter_size(letter) + n > letter->size_max)
		return err_set(e, ERR_TOOBIG, "over %llu octets", (unsigned long long)letter->size_max);
	if (memchr(octets, '\0', n))
		return err_set(e, ERR_INVALID, "a NUL in the message");
	net_sha256_feed(&letter->hash, octets, n);
	return spool_put(&letter->spool, octets, n, e);
}

static int find_message_id(struct letter *letter, struct err *e)
{
	size_t n = letter_size(letter) < HEADER_OCTETS ? (size_t)letter_size(letter) : HEADER_OCTETS;
	struct str_buf room = {0};
	struct str_view header, value;
	int r = spool_peek(&letter->spool, 0, n, &room, &header, e);

	if (r == 0 && mime_header_find(header, SV("message-id"), 0, &value)) {
		value = str_trim(value);
		str_buf_put(&letter->message_id, value.p, value.n);
	}
	str_buf_fini(&room);
	return r;
}

int letter_end(struct letter *letter, struct err *e)
{
	net_sha256_finish(&letter->hash, letter->digest);
	if (spool_end(&letter->spool, e) < 0)
		return -1;
	return setting_get(letter->site, SETTING_SUPPRESS_MESSAGE_ID) ? find_message_id(letter, e) : 0;
}

/* A digest of texts, each with its length in front; `what` keeps kinds of keys apart. */
static void make_key(const char *what, const struct str_view *texts, size_t n, struct delivery_key *key)
{
	struct net_sha256 hash;

	net_sha256_init(&hash);
	net_sha256_feed(&hash, what, strlen(what) + 1);
	for (size_t i = 0; i < n; i++) {
		uint64_t length = texts[i].n;

		net_sha256_feed(&hash, &length, sizeof length);
		net_sha256_feed(&hash, texts[i].p, texts[i].n);
	}
	net_sha256_finish(&hash, key->octets);
}

static size_t make_keys(const struct letter *letter, const struct letter_from *from,
    const struct recipient *to, struct delivery_key keys[DELIVERY_KEYS_MAX])
{
	const struct str_view delivery[] = {
	    str_view(to->address, strlen(to->address)),
	    str_view(from->return_path, strlen(from->return_path)),
	    str_view((const char *)letter->digest, sizeof letter->digest),
	};
	const struct str_view message_id = str_buf_view(&letter->message_id);

	make_key("delivery", delivery, sizeof delivery / sizeof *delivery, &keys[0]);
	if (message_id.n == 0)
		return 1;
	make_key("message-id", &message_id, 1, &keys[1]);
	return 2;
}

/* The trace fields and the letter's octets. */
static int write_all(struct letter *letter, const struct letter_from *from, const struct recipient *to,
    struct append *append, struct err *e)
{
	bool received = setting_get(letter->site, SETTING_TRACE_RECEIVED);
	struct str_buf room = {0};
	struct str_view octets;
	int r;

	trace_put(from, to->address, received ? site_host_name(letter->site) : NULL, clock_wall_ms(), &room);
	r = append_write_trace(append, room.p, room.n, e);
	for (uint64_t at = 0; r == 0 && at < letter_size(letter); at += octets.n) {
		uint64_t left = letter_size(letter) - at;

		r = spool_peek(&letter->spool, at, left < SLICE_OCTETS ? (size_t)left : SLICE_OCTETS, &room,
		    &octets, e);
		if (r == 0)
			r = append_write(append, octets.p, octets.n, e);
	}
	str_buf_fini(&room);
	return r;
}

static int deliver_into(struct letter *letter, const struct letter_from *from,
    const struct recipient *to, struct store *store, bool *was_there_r, struct err *e)
{
	struct append_how how = {.idate_ms = INT64_MIN};
	struct delivery_key keys[DELIVERY_KEYS_MAX];
	size_t keys_n = make_keys(letter, from, to, keys);
	struct append *append = NULL;
	struct delivery_done done;
	struct arena arena = {0};
	int r = deliver_choose(store, to, &arena, &how.folder_name, e);

	if (r == 0)
		r = append_begin(store, &append, e);
	if (r == 0)
		r = write_all(letter, from, to, append, e);
	if (r == 0)
		r = append_deliver(&append, &how, keys, keys_n, &done, e);
	if (r == 0) {
		*was_there_r = done.was_there;
		log_info("delivered", "id=%s user=%s folder=%s octets=%llu%s", from->id, LOG_Q(to->user_name),
		    LOG_Q(how.folder_name), (unsigned long long)letter_size(letter),
		    done.was_there ? " again=1" : "");
	}
	append_abort(&append);
	arena_fini(&arena);
	return r;
}

int letter_deliver(struct letter *letter, const struct letter_from *from, const struct recipient *to,
    bool *was_there_r, struct err *e)
{
	const struct session_request more = {.peer = from->peer};
	struct session_refusal why = {0};
	struct session *session;
	struct store *store;
	int r;

	if (auth_open(letter->site, SESSION_TRANSPORT, to->user_name, NULL, &more, &session, &why, e) < 0)
		return -1;
	r = store_open(session, &store, e);
	if (r == 0) {
		r = deliver_into(letter, from, to, store, was_there_r, e);
		store_close(&store);
	}
	session_release(&session);
	return r;
}

void letter_fini(struct letter *letter)
{
	spool_fini(&letter->spool);
	net_sha256_fini(&letter->hash);
	str_buf_fini(&letter->message_id);
}
