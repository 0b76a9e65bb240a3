/* imapd/result.c - results of SEARCH and SORT.  They are kept as runs of sequence numbers, which stand
 * still while the command runs, and turned into what the client asked for as they go out. */
#include "imapd/result.h"

#include "base/mem.h"
#include "imapd/set.h"
#include "imapd/sync.h"
#include "limits/registry.h"

#include <stdlib.h>
#include <string.h>

/* --- RETURN ---------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	enum result_option option;
} options[] = {
	{"ALL", RESULT_ALL},
	{"CONTEXT", RESULT_CONTEXT},
	{"COUNT", RESULT_COUNT},
	{"MAX", RESULT_MAX},
	{"MIN", RESULT_MIN},
	{"PARTIAL", RESULT_PARTIAL},
	{"SAVE", RESULT_SAVE},
	{"UPDATE", RESULT_UPDATE},
};

static bool take_option(struct parse *p, struct result_how *how)
{
	for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
		if (!parse_try_word(p, options[i].name))
			continue;
		if (options[i].option == RESULT_PARTIAL) {
			if (how->options & RESULT_PARTIAL)
				return parse_bad(p, "PARTIAL can stand there once");
			if (!parse_space(p) || !parse_partial(p, &how->partial))
				return false;
		}
		how->options |= options[i].option;
		return true;
	}
	return parse_bad(p, "There is no such RETURN option");
}

bool result_parse_how(struct parse *p, struct result_how *how)
{
	bool first = true;

	if (!parse_try_word(p, "RETURN"))
		return true;
	how->is_extended = true;
	if (!parse_space(p) || !parse_char(p, '('))
		return false;
	for (; !parse_try(p, ')'); first = false)
		if ((!first && !parse_space(p)) || !take_option(p, how))
			return false;
	/* RFC 5267 4.4, RFC 9394 3.1. */
	if ((how->options & RESULT_ALL) && (how->options & RESULT_PARTIAL))
		return parse_bad(p, "ALL and PARTIAL can't stand together");
	/* What asks for nothing to be told asks for ALL (RFC 4731 3.1), but SAVE alone is silent. */
	if (!(how->options & ~(unsigned)(RESULT_CONTEXT | RESULT_UPDATE)))
		how->options |= RESULT_ALL;
	return parse_space(p);
}

uint32_t result_enough(const struct result_how *how)
{
	unsigned front = RESULT_MIN | RESULT_PARTIAL, page = how->options & RESULT_PARTIAL;

	if (!how->is_extended || !(how->options & front) || (page && how->partial.from_end) ||
	    (how->options & ~(front | RESULT_SAVE | RESULT_CONTEXT)))
		return UINT32_MAX;
	return page ? how->partial.to : 1;
}

/* --- what was found -------------------------------------------------------------------------- */

void result_add(struct result *result, uint32_t seq)
{
	struct uid_range *last = result->ranges_n ? &result->ranges[result->ranges_n - 1] : NULL;

	result->n++;
	if (last && last->to + 1 == seq) {
		last->to = seq;
		return;
	}
	if (result->ranges_n == result->room) {
		result->room = result->room ? result->room * 2 : 8;
		result->ranges = mem_realloc(result->ranges, result->room * sizeof *result->ranges);
	}
	result->ranges[result->ranges_n++] = (struct uid_range){seq, seq};
}

void result_fini(struct result *result)
{
	free(result->ranges);
	*result = (struct result){0};
}

/* Moves to a position; the ranges before it are walked once. */
static void seek(const struct result *result, struct result_told *told, uint32_t at)
{
	told->at = at;
	told->range = 0;
	if (result->order)
		return;
	while (told->range < result->ranges_n) {
		const struct uid_range *r = &result->ranges[told->range];
		uint32_t n = r->to - r->from + 1;

		if (at < n)
			break;
		at -= n;
		told->range++;
	}
	told->in_range = at;
}

static uint32_t next_seq(const struct result *result, struct result_told *told)
{
	uint32_t at = told->at++;

	if (result->order)
		return result->order[at];

	const struct uid_range *r = &result->ranges[told->range];
	uint32_t seq = r->from + told->in_range++;

	if (seq == r->to) {
		told->range++;
		told->in_range = 0;
	}
	return seq;
}

/* RFC 5267 3: of what is sorted, the first and the last. */
static uint32_t first_seq(const struct result *result)
{
	return result->order ? result->order[0] : result->ranges[0].from;
}

static uint32_t last_seq(const struct result *result)
{
	return result->order ? result->order[result->n - 1] : result->ranges[result->ranges_n - 1].to;
}

static int by_seq(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

void result_named(const struct result *result, const struct result_how *how, struct result *named)
{
	unsigned some = how->options & (RESULT_MIN | RESULT_MAX | RESULT_PARTIAL);
	struct result_told at = {0};
	uint32_t *seqs, n = 0;

	if (result->n == 0)
		return;
	if (!some || (how->options & (RESULT_ALL | RESULT_COUNT))) {
		named->ranges = mem_realloc(NULL, result->ranges_n * sizeof *named->ranges);
		memcpy(named->ranges, result->ranges, result->ranges_n * sizeof *named->ranges);
		named->ranges_n = named->room = result->ranges_n;
		named->n = result->n;
		return;
	}
	if (some & RESULT_PARTIAL) {
		struct span span = set_partial_span(&how->partial, result->n);

		at.end = span.end;
		seek(result, &at, span.at);
	}
	seqs = mem_alloc((at.end - at.at + 2) * sizeof *seqs);
	if (some & RESULT_MIN)
		seqs[n++] = first_seq(result);
	if (some & RESULT_MAX)
		seqs[n++] = last_seq(result);
	while (at.at < at.end)
		seqs[n++] = next_seq(result, &at);
	qsort(seqs, n, sizeof *seqs, by_seq);
	for (uint32_t i = 0; i < n; i++)
		if (i == 0 || seqs[i] != seqs[i - 1])
			result_add(named, seqs[i]);
	free(seqs);
}

struct seq_set result_uids(const struct imap_req *req, const struct result *result)
{
	struct seq_set set = {arena_copy(&req->client->arena, result->ranges,
	    result->ranges_n * sizeof *result->ranges), result->ranges_n, false};

	set_to_uids(&req->client->selected->view, &set);
	return set;
}

void result_forget(struct client *client)
{
	struct seq_set *saved = &client->selected->saved;

	mem_free(&saved->ranges);
	saved->n = 0;
}

bool result_save(struct imap_req *req, const struct result *result)
{
	struct client *client = req->client;
	struct seq_set *saved = &client->selected->saved;
	struct seq_set set;

	result_forget(client);
	if (result->ranges_n > setting_get(client->site, SETTING_IMAP_SAVED_MAX))
		return false;
	if (result->n == 0)
		return true;
	set = result_uids(req, result);
	saved->ranges = mem_realloc(NULL, set.n * sizeof *set.ranges);
	memcpy(saved->ranges, set.ranges, set.n * sizeof *set.ranges);
	saved->n = set.n;
	return true;
}

/* --- telling --------------------------------------------------------------------------------- */

static uint32_t number_of(const struct imap_req *req, uint32_t seq)
{
	return req->uid ? view_uid(&req->client->selected->view, seq) : seq;
}

static void put_item(struct str_buf *out, const char *name, uint32_t n)
{
	str_buf_puts(out, name);
	str_buf_put_number(out, n);
}

/* All before the list of numbers; the list is then told->at up to told->end. */
static void begin_extended(struct imap_req *req, const struct result *result,
    const struct result_how *how, struct result_told *told)
{
	struct str_buf *out = conn_out(req->client->conn);
	uint32_t from = 0;

	str_buf_puts(out, "* ESEARCH (TAG \"");
	str_buf_put(out, req->tag.p, req->tag.n);
	str_buf_puts(out, req->uid ? "\") UID" : "\")");
	if ((how->options & RESULT_MIN) && result->n)
		put_item(out, " MIN ", number_of(req, first_seq(result)));
	if ((how->options & RESULT_MAX) && result->n)
		put_item(out, " MAX ", number_of(req, last_seq(result)));
	if (how->options & RESULT_COUNT)
		put_item(out, " COUNT ", result->n);
	if ((how->options & RESULT_ALL) && result->n) {
		told->end = result->n;
		str_buf_puts(out, " ALL ");
	} else if (how->options & RESULT_PARTIAL) {
		struct span span = set_partial_span(&how->partial, result->n);

		from = span.at;
		told->end = span.end;
		str_buf_puts(out, " PARTIAL (");
		str_buf_put(out, how->partial.text.p, how->partial.text.n);
		str_buf_puts(out, from < told->end ? " " : " NIL");
	}
	seek(result, told, from);
}

static void begin(struct imap_req *req, const char *name, const struct result *result,
    const struct result_how *how, struct result_told *told)
{
	struct str_buf *out = conn_out(req->client->conn);

	told->has_begun = true;
	if (how->is_extended) {
		begin_extended(req, result, how, told);
		return;
	}
	str_buf_put(out, "* ", 2);
	str_buf_puts(out, name);
	told->end = result->n;
	seek(result, told, 0);
}

static void end(struct imap_req *req, const struct result *result, const struct result_how *how,
    uint64_t modseq)
{
	struct str_buf *out = conn_out(req->client->conn);

	if (how->is_extended && (how->options & RESULT_PARTIAL))
		str_buf_putc(out, ')');
	/* RFC 7162 3.1.5: nothing found, no modseq. */
	if (modseq && result->n) {
		str_buf_puts(out, how->is_extended ? " MODSEQ " : " (MODSEQ ");
		str_buf_put_number(out, modseq);
		str_buf_puts(out, how->is_extended ? "" : ")");
	}
	str_buf_put(out, "\r\n", 2);
}

enum imap_next result_tell(struct imap_req *req, const char *name, const struct result *result,
    const struct result_how *how, uint64_t modseq, struct result_told *told)
{
	struct client *client = req->client;
	struct str_buf *out = conn_out(client->conn);

	if (how->is_extended && how->options == RESULT_SAVE)
		return IMAP_DONE;
	if (!told->has_begun)
		begin(req, name, result, how, told);
	client->in_response = true;
	told->writer.out = out;
	while (told->at < told->end) {
		uint32_t n = number_of(req, next_seq(result, told));

		if (how->is_extended) {
			seq_write(&told->writer, n);
		} else {
			str_buf_putc(out, ' ');
			str_buf_put_number(out, n);
		}
		/* Looked at now and then: it is a call for a few octets. */
		if ((told->at & 1023) == 0 && conn_should_yield(client->conn))
			return IMAP_YIELD;
	}
	seq_write_end(&told->writer);
	end(req, result, how, modseq);
	client->in_response = false;
	return IMAP_DONE;
}
