/* deliver/trace.c - trace fields; each line well under 998 octets but for an address that is not. */
#include "deliver/trace.h"

#include <string.h>
#include <time.h>

/* RFC 5322 3.3; the C locale's names are the right ones, and no other is ever set. */
static void put_date(int64_t now_ms, struct str_buf *out)
{
	time_t seconds = (time_t)(now_ms / 1000);
	struct tm tm;
	char text[64];

	gmtime_r(&seconds, &tm);
	strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S +0000", &tm);
	str_buf_puts(out, text);
}

/* "127.0.0.1:50123" and "[::1]:50123" as RFC 5321 4.1.3 writes addresses; nothing for "unix:4711". */
static void put_peer(const char *peer, struct str_buf *out)
{
	const char *colon = peer ? strrchr(peer, ':') : NULL;

	if (!colon || strncmp(peer, "unix:", 5) == 0)
		return;
	if (*peer == '[')
		str_buf_printf(out, " ([IPv6:%.*s)", (int)(colon - peer - 1), peer + 1);
	else
		str_buf_printf(out, " ([%.*s])", (int)(colon - peer), peer);
}

static void put_received(const struct letter_from *from, const char *recipient, const char *host,
    int64_t now_ms, struct str_buf *out)
{
	str_buf_puts(out, "Received: ");
	if (from->helo) {
		str_buf_printf(out, "from %s", from->helo);
		put_peer(from->peer, out);
		str_buf_puts(out, "\r\n\t");
	}
	str_buf_printf(out, "by %s (postern) with %s id %s\r\n\tfor <%s>; ", host, from->protocol, from->id,
	    recipient);
	put_date(now_ms, out);
	str_buf_puts(out, "\r\n");
}

void trace_put(const struct letter_from *from, const char *recipient, const char *received_host,
    int64_t now_ms, struct str_buf *out)
{
	str_buf_printf(out, "Return-Path: <%s>\r\nDelivered-To: %s\r\n", from->return_path, recipient);
	if (received_host)
		put_received(from, recipient, received_host, now_ms, out);
}
