/* imapd/progress.c - RFC 9585 3: goals are integers that don't change while a command runs. */
#include "imapd/progress.h"

#include "limits/registry.h"
#include "base/check.h"
#include "base/clock.h"

void progress_tell(struct imap_req *req, struct progress *progress, uint64_t done, uint64_t total)
{
	struct client *client = req->client;
	int64_t now_ms = clock_mono_ms();
	int64_t interval_ms = (int64_t)setting_get(client->site, SETTING_IMAP_PROGRESS_S) * 1000;
	struct str_buf *out = conn_out(client->conn);

	CHECK(!client->in_response);
	if (!progress->due_ms)
		progress->due_ms = now_ms + interval_ms;
	if (now_ms < progress->due_ms)
		return;
	progress->due_ms = now_ms + interval_ms;
	str_buf_puts(out, "* OK [INPROGRESS (\"");
	str_buf_put(out, req->tag.p, req->tag.n);
	str_buf_puts(out, "\" ");
	str_buf_put_number(out, total && done > total ? total : done);
	str_buf_putc(out, ' ');
	if (total)
		str_buf_put_number(out, total);
	else
		str_buf_puts(out, "NIL");
	str_buf_puts(out, ")] Still at it\r\n");
}
