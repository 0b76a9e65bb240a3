/* A store folder of a test's own, with its runtime folder in it; removed at the end. */
#ifndef TESTS_TEMP_SITE_H
#define TESTS_TEMP_SITE_H

#include "limits/session.h"
#include "limits/site.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct temp_site {
	char dir[64];
	struct site *site;
};

static inline void temp_site_make(struct temp_site *t)
{
	struct err e;

	snprintf(t->dir, sizeof t->dir, "/tmp/postern-limits-XXXXXX");
	assert_non_null(mkdtemp(t->dir));
	if (site_create(t->dir, "run", &e) < 0)
		fail_msg("%s", e.what);
	if (site_open(t->dir, "test", &t->site, &e) < 0)
		fail_msg("%s", e.what);
}

/* The folder's name is mkdtemp's, so that it needs no quoting. */
static inline void temp_site_remove(struct temp_site *t)
{
	char command[128];

	site_close(&t->site);
	snprintf(command, sizeof command, "rm -rf %s", t->dir);
	assert_int_equal(system(command), 0);
}

static inline int temp_site_setup(void **state)
{
	struct temp_site *t = calloc(1, sizeof *t);

	assert_non_null(t);
	temp_site_make(t);
	*state = t;
	return 0;
}

static inline int temp_site_teardown(void **state)
{
	temp_site_remove(*state);
	free(*state);
	return 0;
}

static inline struct session_request ask_for(enum session_service service, uint64_t user)
{
	return (struct session_request){.service = service, .actor = {user}, .mailbox = {user},
	    .actor_name = "alice", .mailbox_name = "alice"};
}

#define SITE_TEST(f) cmocka_unit_test_setup_teardown(f, temp_site_setup, temp_site_teardown)

#endif
