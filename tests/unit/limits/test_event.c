/* The Application log: one record per user, limit and minute, by whatever process; its forms. */
#include "temp_site.h"

#include "limits/event.h"
#include "limits/event_priv.h"
#include "limits/registry.h"
#include "base/clock.h"
#include "base/io.h"

#include <fcntl.h>
#include <sys/stat.h>

#define SERVICE_LIMIT "Maximum Allowed Service Sessions Per User"
#define PARAMETERS "HKLM\\SYSTEM\\CurrentControlSet\\Services\\MSExchangeIS\\ParametersSystem"
#define DN "/o=First Organization/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn="

static void refuse_at(struct site *site, uint64_t user, const char *name, uint32_t limit)
{
	event_log_refusal(site, &(struct event_refusal){.user = user, .user_name = name, .setting = SERVICE_LIMIT,
	    .object = "session", .limit = limit, .held = limit, .explain = "store: it is so"});
}

static void refuse(struct site *site, uint64_t user, const char *name)
{
	refuse_at(site, user, name, 16);
}

static size_t list(struct temp_site *t, struct arena *arena, struct event **events_r)
{
	struct err e;
	size_t n;

	if (event_list(t->site, 0, 0, NULL, arena, events_r, &n, &e) < 0)
		fail_msg("%s", e.what);
	return n;
}

/* The middle of a minute, so that a test's few refusals fall into one. */
static void go_to_mid_minute(void)
{
	clock_advance(60000 + 20000 - clock_wall_ms() % 60000);
}

static void refusals_of_a_minute_are_one_record_whose_count_grows(void **state)
{
	struct temp_site *t = *state;
	struct arena arena = {0};
	struct event *events;

	go_to_mid_minute();
	for (int i = 0; i < 5; i++)
		refuse(t->site, 1, "alice");
	refuse(t->site, 2, "bob");
	event_log_refusal(t->site, &(struct event_refusal){.user = 1, .user_name = "alice", .setting = "objtMessage",
	    .object = "objtMessage", .limit = 250, .held = 249, .explain = ""});
	assert_int_equal(list(t, &arena, &events), 3);
	assert_int_equal(events[0].record_id, 1);
	assert_int_equal(events[0].count, 5);
	assert_string_equal(events[0].user, "alice");
	assert_string_equal(events[0].dn, DN "alice");
	assert_int_equal(events[0].limit, 16);
	assert_string_equal(events[0].setting, SERVICE_LIMIT);
	assert_int_equal(events[1].record_id, 2);
	assert_int_equal(events[1].count, 1);
	assert_string_equal(events[0].explain, "store: it is so");
	assert_string_equal(events[2].object, "objtMessage");
	assert_int_equal(events[2].held, 249);
	assert_string_equal(events[2].explain, "");
	clock_advance(60000);
	refuse(t->site, 1, "alice");
	assert_int_equal(list(t, &arena, &events), 4);
	assert_int_equal(events[3].count, 1);
	arena_fini(&arena);
}

static void limit_that_was_changed_is_another_limit(void **state)
{
	struct temp_site *t = *state;
	struct arena arena = {0};
	struct event *events;

	go_to_mid_minute();
	for (int i = 0; i < 4; i++)
		refuse_at(t->site, 1, "alice", i % 2 ? 20 : 16);
	assert_int_equal(list(t, &arena, &events), 2);
	assert_int_equal(events[0].limit, 16);
	assert_int_equal(events[0].count, 2);
	assert_int_equal(events[1].limit, 20);
	assert_int_equal(events[1].count, 2);
	arena_fini(&arena);
}

static void refused_session_and_charge_are_recorded(void **state)
{
	struct temp_site *t = *state;
	struct session_request request = ask_for(SESSION_IMAP4, 7);
	struct session_refusal why;
	struct arena arena = {0};
	struct session *held[16], *one;
	struct event *events;
	struct err e;

	go_to_mid_minute();
	for (int i = 0; i < 16; i++)
		assert_int_equal(session_acquire(t->site, &request, &held[i], &why, &e), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(session_acquire(t->site, &request, &one, &why, &e), -1);
	assert_int_equal(session_charge(held[0], OBJT_MESSAGE, 251, &e), -1);
	assert_int_equal(list(t, &arena, &events), 2);
	assert_int_equal(events[0].count, 3);
	assert_string_equal(events[0].object, "session");
	assert_int_equal(events[0].held, 16);
	assert_string_equal(events[0].explain,
	    "store: Maximum Allowed Service Sessions Per User is 16, held 16; refused too by IMAP4: MaxConnectionsPerUser is 16, "
	    "held 16; close one of them, or an administrator raises it in " PARAMETERS
	    ": postern reg add -v 'Maximum Allowed Service Sessions Per User' -d N");
	assert_string_equal(events[1].object, "objtMessage");
	assert_int_equal(events[1].limit, 250);
	assert_int_equal(events[1].held, 0);
	assert_string_equal(events[1].explain,
	    "store: objtMessage is 250 in one session, held 0, asked 251; close some of them, or an administrator raises it in "
	    PARAMETERS "\\MaxObjsPerMapiSession: postern reg add -v 'MaxObjsPerMapiSession\\objtMessage' -d N");
	for (int i = 0; i < 16; i++)
		session_release(&held[i]);
	arena_fini(&arena);
}

static void front_layers_leave_no_event(void **state)
{
	struct temp_site *t = *state;
	struct session_request request = ask_for(SESSION_IMAP4, 7);
	struct session_refusal why;
	struct arena arena = {0};
	struct session *one;
	struct event *events;
	struct err e;

	assert_int_equal(registry_set_dword(t->site, REGISTRY_IMAP4, "MaxConnectionsPerUser", 0, &e), 0);
	assert_int_equal(session_acquire(t->site, &request, &one, &why, &e), -1);
	assert_int_equal(why.layer, SESSION_LAYER_PROTOCOL);
	assert_int_equal(list(t, &arena, &events), 0);
	arena_fini(&arena);
}

static void several_processes_share_one_record(void **state)
{
	enum { PROCESSES = 4, EACH = 500 };
	struct temp_site *t = *state;
	struct arena arena = {0};
	struct event *events;
	pid_t pids[PROCESSES];

	go_to_mid_minute();
	for (int i = 0; i < PROCESSES; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			struct site *site;
			struct err e;

			if (site_open(t->dir, "child", &site, &e) < 0)
				_exit(1);
			for (int k = 0; k < EACH; k++)
				refuse(site, 1, "alice");
			_exit(0); /* as if killed: nothing is written back at the end */
		}
	}
	for (int i = 0; i < PROCESSES; i++) {
		int status;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(list(t, &arena, &events), 1);
	assert_int_equal(events[0].count, PROCESSES * EACH);
	arena_fini(&arena);
}

static void count_reaches_the_file_in_place(void **state)
{
	struct temp_site *t = *state;
	struct str_buf before = {0}, after = {0};
	struct err e;

	go_to_mid_minute();
	refuse(t->site, 1, "alice");
	assert_int_equal(io_read_file(site_dir_fd(t->site), "events.log", 1 << 20, &before, &e), 0);
	clock_advance(1500);
	refuse(t->site, 1, "alice");
	refuse(t->site, 1, "alice");
	site_close(&t->site);
	assert_int_equal(site_open(t->dir, "test", &t->site, &e), 0);
	assert_int_equal(io_read_file(site_dir_fd(t->site), "events.log", 1 << 20, &after, &e), 0);
	assert_int_equal(before.n, after.n);
	assert_non_null(strstr(before.p, "\"count\":         1,"));
	assert_non_null(strstr(after.p, "\"count\":         3,"));
	str_buf_fini(&before);
	str_buf_fini(&after);
}

static void line_cut_off_by_a_crash_is_mended_and_ids_go_on(void **state)
{
	struct temp_site *t = *state;
	struct arena arena = {0};
	struct event *events;
	int fd;

	refuse(t->site, 1, "alice");
	fd = openat(site_dir_fd(t->site), "events.log", O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_int_equal(write(fd, "{\"record_id\":99,\"ti", 19), 19);
	close(fd);
	refuse(t->site, 2, "bob");
	assert_int_equal(list(t, &arena, &events), 2);
	assert_int_equal(events[1].record_id, 2);
	assert_string_equal(events[1].user, "bob");
	arena_fini(&arena);
}

static void lists_begin_after_a_record_and_end_at_a_number(void **state)
{
	struct temp_site *t = *state;
	struct arena arena = {0};
	struct event *events;
	struct err e;
	size_t n;

	for (uint64_t user = 1; user <= 500; user++) {
		char name[32];

		snprintf(name, sizeof name, "user%u", (unsigned)user);
		refuse(t->site, user, name);
	}
	for (uint64_t after = 0; after <= 500; after += 50) {
		assert_int_equal(event_list(t->site, after, 7, NULL, &arena, &events, &n, &e), 0);
		assert_int_equal(n, after == 500 ? 0 : 7);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(events[i].record_id, after + 1 + i);
	}
	assert_int_equal(event_list(t->site, 0, 0, DN "user77", &arena, &events, &n, &e), 0);
	assert_int_equal(n, 1);
	assert_int_equal(events[0].record_id, 77);
	arena_fini(&arena);
}

static void refusals_are_listed_from_a_time_on(void **state)
{
	struct temp_site *t = *state;
	struct arena arena = {0};
	struct event *all, *events;
	struct err e;
	size_t n;

	for (uint64_t user = 1; user <= 3; user++) {
		go_to_mid_minute();
		refuse(t->site, user, "alice");
	}
	assert_int_equal(list(t, &arena, &all), 3);
	assert_int_equal(event_list_over(t->site, all[0].time_ms, &arena, &events, &n, &e), 0);
	assert_int_equal(n, 2);
	assert_int_equal(events[0].record_id, all[1].record_id);
	assert_int_equal(event_list_over(t->site, all[2].time_ms, &arena, &events, &n, &e), 0);
	assert_int_equal(n, 0);
	arena_fini(&arena);
}

/* Lines are found by halving, which wants them in order: times are not, where somebody set the clock. */
static void refusals_are_found_by_time_after_the_clock_was_set_back(void **state)
{
	struct temp_site *t = *state;
	struct arena arena = {0};
	struct event *all, *events;
	struct err e;
	size_t n, want;

	for (uint64_t user = 1; user <= 300; user++) {
		go_to_mid_minute();
		if (user == 100 || user == 250)
			clock_jump(-160 * 60000);
		refuse(t->site, user, "alice");
	}
	assert_int_equal(list(t, &arena, &all), 300);
	for (size_t i = 0; i < 300; i += 7) {
		want = 0;
		for (size_t k = 0; k < 300; k++)
			want += all[k].time_ms > all[i].time_ms;
		assert_int_equal(event_list_over(t->site, all[i].time_ms, &arena, &events, &n, &e), 0);
		assert_int_equal(n, want);
	}
	clock_jump(320 * 60000);
	arena_fini(&arena);
}

/* A clock that was wrong for a while fills the table with minutes to come; the records of now have room in it. */
static void storm_after_the_clock_was_set_back_has_one_record_each(void **state)
{
	enum { USERS = 9000 };
	struct temp_site *t = *state;
	struct arena arena = {0};
	struct event *events;
	uint64_t sum = 0;
	size_t n;

	go_to_mid_minute();
	for (uint64_t user = 1; user <= USERS; user++)
		refuse(t->site, user, "somebody");
	clock_jump(-86400000);
	for (int round = 0; round < 2; round++)
		for (uint64_t user = 1; user <= USERS; user += round ? 97 : 1)
			refuse(t->site, user, "somebody");
	n = list(t, &arena, &events);
	assert_int_equal(n, 2 * USERS);
	for (size_t i = 0; i < n; i++)
		sum += events[i].count;
	assert_int_equal(sum, 2 * USERS + (USERS + 96) / 97);
	clock_jump(86400000);
	arena_fini(&arena);
}

static void full_log_is_rotated_and_ids_go_on(void **state)
{
	struct temp_site *t = *state;
	struct arena arena = {0};
	struct event *events;
	struct stat st;
	struct err e;
	size_t n;

	assert_int_equal(registry_set_dword(t->site, REGISTRY_STORE, "EventLogMax", 65536, &e), 0);
	for (uint64_t user = 1; user <= 400; user++)
		refuse(t->site, user, "somebody");
	assert_int_equal(fstatat(site_dir_fd(t->site), "events.log.1", &st, 0), 0);
	assert_true(st.st_size < 70000);
	n = list(t, &arena, &events);
	assert_true(n > 100);
	assert_int_equal(events[n - 1].record_id, 400);
	for (size_t i = 1; i < n; i++)
		assert_int_equal(events[i].record_id, events[i - 1].record_id + 1);
	arena_fini(&arena);
}

/* More users in one minute than a bucket of the table holds: still one record each. */
static void storm_of_many_users_has_one_record_each(void **state)
{
	enum { USERS = 9000 };
	struct temp_site *t = *state;
	struct arena arena = {0};
	struct event *events;
	uint64_t sum = 0;
	size_t n;

	go_to_mid_minute();
	for (int round = 0; round < 2; round++)
		for (uint64_t user = 1; user <= USERS; user += round ? 97 : 1)
			refuse(t->site, user, "somebody");
	n = list(t, &arena, &events);
	assert_int_equal(n, USERS);
	for (size_t i = 0; i < n; i++)
		sum += events[i].count;
	assert_int_equal(sum, USERS + (USERS + 96) / 97);
	arena_fini(&arena);
}

static const struct event sample = {
	.record_id = 4711,
	.time_ms = 1763870416123,
	.event_id = 9646,
	.limit = 16,
	.count = 258,
	.dn = DN "al<i>&ce",
	.user = "al<i>&ce",
	.object = "session",
	.setting = SERVICE_LIMIT,
	.computer = "mail.example.org",
	.held = 15,
	.explain = "",
};

static void message_is_the_originals(void **state)
{
	struct str_buf out = {0};

	(void)state;
	event_message(&sample, &out);
	assert_string_equal(out.p, "Mapi session \"" DN "al<i>&ce\" exceeded the maximum of 16 objects "
	    "of type \"session\".");
	str_buf_fini(&out);
}

static void xml_is_the_originals(void **state)
{
	struct str_buf out = {0};

	(void)state;
	event_xml(&sample, &out);
	assert_string_equal(out.p,
	    "<Event xmlns=\"http://schemas.microsoft.com/win/2004/08/events/event\">"
	    "<System>"
	    "<Provider Name=\"MSExchangeIS\"/>"
	    "<EventID Qualifiers=\"49158\">9646</EventID>"
	    "<Level>2</Level>"
	    "<Task>6</Task>"
	    "<Keywords>0x80000000000000</Keywords>"
	    "<TimeCreated SystemTime=\"2025-11-23T04:00:16.123Z\"/>"
	    "<EventRecordID>4711</EventRecordID>"
	    "<Channel>Application</Channel>"
	    "<Computer>mail.example.org</Computer>"
	    "<Security/>"
	    "</System>"
	    "<EventData>"
	    "<Data>" DN "al&lt;i&gt;&amp;ce</Data>"
	    "<Data>16</Data>"
	    "<Data>session</Data>"
	    "<Binary>0000000000000102</Binary>"
	    "</EventData>"
	    "</Event>");
	str_buf_fini(&out);
}

static void explanation_stands_behind_the_original_words_in_xml(void **state)
{
	struct event event = sample;
	struct str_buf out = {0};

	(void)state;
	event.explain = "store: 2 < 3";
	event_xml(&event, &out);
	assert_non_null(strstr(out.p,
	    "<Binary>0000000000000102</Binary></EventData>"
	    "<RenderingInfo Culture=\"en-US\">"
	    "<Message>Mapi session &quot;" DN "al&lt;i&gt;&amp;ce&quot; exceeded the maximum of 16 objects of type &quot;session&quot;.\n"
	    "store: 2 &lt; 3</Message>"
	    "<Level>Error</Level><Task>General</Task><Channel>Application</Channel><Provider>MSExchangeIS</Provider>"
	    "<Keywords><Keyword>Classic</Keyword></Keywords>"
	    "</RenderingInfo></Event>"));
	str_buf_fini(&out);
}

/* Written by a version that knew neither what was held nor an explanation. */
static void record_of_an_earlier_version_is_read(void **state)
{
	struct temp_site *t = *state;
	static const char line[] = "{\"record_id\":7,\"time_ms\":1763870416123,\"count\":         2,"
	    "\"time\":\"2025-11-23T04:00:16.123Z\",\"source\":\"MSExchangeIS\",\"event_id\":9646,\"limit\":16,"
	    "\"setting\":\"" SERVICE_LIMIT "\",\"object\":\"session\",\"user\":\"alice\",\"user_id\":\"0000000000000001\","
	    "\"dn\":\"" DN "alice\",\"computer\":\"mail.example.org\"}\n";
	int fd = openat(site_dir_fd(t->site), "events.log", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	struct arena arena = {0};
	struct event *events;

	assert_int_equal(write(fd, line, sizeof line - 1), sizeof line - 1);
	close(fd);
	refuse(t->site, 1, "alice");
	assert_int_equal(list(t, &arena, &events), 2);
	assert_int_equal(events[0].record_id, 7);
	assert_int_equal(events[0].count, 2);
	assert_string_equal(events[0].explain, "");
	assert_int_equal(events[1].record_id, 8);
	arena_fini(&arena);
}

static void json_is_one_object(void **state)
{
	struct str_buf out = {0};

	(void)state;
	event_json(&sample, &out);
	assert_string_equal(out.p,
	    "{\"record_id\":4711,\"time_ms\":1763870416123,\"count\":258,"
	    "\"time\":\"2025-11-23T04:00:16.123Z\",\"source\":\"MSExchangeIS\",\"event_id\":9646,"
	    "\"limit\":16,\"held\":15,\"setting\":\"" SERVICE_LIMIT "\",\"object\":\"session\","
	    "\"user\":\"al<i>&ce\",\"dn\":\"" DN "al<i>&ce\",\"computer\":\"mail.example.org\",\"explain\":\"\"}");
	str_buf_fini(&out);
}

static void hostile_names_stay_inside_their_quotes(void **state)
{
	struct event event = sample;
	struct str_buf out = {0};

	(void)state;
	event.user = "a\"b\\c\nd\xff\xc3\xa9";
	event_json(&event, &out);
	assert_non_null(strstr(out.p, "\"user\":\"a\\\"b\\\\c\\u000ad?\xc3\xa9\","));
	str_buf_clear(&out);
	event.dn = "a\x01\xff";
	event_xml(&event, &out);
	assert_non_null(strstr(out.p, "<Data>a?" "?</Data>"));
	str_buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    SITE_TEST(refusals_of_a_minute_are_one_record_whose_count_grows),
	    SITE_TEST(limit_that_was_changed_is_another_limit),
	    SITE_TEST(refused_session_and_charge_are_recorded),
	    SITE_TEST(front_layers_leave_no_event),
	    SITE_TEST(several_processes_share_one_record),
	    SITE_TEST(count_reaches_the_file_in_place),
	    SITE_TEST(line_cut_off_by_a_crash_is_mended_and_ids_go_on),
	    SITE_TEST(record_of_an_earlier_version_is_read),
	    SITE_TEST(lists_begin_after_a_record_and_end_at_a_number),
	    SITE_TEST(refusals_are_listed_from_a_time_on),
	    SITE_TEST(refusals_are_found_by_time_after_the_clock_was_set_back),
	    SITE_TEST(storm_after_the_clock_was_set_back_has_one_record_each),
	    SITE_TEST(full_log_is_rotated_and_ids_go_on),
	    SITE_TEST(storm_of_many_users_has_one_record_each),
	    cmocka_unit_test(message_is_the_originals),
	    cmocka_unit_test(xml_is_the_originals),
	    cmocka_unit_test(explanation_stands_behind_the_original_words_in_xml),
	    cmocka_unit_test(json_is_one_object),
	    cmocka_unit_test(hostile_names_stay_inside_their_quotes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
