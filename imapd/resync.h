/*
 * What changed since a modseq that the client names: CHANGEDSINCE and VANISHED of FETCH (RFC 7162
 * 3.1.4.1, 3.2.6), QRESYNC of SELECT (3.2.5).  Costs what changed, not what the folder holds.
 */
#ifndef IMAPD_RESYNC_H
#define IMAPD_RESYNC_H

#include "imapd/cmd.h"
#include "imapd/seq.h"
#include "store/view.h"

/*
 * Cuts resolved UIDs down to ranges in which changes since then lie; each message's modseq still has to
 * be looked at.  Where `asked` is given, tells those of it that went, as VANISHED (EARLIER), but
 * for UIDs up to `matched`, about which the client knows.
 */
WARN_UNUSED int resync_narrow(struct client *client, struct store_modseq since, struct seq_set *set,
    const struct seq_set *asked, uint32_t matched, struct err *e);

/* QRESYNC's argument. */
struct resync_select {
	uint32_t uidvalidity;
	struct store_modseq since;
	struct seq_set known;             /* UIDs; n = 0: all of them */
	struct seq_set match_seqs, match_uids;
};
bool resync_parse(struct parse *p, struct resync_select *select_r);
/*
 * Tells what changed in the folder that was just opened, in steps, and ends with done(req).  Nothing is told
 * where UIDVALIDITY is not the client's.  What fails leaves no folder open.
 */
enum imap_next resync_run(struct imap_req *req, const struct resync_select *select,
    enum imap_next (*done)(struct imap_req *req), struct err *e);

/* --- for those above, and tests; sets are resolved, results in the arena ------------------------- */

struct seq_set resync_intersect(const struct seq_set *a, const struct seq_set *b,
    struct arena *arena);
/* Those of a above `from` and up to `to` that the view does not have. */
struct seq_set resync_missing(const struct seq_set *a, const struct view *view, uint32_t from,
    uint32_t to, struct arena *arena);
/* The highest UID at which the client's sample of numbers and UIDs agrees with the view; 0: none. */
uint32_t resync_match(const struct view *view, const struct seq_set *seqs,
    const struct seq_set *uids);

#endif
