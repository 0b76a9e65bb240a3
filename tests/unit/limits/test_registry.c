/* The registry: live settings, `.reg` text in and out, hand edits, policies. */
#include "temp_site.h"

#include "limits/policy.h"
#include "limits/registry.h"
#include "base/clock.h"
#include "base/io.h"

#include <fcntl.h>

#define SERVICE_LIMIT "Maximum Allowed Service Sessions Per User"
#define HEADER "Windows Registry Editor Version 5.00\r\n"

static void set_ok(struct temp_site *t, const char *key, const char *name, const char *value)
{
	struct err e;

	if (registry_set(t->site, key, name, value, &e) < 0)
		fail_msg("%s: %s", name, e.what);
}

static void expect_invalid(struct temp_site *t, const char *key, const char *name,
    const char *value, const char *why)
{
	struct err e;

	assert_int_equal(registry_set(t->site, key, name, value, &e), -1);
	assert_int_equal(e.code, ERR_INVALID);
	assert_string_equal(e.what, why);
}

static void write_reg(struct temp_site *t, const char *text)
{
	struct err e;

	assert_int_equal(io_replace_file(site_dir_fd(t->site), "registry.reg", text, strlen(text), 0660,
	    &e), 0);
}

static void absent_values_are_defaults(void **state)
{
	struct temp_site *t = *state;

	assert_int_equal(setting_get(t->site, SETTING_SESSIONS_PER_USER), 32);
	assert_int_equal(setting_get(t->site, SETTING_SERVICE_SESSIONS_PER_USER), 16);
	assert_int_equal(setting_get(t->site, SETTING_POLICY_IMAP), SETTING_NULL);
	assert_int_equal(setting_get(t->site, SETTING_REFUSAL_STYLE), 0);
}

static void change_is_in_force_at_once_in_every_process(void **state)
{
	struct temp_site *t = *state;
	struct site *other;
	struct err e;

	assert_int_equal(site_open(t->dir, "other", &other, &e), 0);
	uint64_t was = registry_generation(other);

	set_ok(t, REGISTRY_PARAMETERS_SYSTEM, SERVICE_LIMIT, "20");
	assert_int_equal(setting_get(other, SETTING_SERVICE_SESSIONS_PER_USER), 20);
	assert_true(registry_generation(other) > was);
	assert_int_equal(registry_delete(other,
	    "hklm\\system\\currentcontrolset\\services\\msexchangeis\\parameterssystem",
	    "maximum allowed service sessions per user", &e), 0);
	assert_int_equal(setting_get(t->site, SETTING_SERVICE_SESSIONS_PER_USER), 16);
	assert_int_equal(registry_delete(other, REGISTRY_PARAMETERS_SYSTEM, SERVICE_LIMIT, &e), -1);
	assert_int_equal(e.code, ERR_NOTFOUND);
	site_close(&other);
}

static void values_survive_a_restart(void **state)
{
	struct temp_site *t = *state;
	struct err e;

	set_ok(t, REGISTRY_IMAP4, "maxconnectionsperuser", "100");
	site_close(&t->site);
	assert_int_equal(site_open(t->dir, "again", &t->site, &e), 0);
	assert_int_equal(setting_get(t->site, SETTING_IMAP_MAX_CONNECTIONS_PER_USER), 100);
}

static void subkey_may_stand_in_the_name(void **state)
{
	struct temp_site *t = *state;

	set_ok(t, REGISTRY_PARAMETERS_SYSTEM, "MaxObjsPerMapiSession\\objtMessage", "3");
	assert_int_equal(setting_get(t->site, SETTING_OBJT_MESSAGE), 3);
}

static void choice_takes_its_words_only(void **state)
{
	struct temp_site *t = *state;
	struct arena arena = {0};
	struct registry_value value;
	struct err e;

	set_ok(t, REGISTRY_STORE, "refusalstyle", "EXACT");
	assert_int_equal(setting_get(t->site, SETTING_REFUSAL_STYLE), 1);
	assert_int_equal(registry_get(t->site, REGISTRY_STORE, "RefusalStyle", &arena, &value, &e), 0);
	assert_int_equal(value.type, REGISTRY_SZ);
	assert_string_equal(value.text, "EXACT");
	expect_invalid(t, REGISTRY_STORE, "RefusalStyle", "loud",
	    "\"RefusalStyle\" is one of coded|exact");
	expect_invalid(t, REGISTRY_STORE, "RefusalStyle", "1",
	    "\"RefusalStyle\" is one of coded|exact");
	arena_fini(&arena);
}

static void value_out_of_its_range_is_refused(void **state)
{
	struct temp_site *t = *state;

	expect_invalid(t, REGISTRY_PARAMETERS_SYSTEM, "Disable Session Limit", "2",
	    "\"Disable Session Limit\" is a number from 0 to 1 (0 or 1)");
	expect_invalid(t, REGISTRY_PARAMETERS_SYSTEM, SERVICE_LIMIT, "many",
	    "\"" SERVICE_LIMIT "\" is a number from 0 to 4294967295 (sessions)");
	expect_invalid(t, "HKLX\\Software", "x", "1",
	    "a key begins with HKEY_LOCAL_MACHINE\\ or HKLM\\");
	expect_invalid(t, REGISTRY_STORE, "mine", "two\nlines",
	    "a name or a text has an unprintable character");
}

static void hand_edit_is_noticed(void **state)
{
	struct temp_site *t = *state;

	write_reg(t, HEADER "[" REGISTRY_PARAMETERS_SYSTEM "]\n\"" SERVICE_LIMIT "\"=dword:00000011\n");
	clock_advance(6000);
	registry_generation(t->site);
	assert_int_equal(setting_get(t->site, SETTING_SERVICE_SESSIONS_PER_USER), 17);
}

static void malformed_hand_edit_keeps_the_last_good_settings_and_refuses_changes(void **state)
{
	struct temp_site *t = *state;
	struct err e;

	set_ok(t, REGISTRY_PARAMETERS_SYSTEM, SERVICE_LIMIT, "5");
	write_reg(t, HEADER "[" REGISTRY_PARAMETERS_SYSTEM "]\n\"" SERVICE_LIMIT "\"=dword:xyz\n");
	clock_advance(6000);
	registry_generation(t->site);
	assert_int_equal(setting_get(t->site, SETTING_SERVICE_SESSIONS_PER_USER), 5);
	assert_int_equal(registry_set_dword(t->site, REGISTRY_PARAMETERS_SYSTEM, SERVICE_LIMIT, 6, &e),
	    -1);
	assert_int_equal(e.code, ERR_INVALID);
	assert_string_equal(e.what,
	    "registry.reg: line 3: dword: is followed by up to eight hexadecimal digits");
}

static void out_of_range_hand_edit_counts_as_the_default(void **state)
{
	struct temp_site *t = *state;

	write_reg(t, "REGEDIT4\n[HKLM\\SOFTWARE\\Postern\\Store]\n\"FlagsDurable\"=dword:7\n");
	clock_advance(6000);
	registry_generation(t->site);
	assert_int_equal(setting_get(t->site, SETTING_FLAGS_DURABLE), 0);
}

static void export_is_version_5_with_crlf_and_defaults_as_comments(void **state)
{
	struct temp_site *t = *state;
	struct str_buf out = {0};
	struct err e;

	set_ok(t, REGISTRY_PARAMETERS_SYSTEM, SERVICE_LIMIT, "20");
	set_ok(t, "HKLM\\SOFTWARE\\Other", "say \"it\\\"", "back\\slash \"quote\"");
	assert_int_equal(registry_export(t->site, &out, &e), 0);
	assert_memory_equal(out.p, HEADER, strlen(HEADER));
	assert_non_null(strstr(out.p, "\r\n[" REGISTRY_PARAMETERS_SYSTEM "]\r\n"
	    "\"" SERVICE_LIMIT "\"=dword:00000014\r\n"
	    "; \"Maximum Allowed Sessions Per User\"=dword:00000020\r\n"));
	assert_non_null(strstr(out.p, "\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Other\\say \"it]\r\n"
	    "\"\\\"\"=\"back\\\\slash \\\"quote\\\"\"\r\n"));
	assert_null(strstr(out.p, "; \"" SERVICE_LIMIT));
	str_buf_fini(&out);
}

static void export_and_import_restore_what_was(void **state)
{
	struct temp_site *t = *state;
	struct str_buf out = {0}, again = {0};
	struct err e;

	set_ok(t, REGISTRY_PARAMETERS_SYSTEM, SERVICE_LIMIT, "20");
	set_ok(t, REGISTRY_STORE, "RefusalStyle", "exact");
	assert_int_equal(registry_export(t->site, &out, &e), 0);
	set_ok(t, REGISTRY_PARAMETERS_SYSTEM, SERVICE_LIMIT, "99");
	assert_int_equal(registry_delete(t->site, REGISTRY_STORE, "RefusalStyle", &e), 0);
	assert_int_equal(registry_import(t->site, str_buf_view(&out), &e), 0);
	assert_int_equal(setting_get(t->site, SETTING_SERVICE_SESSIONS_PER_USER), 20);
	assert_int_equal(setting_get(t->site, SETTING_REFUSAL_STYLE), 1);
	assert_int_equal(registry_export(t->site, &again, &e), 0);
	assert_string_equal(again.p, out.p);
	str_buf_fini(&out);
	str_buf_fini(&again);
}

static void import_takes_utf16_with_a_bom_as_regedit_writes_it(void **state)
{
	static const char text[] = HEADER "\r\n[" REGISTRY_PARAMETERS_SYSTEM "]\r\n"
	    "\"" SERVICE_LIMIT "\"=dword:0000001a\r\n"
	    "\"Binary\"=hex(7):61,00,\\\r\n  00,00\r\n\"Name\"=\"\xc3\xa9\"\r\n@=\"d\"\r\n";
	struct temp_site *t = *state;
	struct str_buf utf16 = {0}, out = {0};
	struct err e;

	str_buf_put(&utf16, "\xff\xfe", 2);
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		unsigned c = *p < 0x80 ? *p : 0xe9u;

		if (*p == 0xc3)
			continue;
		str_buf_putc(&utf16, (char)c);
		str_buf_putc(&utf16, 0);
	}
	assert_int_equal(registry_import(t->site, str_buf_view(&utf16), &e), 0);
	assert_int_equal(setting_get(t->site, SETTING_SERVICE_SESSIONS_PER_USER), 26);
	assert_int_equal(registry_export(t->site, &out, &e), 0);
	assert_non_null(strstr(out.p, "\"Binary\"=hex(7):61,00,00,00\r\n"));
	assert_non_null(strstr(out.p, "\"Name\"=\"\xc3\xa9\"\r\n@=\"d\"\r\n"));
	str_buf_fini(&utf16);
	str_buf_fini(&out);
}

static void import_takes_regedit4_in_the_ansi_code_page(void **state)
{
	struct temp_site *t = *state;
	struct str_buf out = {0};
	struct err e;

	assert_int_equal(registry_import(t->site,
	    SV("REGEDIT4\r\n\r\n[HKLM\\SOFTWARE\\X]\r\n\"euro\"=\"\x80 \xe9\"\r\n"), &e), 0);
	assert_int_equal(registry_export(t->site, &out, &e), 0);
	assert_non_null(strstr(out.p, "\"euro\"=\"\xe2\x82\xac \xc3\xa9\"\r\n"));
	str_buf_fini(&out);
}

static void import_deletes_values_and_keys(void **state)
{
	struct temp_site *t = *state;
	struct arena arena = {0};
	struct registry_value value;
	struct err e;

	set_ok(t, REGISTRY_PARAMETERS_SYSTEM, SERVICE_LIMIT, "20");
	set_ok(t, "HKLM\\SOFTWARE\\X\\Y", "a", "1");
	assert_int_equal(registry_import(t->site, SV(HEADER "[" REGISTRY_PARAMETERS_SYSTEM "]\r\n"
	    "\"" SERVICE_LIMIT "\"=-\r\n[-HKLM\\software\\x]\r\n"), &e), 0);
	assert_int_equal(setting_get(t->site, SETTING_SERVICE_SESSIONS_PER_USER), 16);
	assert_int_equal(registry_get(t->site, "HKLM\\SOFTWARE\\X\\Y", "a", &arena, &value, &e), -1);
	assert_int_equal(e.code, ERR_NOTFOUND);
	arena_fini(&arena);
}

static void a_key_goes_only_while_it_is_empty_and_ours(void **state)
{
	struct temp_site *t = *state;
	struct err e;

	set_ok(t, "HKLM\\SOFTWARE\\X\\Y", "a", "1");
	assert_int_equal(registry_delete_key(t->site, "HKLM\\SOFTWARE\\X", &e), -1);
	assert_int_equal(e.code, ERR_EXISTS);
	assert_int_equal(registry_delete_key(t->site, "HKLM\\software\\x\\y", &e), -1);
	assert_int_equal(e.code, ERR_EXISTS);
	assert_int_equal(registry_delete(t->site, "HKLM\\SOFTWARE\\X\\Y", "a", &e), 0);
	assert_int_equal(registry_delete_key(t->site, "HKLM\\software\\x\\y", &e), 0);
	assert_int_equal(registry_delete_key(t->site, "HKLM\\software\\x\\y", &e), -1);
	assert_int_equal(e.code, ERR_NOTFOUND);
	assert_int_equal(registry_delete_key(t->site, REGISTRY_PARAMETERS_SYSTEM, &e), -1);
	assert_int_equal(e.code, ERR_PERM);
	assert_int_equal(registry_delete_key(t->site, "HKLM\\SYSTEM", &e), -1);
	assert_int_equal(e.code, ERR_PERM);
}

static void import_is_all_or_nothing_and_names_the_line(void **state)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
	    {HEADER "[" REGISTRY_STORE "]\n\"KeepDeleted\"=dword:5\n\"FlagsDurable\"=dword:2\n",
	        "line 4: \"FlagsDurable\" is a number from 0 to 1 (0 or 1)"},
	    {HEADER "[" REGISTRY_STORE "]\n\"KeepDeleted\"=dword:5\nnonsense\n",
	        "line 4: a value is written \"name\"=dword:00000010"},
	    {HEADER "[" REGISTRY_STORE "]\n\"KeepDeleted\"=dword:5\n[HKEY_LOCAL_MACHINE\n",
	        "line 4: a key is written [HKEY_LOCAL_MACHINE\\...]"},
	    {HEADER "[" REGISTRY_STORE "]\n\"KeepDeleted\"=dword:5\n\"a\"=\"b\" c\n",
	        "line 4: something stands behind the closing quote"},
	    {HEADER "\n[" REGISTRY_STORE "]\n\"KeepDeleted\"=dword:5\n\n[" REGISTRY_PARAMETERS_SYSTEM "]\n"
	            "\"Maximum Allowed Service Sessions Per User\"=dword:0000001g\n",
	        "line 7: dword: is followed by up to eight hexadecimal digits"},
	    {HEADER "\"KeepDeleted\"=dword:5\n", "line 2: a value stands outside of a key"},
	    {"KeepDeleted=5\n", "line 1: the first line is \"Windows Registry Editor Version 5.00\""},
	    {"", "line 1: the first line is \"Windows Registry Editor Version 5.00\""},
	    {"\xff\xfe" "a", "the text ends in the middle of a UTF-16 character"},
	    {HEADER "; \xff\xfe\n", "the text is neither UTF-8 nor UTF-16"},
	};
	struct temp_site *t = *state;
	struct err e;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(registry_import(t->site, str_view(bad[i].text, strlen(bad[i].text)), &e),
		    -1);
		assert_int_equal(e.code, ERR_INVALID);
		assert_string_equal(e.what, bad[i].why);
		assert_int_equal(setting_get(t->site, SETTING_KEEP_DELETED), 7);
	}
}

static void query_lists_values_with_the_rows_defaults(void **state)
{
	struct temp_site *t = *state;
	struct arena arena = {0};
	struct registry_value *list;
	struct err e;
	size_t n, all_n;

	set_ok(t, REGISTRY_PARAMETERS_SYSTEM, SERVICE_LIMIT, "20");
	assert_int_equal(registry_query(t->site, REGISTRY_PARAMETERS_SYSTEM, false, false, &arena, &list,
	    &n, &e), 0);
	assert_int_equal(n, 1);
	assert_string_equal(list[0].key, REGISTRY_PARAMETERS_SYSTEM);
	assert_string_equal(list[0].name, SERVICE_LIMIT);
	assert_int_equal(list[0].dword, 20);
	assert_false(list[0].is_default);
	assert_int_equal(registry_query(t->site, REGISTRY_PARAMETERS_SYSTEM, false, true, &arena, &list,
	    &n, &e), 0);
	assert_int_equal(n, 5);
	assert_true(list[1].is_default);
	assert_int_equal(registry_query(t->site, REGISTRY_PARAMETERS_SYSTEM, true, true, &arena, &list,
	    &n, &e), 0);
	assert_int_equal(n, 10);
	assert_int_equal(registry_query(t->site, NULL, true, true, &arena, &list, &all_n, &e), 0);
	assert_int_equal(all_n, SETTINGS_N);
	assert_int_equal(registry_query(t->site, "HKLM\\No", true, true, &arena, &list, &n, &e), -1);
	assert_int_equal(e.code, ERR_NOTFOUND);
	arena_fini(&arena);
}

static void subkeys_are_listed_once_each(void **state)
{
	struct temp_site *t = *state;
	struct arena arena = {0};
	const char **names;
	struct err e;
	size_t n;

	set_ok(t, "HKLM\\SOFTWARE\\A", "x", "1");
	set_ok(t, "HKLM\\SOFTWARE\\A b", "x", "1");
	set_ok(t, "HKLM\\SOFTWARE\\A\\c", "x", "1");
	assert_int_equal(registry_create_key(t->site, "HKLM\\SOFTWARE\\Empty\\", &e), 0);
	assert_int_equal(registry_subkeys(t->site, "HKLM\\SOFTWARE", &arena, &names, &n, &e), 0);
	assert_int_equal(n, 4);
	assert_string_equal(names[0], "A");
	assert_string_equal(names[1], "A b");
	assert_string_equal(names[2], "Empty");
	assert_string_equal(names[3], "Postern");
	assert_int_equal(registry_subkeys(t->site, REGISTRY_PARAMETERS_SYSTEM, &arena, &names, &n, &e),
	    0);
	assert_int_equal(n, 1);
	assert_string_equal(names[0], "MaxObjsPerMapiSession");
	arena_fini(&arena);
}

static void bounds_are_those_of_every_policy_and_of_the_default(void **state)
{
	struct temp_site *t = *state;
	uint32_t least, most;
	struct err e;

	policy_bounds(t->site, SETTING_POLICY_POP, &least, &most);
	assert_int_equal(least, 20);
	assert_int_equal(most, 20);
	assert_int_equal(policy_create(t->site, "sales", &e), 0);
	assert_int_equal(policy_set(t->site, "sales", "POPMaxConcurrency", 3, &e), 0);
	assert_int_equal(policy_create(t->site, "batch", &e), 0);
	assert_int_equal(policy_set(t->site, "batch", "POPMaxConcurrency", SETTING_NULL, &e), 0);
	policy_bounds(t->site, SETTING_POLICY_POP, &least, &most);
	assert_int_equal(least, 3);
	assert_int_equal(most, SETTING_NULL);
	assert_int_equal(policy_value(t->site, "batch", SETTING_POLICY_POP), SETTING_NULL);
	assert_int_equal(policy_value(t->site, "nobody's", SETTING_POLICY_POP), 20);
}

static void policies_have_values_of_their_own_and_else_the_default_ones(void **state)
{
	struct temp_site *t = *state;
	enum setting setting;
	struct err e;

	assert_true(policy_concurrency(SESSION_POP3, &setting));
	assert_int_equal(setting, SETTING_POLICY_POP);
	assert_int_equal(policy_value(t->site, NULL, setting), 20);
	assert_false(policy_exists(t->site, "sales"));
	assert_int_equal(policy_set(t->site, "sales", "POPMaxConcurrency", 3, &e), -1);
	assert_int_equal(e.code, ERR_NOTFOUND);
	assert_int_equal(policy_create(t->site, "sales", &e), 0);
	assert_int_equal(policy_create(t->site, "Sales", &e), -1);
	assert_int_equal(e.code, ERR_EXISTS);
	assert_int_equal(policy_set(t->site, "SALES", "popmaxconcurrency", 3, &e), 0);
	assert_int_equal(policy_value(t->site, "Sales", setting), 3);
	assert_int_equal(policy_value(t->site, NULL, setting), 20);
	assert_int_equal(policy_set(t->site, "default", "OWAMaxConcurrency", SETTING_NULL, &e), 0);
	assert_int_equal(policy_value(t->site, "sales", SETTING_POLICY_OWA), SETTING_NULL);
	assert_int_equal(policy_value(t->site, "nobody", SETTING_POLICY_EWS), 10);
	assert_int_equal(policy_set(t->site, "sales", "Nonsense", 3, &e), -1);
	assert_int_equal(e.code, ERR_INVALID);
	assert_false(policy_concurrency(SESSION_TRANSPORT, &setting));
}

static void limits_are_read_at_every_grant(void **state)
{
	struct temp_site *t = *state;
	struct session_request request = ask_for(SESSION_IMAP4, 7);
	struct session *held[20];
	struct session_refusal why;
	struct err e;
	int n = 0;

	set_ok(t, REGISTRY_IMAP4, "MaxConnectionsPerUser", "100");
	set_ok(t, REGISTRY_PARAMETERS_SYSTEM, SERVICE_LIMIT, "18");
	while (n < 20 && session_acquire(t->site, &request, &held[n], &why, &e) == 0)
		n++;
	assert_int_equal(n, 18);
	set_ok(t, REGISTRY_PARAMETERS_SYSTEM, SERVICE_LIMIT, "10");
	while (n > 10)
		session_release(&held[--n]);
	assert_int_equal(session_acquire(t->site, &request, &held[n], &why, &e), -1);
	assert_int_equal(why.value, 10);
	assert_int_equal(why.held, 10);
	session_release(&held[--n]);
	assert_int_equal(session_acquire(t->site, &request, &held[n], &why, &e), 0);
	n++;
	set_ok(t, REGISTRY_PARAMETERS_SYSTEM, "Disable Session Limit", "1");
	assert_int_equal(session_acquire(t->site, &request, &held[n], &why, &e), 0);
	n++;
	while (n > 0)
		session_release(&held[--n]);
}

static void front_layers_refuse_only_where_the_store_does_not(void **state)
{
	struct temp_site *t = *state;
	struct session_request request = ask_for(SESSION_POP3, 7);
	struct session *held[3], *one;
	struct session_refusal why;
	struct err e;

	set_ok(t, REGISTRY_POP3, "MaxConnectionsPerUser", "3");
	assert_int_equal(policy_set(t->site, "default", "POPMaxConcurrency", 2, &e), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(session_acquire(t->site, &request, &held[i], &why, &e), 0);
	assert_int_equal(session_acquire(t->site, &request, &one, &why, &e), -1);
	assert_int_equal(why.layer, SESSION_LAYER_POLICY);
	assert_string_equal(why.explain, "throttling policy: POPMaxConcurrency is 2, held 2; "
	    "close one of them, or an administrator raises it in "
	    "HKLM\\SOFTWARE\\Postern\\ThrottlingPolicies\\default: postern policy set default POPMaxConcurrency N");
	assert_int_equal(policy_set(t->site, "default", "POPMaxConcurrency", 3, &e), 0);
	assert_int_equal(session_acquire(t->site, &request, &held[2], &why, &e), 0);
	assert_int_equal(session_acquire(t->site, &request, &one, &why, &e), -1);
	assert_int_equal(why.layer, SESSION_LAYER_PROTOCOL);
	assert_string_equal(why.explain, "POP3: MaxConnectionsPerUser is 3, held 3; "
	    "refused too by throttling policy: POPMaxConcurrency is 3, held 3; "
	    "close one of them, or an administrator raises it in "
	    "HKLM\\SYSTEM\\CurrentControlSet\\Services\\MSExchangePOP3: postern settings pop MaxConnectionsPerUser N");
	set_ok(t, REGISTRY_PARAMETERS_SYSTEM, SERVICE_LIMIT, "3");
	assert_int_equal(session_acquire(t->site, &request, &one, &why, &e), -1);
	assert_int_equal(why.layer, SESSION_LAYER_STORE_SERVICE);
	for (int i = 0; i < 3; i++)
		session_release(&held[i]);
}

static void per_service_limit_counts_all_users(void **state)
{
	struct temp_site *t = *state;
	struct session_request request = ask_for(SESSION_TRANSPORT, 1);
	struct session *held[2], *one;
	struct session_refusal why;
	struct err e;

	set_ok(t, REGISTRY_PARAMETERS_SYSTEM, "Maximum Allowed Exchange Sessions Per Service", "2");
	assert_int_equal(session_acquire(t->site, &request, &held[0], &why, &e), 0);
	request.actor.n = 2;
	assert_int_equal(session_acquire(t->site, &request, &held[1], &why, &e), 0);
	request.actor.n = 3;
	assert_int_equal(session_acquire(t->site, &request, &one, &why, &e), -1);
	assert_int_equal(why.layer, SESSION_LAYER_STORE_PER_SERVICE);
	request.service = SESSION_ADMIN;
	assert_int_equal(session_acquire(t->site, &request, &one, &why, &e), 0);
	session_release(&one);
	request.service = SESSION_IMAP4;
	assert_int_equal(session_acquire(t->site, &request, &one, &why, &e), 0);
	session_release(&one);
	session_release(&held[0]);
	session_release(&held[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    SITE_TEST(absent_values_are_defaults),
	    SITE_TEST(change_is_in_force_at_once_in_every_process),
	    SITE_TEST(values_survive_a_restart),
	    SITE_TEST(subkey_may_stand_in_the_name),
	    SITE_TEST(choice_takes_its_words_only),
	    SITE_TEST(value_out_of_its_range_is_refused),
	    SITE_TEST(hand_edit_is_noticed),
	    SITE_TEST(malformed_hand_edit_keeps_the_last_good_settings_and_refuses_changes),
	    SITE_TEST(out_of_range_hand_edit_counts_as_the_default),
	    SITE_TEST(export_is_version_5_with_crlf_and_defaults_as_comments),
	    SITE_TEST(export_and_import_restore_what_was),
	    SITE_TEST(import_takes_utf16_with_a_bom_as_regedit_writes_it),
	    SITE_TEST(import_takes_regedit4_in_the_ansi_code_page),
	    SITE_TEST(import_deletes_values_and_keys),
	    SITE_TEST(a_key_goes_only_while_it_is_empty_and_ours),
	    SITE_TEST(import_is_all_or_nothing_and_names_the_line),
	    SITE_TEST(query_lists_values_with_the_rows_defaults),
	    SITE_TEST(subkeys_are_listed_once_each),
	    SITE_TEST(policies_have_values_of_their_own_and_else_the_default_ones),
	    SITE_TEST(bounds_are_those_of_every_policy_and_of_the_default),
	    SITE_TEST(limits_are_read_at_every_grant),
	    SITE_TEST(front_layers_refuse_only_where_the_store_does_not),
	    SITE_TEST(per_service_limit_counts_all_users),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
