/* imapd/catenate.c - see catenate.h.  A source is found in one transaction and read in slices of its
 * own; what is expunged meanwhile can be read for KeepDeleted longer. */
#include "imapd/catenate.h"

#include "base/mem.h"
#include "imapd/sync.h"

#include <stdlib.h>

#define SLICE_OCTETS 262144

struct catenate {
	uint64_t content;
	struct str_buf made;
	struct fetch_span span; /* what is left */
	struct str_buf slice;
};

static bool find_folder(struct client *client, const struct imap_url *url, struct folder_id *id_r)
{
	struct folder_info info;
	struct err e;

	if (!url->mailbox) {
		if (!client->selected)
			return false;
		*id_r = client->selected->id;
		return !url->uidvalidity || url->uidvalidity == client->selected->uidvalidity;
	}
	if (folder_by_name(client->store, url->mailbox, &client->arena, &info, &e) != 0)
		return false;
	*id_r = info.id;
	return !url->uidvalidity || url->uidvalidity == info.uidvalidity;
}

/* The octets of a message's section; false: it has none such. */
static bool find_text(struct client *client, struct arena *arena, const struct imap_url *url,
    struct catenate *source)
{
	struct uid_range range = {url->uid, url->uid};
	struct message_info *messages;
	struct folder_id folder;
	struct err e;
	size_t n;

	if (!find_folder(client, url, &folder) ||
	    message_list(client->store, folder, &range, 1, MESSAGE_BASIC | MESSAGE_PARTS, 1, arena,
	        &messages, &n, &e) != 0 || n == 0)
		return false;
	source->content = messages[0].content;
	return fetch_section_find(client->store, &messages[0], &url->section, arena, &source->made,
	    &source->span, &e) == 0 && source->span.exists;
}

bool catenate_open(struct client *client, struct str_view text, struct catenate **source_r)
{
	struct catenate *source = mem_alloc(sizeof *source);
	struct arena arena = {0};
	struct imap_url url;
	bool found = imap_url_parse(text, &arena, &client->parse_limits, &url) &&
	    find_text(client, &arena, &url, source);

	arena_fini(&arena);
	if (found)
		*source_r = source;
	else
		catenate_close(&source);
	return found;
}

int catenate_copy(struct store *store, struct catenate *source, struct append *append,
    struct err *e)
{
	size_t n = source->span.n < SLICE_OCTETS ? (size_t)source->span.n : SLICE_OCTETS;
	const char *octets = str_buf_room(&source->slice, n);

	if (n == 0)
		return 0;
	if (source->span.is_made)
		octets = source->made.p + source->span.at;
	else if (content_read(store, source->content, source->span.at, source->slice.p, n, &n, e) != 0)
		return -1;
	if (n == 0)
		return err_set(e, ERR_EXPUNGED, "a text ends early");
	if (append_write(append, octets, n, e) != 0)
		return -1;
	source->span.at += n;
	source->span.n -= n;
	return source->span.n > 0;
}

void catenate_close(struct catenate **source)
{
	if (!*source)
		return;
	str_buf_fini(&(*source)->made);
	str_buf_fini(&(*source)->slice);
	mem_free(source);
}

/* What a quoted string can't hold is told as the URL should have: percent-encoded. */
const char *catenate_badurl(struct arena *arena, struct str_view url)
{
	struct str_buf code = {0};
	const char *kept;

	str_buf_puts(&code, "BADURL \"");
	for (size_t i = 0; i < url.n; i++) {
		unsigned char c = (unsigned char)url.p[i];

		if (c <= 0x20 || c >= 0x7f || c == '"' || c == '\\')
			str_buf_printf(&code, "%%%02X", c);
		else
			str_buf_putc(&code, (char)c);
	}
	str_buf_putc(&code, '"');
	kept = arena_strn(arena, code.p, code.n);
	str_buf_fini(&code);
	return kept;
}
