/* imapd/cmd_search.c - RFC 9051 6.4.4, with ESEARCH (RFC 4731) and "$" (RFC 5182). */
#include "imapd/search.h"

static bool search_check(struct imap_req *req)
{
	struct search *search = req->data = ARENA_NEW(&req->client->arena, struct search);

	if (!search_parse_how(req, search) ||
	    !search_parse_charset(req, &search->args) || !search_parse(req, &search->args))
		return false;
	/* RFC 9051 6.4.4: who speaks IMAP4rev2 never gets the SEARCH response. */
	if (!search->how.is_extended && (req->client->enabled & ENABLED_REV2)) {
		search->how.is_extended = true;
		search->how.options = RESULT_ALL;
	}
	return true;
}

static enum imap_next tell(struct imap_req *req, struct err *e)
{
	return search_tell(req, "SEARCH", e);
}

static enum imap_next found(struct imap_req *req, struct err *e)
{
	req->step = tell;
	return tell(req, e);
}

static enum imap_next search_run_cmd(struct imap_req *req, struct err *e)
{
	struct search *search = req->data;

	search->then = found;
	return search_start(req, e);
}

const struct imap_cmd imap_cmd_search = {
	.name = "SEARCH", .rfc = "9051 6.4.4", .capability = "ESEARCH SEARCHRES WITHIN PARTIAL INPROGRESS I18NLEVEL=1",
	.states = IMAP_SELECTED, .flags = IMAP_KEEPS_SEQS, .uid_flags = IMAP_UID,
	.args = "[RETURN (option...)] [CHARSET charset] key...", .check = search_check,
	.run = search_run_cmd,
};
