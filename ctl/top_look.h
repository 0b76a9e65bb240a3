/*
 * What postern top shows: a look at who holds what and at what was counted, and lines made of it.  A look is taken once in an
 * interval; its rows are chosen and ordered anew at each key.
 */
#ifndef CTL_TOP_LOOK_H
#define CTL_TOP_LOOK_H

#include "limits/holder.h"
#include "limits/tally.h"

#include <stdbool.h>

/* Refusals are told by user for so long: they stand in the Application log. */
#define TOP_REFUSED_MINUTES 10

struct top_user {
	struct holder holder;
	uint64_t refused;
};

/* What was counted, and when it was read; mono_ms 0: not yet. */
struct top_tally {
	struct tally_sums sums;
	int64_t mono_ms;
};

struct top_look {
	struct site *site;
	struct arena arena;
	struct session_info *list;
	struct top_user *users; /* who holds any, by name */
	size_t n, users_n;
	size_t held[SESSION_SERVICES_N], stuck_n; /* of the list: by service; of daemons that do not run */
	size_t near_n, full_n; /* of the users: near a limit, and at one of these */
	int64_t at_ms;         /* wall */
	struct tally_sums sums;
	int64_t since_ms;      /* how long the sums took to come; 0: they are those since the host is up */
};

/* The sums are those since *last, which becomes what was read now. */
WARN_UNUSED int top_look_at(struct site *site, struct top_tally *last, struct top_look *look_r, struct err *e);
void top_look_fini(struct top_look *look);

enum top_order { TOP_BY_USER, TOP_BY_COUNT, TOP_BY_IDLE, TOP_BY_REFUSED };
struct top_choice {
	bool sessions; /* a row for each session, else for each user */
	enum top_order order;
	struct user_id user; /* 0: everybody */
	const char *prefix;  /* how a name begins; "": however */
};

struct top_row {
	const struct top_user *user;        /* NULL: of a session that counts for nobody */
	const struct session_info *session; /* NULL: the row is a user's */
};

struct top_rows {
	struct top_row *rows;
	size_t n;
};
struct top_rows top_rows_choose(const struct top_look *look, const struct top_choice *choice);
void top_rows_fini(struct top_rows *rows);

/* Lines for the server, and how many they are. */
#define TOP_HEAD_LINES 7
void top_put_head(const struct top_look *look, struct str_buf *out);
/* One line with what stands in the columns, and lines for the rows [from, to). */
void top_put_heading(const struct top_choice *choice, struct str_buf *out);
void top_put_rows(const struct top_look *look, const struct top_rows *rows, size_t from, size_t to, struct str_buf *out);

#endif
