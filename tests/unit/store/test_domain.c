/* Domains: whose users are called how, by any spelling, before and after the default one changes. */
#include "support.h"

#include "store/domain.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <sqlite3.h>

#include <cmocka.h>

#define BUECHER "b\xc3\xbc" "cher.example"

static int setup(void **state)
{
	static struct support s;

	support_begin(&s);
	*state = &s;
	return 0;
}

static int teardown(void **state)
{
	support_end(*state);
	return 0;
}

static struct user_id add(struct support *s, const char *name)
{
	struct user_id id = {0};

	OK(directory_user_add(s->site, name, NULL, &id, &s->e));
	return id;
}

/* The name of whoever a name leads to. */
static const char *called(struct support *s, const char *name)
{
	struct directory_user u;

	if (directory_user_find(s->site, name, &s->arena, &u, &s->e) < 0)
		return "nobody";
	return u.name;
}

static struct user_id id_of(struct support *s, const char *name)
{
	struct directory_user u = {0};

	OK(directory_user_find(s->site, name, &s->arena, &u, &s->e));
	return u.id;
}

static size_t findings(struct support *s)
{
	struct str_buf report = {0};
	size_t n = 0;

	OK(directory_check(s->site, &report, &n, &s->e));
	str_buf_fini(&report);
	return n;
}

/* As nobody should, behind everybody's back; what is cached goes with the next change. */
static void damage(struct support *s, const char *sql)
{
	char path[PATH_MAX];
	sqlite3 *db;

	snprintf(path, sizeof path, "%s/directory.db", site_dir(s->site));
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	OK(directory_set_policy(s->site, "bob", NULL, &s->e));
}

static enum domain_kind kind(struct support *s, const char *domain)
{
	enum domain_kind kind_r;

	OK(domain_kind(s->site, str_view(domain, strlen(domain)), &kind_r, &s->e));
	return kind_r;
}

static const char *address(struct support *s, const char *user, const char *asked)
{
	const char *address_r = NULL;

	OK(domain_address(s->site, user, asked, &s->arena, &address_r, &s->e));
	return address_r;
}

static void a_local_part_is_somebody_else_in_another_domain(void **state)
{
	struct support *s = *state;
	struct user_id id;

	OK(domain_add(s->site, "Example.ORG", &s->e));
	OK(domain_add(s->site, "example.com", &s->e));
	assert_true(add(s, "alice@example.org").n != s->alice.n);
	add(s, "alice@EXAMPLE.com");
	FAILS(ERR_EXISTS, directory_user_add(s->site, "ALICE@Example.Org", NULL, &id, &s->e));
	FAILS(ERR_INVALID, directory_user_add(s->site, "alice@elsewhere.example", NULL, &id, &s->e));
	FAILS(ERR_INVALID, directory_user_add(s->site, "alice@", NULL, &id, &s->e));
	FAILS(ERR_INVALID, directory_user_add(s->site, "alice@a@example.org", NULL, &id, &s->e));
	assert_string_equal(called(s, "alice"), "alice");
	assert_string_equal(called(s, "alice@localhost"), "alice");
	assert_string_equal(called(s, "Alice@example.org"), "alice@example.org");
	assert_string_equal(called(s, "alice@Example.Com"), "alice@example.com");
	assert_string_equal(called(s, "bob@example.org"), "nobody");
}

static void a_domain_is_one_in_its_script_and_in_ascii(void **state)
{
	struct support *s = *state;

	OK(domain_add(s->site, BUECHER, &s->e));
	FAILS(ERR_EXISTS, domain_add(s->site, "XN--BCHER-KVA.example", &s->e));
	add(s, "alice@xn--bcher-kva.example");
	assert_string_equal(called(s, "alice@B\xc3\x9c" "CHER.EXAMPLE"), "alice@" BUECHER);
	assert_string_equal(called(s, "alice@xn--bcher-kva.example"), "alice@" BUECHER);
	assert_int_equal(kind(s, BUECHER), DOMAIN_OURS);
	assert_string_equal(address(s, "alice@" BUECHER, NULL), "alice@xn--bcher-kva.example");
	assert_string_equal(address(s, "\xc3\xa4nn@" BUECHER, NULL), "\xc3\xa4nn@" BUECHER);
}

static void names_of_any_script_are_one_in_every_spelling(void **state)
{
	struct support *s = *state;
	struct user_id id;

	add(s, "Ju\xcc\x88rgen");
	assert_string_equal(called(s, "J\xc3\x9cRGEN"), "J\xc3\xbcrgen");
	assert_string_equal(called(s, "\xef\xbd\x8a\xc3\xbcrgen@localhost"), "J\xc3\xbcrgen");
	FAILS(ERR_EXISTS, directory_user_add(s->site, "j\xc3\xbcrgen", NULL, &id, &s->e));
	FAILS(ERR_INVALID, directory_user_add(s->site, "a\xd7\xa9", NULL, &id, &s->e));
	FAILS(ERR_INVALID, directory_user_add(s->site, "a\xef\xbc\x8f" "b", NULL, &id, &s->e)); /* a slash of full width */
}

static void the_default_domain_takes_a_name(void **state)
{
	struct support *s = *state;
	struct user_id id;

	OK(directory_alias_add(s->site, "info", "bob", &s->e));
	assert_int_equal(kind(s, "example.org"), DOMAIN_FOREIGN);
	assert_int_equal(kind(s, site_host_name(s->site)), DOMAIN_DEFAULT);
	OK(domain_set_default(s->site, "example.org", &s->e));
	OK(domain_set_default(s->site, "EXAMPLE.org", &s->e));
	assert_int_equal(kind(s, "example.org"), DOMAIN_DEFAULT);
	assert_string_equal(called(s, "alice"), "alice");
	assert_string_equal(called(s, "alice@example.org"), "alice");
	assert_string_equal(called(s, "info@example.org"), "bob");
	assert_string_equal(address(s, "alice", NULL), "alice@example.org");
	assert_string_equal(address(s, "alice", "localhost"), "alice@localhost");
	FAILS(ERR_EXISTS, directory_user_add(s->site, "alice@example.org", NULL, &id, &s->e));
	add(s, "carol@example.org");
	assert_string_equal(called(s, "carol"), "carol");
	FAILS(ERR_EXISTS, domain_remove(s->site, "example.org", &s->e));
	FAILS(ERR_EXISTS, domain_add(s->site, "example.org", &s->e));
	FAILS(ERR_EXISTS, domain_add(s->site, "localhost", &s->e));
}

static void addresses_stay_when_another_domain_is_the_default(void **state)
{
	struct support *s = *state;

	OK(domain_set_default(s->site, "example.org", &s->e));
	OK(domain_add(s->site, "example.com", &s->e));
	add(s, "alice@example.com");
	OK(directory_alias_add(s->site, "sales@example.com", "bob", &s->e));
	OK(directory_alias_add(s->site, "info@example.org", "bob", &s->e));
	for (int twice = 0; twice < 2; twice++) {
		OK(domain_set_default(s->site, twice ? "example.org" : "example.com", &s->e));
		assert_string_equal(called(s, "alice@example.org"), twice ? "alice" : "alice@example.org");
		assert_string_equal(called(s, "alice@example.com"), twice ? "alice@example.com" : "alice");
		assert_string_equal(called(s, "alice"), "alice");
		assert_string_equal(called(s, "bob@example.org"), twice ? "bob" : "bob@example.org");
		assert_string_equal(called(s, "bob"), twice ? "bob" : "nobody");
		assert_string_equal(called(s, "sales@example.com"), twice ? "bob" : "bob@example.org");
		assert_string_equal(called(s, "info@example.org"), twice ? "bob" : "bob@example.org");
		assert_string_equal(called(s, "info"), twice ? "bob" : "nobody");
	}
}

static void a_domain_with_two_of_a_name_is_not_the_default(void **state)
{
	struct support *s = *state;

	OK(domain_add(s->site, "example.org", &s->e));
	add(s, "alice@example.org");
	FAILS(ERR_EXISTS, domain_set_default(s->site, "example.org", &s->e));
	assert_string_equal(called(s, "alice"), "alice");
	OK(directory_user_delete(s->site, "alice@example.org", true, &s->e));
	OK(domain_set_default(s->site, "example.org", &s->e));
}

static void a_domain_goes_when_nobody_is_in_it(void **state)
{
	struct support *s = *state;

	FAILS(ERR_NOTFOUND, domain_remove(s->site, "example.org", &s->e));
	FAILS(ERR_INVALID, domain_add(s->site, "a b", &s->e));
	OK(domain_add(s->site, "example.org", &s->e));
	add(s, "carol@example.org");
	FAILS(ERR_EXISTS, domain_remove(s->site, "example.org", &s->e));
	OK(directory_user_delete(s->site, "carol@example.org", true, &s->e));
	OK(directory_alias_add(s->site, "x@example.org", "alice", &s->e));
	FAILS(ERR_EXISTS, domain_remove(s->site, "example.org", &s->e));
	OK(directory_alias_delete(s->site, "X@example.org", &s->e));
	OK(domain_remove(s->site, "EXAMPLE.org", &s->e));
	assert_int_equal(kind(s, "example.org"), DOMAIN_FOREIGN);
}

static void a_domain_gets_another_name_and_its_users_and_aliases_with_it(void **state)
{
	struct support *s = *state;
	struct user_id carol, dora;

	OK(domain_add(s->site, "example.org", &s->e));
	carol = add(s, "Carol@example.org");
	dora = add(s, "d\xc3\xb6ra@example.org");
	OK(directory_alias_add(s->site, "Sales@example.org", "bob", &s->e));
	OK(directory_alias_add(s->site, "news", "carol@example.org", &s->e));
	OK(domain_rename(s->site, "Example.ORG", BUECHER, &s->e));
	assert_string_equal(called(s, "carol@XN--bcher-kva.example"), "Carol@" BUECHER);
	assert_string_equal(called(s, "D\xc3\x96RA@" BUECHER), "d\xc3\xb6ra@" BUECHER);
	assert_string_equal(called(s, "sales@" BUECHER), "bob");
	assert_string_equal(called(s, "news"), "Carol@" BUECHER);
	assert_string_equal(called(s, "carol@example.org"), "nobody");
	assert_int_equal(kind(s, "example.org"), DOMAIN_FOREIGN);
	assert_int_equal(id_of(s, "carol@" BUECHER).n, carol.n);
	assert_int_equal(id_of(s, "d\xc3\xb6ra@" BUECHER).n, dora.n);
	assert_string_equal(called(s, "alice"), "alice");
	OK(domain_rename(s->site, BUECHER, "example.org", &s->e));
	assert_string_equal(called(s, "carol@example.org"), "Carol@example.org");
	assert_int_equal(findings(s), 0);
}

static void the_default_domain_gets_another_name_and_its_users_stay_without(void **state)
{
	struct support *s = *state;

	FAILS(ERR_NOTFOUND, domain_rename(s->site, site_host_name(s->site), "example.org", &s->e));
	OK(domain_set_default(s->site, "example.org", &s->e));
	OK(directory_alias_add(s->site, "info@localhost", "bob", &s->e));
	OK(domain_rename(s->site, "example.org", "example.net", &s->e));
	assert_string_equal(called(s, "alice@example.net"), "alice");
	assert_string_equal(called(s, "alice@example.org"), "nobody");
	/* It may take one of its further names; what was in that is then in it. */
	OK(domain_rename(s->site, "example.net", "localhost", &s->e));
	assert_string_equal(called(s, "alice@localhost"), "alice");
	assert_string_equal(called(s, "info"), "bob");
	assert_int_equal(findings(s), 0);
}

static void a_domain_is_not_renamed_over_another_or_what_is_left_of_one(void **state)
{
	struct support *s = *state;

	OK(domain_set_default(s->site, "example.net", &s->e));
	OK(domain_add(s->site, "example.org", &s->e));
	OK(domain_add(s->site, "example.com", &s->e));
	add(s, "carol@example.org");
	FAILS(ERR_NOTFOUND, domain_rename(s->site, "elsewhere.example", "example.test", &s->e));
	FAILS(ERR_INVALID, domain_rename(s->site, "example.org", "a b", &s->e));
	FAILS(ERR_EXISTS, domain_rename(s->site, "example.org", "example.com", &s->e));
	FAILS(ERR_EXISTS, domain_rename(s->site, "example.org", "example.org", &s->e));
	FAILS(ERR_EXISTS, domain_rename(s->site, "example.org", "example.net", &s->e));
	FAILS(ERR_EXISTS, domain_rename(s->site, "example.net", "example.org", &s->e));
	FAILS(ERR_EXISTS, domain_rename(s->site, "example.org", "localhost", &s->e));
	add(s, "dora@example.com");
	damage(s, "DELETE FROM domain WHERE name = 'example.com'");
	FAILS(ERR_EXISTS, domain_rename(s->site, "example.org", "example.com", &s->e));
	assert_string_equal(called(s, "carol@example.org"), "carol@example.org");
}

static void a_domain_is_not_renamed_where_a_name_gets_too_long(void **state)
{
	static const char longest[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
	    "bbbbbbbbbbbbbbbb.ccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc.ddddddddddddddddddddddddddddddddddddddddddddd.example";
	struct support *s = *state;

	OK(domain_add(s->site, "example.org", &s->e));
	add(s, "carolinecarolinecaroline@example.org");
	FAILS(ERR_INVALID, domain_rename(s->site, "example.org", longest, &s->e));
	assert_string_equal(called(s, "carolinecarolinecaroline@example.org"), "carolinecarolinecaroline@example.org");
	assert_int_equal(kind(s, longest), DOMAIN_FOREIGN);
}

static void names_in_no_domain_are_found(void **state)
{
	struct support *s = *state;

	OK(domain_add(s->site, "example.org", &s->e));
	add(s, "carol@example.org");
	OK(directory_alias_add(s->site, "x@example.org", "alice", &s->e));
	OK(directory_alias_add(s->site, "y@localhost", "alice", &s->e));
	assert_int_equal(findings(s), 0);
	damage(s, "DELETE FROM domain");
	assert_int_equal(findings(s), 2);
	damage(s, "UPDATE user SET folded = 'Alice' WHERE name = 'alice'");
	assert_int_equal(findings(s), 3);
	OK(domain_add(s->site, "example.org", &s->e));
	assert_int_equal(findings(s), 1);
}

static void domains_are_listed_with_their_users(void **state)
{
	struct support *s = *state;
	struct directory_domain *list;
	size_t n;

	OK(domain_add(s->site, "example.org", &s->e));
	add(s, "carol@example.org");
	OK(directory_alias_add(s->site, "info", "carol@example.org", &s->e));
	OK(domain_list(s->site, &s->arena, &list, &n, &s->e));
	assert_int_equal(n, 2);
	assert_string_equal(list[0].name, site_host_name(s->site));
	assert_true(list[0].is_default && list[0].users_n == 2 && list[0].aliases_n == 1);
	assert_string_equal(list[1].name, "example.org");
	assert_true(!list[1].is_default && list[1].users_n == 1 && list[1].aliases_n == 0);
}

static void what_is_counted_is_one_for_all_spellings(void **state)
{
	static const char *const alice[] = {"alice", "ALICE", "alice@localhost", "wonder", "\xef\xbd\x81lice"},
		*const nobody[] = {"mallory", "Mallory", "MALLORY@localhost"};
	struct support *s = *state;

	OK(directory_alias_add(s->site, "wonder", "alice", &s->e));
	for (size_t i = 0; i < sizeof alice / sizeof *alice; i++) {
		struct str_buf key = {0};

		directory_account_key(s->site, alice[i], &key);
		assert_string_equal(key.p, "alice");
		str_buf_fini(&key);
	}
	for (size_t i = 0; i < sizeof nobody / sizeof *nobody; i++) {
		struct str_buf key = {0};

		directory_account_key(s->site, nobody[i], &key);
		assert_string_equal(key.p, "mallory");
		str_buf_fini(&key);
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(a_local_part_is_somebody_else_in_another_domain),
	    T(a_domain_is_one_in_its_script_and_in_ascii),
	    T(names_of_any_script_are_one_in_every_spelling),
	    T(the_default_domain_takes_a_name),
	    T(addresses_stay_when_another_domain_is_the_default),
	    T(a_domain_with_two_of_a_name_is_not_the_default),
	    T(a_domain_goes_when_nobody_is_in_it),
	    T(a_domain_gets_another_name_and_its_users_and_aliases_with_it),
	    T(the_default_domain_gets_another_name_and_its_users_stay_without),
	    T(a_domain_is_not_renamed_over_another_or_what_is_left_of_one),
	    T(a_domain_is_not_renamed_where_a_name_gets_too_long),
	    T(names_in_no_domain_are_found),
	    T(domains_are_listed_with_their_users),
	    T(what_is_counted_is_one_for_all_spellings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
