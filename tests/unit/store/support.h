/* A site of its own for a test of the store, with users alice and bob; removed at the end. */
#ifndef TEST_STORE_SUPPORT_H
#define TEST_STORE_SUPPORT_H

#include "limits/registry.h"
#include "limits/session.h"
#include "limits/site.h"
#include "store/change.h"
#include "store/directory.h"
#include "store/flags.h"
#include "store/folder.h"
#include "store/message.h"
#include "store/search.h"
#include "store/store.h"

struct support {
	char dir[128];
	struct site *site;
	struct user_id alice, bob;
	struct arena arena;
	struct err e;
};

/* Fails the program when the world does not allow a test at all. */
void support_begin(struct support *s);
void support_end(struct support *s);
void support_reopen(struct support *s);

/* A session of the user and his mailbox, opened. */
struct store *support_open(struct support *s, struct user_id user);
void support_close(struct store **store);

/* For a test about one mailbox: alice's, opened before it, and found sound and closed after it; *state is
 * the site. */
int support_setup(void **state, struct store **store_r);
int support_teardown(void **state, struct store **store);

/* The call went well, or the test fails with what it said. */
#define OK(call) support_ok((call), &s->e, #call, __FILE__, __LINE__)
#define FAILS(code, call) support_fails((call), (code), &s->e, #call, __FILE__, __LINE__)
void support_ok(int r, const struct err *e, const char *what, const char *file, int line);
void support_fails(int r, enum err_code code, struct err *e, const char *what, const char *file,
    int line);

struct folder_id support_folder(struct support *s, struct store *store, const char *name);
/* Appends text, and says which UID it got. */
uint32_t support_append(struct support *s, struct store *store, struct folder_id folder,
    const char *text, uint32_t flags);
uint32_t support_append_n(struct support *s, struct store *store, struct folder_id folder,
    const char *octets, size_t n, uint32_t flags);
/* The whole of a content. */
struct str_view support_read(struct support *s, struct store *store, uint64_t content);
/* The one message, with everything. */
struct message_info support_message(struct support *s, struct store *store, struct folder_id folder,
    uint32_t uid);
/* store_check finds nothing. */
void support_check(struct support *s, struct store *store);

extern const struct uid_range support_all;

#endif
