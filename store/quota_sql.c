/* store/quota_sql.c - quotas: two columns of the mailbox's row, and the settings behind them. */
#include "store/quota.h"
#include "store/txn_priv.h"

static struct quota_limit limit_get(struct query *q, int column)
{
	if (query_get_null(q, column))
		return (struct quota_limit){0, false};
	return (struct quota_limit){(uint64_t)query_get_int(q, column), true};
}

void quota_follow_settings(struct site *site, struct quota *quota)
{
	if (!quota->octets.is_own)
		quota->octets.most = (uint64_t)setting_get(site, SETTING_QUOTA_STORAGE) * QUOTA_UNIT_OCTETS;
	if (!quota->messages.is_own)
		quota->messages.most = setting_get(site, SETTING_QUOTA_MESSAGES);
}

static int quota_read(struct txn *t, struct quota *quota_r, struct err *e)
{
	struct query q;
	int r;

	if (query_begin(&q, t->db,
		"SELECT s.quota_bytes, s.quota_messages, c.bytes, c.n_exists FROM store s, counter c "
		"WHERE s.id = 1 AND c.folder = 0",
		e) < 0)
		return -1;
	r = query_step(&q, e);
	if (r > 0) {
		*quota_r = (struct quota){
		    .octets = limit_get(&q, 0),
		    .messages = limit_get(&q, 1),
		    .octets_used = (uint64_t)query_get_int(&q, 2),
		    .messages_used = (uint64_t)query_get_int(&q, 3),
		};
		quota_follow_settings(t->mailbox->site->site, quota_r);
	}
	query_end(&q);
	return r < 0 ? -1 : r == 0 ? err_set(e, ERR_CORRUPT, "the store's own row is missing") : 0;
}

static bool is_over(struct quota_limit limit, uint64_t used, uint64_t more)
{
	return limit.most && (more > limit.most || used > limit.most - more);
}

int quota_check(struct txn *t, uint64_t messages, uint64_t octets, struct err *e)
{
	struct quota quota;

	if (quota_read(t, &quota, e) < 0)
		return -1;
	if (is_over(quota.octets, quota.octets_used, octets) ||
	    is_over(quota.messages, quota.messages_used, messages))
		return err_set(e, ERR_QUOTA, "the mailbox would be over its quota");
	return 0;
}

int quota_get(struct store *store, struct quota *quota_r, struct err *e)
{
	struct txn t;
	int r;

	if (txn_read(store, &t, e) < 0)
		return -1;
	r = quota_read(&t, quota_r, e);
	txn_read_end(&t);
	return r;
}

/* -1 stands for NULL, so that one statement does for all. */
static int64_t column_of(struct quota_limit limit)
{
	return limit.is_own ? (int64_t)(limit.most > INT64_MAX ? INT64_MAX : limit.most) : -1;
}

int quota_set(struct store *store, struct quota_limit octets, struct quota_limit messages,
    struct err *e)
{
	const struct tally nothing = {0};
	struct txn t = {0};
	int r;

	if (txn_write(store, HANDLE_DURABLE, &t, e) < 0)
		return -1;
	r = DB_RUN(t.db, e,
	    "UPDATE store SET quota_bytes = nullif(?1, -1), quota_messages = nullif(?2, -1) "
	    "WHERE id = 1",
	    column_of(octets), column_of(messages));
	/* The doorbell rings: who remembers a quota asks anew. */
	if (r == 0)
		r = tally_write(&t, &nothing, e);
	if (r == 0)
		r = txn_commit(&t, e);
	txn_abort(&t);
	return r;
}
