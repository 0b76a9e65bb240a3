/* Sessions of one user, taken and counted by several who have the site open. */
#ifndef TESTS_HOLDING_H
#define TESTS_HOLDING_H

#include "temp_site.h"

#define ALICE 0xa11ce

static inline struct site *open_again(const char *dir)
{
	struct site *site;
	struct err e;

	if (site_open(dir, "again", &site, &e) < 0)
		fail_msg("%s", e.what);
	return site;
}

static inline void hold(struct site *site, enum session_service service, int n, struct session **list)
{
	struct session_request request = ask_for(service, ALICE);
	struct session_refusal why;
	struct err e;

	for (int i = 0; i < n; i++)
		if (session_acquire(site, &request, &list[i], &why, &e) < 0)
			fail_msg("%d of %d: %s", i, n, e.what);
}

static inline void let_go(struct session **list, int n)
{
	for (int i = 0; i < n; i++)
		session_release(&list[i]);
}

static inline enum err_code try_one(struct site *site)
{
	struct session_request request = ask_for(SESSION_FS, ALICE);
	struct session_refusal why;
	struct session *session;
	struct err e;

	if (session_acquire(site, &request, &session, &why, &e) < 0)
		return e.code;
	session_release(&session);
	return ERR_NONE;
}

static inline uint32_t count(struct site *site)
{
	struct session_counts counts;
	struct err e;

	if (session_count(site, (struct user_id){ALICE}, &counts, &e) < 0)
		fail_msg("%s", e.what);
	return counts.all;
}

static inline void fill_with(int fd, off_t at, size_t n, unsigned char byte)
{
	unsigned char bytes[4096];

	memset(bytes, byte, sizeof bytes);
	assert_int_equal(pwrite(fd, bytes, n, at), n);
}

#endif
