/*
 * imapd/context_tell.c - ADDTO and REMOVEFROM of a context, and the order in which SORT's members stand.
 */
#include "imapd/context_priv.h"

#include "base/mem.h"
#include "imapd/reply.h"
#include "imapd/sync.h"

#include <string.h>

static uint32_t number_of(struct client *client, const struct context *context, uint32_t uid)
{
	return context->uid ? uid : view_seq(&client->selected->view, uid);
}

static void begin_response(struct client *client, const struct context *context, const char *what)
{
	struct str_buf *out = conn_out(client->conn);

	str_buf_puts(out, "* ESEARCH (TAG \"");
	str_buf_put(out, context->tag.p, context->tag.n);
	str_buf_puts(out, context->uid ? "\") UID " : "\") ");
	str_buf_puts(out, what);
}

/* Position 0: there is no order (RFC 5267 4.3.2). */
void context_tell_set(struct client *client, const struct context *context, const char *what,
    const uint32_t *uids, size_t n)
{
	struct seq_writer w = {.out = conn_out(client->conn)};

	begin_response(client, context, what);
	str_buf_puts(w.out, " (0 ");
	for (size_t i = 0; i < n; i++)
		seq_write(&w, number_of(client, context, uids[i]));
	seq_write_end(&w);
	str_buf_puts(w.out, ")\r\n");
}

static void put_position(struct client *client, const struct context *context, size_t position,
    uint32_t uid, bool first)
{
	struct str_buf *out = conn_out(client->conn);

	str_buf_puts(out, first ? " (" : " ");
	str_buf_put_number(out, position);
	str_buf_putc(out, ' ');
	str_buf_put_number(out, number_of(client, context, uid));
}

/* --- order ----------------------------------------------------------------------------------- */

/* From the end, so that each position is right when those before it are gone. */
void context_remove_sorted(struct client *client, struct context *context, const uint32_t *uids,
    size_t n)
{
	size_t kept = 0;
	bool first = true;

	begin_response(client, context, "REMOVEFROM");
	for (size_t i = context->order_n; i-- > 0;) {
		if (!uids_have(uids, n, context->order[i]))
			continue;
		put_position(client, context, i + 1, context->order[i], first);
		first = false;
	}
	str_buf_puts(conn_out(client->conn), ")\r\n");
	for (size_t i = 0; i < context->order_n; i++)
		if (!uids_have(uids, n, context->order[i]))
			context->order[kept++] = context->order[i];
	context->order_n = kept;
}

/* One message's keys; 1, or 0 where it is gone; -1. */
static int keys_of(struct client *client, const struct context *context, uint32_t uid,
    struct arena *arena, struct message_keys *keys_r, struct err *e)
{
	struct uid_range range = {uid, uid};
	struct message_keys *list;
	size_t n;

	if (message_keys_list(client->store, client->selected->id, &range, 1,
	        sort_what(context->program), 1, arena, &list, &n, e) != 0)
		return -1;
	if (n)
		*keys_r = list[0];
	return n ? 1 : 0;
}

/* Where a message belongs; those that are gone already are passed by on the way. */
static int find_place(struct client *client, const struct context *context,
    const struct message_keys *keys, size_t *place_r, struct err *e)
{
	size_t low = 0, high = context->order_n;
	struct arena arena = {0};
	int result = 0;

	while (low < high && result >= 0) {
		size_t mid = low + (high - low) / 2, probe = mid;
		struct message_keys there;

		while (probe < high && (result = keys_of(client, context, context->order[probe], &arena,
		                            &there, e)) == 0)
			probe++;
		if (result > 0 && sort_compare(context->program, &there, keys) < 0)
			low = probe + 1;
		else
			high = mid;
		arena_fini(&arena);
	}
	*place_r = low;
	return result < 0 ? -1 : 0;
}

int context_add_sorted(struct client *client, struct context *context, const uint32_t *uids,
    size_t n, struct err *e)
{
	struct str_buf *out = conn_out(client->conn);
	size_t mark = out->n;
	struct arena arena = {0};
	int result = 0;

	begin_response(client, context, "ADDTO");
	if (context->order_n + n > context->order_room) {
		context->order_room = context->order_n + n + context->order_n / 4;
		context->order = mem_realloc(context->order,
		    context->order_room * sizeof *context->order);
	}
	for (size_t i = 0; i < n && result >= 0; i++) {
		struct message_keys keys = {.uid.n = uids[i]};
		size_t at;

		/* Gone again: anywhere will do until that is told. */
		result = keys_of(client, context, uids[i], &arena, &keys, e);
		if (result >= 0)
			result = find_place(client, context, &keys, &at, e);
		arena_fini(&arena);
		if (result < 0)
			break;
		memmove(context->order + at + 1, context->order + at,
		    (context->order_n++ - at) * sizeof *context->order);
		context->order[at] = uids[i];
		put_position(client, context, at + 1, uids[i], i == 0);
	}
	if (result < 0)
		out->n = mark;
	else
		str_buf_puts(out, ")\r\n");
	return result < 0 ? -1 : 0;
}
