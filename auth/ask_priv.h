/* What the files of asking share. */
#ifndef AUTH_ASK_PRIV_H
#define AUTH_ASK_PRIV_H

#include "auth/ask.h"
#include "auth/recall.h"

#include <pthread.h>
#include <stdint.h>

struct net_server;

struct ask {
	struct net_server *server;
	struct conn *conn; /* its owner's alone */
	uint64_t conn_id;
	int64_t due_ms;
	/* under the lock, as long as it is listed */
	uint32_t id;
	bool is_listed;
	struct ask *next;
	enum ask_state state;
	uint64_t generation; /* of what can be used, where that is the question */
	struct str_buf challenge;
	char *user, *app; /* NULL: not told */
	struct recall_key key; /* of a password, where is_to_recall */
	bool is_to_recall;
	struct err error;
};

/* All that is asked; the lock guards what changes. */
#define ASK_BUCKETS 256u
struct asking {
	pthread_mutex_t lock;
	struct site *site;
	char address[64];
	uint64_t link;      /* the connection's id; 0: there is none */
	bool is_woken;      /* it will look at out */
	struct str_buf out; /* lines that are to go */
	struct ask *table[ASK_BUCKETS];
	uint32_t last_id, asks_n;
	unsigned able;
	uint64_t able_generation; /* that it holds for; 0: none */
};
extern struct asking asking;

/* The connection's door (ask_link.c). */
extern const struct net_door ask_link_door;

/* With the lock held: it is known now, and whoever asked is woken. */
void ask_settle(struct ask *ask, enum ask_state state);
void ask_settle_failed(struct ask *ask, enum err_code code, const char *what);
struct ask *ask_find(uint32_t id);

#endif
