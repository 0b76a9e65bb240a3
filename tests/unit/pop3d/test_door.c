/* The door, in this process, so that its clock can be moved and its sessions ended from outside. */
#include "ask_here.h"
#include "auth/account.h"
#include "auth/login.h"
#include "base/clock.h"
#include "limits/registry.h"
#include "pop3d/client.h"
#include "store/directory.h"
#include "peer.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];
static struct site *site;
static struct user_id alice;
static struct net_server *server;
static pthread_t thread;

static void *serve(void *arg)
{
	(void)arg;
	net_server_run(server);
	return NULL;
}

static int append(struct store *store, struct err *e)
{
	struct append_how how = {.idate_ms = INT64_MIN};
	struct append_done done;
	struct folder_info inbox;
	struct append *message;
	struct arena arena = {0};
	int result = -1;

	if (folder_by_name(store, "INBOX", &arena, &inbox, e) == 0 &&
	    append_begin(store, &message, e) == 0 &&
	    append_write(message, "Subject: x\r\n\r\nx\r\n", 17, e) == 0) {
		how.folder = inbox.id;
		result = append_commit(&message, &how, 1, &done, e);
	}
	arena_fini(&arena);
	return result;
}

static int fill(struct err *e)
{
	struct session_refusal why;
	struct session *session;
	struct store *store;
	int result = -1;

	if (auth_open(site, SESSION_ADMIN, "alice", NULL, NULL, &session, &why, e) < 0)
		return -1;
	if (store_open(session, &store, e) == 0) {
		result = append(store, e) < 0 || append(store, e) < 0 ? -1 : 0;
		store_close(&store);
	}
	session_release(&session);
	return result;
}

static int start(void **state)
{
	struct net_listen here = {.address = "127.0.0.1:0", .door = &pop3_door};
	struct err e;

	(void)state;
	credential_permit();
	strcpy(folder, "/tmp/postern-pop3-XXXXXX");
	if (!mkdtemp(folder) || site_create(folder, "run", &e) < 0 ||
	    site_open(folder, "test", &site, &e) < 0 ||
	    directory_user_add(site, "alice", NULL, &alice, &e) < 0 ||
	    account_set_password(site, "alice", "postern", &e) < 0 || fill(&e) < 0)
		return -1;
	here.door_arg = site;
	ask_here_in(site);
	if (net_server_new(&here, 1, NULL, &net_limits_default, &server, &e) < 0)
		return -1;
	return pthread_create(&thread, NULL, serve, NULL);
}

static int stop(void **state)
{
	char command[160];

	(void)state;
	net_server_stop(server);
	pthread_join(thread, NULL);
	net_server_free(&server);
	site_close(&site);
	snprintf(command, sizeof command, "rm -r %s %s-auth", folder, folder);
	return system(command); /* NOLINT: fixed words */
}

static void greet(struct peer *peer)
{
	char line[128];

	peer_open(peer, net_server_port(server, 0));
	snprintf(line, sizeof line, "+OK %s POP3 server ready\r\n", site_host_name(site));
	peer_expect(peer, line);
}

static void login(struct peer *peer)
{
	greet(peer);
	peer_send(peer, "USER alice\r\nPASS postern\r\n");
	peer_expect(peer, "+OK now the password\r\n+OK 2 messages, 34 octets\r\n");
}

static uint32_t held(void)
{
	struct session_counts counts;
	struct err e;

	assert_int_equal(session_count(site, alice, &counts, &e), 0);
	assert_int_equal(counts.by_service[SESSION_POP3], counts.all);
	return counts.all;
}

/* RFC 1939 3: no word, and nothing removed. */
static void autologout_says_nothing_and_removes_nothing(void **state)
{
	struct peer peer, again;

	(void)state;
	login(&peer);
	peer_send(&peer, "DELE 1\r\n");
	peer_expect(&peer, "+OK deleted at QUIT\r\n");
	assert_int_equal(held(), 1);
	clock_advance(1799000);
	net_server_look(server);
	peer_send(&peer, "NOOP\r\n");
	peer_expect(&peer, "+OK\r\n");
	clock_advance(1801000);
	net_server_look(server);
	peer_expect_eof(&peer);
	peer_close(&peer);
	login(&again); /* 2 messages: login() says so */
	assert_int_equal(held(), 1);
	peer_close(&again);
}

static void stranger_is_closed_after_a_minute(void **state)
{
	struct peer peer;

	(void)state;
	greet(&peer);
	peer_send(&peer, "USER alice\r\n");
	peer_expect(&peer, "+OK now the password\r\n");
	clock_advance(61000);
	net_server_look(server);
	peer_expect_eof(&peer);
	peer_close(&peer);
}

static void session_ended_is_told_and_its_place_is_free(void **state)
{
	struct session_info *list;
	struct arena arena = {0};
	struct peer peer;
	size_t n;
	struct err e;

	(void)state;
	login(&peer);
	assert_int_equal(session_list(site, alice, &arena, &list, &n, &e), 0);
	assert_int_equal(n, 1);
	assert_int_equal(session_end(site, list[0].id, 1000, &e), 0);
	assert_int_equal(held(), 0);
	peer_expect(&peer, "-ERR [SYS/TEMP] session ended by an administrator\r\n");
	peer_expect_eof(&peer);
	peer_close(&peer);
	arena_fini(&arena);
}

/* Who has read the answer to QUIT finds the place free. */
static void quit_frees_the_session_before_it_is_answered(void **state)
{
	(void)state;
	for (int i = 0; i < 50; i++) {
		struct peer peer;

		login(&peer);
		peer_send(&peer, "QUIT\r\n");
		peer_expect(&peer, "+OK goodbye, 2 messages left\r\n");
		assert_int_equal(held(), 0);
		peer_close(&peer);
	}
}

/* A changed password counts from the next login on, remembered or not. */
static void changed_password_is_not_taken_from_the_cache(void **state)
{
	struct peer peer;
	struct err e;

	(void)state;
	login(&peer);
	peer_close(&peer);
	assert_int_equal(account_set_password(site, "alice", "other", &e), 0);
	greet(&peer);
	peer_send(&peer, "USER alice\r\nPASS postern\r\n");
	peer_expect(&peer, "+OK now the password\r\n-ERR [AUTH] user name or password is wrong\r\n");
	peer_send(&peer, "USER alice\r\nPASS other\r\n");
	peer_expect(&peer, "+OK now the password\r\n+OK 2 messages, 34 octets\r\n");
	peer_close(&peer);
}

static void read_until_gone(uint64_t content)
{
	struct session_refusal why;
	struct session *session;
	struct store *store;
	struct err e;
	size_t got;
	char c;

	assert_int_equal(auth_open(site, SESSION_ADMIN, "alice", NULL, NULL, &session, &why, &e), 0);
	assert_int_equal(store_open(session, &store, &e), 0);
	while (content_read(store, content, 0, &c, 1, &got, &e) == 0)
		usleep(20000); /* the janitor goes round once a second */
	assert_int_equal(e.code, ERR_EXPUNGED);
	store_close(&store);
	session_release(&session);
}

static void what_another_removed_is_read_while_it_is_kept_and_nothing_shifts(void **state)
{
	struct peer peer, other;
	struct err e;

	(void)state;
	assert_int_equal(registry_set_dword(site, REGISTRY_STORE, "KeepDeleted", 0, &e), 0); /* an hour */
	assert_int_equal(
	    registry_set_dword(site, REGISTRY_POP3, "AuthenticatedConnectionTimeout", 86400, &e), 0);
	login(&peer);
	login(&other);
	peer_send(&other, "DELE 1\r\nQUIT\r\n");
	peer_expect(&other, "+OK deleted at QUIT\r\n+OK goodbye, 1 messages left\r\n");
	peer_close(&other);
	peer_send(&peer, "RETR 1\r\n");
	peer_expect(&peer, "+OK 17 octets\r\nSubject: x\r\n\r\nx\r\n.\r\n");
	clock_advance(2 * 3600 * 1000);
	read_until_gone(1);
	peer_send(&peer, "RETR 1\r\nTOP 1 0\r\nSTAT\r\nLIST 1\r\nRETR 2\r\nDELE 1\r\nQUIT\r\n");
	peer_expect(&peer, "-ERR the message is gone\r\n-ERR the message is gone\r\n+OK 2 34\r\n+OK 1 17\r\n"
			   "+OK 17 octets\r\nSubject: x\r\n\r\nx\r\n.\r\n"
			   "+OK deleted at QUIT\r\n+OK goodbye, 1 messages left\r\n");
	peer_close(&peer);
}

#define SERVED(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    SERVED(autologout_says_nothing_and_removes_nothing),
	    SERVED(stranger_is_closed_after_a_minute),
	    SERVED(session_ended_is_told_and_its_place_is_free),
	    SERVED(quit_frees_the_session_before_it_is_answered),
	    SERVED(changed_password_is_not_taken_from_the_cache),
	    SERVED(what_another_removed_is_read_while_it_is_kept_and_nothing_shifts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
